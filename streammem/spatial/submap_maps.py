"""The voxels of a run, an octree per submap in the submap's own frame: a closed loop moves them and changes none.

A scan goes into the map of the submap that it was taken in. A question in the map's frame is asked in the frame of
every submap that reaches there, and the evidence is added up. `merged` makes one map of them all in the map's frame,
sampled at the centres of its voxels, for planning and export; it is made anew after a correction, in seconds, and off
by half a voxel. Knows no table: `Memory.save_map` keeps each under the name that `frame_of` gives it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streammem.spatial import keys as addresses
from streammem.spatial import queries, rigid
from streammem.spatial.blocks import CELLS, NEVER_NS
from streammem.spatial.camera import Intrinsics
from streammem.spatial.frames import SubmapFrames
from streammem.spatial.keys import BLOCK_EDGE, OFFSETS
from streammem.spatial.octree import Octree, OctreeSettings, ScanResult

Floats = NDArray[np.float64]

_BLOCKS_AT_ONCE = 1024


def frame_of(t_start_ns: int) -> str:
    """The name that the map of the submap which began then is kept under."""
    return f"submap {t_start_ns}"


class SubmapMaps:
    """The maps of a run's submaps."""

    def __init__(self, frames: SubmapFrames, settings: OctreeSettings | None = None) -> None:
        self.frames = frames
        self.settings = settings or OctreeSettings()
        self.maps: dict[int, Octree] = {}
        """By the submap's number."""

    def integrate(
        self, depth_m: NDArray[np.floating], *, camera: Intrinsics, T_map_camera: Floats, t_ns: int,
        labels: NDArray[np.uint16] | None = None,
    ) -> ScanResult:  # fmt: skip
        """Adds a depth image, see `Octree.integrate`; the pose is in the map as it is believed now."""
        number = int(self.frames.submap_at(np.array([t_ns]))[0])
        tree = self.maps.setdefault(number, Octree(self.settings))
        pose = rigid.inverse(self.frames.T_map_submap[number]) @ np.asarray(T_map_camera, dtype=np.float64)
        return tree.integrate(depth_m, camera=camera, T_map_camera=pose, t_ns=t_ns, labels=labels)

    def occupancy(self, points_m: NDArray[np.floating]) -> NDArray[np.int8]:
        """Log-odds (N,) at points (N, 3) of the map; 0 is unknown."""
        points = np.asarray(points_m, dtype=np.float64).reshape(-1, 3)
        evidence = np.zeros(len(points), dtype=np.int32)
        for number, tree in self.maps.items():
            if len(tree.blocks):
                evidence += queries.occupancy(tree, self._inside(number, points))
        return evidence.clip(self.settings.lowest, self.settings.highest).astype(np.int8)

    def nearest(self, points_m: NDArray[np.floating], *, within_m: float) -> tuple[Floats, Floats]:
        """The occupied voxel nearest to each point (N, 3): (its centre in the map (N, 3), metres (N,)); infinity where
        none is within."""
        points = np.asarray(points_m, dtype=np.float64).reshape(-1, 3)
        places, distance = np.full_like(points, np.nan), np.full(len(points), np.inf)
        for number, tree in self.maps.items():
            voxels, far = queries.nearest(tree, self._inside(number, points), within_m=within_m)
            is_nearer = far < distance
            pose = self.frames.T_map_submap[number]
            centres = (voxels[is_nearer] + 0.5) * self.settings.voxel_m
            places[is_nearer] = centres @ pose[:3, :3].T + pose[:3, 3]
            distance[is_nearer] = far[is_nearer]
        return places, distance

    def merged(self) -> Octree:
        """One map of all, in the map's frame. Labels are left out; a block was last seen when any of it was."""
        found = Octree(self.settings)
        reach: dict[int, int] = {}
        for number, tree in self.maps.items():
            newest_ns = int(tree.blocks.seen_ns[tree.blocks.rows].max(initial=NEVER_NS))
            for key in self._blocks_under(number, tree).tolist():
                reach[key] = max(reach.get(key, NEVER_NS), newest_ns)
        keys = np.array(sorted(reach), dtype=np.int64)
        for begin in range(0, len(keys), _BLOCKS_AT_ONCE):
            part = keys[begin : begin + _BLOCKS_AT_ONCE]
            voxels = addresses.decode(part)[:, None] * BLOCK_EDGE + OFFSETS
            values = self.occupancy((voxels.reshape(-1, 3) + 0.5) * self.settings.voxel_m).reshape(len(part), -1)
            known = np.flatnonzero(values.any(axis=1))
            is_seen = values[known].reshape(len(known), CELLS, -1).any(axis=2)
            times = np.array([reach[key] for key in part[known].tolist()], dtype=np.int64)[:, None]
            rows = found.blocks.ensure(part[known])
            found.blocks.write(rows, values[known], np.where(is_seen, times, NEVER_NS))
        return found

    def _inside(self, number: int, points: Floats) -> Floats:
        """Points of the map in a submap's frame."""
        pose = self.frames.T_map_submap[number]
        return (points - pose[:3, 3]) @ pose[:3, :3]

    def _blocks_under(self, number: int, tree: Octree) -> NDArray[np.int64]:
        """Keys of the map's blocks that a submap's blocks may reach into: those of their corners and centres, and all
        beside them."""
        if not len(tree.blocks):
            return np.empty(0, dtype=np.int64)
        pose, edge = self.frames.T_map_submap[number], self.settings.voxel_m * BLOCK_EDGE
        centres = (addresses.decode(tree.blocks.keys) + 0.5) * edge @ pose[:3, :3].T + pose[:3, 3]
        base = np.floor(centres / edge).astype(np.int64)
        beside = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        return np.unique(addresses.encode((base[:, None] + beside).reshape(-1, 3)))
