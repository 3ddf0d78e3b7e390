"""Lays a route plan along a route: which crossing is which turn of the text, and how many crossings each leg passes.

A small dynamic programme over crossings and turns. Its costs only have to find the right reading; how much each
disagreement tells against a route is learned (`planners.navigate.priors`). Cost: about 30 microseconds a route.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from planners.navigate.candidates import Crossing, Route
from planners.navigate.route_plan import Leg, RoutePlan

_SKIPPED_TURN = -6.0
_COUNT_COST = {"counted": 2.0, "next": 1.6, "unsaid": 0.4}
"""What each crossing too many or too few costs, by how the text counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedLeg:
    """One leg of the plan on the route."""

    crossing: int | None
    """Index of the crossing where the leg's turn is made; None: the turn was not found, or it is the last leg."""
    first_crossing: int
    """Index of the first crossing of this leg."""
    crossings: int
    """Crossings on the leg, the turn's own with it; on the last leg those passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """A plan laid along a route."""

    legs: tuple[AlignedLeg, ...]
    straight_turns: tuple[int, ...]
    """Crossings that the text passes straight, by index."""
    cost: float


def align(plan: RoutePlan, route: Route) -> Alignment:
    """The best reading of the plan on the route."""
    turns = plan.turns
    crossings = route.crossings
    n_turns, n_crossings = len(turns), len(crossings)
    # best[j][i]: turns 0..j-1 are placed, the last of them at crossing i-1 (i = 0: none yet placed)
    passing = [_pass_score(crossing) for crossing in crossings]
    along = [0.0]
    for score in passing:
        along.append(along[-1] + score)
    best: list[dict[int, tuple[float, tuple[int | None, ...]]]] = [{0: (0.0, ())}]
    for leg in turns:
        placed: dict[int, tuple[float, tuple[int | None, ...]]] = {}
        for after, (score, chosen) in best[-1].items():
            skipped = score + _SKIPPED_TURN
            if after not in placed or placed[after][0] < skipped:
                placed[after] = (skipped, (*chosen, None))
            for index in range(after, n_crossings):
                match = _turn_score(leg, crossings[index])
                if match is None:
                    continue
                total = score + along[index] - along[after] + match
                total -= _count_cost(leg, index - after + 1)
                if index + 1 not in placed or placed[index + 1][0] < total:
                    placed[index + 1] = (total, (*chosen, index))
        best.append(placed)
    passed_last = plan.stop.passed
    best_score, best_chosen, best_after = -math.inf, (None,) * n_turns, 0
    for after, (score, chosen) in best[-1].items():
        total = score + along[n_crossings] - along[after]
        in_crossing = route.since == 0 and n_crossings > after
        off = abs(n_crossings - after - in_crossing - passed_last)
        total -= (0.3 if plan.legs[-1].counting == "unsaid" else 1.5) * off
        if total > best_score:
            best_score, best_chosen, best_after = total, chosen, after
    legs: list[AlignedLeg] = []
    after = 0
    for crossing in best_chosen:
        count = crossing - after + 1 if crossing is not None else 0
        legs.append(AlignedLeg(crossing=crossing, first_crossing=after, crossings=count))
        after = crossing + 1 if crossing is not None else after
    legs.append(AlignedLeg(crossing=None, first_crossing=best_after, crossings=n_crossings - best_after))
    turned = {crossing for crossing in best_chosen if crossing is not None}
    return Alignment(
        legs=tuple(legs),
        straight_turns=tuple(index for index in range(n_crossings) if index not in turned),
        cost=-best_score,
    )


def _pass_score(crossing: Crossing) -> float:
    if math.isnan(crossing.turn_deg):
        return 0.0
    angle = abs(crossing.turn_deg)
    if angle < 30:
        return 0.0
    return -1.0 if angle < 45 else -2.5 if angle < 60 else -5.0


def _turn_score(leg: Leg, crossing: Crossing) -> float | None:
    if math.isnan(crossing.turn_deg):
        return -4.0
    angle = crossing.turn_deg if leg.turn == "right" else -crossing.turn_deg
    if angle > 55:
        return -0.7 if leg.is_slight else 0.0
    if angle > 30:
        return -0.7
    if angle > 15:
        return -2.0 if leg.is_slight else -3.0
    return None


def _count_cost(leg: Leg, crossings: int) -> float:
    return _COUNT_COST[leg.counting] * min(3, abs(crossings - leg.junctions))
