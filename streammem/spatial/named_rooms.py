"""Rooms by their corners, where somebody said them; kept as rows of the memory, so that they are said once.

A room belongs to the submap in which it was said, as everything that is remembered does (`frames`): its row keeps the
corners as they were believed then, with the time of the observation after which it was said, and a point is looked for
in it where the point would have been believed to be. So a room turns and shifts with its submap. The newest row of a
name holds. `streammem forget` reaches rows as it reaches places: by recording, by time, by the room's name. Costs some
microseconds a point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streammem.memory import Memory
from streammem.spatial import rigid
from streammem.spatial.frames import SubmapFrames
from streammem.spatial.observations import Vector3
from streammem.store.filters import Where
from streammem.store.tables import NAMED_ROOMS, Row
from streammem.types import stable_id

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Room:
    low_m: Floats
    high_m: Floats
    """Corners, in the map as it was believed when they were said."""
    t_said_ns: int | None
    """Time of the observation after which it was said; None: nothing is observed yet."""
    t_noted_ns: int = -1
    """Orders the rows of a name: two may be said after one observation. -1: it is not kept yet."""

    @property
    def is_kept(self) -> bool:
        return self.t_noted_ns >= 0


class NamedRooms:
    """Of one recording. `take_rows` hands out what is not kept yet."""

    def __init__(self, memory: Memory, *, recording: str) -> None:
        self._memory, self._recording = memory, recording
        self._frames: SubmapFrames | None = None
        self._rooms: dict[str, _Room] = {}
        self._kept_ns: dict[str, int] = {}
        """`t_noted_ns` of the newest row of each name."""
        self._T_said_map: Floats | None = None
        """(N, 4, 4): from the map as it is believed now to what was believed when each room was said."""
        self._version = -1

    def read(self, frames: SubmapFrames | None) -> None:
        """Takes up what is in memory, and lets go of what is not any more; rooms that were said since stay.

        Args:
            frames: the live submaps; None where nothing is ever corrected.
        """
        where = Where().equals("recording", self._recording)
        rows = self._memory.spatial_rows(NAMED_ROOMS, where, order=("t_end_ns", "row_id"))
        kept = {
            row["room"]: _Room(
                low_m=np.asarray(row["low_m"]), high_m=np.asarray(row["high_m"]), t_said_ns=row["t_start_ns"],
                t_noted_ns=row["t_end_ns"],
            )
            for row in rows
        }  # fmt: skip
        self._frames = frames
        self._rooms = kept | {name: room for name, room in self._rooms.items() if not room.is_kept}
        self._kept_ns = {name: room.t_noted_ns for name, room in kept.items()}
        self._T_said_map = None

    def name(self, boxes: Mapping[str, tuple[Vector3, Vector3]], *, t_ns: int | None) -> None:
        """Rooms by their corners (low, high), metres in the map as it is believed now.

        Args:
            t_ns: of the newest observation; None: nothing was observed yet.
        """
        for name, (low, high) in boxes.items():
            said = _Room(
                low_m=np.asarray(low, dtype=np.float64), high_m=np.asarray(high, dtype=np.float64), t_said_ns=t_ns
            )
            if name not in self._rooms or not self._is_where(name, said):
                self._rooms[name] = said
                self._T_said_map = None

    def at(self, point_m: Floats) -> str | None:
        """The room that a point (3,) of the map as it is believed now is in."""
        if not self._rooms:
            return None
        moved = self._motions()
        points = moved[:, :3, :3] @ point_m + moved[:, :3, 3]  # (N, 3)
        for (name, room), point in zip(self._rooms.items(), points, strict=True):
            if (point >= room.low_m).all() and (point <= room.high_m).all():
                return name
        return None

    def take_rows(self, t_ns: int) -> list[Row]:
        """Rows of what was said since the last time.

        Args:
            t_ns: of the newest observation.
        """
        rows: list[Row] = []
        for name, room in self._rooms.items():
            if room.is_kept:
                continue
            said_ns = t_ns if room.t_said_ns is None else room.t_said_ns
            noted_ns = max(said_ns, self._kept_ns.get(name, -1) + 1)
            low, high = room.low_m.tolist(), room.high_m.tolist()
            rows.append(
                {
                    "row_id": stable_id("room", self._recording, f"{noted_ns}/{name}/{low}/{high}"),
                    "recording": self._recording, "room": name, "t_start_ns": said_ns, "t_end_ns": noted_ns,
                    "low_m": low, "high_m": high,
                }
            )  # fmt: skip
            self._rooms[name] = replace(room, t_said_ns=said_ns, t_noted_ns=noted_ns)
            self._kept_ns[name] = noted_ns
        return rows

    # --- inside -------------------------------------------------------------------------------------------------------

    def _motions(self) -> Floats:
        """(N, 4, 4), kept until something is said or corrected."""
        frames = self._frames
        version = frames.version if frames is not None else 0
        if self._T_said_map is None or version != self._version:
            still = np.broadcast_to(np.eye(4), (len(self._rooms), 4, 4)).copy()
            self._version, self._T_said_map = version, still
            times = [room.t_said_ns for room in self._rooms.values()]
            for number, t_ns in enumerate(times):
                if frames is not None and version and t_ns is not None:
                    moved = frames.express_poses(np.eye(4)[None], np.array([t_ns]))
                    still[number] = rigid.inverse(moved)[0]
        return self._T_said_map

    def _is_where(self, name: str, said: _Room) -> bool:
        """Whether a room lies where it is said to be."""
        held, number = self._rooms[name], list(self._rooms).index(name)
        is_same = np.array_equal(held.low_m, said.low_m) and np.array_equal(held.high_m, said.high_m)
        return is_same and np.allclose(self._motions()[number], np.eye(4))
