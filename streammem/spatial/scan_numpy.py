"""Carves a view and fuses it into a map, in numpy alone. `scan_compiled` does the same with numba."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streammem.spatial import camera as cameras
from streammem.spatial import keys as addresses
from streammem.spatial.blocks import CELLS, BlockPool
from streammem.spatial.camera import View
from streammem.spatial.carving import carve, clear_view
from streammem.spatial.keys import BLOCK_LEVEL, BLOCK_VOXELS, OFFSETS, PLACES, Ints
from streammem.spatial.pyramid import DepthPyramid
from streammem.spatial.sensor_model import OctreeSettings, ScanCounts

NUMBERED_BLOCKS = 4_000_000
"""Up to so many blocks around a view have a number each in a table."""


class NumpyScanner:
    """Of one map; keeps scratch space for images of one size."""

    def __init__(self, settings: OctreeSettings) -> None:
        self._settings = settings
        self._pyramid: DepthPyramid | None = None

    def integrate(self, view: View, pool: BlockPool, t_ns: int) -> tuple[NDArray[np.int32], ScanCounts]:
        """Adds one view to the voxels. Returns the rows that changed."""
        pyramid = self._pyramid = DepthPyramid.for_image(self._pyramid, view.depth)
        pyramid.fill(view.depth)
        low, size = cameras.bounds(view)
        hits = cameras.hit_voxels(cameras.pixel_voxels(view, low, size), int(size.prod()))
        carved = carve(view, pyramid, low, size)

        some = np.flatnonzero(carved.is_free.view(np.int64).any(axis=1))
        blocks, at = _join(carved.blocks[some], hits, low, size)
        change = np.zeros((len(blocks), BLOCK_VOXELS), dtype=np.int8)
        np.multiply(carved.is_free[some], np.int8(self._settings.miss), out=change[: len(some)])
        change.ravel()[at] = self._settings.hit

        rows = pool.ensure(addresses.encode(blocks + view.base_block))
        old = pool.log_odds[rows]
        cleared = self._clear(view, pyramid, blocks, old, change)
        self._apply(pool, rows, old, change, t_ns)
        return rows, ScanCounts(hits=len(hits), free=int(np.count_nonzero(change < 0)), cleared=cleared)

    def _clear(
        self, view: View, pyramid: DepthPyramid, blocks: Ints, old: NDArray[np.int8], change: NDArray[np.int8]
    ) -> int:
        """Strengthens the change of occupied voxels that are plainly looked through. Returns how many become free."""
        at = np.flatnonzero((old > 0) & (change < 0))
        if not len(at):
            return 0
        voxels = blocks[at >> 9] * 8 + OFFSETS[at & 511]
        is_clear = clear_view(view, pyramid, voxels, self._settings.clear_margin_voxels)
        at = at[is_clear]
        change.ravel()[at] = self._settings.clear
        return int(np.count_nonzero(old.ravel()[at] + self._settings.clear <= 0))

    def _apply(
        self, pool: BlockPool, rows: NDArray[np.int32], old: NDArray[np.int8], change: NDArray[np.int8], t_ns: int
    ) -> None:
        new = old + change
        np.maximum(new, np.int8(self._settings.lowest), out=new)
        np.minimum(new, np.int8(self._settings.highest), out=new)
        balanced = np.flatnonzero((new == 0) & (change != 0))
        if len(balanced):  # known, and as likely as not: kept apart from unknown, on the side of the newest evidence
            new.ravel()[balanced] = np.sign(change.ravel()[balanced])
        is_observed = change.view(np.int64).reshape(len(rows), CELLS, -1).any(axis=2)
        seen = pool.seen_ns[rows]
        pool.write(rows, new, np.where(is_observed, np.maximum(seen, t_ns), seen))


def _join(blocks: Ints, hits: NDArray[np.integer], low: Ints, size: Ints) -> tuple[Ints, NDArray[np.integer]]:
    """Adds the blocks of voxels that are hit to distinct blocks of the same window: (all blocks (N, 3), block of each
    voxel times 512 and its place in it)."""
    x, y, z = cameras.unravel(hits, size)
    first, count = low >> BLOCK_LEVEL, size >> BLOCK_LEVEL
    wide, high, cells = int(count[1]), int(count[2]), int(count.prod())
    wanted = ((x >> 3) * wide + (y >> 3)) * high + (z >> 3)
    known = ((blocks[:, 0] - first[0]) * wide + blocks[:, 1] - first[1]) * high + blocks[:, 2] - first[2]
    if cells > NUMBERED_BLOCKS:
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
