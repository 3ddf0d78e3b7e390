"""What is usual, and how often: counts over every telling of a doing.

Each happening is one vote: for who did it, for the part of the day, for the place or whatever else an option names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from planners.aggregates import Aggregate
from planners.happenings import WEARER, Happening, distinct, people_in
from planners.moments import Moments, holding
from planners.plan import QuestionKind
from planners.protocols import Draft
from planners.reasoners.options import Option
from planners.reasoners.states import moved, person_option, place_in
from planners.reasoners.wording import MOST_LISTED, listed
from streammem.calendar import DAY_PARTS
from streammem.timeline import DAY_NS
from streammem.types import NS_PER_S

AT_LEAST = 2
"""Votes from which on something may be called usual."""
_MOVED = re.compile(r"\b(?:moved?|put|carried|shifted|brought)\b", re.I)


def by_doer(happenings: Sequence[Happening], *, question: str, moments: Moments) -> list[Happening]:
    """Those of whom the question names; all where it names nobody."""
    people = moments.people | {each.doer.lower() for each in happenings if each.doer}
    asked = people_in(question, people=people)
    return [each for each in happenings if each.doer in asked] if asked else list(happenings)


def answer_count(aggregate: Aggregate, moments: Moments, *, question: str) -> Draft | None:
    """How often it happened; None where no line tells of it."""
    told = by_doer(holding(moments.about(aggregate.about), aggregate.stems), question=question, moments=moments)
    if _MOVED.search(question):
        told = moved(told)
    found = distinct(told)
    if not found:
        return None
    words = moments.board.view.words
    times = [words.point(each.match.recording, each.match.t_start_ns) for each in found]
    count = "Once" if len(found) == 1 else "Twice" if len(found) == 2 else f"{len(found)} times"
    return Draft(
        text=f"{count}: {listed(times[:MOST_LISTED], total=len(times))}.",
        matches=tuple(each.match for each in found),
        confidence=0.75,
        cites_all=True,
    )


def answer_usual(
    aggregate: Aggregate, moments: Moments, options: Sequence[Option], *, question: str, kind: QuestionKind
) -> Draft | None:
    """What most tellings agree on; None where there are too few, or no winner."""
    told = holding(moments.about(aggregate.about), aggregate.stems)
    asks_part = re.search(r"\b(?:time|part) of (?:the )?day\b", question, re.I) is not None or kind == "when"
    if kind != "who" or asks_part:
        told = by_doer(told, question=question, moments=moments)
    votes: list[tuple[str, Happening]] = []
    for each in distinct(told):
        vote = _part_of_day(each, options) if asks_part else _vote(each, options, aggregate=aggregate, kind=kind)
        if vote is not None:
            votes.append((vote, each))
    ranked = Counter(vote for vote, _ in votes).most_common(2)
    if not ranked or ranked[0][1] < AT_LEAST or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    usual, count = ranked[0]
    choice = _option_of(usual, options, kind=kind, asks_part=asks_part)
    if options and choice is None:
        return None
    spoken = "the wearer of the camera (\u201cI\u201d)" if usual == WEARER else usual
    if not options and kind == "where":
        spoken = f"in the {usual}"
    first = [each.match for vote, each in votes if vote == usual]
    others = [each.match for vote, each in votes if vote != usual]
    return Draft(
        text=f"Usually {spoken} ({count} of {len(votes)} times).",
        matches=(*first, *others),
        confidence=round(count / (len(votes) + 1), 3),
        choice=choice,
        cites_all=True,
    )


def _vote(each: Happening, options: Sequence[Option], *, aggregate: Aggregate, kind: QuestionKind) -> str | None:
    if kind == "who":
        return each.doer
    held = [option for option in options if option.stems and frozenset(option.stems) <= each.stems]
    if held:
        return max(held, key=lambda option: len(option.stems)).text
    asks_place = kind == "where" or re.search(r"\b(?:room|place|spot|where)\b", aggregate.about, re.I)
    return place_in(each.text, thing=frozenset(aggregate.stems)) if asks_place else None


def _option_of(usual: str, options: Sequence[Option], *, kind: QuestionKind, asks_part: bool) -> int | None:
    if kind == "who" and not asks_part:
        return person_option(usual, options)
    return next((number for number, option in enumerate(options) if option.text == usual), None)


def _part_of_day(each: Happening, options: Sequence[Option]) -> str | None:
    """The option, or without options the part of the day, whose middle is nearest to when it happened."""
    hour = each.match.t_start_ns % DAY_NS / (3600 * NS_PER_S)
    parts = {name: name for name in ("morning", "noon", "afternoon", "evening", "night")}
    spans = {option.text: middle for option in options if (middle := _middle_of_part(option.text)) is not None} or {
        name: middle for name in parts if (middle := _middle_of_part(name)) is not None
    }
    return min(spans, key=lambda name: (min(abs(spans[name] - hour), 24 - abs(spans[name] - hour)), name), default=None)


def _middle_of_part(text: str) -> float | None:
    """Hour in the middle of a part of the day, in words: `in the late evening` is 22:15."""
    found = re.search(rf"\b(?P<shade>early|late)?\s*(?P<part>{'|'.join(DAY_PARTS)})s?\b", text, re.I)
    if found is None:
        return None
    low, high = DAY_PARTS[found["part"].lower()]
    shade = (found["shade"] or "").lower()
    share = {"early": 0.25, "late": 0.75}.get(shade, 0.5)
    return low + share * (high - low)
