"""Answers about what is there, from the spatial memory: in a room, in, on or near a thing, around whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from planners.spatial.asked.counts import Beside, places_in
from planners.spatial.asked.question import Side
from planners.spatial.view import SpatialView, Told
from planners.spatial.wording import MOST_TOLD, listed, plural
from streammem.spatial.orientation import Direction, direction_from
from streammem.spatial.records import ObjectState

NEAR_M = 1.0
"""What `near` means in a question without a distance: so much lies between two things."""
AROUND_M = 4.0
"""Things farther away than this are not told as standing around somebody."""
EVERYWHERE = frozenset(
    {
        "house", "home", "flat", "apartment", "building", "household", "world", "scene", "video", "recording", "memory",
        "view", "total", "each room", "every room", "all rooms",
    }
)  # fmt: skip
"""Words for a place that say nothing of where, unless a room is called so."""
MOST_HOLDER_WORDS = 2
"""Words that name a room or a thing; more are a clause."""
NOT_KNOWN = 0.3
"""Of an answer that says only why it cannot be known."""
_SIDE_WORDS: dict[Side, str] = {
    "left": "to your left", "right": "to your right", "ahead": "ahead of you", "behind": "behind you",
    "around": "around you",
}  # fmt: skip
_SIDE_DEGREES: dict[Side, tuple[float, float]] = {
    "left": (20, 160), "right": (-160, -20), "ahead": (-45, 45), "behind": (135, 225), "around": (-180, 180),
}  # fmt: skip
"""From the heading, left positive. What stands ahead to the left is on both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place in a question: a room, or what is in, on or near a thing."""

    states: list[ObjectState]
    """What is there."""
    words: str
    """`in the kitchen`, `on the table`"""
    room: str | None = None
    holder: ObjectState | None = None
    """The thing that it is in, on or near."""


def inside(at: SpatialView) -> Told | None:
    """What is in a room, or in, on or near a thing."""
    if at.asked.thing.lower() in EVERYWHERE and at.room(at.asked.thing) is None:
        return _everywhere(at)
    spots = [spot_of(at, name, beside) for name, beside in places_in(at.asked.thing, at.asked.beside)]
    if not all(spots):
        return None  # half of what was asked would be no answer
    parts = [
        _listing(at, each.states, each.words) if each.states else nothing_there(at, [each]) for each in spots if each
    ]
    if len(parts) > 1:
        return Told(
            text=" ".join(each.text for each in parts), confidence=min(each.confidence for each in parts),
            evidence=tuple(dict.fromkeys(one for each in parts for one in each.evidence)),
        )  # fmt: skip
    spot, told = spots[0], parts[0]
    assert spot is not None
    if not at.asked.is_whether or told.confidence == NOT_KNOWN:
        return told
    verdict = "Yes" if spot.states else "No"
    return replace(told, text=f"{verdict}: {told.text[0].lower()}{told.text[1:]}")


def in_view(at: SpatialView) -> Told | None:
    """What was seen at a time; without one, all that is known, room by room."""
    if at.after_ns is None and at.before_ns is None:
        return _everywhere(at)
    states = replace(at.space.query(), after_ns=at.after_ns, before_ns=at.before_ns, as_of_ns=at.as_of_ns).run()
    path, steps = at.steps()
    if not len(steps):
        return None
    room = path.rooms[steps[-1]] if at.is_moment else None
    if room:  # a thing's sightings are kept as one span, and it may have stood in another room's for long
        states = [one for one in states if one.room == room]
    if states:
        return _listing(at, states, f"seen about then, in the {room}" if room else "seen in that time")
    return Told(text="Nothing that is known was in view then.", evidence=(at.been(path, steps),), confidence=0.5)


def unknown_side(at: SpatialView) -> Told | None:
    """What is under or behind a thing: nobody knows, and that is said."""
    holders = at.things(at.asked.thing)
    if not holders:
        return None
    side = f"{at.asked.change} the {holders[0].label}"
    text = f"What is {side} is not known: of things it is remembered what is in, on and near them."
    return Told(text=text, evidence=at.evidence(holders[:1]), confidence=NOT_KNOWN)


def around_me(at: SpatialView) -> Told | None:
    """What stands on one side of whoever looks, nearest first: in the same room, where rooms are known."""
    path = at.space.path(as_of_ns=at.as_of_ns)
    number = (
        path.at(at.known_ns if at.is_past and at.known_ns is not None else int(path.t_ns[-1])) if len(path) else None
    )
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
        return Told(
            text=f"Nothing that was seen {'was' if at.is_past else 'is'} {words}.", evidence=(seen,), confidence=0.6
        )
    named = [f"{plural(one.label, 1)} ({way.distance_m:.1f} m)" for way, one in beside[:MOST_TOLD]]
    states = [one for _, one in beside]
    text = f"{words}: {listed(named)}; {at.seen_by(states)}."
    return Told(text=text[0].upper() + text[1:], evidence=at.evidence(states[:MOST_TOLD]), confidence=mean(states))


def spot_of(at: SpatialView, name: str, beside: Beside) -> Spot | None:
    """The place that a name means, with what is there; None where it means no known place."""
    query = at.timed(at.space.query())
    room = at.room(name)
    if room is not None and beside != "on":
        return Spot(states=query.within(room).run(), words=f"in the {room}", room=room)
    holders = at.things(name)
    if not holders:
        return None
    holder = holders[0]
    if beside == "near":
        others = [one for one in query.run() if not _holds(holder, one) and not _holds(one, holder)]
        apart = {one.object_id: gap_m(one, holder) for one in others}
        near = [one for one in others if apart[one.object_id] <= NEAR_M]
        states = sorted(near, key=lambda one: (apart[one.object_id], one.object_id))
    else:
        held = [one for one in query.run() if _holds(holder, one)]
        states = [one for one in held if _holds(holder, one, beside)]
        if held and not states:  # what lies on a box may be asked for as in it: it is told as it is known
            states, beside = held, "on" if beside == "in" else "in"
    others = [one for one in states if one.object_id != holder.object_id]
    return Spot(states=others, words=f"{beside} the {holder.label}", holder=holder)


def gap_m(one: ObjectState, other: ObjectState) -> float:
    """Metres between the boxes around two things; 0 where they touch."""
    centres = np.abs(np.subtract(one.object_position, other.object_position))
    return float(np.linalg.norm(np.maximum(centres - np.add(one.size_m, other.size_m) / 2, 0.0)))


def _holds(holder: ObjectState, held: ObjectState, beside: Beside | None = None) -> bool:
    """Whether a thing is on or in another; with `beside`, the one of the two that it is."""
    kinds = {"on", "in"} if beside is None else {beside}
    return any(link.object_id == holder.object_id and link.kind in kinds for link in held.relations)


def _listing(at: SpatialView, states: Sequence[ObjectState], place: str) -> Told:
    text = f"{_named(states)}, {place}; {at.seen_by(states)}."
    return Told(text=text[0].upper() + text[1:], evidence=at.evidence(states[:MOST_TOLD]), confidence=mean(states))


def _named(states: Sequence[ObjectState]) -> str:
    """`a cup and 2 plates`"""
    counted: dict[str, int] = {}
    for one in states:
        counted[one.label] = counted.get(one.label, 0) + 1
    return listed([plural(label, count) for label, count in sorted(counted.items())][:MOST_TOLD])


def _everywhere(at: SpatialView) -> Told | None:
    """All that is known, room by room."""
    states = at.timed(at.space.query()).run()
    if not states:
        return None
    rooms: dict[str, list[ObjectState]] = {}
    for one in sorted(states, key=lambda one: one.room or "~"):  # what is in no known room comes last
        rooms.setdefault(f"in the {one.room}" if one.room else "elsewhere", []).append(one)
    told = "; ".join(f"{room}: {_named(some)}" for room, some in rooms.items())
    text = f"{told[0].upper()}{told[1:]}; {at.seen_by(states)}."
    return Told(text=text, evidence=at.evidence(states[:MOST_TOLD]), confidence=mean(states))


def nothing_there(at: SpatialView, spots: Sequence[Spot], *, what: str = "Nothing") -> Told:
    """Evidence is that somebody was there; where nobody was, what is there is not known, and that is said."""
    is_there, words = "was" if at.is_past else "is", listed([one.words for one in spots], last="or")
    looked = [at.been_in(one.room) for one in spots if one.room is not None]
    evidence = [*at.evidence([one.holder for one in spots if one.holder is not None]), *(one for one in looked if one)]
    if len(evidence) == len(spots):
        return Told(text=f"{what} that was seen {is_there} {words}.", evidence=tuple(evidence), confidence=0.6)
    when = (" by then" if at.is_moment else " in that time") if at.is_past else ""
    path, steps = at.steps()
    text = f"What {is_there} {words} is not known: nobody looked there{when}."
    if len(steps) and not evidence:
        evidence.append(at.been(path, steps))
    return Told(text=text, evidence=tuple(evidence), confidence=NOT_KNOWN)


def mean(states: Sequence[ObjectState]) -> float:
    """Of an answer that rests on several things."""
    return min(0.95, float(np.mean([one.confidence for one in states])))


def is_at(state: ObjectState, room: str | None, holders: Sequence[ObjectState]) -> bool:
    """Whether a thing was in a room, or in, on or near one of some things."""
    if room is not None:
        return state.room is not None and state.room.casefold() == room.casefold()
    ids = {holder.object_id for holder in holders}
    return any(link.object_id in ids for link in state.relations)
