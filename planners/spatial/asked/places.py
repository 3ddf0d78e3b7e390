"""Questions about where something is, what is there, and what is nearest."""

from __future__ import annotations

import re
from collections.abc import Sequence

from planners.english.words import bare
from planners.spatial.asked.counts import BESIDE, BESIDE_WORDS
from planners.spatial.asked.question import END, THING, Side, SpatialKind, SpatialQuestion

_SEEN = (
    r"(?:see|seen|saw|spot(?:ted)?|notice[d]?|put|left|leave|place[d]?|lay|laid|find|found|observe[d]?|drop(?:ped)?)"
)
_WHERE_BEFORE = re.compile(
    rf"^where (?:was|were) {THING} before(?: (?:it|they|that|this|the|someone|somebody)\b.*)?[\s?.!]*$", re.I
)
_WHERE_AM_I = re.compile(
    r"^(?:where (?:am i|are we|are you|was i|were we|were you)|"
    rf"(?:which|what) (?:room|place) (?:am i|are we|are you) in){END}",
    re.I,
)
_WHERE = (
    re.compile(
        rf"^where (?:(?:did|do|have|had|has) (?:i|we|you|he|she|they|one|the robot|somebody|someone|\w+) "
        rf"(?:last |most recently |just )?{_SEEN}|(?:can|could) (?:i|we|you|one) (?:see|find|spot)) "
        rf"{THING}(?: last(?: time)?)?{END}",
        re.I,
    ),
    re.compile(
        rf"^where (?:is|are|was|were) {THING}(?: (?:last )?(?:seen|put|left|placed|found|kept|lying))?{END}", re.I
    ),
    re.compile(rf"^(?:find|locate) {THING}{END}", re.I),
    re.compile(rf"^(?:in|on) (?:what|which) (?:room|place|table|shelf) (?:is|are|was|were) {THING}{END}", re.I),
    re.compile(rf"^(?:what|which) \w+ (?:is|are|was|were) {THING} (?:in|at|on){END}", re.I),
)
_INSIDE = re.compile(
    r"^(?:what|which (?:things|objects|items))(?: (?:things|objects|items|else))? "
    r"(?:is|are|was|were|lies|stands?|can (?:i|we|you|one) (?:see|find)|(?:do|did) (?:i|we|you) (?:see|have|find)|"
    r"have (?:i|we|you) seen)(?: there| to be (?:seen|found)| lying| standing| kept)? "
    rf"(?P<beside>{BESIDE_WORDS}) {THING}{END}", re.I,
)  # fmt: skip
_LIST = re.compile(
    rf"^(?:list|name|show(?: me)?|tell me)(?: me)?(?: all)?(?: (?:of )?the)? (?:things|objects|items|everything)"
    rf"(?: that (?:is|are))? (?P<beside>{BESIDE_WORDS}) {THING}{END}",
    re.I,
)
_ME = r"(?:me|you|us|the robot|the camera)"
_SIDES: dict[Side, str] = {
    "left": rf"(?:(?:to|on|at) )?(?:the |my |your |its )?left(?:[- ]hand)?(?: side)?(?: of {_ME})?",
    "right": rf"(?:(?:to|on|at) )?(?:the |my |your |its )?right(?:[- ]hand)?(?: side)?(?: of {_ME})?",
    "ahead": rf"(?:(?:straight |right )?ahead(?: of {_ME})?|in front(?: of {_ME})?)",
    "behind": rf"behind(?: {_ME})?",
    "around": rf"(?:(?:around|near|next to|beside|close to|by) {_ME}|nearby|around here|near here)",
}
_AROUND_ME: dict[Side, re.Pattern[str]] = {
    side: re.compile(
        r"^(?:what|which (?:things|objects|items))(?: (?:things|objects|items|else))? (?:is|are|was|were|lies|stands?|"
        rf"(?:can|do|did) (?:i|we|you) see)(?: there)?(?: {words}){END}",
        re.I,
    )
    for side, words in _SIDES.items()
}
_UNKNOWN_SIDES = r"under|underneath|below|beneath|behind|above|over"
_AT_UNKNOWN_SIDE = re.compile(
    rf"^(?:(?:what|who)(?: things| objects)? (?:is|are|was|were|lies|stands?)|(?:is|are|was|were) .+?)(?: there)? "
    rf"(?P<change>{_UNKNOWN_SIDES}) {THING}{END}",
    re.I,
)
_IN_VIEW = re.compile(
    r"^(?:what|which (?:things|objects|items))(?: (?:things|objects|items|else))? (?:(?:did|do|could|can) (?:i|we|you) "
    rf"(?:see|notice|observe)|(?:is|are|was|were)(?: there)? (?:in view|visible|seen|in sight|to be seen)){END}",
    re.I,
)
_NEAREST = (
    re.compile(
        rf"^(?:what|which|where) (?:is|are) (?:the )?(?:nearest|closest) {THING}"
        rf"(?: to (?:me|us|you|here|the robot))?{END}",
        re.I,
    ),
    re.compile(
        rf"^(?:what|which) {THING} (?:is|are) (?:the )?(?:nearest|closest)(?: to (?:me|us|you|here|the robot))?{END}",
        re.I,
    ),
)
_HOW_FAR = (
    re.compile(
        rf"^how far (?:away )?(?:is|are) (?:it to )?{THING}(?: away)?"
        rf"(?: from (?:here|me|you|us|(?P<start>.+?)))?{END}",
        re.I,
    ),
    re.compile(rf"^(?:in )?(?:which|what) (?:direction|way) (?:is|are|to|do i go to) {THING}{END}", re.I),
)


def read_own_place(text: str) -> SpatialQuestion | None:
    """`where am i`."""
    return SpatialQuestion(kind="where am i") if _WHERE_AM_I.match(text) else None


def read_place_before(text: str) -> SpatialQuestion | None:
    """`where was the mug before it was moved`."""
    return _of_thing("where before", text, (_WHERE_BEFORE,))


def read_surroundings(text: str) -> SpatialQuestion | None:
    """`what is to my left`."""
    for side, pattern in _AROUND_ME.items():
        if pattern.match(text):
            return SpatialQuestion(kind="around me", side=side)
    return None


def read_unknown_side(text: str) -> SpatialQuestion | None:
    """`what is under the table`, `is the ball behind the sofa`."""
    match = _AT_UNKNOWN_SIDE.match(text)
    return match and SpatialQuestion(kind="unknown side", thing=bare(match["thing"]), change=match["change"].lower())


def read_in_view(text: str) -> SpatialQuestion | None:
    """`what did you see`, `what was in view`."""
    return SpatialQuestion(kind="in view") if _IN_VIEW.match(text) else None


def read_contents(text: str) -> SpatialQuestion | None:
    """`what is on the table`."""
    for pattern in (_INSIDE, _LIST):
        if match := pattern.match(text):
            return SpatialQuestion(kind="inside", thing=bare(match["thing"]), beside=BESIDE[match["beside"].lower()])
    return None


def read_place(text: str) -> SpatialQuestion | None:
    """`where is the mug`, `what is the nearest chair`, `how far is the kitchen`."""
    return (
        _of_thing("nearest", text, _NEAREST) or _of_thing("how far", text, _HOW_FAR) or _of_thing("where", text, _WHERE)
    )


def _of_thing(kind: SpatialKind, text: str, patterns: Sequence[re.Pattern[str]]) -> SpatialQuestion | None:
    for pattern in patterns:
        if match := pattern.match(text):
            start = match.groupdict().get("start") or ""
            return SpatialQuestion(kind=kind, thing=bare(match["thing"]), start=bare(start))
    return None
