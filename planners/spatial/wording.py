"""How places and things are told in answers, and which option an answer means. English; knows no memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from planners.english.words import content_words, numbers_in, stem
from planners.windows import TimeWords
from streammem.spatial.records import CARRIED, HANDED_OVER, IN_THE_HAND, ObjectChange, ObjectState
from streammem.spatial.wording import be, they, with_article
from streammem.types import NS_PER_S

MOST_TOLD = 20
"""Things that an answer names; all of them are counted."""
SAME_TIME_S = 5.0
"""What was seen before a change, and after it, so shortly apart is told as one time."""
Instant = Callable[[int], str]
"""Nanoseconds to words."""


def told_state(state: ObjectState, instant: Instant, *, direction: str | None = None, short: bool = False) -> str:
    """`The mug was last seen on the table in the kitchen at 0:10:42 (2.1 m away, to your left (north)).`"""
    at = f"{state.whereabouts()} at {instant(state.t_ns)}"
    if short:
        return f"{at}{' (it is not there any more)' if state.is_missing else ''}"
    if state.state and state.state in CARRIED:  # where it was taken from is not where it is
        return f"The {state.label} {be(state.label, is_past=True)} last seen {at}."
    where = "({:.1f}, {:.1f}, {:.1f}) m".format(*state.object_position)
    spot = "" if state.whereabouts().endswith(where) else f", {where}"
    way = f"; {direction}" if direction else ""
    like = f" It was {state.state}." if state.state else ""
    return f"The {state.label} {be(state.label, is_past=True)} last seen {at}{spot}{way}.{like}"


def told_evidence(state: ObjectState) -> str:
    """`mug: on the table at (1.0, 2.0, 0.8) m, seen from (0.0, 2.0, 1.2) m`; of what is carried: where that was."""
    at = "at ({:.1f}, {:.1f}, {:.1f}) m".format(*state.object_position)
    if state.state == IN_THE_HAND:
        return f"{state.label}: {state.whereabouts()}, carried by the robot, which was {at}"
    if state.state == HANDED_OVER:
        return f"{state.label}: {state.whereabouts()}, handed over by the robot, which was {at}"
    seen_from = "({:.1f}, {:.1f}, {:.1f}) m".format(*state.observer_position)
    return f"{state.label}: {state.whereabouts()} {at}, seen from {seen_from}"


def told_change(change: ObjectChange, words: TimeWords) -> str:
    """`the mug moved from the table to the sink between 0:01:20 and 0:10:42`: nobody saw when; where it was seen just
    before, `at 0:10:42`."""
    when = f"at {words.instant(change.t_ns)}"
    if change.before is not None and change.t_ns - change.before.t_ns > SAME_TIME_S * NS_PER_S:
        when = "between {} and {}".format(*words.ends(change.before.t_ns, change.t_ns))
    if change.kind == "missing":
        were = f"{they(change.label)} {be(change.label, is_past=True)}"
        return f"the {change.label} went missing {when}: {were} no longer {change.after.whereabouts()}"
    return f"{change.text} {when}"


def told_spots(states: Sequence[ObjectState], *, name: str, one: str = "1", is_sentence: bool = False) -> str:
    """`3 cups: 2 on the table in the kitchen and 1 on the sofa in the hall`; in a sentence, `one cup on the table`; of
    several kinds, `2 tables: a coffee table in the hall and a dining table in the kitchen`."""
    if len({state.label for state in states}) > 1:
        told = sorted(f"{plural(state.label, 1)} {state.whereabouts()}" for state in states)
        noun = name if name.endswith("s") else plural(name, 2).removeprefix("2 ")
        return f"{len(states)} {noun}: {listed(told[:MOST_TOLD])}"
    spots: dict[str, int] = {}
    for state in states:
        spots[state.whereabouts()] = spots.get(state.whereabouts(), 0) + 1
    is_plain = len(spots) in {1, len(states)}
    most_first = sorted(spots.items(), key=lambda pair: (-pair[1], pair[0]))
    told = listed([spot if is_plain else f"{count} {spot}" for spot, count in most_first][:MOST_TOLD])
    head = plural(states[0].label, len(states)) if len(states) > 1 else f"{one} {states[0].label}"
    return f"{head} {told}" if is_sentence and len(spots) == 1 else f"{head}: {told}"


def times(count: int) -> str:
    """`Once`, `Twice`, `3 times`"""
    return {1: "Once", 2: "Twice"}.get(count, f"{count} times")


def listed(words: Sequence[str], *, last: str = "and") -> str:
    """`a, b and c`"""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def plural(noun: str, count: int) -> str:
    """`a mug`, `2 mugs`, `3 boxes`; `keys`, `2 keys`"""
    if count == 1:
        return with_article(noun)
    if be(noun) == "are":
        return f"{count} {noun}"
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
