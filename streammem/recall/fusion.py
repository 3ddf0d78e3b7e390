"""Joins what the searches say into one score per candidate, spreads it over time, and spreads hits over events.

1. A text row scores the weighted sum of its dense and full-text scores; a row that one search did not return gets that
   search's floor.
2. Its event adds context: the event's own summary, its best observation, and the better of the two neighbours within
   half a minute, since who answers a question often speaks just after who asks it.
3. What an event has said already counts less: its second hit follows other events' first ones, but is not hidden.

Knows no table and no query. Costs about a millisecond for a thousand candidates.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from dataclasses import dataclass

from streammem.recall.candidates import Candidate
from streammem.store.tables import EVENTS, FACTS, KEYFRAMES, OBSERVATIONS
from streammem.types import NS_PER_S

DENSE_WEIGHT = 0.5
"""Against 1 - it for full text."""
OWN, EVENT, NEIGHBOUR = 0.6, 0.25, 0.15
"""Shares of a hit's score: the row itself, its event, the better neighbouring event."""
NEIGHBOUR_WITHIN_NS = 30 * NS_PER_S
REPEAT = 0.7
"""Factor on a further hit in an event that has one already (squared for the third, ...)."""
SUMMARY_FACTOR = 0.9
"""A summary spans its whole event: at equal match, the observation that says it is the better evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """Score below which a search returned nothing more: what a row it did not return may at most have."""

    dense: float = 0.0
    words: float = 0.0


def text_score(candidate: Candidate, floors: Floors, *, has_dense: bool) -> float:
    """[0, 1]. Without an encoder the full text decides alone."""
    words = candidate.words if candidate.words is not None else 0.0
    if not has_dense:
        return words
    dense = candidate.dense if candidate.dense is not None else floors.dense * 0.8
    return DENSE_WEIGHT * dense + (1.0 - DENSE_WEIGHT) * words


def score_all(candidates: list[Candidate], *, floors: dict[str, Floors], has_dense: bool) -> None:
    """Sets `score` of every candidate."""
    own: dict[int, float] = {}
    best_inside: dict[str, float] = defaultdict(float)
    summary: dict[str, float] = defaultdict(float)
    spans: dict[str, tuple[str, int, int]] = {}
    for candidate in candidates:
        if candidate.table == KEYFRAMES:
            own[id(candidate)] = candidate.visual or 0.0
            continue
        value = text_score(candidate, floors.get(candidate.table, Floors()), has_dense=has_dense)
        own[id(candidate)] = value
        event_id, row = candidate.event_id, candidate.row
        if candidate.table == FACTS:
            continue
        if candidate.table == EVENTS:
            summary[event_id] = value
        else:
            best_inside[event_id] = max(best_inside[event_id], value)
        _, start, end = spans.get(event_id, ("", row["t_start_ns"], row["t_end_ns"]))
        spans[event_id] = (row["recording"], min(start, row["t_start_ns"]), max(end, row["t_end_ns"]))
    context = {event_id: 0.5 * (summary[event_id] + best_inside[event_id]) for event_id in spans}
    neighbours = _best_neighbours(context, spans)
    for candidate in candidates:
        value = own[id(candidate)]
        if candidate.table in (OBSERVATIONS, EVENTS):
            near = neighbours.get(candidate.event_id, 0.0)
            if candidate.table == EVENTS:
                value *= SUMMARY_FACTOR
            around = context[candidate.event_id]
            # Context lifts; it never pushes a row that matches by itself below its own match.
            value = max(value, OWN * value + EVENT * around + NEIGHBOUR * near)
        candidate.score = value


def _best_neighbours(context: dict[str, float], spans: dict[str, tuple[str, int, int]]) -> dict[str, float]:
    by_recording: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for event_id, (recording, start, end) in spans.items():
        by_recording[recording].append((start, end, event_id))
    best: dict[str, float] = {}
    for ordered in by_recording.values():
        ordered.sort()
        starts = [start for start, _, _ in ordered]
        for position, (start, end, event_id) in enumerate(ordered):
            value = 0.0
            low = bisect.bisect_left(starts, start - 2 * NEIGHBOUR_WITHIN_NS)
            for other in range(low, len(ordered)):
                other_start, other_end, other_id = ordered[other]
                if other_start > end + NEIGHBOUR_WITHIN_NS:
                    break
                if other != position and other_end >= start - NEIGHBOUR_WITHIN_NS:
                    value = max(value, context[other_id])
            best[event_id] = value
    return best


def rank(candidates: list[Candidate], *, k: int) -> list[Candidate]:
    """The best `k`: the same words in the same event count once, further hits of an event fall back."""
    ordered = sorted(candidates, key=_order)
    seen: set[tuple[str, str]] = set()
    per_event: dict[str, int] = defaultdict(int)
    for candidate in ordered:
        said = (candidate.event_id, (candidate.row.get("text") or candidate.row.get("keyframe_id") or "").casefold())
        if said in seen:
            candidate.score = 0.0
            continue
        seen.add(said)
        candidate.score *= REPEAT ** per_event[candidate.event_id]
        per_event[candidate.event_id] += 1
    return sorted((candidate for candidate in ordered if candidate.score > 0.0), key=_order)[:k]


def _order(candidate: Candidate) -> tuple[float, str, int, int]:
    row = candidate.row
    return (-candidate.score, row["recording"], row["t_start_ns"], row["t_end_ns"])
