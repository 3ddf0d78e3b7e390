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

from streammem.spatial.carving import LEAF_WINDOW, NEAR
from streammem.spatial.keys import OFFSETS, PLACES, REACH_BLOCKS

# Nothing here divides by zero; with the check for it, divisions are not vectorised: 8 % of a scan.
_jit: Any = importlib.import_module("numba").njit(cache=True, error_model="numpy")

_ZERO, _ONE, _NEAR, _INFINITE = np.float32(0), np.float32(1), np.float32(NEAR), np.float32(np.inf)
_LEAF = np.float32(LEAF_WINDOW / 2)
_PLACES = PLACES.astype(np.int64)
_CORNERS = np.ascontiguousarray(OFFSETS[:8], dtype=np.int64)
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
def _judge(x: Any, y: Any, z: Any, reach: Any, lens: Any, windows: Any) -> int:
    """`carving._Projection.judge` of one cell: 1 all of it free, 0 none of it, 2 to be divided, 3 and well inside."""
    reach_x, reach_y, reach_z = reach
    fx, fy, cx, cy, right, bottom, largest = lens
    per_px_of, offset_of, stride_of, least, greatest = windows
    nearest = z - reach_z
    is_near = nearest < _NEAR
    per_z, per_nearest = _ONE / max(z, _NEAR), _ONE / max(nearest, _NEAR)
    u, v = x * per_z * fx, y * per_z * fy
    half = max(fx * reach_x + abs(u) * reach_z, fy * reach_y + abs(v) * reach_z)
    half *= per_nearest
    u += cx
    v += cy
    u_low, v_low, u_high, v_high = u - half, v - half, u + half, v + half
    if z + reach_z <= _ZERO:
        return 0
    if not is_near and (u_high < _ZERO or v_high < _ZERO or u_low > right or v_low > bottom):
        return 0
    is_inside = u_low >= _ZERO and v_low >= _ZERO and u_high <= right and v_high <= bottom and not is_near
    span = half + half
    if span <= largest:
        px = np.int32(np.ceil(span))
        per_px = per_px_of[px]
        column = np.int32(min(max(u_low, _ZERO), right) * per_px)
        row = np.int32(min(max(v_low, _ZERO), bottom) * per_px)
        at = offset_of[px] + row * stride_of[px] + column
        if is_inside and least[at] > z + reach_z:
            return 1
        if not is_near and greatest[at] < nearest:
            return 0
    return 3 if is_inside else 2


@_jit
def _judge_eight(
    x: Any, y: Any, z: Any, shift: Any, reach: Any, lens: Any, windows: Any, verdicts: Any, numbers: Any, pixels: Any
) -> None:  # fmt: skip
    """`_judge` of the eight cells in a cell, without branches, into `verdicts`. `numbers`, `pixels`: scratch."""
    reach_x, reach_y, reach_z = reach
    fx, fy, cx, cy, right, bottom, largest = lens
    per_px_of, offset_of, stride_of, least, greatest = windows
    for child in range(8):
        deep = z + shift[2, child]
        nearest = deep - reach_z
        per_z, per_nearest = _ONE / max(deep, _NEAR), _ONE / max(nearest, _NEAR)
        u, v = (x + shift[0, child]) * per_z * fx, (y + shift[1, child]) * per_z * fy
        half = max(fx * reach_x + abs(u) * reach_z, fy * reach_y + abs(v) * reach_z)
        half *= per_nearest
        u += cx
        v += cy
        u_low, v_low, u_high, v_high = u - half, v - half, u + half, v + half
        is_clear = nearest >= _NEAR
        span = half + half
        numbers[0, child] = min(max(u_low, _ZERO), right)
        numbers[1, child] = min(max(v_low, _ZERO), bottom)
        numbers[2, child] = deep + reach_z
        numbers[3, child] = nearest
        pixels[0, child] = np.int32(np.ceil(min(span, largest)))
        pixels[1, child] = (u_low >= _ZERO) & (v_low >= _ZERO) & (u_high <= right) & (v_high <= bottom) & is_clear
        pixels[2, child] = ((u_high < _ZERO) | (v_high < _ZERO) | (u_low > right) | (v_low > bottom)) & is_clear
        pixels[3, child] = is_clear
        pixels[4, child] = span <= largest
    for child in range(8):
        px = pixels[0, child]
        per_px, is_known = per_px_of[px], pixels[4, child] != 0
        at = offset_of[px] + np.int32(numbers[1, child] * per_px) * stride_of[px]
        at += np.int32(numbers[0, child] * per_px)
        far, is_inside = numbers[2, child], pixels[1, child] != 0
        is_free = is_inside & is_known & (least[at] > far)
        is_hidden = is_known & (pixels[3, child] != 0) & (greatest[at] < numbers[3, child])
        is_hidden |= (pixels[2, child] != 0) | (far <= _ZERO)
        verdicts[child] = 1 if is_free else 0 if is_hidden else 3 if is_inside else 2


