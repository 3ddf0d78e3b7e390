"""What happened to the graph of places, and where the camera was: rows of `place_log`, read back as of any time.

Kinds of rows: `place` (made), `visit` (arrived at, and from where), `view` (it showed something new), `pass` (where the
camera was, every `PASS_S` or `PASS_M`). The graph as of a time is the log up to then, replayed; so is the path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streammem.memory import Memory
from streammem.spatial.frames_log import FramesLog
from streammem.spatial.object_log import MAP_FRAME
from streammem.spatial.observations import Pose
from streammem.spatial.places import Arrival, PlaceGraph
from streammem.spatial.settings import PlaceSettings
from streammem.store.filters import Where
from streammem.store.tables import COLUMNS, PLACE_LOG, Row, vector_column
from streammem.timeline import WALL_CLOCK_FROM_NS
from streammem.types import NS_PER_S, FloatVector, stable_id

Floats = NDArray[np.float64]

PASS_S, PASS_M, PASS_TURN_RAD = 5.0, 0.5, 0.5
"""A pose is noted when so much has passed since the last one, in time, way or turn."""
STALE_S = 120.0
"""A pose says nothing of where the camera was longer after it than this."""
VIEW = "view"
"""Model name in the column of embeddings."""
_ORDER = ("t_end_ns", "row_id")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """Where the camera was, in order of time."""

    t_ns: NDArray[np.int64]
    """(N,)"""
    positions_m: Floats
    """(N, 3)"""
    poses: Floats
    """(N, 4, 4)"""
    place_ids: tuple[str, ...]
    rooms: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.t_ns)

    def at(self, t_ns: int) -> int | None:
        """Number of the pose that held at a time; None where none is recent enough."""
        number = int(self.t_ns.searchsorted(t_ns, side="right")) - 1
        if number < 0:
            return 0 if len(self) and self.t_ns[0] - t_ns <= STALE_S * NS_PER_S else None
        return number if t_ns - self.t_ns[number] <= STALE_S * NS_PER_S else None


class PlaceNotes:
    """Makes the rows of one recording."""

    def __init__(self, recording: str) -> None:
        self.recording = recording
        self._last: tuple[int, Pose] | None = None

    def rows_of(
        self, arrival: Arrival, *, t_ns: int, pose: Pose, room: str | None, view: FloatVector | None
    ) -> list[Row]:
        """What one look adds to the log; mostly nothing."""
        kinds: list[Literal["place", "visit", "view", "pass"]] = []
        if arrival.is_new:
            kinds.append("place")
        elif arrival.new_view:
            kinds.append("view")
        if arrival.is_visit:
            kinds.append("visit")
        if not kinds and self._is_due(t_ns, pose):
            kinds.append("pass")
        if kinds:
            self._last = (t_ns, pose)
        rows: list[Row] = []
        for kind in kinds:
            row: Row = {
                "row_id": stable_id("place row", self.recording, t_ns, kind), "place_id": arrival.place_id,
                "recording": self.recording, "frame": MAP_FRAME, "kind": kind, "t_start_ns": t_ns, "t_end_ns": t_ns,
                "x_m": float(pose[0, 3]), "y_m": float(pose[1, 3]), "z_m": float(pose[2, 3]),
                "pose": pose.reshape(-1).tolist(), "room": room,
                "from_id": arrival.from_id if kind == "visit" else None,
                "distance_m": arrival.distance_m if kind == "visit" else None,
            }  # fmt: skip
            if view is not None and kind in {"place", "view"}:
                row[vector_column("vector", VIEW, len(view))] = np.asarray(view, dtype=np.float32)
            rows.append(row)
        return rows

    def _is_due(self, t_ns: int, pose: Pose) -> bool:
        if self._last is None:
            return True
        before_ns, before = self._last
        turn = float(np.arccos(np.clip((np.trace(before[:3, :3].T @ pose[:3, :3]) - 1) / 2, -1.0, 1.0)))
        return (
            t_ns - before_ns >= PASS_S * NS_PER_S
            or float(np.linalg.norm(pose[:3, 3] - before[:3, 3])) >= PASS_M
            or turn >= PASS_TURN_RAD
        )


class PlaceLog:
    """Reads the log of one recording."""

    def __init__(self, memory: Memory, *, recording: str, settings: PlaceSettings) -> None:
        self.memory = memory
        self.recording = recording
        self.settings = settings
        self._graphs: dict[int | None, PlaceGraph] = {}
        self._path: Path | None = None
        self._stamp: tuple[int, ...] = ()
        self._frames = FramesLog(memory)

    def shares_clock(self, recording: str, t_ns: int) -> bool:
        """Whether a time of some recording is one of this recording's too: it is this one, or both are times of day.
        Two recordings that begin at 0 have nothing to do with each other."""
        return recording == self.recording or t_ns >= WALL_CLOCK_FROM_NS

    def graph(self, *, as_of_ns: int | None = None) -> PlaceGraph:
        """The graph as it was known at a time. Kept until the log grows: do not change it."""
        self._refresh()
        if as_of_ns not in self._graphs:
            if len(self._graphs) > 4:
                self._graphs.clear()
            graph = PlaceGraph(self.settings)
            graph.replay(self._rows(as_of_ns, kinds=("place", "view", "visit"), with_views=as_of_ns is None))
            self._graphs[as_of_ns] = graph
        return self._graphs[as_of_ns]

    def new_graph(self) -> PlaceGraph:
        """The graph as it is, to go on with."""
        graph = PlaceGraph(self.settings)
        graph.replay(self._rows(None, kinds=("place", "view", "visit"), with_views=True))
        return graph

    def path(self, *, as_of_ns: int | None = None) -> Path:
        """Where the camera was."""
        self._refresh()
        if as_of_ns is not None and self._frames.of(self.recording) is not None:
            return self._read_path(as_of_ns)  # where it was believed to be then
        if self._path is None:
            self._path = self._read_path(None)
        whole = self._path
        if as_of_ns is None:
            return whole
        count = int(whole.t_ns.searchsorted(as_of_ns, side="right"))
        return Path(
            t_ns=whole.t_ns[:count], positions_m=whole.positions_m[:count], poses=whole.poses[:count],
            place_ids=whole.place_ids[:count], rooms=whole.rooms[:count],
        )  # fmt: skip

    def _read_path(self, as_of_ns: int | None) -> Path:
        rows = self._rows(as_of_ns, kinds=None, with_views=False)
        poses = [np.asarray(row["pose"], dtype=np.float64).reshape(4, 4) for row in rows]
        stacked = np.stack(poses) if poses else np.empty((0, 4, 4))
        return Path(
            t_ns=np.array([row["t_end_ns"] for row in rows], dtype=np.int64), positions_m=stacked[:, :3, 3],
            poses=stacked, place_ids=tuple(row["place_id"] for row in rows), rooms=tuple(row["room"] for row in rows),
        )  # fmt: skip

    def _refresh(self) -> None:
        stamp = (self.memory.spatial_version(PLACE_LOG), self._frames.version, self.memory.forgettings)
        if stamp != self._stamp:
            self._graphs.clear()
            self._path, self._stamp = None, stamp

    def _rows(self, as_of_ns: int | None, *, kinds: Sequence[str] | None, with_views: bool) -> list[Row]:
        where = Where().equals("recording", self.recording).compare("t_end_ns", "<=", as_of_ns).among("kind", kinds)
        vectors = self.memory.vector_columns(PLACE_LOG) if with_views else []
        rows = self.memory.spatial_rows(PLACE_LOG, where, columns=[*COLUMNS[PLACE_LOG], *vectors], order=_ORDER)
        for row in rows:
            row["view"] = next((row[column] for column in vectors if row[column] is not None), None)
        self._frames.express_rows(rows, recording=self.recording, as_of_ns=as_of_ns)
        rank = {"place": 0, "view": 1, "visit": 2, "pass": 3}
        return sorted(rows, key=lambda row: (row["t_end_ns"], rank[row["kind"]]))
