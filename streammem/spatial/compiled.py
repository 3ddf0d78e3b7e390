"""The map's inner loops, compiled by numba (extra `spatial`): the same numbers as the numpy path, bit for bit.

Every product and sum is taken in the order in which numpy takes it, in float32, and nothing is fused or reordered;
`tests/streammem/test_spatial_compiled.py` compares whole maps. Compiled when first used (half a minute), then read from
the cache beside this file or in the user's cache folder. What the loops mean is said where numpy does the same:
`camera`, `pyramid`, `carving`, `scan_numpy`. Import this module only where numba is wanted.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from streammem.spatial.carving import NEAR
from streammem.spatial.keys import REACH_BLOCKS

# Nothing here divides by zero; with the check for it, divisions are not vectorised: 8 % of a scan.
_jit: Any = importlib.import_module("numba").njit(cache=True, error_model="numpy")

_ZERO, _ONE, _NEAR = np.float32(0), np.float32(1), np.float32(NEAR)
_REACH = np.int64(REACH_BLOCKS)


@_jit
def smallest_windows(depth: Any, half: Any, eighth: Any, is_greatest: bool) -> None:
    """Least or greatest depth in squares of 2 (H / 2, W / 2) and of 8 pixels (H / 8, W / 8)."""
    for row in range(eighth.shape[0]):
        for part in range(4):
            at = 4 * row + part
            above, below = depth[2 * at], depth[2 * at + 1]
            for column in range(half.shape[1]):
                a, b, c, d = above[2 * column], above[2 * column + 1], below[2 * column], below[2 * column + 1]
                if is_greatest:
                    half[at, column] = max(max(a, b), max(c, d))
                else:
                    half[at, column] = min(min(a, b), min(c, d))
        for column in range(eighth.shape[1]):
            best = half[4 * row, 4 * column]
            for below_row in range(4 * row, 4 * row + 4):
                for beside in range(4 * column, 4 * column + 4):
                    one = half[below_row, beside]
                    best = max(best, one) if is_greatest else min(best, one)
            eighth[row, column] = best


@_jit
def slide_windows(part: Any, by: int, into: Any, is_greatest: bool) -> None:
    """`pyramid.slide_windows`."""
    height, width = part.shape
    kept = max(width - by, 0)
    both = np.empty(width, dtype=np.float32)
    for row in range(height):
        upper, lower = part[row], part[row + by if row + by < height else row]
        if is_greatest:
            for column in range(width):
                both[column] = max(upper[column], lower[column])
            for column in range(kept):
                into[row, column] = max(both[column], both[column + by])
        else:
            for column in range(width):
                both[column] = min(upper[column], lower[column])
            for column in range(kept):
                into[row, column] = min(both[column], both[column + by])
        for column in range(kept, width):
            into[row, column] = both[column]


@_jit
def mark_hits(
    rows: Any, columns: Any, depth: Any, is_hit: Any, start: Any, low: Any, size: Any, marks: Any, hits: Any
) -> int:  # fmt: skip
    """`camera.pixel_voxels` and `camera.hit_voxels`: writes the voxels that are hit, each once, to `hits` (one longer
    than there are pixels). Returns how many. `is_hit` has no rows where every pixel hits; `marks` is 0 before and
    after, but for its last byte, which is not a cell's and 1."""
    height, width = depth.shape
    some = is_hit.shape[0] > 0
    wide, high = np.int32(size[1]), np.int32(size[2])
    shift = np.int32((low[0] * size[1] + low[1]) * size[2] + low[2])
    start_x, start_y, start_z = start[0], start[1], start[2]
    along_x, along_y, along_z = columns[0], columns[1], columns[2]
    above, line, new = np.full(width, np.int32(-1)), np.empty(width, dtype=np.int32), np.empty(width, dtype=np.int32)
    count = 0
    for v in range(height):
        deep, row_x, row_y, row_z = depth[v], rows[0, v], rows[1, v], rows[2, v]
        for u in range(width):
            x = np.int32(np.floor((row_x + along_x[u]) * deep[u] + start_x))
            y = np.int32(np.floor((row_y + along_y[u]) * deep[u] + start_y))
            z = np.int32(np.floor((row_z + along_z[u]) * deep[u] + start_z))
            line[u] = (x * wide + y) * high + z - shift
        if some:
            for u in range(width):
                line[u] = line[u] if is_hit[v, u] else np.int32(-1)
        # A third of the pixels differ from those before and above. Without branches: which do is noise.
        changed, last = 0, np.int32(-1)
        for u in range(width):
            cell = line[u]
            new[changed] = cell
            changed += (cell != last) & (cell != above[u])
            last = cell
        for number in range(changed):
            cell = new[number]
            hits[count] = cell
            count += marks[cell] == 0
            marks[cell] = 1
        above, line = line, above
    for number in range(count):
        marks[hits[number]] = 0
    return count


