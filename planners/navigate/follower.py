"""Follows written directions on a street graph: where would one who reads them most probably end?

Every shortest route within the range of the priors is weighed by its evidence. The walker stops where most of the
probability lies within one link, not at the end of the single best route: neighbouring places are told apart by little.
Knows no pictures. Cost: about 15 ms a text, 25 ms with memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from planners.navigate.candidates import Route, possible_routes
from planners.navigate.evidence import Considered, consider, recall_landmarks
from planners.navigate.instructions import read_instructions
from planners.navigate.priors import Priors
from planners.navigate.remembered import LandmarkMemory
from planners.navigate.route_plan import RoutePlan
from planners.navigate.street_graph import StreetGraph
from streammem.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedRoute:
    """A route that was chosen for written directions."""

    places: tuple[int, ...]
    confidence: float
    """Probability, by the priors, that the goal lies within one link of the last place."""
    share_at: dict[int, float]
    """Every goal that was possible and its probability."""
    plan: RoutePlan


class RouteFollower:
    """Reads directions and follows them on one street graph.

    Example:
        >>> follower = RouteFollower(graph, priors=hand_set_priors())  # doctest: +SKIP
        >>> follower.follow("Turn left at the second light and stop.", start=12, heading_deg=30.0)  # doctest: +SKIP
    """

    def __init__(self, graph: StreetGraph, *, priors: Priors, memory: LandmarkMemory | None = None) -> None:
        self.graph = graph
        self.priors = priors
        self.memory = memory

    def follow(self, text: str, *, start: int, heading_deg: float | None) -> FollowedRoute:
        """Follows directions.

        Args:
            text: plain English.
            start: the place where the walker stands.
            heading_deg: where it faces, clockwise from north; None: unknown.

        Raises:
            InputError: the text has no words, or nothing can be reached from the start.
        """
        return self.choose(self.possibilities(read_instructions(text), start=start, heading_deg=heading_deg))

    def possibilities(self, plan: RoutePlan, *, start: int, heading_deg: float | None) -> Considered:
        """What could be meant, with its evidence.

        Raises:
            InputError: nothing can be reached from the start.
        """
        if not 0 <= start < len(self.graph):
            raise InputError(f"The street graph has no place number {start}; it has {len(self.graph)}.")
        first_step = None if heading_deg is None else self.graph.step_towards(start, heading_deg)
        routes: list[Route] = []
        for min_hops in (self.priors.min_hops, 1):  # where streets end before the usual range does: whatever is there
            routes = list(
                possible_routes(
                    self.graph, start, first_step=first_step, min_hops=min_hops, max_hops=self.priors.max_hops
                )
            )
            if routes:
                break
        if not routes:
            raise InputError(f"Nothing can be reached from {self.graph.ids[start]!r}.")
        considered = consider(plan, routes)
        return considered if self.memory is None else recall_landmarks(self.graph, considered, self.memory)

    def choose(self, considered: Considered, *, within_links: Literal[0, 1] = 1) -> FollowedRoute:
        """The stop with the most probability within so many links, and the best route to it."""
        scores = considered.scores(self.priors.weights)
        share = np.exp(scores - scores.max())
        share /= share.sum()
        share_at: dict[int, float] = {}
        for route, part in zip(considered.routes, share.tolist(), strict=True):
            share_at[route.goal] = share_at.get(route.goal, 0.0) + part
        within = {
            goal: own
            + sum(share_at.get(other, 0.0) for other in set(self.graph.neighbours[goal]) - {goal} if within_links)
            for goal, own in share_at.items()
        }
        stop = max(within, key=lambda goal: (round(within[goal], 9), share_at[goal], -goal))
        best = max(
            (number for number, route in enumerate(considered.routes) if route.goal == stop),
            key=lambda number: scores[number],
        )
        return FollowedRoute(
            places=considered.routes[best].places,
            confidence=min(1.0, within[stop]),
            share_at=share_at,
            plan=considered.plan,
        )
