"""Least and greatest depth in any square window of a depth image, in one lookup.

Windows of 2 to 16 pixels slide in steps of 2 pixels, windows of 16 to 256 in steps of 8; each size is made from two
overlapping windows of a smaller one. The tables are kept between frames and cost about 2 ms for 640x480.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_FINE, _COARSE = (1, 2, 3, 4, 6, 8), (3, 4, 6, 8, 12, 16, 24, 32)
_FINE_PX, _COARSE_PX = 2, 8

Windows = tuple[Callable[[Floats, Floats, Floats, bool], None], Callable[[Floats, int, Floats, bool], None]]
"""`smallest_windows` and `slide_windows`, or compiled ones."""


class DepthPyramid:
    """Windows over depth images of one size (H, W)."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self._padded_height, self._padded_width = (-(-size // _COARSE_PX) * _COARSE_PX for size in (height, width))
        self._padded = np.zeros((self._padded_height, self._padded_width), dtype=np.float32)
        shapes = [
            (size, step, self._padded_height // step, self._padded_width // step)
            for sizes, step in ((_FINE, _FINE_PX), (_COARSE, _COARSE_PX))
            for size in sizes
        ]
        starts = np.cumsum([0] + [rows * columns for _, _, rows, columns in shapes])
        self.least = np.zeros(int(starts[-1]), dtype=np.float32)
        self.greatest = np.zeros(int(starts[-1]), dtype=np.float32)
        self.offset = starts[:-1].astype(np.int32)
        self.stride = np.array([columns for *_, columns in shapes], dtype=np.int32)
        self.per_px = np.array([1.0 / step for _, step, _, _ in shapes], dtype=np.float32)
        covered = np.array([(size - 1) * step for size, step, _, _ in shapes])
        self.largest_px = float(covered.max())
        self.table_of_px = (
            covered.searchsorted(np.arange(int(covered.max()) + 2)).astype(np.int32).clip(max=len(shapes) - 1)
        )
        """The table whose windows hold any span of so many pixels, wherever it begins."""
        self._shapes = [(size, step, rows, columns) for size, step, rows, columns in shapes]

    @staticmethod
    def for_image(kept: DepthPyramid | None, depth: Floats) -> DepthPyramid:
        """The one that was kept, if it is of this image's size (H, W)."""
        height, width = depth.shape
        return (
            kept if kept is not None and (kept.height, kept.width) == (height, width) else DepthPyramid(height, width)
        )

    def fill(self, depth: Floats, windows: Windows | None = None) -> None:
        """Takes a new image (H, W), finite, 0 where nothing is known. `windows`: what makes them, here numpy."""
        smallest, slide = (smallest_windows, slide_windows) if windows is None else windows
        if self._padded.shape != depth.shape:
            self._padded[: self.height, : self.width] = depth
            depth = self._padded
        for table, is_greatest in ((self.least, False), (self.greatest, True)):
            views = {
                (step, size): table[start : start + rows * columns].reshape(rows, columns)
                for (size, step, rows, columns), start in zip(self._shapes, self.offset.tolist(), strict=True)
            }
            half = views[_FINE_PX, 1]
            eighth = np.empty((len(half) // 4, half.shape[1] // 4), dtype=np.float32)
            smallest(depth, half, eighth, is_greatest)
            for step, sizes, base in ((_FINE_PX, _FINE[1:], half), (_COARSE_PX, _COARSE, eighth)):
                have = {1: base}
                if step == _COARSE_PX:
                    have[2] = np.empty_like(base)
                    slide(base, 1, have[2], is_greatest)
                for size in sizes:
                    part = max(known for known in have if size <= 2 * known and known < size)
                    have[size] = views[step, size]
                    slide(have[part], size - part, have[size], is_greatest)


def smallest_windows(depth: Floats, half: Floats, eighth: Floats, is_greatest: bool) -> None:
    """Least or greatest depth in squares of 2 pixels, into (H / 2, W / 2), and of 8, into (H / 8, W / 8)."""
    pick = np.maximum if is_greatest else np.minimum
    rows_of_two = pick(depth[0::2], depth[1::2])
    pick(rows_of_two[:, 0::2], rows_of_two[:, 1::2], out=half)
    four = pick.reduce(half.reshape(-1, 4, half.shape[1]), axis=1)
    pick.reduce(np.ascontiguousarray(four.reshape(len(four), -1, 4).transpose(2, 0, 1)), axis=0, out=eighth)


def slide_windows(part: Floats, by: int, into: Floats, is_greatest: bool) -> None:
    """Windows as the union of two by two smaller ones, `by` apart; cut off at the far edges."""
    pick = np.maximum if is_greatest else np.minimum
    by_row, by_column = min(by, part.shape[0]), min(by, part.shape[1])
    rows = np.empty_like(part)
    pick(part[: len(part) - by_row], part[by_row:], out=rows[: len(part) - by_row])
    rows[len(part) - by_row :] = part[len(part) - by_row :]
    kept = part.shape[1] - by_column
    pick(rows[:, :kept], rows[:, by_column:], out=into[:, :kept])
    into[:, kept:] = rows[:, kept:]
