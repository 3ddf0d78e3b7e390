"""Joins what the searches say into one score per candidate, and spreads hits over events.

A line says one thing, what stands around it says what it is about: "Two dozen" beside "How many eggs?". So a line
scores by itself and by its event, in meaning and in words:

    line  = 0.15 line, dense + 0.20 line, words + 0.20 event, dense + 0.45 event, words
    event = the same of its best line
    score = 0.4 of it + 0.6 of the best event near by (`nearness`)

A summary stands for its event. Objects and scenes are judged by what they are called, and by nothing around them: a
bird is no rabbit, whatever is said beside it. What an event has said already counts less: its second hit follows other
events' first ones, but is not hidden.

The weights were found on one stream of captions and tried on something else, five conversations over
months (LoCoMo, 997 questions, all scores complete): of the turns that answer, 78 % are among the first 10, 61 % by
lines alone, 70 % with line and event weighed equally; a fit on those questions gives the same weights (0.18, 0.17,
0.20, 0.45). Through recall itself, on the five conversations that nothing was tried on (985 questions): 32 / 65 / 75 /
89 % at 1 / 5 / 10 / 50.

Knows no table's layout and no query. Costs some milliseconds for two thousand candidates.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from streammem.recall.candidates import Candidate
from streammem.recall.nearness import AROUND, best_near
from streammem.store.tables import EVENTS, FACTS, KEYFRAMES, OBSERVATIONS

ALONE_DENSE = 0.6
"""Of what stands alone (facts, coarser levels), the rest being words. Anything from 0.4 to 0.7 finds as much."""
REPEAT = 0.9
"""Factor on a further hit in an event that has one already (squared for the third, ...): 0.7 hides answers that stand
together (69 % of turns at 10 instead of 74), 1 lets one event fill the list (71)."""
SUMMARY_FACTOR = 0.7
"""A summary spans its whole event: at equal match, the observation that says it is the better evidence.
With 0.9 summaries push 5 to 7 of 100 turns out of the first 10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """Score below which a search returned nothing more: what a row it did not return may at most have."""

    dense: float = 0.0
    words: float = 0.0


NO_FLOORS = Floors()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Of a line and of its event, in meaning and in words. They sum to 1."""

    line_dense: float
    line_words: float
    event_dense: float
    event_words: float


LINES = Weights(line_dense=0.15, line_words=0.20, event_dense=0.20, event_words=0.45)
"""Where lines are ranked. Those of passages find 0.8 of 100 turns less (-1.8 to +0.2; LoCoMo, 770 questions)."""


def alone(candidate: Candidate, floors: Floors, *, has_dense: bool) -> float:
    """[0, 1] of a row that is judged by itself. Without an encoder the full text decides."""
    words = candidate.words if candidate.words is not None else 0.0
    if not has_dense:
        return words
    dense = candidate.dense if candidate.dense is not None else floors.dense * 0.8
    return ALONE_DENSE * dense + (1.0 - ALONE_DENSE) * words


def line_part(
    dense: float | None, words: float | None, floors: Floors, *, has_dense: bool, weights: Weights = LINES
) -> float:
    """What a line adds to its score. What a search did not return is at most as good as the last that it did."""
    value = weights.line_words * (floors.words if words is None else words)
    if not has_dense:
        return value / (weights.line_words + weights.event_words)
    return value + weights.line_dense * (floors.dense if dense is None else dense)


def event_part(whole: Candidate | None, floors: Floors, *, has_dense: bool, weights: Weights = LINES) -> float:
    """What the text of an event adds to the score of its lines."""
    words = None if whole is None else whole.words
    value = weights.event_words * (floors.words if words is None else words)
    if not has_dense:
        return value / (weights.line_words + weights.event_words)
    dense = None if whole is None else whole.dense
    return value + weights.event_dense * (floors.dense if dense is None else dense)


@dataclass(slots=True, kw_only=True)
class _Event:
    recording: str
    t_start_ns: int
    t_end_ns: int
    whole: Candidate | None = None
    line: float | None = None
    text: float = 0.0
    near: float = 0.0
    """What the events near by add."""


def score_all(candidates: list[Candidate], *, floors: dict[str, Floors], has_dense: bool) -> None:
    """Sets `score` of every candidate."""
    lines, wholes = floors.get(OBSERVATIONS, NO_FLOORS), floors.get(EVENTS, NO_FLOORS)
    events: dict[str, _Event] = {}
    own: dict[int, float] = {}
    for candidate in candidates:
        if candidate.table == KEYFRAMES:
            candidate.score = candidate.visual or 0.0
        elif candidate.named is not None:
            candidate.score = candidate.named
        elif candidate.table == FACTS:
            candidate.score = alone(candidate, floors.get(FACTS, NO_FLOORS), has_dense=has_dense)
        else:
            row = candidate.row
            start, end = row["t_start_ns"], row["t_end_ns"]
            event = events.get(candidate.event_id)
            if event is None:
                event = events[candidate.event_id] = _Event(recording=row["recording"], t_start_ns=start, t_end_ns=end)
            event.t_start_ns, event.t_end_ns = min(event.t_start_ns, start), max(event.t_end_ns, end)
            if candidate.table == EVENTS:
                event.whole = candidate
            else:
                value = line_part(candidate.dense, candidate.words, lines, has_dense=has_dense)
                own[id(candidate)] = value
                event.line = value if event.line is None else max(event.line, value)
    _spread(list(events.values()), lines, wholes, has_dense=has_dense)
    for candidate in candidates:
        event = events.get(candidate.event_id)
        if event is None or candidate.named is not None:
            continue
        if candidate.table == OBSERVATIONS:
            candidate.score = _joined(own[id(candidate)] + event.text, event)
        elif candidate.table == EVENTS:
            best = line_part(None, None, lines, has_dense=has_dense) if event.line is None else event.line
            candidate.score = SUMMARY_FACTOR * _joined(best + event.text, event)


def _spread(events: list[_Event], lines: Floors, wholes: Floors, *, has_dense: bool) -> None:
    """Sets `text` and `near` of every event."""
    unfound = line_part(None, None, lines, has_dense=has_dense)
    for event in events:
        event.text = event_part(event.whole, wholes, has_dense=has_dense)
    own = np.array([event.text + (unfound if event.line is None else event.line) for event in events])
    middles = [(event.t_start_ns + event.t_end_ns) // 2 for event in events]
    near = best_near(own, [event.recording for event in events], middles)
    for event, value in zip(events, near, strict=True):
        event.near = float(value)


def _joined(own: float, event: _Event) -> float:
    return (1.0 - AROUND) * own + AROUND * event.near


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
