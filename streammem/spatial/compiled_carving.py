"""`carving.carve` compiled by numba (extra `spatial`): the same numbers as the numpy path, bit for bit.

Down to blocks cell by cell; within blocks level by level, some blocks at a time, in loops over arrays that the compiler
turns into vector instructions: half the time of going cell by cell. For that each loop touches at most five arrays (it
checks at run time that they do not overlap, and gives up where there are many) and looks nothing up in a table; what
does, is a loop of its own. See `compiled` for the order of sums and products, `carving` for what they mean.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from streammem.spatial.carving import LEAF_WINDOW, NEAR
from streammem.spatial.keys import OFFSETS, PLACES

_jit: Any = importlib.import_module("numba").njit(cache=True, error_model="numpy")

_ZERO, _ONE, _NEAR, _INFINITE = np.float32(0), np.float32(1), np.float32(NEAR), np.float32(np.inf)
_LEAF = np.float32(LEAF_WINDOW / 2)
_PLACES = PLACES.astype(np.int64)
_CORNERS = np.ascontiguousarray(OFFSETS[:8], dtype=np.int64)
_CHUNK = 16
"""Blocks that are divided together: their cells stay in the cache."""

NONE, ALL, SOME, SOME_INSIDE = 0, 1, 2, 3
"""Verdicts on a cell: none or all of it is free; it is to be divided; so, and well inside the image."""


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
    has_free = np.zeros(room, dtype=np.bool_)
    mixed = np.empty(room, dtype=np.int64)
    places = np.empty((3, room), dtype=np.float32)
    count, divided = _find_blocks(
        corners, centres, top, reaches, shifts, lens, windows, miss, blocks, change, has_free, mixed, places
    )
    if count < 0:
        return -1
    _divide(mixed[:divided], places, reaches, shifts, lens, windows, miss, change, has_free)
    count = _keep(has_free, count, blocks, change)
    return _join(hits, hit, low, size, number, blocks, change, count)


@_jit
def _find_blocks(
    corners: Any, centres: Any, top: int, reaches: Any, shifts: Any, lens: Any, windows: Any, miss: Any, blocks: Any,
    change: Any, has_free: Any, mixed: Any, places: Any,
) -> tuple[int, int]:  # fmt: skip
    """Blocks that may hold free voxels: (how many, how many of these are to be divided). Those are named in `mixed`,
    with their centres (3, N) in `places`; the others are all free. -1: there is no room."""
    levels = np.empty(8 * (top - 2), dtype=np.int64)
    at = np.empty((len(levels), 3), dtype=np.int64)
    place = np.empty((len(levels), 3), dtype=np.float32)
    count = divided = 0
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
            if verdict == NONE:
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
            if count == len(blocks):
                return -1, 0
            blocks[count, 0], blocks[count, 1], blocks[count, 2] = cx >> 3, cy >> 3, cz >> 3
            change[count] = miss if verdict == ALL else np.int8(0)
            has_free[count] = verdict == ALL
            if verdict != ALL:
                mixed[divided] = count
                places[0, divided], places[1, divided], places[2, divided] = x, y, z
                divided += 1
            count += 1
    return count, divided


@_jit
def _judge(x: Any, y: Any, z: Any, reach: Any, lens: Any, windows: Any) -> int:
    """`carving._Projection.judge` of one cell."""
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
        return NONE
    if not is_near and (u_high < _ZERO or v_high < _ZERO or u_low > right or v_low > bottom):
        return NONE
    is_inside = u_low >= _ZERO and v_low >= _ZERO and u_high <= right and v_high <= bottom and not is_near
    span = half + half
    if span <= largest:
        px = np.int32(np.ceil(span))
        per_px = per_px_of[px]
        column = np.int32(min(max(u_low, _ZERO), right) * per_px)
        row = np.int32(min(max(v_low, _ZERO), bottom) * per_px)
        at = offset_of[px] + row * stride_of[px] + column
        if is_inside and least[at] > z + reach_z:
            return ALL
        if not is_near and greatest[at] < nearest:
            return NONE
    return SOME_INSIDE if is_inside else SOME


@_jit
def _divide(
    mixed: Any, places: Any, reaches: Any, shifts: Any, lens: Any, windows: Any, miss: Any, change: Any, has_free: Any
) -> None:  # fmt: skip
    """Judges the cells of 4^3 and of 2^3 voxels in these blocks, and the voxels of those that are still mixed."""
    most = 64 * _CHUNK
    cells, parts = np.empty((3, most), dtype=np.float32), np.empty((3, most), dtype=np.float32)
    scratch, whole = np.empty((11, most), dtype=np.float32), np.empty((3, most), dtype=np.int32)
    marks, verdicts = np.empty((2, most), dtype=np.bool_), np.empty(most, dtype=np.int8)
    owners, inner = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    reach_1, reach_2 = (reaches[1, 0], reaches[1, 1], reaches[1, 2]), (reaches[2, 0], reaches[2, 1], reaches[2, 2])
    voxels = change.ravel()
    for begin in range(0, len(mixed), _CHUNK):
        count = min(_CHUNK, len(mixed) - begin)
        _spread(places[:, begin : begin + count], shifts[2], count, cells)
        _judge_all(cells, 8 * count, reach_2, lens, windows, scratch, whole, marks, verdicts)
        going = 0
        for cell in range(8 * count):
            if verdicts[cell] == NONE:
                continue
            child = cell // count
            block = mixed[begin + cell - child * count]
            first = 512 * block + 64 * child
            if verdicts[cell] == ALL:
                voxels[first : first + 64] = miss
                has_free[block] = True
                continue
            owners[going] = first
            parts[0, going], parts[1, going], parts[2, going] = cells[0, cell], cells[1, cell], cells[2, cell]
            going += 1
        _spread(parts[:, :going], shifts[1], going, cells)
        _judge_all(cells, 8 * going, reach_1, lens, windows, scratch, whole, marks, verdicts)
        left = 0
        for cell in range(8 * going):
            if verdicts[cell] == NONE:
                continue
            child = cell // going
            first = owners[cell - child * going] + 8 * child
            if verdicts[cell] == ALL:
                voxels[first : first + 8] = miss
                has_free[first >> 9] = True
                continue
            inner[left] = first
            marks[0, left] = verdicts[cell] == SOME_INSIDE
            parts[0, left], parts[1, left], parts[2, left] = cells[0, cell], cells[1, cell], cells[2, cell]
            left += 1
        _leaves(parts, inner, left, shifts[0], lens, windows, miss, scratch, whole, marks[0], voxels, has_free)


@_jit
def _spread(places: Any, shift: Any, count: int, into: Any) -> None:
    """Centres (3, 8 * count) of the eight cells in cells with centres (3, count): the first of all, then the second."""
    for axis in range(3):
        centres = places[axis]
        for child in range(8):
            part, by = into[axis, child * count : child * count + count], shift[axis, child]
            for cell in range(count):
                part[cell] = centres[cell] + by


@_jit
def _judge_all(
    cells: Any, count: int, reach: Any, lens: Any, windows: Any, scratch: Any, whole: Any, marks: Any, verdicts: Any
) -> None:  # fmt: skip
    """`_judge` of `count` cells (3, N), into `verdicts`."""
    reach_x, reach_y, reach_z = reach
    fx, fy, cx, cy, right, bottom, largest = lens
    per_px_of, offset_of, stride_of, least, greatest = windows
    x, y, z = cells[0], cells[1], cells[2]
    u, v, half, px, is_inside, is_outside = scratch[0], scratch[1], scratch[2], whole[0], marks[0], marks[1]
    for cell in range(count):
        u[cell] = x[cell] * (_ONE / max(z[cell], _NEAR)) * fx
    for cell in range(count):
        v[cell] = y[cell] * (_ONE / max(z[cell], _NEAR)) * fy
    for cell in range(count):
        wide = max(fx * reach_x + abs(u[cell]) * reach_z, fy * reach_y + abs(v[cell]) * reach_z)
        half[cell] = wide * (_ONE / max(z[cell] - reach_z, _NEAR))
    for cell in range(count):
        u[cell] += cx
        v[cell] += cy
    for cell in range(count):
        px[cell] = np.int32(np.ceil(min(half[cell] + half[cell], largest)))
    for cell in range(count):
        reached, beside, below = half[cell], u[cell], v[cell]
        is_inside[cell] = (
            (beside - reached >= _ZERO) & (below - reached >= _ZERO) & (beside + reached <= right)
            & (below + reached <= bottom) & (z[cell] - reach_z >= _NEAR)
        )  # fmt: skip
    for cell in range(count):
        reached, beside, below = half[cell], u[cell], v[cell]
        is_outside[cell] = (
            ((beside + reached < _ZERO) | (below + reached < _ZERO) | (beside - reached > right)
             | (below - reached > bottom)) & (z[cell] - reach_z >= _NEAR) | (z[cell] + reach_z <= _ZERO)
        )  # fmt: skip
    for cell in range(count):
        u[cell] = min(max(u[cell] - half[cell], _ZERO), right)
        v[cell] = min(max(v[cell] - half[cell], _ZERO), bottom)
    for cell in range(count):
        if is_outside[cell]:
            verdicts[cell] = NONE
            continue
        verdict = SOME_INSIDE if is_inside[cell] else SOME
        if half[cell] + half[cell] <= largest:
            table = px[cell]
            per_px, nearest = per_px_of[table], z[cell] - reach_z
            at = offset_of[table] + np.int32(v[cell] * per_px) * stride_of[table] + np.int32(u[cell] * per_px)
            if is_inside[cell] and least[at] > z[cell] + reach_z:
                verdict = ALL
            elif nearest >= _NEAR and greatest[at] < nearest:
                verdict = NONE
        verdicts[cell] = verdict


@_jit
def _leaves(
    cells: Any, owners: Any, count: int, shift: Any, lens: Any, windows: Any, miss: Any, scratch: Any, whole: Any,
    is_inside: Any, voxels: Any, has_free: Any,
) -> None:  # fmt: skip
    """`carving._Projection.leaves` of `count` cells (3, N) of 2^3 voxels; `owners` (N,): the first voxel of each."""
    fx, fy, cx, cy, right, bottom, largest = lens
    per_px_of, offset_of, stride_of, _, greatest = windows
    last = np.int32(len(greatest) - 1)
    x, y, z = cells[0], cells[1], cells[2]
    half, per_px, u, v, deep = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    left, top, before, along, across = scratch[5], scratch[6], scratch[7], scratch[8], scratch[9]
    offset, stride, at = whole[0], whole[1], whole[2]
    for cell in range(count):
        half[cell] = _LEAF * fx * (_ONE / max(z[cell], _NEAR))
    for cell in range(count):
        at[cell] = np.int32(np.ceil(min(half[cell] + half[cell], largest)))
    for cell in range(count):
        table = at[cell]
        per_px[cell], offset[cell], stride[cell] = per_px_of[table], offset_of[table], stride_of[table]
    for cell in range(count):
        left[cell], top[cell] = (cx - half[cell]) * per_px[cell], (cy - half[cell]) * per_px[cell]
    for cell in range(count):
        along[cell], across[cell] = fx * per_px[cell], fy * per_px[cell]
    for cell in range(count):
        before[cell] = (half[cell] + half[cell]) * -per_px[cell]
    for child in range(8):
        aside, down, on = shift[0, child], shift[1, child], shift[2, child]
        for cell in range(count):
            deep[cell] = z[cell] + on
        for cell in range(count):
            u[cell] = (x[cell] + aside) * (_ONE / max(deep[cell], _NEAR)) * along[cell] + left[cell]
        for cell in range(count):
            v[cell] = (y[cell] + down) * (_ONE / max(deep[cell], _NEAR)) * across[cell] + top[cell]
        for cell in range(count):
            is_seen = (
                (u[cell] >= before[cell]) & (v[cell] >= before[cell]) & (u[cell] <= right * per_px[cell])
                & (v[cell] <= bottom * per_px[cell]) & (deep[cell] >= _NEAR)
            )  # fmt: skip
            deep[cell] = deep[cell] if is_seen | is_inside[cell] else _INFINITE
        for cell in range(count):
            place = np.int32(np.int32(max(v[cell], _ZERO)) * stride[cell]) + np.int32(max(u[cell], _ZERO))
            at[cell] = min(max(np.int32(place + offset[cell]), np.int32(0)), last)
        for cell in range(count):
            if greatest[at[cell]] > deep[cell]:
                voxels[owners[cell] + child] = miss
                has_free[owners[cell] >> 9] = True


@_jit
def _keep(has_free: Any, count: int, blocks: Any, change: Any) -> int:
    """Moves blocks with a free voxel to the front. Returns how many there are."""
    kept = 0
    for one in range(count):
        if has_free[one]:
            if kept < one:
                blocks[kept] = blocks[one]
                change[kept] = change[one]
            kept += 1
    return kept


@_jit
def _join(
    hits: Any, hit: Any, low: Any, size: Any, number: Any, blocks: Any, change: Any, count: int
) -> int:  # fmt: skip
    """Writes what is hit into these blocks and those that it adds. Returns how many there are; -1: there is no room."""
    wide, high = size[1] >> 3, size[2] >> 3
    first_x, first_y, first_z = low[0] >> 3, low[1] >> 3, low[2] >> 3
    for one in range(count):
        x, y, z = blocks[one, 0] - first_x, blocks[one, 1] - first_y, blocks[one, 2] - first_z
        number[(x * wide + y) * high + z] = one
    deep, broad = np.uint32(size[2]), np.uint32(size[1])
    for cell in hits:
        rest = np.uint32(cell) // deep
        z = np.int64(np.uint32(cell) - rest * deep)
        across = rest // broad
        x, y = np.int64(across), np.int64(rest - across * broad)
        home = ((x >> 3) * wide + (y >> 3)) * high + (z >> 3)
        if number[home] < 0:
            if count == len(blocks):
                _clean(number, blocks, count, low, size)
                return -1
            change[count] = 0
            blocks[count, 0], blocks[count, 1], blocks[count, 2] = (
                (x >> 3) + first_x, (y >> 3) + first_y, (z >> 3) + first_z,
            )  # fmt: skip
            number[home] = count
            count += 1
        change[number[home], _PLACES[(x & 7) << 6 | (y & 7) << 3 | (z & 7)]] = hit
    _clean(number, blocks, count, low, size)
    return count


@_jit
def _clean(number: Any, blocks: Any, count: int, low: Any, size: Any) -> None:
    wide, high = size[1] >> 3, size[2] >> 3
    for one in range(count):
        x, y, z = blocks[one, 0] - (low[0] >> 3), blocks[one, 1] - (low[1] >> 3), blocks[one, 2] - (low[2] >> 3)
        number[(x * wide + y) * high + z] = -1
