"""What is declared of predicates: which have one value at a time, which share one, and which come in stretches.

Policy only. A predicate that is not named here may have many values side by side, each true from when it was first
said until something ends it. A predicate with one value at a time belongs to a slot: a cup has one whereabouts, be it
*in* the sink, *on* the shelf or *held by* somebody, so any of these closes whichever held before.
"""

from __future__ import annotations

from streammem.types import NS_PER_S

SLOTS: dict[str, tuple[str, ...]] = {
    "whereabouts": (
        "is in", "is on", "is at", "is under", "is behind", "is inside", "is near", "is next to", "is in front of",
        "is held by",
    ),
    "home": ("lives in",),
    "work": ("works at",),
    "job": ("works as",),
    "clothing": ("wears", "is wearing"),
    "name": ("is named",),
    "colour": ("has colour",),
    "age": ("is aged",),
    "state": ("is now",),
}  # fmt: skip
"""Slot -> predicates of which one value holds at a time, together."""
OPPOSITES: dict[str, tuple[str, ...]] = {"taste": ("likes", "dislikes"), "possession": ("has", "has no")}
"""Slot -> predicates that end each other of the same object: who dislikes tea no longer likes it, but still coffee."""
BRIDGED_NS: dict[str, int] = {
    "is with": 300 * NS_PER_S,
    "talks with": 120 * NS_PER_S,
    "stays in": 300 * NS_PER_S,
}
"""Predicates that come in stretches with an end: two stretches nearer than this are one. People who were together in
two events five minutes apart were together in between; a conversation lapses sooner."""

LOOKED_UP = frozenset(("does", "is held by", "is with", "talks with"))
"""Predicates that are looked up and counted, not searched by their words: there are many of them, and each repeats the
line that it was read from, which is searched already."""

_ALL = SLOTS | OPPOSITES
_SLOT_OF = {predicate: slot for slot, predicates in _ALL.items() for predicate in predicates}


def slot_of(predicate: str) -> str | None:
    """The slot of a predicate with one value at a time, or one per object (`OPPOSITES`); None where values stand
    side by side."""
    return _SLOT_OF.get(predicate)


def slot_mates(predicate: str) -> tuple[str, ...]:
    """The predicates that close each other's values, with this one."""
    slot = _SLOT_OF.get(predicate)
    return (predicate,) if slot is None else _ALL[slot]


def bridged_ns(predicate: str) -> int:
    """How long a stretch may be silent and still go on."""
    return BRIDGED_NS.get(predicate, 0)
