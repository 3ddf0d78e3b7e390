"""Questions about places and things, read from plain English: where something is, what is there, how many there are,
what changed, how to get there. Patterns; knows no memory: whether a word names a thing or a room, `spatial_view` finds
out. Costs microseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from planners.count_questions import (
    BESIDE,
    BESIDE_WORDS,
    Beside,
    CountQuestion,
    read_claimed_count,
    read_count_question,
)
from planners.number_claims import names_number, read_comparison
from planners.plan import TimeWindow
from planners.time_expressions import find_time
from planners.visit_questions import Edge, VisitQuestion, read_visit_question
from planners.words import bare

SpatialKind = Literal[
    "where", "where before", "where am i", "seen when", "been", "inside", "is there", "how many", "around me",
    "changed", "moved when", "moved often", "way", "how far", "nearest",
]  # fmt: skip
PERSON = "person"
"""The label of people."""
Side = Literal["left", "right", "ahead", "behind", "around"]

_THING = r"(?P<thing>.+?)"
_END = r"(?: (?:right )?now| at the moment| currently| again| last| these days)?[\s?.!]*$"
_SEEN = (
    r"(?:see|seen|saw|spot(?:ted)?|notice[d]?|put|left|leave|place[d]?|lay|laid|find|found|observe[d]?|drop(?:ped)?)"
)
_WHERE_BEFORE = re.compile(
    rf"^where (?:was|were) {_THING} before(?: (?:it|they|that|this|the|someone|somebody)\b.*)?[\s?.!]*$", re.I
)
_WHERE_AM_I = re.compile(r"^(?:where (?:am i|are we|are you)|(?:which|what) (?:room|place) (?:am i|are we|are you) in)"
                         rf"{_END}", re.I)  # fmt: skip
_WHERE = (
    re.compile(
        rf"^where (?:(?:did|do|have|had|has) (?:i|we|you|he|she|they|one|the robot|somebody|someone|\w+) "
        rf"(?:last |most recently |just )?{_SEEN}|(?:can|could) (?:i|we|you|one) (?:see|find|spot)) "
        rf"{_THING}(?: last(?: time)?)?{_END}",
        re.I,
    ),
    re.compile(
        rf"^where (?:is|are|was|were) {_THING}(?: (?:last )?(?:seen|put|left|placed|found|kept|lying))?{_END}", re.I
    ),
    re.compile(rf"^(?:find|locate) {_THING}{_END}", re.I),
    re.compile(rf"^(?:in|on) (?:what|which) (?:room|place|table|shelf) (?:is|are|was|were) {_THING}{_END}", re.I),
    re.compile(rf"^(?:what|which) \w+ (?:is|are|was|were) {_THING} (?:in|at|on){_END}", re.I),
)
_INSIDE = re.compile(
    r"^(?:what|which (?:things|objects|items))(?: (?:things|objects|items|else))? "
    r"(?:is|are|was|were|lies|stands?|can (?:i|we|you|one) (?:see|find)|(?:do|did) (?:i|we|you) (?:see|have|find)|"
    r"have (?:i|we|you) seen)(?: there| to be (?:seen|found)| lying| standing| kept)? "
    rf"(?P<beside>{BESIDE_WORDS}) {_THING}{_END}", re.I,
)  # fmt: skip
_HELD = rf"(?: (?P<beside>{BESIDE_WORDS}) (?P<holder>.+?))"
_LATE = r"(?: (?P<late>last|first)(?: time)?| for the (?P<time>last|first) time)?"
_SAW = r"(?:see|saw|seen|spot(?:ted)?|notice[d]?|find|found|observed?)"
_BY = r"(?:i|we|you|the robot|anyone|anybody|somebody|someone)"
_SEEN_WHEN = (
    re.compile(
        rf"^(?P<ask>when|at what time|how long ago) (?:did|have|had) {_BY} (?:(?P<edge>last|first|most recently) )?"
        rf"{_SAW} {_THING}{_HELD}?{_LATE}$",
        re.I,
    ),
    re.compile(
        rf"^(?P<ask>when|at what time|how long ago) (?:was|were) {_THING} (?:(?P<edge>last|first|most recently) )?"
        rf"{_SAW}{_HELD}?{_LATE}$",
        re.I,
    ),
    re.compile(
        rf"^(?P<ask>when) (?:was|is) the (?P<edge>last|first) time (?:that )?{_BY} (?:have |had )?{_SAW} {_THING}"
        rf"{_HELD}?(?P<late>(?!))?(?P<time>(?!))?$",
        re.I,
    ),
)
_WHICH_ROOMS = re.compile(
    rf"^(?:which|what) rooms (?:are there|do you know|(?:have|did|were|was) {_BY} (?:been (?:in|to)|in|visit(?:ed)?|"
    rf"enter(?:ed)?|pass(?:ed)? through|go (?:in)?to|know|{_SAW}))$|"
    rf"^where (?:have|had|were|did) {_BY} (?:been|go|gone)$",
    re.I,
)
_SEES = r"(?:see|saw|seen|find|found|notice[d]?|spot(?:ted)?|pass(?:ed)?|have|had|got)"
_IS_THERE = (
    re.compile(rf"^(?:is|are|was|were) there (?:still )?{_THING}{_HELD}?{_END}", re.I),
    re.compile(rf"^(?:is|are|was|were) {_THING}(?: still| already| now)?{_HELD}{_END}", re.I),
    re.compile(rf"^(?:is|are|was|were) {_THING} (?:still )?there(?P<beside>(?!))?(?P<holder>(?!))?{_END}", re.I),
    re.compile(rf"^(?:have|has|had|did|do|does) {_BY} (?:ever |already |still )?{_SEES} {_THING}{_HELD}?{_END}", re.I),
)
_DEFINITE = re.compile(r"(?:all|each|every|the|my|our|your|his|her|their|these|those)\b", re.I)
_ALL = re.compile(r"^(?:all|each|every)(?: of)? ", re.I)
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
        rf"(?:can|do|did) (?:i|we|you) see)(?: there)?(?: {words}){_END}",
        re.I,
    )
    for side, words in _SIDES.items()
}
_LIST = re.compile(
    rf"^(?:list|name|show(?: me)?|tell me)(?: me)?(?: all)?(?: (?:of )?the)? (?:things|objects|items|everything)"
    rf"(?: that (?:is|are))? (?P<beside>{BESIDE_WORDS}) {_THING}{_END}",
    re.I,
)
_CHANGES = r"(?:changed?|different|moved?|(?:gone )?missing|disappeared?|appeared?|new|vanished?|taken away|rearranged)"
_CHANGED = re.compile(
    r"^(?:what(?:ever)?|which (?:things|objects|items)|has anything|did anything|have any (?:things|objects)|"
    r"is anything|was anything|tell me what|show me what)"
    rf"(?:['\u2019]s| has| have| is| are| was| were| got| did| had)?(?: been)? ?"
    rf"(?P<change>{_CHANGES})(?: (?P<beside>from|{BESIDE_WORDS}) {_THING})?(?: since(?: then)?)?{_END}",
    re.I,
)
_MOVED_WHEN = re.compile(
    rf"^(?:when|at what time) (?:did|was|were|has|have) (?:somebody |someone )?{_THING} (?:been )?(?:last )?"
    rf"(?P<change>moved?|disappear(?:ed)?|go missing|gone missing|vanish(?:ed)?|taken(?: away)?|change[d]?)"
    rf"(?: to .+| from .+| away)?{_END}", re.I,
)  # fmt: skip
_OFTEN = r"^(?:how (?:many times|often|frequently)|(?:on )?how many occasions|what (?:is|was) the number of times)"
_GOING = (
    r"(?:moved?|shifted|rearranged|relocated|disappear(?:ed)?|go missing|gone missing|vanish(?:ed)?|taken away|"
    r"change[d]? (?:its )?places?)"
)
_TO_FROM = rf"(?: (?P<way>to|into|onto|in|on|from|out of|off) {_THING.replace('thing', 'holder')})?"
_MOVED_OFTEN = (
    re.compile(
        rf"{_OFTEN} (?:did|do|does|was|were|is|are|has|have|had) {_THING} (?:been |got |get )?(?P<change>{_GOING})"
        rf"{_TO_FROM}{_END}",
        re.I,
    ),
    re.compile(
        rf"{_OFTEN} (?:did|do|does|has|have|had) (?:somebody|someone|anybody|anyone|they|people) (?P<change>move[d]?) "
        rf"{_THING}{_TO_FROM}{_END}",
        re.I,
    ),
)
"""Nobody is named: who it was, the things do not tell."""
_MOVED_WHETHER = (
    re.compile(
        rf"^(?:did|was|were|has|have|had) {_THING} (?:been |got |get |gone )?(?P<change>{_GOING}){_TO_FROM}{_END}", re.I
    ),
    re.compile(
        rf"^(?:did|has|have|had) (?:somebody|someone|anybody|anyone|they|people) (?:ever )?(?P<change>moved?|taken?) "
        rf"{_THING}{_TO_FROM}{_END}",
        re.I,
    ),
)
_WAY = (
    re.compile(
        r"^how (?:do|can|could|would|should|did) (?:i|we|you|one|the robot) (?:best )?"
        r"(?:get|go|walk|drive|come|return|find (?:my|our|the) way)(?: back)?(?: from (?P<start>.+?))? to "
        rf"{_THING}(?: from (?P<later>.+?))?{_END}",
        re.I,
    ),
    re.compile(
        r"^(?:what is |what['\u2019]s |which is |show (?:me )?|tell me |give me |find )?(?:the |a )?"
        r"(?:shortest |fastest |quickest |best )?(?:way|route|path|directions)(?: back)?(?: from (?P<start>.+?))? to "
        rf"{_THING}(?: from (?P<later>.+?))?{_END}",
        re.I,
    ),
    re.compile(
        r"^(?:please )?(?:take|lead|guide|bring|direct|navigate) (?:me|us) (?:back )?(?:from (?P<start>.+?) )?to "
        rf"{_THING}(?P<later>(?!))?{_END}",
        re.I,
    ),
)
_NEAREST = (
    re.compile(
        rf"^(?:what|which|where) (?:is|are) (?:the )?(?:nearest|closest) {_THING}"
        rf"(?: to (?:me|us|you|here|the robot))?{_END}",
        re.I,
    ),
    re.compile(
        rf"^(?:what|which) {_THING} (?:is|are) (?:the )?(?:nearest|closest)(?: to (?:me|us|you|here|the robot))?{_END}",
        re.I,
    ),
)
_HOW_FAR = (
    re.compile(rf"^how far (?:away )?(?:is|are) (?:it to )?{_THING}(?: away)?(?: from here)?{_END}", re.I),
    re.compile(rf"^(?:in )?(?:which|what) (?:direction|way) (?:is|are|to|do i go to) {_THING}{_END}", re.I),
)
_MOMENT = re.compile(
    r"^(?:(?:the )?(?:place|spot|room|location) )?(?:where|at which|in which|that)\s+(?P<clause>\w.*\s.+)$", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialQuestion:
    """What is asked. `thing`: what is looked for or gone to, without articles; empty where nothing is named."""

    kind: SpatialKind
    thing: str = ""
    beside: Beside = "in"
    holder: str = ""
    """For `is there`: the room or thing that it is in, on or near; empty: anywhere."""
    is_all: bool = False
    """For `is there`: whether all of them are (`are the books on the table`)."""
    is_ever: bool = False
    """For `is there`: whether it was ever seen, not whether it is there still."""
    count: CountQuestion | None = None
    """For `how many`."""
    side: Side = "around"
    """For `around me`."""
    moment: str = ""
    """For a way: what happened where it leads (`we met Anna`), in place of a thing."""
    start: str = ""
    """For a way: where it begins; empty: here."""
    change: str = ""
    """For changes: the word for them."""
    is_from: bool = False
    """For `moved often`: `holder` is where it was moved from, not to."""
    is_whether: bool = False
    """For `moved often` and `inside`: whether it was moved, whether there is anything."""
    edge: Edge = "last"
    """For `seen when`."""
    is_ago: bool = False
    """For `seen when`: how long ago."""
    visit: VisitQuestion | None = None
    """For `been`."""
    window: TimeWindow | None = None


def read_spatial_question(question: str) -> SpatialQuestion | None:
    """The spatial question in a text; None where it asks for something else.

    Example:
        >>> read_spatial_question("Where did I last see my red mug?").thing
        'red mug'
    """
    asked = re.sub(r"\s+", " ", question).strip(" ?.!")
    asked = re.sub(r"\b(what|where|how)['\u2019]s\b", r"\1 is", asked, flags=re.I)
    if way := _read_way(asked):  # first: its clause may hold words of time
        return way
    found = find_time(asked)
    window, text = None, asked
    if found is not None:
        window, text = found.window, re.sub(r"\s+", " ", found.remaining).strip(" ,?.!")
        if re.search(r"\bsince$", text, re.I):
            window, text = window.model_copy(update={"end_s": None}), text[: -len("since")].strip()
        text = re.sub(r"\s+(?:at|on|in|during|by|from)$", "", text)
    return _read(text, window)


def _read(text: str, window: TimeWindow | None) -> SpatialQuestion | None:
    if _WHERE_AM_I.match(text) or re.match(r"^where (?:was i|were we|were you)" + _END, text, re.I):
        return SpatialQuestion(kind="where am i", window=window)
    if match := _WHERE_BEFORE.match(text):
        return SpatialQuestion(kind="where before", thing=bare(match["thing"]), window=window)
    if match := _MOVED_WHEN.match(text):
        return SpatialQuestion(
            kind="moved when", thing=bare(match["thing"]), change=match["change"].lower(), window=window
        )
    for pattern in _MOVED_OFTEN:
        if match := pattern.match(text):
            return _moved(match, window, is_whether=False)
    if match := _CHANGED.match(text):
        return SpatialQuestion(
            kind="changed", thing=bare(match["thing"] or ""), change=match["change"].lower(), window=window,
            beside=BESIDE.get((match["beside"] or "in").lower(), "in"),
        )  # fmt: skip
    for pattern in _MOVED_WHETHER:
        if match := pattern.match(text):
            return _moved(match, window, is_whether=True)
    for pattern in _SEEN_WHEN:
        if match := pattern.match(text):
            return _seen_when(match, window)
    if _WHICH_ROOMS.match(text):
        return SpatialQuestion(kind="how many", thing="rooms", count=CountQuestion(things=("rooms",)), window=window)
    for side, pattern in _AROUND_ME.items():
        if pattern.match(text):
            return SpatialQuestion(kind="around me", side=side, window=window)
    if count := read_count_question(text):
        return SpatialQuestion(kind="how many", thing=count.things[0], count=count, window=window)
    for pattern in (_INSIDE, _LIST):
        if match := pattern.match(text):
            return SpatialQuestion(
                kind="inside", thing=bare(match["thing"]), beside=BESIDE[match["beside"].lower()], window=window
            )
    for pattern in _NEAREST:
        if match := pattern.match(text):
            return SpatialQuestion(kind="nearest", thing=bare(match["thing"]), window=window)
    for pattern in _HOW_FAR:
        if match := pattern.match(text):
            return SpatialQuestion(kind="how far", thing=bare(match["thing"]), window=window)
    for pattern in _WHERE:
        if match := pattern.match(text):
            return SpatialQuestion(kind="where", thing=bare(match["thing"]), window=window)
    if visit := read_visit_question(text):
        return SpatialQuestion(kind="been", thing=visit.room, visit=visit, window=window)
    for pattern in _IS_THERE:
        if match := pattern.match(text):
            return (
                _so_many(match, window)
                if names_number(match["thing"]) or read_comparison(match["thing"])
                else _is_there(match, window)
            )
    return None


def _so_many(match: re.Match[str], window: TimeWindow | None) -> SpatialQuestion | None:
    beside = BESIDE[(match["beside"] or "in").lower()]
    count = read_claimed_count(match["thing"], match["holder"] or "", beside)
    return count and SpatialQuestion(kind="how many", thing=count.things[0], count=count, window=window)


def _moved(match: re.Match[str], window: TimeWindow | None, *, is_whether: bool) -> SpatialQuestion:
    return SpatialQuestion(
        kind="moved often", thing=bare(match["thing"]), change=match["change"].lower(), window=window,
        holder=bare(match["holder"] or ""), is_from=(match["way"] or "").lower() in {"from", "out of", "off"},
        is_whether=is_whether,
    )  # fmt: skip


def _seen_when(match: re.Match[str], window: TimeWindow | None) -> SpatialQuestion:
    said = (match["edge"] or match["late"] or match["time"] or "last").lower()
    return SpatialQuestion(
        kind="seen when", thing=bare(match["thing"]), holder=bare(match["holder"] or ""),
        beside=BESIDE[(match["beside"] or "in").lower()], edge="first" if said == "first" else "last",
        is_ago=match["ask"].lower() == "how long ago", window=window,
    )  # fmt: skip


def _is_there(match: re.Match[str], window: TimeWindow | None) -> SpatialQuestion:
    asked, thing = match.group().lower(), match["thing"]
    if thing.lower() in {"anything", "something"} and match["holder"]:
        beside = BESIDE[(match["beside"] or "in").lower()]
        return SpatialQuestion(
            kind="inside", thing=bare(match["holder"]), beside=beside, is_whether=True, window=window
        )
    is_anybody = thing.lower() in {"anybody", "anyone", "somebody", "someone"}
    is_all = re.match(r"(?:are|were) (?!there\b)", asked) is not None and _DEFINITE.match(thing) is not None
    return SpatialQuestion(
        kind="is there", thing=PERSON if is_anybody else bare(_ALL.sub("", thing)),
        holder=bare(match["holder"] or ""), beside=BESIDE[(match["beside"] or "in").lower()], window=window,
        is_all=is_all, is_ever=re.match(r"(?:is|are|was|were)\b", asked) is None,
    )  # fmt: skip


def _read_way(text: str) -> SpatialQuestion | None:
    for pattern in _WAY:
        if match := pattern.match(text):
            start = bare(match["start"] or match["later"] or "")
            start = "" if start.lower() == "here" else start
            thing = match["thing"]
            if moment := _MOMENT.match(thing):
                return SpatialQuestion(kind="way", moment=moment["clause"].strip(" ?.!"), start=start)
            return SpatialQuestion(kind="way", thing=bare(thing), start=start)
    return None
