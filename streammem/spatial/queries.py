"""Questions to a map, many at a time: what is here, what is around, what is nearest, what is in this box, what is hit.

All read the blocks as they are: there is no index beside the sorted keys, so nothing is rebuilt when the map changes.
Distances are to the centres of voxels. A voxel is occupied above 0 and free below.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.spatial import keys as addresses
from streammem.spatial.keys import BLOCK_EDGE, BLOCK_LEVEL, BLOCK_VOXELS, OFFSETS, Ints
from streammem.spatial.observations import metres_from
from streammem.spatial.octree import Octree
from streammem.spatial.ray_walk import walk
from streammem.spatial.sensor_model import is_compiled

_TOP_LEVEL = 24
"""One cell of this level is as large as all that keys reach."""
_QUERIES_AT_ONCE = 32
"""Queries answered together, so that their blocks' bytes stay in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Occupied voxels around each of Q points: those of point q are `first[q]:first[q + 1]`."""

    first: Ints
    """(Q + 1,)"""
    voxels: Ints
    """(N, 3)"""
    distance_m: NDArray[np.float64]
    """(N,)"""


def occupancy(tree: Octree, points_m: NDArray[np.floating], *, level: int = 0) -> NDArray[np.int8]:
    """Log-odds (N,) in 1/24 at points (N, 3); 0 is unknown. At a level above 0: the greatest known value in the cell
    of 2^level voxels, so that a cell is free only if nothing known in it is occupied."""
    _check_level(level, least=0)
    voxels = addresses.voxels_at(points_m, tree.settings.voxel_m)
    pool = tree.blocks
    if level <= BLOCK_LEVEL:
        rows = pool.find(addresses.encode(voxels >> BLOCK_LEVEL))
        there = rows >= 0
        found = np.zeros(len(voxels), dtype=np.int8)
        width = 1 << 3 * level
        cell = addresses.places(voxels)[there] >> 3 * level
        found[there] = _greatest_known(
            pool.log_odds.reshape(len(pool.log_odds), BLOCK_VOXELS // width, width)[rows[there], cell]
        )
        return found
    if not len(pool):
        return np.zeros(len(voxels), dtype=np.int8)
    keys, values = cells(tree, level)
    wanted = addresses.encode(voxels >> BLOCK_LEVEL) >> 3 * (level - BLOCK_LEVEL)
    at = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], np.int8(0))


def cells(tree: Octree, level: int) -> tuple[Ints, NDArray[np.int8]]:
    """All known cells of 2^level voxels, level 3 and up: (shifted block keys (N,) sorted, greatest known (N,))."""
    _check_level(level, least=BLOCK_LEVEL)
    pool = tree.blocks
    keys = pool.keys >> 3 * (level - BLOCK_LEVEL)
    if not len(keys):
        return keys, np.empty(0, dtype=np.int8)
    values = _greatest_known(pool.log_odds[pool.rows])
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    known = np.where(values == 0, np.int8(-128), values)
    greatest = np.maximum.reduceat(known, first)
    return keys[first], np.where(greatest == -128, np.int8(0), greatest)


def _check_level(level: object, *, least: int) -> None:
    if not isinstance(level, Integral) or not least <= int(level) <= _TOP_LEVEL:
        raise InputError(f"A level is a whole number from {least} to {_TOP_LEVEL}, not {level!r}.")


def _greatest_known(values: NDArray[np.int8]) -> NDArray[np.int8]:
    greatest = np.where(values == 0, np.int8(-128), values).max(axis=-1)
    return np.where(greatest == -128, np.int8(0), greatest)


