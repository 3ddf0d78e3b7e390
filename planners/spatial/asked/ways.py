"""Questions about the way to somewhere, also to where something happened."""

from __future__ import annotations

import re

from planners.english.words import bare
from planners.spatial.asked.question import END, THING, SpatialQuestion

_WAY = (
    re.compile(
        r"^how (?:do|can|could|would|should|did) (?:i|we|you|one|the robot) (?:best )?"
        r"(?:get|go|walk|drive|come|return|find (?:my|our|the) way)(?: back)?(?: from (?P<start>.+?))? to "
        rf"{THING}(?: from (?P<later>.+?))?{END}",
        re.I,
    ),
    re.compile(
        r"^(?:what is |what['\u2019]s |which is |show (?:me )?|tell me |give me |find )?(?:the |a )?"
        r"(?:shortest |fastest |quickest |best )?(?:way|route|path|directions)(?: back)?(?: from (?P<start>.+?))? to "
        rf"{THING}(?: from (?P<later>.+?))?{END}",
        re.I,
    ),
    re.compile(
        r"^(?:please )?(?:take|lead|guide|bring|direct|navigate) (?:me|us) (?:back )?(?:from (?P<start>.+?) )?to "
        rf"{THING}(?P<later>(?!))?{END}",
        re.I,
    ),
)
_MOMENT = re.compile(
    r"^(?:(?:the )?(?:place|spot|room|location) )?(?:where|at which|in which|that)\s+(?P<clause>\w.*\s.+)$", re.I
)


def read_way(text: str) -> SpatialQuestion | None:
    """`how do I get back to where we met Anna`, `the way from the hall to the kitchen`."""
    for pattern in _WAY:
        if match := pattern.match(text):
            start = bare(match["start"] or match["later"] or "")
            start = "" if start.lower() == "here" else start
            thing = match["thing"]
            if moment := _MOMENT.match(thing):
                return SpatialQuestion(kind="way", moment=moment["clause"].strip(" ?.!"), start=start)
            return SpatialQuestion(kind="way", thing=bare(thing), start=start)
    return None
