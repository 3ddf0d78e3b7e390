"""Counting questions in plain English: which things, where, and whether those that are there, that went, or that moved.

`how many cups are in the kitchen`, `count the books`, `what is the number of plates on the table`, `in the kitchen, how
many cups are there`; and whether there are as many as somebody says (`numbers`). Patterns; knows no memory. How
often something happened is no such question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from planners.english.words import bare
from planners.spatial.asked.numbers import Claim, Comparison, read_claims, read_comparison

Beside = Literal["in", "on", "near"]

BESIDE: dict[str, Beside] = {
    "in": "in", "inside": "in", "within": "in", "on": "on", "on top of": "on", "near": "near", "around": "near",
    "by": "near", "next to": "near", "beside": "near", "close to": "near", "at": "near",
}  # fmt: skip
BESIDE_WORDS = "|".join(sorted(BESIDE, key=len, reverse=True))
EVERYTHING = frozenset({"thing", "things", "object", "objects", "item", "items"})
ROOMS = frozenset({"room", "rooms"})

_NOW = re.compile(r"(?: (?:right )?now| at the moment| currently| these days)+[\s?.!]*$", re.I)
_ASKS = re.compile(
    rf"^(?:(?:please|can you|could you|tell me|do you know) )*(?:(?P<beside>{BESIDE_WORDS}) (?P<holder>[^,]+), )?"
    r"(?:how many|count(?: up)?|(?:what|which) (?:is|was) the (?:total )?(?:number|count) of|"
    r"(?:the )?(?:total )?number of)"
    r"(?: (?:all|of|the|those|these|my|our|your|different|distinct|separate|single))* (?P<rest>.+)$",
    re.I,
)
_VERB = re.compile(
    r"^(?P<things>.+?) (?:that |which )?(?:are|were|is|was|can|could|do|did|have|has|had|remains?|remained|lie|stand|"
    r"exist)\b(?P<tail>.*)$",
    re.I,
)
_FILLER = re.compile(
    r"^ (?:there|i|we|you|one|the robot|anyone|anybody|somebody|someone|see|saw|seen|find|found|notice[d]?|"
    r"spot(?:ted)?|pass(?:ed)?|have|had|got|be|been|know|known|count(?:ed)?|now|still|currently|today|in total|in all|"
    r"all in all|altogether|overall|left|remaining|lying|standing|kept|stored|to be)(?= |$)",
    re.I,
)
_HELD = re.compile(rf"^ (?P<out>not |outside(?: of)? )?(?:(?P<beside>{BESIDE_WORDS}) )?(?P<holder>.+)$", re.I)
_THINGS_HELD = re.compile(rf"^(?P<things>.+?) (?P<beside>{BESIDE_WORDS}) (?P<holder>.+)$", re.I)
_WENT = re.compile(
    r"^ (?P<change>moved|rearranged|missing|gone(?: missing)?|disappeared|vanished|taken(?: away)?|appeared|new)"
    r"(?= |$)",
    re.I,
)
_PLURAL = re.compile(r"(?:s|people|children|men|women|mice|sheep)$", re.I)
_NO_THINGS = re.compile(
    r"\b(?:times?|occasions?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|kinds?|types?|sorts?|steps?|metres?|"
    r"meters?|words?|places?|spots?|locations?)\b",
    re.I,
)
_JOINED = re.compile(r"\s*,\s*(?:and |or )?|\s+(?:and|or)\s+", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountQuestion:
    """What is to be counted."""

    things: tuple[str, ...]
    """Without articles; more than one where several are asked for at once."""
    holders: tuple[str, ...] = ()
    """Rooms or things that they are in, on or near; empty: anywhere."""
    beside: Beside = "in"
    is_outside: bool = False
    """Those that are not there."""
    change: str = ""
    """The word for what became of them (`missing`, `moved`); empty: those that are there."""
    claims: tuple[Claim, ...] = ()
    """Of each of the things: how many there are said to be, where it is asked whether there are so many."""
    comparison: Comparison | None = None
    """Of two things: whether there are more of one."""


def read_count_question(text: str) -> CountQuestion | None:
    """The counting question in a text without its time; None where it asks for something else.

    Example:
        >>> asked = read_count_question("how many cups and plates are left in the kitchen")
        >>> asked.things, asked.holders, asked.beside
        (('cups', 'plates'), ('kitchen',), 'in')
    """
    asked = _ASKS.match(_NOW.sub("", text))
    if asked is None:
        return None
    with_verb = _VERB.match(asked["rest"])
    things, tail = (with_verb["things"], with_verb["tail"]) if with_verb else (asked["rest"], "")
    beside, holder, change, is_outside = asked["beside"], asked["holder"] or "", "", False
    if held := _THINGS_HELD.match(things):  # "how many cups in the kitchen are there"
        things, beside, holder = held["things"], held["beside"], held["holder"]
    if with_verb is None:
        holder = re.sub(r" (?:there|in total|in all|altogether|overall)$|^total$|^all$", "", holder, flags=re.I)
        if len(things.split()) > 3 or not _PLURAL.search(things):
            return None
    while tail:
        if filler := _FILLER.match(tail):
            tail = tail[filler.end() :]
        elif not change and (went := _WENT.match(tail)):
            change, tail = went["change"].lower(), tail[went.end() :]
        elif not holder and (held := _HELD.match(tail)) and (held["beside"] or held["out"]):
            beside, holder, tail = held["beside"] or "in", held["holder"], ""
            is_outside = held["out"] is not None
        else:
            return None
    if _NO_THINGS.search(things):
        return None
    return CountQuestion(
        things=tuple(things_in(things)), holders=_holders(holder), beside=BESIDE[(beside or "in").lower()],
        is_outside=is_outside, change=change,
    )  # fmt: skip


def read_claimed_count(things: str, holder: str, beside: Beside) -> CountQuestion | None:
    """Whether there are as many as `two cups` or `more cups than plates` says, in, on or near a holder; None where it
    is not plain how many."""
    if comparison := read_comparison(things):
        two = (bare(comparison.first), bare(comparison.second))
        return CountQuestion(things=two, holders=_holders(holder), beside=beside, comparison=comparison)
    claims = read_claims(things)
    if claims is None:
        return None
    return CountQuestion(
        things=tuple(bare(one.thing) for one in claims), holders=_holders(holder), beside=beside, claims=claims
    )


def _holders(phrase: str) -> tuple[str, ...]:
    """`the kitchen and in the hall`: `kitchen`, `hall`."""
    return tuple(name for name, _ in places_in(phrase))


def places_in(phrase: str, beside: Beside = "in") -> list[tuple[str, Beside]]:
    """`table and on the bed`: each place with its preposition; the first may have it from before the phrase."""
    found: list[tuple[str, Beside]] = []
    for each in things_in(phrase):
        match = re.match(rf"^(?P<beside>{BESIDE_WORDS}) (?P<name>.+)$", each, re.I)
        beside = BESIDE[match["beside"].lower()] if match else beside
        found.append((bare(match["name"]) if match else each, beside))
    return found


def things_in(phrase: str) -> list[str]:
    """`the cups and plates`: `cups`, `plates`."""
    return [name for one in _JOINED.split(phrase.strip(" ,?.!")) if (name := bare(one))]
