"""Rigid motions in space, many at a time: matrices (..., 4, 4) and twists (..., 6), translation before rotation.

Exponential and logarithm follow Barfoot (State Estimation for Robotics, 2017, section 7.1); below a thousandth of a
radian the series are used, so that nothing is divided by nothing. Rotations stay below half a turn in `log`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SMALL_RAD = 1e-3


def inverse(motions: Floats) -> Floats:
    """Of each motion (..., 4, 4)."""
    turned = np.swapaxes(motions[..., :3, :3], -1, -2)
    found = np.zeros_like(motions)
    found[..., :3, :3] = turned
    found[..., :3, 3] = -(turned @ motions[..., :3, 3:])[..., 0]
    found[..., 3, 3] = 1.0
    return found


def cross_matrix(vectors: Floats) -> Floats:
    """(..., 3, 3) that turn a vector into its cross product with these (..., 3)."""
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    zero = np.zeros_like(x)
    rows = ((zero, -z, y), (z, zero, -x), (-y, x, zero))
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def exp(twists: Floats) -> Floats:
    """Motions (..., 4, 4) of twists (..., 6)."""
    turn = twists[..., 3:]
    angle = np.linalg.norm(turn, axis=-1)[..., None, None]
    safe = np.where(angle < _SMALL_RAD, 1.0, angle)
    squared = angle**2
    first = np.where(angle < _SMALL_RAD, 1 - squared / 6, np.sin(safe) / safe)
    second = np.where(angle < _SMALL_RAD, 0.5 - squared / 24, (1 - np.cos(safe)) / safe**2)
    third = np.where(angle < _SMALL_RAD, 1 / 6 - squared / 120, (safe - np.sin(safe)) / safe**3)
    cross = cross_matrix(turn)
    twice = cross @ cross
    found = np.zeros((*twists.shape[:-1], 4, 4))
    found[..., :3, :3] = np.eye(3) + first * cross + second * twice
    found[..., :3, 3] = ((np.eye(3) + second * cross + third * twice) @ twists[..., :3, None])[..., 0]
    found[..., 3, 3] = 1.0
    return found


def log(motions: Floats) -> Floats:
    """Twists (..., 6) of motions (..., 4, 4) that turn by less than half a turn."""
    rotation = motions[..., :3, :3]
    apart = 0.5 * (rotation - np.swapaxes(rotation, -1, -2))
    axis = np.stack([apart[..., 2, 1], apart[..., 0, 2], apart[..., 1, 0]], axis=-1)  # axis times sine
    sine: Floats = np.linalg.norm(axis, axis=-1)
    cosine: Floats = 0.5 * (np.trace(rotation, axis1=-2, axis2=-1) - 1)
    angle: Floats = np.arctan2(sine, cosine)
    is_small = angle < _SMALL_RAD
    safe: Floats = np.where(is_small, 1.0, sine)
    per_sine: Floats = np.where(is_small, 1 + angle**2 / 6, angle / safe)
    turn = axis * per_sine[..., None]
    half = np.where(is_small, 1.0, angle / 2)
    weight = np.where(
        is_small, 1 / 12 + angle**2 / 720, (1 - half / np.tan(half)) / np.where(is_small, 1.0, angle) ** 2
    )  # fmt: skip
    cross = cross_matrix(turn)
    back = np.eye(3) - 0.5 * cross + weight[..., None, None] * (cross @ cross)
    return np.concatenate([(back @ motions[..., :3, 3:])[..., 0], turn], axis=-1)


def adjoint(motions: Floats) -> Floats:
    """(..., 6, 6): a twist in one frame as the same motion's twist in another."""
    found = np.zeros((*motions.shape[:-2], 6, 6))
    rotation = motions[..., :3, :3]
    found[..., :3, :3] = found[..., 3:, 3:] = rotation
    found[..., :3, 3:] = cross_matrix(motions[..., :3, 3]) @ rotation
    return found


def is_rigid(motions: Floats) -> bool:
    """Whether all (..., 4, 4) are finite rotations with translations, without scale."""
    rotation = motions[..., :3, :3]
    return (
        motions.shape[-2:] == (4, 4)
        and bool(np.isfinite(motions).all())
        and bool((np.abs(rotation @ np.swapaxes(rotation, -1, -2) - np.eye(3)) < 1e-3).all())
        and bool((np.linalg.det(rotation) > 0).all())
    )
