"""A map as rows of the memory's table of blocks: one row per block, bit for bit.

Saving writes the blocks that changed since the last save, in one commit: a crash leaves the map as it was before or as
it is after. Every map belongs to a recording, and a recording may have several (`frame`: its whole map, or submaps).
Each row says up to when the map had faded when it was written (`decayed_ns`); the greatest of them is the map's: blocks
that fading did not touch since are the same either way. Knows how to keep a map, not when.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from streammem.errors import MemoryStoreError
from streammem.spatial.blocks import CELLS, NEVER_NS, NO_LABEL, without_seen
from streammem.spatial.keys import BLOCK_VOXELS, Ints
from streammem.spatial.octree import Octree, OctreeSettings
from streammem.store.filters import Where
from streammem.store.lance import arrow
from streammem.store.state import STATE, VOXEL_BLOCKS, live

MAP = "map"
"""Frame of a recording's one map, where there are no submaps."""

Upsert = Callable[[str, Any], None]
"""`Writer.upsert`."""
Read = Callable[[str, Where], Any]
"""`Reader.arrow`."""


def save(tree: Octree, upsert: Upsert, *, recording: str, frame: str = MAP) -> int:
    """Writes what changed since the last save. Returns how many blocks that were."""
    keys, rows, dropped = tree.blocks.changed()
    count = len(keys) + len(dropped)
    if not count:
        return 0
    pool = tree.blocks
    log_odds, seen_ns = pool.log_odds[rows], pool.seen_ns[rows]
    labels = [None if (found := pool.labels_of(int(row))) is None else found.astype("<u2").tobytes() for row in rows]
    gone = [None] * len(dropped)
    columns = {
        "recording": [recording] * count,
        "frame": [frame] * count,
        "block_key": np.concatenate([keys, dropped]),
        "voxel_m": np.full(count, tree.settings.voxel_m),
        "log_odds": [*_bytes(log_odds), *gone],
        "seen_ns": [*_bytes(seen_ns.astype("<i8")), *gone],
        "labels": [*labels, *gone],
        "decayed_ns": [tree.decayed_ns] * count,
    }
    upsert(VOXEL_BLOCKS, _table(columns | _spans(seen_ns, len(dropped))))
    pool.saved(rows, dropped)
    return count


def load(read: Read, settings: OctreeSettings | None = None, *, recording: str, frame: str = MAP) -> Octree:
    """A map as it was saved; empty where nothing was saved.

    Raises:
        MemoryStoreError: it was saved with voxels of another size, or a row is damaged.
    """
    settings = settings or OctreeSettings()
    tree = Octree(settings)
    found = read(VOXEL_BLOCKS, live(Where().equals("recording", recording).equals("frame", frame)))
    if found is None or not found.num_rows:
        return tree
    name = f"The map {frame!r} of {recording!r}"
    sizes = set(found.column("voxel_m").to_pylist())
    if sizes != {settings.voxel_m}:
        raise MemoryStoreError(f"{name} has voxels of {sorted(sizes)} m, not {settings.voxel_m}.")
    log_odds, seen_ns = _arrays(found, name)
    rows = tree.blocks.ensure(found.column("block_key").to_numpy())
    tree.blocks.write(rows, log_odds, seen_ns)
    for row, raw in zip(rows, found.column("labels").to_pylist(), strict=True):
        if raw is not None:
            ids = np.frombuffer(raw, dtype="<u2").astype(np.uint16)
            places = np.flatnonzero(ids)
            tree.blocks.set_labels(np.full(len(places), row, dtype=np.int32), places, ids[places])
    tree.blocks.saved(rows, np.empty(0, dtype=np.int64))
    tree.decayed_ns = max((one for one in found.column("decayed_ns").to_pylist() if one is not None), default=None)
    return tree


def frames(read: Callable[..., Any], *, recording: str) -> list[str]:
    """The frames of a recording that have a map, in order of name."""
    found = read(VOXEL_BLOCKS, live(Where().equals("recording", recording)), columns=["frame"])
    return [] if found is None else sorted(found.column("frame").unique().to_pylist())


def without_span(rows: Any, start_ns: int, end_ns: int) -> Any:
    """Rows of blocks without what was last seen in [start, end); see `Octree.forget_seen`. A block that knows nothing
    any more has no span."""
    log_odds, seen_ns = _arrays(rows, "A map")
    log_odds, seen_ns, _ = without_seen(log_odds, seen_ns, start_ns, end_ns)
    labels: list[bytes | None] = []
    for raw, values in zip(rows.column("labels").to_pylist(), log_odds, strict=True):
        ids = np.zeros(BLOCK_VOXELS, dtype="<u2") if raw is None else np.frombuffer(raw, dtype="<u2")
        ids = np.where(values > 0, ids, ids.dtype.type(NO_LABEL))
        labels.append(ids.tobytes() if ids.any() else None)
    changed = {"log_odds": _bytes(log_odds), "seen_ns": _bytes(seen_ns.astype("<i8")), "labels": labels}
    same = {name: rows.column(name) for name in rows.column_names}
    return _table(same | changed | _spans(seen_ns, 0))


def _arrays(rows: Any, what: str) -> tuple[Any, Ints]:
    """(log-odds (N, 512), times (N, 8))"""
    joined, times = (b"".join(rows.column(name).to_pylist()) for name in ("log_odds", "seen_ns"))
    if len(joined) != rows.num_rows * BLOCK_VOXELS or len(times) != rows.num_rows * CELLS * 8:
        raise MemoryStoreError(f"{what} has damaged blocks; put the memory back from a copy.")
    log_odds = np.frombuffer(joined, dtype=np.int8).reshape(-1, BLOCK_VOXELS)
    return log_odds, np.frombuffer(times, dtype="<i8").reshape(-1, CELLS).astype(np.int64)


def _spans(seen_ns: Ints, gone: int) -> dict[str, list[int | None]]:
    """When the cells of each block were last seen, first to last; nulls for blocks that know nothing."""
    known = seen_ns != NEVER_NS
    first = np.where(known, seen_ns, np.iinfo(np.int64).max).min(axis=1).tolist()
    last = seen_ns.max(axis=1).tolist()
    is_known = [*known.any(axis=1).tolist(), *([False] * gone)]
    filled = [0] * gone
    return {
        "t_start_ns": [one if known else None for one, known in zip([*first, *filled], is_known, strict=True)],
        "t_end_ns": [one + 1 if known else None for one, known in zip([*last, *filled], is_known, strict=True)],
    }


def _bytes(arrays: Any) -> list[bytes]:
    return [one.tobytes() for one in arrays]


def _table(columns: dict[str, Any]) -> Any:
    schema = STATE[VOXEL_BLOCKS].schema()
    return arrow().table({name: columns[name] for name in schema.names}, schema=schema)
