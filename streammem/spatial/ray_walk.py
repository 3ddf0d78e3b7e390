"""Exact walks of rays through voxels (Amanatides and Woo 1987), many rays at once.

Every voxel that a segment passes through is visited once, in order. Used to cast rays through a map, and by tests and
the benchmark as the definition of free space that projective carving is compared with. One step of all rays costs some
20 passes over arrays; a frame of 307,200 rays takes about a second, which is why maps are not made this way.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def walk(
    starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> Generator[tuple[Ints, Ints, NDArray[np.float64]], NDArray[np.bool_] | None, None]:
    """Steps along all segments together.

    Args:
        starts, ends: (N, 3) float64, in voxels.

    Yields:
        (rays (M,), voxels (M, 3), entered (M,)): the rays still on their way, the voxel that each is in, and where on
        its segment it entered it, 0 at the start and 1 at the end. The last voxel of a ray is the one of its end. Send
        a mask (M,) of the rays to go on with; without, all go on.
    """
    direction = ends - starts
    voxel, last = np.floor(starts).astype(np.int64), np.floor(ends).astype(np.int64)
    step = np.where(direction > 0, 1, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_step = np.abs(1.0 / direction)
        crossing = np.where(direction == 0, np.inf, (voxel + (direction > 0) - starts) / direction)
    left = np.abs(last - voxel)
    crossing[left == 0] = np.inf  # an axis whose last plane was passed is done: rounding can never overrun the end
    rays, entered = np.arange(len(starts)), np.zeros(len(starts))
    while len(rays):
        wanted = yield rays, voxel, entered
        going = left.any(axis=1) if wanted is None else left.any(axis=1) & wanted
        if not going.all():
            rays, voxel, left, crossing = rays[going], voxel[going], left[going], crossing[going]
            step, per_step, entered = step[going], per_step[going], entered[going]
        rows, axis = np.arange(len(rays)), crossing.argmin(axis=1)
        entered = crossing[rows, axis]
        voxel, crossing, left = voxel.copy(), crossing.copy(), left.copy()
        voxel[rows, axis] += step[rows, axis]
        left[rows, axis] -= 1
        crossing[rows, axis] = np.where(left[rows, axis] == 0, np.inf, entered + per_step[rows, axis])


def free_and_hit(start: NDArray[np.float64], ends: NDArray[np.float64]) -> tuple[Ints, Ints]:
    """What one scan says, ray by ray: (free (F, 3), hit (H, 3)) voxels, each once, sorted.

    Hit: the voxel of some end. Free: passed by some ray on its way and not hit.

    Args:
        start: (3,), where all rays begin, in voxels.
        ends: (N, 3), in voxels.
    """
    low = np.floor(np.minimum(ends.min(axis=0), start)).astype(np.int64)
    shape = np.floor(np.maximum(ends.max(axis=0), start)).astype(np.int64) - low + 1
    seen = np.zeros(tuple(int(size) for size in shape), dtype=np.uint8)
    for _, voxels, _ in walk(np.broadcast_to(start, ends.shape), ends):
        seen[tuple((voxels - low).T)] = 1
    hit = np.floor(ends).astype(np.int64) - low
    seen[tuple(hit.T)] = 2
    return np.argwhere(seen == 1) + low, np.argwhere(seen == 2) + low