@_jit
def _leaves(
    x: Any, y: Any, z: Any, is_inside: bool, shift: Any, lens: Any, windows: Any, miss: Any, into: Any, cells: Any,
    depths: Any,
) -> bool:  # fmt: skip
    """`carving._Projection.leaves` of one cell of 2^3 voxels. Returns whether any is free."""
    fx, fy, cx, cy, right, bottom, largest = lens
    per_px_of, offset_of, stride_of, _, greatest = windows
    half = _LEAF * fx * (_ONE / max(z, _NEAR))
    span = half + half
    px = np.int32(np.ceil(min(span, largest)))
    per_px = per_px_of[px]
    along, across = fx * per_px, fy * per_px
    left, top = (cx - half) * per_px, (cy - half) * per_px
    offset, stride, last = offset_of[px], stride_of[px], np.int32(len(greatest) - 1)
    before, after, below = span * -per_px, right * per_px, bottom * per_px
    for child in range(8):
        deep = z + shift[2, child]
        per_z = _ONE / max(deep, _NEAR)
        u = (x + shift[0, child]) * per_z * along + left
        v = (y + shift[1, child]) * per_z * across + top
        is_seen = is_inside | ((u >= before) & (v >= before) & (u <= after) & (v <= below) & (deep >= _NEAR))
        at = np.int32(max(v, _ZERO)) * stride + np.int32(max(u, _ZERO)) + offset
        cells[child] = min(max(at, np.int32(0)), last)
        depths[child] = deep if is_seen else _INFINITE
    found = False
    for child in range(8):
        is_free = greatest[cells[child]] > depths[child]
        into[child] = miss if is_free else np.int8(0)
        found |= is_free
    return found


