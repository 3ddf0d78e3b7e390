"""All that speaks for and against each possible route: its shape under the plan, and remembered landmarks along it.

Sparse and named, so that weights can be learned, read and left out by name. Knows no weights. Cost: about 8 ms for the
160 routes of a start, 8 ms more with memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planners.navigate.alignment import Alignment, align
from planners.navigate.candidates import Route
from planners.navigate.features import route_features
from planners.navigate.remembered import LandmarkMemory, RememberedLandmark, expected_span, places_along
from planners.navigate.route_plan import Landmark, RoutePlan
from planners.navigate.street_graph import StreetGraph

FAR = 6
"""Links from where the words place a landmark beyond which distances are not told apart."""
_CUE_VALUE = 0.4
"""Cues are many and rare: a smaller value makes the same penalty hold them back more when weights are learned (one
point of task completion on held-out seen streets)."""
_FAR_WORTH = 0.01
"""Worth of a landmark's share beyond that, when the best one of several of a name is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """Possible routes and their evidence, as a sparse matrix (route, name of feature) of values."""

    plan: RoutePlan
    routes: tuple[Route, ...]
    alignments: tuple[Alignment, ...]
    names: tuple[str, ...]
    route_of: npt.NDArray[np.int32]
    """(entries,) index into `routes`."""
    name_of: npt.NDArray[np.int32]
    """(entries,) index into `names`."""
    value: npt.NDArray[np.float32]
    """(entries,)"""

    def scores(self, weights: Mapping[str, float]) -> npt.NDArray[np.float64]:
        """(routes,) sums of weighted evidence; what has no weight counts nothing."""
        by_name = np.array([weights.get(name, 0.0) for name in self.names], dtype=np.float64)
        return np.bincount(
            self.route_of, weights=by_name[self.name_of] * self.value, minlength=len(self.routes)
        ).astype(np.float64)

    def keeping(self, keep: Callable[[str], bool]) -> Considered:
        """The same routes with less evidence."""
        kept = np.array([keep(name) for name in self.names], dtype=bool)[self.name_of]
        return Considered(
            plan=self.plan,
            routes=self.routes,
            alignments=self.alignments,
            names=self.names,
            route_of=self.route_of[kept],
            name_of=self.name_of[kept],
            value=self.value[kept],
        )


def consider(plan: RoutePlan, routes: Sequence[Route]) -> Considered:
    """Gathers what the plan alone says of each route."""
    alignments = tuple(align(plan, route) for route in routes)
    rows = [
        [(name, _CUE_VALUE if name.startswith("cue ") else 1.0) for name in route_features(plan, route, alignment)]
        for route, alignment in zip(routes, alignments, strict=True)
    ]
    return _considered(plan, tuple(routes), alignments, rows)


def recall_landmarks(graph: StreetGraph, considered: Considered, memory: LandmarkMemory) -> Considered:
    """Adds what memory says: where remembered landmarks of the plan's names lie, seen from where its words put them."""
    plan = considered.plan
    known = [(landmark, memory.landmarks(landmark.name)) for landmark in plan.landmarks]
    known = [(landmark, found) for landmark, found in known if found]
    if not known:
        return considered
    rows: list[list[tuple[str, float]]] = []
    for route, alignment in zip(considered.routes, considered.alignments, strict=True):
        position: dict[int, int] = {}
        for index, place in enumerate(places_along(graph, route)):
            position.setdefault(place, index)
        sums: dict[str, float] = defaultdict(float)
        for landmark, remembered in known:
            span = expected_span(landmark, plan, route, alignment)
            for name, share in _landmark_features(landmark, remembered, position, span):
                sums[name] += share
        rows.append(list(sums.items()))
    added = _considered(plan, considered.routes, considered.alignments, rows)
    return Considered(
        plan=plan,
        routes=considered.routes,
        alignments=considered.alignments,
        names=considered.names + added.names,
        route_of=np.concatenate([considered.route_of, added.route_of]),
        name_of=np.concatenate([considered.name_of, added.name_of + len(considered.names)]),
        value=np.concatenate([considered.value, added.value]),
    )


def _landmark_features(
    landmark: Landmark, remembered: Sequence[RememberedLandmark], position: Mapping[int, int], span: tuple[int, int]
) -> list[tuple[str, float]]:
    """Shares of the best landmark of a name by how many links it lies before or behind where the words put it."""
    low, high = span
    best: dict[int, float] = {}
    best_worth = -1.0
    for candidate in remembered:
        at: dict[int, float] = defaultdict(float)
        for place, share in candidate.share_at.items():
            index = position.get(place)
            if index is not None:
                off = 0 if low <= index <= high else index - (low if index < low else high)
                at[max(-FAR, min(FAR, off))] += share
        near = sum(share for off, share in at.items() if abs(off) < FAR)
        worth = near + _FAR_WORTH * sum(at.values())
        if worth > best_worth:
            best, best_worth = at, worth
    kind = f"{landmark.role}{' corner' if landmark.at_corner else ''}{'' if landmark.is_proper else ' kind'}"
    key = f"landmark {kind} {landmark.relation if landmark.role == 'stop' else 'any'}"
    features = [(f"{key} {off:+d}", share) for off, share in sorted(best.items())]
    features.append((f"{key} elsewhere", 1.0 - sum(best.values())))
    return features


def _considered(
    plan: RoutePlan,
    routes: tuple[Route, ...],
    alignments: tuple[Alignment, ...],
    rows: Sequence[Sequence[tuple[str, float]]],
) -> Considered:
    index: dict[str, int] = {}
    route_of: list[int] = []
    name_of: list[int] = []
    value: list[float] = []
    for number, row in enumerate(rows):
        for name, share in row:
            route_of.append(number)
            name_of.append(index.setdefault(name, len(index)))
            value.append(share)
    return Considered(
        plan=plan,
        routes=routes,
        alignments=alignments,
        names=tuple(index),
        route_of=np.array(route_of, dtype=np.int32),
        name_of=np.array(name_of, dtype=np.int32),
        value=np.array(value, dtype=np.float32),
    )
