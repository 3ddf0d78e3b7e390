"""Rooms by their corners, where somebody said them; kept as rows of the memory, so that they are said once.

A row is a room's box as of the observation after which it was said; the newest of a name holds. `streammem forget`
reaches rows as it reaches places: by recording, by time, by the room's name. Costs a comparison per room and question.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streammem.memory import Memory
from streammem.spatial.observations import Vector3
from streammem.store.filters import Where
from streammem.store.tables import NAMED_ROOMS, Row
from streammem.types import stable_id

Floats = NDArray[np.float64]


class NamedRooms:
    """Of one recording. `take_rows` hands out what is not kept yet."""

    def __init__(self, memory: Memory, *, recording: str) -> None:
        self._memory, self._recording = memory, recording
        self._boxes: dict[str, tuple[Floats, Floats]] = {}
        self._kept: dict[str, tuple[Floats, Floats]] = {}
        self._was_kept: set[str] = set()

    def read(self) -> None:
        """Takes up what is in memory, and lets go of what is not any more; rooms that were said since stay."""
        where = Where().equals("recording", self._recording)
        rows = self._memory.spatial_rows(NAMED_ROOMS, where, order=("t_end_ns", "row_id"))
        self._kept = {row["room"]: (np.asarray(row["low_m"]), np.asarray(row["high_m"])) for row in rows}
        said = {name: box for name, box in self._boxes.items() if name not in self._was_kept}
        self._boxes = self._kept | said
        self._was_kept = set(self._kept)

    def name(self, boxes: Mapping[str, tuple[Vector3, Vector3]]) -> None:
        """Rooms by their corners (low, high), metres in the map."""
        for name, (low, high) in boxes.items():
            box = (np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64))
            self._boxes[name] = box
            if name not in self._kept or not _is_same(self._kept[name], box):
                self._was_kept.discard(name)

    def at(self, point_m: Floats) -> str | None:
        """The room that a point is in."""
        for name, (low, high) in self._boxes.items():
            if (point_m >= low).all() and (point_m <= high).all():
                return name
        return None

    def take_rows(self, t_ns: int) -> list[Row]:
        """Rows of what was said since the last time, as of the newest observation."""
        rows: list[Row] = []
        for name, (low, high) in self._boxes.items():
            if name in self._was_kept:
                continue
            rows.append(
                {
                    "row_id": stable_id("room", self._recording, f"{t_ns}/{name}/{low.tolist()}/{high.tolist()}"),
                    "recording": self._recording, "room": name, "t_start_ns": t_ns, "t_end_ns": t_ns,
                    "low_m": low.tolist(), "high_m": high.tolist(),
                }
            )  # fmt: skip
            self._kept[name] = (low, high)
            self._was_kept.add(name)
        return rows


def _is_same(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
