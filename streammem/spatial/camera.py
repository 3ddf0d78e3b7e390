"""A depth image as points in the voxel grid: which voxels its pixels hit.

Points are computed in float32, in voxels, relative to the block that holds the camera, so that they are as exact a
hundred kilometres away as at the origin: `point = start + depth * direction(pixel)`, a micrometre at 5 m. Depth is z in
the camera's frame, metres. NaN, zero, negative and -inf are no measurement; +inf is "nothing within range", as ROS
has it (REP 117).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.spatial.keys import BLOCK_EDGE, REACH_BLOCKS, Ints

Floats = NDArray[np.float32]

MARKED_CELLS = 1 << 23
"""Up to so many cells around a view are marked one by one: 8 MB. A view of farther things is sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrinsics:
    """A pinhole camera, in pixels; the centre of the first pixel is (0, 0)."""

    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.fx, self.fy, self.cx, self.cy]).all() and self.fx > 0 and self.fy > 0):
            raise InputError(f"The camera's focal lengths must be positive and all four numbers finite: {self!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One depth image, placed in the voxel grid."""

    depth: Floats
    """(H, W) z-depth in voxels, cut at the range; 0 where nothing was measured."""
    is_hit: NDArray[np.bool_] | None
    """(H, W) where a surface was measured; None for everywhere."""
    farthest: float
    """The greatest depth."""
    base_block: Ints
    """(3,) block that holds the camera."""
    start: NDArray[np.float64]
    """(3,) the camera in voxels from the corner of that block."""
    rotation: NDArray[np.float64]
    """(3, 3) camera to map."""
    camera: Intrinsics


def metres_of(depth_m: object) -> NDArray[np.floating]:
    """A depth image as an array (H, W) of floating point.

    Raises:
        InputError: it is no image, or of whole numbers. Those are millimetres in nearly every camera: read as metres,
            everything is out of range and all that is known in view is cleared.
    """
    try:
        depth = np.asarray(depth_m)
    except ValueError as error:
        raise InputError("A depth image has rows of one length.") from error
    if depth.dtype.kind in "iub":
        raise InputError(f"The depth image is {depth.dtype}: give metres; 16-bit depth is millimetres.")
    if depth.dtype.kind != "f":
        raise InputError(f"A depth image is made of numbers, not of {depth.dtype}.")
    if depth.ndim != 2 or min(depth.shape) < 2:
        raise InputError(f"A depth image has two axes of at least 2 pixels, not the shape {depth.shape}.")
    return depth


def place_view(
    depth_m: NDArray[np.floating],
    *,
    camera: Intrinsics,
    T_map_camera: NDArray[np.floating],
    voxel_m: float,
    max_depth_m: float,
) -> View:
    """
    Raises:
        InputError: an image that is not (H, W) in metres, a pose that is no rigid motion, or a place beyond the map's
            reach.
    """
    depth_m = metres_of(depth_m)
    pose = np.asarray(T_map_camera, dtype=np.float64)
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        raise InputError("A pose is a finite matrix (4, 4) from camera to map.")
    rotation = pose[:3, :3]
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-3 or np.linalg.det(rotation) < 0:
        raise InputError("The pose's upper left (3, 3) is not a rotation; give camera to map, without scale.")
    origin = pose[:3, 3] / voxel_m
    base = np.floor(origin / BLOCK_EDGE)
    reach = REACH_BLOCKS - 2 - 4 * max_depth_m / (voxel_m * BLOCK_EDGE)
    if (np.abs(base) > reach).any():
        raise InputError(f"The camera is more than {reach * BLOCK_EDGE * voxel_m:.0f} m from the map's origin.")
    limit = np.float32(max_depth_m / voxel_m)
    depth = np.multiply(depth_m, 1.0 / voxel_m, dtype=np.float32, order="C")
    farthest = float(depth.max())
    hits = None
    if not (farthest < limit and float(depth.min()) > 0):  # nor where one of them is NaN
        with np.errstate(invalid="ignore"):
            hits = (depth > 0) & (depth < limit)
        np.nan_to_num(depth, copy=False, nan=0.0, posinf=float(limit), neginf=0.0)
        np.clip(depth, 0.0, limit, out=depth)
        farthest = float(depth.max())
    return View(
        depth=depth, is_hit=hits, farthest=farthest, base_block=base.astype(np.int64),
        start=origin - base * BLOCK_EDGE, rotation=rotation, camera=camera,
    )  # fmt: skip


def directions(view: View) -> tuple[Floats, Floats]:
    """Rays of pixels as sums: `direction[:, v, u] = rows[:, v] + columns[:, u]`, for a depth of one. (3, H), (3, W)."""
    height, width = view.depth.shape
    camera, turn = view.camera, view.rotation
    columns: NDArray[np.float64] = turn[:, 0:1] * ((np.arange(width, dtype=np.float64) - camera.cx) / camera.fx)
    rows: NDArray[np.float64] = (
        turn[:, 1:2] * ((np.arange(height, dtype=np.float64) - camera.cy) / camera.fy) + turn[:, 2:3]
    )
    return rows.astype(np.float32), columns.astype(np.float32)


def points(view: View) -> Floats:
    """(H * W, 3) the end of every ray, in voxels from the base block's corner."""
    rows, columns = directions(view)
    start = view.start.astype(np.float32)
    ends = [(rows[axis][:, None] + columns[axis]) * view.depth + start[axis] for axis in range(3)]
    return np.stack(ends, axis=-1).reshape(-1, 3)


def bounds(view: View) -> tuple[Ints, Ints]:
    """Whole blocks that no point leaves: (lowest voxel (3,), number (3,)), from the base block's corner."""
    rows, columns = directions(view)
    slopes = np.stack([rows.min(axis=1) + columns.min(axis=1), rows.max(axis=1) + columns.max(axis=1)])
    ends = np.concatenate([slopes.astype(np.float64) * view.farthest + view.start, view.start[None]])
    low = np.floor((ends.min(axis=0) - 1) / BLOCK_EDGE).astype(np.int64) * BLOCK_EDGE
    high = np.ceil((ends.max(axis=0) + 2) / BLOCK_EDGE).astype(np.int64) * BLOCK_EDGE
    return low, high - low


def pixel_voxels(view: View, low: Ints, size: Ints) -> NDArray[np.integer]:
    """(H, W) the voxel that each pixel hits, as `(x * size_y + y) * size_z + z` from `low`; -1 where it hits none."""
    rows, columns = directions(view)
    height, width = view.depth.shape
    kind = np.int32 if float(np.prod(size.astype(np.float64))) < 2**31 else np.int64
    found = np.empty((height, width), dtype=kind)
    start = view.start.astype(np.float32)
    band = max(1, 32_768 // width)  # rows at a time, so that the scratch arrays stay in the cache
    scratch = np.empty((band, width), dtype=np.float32)
    whole = np.empty((band, width), dtype=kind)
    for first in range(0, height, band):
        last = min(first + band, height)
        work, integer, out = scratch[: last - first], whole[: last - first], found[first:last]
        for axis in range(3):
            np.add(rows[axis, first:last, None], columns[axis], out=work)
            work *= view.depth[first:last]
            work += start[axis]
            np.floor(work, out=work)
            if axis == 0:
                out[...] = work
            else:
                out *= kind(size[axis])
                integer[...] = work
                out += integer
    shift = (int(low[0]) * int(size[1]) + int(low[1])) * int(size[2]) + int(low[2])
    found -= kind(shift)
    if view.is_hit is not None:
        found[~view.is_hit] = -1
    return found


def hit_voxels(pixels: NDArray[np.integer], cells: int) -> NDArray[np.integer]:
    """The voxels that are hit, each once, sorted; of the `cells` that there are. Only what differs from the pixels
    before and above it is looked at: a third of a scan. Marks in a table of all cells cost a fifth of sorting."""
    flat, width = pixels.ravel(), pixels.shape[1]
    is_new = np.empty(len(flat), dtype=np.bool_)
    is_new[0] = True
    np.not_equal(flat[1:], flat[:-1], out=is_new[1:])
    is_new[width:] &= flat[width:] != flat[:-width]
    some = flat.take(np.flatnonzero(is_new))  # half the time of a boolean index
    if cells > MARKED_CELLS:
        some.sort()
        kept = np.empty(len(some), dtype=np.bool_)
        kept[0] = True
        np.not_equal(some[1:], some[:-1], out=kept[1:])
        once = some.take(np.flatnonzero(kept))
        return once[once.searchsorted(0) :]
    is_hit = np.zeros(cells + 1, dtype=np.bool_)  # the last byte is that of -1
    is_hit[some.astype(np.intp)] = True  # twice as fast as by int32
    is_hit[-1] = False
    return np.flatnonzero(is_hit).astype(pixels.dtype)


def unravel(voxels: NDArray[np.integer], size: Ints) -> tuple[NDArray[np.integer], ...]:
    """(x, y, z) of numbered voxels, each (N,)."""
    kind = voxels.dtype.type
    rest, z = np.divmod(voxels, kind(size[2]))
    x, y = np.divmod(rest, kind(size[1]))
    return x, y, z


def voxel_labels(view: View, labels: NDArray[np.uint16]) -> tuple[Ints, NDArray[np.uint16]]:
    """The label that most pixels give each labelled voxel, the smallest of equals: (voxels (N, 3) from the base block's
    corner, labels (N,))."""
    low, size = bounds(view)
    pixels = pixel_voxels(view, low, size)
    is_used = (labels > 0) & (pixels >= 0)
    joined = pixels[is_used].astype(np.int64) << 16 | labels[is_used]
    pairs, counts = np.unique(joined, return_counts=True)
    order = np.lexsort((pairs & 0xFFFF, -counts, pairs >> 16))
    voxels = pairs[order] >> 16
    is_first = np.ones(len(voxels), dtype=np.bool_)
    is_first[1:] = voxels[1:] != voxels[:-1]
    places = np.stack(unravel(voxels[is_first], size), axis=-1) + low
    return places, (pairs[order][is_first] & 0xFFFF).astype(np.uint16)
