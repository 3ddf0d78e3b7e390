"""`Octree`: what is occupied, free and unknown around a robot, from depth images with poses.

Each scan changes a voxel at most once: hit, or seen through, or neither, as OctoMap's discretised insertion does.
Evidence is log-odds in steps of 1/24, clamped, so that a map can change its mind; 0 is unknown, and a voxel that was
once observed never returns to 0 by evidence alone. What is occupied but plainly looked through (everything in its
window at least `clear_margin_m` behind it) is cleared faster than it was built: an object that was moved is gone after
two scans that see behind it. Nothing is stored for what was never observed. Cost: 592 bytes for a block of 512 voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streammem.errors import ConfigError, InputError
from streammem.spatial import camera as cameras
from streammem.spatial import keys as addresses
from streammem.spatial.blocks import CELLS, BlockPool, without_seen
from streammem.spatial.camera import Intrinsics, View
from streammem.spatial.carving import carve, clear_view
from streammem.spatial.keys import BLOCK_LEVEL, BLOCK_VOXELS, OFFSETS, PLACES, Ints
from streammem.spatial.pyramid import DepthPyramid

STEPS_PER_NAT = 24
"""Log-odds are kept in these steps: the clamp of 3.5 is 84, and 84 plus a hit of 20 still fits in a byte."""
_NUMBERED_BLOCKS = 4_000_000
"""Up to so many blocks around a view have a number each in a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OctreeSettings:
    """The sensor model. Log-odds are OctoMap's defaults, rounded to 1/24."""

    voxel_m: float = 0.05
    max_depth_m: float = 20.0
    """Depth beyond is no hit, but what lies before is free."""
    hit: int = 20
    """Steps for a hit: 0.83, a probability of 0.70."""
    miss: int = -10
    """Steps for being seen through: -0.42, 0.40."""
    clear: int = -42
    """Steps for an occupied voxel that is plainly looked through: two of them undo any number of hits."""
    clear_margin_m: float = 0.05
    lowest: int = -48
    highest: int = 84
    decay_s: float = 0.0
    """Seconds in which a voxel that is not seen loses one step of what is known about it; 0 for never."""

    def __post_init__(self) -> None:
        if not (0 < self.voxel_m < np.inf and 0 < self.max_depth_m < np.inf):
            raise ConfigError("Octree: voxel_m and max_depth_m must be positive.")
        if not (self.clear <= self.miss < 0 < self.hit and self.lowest < 0 < self.highest and self.decay_s >= 0):
            raise ConfigError("Octree: clear <= miss < 0 < hit, lowest < 0 < highest and decay_s >= 0 are needed.")
        if self.highest + self.hit > 127 or self.lowest + self.clear < -128:
            raise ConfigError("Octree: highest + hit and lowest + clear must fit in a signed byte.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What one scan did."""

    hits: int
    free: int
    cleared: int
    """Voxels that were occupied and are free now."""
    new_blocks: int


class Octree:
    """A map in one frame.

    Example:
        tree = Octree(OctreeSettings(voxel_m=0.05))
        tree.integrate(depth_m, camera=Intrinsics(fx=525, fy=525, cx=319.5, cy=239.5), T_map_camera=pose, t_ns=now)
    """

    def __init__(self, settings: OctreeSettings = OctreeSettings()) -> None:
        self.settings = settings
        self.blocks = BlockPool()
        self._pyramid: DepthPyramid | None = None
        self.decayed_ns: int | None = None
        """Up to when it has faded; saved with the map."""

    @property
    def memory_bytes(self) -> int:
        """Bytes of the map, spare rows included, scratch space excluded."""
        return self.blocks.memory_bytes

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
        farthest = float(view.depth.max())
        if farthest == 0.0:
            return ScanResult(hits=0, free=0, cleared=0, new_blocks=0)
        pyramid = self._pyramid_for(view)
        pyramid.fill(view.depth)
        low, size = cameras.bounds(view, farthest)
        pixels = cameras.pixel_voxels(view, low, size)
        hits = cameras.hit_voxels(pixels, int(size.prod()))
        carved = carve(view, pyramid, low, size)

        some = np.flatnonzero(carved.is_free.view(np.int64).any(axis=1))
        used, at = _join(carved.blocks[some], hits, low, size)
        change = np.zeros((len(used), BLOCK_VOXELS), dtype=np.int8)
        np.multiply(carved.is_free[some], np.int8(self.settings.miss), out=change[: len(some)])
        change.ravel()[at] = self.settings.hit

        before = len(self.blocks)
        rows = self.blocks.ensure(addresses.encode(used + view.base_block))
        old = self.blocks.log_odds[rows]
        cleared = self._clear(view, pyramid, used, old, change)
        self._apply(rows, old, change, t_ns)
        if labels is not None:
            voxels, ids = cameras.voxel_labels(pixels, np.asarray(labels, dtype=np.uint16))
            at = np.stack(_unravel(voxels, size), axis=-1).astype(np.int64) + low
            keys = addresses.encode((at >> BLOCK_LEVEL) + view.base_block)
            self.blocks.set_labels(self.blocks.find(keys), addresses.places(at), ids)
        self.blocks.forget_labels_where_free(rows)
        return ScanResult(
            hits=len(hits), free=int(np.count_nonzero(change < 0)), cleared=cleared,
            new_blocks=len(self.blocks) - before,
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

    def _pyramid_for(self, view: View) -> DepthPyramid:
        height, width = view.depth.shape
        if self._pyramid is None or (self._pyramid.height, self._pyramid.width) != (height, width):
            self._pyramid = DepthPyramid(height, width)
        return self._pyramid

    def _clear(
        self, view: View, pyramid: DepthPyramid, blocks: Ints, old: NDArray[np.int8], change: NDArray[np.int8]
    ) -> int:
        """Strengthens the change of occupied voxels that are plainly looked through. Returns how many become free."""
        at = np.flatnonzero((old > 0) & (change < 0))
        if not len(at):
            return 0
        voxels = blocks[at >> 9] * 8 + OFFSETS[at & 511]
        is_clear = clear_view(view, pyramid, voxels, self.settings.clear_margin_m / self.settings.voxel_m)
        at = at[is_clear]
        change.ravel()[at] = self.settings.clear
        return int(np.count_nonzero(old.ravel()[at] + self.settings.clear <= 0))

    def _apply(self, rows: NDArray[np.int32], old: NDArray[np.int8], change: NDArray[np.int8], t_ns: int) -> None:
        new = old + change
        np.maximum(new, np.int8(self.settings.lowest), out=new)
        np.minimum(new, np.int8(self.settings.highest), out=new)
        balanced = np.flatnonzero((new == 0) & (change != 0))
        if len(balanced):  # known, and as likely as not: kept apart from unknown, on the side of the newest evidence
            new.ravel()[balanced] = np.sign(change.ravel()[balanced])
        is_observed = change.view(np.int64).reshape(len(rows), CELLS, -1).any(axis=2)
        seen = self.blocks.seen_ns[rows]
        self.blocks.write(rows, new, np.where(is_observed, np.maximum(seen, t_ns), seen))


def _unravel(voxels: NDArray[np.integer], size: Ints) -> tuple[NDArray[np.integer], ...]:
    """(x, y, z) of numbered voxels, each (N,)."""
    kind = voxels.dtype.type
    rest, z = np.divmod(voxels, kind(size[2]))
    x, y = np.divmod(rest, kind(size[1]))
    return x, y, z


def _join(blocks: Ints, hits: NDArray[np.integer], low: Ints, size: Ints) -> tuple[Ints, NDArray[np.integer]]:
    """Adds the blocks of voxels that are hit to distinct blocks of the same window: (all blocks (N, 3), block of each
    voxel times 512 and its place in it)."""
    x, y, z = _unravel(hits, size)
    first, count = low >> BLOCK_LEVEL, size >> BLOCK_LEVEL
    wide, high, cells = int(count[1]), int(count[2]), int(count.prod())
    wanted = ((x >> 3) * wide + (y >> 3)) * high + (z >> 3)
    known = ((blocks[:, 0] - first[0]) * wide + blocks[:, 1] - first[1]) * high + blocks[:, 2] - first[2]
    if cells > _NUMBERED_BLOCKS:
        _, both = np.unique(np.concatenate([known, wanted]), return_inverse=True)
        known, wanted, cells = both[: len(known)], both[len(known) :], len(both)
    number = np.full(cells, -1, dtype=np.int32)
    number[known] = np.arange(len(known), dtype=np.int32)
    owner = number.take(wanted)
    alone = np.flatnonzero(owner < 0)
    if len(alone):
        number[wanted[alone]] = -2
        new = np.flatnonzero(number == -2)
        number[new] = np.arange(len(known), len(known) + len(new), dtype=np.int32)
        owner[alone] = number[wanted[alone]]
        added = np.empty((len(new), 3), dtype=np.int64)
        at = owner[alone] - len(known)
        for axis, along in enumerate((x, y, z)):
            added[at, axis] = (along[alone] >> 3) + first[axis]
        blocks = np.concatenate([blocks, added])
    place = PLACES.take((x & 7) << 6 | (y & 7) << 3 | (z & 7))
    return blocks, owner.astype(np.int64) * BLOCK_VOXELS + place
