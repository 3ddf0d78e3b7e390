"""Joins what the searches say into one score per candidate, spreads it over time, and spreads hits over events.

1. A row scores the weighted sum of its dense and full-text scores; a row that one search did not return gets a little
   less than the last one it did. Sums of calibrated scores keep how well a thing matched, which ranks throw away.
2. An observation shares half of its score with its event's own text, a summary with the best observation inside; a
   fifth of the better neighbour within half a minute is added, for who answers often speaks just after who asks.
3. Objects and scenes are judged by what they are called, and by nothing around them: a bird is no rabbit, whatever is
   said beside it.
4. What an event has said already counts less: its second hit follows other events' first ones, but is not hidden.

Measured on 52 hours (6,223 half minutes, 167 questions, all four choices in the query; differences below five points
are noise; every row scored): found at 1 / 10 / 50 with 2. as it is 14 / 42 / 63 (13 / 39 / 63 from lists of 400),
without neighbours 14 / 42 / 61, dense alone 11 / 34 / 53, full text alone 13 / 34 / 56.

Knows no table's layout and no query. Costs about a millisecond for a thousand candidates.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from dataclasses import dataclass

from streammem.recall.candidates import Candidate
from streammem.store.tables import EVENTS, FACTS, KEYFRAMES, OBSERVATIONS
from streammem.types import NS_PER_S

DENSE_WEIGHT = 0.6
"""Against 1 - it for full text. Anything from 0.4 to 0.7 finds as much."""
EVENT_SHARE = 0.5
"""Of a hit's score: what its event says as a whole. The rest is the row itself."""
NEIGHBOUR = 0.2
"""Of the better neighbouring event's score, added."""
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
    if candidate.named is not None:
        return candidate.named
    if not has_dense:
        return words
    dense = candidate.dense if candidate.dense is not None else floors.dense * 0.8
    return DENSE_WEIGHT * dense + (1.0 - DENSE_WEIGHT) * words


def score_all(candidates: list[Candidate], *, floors: dict[str, Floors], has_dense: bool) -> None:
    """Sets `score` of every candidate."""
    own: dict[int, float] = {}
    best_inside: dict[str, float] = {}
    summary: dict[str, float] = {}
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
            best_inside[event_id] = max(best_inside.get(event_id, 0.0), value)
        _, start, end = spans.get(event_id, ("", row["t_start_ns"], row["t_end_ns"]))
        spans[event_id] = (row["recording"], min(start, row["t_start_ns"]), max(end, row["t_end_ns"]))
    whole = {
        event_id: _mixed(best_inside.get(event_id), summary.get(event_id), share=EVENT_SHARE) for event_id in spans
    }
    neighbours = _best_neighbours(whole, spans)
    for candidate in candidates:
        value = own[id(candidate)]
        if candidate.table in (OBSERVATIONS, EVENTS) and candidate.named is None:
            if candidate.table == OBSERVATIONS:
                value = _mixed(value, summary.get(candidate.event_id), share=EVENT_SHARE)
            else:
                value = SUMMARY_FACTOR * whole[candidate.event_id]
            value = (value + NEIGHBOUR * neighbours.get(candidate.event_id, 0.0)) / (1.0 + NEIGHBOUR)
        candidate.score = value


def _mixed(own: float | None, event: float | None, *, share: float) -> float:
    """Where one of the two has nothing to say, the other decides."""
    if own is None or event is None:
        return own if event is None and own is not None else event or 0.0
    return (1.0 - share) * own + share * event


def _best_neighbours(whole: dict[str, float], spans: dict[str, tuple[str, int, int]]) -> dict[str, float]:
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
                    value = max(value, whole[other_id])
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