@_jit
def carve_blocks(
    corners: Any, centres: Any, top: int, reaches: Any, shifts: Any, lens: Any, windows: Any, low: Any, size: Any,
    hits: Any, hit: Any, miss: Any, number: Any, blocks: Any, change: Any,
) -> int:  # fmt: skip
    """`carving.carve` and the joining of what is hit: writes blocks (N, 3) and the change of their voxels (N, 512).

    Returns how many; -1 where there is no room for them. `reaches` (3,) and `shifts` (3, 8) are by level; `number` is
    one cell per block of the window, all -1, before and after.
    """
    room = len(blocks)
    wide, high = size[1] >> 3, size[2] >> 3
    first_x, first_y, first_z = low[0] >> 3, low[1] >> 3, low[2] >> 3
    one, two = (reaches[1, 0], reaches[1, 1], reaches[1, 2]), (reaches[2, 0], reaches[2, 1], reaches[2, 2])
    shift_0, shift_1, shift_2 = shifts[0], shifts[1], shifts[2]
    verdicts, inner = np.empty(8, dtype=np.int8), np.empty(8, dtype=np.int8)
    numbers, pixels = np.empty((4, 8), dtype=np.float32), np.empty((5, 8), dtype=np.int32)
    cells, depths = np.empty(8, dtype=np.int32), np.empty(8, dtype=np.float32)
    levels = np.empty(8 * (top - 2), dtype=np.int64)
    at = np.empty((len(levels), 3), dtype=np.int64)
    place = np.empty((len(levels), 3), dtype=np.float32)
    count = 0
    for cell in range(len(corners)):
        levels[0] = top
        for axis in range(3):
            at[0, axis], place[0, axis] = corners[cell, axis], centres[axis, cell]
        waiting = 1
        while waiting:
            waiting -= 1
            level = levels[waiting]
            cx, cy, cz = at[waiting, 0], at[waiting, 1], at[waiting, 2]
            x, y, z = place[waiting, 0], place[waiting, 1], place[waiting, 2]
            reach = (reaches[level, 0], reaches[level, 1], reaches[level, 2])
            verdict = _judge(x, y, z, reach, lens, windows)
            if verdict == 0:
                continue
            if level > 3:
                half = 1 << (level - 1)
                for child in range(7, -1, -1):
                    levels[waiting] = level - 1
                    at[waiting, 0] = cx + _CORNERS[child, 0] * half
                    at[waiting, 1] = cy + _CORNERS[child, 1] * half
                    at[waiting, 2] = cz + _CORNERS[child, 2] * half
                    place[waiting, 0] = x + shifts[level - 1, 0, child]
                    place[waiting, 1] = y + shifts[level - 1, 1, child]
                    place[waiting, 2] = z + shifts[level - 1, 2, child]
                    waiting += 1
                continue
            if count == room:
                return _cleaned(number, blocks, count, low, size)
            voxels = change[count]
            found = verdict == 1
            voxels[:] = miss if found else np.int8(0)
            if not found:
                _judge_eight(x, y, z, shift_2, two, lens, windows, verdicts, numbers, pixels)
                for second in range(8):
                    if verdicts[second] == 1:
                        voxels[64 * second : 64 * second + 64] = miss
                        found = True
                    elif verdicts[second]:
                        x2, y2, z2 = x + shift_2[0, second], y + shift_2[1, second], z + shift_2[2, second]
                        _judge_eight(x2, y2, z2, shift_1, one, lens, windows, inner, numbers, pixels)
                        for third in range(8):
                            begin = 64 * second + 8 * third
                            if inner[third] == 1:
                                voxels[begin : begin + 8] = miss
                                found = True
                            elif inner[third]:
                                found |= _leaves(
                                    x2 + shift_1[0, third], y2 + shift_1[1, third], z2 + shift_1[2, third],
                                    inner[third] == 3, shift_0, lens, windows, miss, voxels[begin : begin + 8], cells,
                                    depths,
                                )  # fmt: skip
            if found:
                blocks[count, 0], blocks[count, 1], blocks[count, 2] = cx >> 3, cy >> 3, cz >> 3
                number[(((cx >> 3) - first_x) * wide + (cy >> 3) - first_y) * high + (cz >> 3) - first_z] = count
                count += 1
    deep, broad = np.uint32(size[2]), np.uint32(size[1])
    for cell in hits:
        rest = np.uint32(cell) // deep
        z = np.int64(np.uint32(cell) - rest * deep)
        across = rest // broad
        x, y = np.int64(across), np.int64(rest - across * broad)
        home = ((x >> 3) * wide + (y >> 3)) * high + (z >> 3)
        if number[home] < 0:
            if count == room:
                return _cleaned(number, blocks, count, low, size)
            change[count] = 0
            blocks[count, 0], blocks[count, 1], blocks[count, 2] = (
                (x >> 3) + first_x, (y >> 3) + first_y, (z >> 3) + first_z,
            )  # fmt: skip
            number[home] = count
            count += 1
        change[number[home], _PLACES[(x & 7) << 6 | (y & 7) << 3 | (z & 7)]] = hit
    _cleaned(number, blocks, count, low, size)
    return count


@_jit
def _cleaned(number: Any, blocks: Any, count: int, low: Any, size: Any) -> int:
    wide, high = size[1] >> 3, size[2] >> 3
    for one in range(count):
        x, y, z = blocks[one, 0] - (low[0] >> 3), blocks[one, 1] - (low[1] >> 3), blocks[one, 2] - (low[2] >> 3)
        number[(x * wide + y) * high + z] = -1
    return -1


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
            is_observed = False
            for place in range(64 * cell, 64 * cell + 64):
                by = np.int64(change[number, place])
                if by == 0:
                    continue
                is_observed = True
                old = np.int64(log_odds[row, place])
                if by < 0:
                    free += 1
                    if old > 0 and _is_clear(
                        blocks[number, 0] * 8 + offsets[place, 0] + 0.5 - start[0],
                        blocks[number, 1] * 8 + offsets[place, 1] + 0.5 - start[1],
                        blocks[number, 2] * 8 + offsets[place, 2] + 0.5 - start[2],
                        turn, lens, windows, half_width, far_side,
                    ):  # fmt: skip
                        by = clear
                        if old + clear <= 0:
                            cleared += 1
                new = min(max(old + by, lowest), highest)
                if new == 0:
                    new = 1 if by > 0 else -1
                log_odds[row, place] = new
            if is_observed and t_ns > seen_ns[row, cell]:
                seen_ns[row, cell] = t_ns
    return cleared, free


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
