"""How places and things are told in answers, and which option an answer means. English; knows no memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from planners.words import content_words, numbers_in, stem
from streammem.spatial.records import ObjectChange, ObjectState
from streammem.spatial.wording import article

Instant = Callable[[int], str]
"""Nanoseconds to words."""


def told_state(state: ObjectState, instant: Instant, *, direction: str | None = None, short: bool = False) -> str:
    """`The mug was last seen on the table in the kitchen at 0:10:42 (2.1 m away, to your left (north)).`"""
    at = f"{state.whereabouts()} at {instant(state.t_ns)}"
    if short:
        return f"{at}{' (it is not there any more)' if state.is_missing else ''}"
    where = "({:.1f}, {:.1f}, {:.1f}) m".format(*state.object_position)
    spot = "" if state.whereabouts().endswith(where) else f", {where}"
    way = f"; {direction}" if direction else ""
    like = f" It was {state.state}." if state.state else ""
    return f"The {state.label} was last seen {at}{spot}{way}.{like}"


def told_change(change: ObjectChange, instant: Instant) -> str:
    """`the mug moved from the table to the sink at 0:10:42`"""
    return f"{change.text} at {instant(change.t_ns)}"


def listed(words: Sequence[str], *, last: str = "and") -> str:
    """`a, b and c`"""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def plural(noun: str, count: int) -> str:
    """`a mug`, `2 mugs`, `3 boxes`"""
    if count == 1:
        return f"{article(noun)} {noun}"
    ending = "es" if noun.endswith(("s", "x", "ch", "sh")) else "s"
    special = {"knife": "knives", "shelf": "shelves", "person": "people", "mouse": "mice"}
    return f"{count} {special.get(noun, noun + ending)}"


def chosen(text: str, choices: Sequence[str]) -> int | None:
    """The option that shares most words with an answer, or says yes or no as it does, if one does so alone."""
    if verdict := re.match(r"(yes|no)\b", text, re.I):
        agreeing = [number for number, one in enumerate(choices) if re.match(rf"\W*{verdict[1]}\b", one, re.I)]
        if len(agreeing) == 1:
            return agreeing[0]
    said = {stem(word) for word in content_words(text)}
    shares: list[float] = []
    for choice in choices:
        words = {stem(word) for word in content_words(choice)}
        shares.append(len(words & said) / len(words) if words else 0.0)
    best = max(shares, default=0.0)
    return shares.index(best) if best > 0.5 and shares.count(best) == 1 else None


def chosen_number(number: int, choices: Sequence[str]) -> int | None:
    """The option that names a number, if one does so alone."""
    wanted = {float(number)}
    found = [
        index
        for index, choice in enumerate(choices)
        if set(numbers_in(choice)) == wanted or (number == 0 and content_words(choice) in ([], ["none"]))
    ]
    return found[0] if len(found) == 1 else None
