"""Where the camera was: a bounded buffer of transforms between named frames, asked for at a time.

Knows rotations and translations, no messages. Between two samples a pose is interpolated (slerp); beyond the newest it
is held for `hold_s` and then unknown. Times that go back are refused and counted, jumps are told by the caller, which
sees the poses that come out. Memory: at most `_KEEP` samples per moving frame.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streammem.types import NS_PER_S

Pose = npt.NDArray[np.float64]
"""(4, 4) rigid motion."""

_KEEP = 4096
"""Half a minute at 100 Hz and more; a camera's picture is never asked for later than a second after it was taken."""
_DEPTH = 64
"""Longest chain of frames; longer ones go in circles."""

_FARTHEST_M = 1e8
"""Grids of the earth (UTM) count to 1e7."""
_BODIES = ("base_link", "base_footprint", "base", "body")
"""In order of preference (REP 105)."""
_NO_BODIES = frozenset({"odom", "map", "world", "earth"})

OPTICAL_AHEAD: Pose = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], dtype=np.float64)
"""From a camera's frame (x right, y down, z ahead) to a body's that it looks ahead from (x ahead, y left, z up)."""


def pose_from(translation: Sequence[float], quaternion_xyzw: Sequence[float]) -> Pose:
    """
    Raises:
        ValueError: numbers that are not finite or beyond `_FARTHEST_M`, or a quaternion of length 0.
    """
    x, y, z, w = (float(one) for one in quaternion_xyzw)
    length = float(np.sqrt(x * x + y * y + z * z + w * w))
    numbers = np.array([*translation, length], dtype=np.float64)
    if not np.isfinite(numbers).all() or np.abs(numbers[:3]).max() > _FARTHEST_M or length < 1e-6:
        raise ValueError("a pose that is not finite, or farther away than the earth is wide")
    x, y, z, w = x / length, y / length, z / length, w / length
    pose = np.eye(4)
    pose[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    pose[:3, 3] = numbers[:3]
    return pose


def inverse(pose: Pose) -> Pose:
    turned = np.eye(4)
    turned[:3, :3] = pose[:3, :3].T
    turned[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
    return turned


def between(first: Pose, second: Pose, share: float) -> Pose:
    """The pose that lies `share` of the way from one to the other."""
    middle = np.eye(4)
    middle[:3, 3] = (1 - share) * first[:3, 3] + share * second[:3, 3]
    turn = first[:3, :3].T @ second[:3, :3]
    angle = float(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    if angle < 1e-9:
        middle[:3, :3] = first[:3, :3]
        return middle
    if angle > np.pi - 1e-3:  # half a turn between two samples: which way round is unknown
        middle[:3, :3] = (first if share < 0.5 else second)[:3, :3]
        return middle
    skew = (turn - turn.T) / (2 * np.sin(angle))
    part = share * angle
    middle[:3, :3] = first[:3, :3] @ (np.eye(3) + np.sin(part) * skew + (1 - np.cos(part)) * (skew @ skew))
    return middle


@dataclass(slots=True)
class _Link:
    """One frame's way to its parent."""

    parent: str
    times: list[int]
    poses: list[Pose]
    is_static: bool


class TransformBuffer:
    """Frames, each hung onto one parent."""

    def __init__(self, *, hold_s: float = 0.5) -> None:
        self._links: dict[str, _Link] = {}
        self._hold_ns = round(hold_s * NS_PER_S)
        self.went_back = 0
        """Samples refused because they were older than one of the same frame before."""

    def add(self, parent: str, child: str, t_ns: int, pose: Pose, *, is_static: bool = False) -> None:
        parent, child = parent.lstrip("/"), child.lstrip("/")
        link = self._links.get(child)
        if link is None or link.parent != parent or is_static:
            self._links[child] = _Link(parent=parent, times=[t_ns], poses=[pose], is_static=is_static)
            return
        if link.times and t_ns <= link.times[-1]:
            self.went_back += t_ns < link.times[-1]
            return
        link.times.append(t_ns)
        link.poses.append(pose)
        if len(link.times) > 2 * _KEEP:
            del link.times[:_KEEP], link.poses[:_KEEP]

    def root_of(self, frame: str) -> str:
        """The frame that everything above `frame` hangs on."""
        frame = frame.lstrip("/")
        for _ in range(_DEPTH):
            link = self._links.get(frame)
            if link is None:
                break
            frame = link.parent
        return frame

    def knows(self, frame: str) -> bool:
        return frame.lstrip("/") in self._links

    @property
    def begun_ns(self) -> int | None:
        """The first time of anything that moves."""
        return min((link.times[0] for link in self._links.values() if not link.is_static), default=None)

    def body(self) -> str | None:
        """The frame of what moves through the map: by its usual names, else the one nearest to the map."""
        moving = [one for one in self._links if self.newest_ns(one) is not None and one not in _NO_BODIES]
        usual = [one for one in _BODIES if one in moving]
        return next(iter(usual), min(moving, key=self._depth, default=None))

    def _depth(self, frame: str) -> int:
        link = self._links.get(frame)
        depth = 0
        while link is not None and depth < _DEPTH:
            link, depth = self._links.get(link.parent), depth + 1
        return depth

    def lookup(self, root: str, frame: str, t_ns: int) -> Pose | None:
        """From `frame` to `root` at a time; None where a link is missing or has no sample near."""
        frame = frame.lstrip("/")
        whole = np.eye(4)
        for _ in range(_DEPTH):
            if frame == root:
                return whole
            link = self._links.get(frame)
            if link is None:
                return None
            pose = self._at(link, t_ns)
            if pose is None:
                return None
            whole = pose @ whole
            frame = link.parent
        return None

    def newest_ns(self, frame: str) -> int | None:
        """Time of the newest sample of the slowest moving link above `frame`; None where nothing moves."""
        newest: int | None = None
        frame = frame.lstrip("/")
        for _ in range(_DEPTH):
            link = self._links.get(frame)
            if link is None:
                return newest
            if not link.is_static:
                newest = link.times[-1] if newest is None else min(newest, link.times[-1])
            frame = link.parent
        return newest

    def _at(self, link: _Link, t_ns: int) -> Pose | None:
        if link.is_static:
            return link.poses[-1]
        after = bisect_right(link.times, t_ns)
        if after == 0:
            return link.poses[0] if link.times[0] - t_ns <= self._hold_ns else None
        before = link.times[after - 1]
        if after == len(link.times):
            return link.poses[-1] if t_ns - before <= self._hold_ns else None
        if link.times[after] - before > 4 * self._hold_ns:  # a hole: nothing is known of the middle of it
            nearest = after - 1 if t_ns - before <= link.times[after] - t_ns else after
            return link.poses[nearest] if abs(link.times[nearest] - t_ns) <= self._hold_ns else None
        share = (t_ns - before) / (link.times[after] - before)
        return between(link.poses[after - 1], link.poses[after], share)
