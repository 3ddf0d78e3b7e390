"""Passages: events scored as wholes, each returned once, as a span of a given length around what matches.

A question is answered by half a minute, not by the two seconds of one line: what says "the eggs" stands beside what
says who bought them. So an event scores by its best line and by its own text, and a passage of the wanted length
around it is one hit.

    score = what its best line and its text say, with the best event near by (`fusion`, `nearness`)
            + what time prefers (`temporal`)

What names a thing that is seen competes as it is. Where the query has choices, lines are compared with the question
alone and everything else with question and choices together; and not with the question as it stands, but with what
lies halfway between it and what it says (`wording`).

Measured on 52 hours (124,536 lines, 9,991 events, 167 questions asked as of their moment; differences below five points
are noise), all scores complete: a passage of 30 s among the first 1 / 10 / 50 overlaps the evidence for 23 / 54 / 74 %
with the choices in the query and 19 / 47 / 70 % without; within a minute of it 34 / 69 / 81 and 28 / 61 / 78. Weights
fitted on four fifths (line and event, near, age, named times) find in the last fifth 23 / 53 / 73 with choices and
17 / 47 / 70 without. What the question says, in that fit, brings 0 to 1 at 10 and 50 with choices and 2 and 1 without;
together with the weights here, which it goes with, 2 (+1 to +4) and 4 (+1 to +7) at 10. On other questions it brings
nothing and costs nothing (+0.2, -0.5 to +0.8; LoCoMo, 770 questions). Age costs 4 and 2 points at 10 and 50 when left
out, named times 2 and 2, both 7 and 5, what is near by 0 and 4. Searches return lists, not everything: through recall
itself it is 26 / 54 / 73 and 19 / 45 / 69, within a minute 35 / 70 / 80 and 27 / 61 / 78.

Nothing, or too little for its cost: another sentence encoder (bge-small) in place of this one (0 to -4 at 10 with
choices, -2 to +1 without) or beside it (-3 to +1), four times as many lines by their words (0 and +1), a small
cross-encoder that re-ranks the first 20 to 40 (+2 to +3 at 10 without choices before what the question says was used,
at 1.5 s a question for 40), means of five neighbouring lines (-2 to +2), how many of the words are there (-2), what the
question says compared with events (-1 to +1; +1 at 50 with choices), words that only ask left out of what is embedded
(+-1), all of these in one fit (-2 to +1), question and choices as two queries, words of five events at once (-3 to +2),
bigrams, words of speech and of captions apart, the neighbours' mean, episodes of 10 or 40 minutes, pseudo-relevance
feedback on words (+1), age read differently for "just", "last" and "usually", nothing from the last four minutes,
passages further apart (+2 within a minute, -4 strictly), weights of a listwise fit, longer and mean neighbourhoods.

Knows no table. The searches cost what they cost without passages; joining two thousand candidates some milliseconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from streammem.recall.candidates import Candidate
from streammem.recall.fusion import NO_FLOORS, Floors, Weights, event_part, line_part
from streammem.recall.nearness import AROUND, best_near
from streammem.recall.temporal import TimePreference
from streammem.store.tables import EVENTS, FACTS, KEYFRAMES, OBSERVATIONS
from streammem.types import Hit

WEIGHTS = Weights(line_dense=0.25, line_words=0.18, event_dense=0.17, event_words=0.40)
"""A passage shows its best line, not every line that matches, so what that line means counts more (`fusion.LINES`)."""
APART = 0.5
"""Centres of two passages are at least this share of their length apart."""

_Spans = tuple[int, int]


@dataclass(slots=True, kw_only=True)
class _Event:
    """One event with what was found in it. `best`: the candidate a hit speaks of; None where none may be shown."""

    recording: str
    t_start_ns: int
    t_end_ns: int
    whole: Candidate | None = None
    best: Candidate | None = None
    best_value: float = -1.0
    line_dense: float | None = None
    line_words: float | None = None
    seen: float = 0.0
    score: float = 0.0

    @property
    def middle_ns(self) -> int:
        return (self.t_start_ns + self.t_end_ns) // 2


def passages(
    candidates: list[Candidate],
    *,
    floors: dict[str, Floors],
    has_dense: bool,
    preference: TimePreference,
    allowed: Callable[[Candidate], bool],
    length_ns: int,
    k: int,
) -> list[Hit]:
    """The best `k` passages, best first. `allowed`: which candidates may be what a hit speaks of."""
    events = _gathered(candidates, allowed=allowed, has_dense=has_dense)
    _score(list(events.values()), floors=floors, has_dense=has_dense, preference=preference)
    ordered = sorted(
        (event for event in events.values() if event.best is not None),
        key=lambda event: (-event.score, event.recording, event.t_start_ns, event.t_end_ns),
    )
    hits: list[Hit] = []
    middles: dict[str, list[int]] = defaultdict(list)
    for event in ordered:
        assert event.best is not None
        start, end = _span(event, length_ns=length_ns, as_of_ns=preference.as_of_ns)
        middle = (start + end) // 2
        if any(abs(middle - other) < APART * length_ns for other in middles[event.recording]):
            continue
        middles[event.recording].append(middle)
        found = event.best.hit()
        score = min(max(event.score, 0.0), 1.0)
        hits.append(replace(found, t_start_ns=start, t_end_ns=end, score=score))
        if len(hits) == k:
            break
    return hits


def _gathered(
    candidates: list[Candidate], *, allowed: Callable[[Candidate], bool], has_dense: bool
) -> dict[str, _Event]:
    events: dict[str, _Event] = {}
    for candidate in candidates:
        if candidate.table == FACTS:
            continue  # what a fact was learned from is found itself
        row, name = candidate.row, candidate.event_id
        start, end = row["t_start_ns"], row["t_end_ns"]
        event = events.get(name)
        if event is None:
            event = events[name] = _Event(recording=row["recording"], t_start_ns=start, t_end_ns=end)
        event.t_start_ns, event.t_end_ns = min(event.t_start_ns, start), max(event.t_end_ns, end)
        if candidate.table == EVENTS:
            event.whole = candidate
            value = 0.0  # a line that matches at all says it better
        elif candidate.table == KEYFRAMES or candidate.named is not None:
            value = (candidate.visual if candidate.table == KEYFRAMES else candidate.named) or 0.0
            if allowed(candidate):
                event.seen = max(event.seen, value)
        else:
            event.line_dense = _larger(event.line_dense, candidate.dense)
            event.line_words = _larger(event.line_words, candidate.words)
            value = (candidate.dense or 0.0) + (candidate.words or 0.0) if has_dense else candidate.words or 0.0
        if value > event.best_value and allowed(candidate):
            event.best, event.best_value = candidate, value
    return events


def _score(events: list[_Event], *, floors: dict[str, Floors], has_dense: bool, preference: TimePreference) -> None:
    """Sets `score` of every event."""
    lines, wholes = floors.get(OBSERVATIONS, NO_FLOORS), floors.get(EVENTS, NO_FLOORS)
    own = np.array(
        [
            line_part(event.line_dense, event.line_words, lines, has_dense=has_dense, weights=WEIGHTS)
            + event_part(event.whole, wholes, has_dense=has_dense, weights=WEIGHTS)
            for event in events
        ]
    )
    near = best_near(own, [event.recording for event in events], [event.middle_ns for event in events])
    for index, event in enumerate(events):
        text = (1.0 - AROUND) * float(own[index]) + AROUND * float(near[index])
        event.score = max(text, event.seen) + preference.bonus(event.t_start_ns, event.t_end_ns)


def _span(event: _Event, *, length_ns: int, as_of_ns: int | None) -> _Spans:
    """`length_ns` around an event, or around its best line where the event is longer. Ends by `as_of_ns`."""
    middle = event.middle_ns
    if event.t_end_ns - event.t_start_ns > length_ns and event.best is not None:
        row = event.best.row
        middle = (row["t_start_ns"] + row["t_end_ns"]) // 2
        middle = min(max(middle, event.t_start_ns + length_ns // 2), event.t_end_ns - length_ns // 2)
    start = middle - length_ns // 2
    if as_of_ns is not None:
        start = min(start, as_of_ns - length_ns)
    if event.t_start_ns >= 0:
        start = max(start, 0)  # nothing was recorded before a recording's start
    end = start + length_ns
    return start, end if as_of_ns is None else min(end, as_of_ns)


def _larger(one: float | None, other: float | None) -> float | None:
    return one if other is None else other if one is None else max(one, other)
