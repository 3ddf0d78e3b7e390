"""`Octree`: what is occupied, free and unknown around a robot, from depth images with poses.

Each scan changes a voxel at most once: hit, or seen through, or neither, as OctoMap's discretised insertion does.
Evidence is log-odds in steps of 1/24, clamped, so that a map can change its mind; 0 is unknown, and a voxel that was
once observed never returns to 0 by evidence alone. What is occupied but plainly looked through (everything in its
window at least `clear_margin_m` behind it) is cleared faster than it was built: 98 % of an object that was moved is
gone after two scans that see behind it, all but a trace after three. Nothing is stored for what was never observed.
Cost: 592 bytes for a block of 512 voxels.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.spatial import camera as cameras
from streammem.spatial import keys as addresses
from streammem.spatial.blocks import CELLS, BlockPool, without_seen
from streammem.spatial.camera import Intrinsics, View
from streammem.spatial.keys import BLOCK_LEVEL, BLOCK_VOXELS
from streammem.spatial.sensor_model import STEPS_PER_NAT, OctreeSettings, ScanCounts, ScanResult, is_compiled

__all__ = ["STEPS_PER_NAT", "Octree", "OctreeSettings", "ScanResult"]


class Scanner(Protocol):
    """Carves and fuses: `scan_numpy` or `scan_compiled`."""

    def integrate(self, view: View, pool: BlockPool, t_ns: int) -> tuple[NDArray[np.int32], ScanCounts]:
        """Adds one view to the voxels. Returns the rows that changed."""
        ...


class Octree:
    """A map in one frame.

    Example:
        tree = Octree(OctreeSettings(voxel_m=0.05))
        tree.integrate(depth_m, camera=Intrinsics(fx=525, fy=525, cx=319.5, cy=239.5), T_map_camera=pose, t_ns=now)
    """

    def __init__(self, settings: OctreeSettings | None = None) -> None:
        self.settings = settings or OctreeSettings()
        self.blocks = BlockPool()
        self._scanner: Scanner | None = None
        self.decayed_ns: int | None = None
        """Up to when it has faded; saved with the map."""

    @property
    def memory_bytes(self) -> int:
        """Bytes of the map, spare rows included, scratch space excluded."""
        return self.blocks.memory_bytes

    def prepare(self) -> None:
        """Compiles what is compiled, so that no scan waits for it: half a minute once per installation, else a second.
        Nothing is added to the map."""
        scratch = Octree(self.settings)
        depth = np.full((16, 16), self.settings.voxel_m * 10, dtype=np.float32)
        depth[0, 0] = 0.0
        camera = Intrinsics(fx=16, fy=16, cx=7.5, cy=7.5)
        for t_ns in range(2):
            scratch.integrate(depth, camera=camera, T_map_camera=np.eye(4), t_ns=t_ns)

    def known_voxels(self) -> int:
        """How many voxels are not unknown."""
        return int(np.count_nonzero(self.blocks.log_odds[self.blocks.rows]))

    def integrate(
        self,
        depth_m: NDArray[np.floating],
        *,
        camera: Intrinsics,
        T_map_camera: NDArray[np.floating],
        t_ns: int,
        labels: NDArray[np.uint16] | None = None,
    ) -> ScanResult:
        """Adds a depth image.

        Args:
            depth_m: (H, W) z-depth in metres; NaN, 0, negative and -inf are nothing, +inf is nothing within range.
            T_map_camera: (4, 4) pose, z forward, x right, y down.
            t_ns: when it was taken; may be earlier than the last one's.
            labels: (H, W) semantic or instance ids, 0 for none; each voxel takes that of most of its pixels.

        Raises:
            InputError: shapes that do not fit, a pose that is no rigid motion, or a place beyond the map's reach.
        """
        view = cameras.place_view(
            depth_m, camera=camera, T_map_camera=T_map_camera, voxel_m=self.settings.voxel_m,
            max_depth_m=self.settings.max_depth_m,
        )  # fmt: skip
        if labels is not None and labels.shape != view.depth.shape:
            raise InputError(f"Labels {labels.shape} and depth {view.depth.shape} must have the same shape.")
        if view.farthest == 0.0:
            return ScanResult(hits=0, free=0, cleared=0, new_blocks=0)
        if self._scanner is None:
            self._scanner = _scanner(self.settings)
        before = len(self.blocks)
        rows, counts = self._scanner.integrate(view, self.blocks, t_ns)
        if labels is not None:
            voxels, ids = cameras.voxel_labels(view, np.asarray(labels, dtype=np.uint16))
            keys = addresses.encode((voxels >> BLOCK_LEVEL) + view.base_block)
            self.blocks.set_labels(self.blocks.find(keys), addresses.places(voxels), ids)
        self.blocks.forget_labels_where_free(rows)
        return ScanResult(
            hits=counts.hits, free=counts.free, cleared=counts.cleared, new_blocks=len(self.blocks) - before
        )  # fmt: skip

    def decay(self, t_ns: int) -> int:
        """Lets go of what was not seen for long: a step towards unknown per `decay_s` since it was last seen.

        Calling it often or seldom comes to the same. Returns how many blocks were forgotten.
        """
        if self.settings.decay_s == 0 or not len(self.blocks):
            return 0
        rows = self.blocks.rows
        period_ns = max(1, round(self.settings.decay_s * 1e9))
        seen = self.blocks.seen_ns[rows]
        known = seen != np.iinfo(np.int64).min
        seen = np.where(known, seen, t_ns)
        steps = np.maximum(t_ns - seen, 0) // period_ns
        if self.decayed_ns is not None:
            steps -= np.maximum(self.decayed_ns - seen, 0) // period_ns
        self.decayed_ns = t_ns if self.decayed_ns is None else max(t_ns, self.decayed_ns)
        touched = np.flatnonzero((steps > 0).any(axis=1))
        rows = rows[touched]
        by = np.clip(steps[touched], 0, 127).astype(np.int16).repeat(BLOCK_VOXELS // CELLS, axis=1)
        old = self.blocks.log_odds[rows].astype(np.int16)
        new = np.sign(old) * np.maximum(np.abs(old) - by, 0)
        self.blocks.write(rows, new.astype(np.int8), self.blocks.seen_ns[rows])
        self.blocks.forget_labels_where_free(rows)
        return self.blocks.drop_unknown(rows)

    def forget_seen(self, start_ns: int, end_ns: int) -> int:
        """Forgets what was last seen in [start, end), as if it had never been seen; times are kept for cells of 4^3
        voxels. What was seen again later stays as it was then left.

        Returns:
            How many blocks know nothing any more.
        """
        rows = self.blocks.rows
        log_odds, seen_ns, concerned = without_seen(
            self.blocks.log_odds[rows], self.blocks.seen_ns[rows], start_ns, end_ns
        )
        rows = rows[concerned]
        self.blocks.write(rows, log_odds[concerned], seen_ns[concerned])
        self.blocks.forget_labels_where_free(rows)
        return self.blocks.drop_unknown(rows)


def _scanner(settings: OctreeSettings) -> Scanner:
    if is_compiled(settings):
        from streammem.spatial.scan_compiled import CompiledScanner

        return CompiledScanner(settings)
    from streammem.spatial.scan_numpy import NumpyScanner

    return NumpyScanner(settings)
