"""Addresses of voxels: Morton keys of 8^3 blocks, and Morton places within a block.

A voxel is three signed integers. Its block is those, shifted by three; a block's key interleaves 21 bits of each block
coordinate, so the key of the block that is n levels coarser is `key >> 3 * n`, and blocks that are close mostly have
close keys. Inside a block the 512 voxels lie in Morton order too: every 4^3 cell is 64 consecutive bytes and every 2^3
cell 8. Reach: 2^20 blocks either way of zero, 419 km with 5 cm voxels. Knows no map.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError

BLOCK_LEVEL, BLOCK_EDGE, BLOCK_VOXELS = 3, 8, 512
KEY_BITS = 21
REACH_BLOCKS = 1 << (KEY_BITS - 1)
"""Block coordinates lie in [-REACH_BLOCKS, REACH_BLOCKS)."""

Ints = NDArray[np.int64]

_SPREAD = ((32, 0x001F00000000FFFF), (16, 0x001F0000FF0000FF), (8, 0x100F00F00F00F00F), (4, 0x10C30C30C30C30C3),
           (2, 0x1249249249249249))  # fmt: skip
_LOW_BITS = (1 << KEY_BITS) - 1


def _spread(values: Ints) -> Ints:
    """Puts two zero bits between the lowest 21 bits of each value."""
    spread = values & _LOW_BITS
    for shift, mask in _SPREAD:
        spread = (spread | spread << shift) & mask
    return spread


def _gather(values: Ints) -> Ints:
    gathered = values & _SPREAD[-1][1]
    for (shift, _), mask in zip(
        reversed(_SPREAD), [one for _, one in reversed(_SPREAD[:-1])] + [_LOW_BITS], strict=True
    ):
        gathered = (gathered | gathered >> shift) & mask
    return gathered


def encode(blocks: Ints) -> Ints:
    """Keys (N,) of block coordinates (N, 3), all within reach: see `within_reach`."""
    shifted = np.asarray(blocks, dtype=np.int64) + REACH_BLOCKS
    return _spread(shifted[..., 0]) << 2 | _spread(shifted[..., 1]) << 1 | _spread(shifted[..., 2])


def decode(keys: Ints) -> Ints:
    """Block coordinates (N, 3) of keys (N,)."""
    keys = np.asarray(keys, dtype=np.int64)
    return np.stack([_gather(keys >> 2), _gather(keys >> 1), _gather(keys)], axis=-1) - REACH_BLOCKS


def within_reach(blocks: Ints) -> NDArray[np.bool_]:
    """(N,) of block coordinates (N, 3)."""
    return np.asarray(((blocks >= -REACH_BLOCKS) & (blocks < REACH_BLOCKS)).all(axis=-1))


def voxels_at(points_m: NDArray[np.floating], voxel_m: float) -> Ints:
    """Voxel coordinates (N, 3) of points (N, 3) in metres.

    Raises:
        InputError: a point is not finite, or beyond the reach of keys.
    """
    points = np.asarray(points_m, dtype=np.float64)
    if points.size % 3 or (points.size and points.shape[-1] != 3):
        raise InputError(f"Points are three numbers in metres each, (N, 3), not of the shape {points.shape}.")
    scaled = np.floor(points.reshape(-1, 3) / voxel_m)
    limit = REACH_BLOCKS * BLOCK_EDGE
    if not (np.abs(scaled + 0.5) < limit).all():
        raise InputError(f"Points must be finite and within {limit * voxel_m:.0f} m of the map's origin on every axis.")
    return scaled.astype(np.int64)


def _local_tables() -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    x, y, z = np.meshgrid(*[np.arange(BLOCK_EDGE)] * 3, indexing="ij")
    place = np.zeros_like(x)
    for bit in range(BLOCK_LEVEL):
        place |= (x >> bit & 1) << 3 * bit + 2 | (y >> bit & 1) << 3 * bit + 1 | (z >> bit & 1) << 3 * bit
    offsets = np.empty((BLOCK_VOXELS, 3), dtype=np.int32)
    offsets[place.ravel()] = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=-1)
    return place.ravel().astype(np.int16), offsets


PLACES, OFFSETS = _local_tables()
"""PLACES[x * 64 + y * 8 + z] is the Morton place of a voxel in its block; OFFSETS[place] is (x, y, z)."""


def places(voxels: Ints) -> NDArray[np.int16]:
    """Morton places (N,) within their blocks of voxel coordinates (N, 3)."""
    low = voxels & (BLOCK_EDGE - 1)
    return PLACES.take(low[..., 0] << 6 | low[..., 1] << 3 | low[..., 2])
