"""From an instruction in plain English to goals: what should be where, where to be, what to tell.

    "fetch the mug, then put the book on the desk and go to the kitchen"
    -> Bring(mug, me), Bring(book, desk), Be(kitchen)

Rules for imperatives of fetching, putting, going, finding and telling; what they do not read is refused with a sentence
that says what they can. Knows no world; microseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from streammem.errors import InputError

ME = "me"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bring:
    """A thing should be at a place (a piece of furniture, a room, `me`)."""

    what: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Be:
    """The robot should be at a room, a piece of furniture or a thing."""

    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Locate:
    """A thing should be found, and where it is told."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    seconds: float


Goal = Bring | Be | Locate | Tell | Pause

_SPLIT = re.compile(r"\s*(?:[,;.]\s*(?:and\s+)?(?:then\s+)?|\s+and then\s+|\s+then\s+|\s+after that\s+)\s*", re.I)
_AND = re.compile(
    r"\s+and\s+(?=(?:bring|fetch|get|put|place|take|carry|move|go|drive|find|look|say|tell|wait)\b)", re.I
)
_PLEASE = re.compile(r"^please,? ", re.I)
_THE = r"(?:the |a |an |my |your )?"
_BRING_ME = re.compile(rf"^(?:bring|fetch|get|give|hand)(?: me)? {_THE}(?P<what>.+?)(?: (?:to|for) (?:me|us))?$", re.I)
_BRING_TO = re.compile(
    rf"^(?:bring|take|carry|move|put|place|set|return|deliver) {_THE}(?P<what>.+?) "
    rf"(?:back )?(?:to|on|onto|into|in|on top of|at) {_THE}(?P<to>.+)$",
    re.I,
)
_GO = re.compile(
    rf"^(?:go|drive|come|move|walk|head|return|navigate)(?: back)?(?: to| into| over to)? {_THE}(?P<to>.+)$", re.I
)
_FIND = re.compile(rf"^(?:find|look for|search for|locate|where is|where are|show me) {_THE}(?P<what>[^?]+)\??$", re.I)
_SAY = re.compile(r"^(?:say|tell (?:me|us|them|her|him)|announce)[: ]+[\"“]?(?P<text>.+?)[\"”]?$", re.I)
_WAIT = re.compile(r"^wait(?: for)? (?P<n>\d+(?:\.\d+)?) ?(?P<unit>s|sec\w*|min\w*|h|hours?)?$", re.I)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
MOST_LETTERS = 80
"""Of a name, as in `skills.Name`."""
MOST_PAUSE_S = 300.0
"""Longer waits are told anew: a robot that waits does nothing else, and its steps have a budget."""


def read_goals(instruction: str) -> tuple[Goal, ...]:
    """The goals of an instruction, in order.

    Raises:
        InputError: a part that is no instruction these rules know.
    """
    parts = [part for whole in _SPLIT.split(instruction.strip().rstrip(".!")) for part in _AND.split(whole) if part]
    if not parts:
        raise InputError("The instruction is empty; say what should be done, for example “fetch the mug”.")
    goals = tuple(goal for part in parts for goal in _read(_PLEASE.sub("", part.strip())))
    for name in (getattr(goal, one) for goal in goals for one in ("what", "to", "where") if hasattr(goal, one)):
        if len(name) > MOST_LETTERS:
            raise InputError(f"“{name[:30]}…” is too long for a name: say it in {MOST_LETTERS} letters at the most.")
    return goals


def _read(part: str) -> list[Goal]:
    if found := _WAIT.match(part):
        seconds = float(found["n"]) * _SECONDS[(found["unit"] or "s")[0].lower()]
        if seconds > MOST_PAUSE_S:
            raise InputError(f"“{part}” is too long: the robot waits {MOST_PAUSE_S / 60:g} minutes at the most.")
        return [Pause(seconds=seconds)]
    if found := _SAY.match(part):
        return [Tell(text=found["text"])]
    if found := _FIND.match(part):
        return [Locate(what=found["what"].strip())]
    if (found := _BRING_TO.match(part)) and found["to"].lower() not in {ME, "us"}:
        return [Bring(what=one, to=found["to"].strip()) for one in _things(found["what"])]
    if found := _BRING_ME.match(part):
        return [Bring(what=one, to=ME) for one in _things(found["what"])]
    if found := _BRING_TO.match(part):
        return [Bring(what=one, to=ME) for one in _things(found["what"])]
    if found := _GO.match(part):
        return [Be(where=found["to"].strip())]
    raise InputError(
        f"“{part}” is not what these rules read; they read fetching, putting, going, finding, saying, waiting."
    )


def _things(text: str) -> list[str]:
    """`the mug and the book` is two things."""
    return [re.sub(rf"^{_THE}", "", one.strip(), flags=re.I) for one in re.split(r"\s+and\s+", text) if one.strip()]
