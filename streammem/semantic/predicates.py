"""What is declared of predicates: which have one value at a time, which share one, which come in stretches, and who is
believed about them.

Policy only. A predicate that is not named here may have many values side by side, each true from when it was first
said until something ends it. A predicate with one value at a time belongs to a slot: a cup has one whereabouts, be it
*in* the sink, *on* the shelf or *held by* somebody, so any of these closes whichever held before. What ends what is in
`semantic.endings`.
"""

from __future__ import annotations

from streammem.types import NS_PER_S

SLOTS: dict[str, tuple[str, ...]] = {
    "whereabouts": (
        "is in", "is on", "is at", "is under", "is behind", "is inside", "is near", "is next to", "is in front of",
        "is held by",
    ),
    "home": ("lives in",),
    "work": ("works at", "works as"),
    "partner": (
        "is dating", "is engaged to", "is married to", "has girlfriend", "has boyfriend", "has partner", "has fiancé",
        "has fiancée", "has wife", "has husband",
    ),
    "clothing": ("wears", "is wearing"),
    "name": ("is named",),
    "colour": ("has colour",),
    "age": ("is aged",),
    "state": ("is now",),
}  # fmt: skip
"""Slot -> predicates of which one value holds at a time, together; of work, one place and one occupation."""
SIDE_BY_SIDE: dict[str, tuple[str, ...]] = {
    "taste": ("likes", "dislikes"),
    "possession": ("has", "has no"),
    "doing": ("does", "plays", "usually", "takes", "volunteers at"),
    "study": ("studies",),
    "plan": ("plans to",),
}
"""Kind -> predicates of many values, of which one of the same thing may end another: who dislikes tea no longer likes
it, but still coffee; who stopped playing tennis neither plays it nor does so every Sunday."""
NO_LONGER = "no longer "
"""Before a predicate: what is said to have ended. `no longer does` ends whatever of that thing is done."""
WITNESSED = frozenset(("whereabouts", "clothing", "colour", "state"))
"""Slots of what anybody can see: whoever tells of it last tells what changed. Of all else, somebody's own word stands
against what others say."""
BRIDGED_NS: dict[str, int] = {
    "is with": 300 * NS_PER_S,
    "talks with": 120 * NS_PER_S,
    "stays in": 300 * NS_PER_S,
}
"""Predicates that come in stretches with an end: two stretches nearer than this are one. People who were together in
two events five minutes apart were together in between; a conversation lapses sooner."""

LOOKED_UP = frozenset(("does", "is held by", "is with", "talks with"))
"""Predicates that are looked up and counted, not searched by their words: there are many of them, and each repeats the
line that it was read from, which is searched already. So it is with what is no longer (`is_searched`)."""


def is_searched(predicate: str) -> bool:
    return predicate not in LOOKED_UP and not predicate.startswith(NO_LONGER)


def bridged_ns(predicate: str) -> int:
    """How long a stretch may be silent and still go on."""
    return BRIDGED_NS.get(predicate, 0)
