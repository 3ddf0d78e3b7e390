"""Routes that a walker could take from where it stands, and their shape: crossings, turns, blocks.

Every place within a range of links is a possible goal, and the way there is the shortest (written routes lead
somewhere, they do not wander); ties are all kept, up to a few. Knows no text. Cost: about 160 routes and 6 ms a start,
for routes of 34 to 44 links.
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
    shapes = _Shapes(graph)
    for places in _shortest_ways(graph, start, first_step=first_step, max_hops=max_hops):
        if len(places) > min_hops:
            yield shapes.describe(places)


def describe_route(graph: StreetGraph, places: Sequence[int]) -> Route:
    """The shape of a route that was walked."""
    return _Shapes(graph).describe(tuple(places))


def _shortest_ways(
    graph: StreetGraph, start: int, *, first_step: int | None, max_hops: int
) -> Iterator[tuple[int, ...]]:
    """Every shortest way from a place, nearest goals first, at most `MAX_TIES` to each goal."""
    hops = graph.hops_from(start, limit=max_hops)
    ways: dict[int, list[tuple[int, ...]]] = {start: [(start,)]}
    for place, distance in hops.items():  # nearest first: all ways to the places before it are known
        if place != start:
            ways[place] = [
                (*way, place)
                for before in graph.neighbours[place]
                if hops.get(before, -1) == distance - 1 and place in graph.neighbours[before]
                for way in ways.get(before, ())
                if distance > 1 or first_step is None or place == first_step
            ][:MAX_TIES]
        yield from ways[place]


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
        goal = places[len(places) - 1]
        street = graph.street_ahead(places[-2] if len(places) > 1 else goal, goal)
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
