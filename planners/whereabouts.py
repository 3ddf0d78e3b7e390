"""Answers about where things are, from the spatial memory: where one is, whether it is there, what is there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.spatial_questions import Beside, Side
from planners.spatial_view import UNSURE, SpatialView, Told
from planners.spatial_wording import listed, plural, told_state
from streammem.spatial.orientation import Direction, direction_from
from streammem.spatial.records import ObjectState

NEAR_M = 2.0
"""What `near` means in a question without a distance."""
AROUND_M = 4.0
"""Things farther away than this are not told as standing around somebody."""
MOST_HOLDER_WORDS = 2
"""Words that name a room or a thing."""
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


def where(at: SpatialView) -> Told | None:
    states = at.things(at.asked.thing)
    if not states:
        return None
    sure = at.surety(states[0])
    told = [told_state(states[0], at.view.words.instant, direction=at.direction(states[0]))]
    if states[0].is_missing and (since := _missing_since(at, states[0])) is not None:
        told.append(since)
    if len(states) > 1:
        others = [f"another {told_state(one, at.view.words.instant, short=True)}" for one in states[1:4]]
        told.append(f"There are {len(states)} of them: {listed(others)}.")
    return Told(text=" ".join(told), evidence=at.evidence(states[:6]), confidence=sure)


def is_there(at: SpatialView) -> Told | None:
    """Yes or no, and where it was seen."""
    states = at.things(at.asked.thing)
    if not states:
        return None
    if not at.asked.holder:
        seen = told_state(states[0], at.view.words.instant)
        return Told(text=f"Yes. {seen}", evidence=at.evidence(states[:6]), confidence=at.surety(states[0]))
    place = _place(at, at.asked.holder, at.asked.beside)
    if place is None:
        if len(at.asked.holder.split()) > MOST_HOLDER_WORDS:
            return None  # a clause, and no place
        seen = told_state(states[0], at.view.words.instant)
        text = f"No {at.asked.holder} is known. {seen}"
        return Told(text=text, evidence=at.evidence(states[:6]), confidence=UNSURE * at.surety(states[0]))
    there, words, _ = place
    ids = {one.object_id for one in there}
    if found := [one for one in states if one.object_id in ids]:
        when = at.view.words.instant(found[0].t_ns)
        text = f"Yes, the {found[0].label} is {words}; it was last seen there at {when}."
        return Told(text=text, evidence=at.evidence(found[:6]), confidence=at.surety(found[0]))
    since = _missing_since(at, states[0]) if states[0].is_missing else None
    text = " ".join(["No.", told_state(states[0], at.view.words.instant), *([since] if since else [])])
    return Told(text=text, evidence=at.evidence(states[:6]), confidence=at.surety(states[0]))


def how_many(at: SpatialView) -> Told | None:
    """How many there are, each with its whereabouts. Those that went missing are not among them."""
    states = at.things(at.asked.thing)
    if not states:
        return None
    there, words, holders = [one for one in states if not one.is_missing], "", list[ObjectState]()
    if at.asked.holder:
        place = _place(at, at.asked.holder, at.asked.beside)
        if place is None:
            return None
        found, words, holders = place
        ids = {one.object_id for one in found}
        there = [one for one in there if one.object_id in ids]
    if not there:
        if words:
            return _nothing_there(at, words, holders, what=f"No {states[0].label}")
        since = at.view.words.instant(states[0].t_ns)
        text = f"None that is still there; the {states[0].label} {states[0].whereabouts()} was last seen at {since}."
        return Told(text=text, evidence=at.evidence(states[:MOST_TOLD]), confidence=at.surety(states[0]))
    spots = listed([one.whereabouts() for one in there[:MOST_TOLD]])
    seen_ns = max(one.t_ns for one in there)
    count = plural(there[0].label, len(there)) if len(there) > 1 else f"1 {there[0].label}"
    text = f"{count}: {spots}; last seen by {at.view.words.instant(seen_ns)}."
    return Told(text=text, evidence=at.evidence(there[:MOST_TOLD]), confidence=at.surety(there[0]))


def inside(at: SpatialView) -> Told | None:
    """What is in a room, or in, on or near a thing."""
    place = _place(at, at.asked.thing, at.asked.beside)
    if place is None:
        return None
    states, words, holders = place
    if not states:
        return _nothing_there(at, words, holders)
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
    return Told(text=text[0].upper() + text[1:], evidence=at.evidence(states[:MOST_TOLD]), confidence=_mean(states))


def where_am_i(at: SpatialView) -> Told | None:
    path = at.space.path(as_of_ns=at.as_of_ns)
    at_ns = at.before_ns if at.before_ns is not None else int(path.t_ns[-1]) if len(path) else 0
    number = path.at(at_ns)
    if number is None:
        return None
    x, y, z = (float(one) for one in path.positions_m[number])
    t_ns = int(path.t_ns[number])
    room = f"in the {path.rooms[number]}, " if path.rooms[number] else ""
    text = f"{room}at ({x:.1f}, {y:.1f}, {z:.1f}) m, at {at.view.words.instant(t_ns)}."
    evidence = at.span(t_ns, t_ns, text=f"the camera was {text}", event_ids=())
    return Told(text=text[0].upper() + text[1:], evidence=(evidence,), confidence=0.95)


# --- a place and what is there ----------------------------------------------------------------------------------------


def _place(at: SpatialView, name: str, beside: Beside) -> tuple[list[ObjectState], str, list[ObjectState]] | None:
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
    return Told(text=text[0].upper() + text[1:], evidence=at.evidence(states[:MOST_TOLD]), confidence=_mean(states))


def _nothing_there(at: SpatialView, place: str, holders: Sequence[ObjectState], *, what: str = "Nothing") -> Told:
    if holders:
        evidence = at.evidence(holders[:1])
    else:
        path = at.space.path(as_of_ns=at.as_of_ns)
        evidence = (at.span(int(path.t_ns[0]), int(path.t_ns[-1]), text=f"passed {place}", event_ids=()),)
    return Told(text=f"{what} that was seen is {place}.", evidence=evidence, confidence=0.6)


def _missing_since(at: SpatialView, state: ObjectState) -> str | None:
    changes = at.space.changes(kinds=("missing",), as_of_ns=at.as_of_ns)
    last = next((one for one in reversed(changes) if one.object_id == state.object_id), None)
    return None if last is None else f"At {at.view.words.instant(last.t_ns)} it was no longer there."


def _mean(states: Sequence[ObjectState]) -> float:
    return min(0.95, float(np.mean([one.confidence for one in states])))
