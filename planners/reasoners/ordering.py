"""Which of several happenings came first or last, in which order, which lay between two others.

Every happening that is named is looked for by itself; who did it counts as much as what was done.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from planners.aggregates import Aggregate
from planners.happenings import Happening, people_in
from planners.matches import Match
from planners.moments import Moments
from planners.protocols import Draft
from planners.reasoners.options import Option, word_stems
from planners.reasoners.wording import quote

FOUND = 0.5
"""Share of its words from which on a line tells the happening that is named."""
_STEPS = re.compile(r"\s*(?:\u2192|->|=>|>|;|\n|, then |\bthen\b|\bfollowed by\b)\s*")


def answer_order_of_options(aggregate: Aggregate, moments: Moments, options: Sequence[Option]) -> Draft | None:
    """None unless every happening that decides it was found."""
    texts = [option.text for option in options]
    if aggregate.kind == "order":
        return _sequence(moments, texts)
    found = [(number, told) for number, text in enumerate(texts) if (told := find_happening(moments, text))]
    if aggregate.kind == "between":
        return _between(aggregate, moments, found)
    if len(found) < max(2, len(options) - 1):
        return None
    found.sort(key=lambda each: each[1].match.t_start_ns)
    number, edge = found[0] if aggregate.kind == "first" else found[-1]
    others = [told.match for each, told in found if each != number]
    return _draft(moments, texts[number], number, [edge.match, *others])


def find_happening(moments: Moments, text: str) -> Happening | None:
    """The line that best tells a happening named like `Theo's spilling coffee`; None where none holds half of it."""
    people = moments.people
    named = people_in(text, people=people)
    wanted = [word for word in word_stems(text, first_person=False) if word not in {name.lower() for name in named}]
    if not wanted:
        return None
    best: tuple[float, Happening] | None = None
    for each in moments.about(text):
        share = sum(word in each.stems for word in wanted) / len(wanted)
        if share < FOUND:
            continue
        score = share + (0.5 if named and each.doer == named[0] else 0.0)
        if best is None or score > best[0]:
            best = (score, each)
    return best[1] if best is not None else None


def _sequence(moments: Moments, texts: Sequence[str]) -> Draft | None:
    sequences = [[step for step in _STEPS.split(text) if step.strip()] for text in texts]
    if min((len(steps) for steps in sequences), default=0) < 2:
        return None
    times: dict[str, Happening] = {}
    for step in dict.fromkeys(step for steps in sequences for step in steps):
        told = find_happening(moments, step)
        if told is None:
            return None
        times[step] = told
    for number, steps in enumerate(sequences):
        starts = [times[step].match.t_start_ns for step in steps]
        if starts == sorted(starts):
            return _draft(moments, texts[number], number, [times[step].match for step in steps])
    return None


def _between(aggregate: Aggregate, moments: Moments, found: Sequence[tuple[int, Happening]]) -> Draft | None:
    ends = [find_happening(moments, end) for end in aggregate.clause]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    low, high = sorted(end.match.t_start_ns for end in ends if end is not None)
    inside = [(number, told) for number, told in found if low < told.match.t_start_ns < high]
    if len(inside) != 1:
        return None
    number, told = inside[0]
    return _draft(moments, told.text, number, [told.match, ends[0].match, ends[1].match])


def _draft(moments: Moments, text: str, number: int, matches: Sequence[Match]) -> Draft:
    lines = tuple(matches)
    words = moments.board.view.words
    told = "; ".join(f"{words.point(line.recording, line.t_start_ns)} {quote(line.text)}" for line in
                     sorted(lines, key=lambda line: line.t_start_ns))  # fmt: skip
    return Draft(text=f"{text.rstrip('.')} ({told}).", matches=lines, confidence=0.8, choice=number, cites_all=True)
