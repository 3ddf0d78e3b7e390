"""Landmarks remembered from walks that someone described: a name, and where on the street graph it stands.

A walk is a route and the words that were said about it. Each landmark named on it is anchored to the part of the route
where the words place it: a crossing ("with X on the corner"), a stretch ("pass X"), the stop ("in front of X"). What
several walks say about one landmark is multiplied, so that a stretch and a crossing become a place. Landmarks of one
name that do not overlap are different ones (chains). Goals, turns and routes themselves are not remembered.

Knows no recording and no store (`kept_walks` does): `LandmarkMemory` is what the follower asks for, and any memory of
places can answer it.
Cost: about 0.2 ms a walk to write, 0.05 ms a name to recall.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from planners.navigate.alignment import Alignment, align
from planners.navigate.candidates import Route
from planners.navigate.route_plan import Landmark, RoutePlan
from planners.navigate.street_graph import StreetGraph

_SAME_OVERLAP = 0.15
"""Overlap (Bhattacharyya) from which two mentions of a name are taken for one landmark."""
_FLOOR = 0.01
"""Mass that a mention leaves to places that it does not name, so that one wrong walk cannot erase a landmark."""
_LOOK_AHEAD = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedLandmark:
    """A landmark and where it stands."""

    name: str
    share_at: Mapping[int, float]
    """Graph place -> share of belief; sums to 1."""
    mentions: int


class LandmarkMemory(Protocol):
    """What a memory of places has to answer for directions to be followed with it."""

    def landmarks(self, name: str) -> Sequence[RememberedLandmark]:
        """The landmarks of a name (as `planners.navigate.landmarks.landmark_name` writes it)."""
        ...


@dataclass(frozen=True, slots=True)
class _Note:
    walk: str
    share_at: dict[int, float]


class WalkMemory:
    """Landmarks from described walks, in process."""

    def __init__(self, graph: StreetGraph) -> None:
        self._graph = graph
        self._notes: dict[str, list[_Note]] = {}
        self._walks: set[str] = set()
        self._grouped: dict[str, list[RememberedLandmark]] = {}

    def remember(self, walk: str, plan: RoutePlan, route: Route) -> list[tuple[Landmark, dict[int, float]]]:
        """Writes the landmarks of a walk down; the same walk twice changes nothing. Returns (landmark, share of belief
        by graph place) of what was written."""
        if walk in self._walks:
            return []
        self._walks.add(walk)
        alignment = align(plan, route)
        found: list[tuple[Landmark, dict[int, float]]] = []
        for landmark in plan.landmarks:
            share_at = _anchor(self._graph, landmark, plan, route, alignment)
            if share_at:
                found.append((landmark, share_at))
                self.take_note(walk, landmark.name, share_at)
        return found

    def take_note(self, walk: str, name: str | None, share_at: dict[int, float]) -> None:
        """Takes up one of them; a name of None: the walk named no landmark."""
        self._walks.add(walk)
        if name is not None:
            self._notes.setdefault(name, []).append(_Note(walk, share_at))
            self._grouped.pop(name, None)

    def has(self, walk: str) -> bool:
        """Whether a walk is remembered."""
        return walk in self._walks

    def landmarks(self, name: str, *, without: Collection[str] = ()) -> list[RememberedLandmark]:
        """The landmarks of a name, the surest first.

        Args:
            without: walks whose notes are left out.
        """
        notes = self._notes.get(name, [])
        if without and any(note.walk in without for note in notes):
            return _group(name, [note for note in notes if note.walk not in without])
        if name not in self._grouped:
            self._grouped[name] = _group(name, notes)
        return self._grouped[name]

    def without(self, walks: Collection[str]) -> LandmarkMemory:
        """The same memory as if these walks had not been taken."""
        return WithoutWalks(self, frozenset(walks))

    @property
    def walks(self) -> int:
        return len(self._walks)


class Walks(Protocol):
    """What `WithoutWalks` leaves something out of."""

    def landmarks(self, name: str, *, without: Collection[str] = ()) -> list[RememberedLandmark]:
        """See `WalkMemory.landmarks`."""
        ...


@dataclass(frozen=True, slots=True)
class WithoutWalks:
    """A memory as if some walks had not been taken."""

    memory: Walks
    walks: frozenset[str]

    def landmarks(self, name: str) -> list[RememberedLandmark]:
        """The landmarks of a name, the surest first."""
        return self.memory.landmarks(name, without=self.walks)


def _group(name: str, notes: Sequence[_Note]) -> list[RememberedLandmark]:
    """Notes of one name as landmarks: those that overlap are one, and multiply."""
    groups: list[tuple[dict[int, float], int]] = []
    for note in sorted(notes, key=lambda note: (-max(note.share_at.values()), note.walk)):
        best, best_overlap = None, _SAME_OVERLAP
        for number, (share_at, _) in enumerate(groups):
            overlap = sum((share * share_at.get(place, 0.0)) ** 0.5 for place, share in note.share_at.items())
            if overlap > best_overlap:
                best, best_overlap = number, overlap
        if best is None:
            groups.append((note.share_at, 1))
        else:
            share_at, count = groups[best]
            groups[best] = (_multiply(share_at, note.share_at), count + 1)
    groups.sort(key=lambda group: -group[1])
    return [RememberedLandmark(name=name, share_at=share_at, mentions=count) for share_at, count in groups]


def _multiply(left: Mapping[int, float], right: Mapping[int, float]) -> dict[int, float]:
    product = {place: (left.get(place, 0.0) + _FLOOR) * (right.get(place, 0.0) + _FLOOR) for place in {*left, *right}}
    total = sum(product.values())
    return {place: share / total for place, share in sorted(product.items()) if share / total > 1e-3}


def expected_span(landmark: Landmark, plan: RoutePlan, route: Route, alignment: Alignment) -> tuple[int, int]:
    """Between which positions on the route the words place a landmark; beyond the goal: positions after its last."""
    goal = len(route.places) - 1
    crossings = route.crossings
    laid = alignment.legs[min(landmark.leg, len(alignment.legs) - 1)]
    if landmark.role == "stop" and not landmark.at_corner:
        return goal, goal
    if landmark.role == "beyond":
        return goal + 1, goal + 1
    index = laid.first_crossing + landmark.junctions - 1
    if laid.crossing is not None and landmark.junctions >= plan.legs[landmark.leg].junctions:
        index = laid.crossing
    if landmark.role in {"stop", "near"}:
        if landmark.at_corner:
            return (goal, goal) if route.since == 0 else (goal + route.ahead, goal + route.ahead)
        return goal, goal
    start = crossings[laid.first_crossing - 1].last if 0 < laid.first_crossing <= len(crossings) else 0
    if landmark.at_corner or (landmark.at_junction and landmark.junctions):
        at = max(index, laid.first_crossing if landmark.junctions else index + 1)
        if 0 <= at < len(crossings):
            return crossings[at].first, crossings[at].last
        return goal, goal + route.ahead
    low = crossings[index].last if landmark.junctions and 0 <= index < len(crossings) else start
    following = index + 1 if landmark.junctions else laid.first_crossing
    high = crossings[following].first if 0 <= following < len(crossings) else goal
    return (low, max(low, high)) if low <= goal else (goal, goal)


def places_along(graph: StreetGraph, route: Route) -> tuple[int, ...]:
    """The route and the street that goes on from its goal."""
    if len(route.places) < 2:
        return route.places
    ahead = graph.street_ahead(route.places[-2], route.places[-1])
    return (*route.places, *ahead[1 : _LOOK_AHEAD + 1])


def _anchor(
    graph: StreetGraph, landmark: Landmark, plan: RoutePlan, route: Route, alignment: Alignment
) -> dict[int, float]:
    places = places_along(graph, route)
    low, high = expected_span(landmark, plan, route, alignment)
    weights: dict[int, float] = {}

    def add(position: int, weight: float) -> None:
        if 0 <= position < len(places):
            weights[places[position]] = weights.get(places[position], 0.0) + weight

    if landmark.role in {"stop", "near", "beyond"} and not landmark.at_corner:
        shift = {"at": 0, "before": 1, "after": -1}[landmark.relation] if landmark.role == "stop" else 0
        spread = {
            "stop": (0.12, 0.6, 1.0, 0.6, 0.12),
            "near": (0.4, 0.8, 1.0, 1.0, 0.8),
            "beyond": (0.1, 0.5, 1.0, 1.0, 1.0),
        }
        for offset, weight in enumerate(spread[landmark.role]):
            add(low + shift + offset - 2, weight)
    else:
        for position in range(low, high + 1):
            add(position, 1.0)
        for position in (low - 1, high + 1):
            add(position, 0.6)
        for position in (low - 2, high + 2):
            add(position, 0.15)
    total = sum(weights.values())
    return {place: weight / total for place, weight in weights.items()}
