"""Which sighting is which known object: gating, then the assignment that is cheapest as a whole (Hungarian).

ConceptGraphs takes the best object for each detection on its own, so that two mugs side by side may both become one.
Here the costs of all pairs that are possible at all (same label, near enough) are weighed together. Cost of a pair:
distance in gates, unlikeness of looks, and how little their boxes share. Knows no time. Costs 0.1 ms for twenty by
twenty.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOOKS_WEIGHT = 1.5
"""A cosine distance of 0.4 (plainly another thing) costs as much as 0.6 of the gate."""
SHAPE_WEIGHT = 0.3
"""For boxes that share nothing: extents of half-seen things are poor evidence."""
WORST = 2.0
"""Pairs that cost more are no pairs."""
_NEVER = 1e6


def assign(costs: Floats) -> list[tuple[int, int]]:
    """(row, column) pairs of the cheapest assignment of a cost matrix (N, M) with inf where a pair is impossible; no
    pair costs more than `WORST`."""
    if not costs.size or not np.isfinite(costs).any():
        return []
    possible = np.isfinite(costs) & (costs <= WORST)
    solve: Any = importlib.import_module("scipy.optimize").linear_sum_assignment
    rows, columns = solve(np.where(possible, costs, _NEVER))
    pairs = cast(list[tuple[int, int]], list(zip(rows.tolist(), columns.tolist(), strict=True)))
    return [(row, column) for row, column in pairs if possible[row, column]]


def pair_costs(
    seen_m: Floats, seen_size_m: Floats, known_m: Floats, known_size_m: Floats, *, gate_m: float,
    same_label: NDArray[np.bool_], looks: Floats,
) -> Floats:  # fmt: skip
    """Costs (N, M) of N sightings being M objects; inf where the label differs or the distance is beyond the gate.

    Args:
        looks: (N, M) cosine of embeddings; NaN where one has none.
    """
    apart = np.linalg.norm(seen_m[:, None] - known_m[None], axis=2)
    gate = gate_m + 0.5 * np.maximum(seen_size_m.max(axis=1)[:, None], known_size_m.max(axis=1)[None])
    cost = apart / gate + SHAPE_WEIGHT * (1.0 - _shared(seen_m, seen_size_m, known_m, known_size_m))
    cost += LOOKS_WEIGHT * np.where(np.isnan(looks), 0.0, 1.0 - np.nan_to_num(looks))
    return np.where(same_label & (apart <= gate), cost, np.inf)


def cosines(seen: Sequence[NDArray[np.float32] | None], known: Sequence[NDArray[np.float32] | None]) -> Floats:
    """(N, M); NaN where either has no embedding, or they are of different models."""
    found = np.full((len(seen), len(known)), np.nan)
    for row, one in enumerate(seen):
        for column, other in enumerate(known):
            if one is not None and other is not None and one.shape == other.shape:
                length = float(np.linalg.norm(one) * np.linalg.norm(other))
                found[row, column] = float(one @ other) / length if length else np.nan
    return found


def _shared(a_m: Floats, a_size: Floats, b_m: Floats, b_size: Floats) -> Floats:
    """(N, M) intersection over the smaller of two boxes."""
    low = np.maximum((a_m - a_size / 2)[:, None], (b_m - b_size / 2)[None])
    high = np.minimum((a_m + a_size / 2)[:, None], (b_m + b_size / 2)[None])
    both = np.maximum(high - low, 0.0).prod(axis=2)
    return both / np.maximum(np.minimum(a_size.prod(axis=1)[:, None], b_size.prod(axis=1)[None]), 1e-9)
