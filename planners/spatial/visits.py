"""Answers about when whoever looks was in a room, from the spatial memory: each visit with its begin and its end."""

from __future__ import annotations

from planners.spatial.contents import NOT_KNOWN
from planners.spatial.view import SpatialView, Told
from planners.spatial.wording import MOST_TOLD, listed, times
from planners.windows import duration_words
from streammem.spatial.place_log import STALE_S
from streammem.types import NS_PER_S

Visit = tuple[int, int]
"""From when to when, nanoseconds."""


def been(at: SpatialView) -> Told | None:
    """None where the word names no room."""
    asked = at.asked.visit
    room = at.room(asked.room) if asked is not None else None
    if asked is None or room is None:
        return None
    visits = _visits(at, room)
    if not visits:
        return _never(at, room)
    if asked.ask == "when" and asked.edge:
        told = visits[-1:] if asked.edge == "last" else visits[:1]
        text = f"{asked.edge.capitalize()} in the {room} {_span(at, told[0])}."
    else:
        told = visits[-MOST_TOLD:]
        often = times(len(visits))
        spans = listed([_span(at, one) for one in told])
        if asked.ask == "long":
            total = duration_words(sum(end - start for start, end in visits))
            text = f"{total} in all; {often[0].lower()}{often[1:]} in the {room}: {spans}."
        elif asked.ask == "whether":
            text = f"Yes, {often[0].lower()}{often[1:]} in the {room}: {spans}."
        else:
            text = f"{often} in the {room}: {spans}."
    evidence = tuple(
        at.span(start, end, text=f"the camera was in the {room}", event_ids=()) for start, end in reversed(told)
    )
    return Told(text=text, evidence=evidence, confidence=0.95, number=len(visits) if asked.ask == "often" else None)


def _visits(at: SpatialView, room: str) -> list[Visit]:
    """Stays in a room in the time that is asked about; at a moment, the one that it lies in."""
    path, steps = at.steps()
    visits: list[Visit] = []
    before: int | None = None
    for number in steps:
        t_ns = int(path.t_ns[number])
        if path.rooms[number] == room:
            goes_on = before is not None and path.rooms[before] == room and t_ns - visits[-1][1] <= STALE_S * NS_PER_S
            visits[-1:] = [(visits[-1][0], t_ns)] if goes_on else [*visits[-1:], (t_ns, t_ns)]
        before = number
    if not at.is_moment or at.known_ns is None:
        return visits
    here = path.at(at.known_ns)
    return visits[-1:] if here is not None and path.rooms[here] == room else []


def _never(at: SpatialView, room: str) -> Told | None:
    path, steps = at.steps()
    here = path.at(at.known_ns) if at.is_moment and at.known_ns is not None else None
    if at.is_moment and here is None:
        return None
    numbers = steps if here is None else range(here, here + 1)
    if not numbers:
        return None
    evidence = at.been(path, numbers)
    asked = at.asked.visit
    word = "No" if asked is not None and asked.ask == "whether" else "Never"
    return Told(
        text=f"{word}, as far as is known: {evidence.text}.", evidence=(evidence,), confidence=2 * NOT_KNOWN,
        number=0 if asked is not None and asked.ask == "often" else None,
    )  # fmt: skip


def _span(at: SpatialView, visit: Visit) -> str:
    start, end = at.view.words.ends(*visit)
    return f"at {start}" if start == end else f"from {start} to {end}"