def within(tree: Octree, points_m: NDArray[np.floating], radius_m: float) -> Found:
    """Every occupied voxel whose centre is within a radius of each point (Q, 3); in no order."""
    radius_m = metres_from(radius_m, name="A radius")
    size = tree.settings.voxel_m
    addresses.voxels_at(points_m, size)
    places = np.asarray(points_m, dtype=np.float64).reshape(-1, 3) / size
    radius = radius_m / size
    if is_compiled(tree.settings):
        return _within_compiled(tree, places, radius)
    counts, voxels, distances = np.zeros(len(places), dtype=np.int64), [np.empty((0, 3), dtype=np.int64)], [np.empty(0)]
    reach = int(np.ceil(radius / BLOCK_EDGE)) + 1
    is_far = (2 * reach + 1) ** 3 > len(tree.blocks)  # then all blocks are fewer than those around
    around = addresses.decode(tree.blocks.keys) if is_far else _ring(reach, radius)
    at_once = max(1, _QUERIES_AT_ONCE * 125 // max(1, len(around)))
    for begin in range(0, len(places), at_once):
        part = places[begin : begin + at_once]
        home = np.zeros_like(part, dtype=np.int64) if is_far else np.floor(part / BLOCK_EDGE).astype(np.int64)
        blocks = home[:, None] + around
        low = blocks * BLOCK_EDGE - part[:, None] + 0.5
        gap = np.maximum(np.maximum(low, -low - (BLOCK_EDGE - 1)), 0.0)
        query, which = np.nonzero((gap * gap).sum(axis=2) <= radius**2 * (1 + 1e-12))
        if is_far:
            rows = tree.blocks.rows[which]
        else:
            rows = tree.blocks.find(addresses.encode(blocks[query, which]))
            there = rows >= 0
            query, which, rows = query[there], which[there], rows[there]
        at = np.flatnonzero(tree.blocks.log_odds[rows] > 0)
        block, place = at >> 9, at & (BLOCK_VOXELS - 1)
        offset = low[query, which][block] + OFFSETS[place]
        squares = offset * offset
        distance = squares[:, 0] + squares[:, 1] + squares[:, 2]
        kept = np.flatnonzero(distance <= radius**2)
        block, owner = block[kept], query[block[kept]]
        counts[begin : begin + len(part)] = np.bincount(owner, minlength=len(part))
        voxels.append(blocks[query, which][block] * BLOCK_EDGE + OFFSETS[place[kept]])
        distances.append(np.sqrt(distance[kept]) * size)
    first = np.concatenate([[0], np.cumsum(counts)])
    return Found(first=first, voxels=np.concatenate(voxels), distance_m=np.concatenate(distances))


def _within_compiled(tree: Octree, places: NDArray[np.float64], radius: float) -> Found:
    """`places` (Q, 3) and the radius in voxels."""
    from streammem.spatial import compiled_queries

    pool, first, room = tree.blocks, np.zeros(len(places) + 1, dtype=np.int64), 256 * len(places)
    while True:
        voxels, distances = np.empty((room, 3), dtype=np.int64), np.empty(room)
        count = compiled_queries.within(
            np.ascontiguousarray(places), radius, pool.keys, pool.rows, pool.log_odds, first, voxels, distances
        )  # fmt: skip
        if count <= room:
            kept = slice(0, int(count))
            return Found(first=first, voxels=voxels[kept], distance_m=distances[kept] * tree.settings.voxel_m)
        room = int(count)


def _ring(reach: int, radius: float) -> Ints:
    """Blocks (N, 3), counted from a place's own, that a sphere around it may touch."""
    steps = np.arange(-reach, reach + 1)
    ring = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    near = np.maximum(np.abs(ring) - 1, 0) * BLOCK_EDGE  # the least distance of such a block from any place in ours
    return ring[(near.astype(np.float64) ** 2).sum(axis=1) <= radius**2]


def nearest(tree: Octree, points_m: NDArray[np.floating], *, within_m: float) -> tuple[Ints, NDArray[np.float64]]:
    """The occupied voxel nearest to each point: (voxels (Q, 3), metres (Q,)), infinity where none is within."""
    within_m = metres_from(within_m, name="The radius `within_m`")
    if is_compiled(tree.settings):
        return _nearest_compiled(tree, points_m, within_m)
    addresses.voxels_at(points_m, tree.settings.voxel_m)
    points = np.asarray(points_m, dtype=np.float64).reshape(-1, 3)
    voxels, distance = np.zeros((len(points), 3), dtype=np.int64), np.full(len(points), np.inf)
    waiting, radius = np.arange(len(points)), min(2 * tree.settings.voxel_m, within_m)
    while len(waiting):
        found = within(tree, points[waiting], radius)
        owner = np.repeat(np.arange(len(waiting)), np.diff(found.first))
        order = np.lexsort((found.distance_m, owner))
        has = np.flatnonzero(np.diff(found.first))
        best = order[found.first[has]]
        voxels[waiting[has]], distance[waiting[has]] = found.voxels[best], found.distance_m[best]
        if radius >= within_m:
            break
        waiting, radius = np.delete(waiting, has), min(2 * radius, within_m)
    return voxels, distance


def _nearest_compiled(
    tree: Octree, points_m: NDArray[np.floating], within_m: float
) -> tuple[Ints, NDArray[np.float64]]:  # fmt: skip
    from streammem.spatial import compiled_queries

    size, pool = tree.settings.voxel_m, tree.blocks
    addresses.voxels_at(points_m, size)
    places = np.ascontiguousarray(points_m, dtype=np.float64).reshape(-1, 3) / size
    voxels, distance = np.zeros((len(places), 3), dtype=np.int64), np.full(len(places), np.inf)
    if len(pool):
        compiled_queries.nearest(places, within_m / size, pool.keys, pool.rows, pool.log_odds, voxels, distance)
    return voxels, distance * size


def in_box(tree: Octree, low_m: NDArray[np.floating], high_m: NDArray[np.floating]) -> tuple[Ints, NDArray[np.int8]]:
    """Known voxels whose centres lie in a box, edges included: (voxels (N, 3), log-odds (N,))."""
    low, high = (np.asarray(side, dtype=np.float64) / tree.settings.voxel_m - 0.5 for side in (low_m, high_m))
    pool = tree.blocks
    blocks = addresses.decode(pool.keys)
    kept = ((blocks * BLOCK_EDGE + (BLOCK_EDGE - 1) >= low) & (blocks * BLOCK_EDGE <= high)).all(axis=1)
    values = pool.log_odds[pool.rows[kept]]
    block, place = np.nonzero(values)
    voxels = blocks[kept][block] * BLOCK_EDGE + OFFSETS[place]
    inside = ((voxels >= low) & (voxels <= high)).all(axis=1)
    return voxels[inside], values[block, place][inside]


def cast(
    tree: Octree, starts_m: NDArray[np.floating], directions: NDArray[np.floating], *, range_m: float,
    unknown_stops: bool = False,
) -> NDArray[np.float64]:  # fmt: skip
    """Metres (N,) until each ray (N, 3) enters an occupied voxel; infinity where none is within range.

    Args:
        directions: (N, 3), of any length but zero.
        unknown_stops: rays end in voxels that were never observed, too.
    """
    range_m = metres_from(range_m, name="`range_m`")
    if range_m == 0:
        raise InputError("`range_m` is more than 0 metres: give how far a ray goes.")
    size = tree.settings.voxel_m
    addresses.voxels_at(starts_m, size)
    starts, ways = (np.asarray(one, dtype=np.float64).reshape(-1, 3) for one in (starts_m, directions))
    length = np.linalg.norm(ways, axis=1, keepdims=True)
    if not (np.isfinite(length) & (length > 0)).all():
        raise InputError("Directions must be finite and not zero.")
    ends = starts + ways / length * range_m
    addresses.voxels_at(ends, size)
    found = np.full(len(starts), np.inf)
    if is_compiled(tree.settings):
        from streammem.spatial import compiled_queries

        pool = tree.blocks
        compiled_queries.cast(starts / size, ends / size, unknown_stops, pool.keys, pool.rows, pool.log_odds, found)
        return found * range_m
    steps = walk(starts / size, ends / size)
    try:
        rays, voxels, entered = next(steps)
        while True:
            rows = tree.blocks.find(addresses.encode(voxels >> BLOCK_LEVEL))
            value = np.zeros(len(rows), dtype=np.int8)
            there = rows >= 0
            value[there] = tree.blocks.log_odds[rows[there], addresses.places(voxels[there])]
            stops = (value > 0) | (value == 0) if unknown_stops else value > 0
            found[rays[stops]] = entered[stops] * range_m
            rays, voxels, entered = steps.send(~stops)
    except StopIteration:
        return found