@_jit
def fuse(
    blocks: Any, rows: Any, change: Any, log_odds: Any, seen_ns: Any, t_ns: int, start: Any, turn: Any, lens: Any,
    windows: Any, half_width: Any, far_side: Any, clear: int, lowest: int, highest: int, offsets: Any,
) -> tuple[int, int]:  # fmt: skip
    """`NumpyScanner._clear` and `_apply`, in place. Returns (voxels that became free again, voxels seen through)."""
    cleared = free = 0
    for number in range(len(rows)):
        row = rows[number]
        for cell in range(8):
            begin = 64 * cell
            by_of, old_of = change[number, begin : begin + 64], log_odds[row, begin : begin + 64]
            seen = hit = behind = 0
            for place in range(64):
                by, old = by_of[place], old_of[place]
                seen += by < 0
                hit |= by > 0
                behind |= (by < 0) & (old > 0)
            if not (seen or hit):
                continue
            free += seen
            if hit or behind:
                cleared += _fuse_one_by_one(
                    blocks[number], begin, by_of, old_of, start, turn, lens, windows, half_width, far_side, clear,
                    lowest, highest, offsets,
                )  # fmt: skip
            else:  # only free space that was free or unknown
                for place in range(64):
                    old_of[place] = max(old_of[place] + by_of[place], lowest)
            if t_ns > seen_ns[row, cell]:
                seen_ns[row, cell] = t_ns
    return cleared, free


@_jit
def _fuse_one_by_one(
    block: Any, begin: int, by_of: Any, old_of: Any, start: Any, turn: Any, lens: Any, windows: Any, half_width: Any,
    far_side: Any, clear: int, lowest: int, highest: int, offsets: Any,
) -> int:  # fmt: skip
    """The same for the 64 voxels of a cell, of which some are hit or were occupied. Returns how many became free."""
    cleared = 0
    for place in range(64):
        by = np.int64(by_of[place])
        if by == 0:
            continue
        old = np.int64(old_of[place])
        if by < 0 and old > 0 and _is_clear(
            block[0] * 8 + offsets[begin + place, 0] + 0.5 - start[0],
            block[1] * 8 + offsets[begin + place, 1] + 0.5 - start[1],
            block[2] * 8 + offsets[begin + place, 2] + 0.5 - start[2],
            turn, lens, windows, half_width, far_side,
        ):  # fmt: skip
            by = clear
            if old + clear <= 0:
                cleared += 1
        new = min(max(old + by, lowest), highest)
        if new == 0:
            new = 1 if by > 0 else -1
        old_of[place] = new
    return cleared


@_jit
def _is_clear(
    x: float, y: float, z: float, turn: Any, lens: Any, windows: Any, half_width: Any, far_side: Any
) -> bool:  # fmt: skip
    """`carving._Projection.is_clear` of one voxel."""
    fx, fy, cx, cy, right, bottom, largest = lens
    per_px_of, offset_of, stride_of, least, _ = windows
    right_x = np.float32(x * turn[0, 0] + y * turn[1, 0] + z * turn[2, 0])
    down_y = np.float32(x * turn[0, 1] + y * turn[1, 1] + z * turn[2, 1])
    deep = np.float32(x * turn[0, 2] + y * turn[1, 2] + z * turn[2, 2])
    if deep < _NEAR:
        return False
    half = half_width * fx / max(deep, _NEAR)
    span = half + half
    if span > largest:
        return False
    per_z = _ONE / max(deep, _NEAR)
    u_low, v_low = right_x * per_z * fx + cx - half, down_y * per_z * fy + cy - half
    if u_low < _ZERO or v_low < _ZERO or u_low + span > right or v_low + span > bottom:
        return False
    px = np.int32(np.ceil(span))
    column, row = np.int32(u_low * per_px_of[px]), np.int32(v_low * per_px_of[px])
    return least[offset_of[px] + row * stride_of[px] + column] > deep + far_side


@_jit
def keys_of(blocks: Any, base: Any) -> Any:
    """`keys.encode` of blocks (N, 3) counted from a base block (3,)."""
    keys = np.empty(len(blocks), dtype=np.int64)
    for number in range(len(blocks)):
        key = np.int64(0)
        for axis in range(3):
            value = blocks[number, axis] + base[axis] + _REACH
            value = (value | value << 32) & 0x001F00000000FFFF
            value = (value | value << 16) & 0x001F0000FF0000FF
            value = (value | value << 8) & 0x100F00F00F00F00F
            value = (value | value << 4) & 0x10C30C30C30C30C3
            value = (value | value << 2) & 0x1249249249249249
            key |= value << (2 - axis)
        keys[number] = key
    return keys
