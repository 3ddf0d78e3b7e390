"""The camera's pose in the map at a time, from transforms, odometry or both; what is doubtful is held back.

The map is the frame that the camera's chain of transforms ends in (`map`, `odom`, `world`); it is chosen once and kept.
A pose that jumps (further than a robot drives) is not believed until it stayed for three pictures. Knows no messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perception.sources.bags.transforms import OPTICAL_AHEAD, Pose, TransformBuffer
from streammem.types import NS_PER_S

if TYPE_CHECKING:
    from perception.sources.bags.notes import Notes

_JUMP_M = 1.0
_FASTEST_M_PER_S = 5.0
"""Beyond one metre and this speed between two pictures a pose has jumped; service robots drive 2 m/s."""
_BELIEVED_AFTER = 3
_POSE = "base of the pose topic"


class CameraPoses:
    """Poses of one recording's camera."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._buffer = TransformBuffer()
        self._root: str | None = None
        self._last: tuple[int, Pose] | None = None
        self._suspect: list[tuple[int, Pose]] = []
        self._base: str | None = None
        self._body: str | None = None

    def add_transform(self, parent: str, child: str, t_ns: int, pose: Pose, *, is_static: bool) -> None:
        if parent != child:
            self._buffer.add(parent, child, t_ns, pose, is_static=is_static)

    def add_pose(self, parent: str, child: str, t_ns: int, pose: Pose) -> None:
        """A sample of odometry: `child` (or an unnamed base) in `parent`. Transforms say more, where there are any."""
        child = child or _POSE
        self._base = child
        if not self._buffer.knows(child) or self._buffer.root_of(child) == (parent or "map"):
            self._buffer.add(parent or "map", child, t_ns, pose)

    def at(self, t_ns: int, camera_frame: str) -> Pose | None:
        """Camera to map; None where it is not known, or not to be believed yet. Why is noted."""
        pose = self._lookup(t_ns, camera_frame)
        if pose is None:
            self._notes.at(t_ns, "the pose of the camera is not known")
            return None
        return pose if self._is_believed(t_ns, pose) else None

    @property
    def begun_ns(self) -> int | None:
        """The first time at which anything moves."""
        return self._buffer.begun_ns

    def of_robot(self, t_ns: int) -> Pose | None:
        """As `at`, of a camera that looks ahead from the robot: for recordings without pictures."""
        body = self._base or self._body or self._buffer.body()
        self._body = body
        pose = self._buffer.lookup(self._root or self._buffer.root_of(body), body, t_ns) if body is not None else None
        if pose is None or body is None:
            self._notes.at(t_ns, "the pose of the robot is not known")
            return None
        self._root = self._root or self._buffer.root_of(body)
        pose = pose @ OPTICAL_AHEAD
        return pose if self._is_believed(t_ns, pose) else None

    def finish(self) -> None:
        count = self._buffer.went_back
        if count:
            told = "a pose went back in time and was" if count == 1 else f"{count} poses went back in time and were"
            self._notes.always(f"{told} left out")

    def _lookup(self, t_ns: int, camera_frame: str) -> Pose | None:
        buffer = self._buffer
        if camera_frame and buffer.knows(camera_frame):
            root = self._root or buffer.root_of(camera_frame)
            pose = buffer.lookup(root, camera_frame, t_ns)
            if pose is not None:
                self._root = root
                return pose
        if self._base is None or (camera_frame and buffer.knows(camera_frame) and self._root is not None):
            return None
        root = self._root or buffer.root_of(self._base)
        pose = buffer.lookup(root, self._base, t_ns)
        if pose is None:
            return None
        self._root = root
        if camera_frame != self._base:
            self._notes.always(
                f"there is no transform from {self._base!r} to the camera: it is taken as looking ahead from there"
            )
        return pose @ OPTICAL_AHEAD

    def _is_believed(self, t_ns: int, pose: Pose) -> bool:
        before = self._suspect[-1] if self._suspect else self._last
        if self._last is None or not _jumped(self._last, t_ns, pose):
            self._suspect.clear()
            self._last = (t_ns, pose)
            return True
        distance = float(np.linalg.norm(pose[:3, 3] - self._last[1][:3, 3]))
        if before is not None and self._suspect and _jumped(before, t_ns, pose):
            self._suspect.clear()
        self._suspect.append((t_ns, pose))
        if len(self._suspect) >= _BELIEVED_AFTER:
            self._notes.at(t_ns, "the pose jumped and stayed: the map goes on from the new place")
            self._suspect.clear()
            self._last = (t_ns, pose)
            return True
        self._notes.at(
            t_ns, f"the pose jumped by about {round(distance)} m: what was seen there is not put into the map"
        )
        return False


def _jumped(last: tuple[int, Pose], t_ns: int, pose: Pose) -> bool:
    distance = float(np.linalg.norm(pose[:3, 3] - last[1][:3, 3]))
    return distance > _JUMP_M + _FASTEST_M_PER_S * max(0.0, (t_ns - last[0]) / NS_PER_S)
