"""Submap frames: what is remembered moves along when the robot learns that it was somewhere else.

A robot's way is cut into submaps, each with a pose in the map that may be corrected later. A memory belongs to the
submap in which it was made, which its time alone tells, so that nothing has to be stored with it; its coordinates are
those of the map **as it was believed then**. When a loop closes, the submaps get new poses, and that is all that is
written: O(submaps). Memories are re-expressed when they are read, by one rigid motion per submap and per belief:
`now = T_map_submap(now) T_map_submap(then)^-1`. 100,000 of them cost some milliseconds, and reading as of an earlier
time gives what was believed then. Drift within a submap stays.

The map of voxels is kept per submap, in its frame: see `submap_maps`. Knows no sensor; `pose_graph` says where submaps
should lie.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.spatial import rigid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOLDS_NS = (1 << 63) - 1
"""When the belief that holds is given up: not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmapSettings:
    """When a new submap begins."""

    length_m: float = 10.0
    """Of the way in a submap: at 1 % drift, 10 cm of it stay uncorrected."""
    duration_s: float = 120.0
    """Even without moving: so that few memories hang on one pose."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Belief:
    """Where the submaps were believed to be up to some time."""

    t_until_ns: int
    """When it was given up for the next one."""
    T_map_submap: Floats
    """(S, 4, 4), of the submaps that there were."""


class SubmapFrames:
    """The submaps of one run, in the order in which they began."""

    def __init__(self, settings: SubmapSettings | None = None) -> None:
        self.settings = settings or SubmapSettings()
        self.version = 0
        """Grows with every correction."""
        self._starts: list[int] = []
        self._poses: list[Floats] = []
        self._earlier: list[Belief] = []
        """What was believed before each correction."""
        self.saved: tuple[int, int] = (0, 0)
        """How many corrections and submaps are in memory (`frame_rows`)."""
        self._travelled_m = 0.0
        self._last_m: Floats | None = None

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def t_start_ns(self) -> Ints:
        """(S,)"""
        return np.array(self._starts, dtype=np.int64)

    @property
    def T_map_submap(self) -> Floats:
        """(S, 4, 4), as believed now."""
        return np.stack(self._poses) if self._poses else np.empty((0, 4, 4))

    # --- growing ------------------------------------------------------------------------------------------------------

    def begin(self, t_ns: int, T_map_submap: Floats) -> int:
        """Begins a submap. Returns its number.

        Raises:
            InputError: the pose is no rigid motion, or the time is not after the last submap's.
        """
        pose = np.array(T_map_submap, dtype=np.float64)
        if not rigid.is_rigid(pose):
            raise InputError("A submap's pose is a finite rigid motion (4, 4) from submap to map.")
        if self._starts and t_ns <= self._starts[-1]:
            raise InputError(f"A submap must begin after the one before it ({self._starts[-1]} ns), not at {t_ns} ns.")
        self._starts.append(t_ns)
        self._poses.append(pose)
        self._travelled_m, self._last_m = 0.0, pose[:3, 3]
        return len(self._starts) - 1

    def follow(self, t_ns: int, T_map_robot: Floats) -> int:
        """Notes where the robot is (4, 4), and begins a submap there when it is time to. Returns the submap's number.
        A time before the last submap's begins none."""
        position = np.asarray(T_map_robot, dtype=np.float64)[:3, 3]
        if self._last_m is not None:
            self._travelled_m += float(np.linalg.norm(position - self._last_m))
        self._last_m = position
        is_new = not self._starts or (
            t_ns > self._starts[-1]
            and (
                self._travelled_m >= self.settings.length_m or t_ns - self._starts[-1] >= self.settings.duration_s * 1e9
            )
        )
        return self.begin(t_ns, T_map_robot) if is_new else len(self._starts) - 1

    def correct(self, t_ns: int, T_map_submap: Floats) -> None:
        """From now on (t_ns) the submaps lie there (S, 4, 4): all of them, or the first so many; later ones move along
        with the last of these.

        Raises:
            InputError: poses that are no rigid motions or too many, or a time before the last correction's.
        """
        poses = np.array(T_map_submap, dtype=np.float64)
        if not len(poses) or len(poses) > len(self._poses) or not rigid.is_rigid(poses):
            raise InputError(f"A correction gives 1 to {len(self._poses)} finite rigid motions (4, 4).")
        if self._earlier and t_ns < self._earlier[-1].t_until_ns:
            raise InputError("A correction must not be older than the one before it.")
        before = self.T_map_submap
        if len(poses) < len(before):
            moved = poses[-1] @ rigid.inverse(before[len(poses) - 1])
            poses = np.concatenate([poses, moved @ before[len(poses) :]])
        self._earlier.append(Belief(t_until_ns=t_ns, T_map_submap=before))
        self._poses = list(poses)
        self._last_m = None if self._last_m is None else poses[-1][:3, 3]
        self.version += 1

    # --- reading ------------------------------------------------------------------------------------------------------

    def submap_at(self, t_ns: Ints) -> Ints:
        """Numbers (N,) of the submaps of these times (N,); those before the first belong to it."""
        return np.maximum(self.t_start_ns.searchsorted(t_ns, side="right") - 1, 0)

    def motions(self, *, as_of_ns: int | None = None) -> Floats:
        """(B, S, 4, 4): by which what was noted under each belief and in each submap is to be moved. The last belief is
        the newest that was known at `as_of_ns`; what was noted under one of them does not move."""
        beliefs = [(one.t_until_ns, one.T_map_submap) for one in self._earlier]
        beliefs.append((HOLDS_NS, self.T_map_submap))
        known = next((n for n, (until, _) in enumerate(beliefs) if as_of_ns is not None and until > as_of_ns), None)
        goal = beliefs[-1 if known is None else known][1]
        found = np.broadcast_to(np.eye(4), (len(beliefs), max(len(self), 1), 4, 4)).copy()
        for number, (_, poses) in enumerate(beliefs):
            count = min(len(poses), len(goal))
            if poses is not goal:
                found[number, :count] = goal[:count] @ rigid.inverse(poses[:count])
        return found

    def belief_at(self, t_ns: Ints) -> Ints:
        """Which belief (N,) held at these times (N,)."""
        until = np.array([one.t_until_ns for one in self._earlier], dtype=np.int64)
        return until.searchsorted(t_ns, side="right")

    def express(self, positions_m: Floats, t_ns: Ints, *, as_of_ns: int | None = None) -> Floats:
        """Positions (N, 3) that were noted at times (N,), in the map as it is believed now, or was at `as_of_ns`."""
        return self.anchor(positions_m, t_ns).positions_m(as_of_ns=as_of_ns)

    def express_poses(self, poses: Floats, t_ns: Ints, *, as_of_ns: int | None = None) -> Floats:
        """The same for poses (N, 4, 4)."""
        times = np.asarray(t_ns, dtype=np.int64)
        return self.motions(as_of_ns=as_of_ns)[self.belief_at(times), self.submap_at(times)] @ poses

    def anchor(self, positions_m: Floats, t_ns: Ints) -> Anchored:
        """Positions (N, 3), noted at times (N,), that are read again and again."""
        return Anchored(self, positions_m, t_ns)

    # --- keeping ------------------------------------------------------------------------------------------------------

    def beliefs(self) -> list[Belief]:
        """All of them, oldest first; the last one holds."""
        return [*self._earlier, Belief(t_until_ns=HOLDS_NS, T_map_submap=self.T_map_submap)]

    @classmethod
    def of_beliefs(
        cls, starts_ns: Ints, beliefs: list[Belief], settings: SubmapSettings | None = None
    ) -> SubmapFrames:  # fmt: skip
        """As `beliefs` gave them."""
        frames = cls(settings)
        frames._starts = [int(one) for one in starts_ns]
        frames._earlier = list(beliefs[:-1])
        frames._poses = list(beliefs[-1].T_map_submap) if beliefs else []
        frames._last_m = frames._poses[-1][:3, 3] if frames._poses else None
        frames.version = len(frames._earlier)
        frames.saved = (frames.version, len(frames))
        return frames


