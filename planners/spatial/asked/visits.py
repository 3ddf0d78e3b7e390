"""Questions about being in rooms, read from plain English: when somebody was there, how often, how long, whether ever.

`when were you last in the kitchen`, `how often did you go to the bedroom`, `have you been in the study`. Patterns;
knows no memory, and not whether a word names a room. Microseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from planners.english.words import bare

Edge = Literal["", "first", "last"]
Asked = Literal["when", "often", "long", "whether"]

_WHO = r"(?:i|we|you|he|she|they|the robot|the camera|anyone|anybody|somebody|someone)"
_EDGE = r"(?:last|most recently|first)"
_IN = r"(?:in|inside|at|to|into)"
_GO = (
    rf"(?:(?:be|been|go|gone|come|went|came|walk(?:ed)?|drive|drove|driven|stay(?:ed)?|look(?:ed)?) {_IN}|"
    r"visit(?:ed)?|enter(?:ed)?|leave|left|pass(?:ed)? through)"
)
_ROOM = r"(?P<room>[^,]+?)(?: (?P<late>last|first))?(?: (?:for the )?(?:last|first) time)?[\s?.!]*$"
_ASKS: tuple[tuple[Asked, str], ...] = (
    ("when", r"(?:when|at what time)"),
    ("often", r"(?:how (?:many times|often|frequently)|(?:on )?how many occasions)"),
    ("long", r"(?:for )?how long"),
    ("whether", ""),
)
_FORMS: tuple[tuple[Asked, re.Pattern[str]], ...] = tuple(
    (
        ask,
        re.compile(
            rf"^{words}{' ' if words else ''}(?:(?:was|were) {_WHO} (?:ever )?(?:(?P<edge>{_EDGE}) )?{_IN}|"
            rf"(?:did|do|does|have|has|had) {_WHO} (?:ever |already )?(?:(?P<end>{_EDGE}) )?{_GO}) {_ROOM}",
            re.I,
        ),
    )
    for ask, words in _ASKS
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitQuestion:
    """What is asked about being in a room."""

    ask: Asked
    room: str
    """Without its article; may name no room."""
    edge: Edge = ""
    """For `when`: the first or the last time; empty: all of them."""


def read_visit_question(text: str) -> VisitQuestion | None:
    """The question about being somewhere in a text without its time; None where it asks for something else.

    Example:
        >>> read_visit_question("when were you last in the kitchen")
        VisitQuestion(ask='when', room='kitchen', edge='last')
    """
    for ask, pattern in _FORMS:
        if match := pattern.match(text):
            said = (match["edge"] or match["end"] or match["late"] or "").lower()
            edge: Edge = "" if not said else "first" if said == "first" else "last"
            return VisitQuestion(ask=ask, room=bare(match["room"]), edge=edge)
    return None
