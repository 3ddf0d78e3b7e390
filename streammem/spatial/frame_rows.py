"""Submap frames as rows of the memory: one per submap and belief, written together, so that a correction holds wholly
or not at all. A pose is 16 little-endian float64. Knows how to keep frames, not when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from streammem.errors import MemoryStoreError
from streammem.spatial.frames import HOLDS_NS, Belief, SubmapFrames, SubmapSettings
from streammem.store.filters import Where
from streammem.store.lance import arrow
from streammem.store.state import STATE, SUBMAPS, live

_POSE_BYTES = 16 * 8


def save(frames: SubmapFrames, upsert: Callable[[str, Any], None], *, recording: str) -> int:
    """Writes the belief that holds, and what it was before where that is new. Returns how many rows that were."""
    if frames.saved == (frames.version, len(frames)):
        return 0
    starts = frames.t_start_ns
    # A submap ends where the next one begins; of the last one nobody knows yet.
    ends = np.concatenate([starts[1:], [HOLDS_NS]])
    columns: dict[str, list[Any]] = {name: [] for name in ("t_until_ns", "t_start_ns", "t_end_ns", "pose")}
    for number, belief in enumerate(frames.beliefs()):
        count = len(belief.T_map_submap)
        # Of older beliefs only the last submap's end may have become known since.
        first = 0 if number >= frames.saved[0] else count - 1
        columns["t_until_ns"] += [belief.t_until_ns] * (count - first)
        columns["t_start_ns"] += starts[first:count].tolist()
        columns["t_end_ns"] += ends[first:count].tolist()
        columns["pose"] += [pose.astype("<f8").tobytes() for pose in belief.T_map_submap[first:]]
    count = len(columns["pose"])
    upsert(SUBMAPS, _table({"recording": [recording] * count, **columns}))
    frames.saved = (frames.version, len(frames))
    return count


def load(
    read: Callable[[str, Where], Any], settings: SubmapSettings | None = None, *, recording: str
) -> SubmapFrames:  # fmt: skip
    """Frames as they were saved; empty where nothing was.

    Raises:
        MemoryStoreError: a row is damaged.
    """
    found = read(SUBMAPS, live(Where().equals("recording", recording)))
    if found is None or not found.num_rows:
        return SubmapFrames(settings)
    joined = b"".join(found.column("pose").to_pylist())
    if len(joined) != found.num_rows * _POSE_BYTES:
        raise MemoryStoreError(f"The submaps of {recording!r} are damaged; put the memory back from a copy.")
    poses = np.frombuffer(joined, dtype="<f8").astype(np.float64).reshape(-1, 4, 4)
    until, starts = (found.column(name).to_numpy() for name in ("t_until_ns", "t_start_ns"))
    beliefs: list[Belief] = []
    for t_until_ns in np.unique(until):
        rows = np.flatnonzero(until == t_until_ns)
        rows = rows[starts[rows].argsort()]
        beliefs.append(Belief(t_until_ns=int(t_until_ns), T_map_submap=poses[rows]))
    return SubmapFrames.of_beliefs(np.unique(starts), beliefs, settings)


def without_span(rows: Any, start_ns: int, end_ns: int) -> Any:
    """Rows of submaps without those that lie within [start, end): they say where the robot was. What begins before or
    goes on after holds memories that stay, and stays with them."""
    begins, ends = (rows.column(name).to_numpy() for name in ("t_start_ns", "t_end_ns"))
    gone = (begins >= start_ns) & (ends <= end_ns)
    columns = {name: rows.column(name) for name in rows.column_names}
    columns["t_end_ns"] = [None if is_gone else int(end) for is_gone, end in zip(gone, ends, strict=True)]
    columns["pose"] = [
        None if is_gone else pose for is_gone, pose in zip(gone, rows.column("pose").to_pylist(), strict=True)
    ]
    return _table(columns)


def _table(columns: dict[str, Any]) -> Any:
    schema = STATE[SUBMAPS].schema()
    return arrow().table({name: columns[name] for name in schema.names}, schema=schema)
