"""Where submaps must lie so that what was measured between them fits best: a pose graph, solved when a loop closes.

Nodes are the submaps' poses; an edge is a measured pose of one submap in another's frame: from odometry between
neighbours, or from recognising a place. The squared errors, as twists and weighted, are made least by Gauss-Newton on
rigid motions (Grisetti et al., A Tutorial on Graph-Based SLAM, 2010), with the first node held. Knows no sensor and
finds no loops. Costs a sparse solve per iteration: some 50 ms for 500 submaps.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.spatial import rigid

Floats = NDArray[np.float64]

_ITERATIONS = 20
_DONE = 1e-9
"""Metres and radians: a step smaller than that ends the search."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edge:
    """Submap `target` was measured in the frame of submap `source`."""

    source: int
    target: int
    T_source_target: Floats
    sigma_m: float = 0.05
    """How far the measured position is off, typically."""
    sigma_rad: float = 0.01


def odometry_edges(
    poses: Floats, *, sigma_m_per_m: float = 0.01, sigma_rad_per_m: float = 3.5e-4
) -> list[Edge]:  # fmt: skip
    """Edges between neighbours, as the poses (S, 4, 4) of an unclosed run have them. The defaults are those of a fair
    wheeled robot: 1 % of the way, and 2 degrees in 100 m."""
    steps = rigid.inverse(poses[:-1]) @ poses[1:]
    lengths = np.linalg.norm(steps[:, :3, 3], axis=1)
    return [
        Edge(
            source=number, target=number + 1, T_source_target=step,
            sigma_m=max(1e-3, sigma_m_per_m * length), sigma_rad=max(1e-4, sigma_rad_per_m * length),
        )
        for number, (step, length) in enumerate(zip(steps, lengths.tolist(), strict=True))
    ]  # fmt: skip


def solve(poses: Floats, edges: Sequence[Edge]) -> Floats:
    """Poses (S, 4, 4) in which the edges fit best, from these (S, 4, 4); the first stays where it is.

    Raises:
        InputError: an edge names a node that is not there, or is no rigid motion; or a node hangs on nothing.
    """
    sparse: Any = importlib.import_module("scipy.sparse")
    splu: Any = importlib.import_module("scipy.sparse.linalg").splu

    poses = np.array(poses, dtype=np.float64)
    count = len(poses)
    if not edges:
        return poses
    source = np.array([edge.source for edge in edges])
    target = np.array([edge.target for edge in edges])
    measured = np.stack([np.asarray(edge.T_source_target, dtype=np.float64) for edge in edges])
    if min(source.min(), target.min()) < 0 or max(source.max(), target.max()) >= count or (source == target).any():
        raise InputError(f"Edges join two different submaps of the {count} that there are.")
    if not rigid.is_rigid(measured):
        raise InputError("An edge's pose is not a rigid motion (4, 4); give one without scale.")
    if set(range(1, count)) - set(source.tolist()) - set(target.tolist()):
        raise InputError("Some submap hangs on no edge; give the odometry edges as well.")
    weights = np.array([[edge.sigma_m**-2] * 3 + [edge.sigma_rad**-2] * 3 for edge in edges])
    back = rigid.inverse(measured)
    best = _cost(poses, source, target, back, weights)
    damping = 0.0
    for _ in range(_ITERATIONS):
        between = rigid.inverse(poses[source]) @ poses[target]
        error = rigid.log(back @ between)
        # error(x exp(d)): d of the target acts by the inverse right Jacobian, that of the source through the adjoint.
        of_target = np.eye(6) + 0.5 * _small_adjoint(error)
        of_source = -of_target @ rigid.adjoint(rigid.inverse(between))
        rows: list[NDArray[np.int64]] = []
        columns: list[NDArray[np.int64]] = []
        values: list[Floats] = []
        gradient = np.zeros((count, 6))
        weighted = weights[:, :, None]
        for one, left in ((source, of_source), (target, of_target)):
            np.add.at(gradient, one, (np.swapaxes(left, 1, 2) @ (weights * error)[:, :, None])[..., 0])
            for other, right in ((source, of_source), (target, of_target)):
                blocks = np.swapaxes(left, 1, 2) @ (weighted * right)
                at = np.arange(6)
                rows.append(np.broadcast_to((6 * one)[:, None, None] + at[:, None], blocks.shape).ravel())
                columns.append(np.broadcast_to((6 * other)[:, None, None] + at, blocks.shape).ravel())
                values.append(blocks.ravel())
        every = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        normal: Any = sparse.csc_array(every, shape=(6 * count, 6 * count))[6:, 6:]  # the first node is held
        if damping:
            normal = normal + sparse.csc_array((damping * normal.diagonal(), (np.arange(6 * count - 6),) * 2))
        step = np.zeros((count, 6))
        solved: Floats = splu(normal.tocsc()).solve(gradient[1:].ravel())
        step[1:] = -solved.reshape(-1, 6)
        moved = poses @ rigid.exp(step)
        cost = _cost(moved, source, target, back, weights)
        if cost <= best:
            poses, best, damping = moved, cost, damping / 10 if damping > 1e-6 else 0.0
            if np.abs(step).max() < _DONE:
                break
        else:
            damping = max(10 * damping, 1e-4)
    return poses


def _cost(
    poses: Floats, source: NDArray[np.int64], target: NDArray[np.int64], back: Floats, weights: Floats
) -> float:  # fmt: skip
    error = rigid.log(back @ rigid.inverse(poses[source]) @ poses[target])
    return float((weights * error**2).sum())


def _small_adjoint(twists: Floats) -> Floats:
    """(..., 6, 6), the adjoint of the algebra."""
    found = np.zeros((*twists.shape[:-1], 6, 6))
    turn = rigid.cross_matrix(twists[..., 3:])
    found[..., :3, :3] = found[..., 3:, 3:] = turn
    found[..., :3, 3:] = rigid.cross_matrix(twists[..., :3])
    return found
