"""What was noted before a loop was closed, told where it lies by what is believed now (or was as of a time).

Rows keep the coordinates that were believed when they were written; here they are moved when they are read: the motion
of a row is that of the submap in which its thing was seen, from the belief under which it was written. Where nothing
was ever corrected this costs nothing. Knows rows and states, no map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streammem.memory import Memory
from streammem.spatial.frames import SubmapFrames
from streammem.spatial.records import ObjectState
from streammem.store.state import SUBMAPS
from streammem.store.tables import Row

Floats = NDArray[np.float64]


class FramesLog:
    """Of one memory; frames are read again when their table has changed."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._known: dict[str, SubmapFrames] = {}
        self._version = -2

    @property
    def version(self) -> int:
        """Changes with every correction."""
        version = self._memory.spatial_version(SUBMAPS)
        if version != self._version:
            self._version = version
            self._known.clear()
        return version

    def of(self, recording: str) -> SubmapFrames | None:
        """The frames of a recording; None where nothing was ever corrected."""
        if self.version < 0:
            return None
        if recording not in self._known:
            self._known[recording] = self._memory.load_frames(recording=recording)
        frames = self._known[recording]
        return frames if frames.version else None

    def express_states(self, states: Sequence[ObjectState], *, as_of_ns: int | None) -> list[ObjectState]:
        """States where they lie."""
        told = list(states)
        for recording in {state.recording for state in told}:
            frames = self.of(recording)
            if frames is None:
                continue
            at = [number for number, state in enumerate(told) if state.recording == recording]
            motions = _motions(
                frames, [told[number].t_ns for number in at], [told[number].t_known_ns for number in at], as_of_ns
            )
            for number, motion in zip(at, motions, strict=True):
                state = told[number]
                x, y, z = (float(one) for one in motion[:3, :3] @ np.asarray(state.object_position) + motion[:3, 3])
                told[number] = replace(state, object_position=(x, y, z), observer_pose=motion @ state.observer_pose)
        return told

    def express_rows(self, rows: Sequence[Row], *, recording: str, as_of_ns: int | None) -> None:
        """Rows of `place_log`, in place."""
        frames = self.of(recording)
        if frames is None or not rows:
            return
        times: list[int] = [row["t_end_ns"] for row in rows]
        poses = np.array([row["pose"] for row in rows], dtype=np.float64).reshape(-1, 4, 4)
        moved = _motions(frames, times, times, as_of_ns) @ poses
        for row, pose in zip(rows, moved, strict=True):
            changed: dict[str, Any] = {"pose": pose.reshape(-1).tolist()}
            changed |= {name: float(pose[axis, 3]) for axis, name in enumerate(("x_m", "y_m", "z_m"))}
            row.update(changed)


def _motions(frames: SubmapFrames, seen_ns: list[int], known_ns: list[int], as_of_ns: int | None) -> Floats:
    """(N, 4, 4)"""
    beliefs = frames.belief_at(np.array(known_ns, dtype=np.int64))
    submaps = frames.submap_at(np.array(seen_ns, dtype=np.int64))
    return frames.motions(as_of_ns=as_of_ns)[beliefs, submaps]
