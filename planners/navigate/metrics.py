"""How well a walked route follows the reference: TC, SPD, SED and nDTW as the street navigation papers compute them.

* TC, task completion: the last place is the goal or joined to it by one link.
* SPD, shortest path distance: fewest links from the last place to the goal.
* SED, success weighted by edit distance: TC x (1 - Levenshtein(walked, reference) / length of the longer).
* nDTW: exp(-DTW / (length of the reference x threshold)), where DTW warps the walked places onto the reference with
  the straight distance between them; the threshold is that of success in metres.

Papers differ (metres for SPD, 3 m for TC); these are the canonical ones, in links. Knows no text and no planner.
Cost: one search from the goal and two tables of walked x reference places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planners.navigate.street_graph import StreetGraph
from streammem.errors import InputError

DTW_THRESHOLD_M = 25.0
"""The distance that counts as having arrived; the places of the graph are about 10 m apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteScore:
    """Scores of one walked route; `spd_hops` is infinite where the goal cannot be reached from where it ended."""

    completed: bool
    spd_hops: float
    sed: float
    ndtw: float


def score_route(graph: StreetGraph, walked: Sequence[int], reference: Sequence[int]) -> RouteScore:
    """Scores a walked route, places by index, against the reference.

    Raises:
        InputError: one of them is empty.
    """
    if not walked or not reference:
        raise InputError("A route to score has no places; it begins at least where the walk starts.")
    stop, goal = walked[-1], reference[-1]
    completed = stop == goal or stop in graph.neighbours[goal]
    similarity = 1.0 - edit_distance(walked, reference) / max(len(walked), len(reference))
    return RouteScore(
        completed=completed,
        spd_hops=graph.hops_from(stop, until=goal).get(goal, math.inf),
        sed=similarity if completed else 0.0,
        ndtw=math.exp(-warped_distance_m(graph, walked, reference) / (len(reference) * DTW_THRESHOLD_M)),
    )


def edit_distance(left: Sequence[int], right: Sequence[int]) -> int:
    """Levenshtein distance: fewest insertions, deletions and substitutions that turn one into the other."""
    previous = list(range(len(right) + 1))
    for row, mine in enumerate(left, start=1):
        current = [row]
        for column, other in enumerate(right, start=1):
            current.append(min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (mine != other)))
        previous = current
    return previous[-1]


def warped_distance_m(graph: StreetGraph, walked: Sequence[int], reference: Sequence[int]) -> float:
    """Dynamic time warping: the least sum of distances, in metres, that matches every place of both in order."""
    offset = graph.position_m[list(walked)][:, None, :] - graph.position_m[list(reference)][None, :, :]
    distance = np.hypot(offset[..., 0], offset[..., 1])  # (walked, reference)
    previous = np.cumsum(distance[0]).tolist()
    for row in distance[1:].tolist():
        current = [previous[0] + row[0]]
        for column in range(1, len(row)):
            current.append(row[column] + min(previous[column], previous[column - 1], current[-1]))
        previous = current
    return float(previous[-1])
