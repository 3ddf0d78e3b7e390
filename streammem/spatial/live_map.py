"""The map of a recording while it is made: one octree, or one per submap where loops are closed.

Without submaps, poses are taken to be right for good and everything goes into one octree. With them (`SpatialSettings.
submaps`) each scan goes into the octree of its submap, and a correction moves submaps, not voxels: see `submap_maps`.
Knows the memory, and when to keep what.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.memory import Memory
from streammem.spatial import queries
from streammem.spatial.camera import Intrinsics
from streammem.spatial.frames import SubmapFrames, SubmapSettings
from streammem.spatial.octree import Octree, OctreeSettings, ScanResult
from streammem.spatial.submap_maps import SubmapMaps, frame_of

Floats = NDArray[np.float64]


class LiveMap:
    """Of one recording that is observed."""

    def __init__(
        self, memory: Memory, *, recording: str, settings: OctreeSettings, submaps: SubmapSettings | None
    ) -> None:
        self._memory, self._recording, self._settings = memory, recording, settings
        self.frames: SubmapFrames | None = None
        self._one: Octree | None = None
        self._many: SubmapMaps | None = None
        self._merged: tuple[int, int, Octree] | None = None
        self._scans = 0
        if submaps is None:
            self._one = memory.load_map(settings, recording=recording)
            return
        self.frames = memory.load_frames(submaps, recording=recording)
        self._many = load_submaps(memory, self.frames, recording=recording, settings=settings)

    @property
    def tree(self) -> Octree:
        """All of it in the map's frame; with submaps it is put together when asked for, in seconds."""
        if self._one is not None:
            return self._one
        assert self._many is not None
        stamp = (self._scans, self._many.frames.version)
        if self._merged is None or self._merged[:2] != stamp:
            self._merged = (*stamp, self._many.merged())
        return self._merged[2]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was observed with depth yet."""
        if self._one is not None:
            return not len(self._one.blocks)
        return self._many is None or not any(len(tree.blocks) for tree in self._many.maps.values())

    def prepare(self) -> None:
        """See `Octree.prepare`."""
        Octree(self._settings).prepare()

    def follow(self, t_ns: int, pose: Floats) -> None:
        """Notes where the camera is: a new submap begins when it is time to."""
        if self.frames is not None:
            self.frames.follow(t_ns, pose)

    def integrate(
        self, depth_m: NDArray[np.floating], *, camera: Intrinsics, T_map_camera: Floats, t_ns: int
    ) -> ScanResult:
        """See `Octree.integrate`."""
        self._scans += 1
        into = self._one if self._one is not None else self._many
        assert into is not None
        return into.integrate(depth_m, camera=camera, T_map_camera=T_map_camera, t_ns=t_ns)

    def occupancy(self, points_m: Floats) -> NDArray[np.int8]:
        """Log-odds (N,) at points (N, 3)."""
        if self._one is not None:
            return queries.occupancy(self._one, points_m)
        assert self._many is not None
        return self._many.occupancy(points_m)

    def correct(self, t_ns: int, T_map_submap: Floats) -> Floats:
        """Moves the submaps, for good; see `SubmapFrames.correct`. Returns by which motions (S, 4, 4).

        Raises:
            InputError: there are no submaps, or the poses do not fit them.
        """
        if self.frames is None:
            raise InputError("Poses can be corrected where there are submaps: open with SpatialSettings(submaps=...).")
        self.frames.correct(t_ns, T_map_submap)
        self._memory.save_frames(self.frames, recording=self._recording)
        return self.frames.motions()[-2]

    def save(self) -> None:
        """Commits what changed."""
        if self._one is not None:
            self._memory.save_map(self._one, recording=self._recording)
            return
        assert self._many is not None
        assert self.frames is not None
        self._memory.save_frames(self.frames, recording=self._recording)
        starts = self.frames.t_start_ns
        for number, tree in self._many.maps.items():
            self._memory.save_map(tree, recording=self._recording, frame=frame_of(int(starts[number])))


def load_submaps(memory: Memory, frames: SubmapFrames, *, recording: str, settings: OctreeSettings) -> SubmapMaps:
    """The maps of all submaps, as they were saved."""
    maps = SubmapMaps(frames, settings)
    for number, start_ns in enumerate(frames.t_start_ns.tolist()):
        tree = memory.load_map(settings, recording=recording, frame=frame_of(start_ns))
        if len(tree.blocks):
            maps.maps[number] = tree
    return maps
