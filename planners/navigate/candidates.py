"""Routes that a walker could take from where it stands, and their shape: crossings, turns, blocks.

Every place within a range of links is a possible goal, and the way there is the shortest (written routes lead
somewhere, they do not wander); ties are all kept, up to a few. Knows no text. Cost: about 150 routes and 5 ms a start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planners.navigate.street_graph import StreetGraph, turn_deg

MAX_TIES = 4
"""Equally short ways to one goal that are kept; one in ten goals has a second one."""
_ARM = 3
"""Links before and after a crossing over which its turn is measured: places at a crossing lie some metres off."""
_STRAIGHT_DEG = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A junction on a route; neighbouring junction places count as one."""

    first: int
    """Position on the route of its first place."""
    last: int
    place: int
    """A graph place that stands for it: its first one on the route."""
    turn_deg: float
    """How far the route turns there, positive to the right; NaN where it starts or ends in it."""
    ways: int
    """Ways out, the one it came from not counted."""
    goes_on: bool
    """Whether a way leads straight on."""
    gap: int
    """Links since the crossing before, or since the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A possible route and what can be said of it."""

    places: tuple[int, ...]
    crossings: tuple[Crossing, ...]
    since: int
    """Links from the last crossing to the goal; 0: the goal is in it."""
    ahead: int
    """Links from the goal straight on to the next junction; 0: the goal is in one."""
    ends_dead: bool
    """Nothing but a dead end lies ahead."""

    @property
    def goal(self) -> int:
        return self.places[-1]

    @property
    def hops(self) -> int:
        return len(self.places) - 1


def possible_routes(
    graph: StreetGraph, start: int, *, first_step: int | None, min_hops: int, max_hops: int
) -> Iterator[Route]:
    """The shortest routes to every place within a range.

    Args:
        start: where the walker stands.
        first_step: the neighbour that it faces; None: any.
        min_hops, max_hops: links to the goal, both counted in.
    """
    hops = graph.hops_from(start, limit=max_hops)
    shapes = _Shapes(graph)
    for goal, distance in hops.items():
        if not min_hops <= distance <= max_hops:
            continue
        for places in _ways(graph, hops, start=start, goal=goal, first_step=first_step):
            yield shapes.describe(places)


def describe_route(graph: StreetGraph, places: Sequence[int]) -> Route:
    """The shape of a route that was walked."""
    return _Shapes(graph).describe(tuple(places))


def _ways(
    graph: StreetGraph, hops: dict[int, int], *, start: int, goal: int, first_step: int | None
) -> list[tuple[int, ...]]:
    partial: list[tuple[int, ...]] = [(goal,)]
    while partial and partial[0][0] != start:
        longer: list[tuple[int, ...]] = []
        for way in partial:
            for other in graph.neighbours[way[0]]:
                if hops.get(other, -1) == hops[way[0]] - 1:
                    longer.append((other, *way))
        partial = longer[: 4 * MAX_TIES]
    return [way for way in partial if first_step is None or len(way) < 2 or way[1] == first_step][:MAX_TIES]


class _Shapes:
    """Describes routes of one start, which share most of their crossings."""

    def __init__(self, graph: StreetGraph) -> None:
        self._graph = graph
        self._turns: dict[tuple[int, int, int, int], float] = {}
        self._goes_on: dict[tuple[int, int], bool] = {}

    def describe(self, places: tuple[int, ...]) -> Route:
        graph = self._graph
        groups: list[list[int]] = []
        for position in range(1, len(places)):
            if graph.is_junction(places[position]):
                if groups and position - groups[-1][-1] == 1:
                    groups[-1].append(position)
                else:
                    groups.append([position])
        crossings: list[Crossing] = []
        before = 0
        for group in groups:
            first, last = group[0], group[-1]
            crossings.append(
                Crossing(
                    first=first,
                    last=last,
                    place=places[first],
                    turn_deg=self._turn(places, first, last),
                    ways=max(len(graph.neighbours[places[position]]) for position in group) - 1,
                    goes_on=self._leads_on(places[max(0, first - _ARM)], places[first - 1], places[last]),
                    gap=first - before,
                )
            )
            before = last
        street = graph.street_ahead(places[-2], places[-1]) if len(places) > 1 else (places[-1],)
        return Route(
            places=places,
            crossings=tuple(crossings),
            since=len(places) - 1 - before,
            ahead=len(street) - 1,
            ends_dead=not graph.is_junction(street[-1]),
        )

    def _turn(self, places: tuple[int, ...], first: int, last: int) -> float:
        if last >= len(places) - 1:
            return float("nan")
        low, high = max(0, first - _ARM), min(len(places) - 1, last + _ARM)
        key = (places[low], places[first], places[last], places[high])
        if key not in self._turns:
            self._turns[key] = turn_deg(
                self._graph.bearing_deg(key[0], key[1]), self._graph.bearing_deg(key[2], key[3])
            )
        return self._turns[key]

    def _leads_on(self, far: int, previous: int, place: int) -> bool:
        key = (far, place)
        if key not in self._goes_on:
            graph = self._graph
            heading = graph.bearing_deg(far, place)
            self._goes_on[key] = any(
                abs(turn_deg(heading, graph.bearing_deg(place, graph.street_ahead(place, other)[:_ARM][-1])))
                < _STRAIGHT_DEG
                for other in graph.neighbours[place]
                if other != previous
            )
        return self._goes_on[key]
