"""Answers about what is there, from the spatial memory: in a room, in, on or near a thing, around whoever looks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.count_questions import Beside
from planners.spatial_questions import Side
from planners.spatial_view import SpatialView, Told
from planners.spatial_wording import listed, plural
from streammem.spatial.orientation import Direction, direction_from
from streammem.spatial.records import ObjectState

NEAR_M = 2.0
"""What `near` means in a question without a distance."""
AROUND_M = 4.0
"""Things farther away than this are not told as standing around somebody."""
MOST_TOLD = 20
"""Things that an answer names; all of them are counted."""
_SIDE_WORDS: dict[Side, str] = {
    "left": "to your left", "right": "to your right", "ahead": "ahead of you", "behind": "behind you",
    "around": "around you",
}  # fmt: skip
_SIDE_DEGREES: dict[Side, tuple[float, float]] = {
    "left": (20, 160), "right": (-160, -20), "ahead": (-45, 45), "behind": (135, 225), "around": (-180, 180),
}  # fmt: skip
"""From the heading, left positive. What stands ahead to the left is on both sides."""


def inside(at: SpatialView) -> Told | None:
    """What is in a room, or in, on or near a thing."""
    place = things_at(at, at.asked.thing, at.asked.beside)
    if place is None:
        return None
    states, words, holders = place
    if not states:
        return nothing_there(at, words, holders)
    return _listing(at, states, words)


def around_me(at: SpatialView) -> Told | None:
    """What stands on one side of whoever looks, nearest first: in the same room, where rooms are known."""
    path = at.space.path(as_of_ns=at.as_of_ns)
    number = path.at(at.before_ns if at.before_ns is not None else int(path.t_ns[-1])) if len(path) else None
    if number is None:
        return None
    pose, room = path.poses[number], path.rooms[number]
    low, high = _SIDE_DEGREES[at.asked.side]
    beside: list[tuple[Direction, ObjectState]] = []
    for one in at.space.query().as_of(int(path.t_ns[number])).run():
        way = direction_from(pose, np.asarray(one.object_position))
        degrees = float(np.degrees(way.bearing_rad))
        is_here = way.distance_m <= AROUND_M and (not room or not one.room or one.room == room)
        if is_here and (low <= degrees <= high or low <= degrees + 360 <= high):
            beside.append((way, one))
    beside.sort(key=lambda pair: (pair[0].distance_m, pair[1].object_id))
    words = _SIDE_WORDS[at.asked.side]
    if not beside:
        t_ns = int(path.t_ns[number])
        seen = at.span(t_ns, t_ns, text=f"the camera was {f'in the {room}' if room else 'there'}", event_ids=())
        return Told(text=f"Nothing that was seen is {words}.", evidence=(seen,), confidence=0.6)
    named = [f"{plural(one.label, 1)} ({way.distance_m:.1f} m)" for way, one in beside[:MOST_TOLD]]
    seen_ns = max(one.t_ns for _, one in beside)
    text = f"{words}: {listed(named)}; last seen by {at.view.words.instant(seen_ns)}."
    states = [one for _, one in beside]
    return Told(text=text[0].upper() + text[1:], evidence=at.evidence(states[:MOST_TOLD]), confidence=mean(states))


def things_at(at: SpatialView, name: str, beside: Beside) -> tuple[list[ObjectState], str, list[ObjectState]] | None:
    """(what is there, the place in words, the things that hold it); None where the name means no known place."""
    query = at.timed(at.space.query())
    room = at.room(name)
    if room is not None and beside != "on":
        return query.within(room).run(), f"in the {room}", []
    holders = at.things(name)
    if not holders:
        return None
    holder = holders[0]
    if beside == "near":
        states = query.near(holder, radius_m=NEAR_M).nearest_first().run()
    else:
        states = [
            one
            for one in query.run()
            if any(link.object_id == holder.object_id and link.kind in {"on", "in"} for link in one.relations)
        ]
    return [one for one in states if one.object_id != holder.object_id], f"{beside} the {holder.label}", holders


def _listing(at: SpatialView, states: Sequence[ObjectState], place: str) -> Told:
    seen_ns = max(one.t_ns for one in states)
    counted: dict[str, int] = {}
    for one in states:
        counted[one.label] = counted.get(one.label, 0) + 1
    names = [plural(label, count) for label, count in sorted(counted.items())]
    text = f"{listed(names[:MOST_TOLD])}, {place}; last seen by {at.view.words.instant(seen_ns)}."
    return Told(text=text[0].upper() + text[1:], evidence=at.evidence(states[:MOST_TOLD]), confidence=mean(states))


def nothing_there(at: SpatialView, place: str, holders: Sequence[ObjectState], *, what: str = "Nothing") -> Told:
    """Evidence is that somebody was there."""
    if holders:
        evidence = at.evidence(holders[:1])
    else:
        path = at.space.path(as_of_ns=at.as_of_ns)
        evidence = (at.span(int(path.t_ns[0]), int(path.t_ns[-1]), text=f"passed {place}", event_ids=()),)
    return Told(text=f"{what} that was seen is {place}.", evidence=evidence, confidence=0.6)


def mean(states: Sequence[ObjectState]) -> float:
    """Of an answer that rests on several things."""
    return min(0.95, float(np.mean([one.confidence for one in states])))
