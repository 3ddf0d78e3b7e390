"""Questions about whether something is there, and when it was seen."""

from __future__ import annotations

import re

from planners.english.words import bare
from planners.spatial.asked.counts import BESIDE, BESIDE_WORDS, read_claimed_count
from planners.spatial.asked.numbers import names_number, read_comparison
from planners.spatial.asked.question import BY, END, HELD, PERSON, SAW, THING, SpatialQuestion

_LATE = r"(?: (?P<late>last|first)(?: time)?| for the (?P<time>last|first) time)?"
_SEEN_WHEN = (
    re.compile(
        rf"^(?P<ask>when|at what time|how long ago) (?:did|have|had) {BY} (?:(?P<edge>last|first|most recently) )?"
        rf"{SAW} {THING}{HELD}?{_LATE}$",
        re.I,
    ),
    re.compile(
        rf"^(?P<ask>when|at what time|how long ago) (?:was|were) {THING} (?:(?P<edge>last|first|most recently) )?"
        rf"{SAW}{HELD}?{_LATE}$",
        re.I,
    ),
    re.compile(
        rf"^(?P<ask>when) (?:was|is) the (?P<edge>last|first) time (?:that )?{BY} (?:have |had )?{SAW} {THING}"
        rf"{HELD}?(?P<late>(?!))?(?P<time>(?!))?$",
        re.I,
    ),
)
_SEES = r"(?:see|saw|seen|find|found|notice[d]?|spot(?:ted)?|pass(?:ed)?|have|had|got)"
_IS_THERE = (
    re.compile(rf"^(?:is|are|was|were) there (?:still )?{THING}{HELD}?{END}", re.I),
    re.compile(rf"^(?:is|are|was|were) {THING}(?: still| already| now)?{HELD}{END}", re.I),
    re.compile(rf"^(?:is|are|was|were) {THING} (?:still )?there(?P<beside>(?!))?(?P<holder>(?!))?{END}", re.I),
    re.compile(rf"^(?:have|has|had|did|do|does) {BY} (?:ever |already |still )?{_SEES} {THING}{HELD}?{END}", re.I),
)
_TWO_PLACES = re.compile(rf" and .+ (?:{BESIDE_WORDS}) ", re.I)
"""`the table and the bowl on the counter`: two questions in one."""
_DEFINITE = re.compile(r"(?:all|each|every|the|my|our|your|his|her|their|these|those)\b", re.I)
_ALL = re.compile(r"^(?:all|each|every)(?: of)? ", re.I)


def read_seen_when(text: str) -> SpatialQuestion | None:
    """`when did you last see the mug on the table`."""
    for pattern in _SEEN_WHEN:
        if match := pattern.match(text):
            return _seen_when(match)
    return None


def read_is_there(text: str) -> SpatialQuestion | None:
    """`is the mug still there`, `are there two cups in the kitchen`, `is there anything on the table`."""
    for pattern in _IS_THERE:
        if match := pattern.match(text):
            if _TWO_PLACES.search(match["holder"] or ""):
                return None
            is_of_number = names_number(match["thing"]) or read_comparison(match["thing"])
            return _so_many(match) if is_of_number else _is_there(match)
    return None


def _seen_when(match: re.Match[str]) -> SpatialQuestion:
    said = (match["edge"] or match["late"] or match["time"] or "last").lower()
    return SpatialQuestion(
        kind="seen when", thing=bare(match["thing"]), holder=bare(match["holder"] or ""),
        beside=BESIDE[(match["beside"] or "in").lower()], edge="first" if said == "first" else "last",
        is_ago=match["ask"].lower() == "how long ago",
    )  # fmt: skip


def _so_many(match: re.Match[str]) -> SpatialQuestion | None:
    beside = BESIDE[(match["beside"] or "in").lower()]
    count = read_claimed_count(match["thing"], match["holder"] or "", beside)
    return count and SpatialQuestion(kind="how many", thing=count.things[0], count=count)


def _is_there(match: re.Match[str]) -> SpatialQuestion:
    asked, thing = match.group().lower(), match["thing"]
    if thing.lower() in {"anything", "something"} and match["holder"]:
        beside = BESIDE[(match["beside"] or "in").lower()]
        return SpatialQuestion(kind="inside", thing=bare(match["holder"]), beside=beside, is_whether=True)
    is_anybody = thing.lower() in {"anybody", "anyone", "somebody", "someone"}
    is_all = re.match(r"(?:are|were) (?!there\b)", asked) is not None and _DEFINITE.match(thing) is not None
    return SpatialQuestion(
        kind="is there", thing=PERSON if is_anybody else bare(_ALL.sub("", thing)),
        holder=bare(match["holder"] or ""), beside=BESIDE[(match["beside"] or "in").lower()],
        is_all=is_all, is_ever=re.match(r"(?:is|are|was|were)\b", asked) is None,
    )  # fmt: skip
