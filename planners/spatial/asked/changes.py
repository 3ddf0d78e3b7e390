"""Questions about what changed, and about when, how often and whether something moved."""

from __future__ import annotations

import re

from planners.english.words import bare
from planners.spatial.asked.counts import BESIDE, BESIDE_WORDS
from planners.spatial.asked.question import END, THING, SpatialQuestion

_CHANGES = r"(?:changed?|different|moved?|(?:gone )?missing|disappeared?|appeared?|new|vanished?|taken away|rearranged)"
_CHANGED = re.compile(
    r"^(?:what(?:ever)?|which (?:things|objects|items)|has anything|did anything|have any (?:things|objects)|"
    r"is anything|was anything|tell me what|show me what)"
    rf"(?:['\u2019]s| has| have| is| are| was| were| got| did| had)?(?: been)? ?"
    rf"(?P<change>{_CHANGES})(?: (?P<beside>from|{BESIDE_WORDS}) {THING})?(?: since(?: then)?)?{END}",
    re.I,
)
_MOVED_WHEN = re.compile(
    rf"^(?:when|at what time) (?:did|was|were|has|have) (?:somebody |someone )?{THING} (?:been )?(?:last )?"
    rf"(?P<change>moved?|disappear(?:ed)?|go missing|gone missing|vanish(?:ed)?|taken(?: away)?|change[d]?)"
    rf"(?: to .+| from .+| away)?{END}", re.I,
)  # fmt: skip
_OFTEN = r"^(?:how (?:many times|often|frequently)|(?:on )?how many occasions|what (?:is|was) the number of times)"
_GOING = (
    r"(?:moved?|shifted|rearranged|relocated|disappear(?:ed)?|go missing|gone missing|vanish(?:ed)?|taken away|"
    r"change[d]? (?:its )?places?)"
)
_TO_FROM = rf"(?: (?P<way>to|into|onto|in|on|from|out of|off) {THING.replace('thing', 'holder')})?"
_MOVED_OFTEN = (
    re.compile(
        rf"{_OFTEN} (?:did|do|does|was|were|is|are|has|have|had) {THING} (?:been |got |get )?(?P<change>{_GOING})"
        rf"{_TO_FROM}{END}",
        re.I,
    ),
    re.compile(
        rf"{_OFTEN} (?:did|do|does|has|have|had) (?:somebody|someone|anybody|anyone|they|people) (?P<change>move[d]?) "
        rf"{THING}{_TO_FROM}{END}",
        re.I,
    ),
)
"""Nobody is named: who it was, the things do not tell."""
_MOVED_WHETHER = (
    re.compile(
        rf"^(?:did|was|were|has|have|had) {THING} (?:been |got |get |gone )?(?P<change>{_GOING}){_TO_FROM}{END}", re.I
    ),
    re.compile(
        rf"^(?:did|has|have|had) (?:somebody|someone|anybody|anyone|they|people) (?:ever )?(?P<change>moved?|taken?) "
        rf"{THING}{_TO_FROM}{END}",
        re.I,
    ),
)


def read_change(text: str) -> SpatialQuestion | None:
    """`when was the mug moved`, `how often was it moved`, `what changed`, `was it moved to the sink`: in this order."""
    if match := _MOVED_WHEN.match(text):
        return SpatialQuestion(kind="moved when", thing=bare(match["thing"]), change=match["change"].lower())
    for pattern in _MOVED_OFTEN:
        if match := pattern.match(text):
            return _moved(match, is_whether=False)
    if match := _CHANGED.match(text):
        return SpatialQuestion(
            kind="changed", thing=bare(match["thing"] or ""), change=match["change"].lower(),
            beside=BESIDE.get((match["beside"] or "in").lower(), "in"),
        )  # fmt: skip
    for pattern in _MOVED_WHETHER:
        if match := pattern.match(text):
            return _moved(match, is_whether=True)
    return None


def _moved(match: re.Match[str], *, is_whether: bool) -> SpatialQuestion:
    return SpatialQuestion(
        kind="moved often", thing=bare(match["thing"]), change=match["change"].lower(),
        holder=bare(match["holder"] or ""), is_from=(match["way"] or "").lower() in {"from", "out of", "off"},
        is_whether=is_whether,
    )  # fmt: skip
