"""Finds what a text of directions names: turns, junctions and where it speaks of stopping, in the order of the text.

Patterns for the ways people write them; counts nothing and knows no plan. Cost: about 0.2 ms a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from planners.navigate.route_plan import Direction, JunctionKind

_NUMBERS = {
    "one": 1,
    "two": 2,
    "both": 2,
    "couple": 2,
    "couple of": 2,
    "three": 3,
    "few": 3,
    "several": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
    "5th": 5,
    "6th": 6,
    "7th": 7,
    "8th": 8,
}
_SAME = {"this", "that", "these", "those", "here", "there", "it"}
_MODIFIER = (
    r"(?:the|a|an|your|this|that|these|those|another|more|very|next|following|last|immediate|single|"
    r"first|second|third|fourth|fifth|sixth|seventh|eighth|\d(?:st|nd|rd|th)|"
    r"one|two|both|three|four|five|six|seven|eight|nine|ten|few|several|couple|\d+|of|"
    r"traffic|stop|street|sets?|pairs?|double|doubled|big|large|small|major|main|quick|busy|upcoming|"
    r"[345]-?way|(?:three|four|five|six)-?way|[456]-?way|t|side|cross)"
)
_JUNCTION = re.compile(
    rf"(?P<modifiers>(?:\b{_MODIFIER}\b[\s-]+)*)"
    r"\b(?P<noun>stop-?lights?|traffic signals?|lights?|intersections?|crossings?|crossroads?|junctions?|"
    r"corners?|blocks?|crosswalks?|side streets?|cross streets?|street|streets|"
    r"set|sets|one|t|[tT]-?intersections?|t-?junctions?|[345]-?ways?|end of the (?:block|street|road))\b"
)
_PASS = re.compile(
    r"(?:through|thru|past|pass|passes|passing|by|cross|crossing|crossed|over|across|beyond|after|passed|ignore)"
    r"(?:\s+(?:straight|right|all|through|past|over|by|of|across|both|just|the))*\s*$"
)
_TURN = re.compile(
    r"\b(?:"
    r"turn(?:ing|s)?\s+(?:(?:slightly|sharply|immediately|to|the|your|a|slight|hard|sharp|back|again|"
    r"directly|quickly|then|around)\s+){0,3}(?P<a>left|right|lef|rigth|righ)\b|"
    r"(?:mak|tak|hang|do)(?:e|es|ing)?\s+(?:(?:a|an|your|the|another|first|1st|next|immediate|quick|sharp|slight|hard|"
    r"second|2nd|third|3rd|available|possible|soft|very|following|small|short|big|wide|last|gradual|full|other|"
    r"one)\s+){0,4}(?P<b>left|right|lef|rigth)(?:[\s-]+hand)?\b(?!\s*(?:corner|side|of the))|"
    r"(?:go|goes|going|bear|bearing|veer|veering|head|heading|keep|stay|curve|angle|angling|walk|continue|slight|"
    r"follow|bend)\s+(?:(?:slightly|to|the|your|a|bit|immediately|little|slight)\s+){0,3}(?P<c>left|right)\b"
    r"(?!\s*(?:corner|side|hand|past|by|through|up|down|to\b|into|before|after|on\s+(?:past|through|by)))|"
    r"(?:then|immediate(?:ly)?|another|quick|and|first|next|immediately take)\s+(?:a\s+|an\s+|another\s+|"
    r"immediate(?:ly)?\s+|quick\s+|your\s+|the\s+|next\s+|first\s+)*(?P<d>left|right)\b"
    r"(?=\s*(?:[.,;]|and|at|onto|turn|again|after|then|immediately|$))"
    r")"
)
_UNREAL = re.compile(
    r"(?:before you(?: can)?|can|could|cannot|can't|don't|do not|not|want to|if you|after|as you|once you)\s+"
    r"(?:\w+\s+)?$"
)
_STOP = re.compile(
    r"\b(?:stop(?:s|ping|ped)?(?!\s*-?\s*(?:light|sign|lights))\b(?<!bus stop)|destination|end point|endpoint|finish|"
    r"(?:the|your) goal|arriv(?:e|ed)|you(?:'re| are) (?:there|done|here))"
)
_SET_OF = re.compile(r"\s*(?:of|step|block|building|more|traffic|light|intersection|store|set)")
_OF_PLACE = re.compile(r"\b(?:on|near|far|from|is|be|are|left|right|hand|opposite)\s*$")
_GOING = re.compile(r"(?:go|walk|for|straight|down|continue|head|after|past|pass)\s*$")
_MOST_JUNCTIONS = 12
"""A larger number before "lights" is something else."""
_BUS = re.compile(r"(?:bus|transit|subway|train|metro|tram|one|few|two)\s*$")


@dataclass(frozen=True, slots=True)
class Mark:
    """Something of the route that the text names, where it stands."""

    kind: Literal["turn", "junction", "stop"]
    start: int
    end: int
    direction: Direction | None = None
    is_slight: bool = False
    passes: bool = False
    number: int | None = None
    ordinal: int | None = None
    is_next: bool = False
    is_same: bool = False
    junction: JunctionKind | None = None
    ends_street: bool = False
    is_vague: bool = False


def find_marks(lower: str) -> list[Mark]:
    """Everything found in a lower case text, in its order."""
    marks = [*_turn_marks(lower), *_junction_marks(lower), *_stop_marks(lower)]
    return sorted(marks, key=lambda mark: mark.start)


def _turn_marks(lower: str) -> list[Mark]:
    marks: list[Mark] = []
    for found in _TURN.finditer(lower):
        word = next(group for group in found.groups() if group)
        before = lower[max(0, found.start() - 22) : found.start()]
        if _UNREAL.search(before):
            continue
        loose = found.group("c") is not None or found.group("d") is not None
        if loose and re.search(r"\b(?:on|to) (?:the|your)\s*$", before):
            continue
        marks.append(
            Mark(
                "turn",
                found.start(),
                found.end(),
                direction="left" if word.startswith("lef") else "right",
                is_slight=bool(re.search(r"slight|bear|veer|keep|stay|curve|angl|bend|follow", found.group())),
                ordinal=next((_ORDINALS[w] for w in re.findall(r"\w+", found.group()) if w in _ORDINALS), None),
            )
        )
    for found in re.finditer(
        r"\b(left|right)[- ](?:hand )?fork|fork(?: in the road)?,? (?:\w+ ){0,4}(left|right)", lower
    ):
        word = found.group(1) or found.group(2)
        if not any(mark.start <= found.end() and found.start() <= mark.end for mark in marks):
            direction: Direction = "left" if word == "left" else "right"
            marks.append(Mark("turn", found.start(), found.end(), direction=direction, is_slight=True))
    return marks


def _junction_marks(lower: str) -> list[Mark]:
    marks: list[Mark] = []
    for found in _JUNCTION.finditer(lower):
        mark = _junction_mark(lower, found)
        if mark is not None:
            marks.append(mark)
    return marks


def _junction_mark(lower: str, found: re.Match[str]) -> Mark | None:
    noun, modifiers = found.group("noun"), found.group("modifiers").split()
    words = modifiers if noun == "t" else [word for part in modifiers for word in part.split("-")]
    start = found.start() if modifiers else found.start("noun")
    before, after = lower[max(0, start - 40) : start], lower[found.end() : found.end() + 24]
    ways = {number for number, way in pairwise(words) if way in {"way", "ways"}}
    numbered = [word for word in words if (word in _NUMBERS or word.isdigit()) and word not in ways]
    ordinals = [_ORDINALS[word] for word in words if word in _ORDINALS]
    is_next = bool({"next", "following", "immediate"} & set(words))
    number = (int(numbered[-1]) if numbered[-1].isdigit() else _NUMBERS[numbered[-1]]) if numbered else None
    if not _is_counted(noun, words, before=before, after=after, said=bool(numbered), nth=bool(ordinals) or is_next):
        return None
    if number is not None and number > _MOST_JUNCTIONS:
        return None
    return Mark(
        "junction",
        start,
        found.end(),
        passes=bool(_PASS.search(before)),
        number=number,
        ordinal=ordinals[-1] if ordinals else None,
        is_next=is_next or "another" in words or (bool(numbered) and "more" in words and not ordinals),
        is_same=bool(_SAME & set(words)),
        junction="light" if re.search(r"light|signal|set", noun) else "crossing",
        ends_street=noun in {"t", "end of the street", "end of the road"} or noun.startswith("t-"),
        is_vague=noun.startswith("end of"),
    )


def _is_counted(noun: str, words: list[str], *, before: str, after: str, said: bool, nth: bool) -> bool:
    """Whether a noun that may be a junction is one here: not the corner that a shop is on, not the street one crosses.

    Args:
        said, nth: whether a number, an ordinal or "next" stands before it.
    """
    if noun in {"set", "sets"}:
        return nth and not _SET_OF.match(after)
    if noun == "one":
        return nth and bool({"the", "at", "next"} & set(words)) and not _SET_OF.match(after)
    if noun.startswith("corner"):
        return bool(re.search(r"(?:\bto|\bat|until|reach|the)\s*$", before)) and not _OF_PLACE.search(before)
    if noun in {"street", "streets"}:
        return nth and "side" not in words and ("the" in words or bool(_ORDINALS.keys() & set(words)))
    if noun.startswith("block"):
        return said and bool(_GOING.search(before))
    if noun == "t":
        return bool(re.search(r"(?:\bthe|\ba|of|at)\s*$", f"{before}{' '.join(words)} "))
    if noun in {"light", "lights"}:
        return not re.match(r"\s*(?:blue|green|rail|house)", after)
    return not noun.startswith("crosswalk")


def _stop_marks(lower: str) -> list[Mark]:
    marks: list[Mark] = []
    for found in _STOP.finditer(lower):
        if _BUS.search(lower[max(0, found.start() - 10) : found.start()]):
            continue
        marks.append(Mark("stop", found.start(), found.end()))
    return marks
