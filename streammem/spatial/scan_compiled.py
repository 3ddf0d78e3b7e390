"""Carves a view and fuses it into a map with the loops of `compiled` and `compiled_carving`. The same bits as
`scan_numpy`, in half the time; views of things so far away that a table of all cells around is too large go that way.

The first scan of an installation waits for the compiler (half a minute); later processes read its cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streammem.spatial import camera as cameras
from streammem.spatial import compiled, compiled_carving
from streammem.spatial.blocks import BlockPool
from streammem.spatial.camera import View
from streammem.spatial.carving import CLEAR_WINDOW, child_offsets, reach_of, to_camera, top_cells
from streammem.spatial.keys import BLOCK_LEVEL, BLOCK_VOXELS, OFFSETS, Ints
from streammem.spatial.pyramid import DepthPyramid
from streammem.spatial.scan_numpy import NumpyScanner
from streammem.spatial.sensor_model import OctreeSettings, ScanCounts

MOST_CELLS = 1 << 28
"""Cells of a table around a view, a byte each: a cube of 32 m with voxels of 5 cm. The system gives memory only to the
pages where something is hit."""
_OFFSETS = OFFSETS.astype(np.int64)


class CompiledScanner:
    """Of one map; keeps scratch space."""

    def __init__(self, settings: OctreeSettings) -> None:
        self._settings = settings
        self._far = NumpyScanner(settings)
        self._pyramid: DepthPyramid | None = None
        self._marks = np.zeros(0, dtype=np.uint8)
        self._number = np.full(0, -1, dtype=np.int32)
        self._hits = np.empty(0, dtype=np.int32)
        self._blocks = np.empty((2048, 3), dtype=np.int64)
        self._change = np.empty((2048, BLOCK_VOXELS), dtype=np.int8)

    def integrate(self, view: View, pool: BlockPool, t_ns: int) -> tuple[NDArray[np.int32], ScanCounts]:
        """Adds one view to the voxels. Returns the rows that changed."""
        low, size = cameras.bounds(view)
        if float(np.prod(size.astype(np.float64))) > MOST_CELLS:
            return self._far.integrate(view, pool, t_ns)
        self._make_room(int(size.prod()), view.depth.size)
        pyramid = self._pyramid = DepthPyramid.for_image(self._pyramid, view.depth)
        pyramid.fill(view.depth, (compiled.smallest_windows, compiled.slide_windows))
        settings, camera = self._settings, view.camera
        lens = tuple(
            np.float32(one)
            for one in (camera.fx, camera.fy, camera.cx, camera.cy, pyramid.width - 1, pyramid.height - 1,
                        pyramid.largest_px)
        )  # fmt: skip
        at = pyramid.table_of_px
        windows = (pyramid.per_px[at], pyramid.offset[at], pyramid.stride[at], pyramid.least, pyramid.greatest)
        rows_of, columns_of = cameras.directions(view)
        every = np.empty((0, 0), dtype=np.bool_)
        found = compiled.mark_hits(
            rows_of, columns_of, view.depth, every if view.is_hit is None else view.is_hit,
            view.start.astype(np.float32), low, size, self._marks, self._hits,
        )  # fmt: skip
        count = -1
        while count < 0:
            count = self._carve(view, low, size, self._hits[:found], (lens, windows))
        blocks, change = self._blocks[:count], self._change[:count]
        rows = pool.ensure(compiled.keys_of(blocks, view.base_block))
        cleared, free = compiled.fuse(
            blocks, rows, change, pool.log_odds, pool.seen_ns, t_ns, view.start, view.rotation, lens, windows,
            np.float32(CLEAR_WINDOW / 2), np.float32(settings.clear_margin_voxels),
            settings.clear, settings.lowest, settings.highest, _OFFSETS,
        )  # fmt: skip
        pool.touch(rows)
        return rows, ScanCounts(hits=int(found), free=int(free), cleared=int(cleared))

    def _carve(
        self, view: View, low: Ints, size: Ints, hits: NDArray[np.int32], image: tuple[Any, Any]
    ) -> int:  # fmt: skip
        """How many blocks it wrote; -1 where there was no room for them, and there is twice as much now."""
        top, corners = top_cells(low, size)
        centres = np.stack(to_camera(view, corners + (1 << top) / 2))
        reach = reach_of(view)
        reaches = np.array([reach * float(1 << level) / 2 for level in range(top + 1)]).astype(np.float32)
        shifts = np.stack([np.ascontiguousarray(child_offsets(view, 1 << level).T) for level in range(top)])
        count = compiled_carving.carve_blocks(
            corners, centres, top, reaches, shifts, *image, low, size, hits, np.int8(self._settings.hit),
            np.int8(self._settings.miss), self._number, self._blocks, self._change,
        )  # fmt: skip
        if count < 0:
            room = 2 * len(self._blocks)
            self._blocks = np.empty((room, 3), dtype=np.int64)
            self._change = np.empty((room, BLOCK_VOXELS), dtype=np.int8)
        return int(count)

    def _make_room(self, cells: int, pixels: int) -> None:
        if len(self._marks) <= cells:
            self._marks = np.zeros(cells + 1, dtype=np.uint8)
            self._marks[-1] = 1
            self._number = np.full(cells >> 3 * BLOCK_LEVEL, -1, dtype=np.int32)
        if len(self._hits) <= pixels:
            self._hits = np.empty(pixels + 1, dtype=np.int32)