class Anchored:
    """Positions that belong to submaps. They are moved when they are read after a correction, all at once."""

    def __init__(self, frames: SubmapFrames, positions_m: Floats, t_ns: Ints) -> None:
        """
        Raises:
            InputError: not as many times as positions.
        """
        self._frames = frames
        positions = np.asarray(positions_m, dtype=np.float64).reshape(-1, 3)
        times = np.asarray(t_ns, dtype=np.int64).reshape(-1)
        if len(times) != len(positions):
            raise InputError(f"{len(positions)} positions need as many times, not {len(times)}.")
        self._noted: Floats = np.ascontiguousarray(
            positions.T
        )  # by axis: three long rows are added faster than many short
        self._belief, self._submap = frames.belief_at(times), frames.submap_at(times)
        self._now: Floats | None = None
        self._version = -1

    def __len__(self) -> int:
        return self._noted.shape[1]

    def positions_m(self, *, as_of_ns: int | None = None) -> Floats:
        """(N, 3), in the map as it is believed now, or was at `as_of_ns`. Not to be written to."""
        if as_of_ns is None and self._now is not None and self._version == self._frames.version:
            return self._now
        motions = self._frames.motions(as_of_ns=as_of_ns)
        flat = motions.reshape(-1, 4, 4)
        which = self._belief * motions.shape[1] + self._submap
        found = np.empty_like(self._noted)
        for axis in range(3):
            found[axis] = flat[:, axis, 3][which]
            for other in range(3):
                found[axis] += flat[:, axis, other][which] * self._noted[other]
        rows = found.T
        if as_of_ns is None:
            self._now, self._version = rows, self._frames.version
        return rows
