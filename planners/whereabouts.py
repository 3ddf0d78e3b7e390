"""Answers about where something is, from the spatial memory: a thing, whether it is somewhere, whoever looks."""

from __future__ import annotations

from planners.contents import spot_of
from planners.spatial_view import UNSURE, SpatialView, Told
from planners.spatial_wording import listed, told_state
from streammem.spatial.records import ObjectState

MOST_HOLDER_WORDS = 2
"""Words that name a room or a thing."""


def where(at: SpatialView) -> Told | None:
    states = at.things(at.asked.thing)
    if not states:
        return None
    sure = at.surety(states[0])
    told = [told_state(states[0], at.view.words.instant, direction=at.direction(states[0]))]
    if states[0].is_missing and (since := missing_since(at, states[0])) is not None:
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
    spot = spot_of(at, at.asked.holder, at.asked.beside)
    if spot is None:
        if len(at.asked.holder.split()) > MOST_HOLDER_WORDS:
            return None  # a clause, and no place
        seen = told_state(states[0], at.view.words.instant)
        text = f"No {at.asked.holder} is known. {seen}"
        return Told(text=text, evidence=at.evidence(states[:6]), confidence=UNSURE * at.surety(states[0]))
    ids = {one.object_id for one in spot.states}
    if found := [one for one in states if one.object_id in ids]:
        when = at.view.words.instant(found[0].t_ns)
        is_there = "was" if at.is_past else "is"
        text = f"Yes, the {found[0].label} {is_there} {spot.words}; it was last seen there at {when}."
        return Told(text=text, evidence=at.evidence(found[:6]), confidence=at.surety(found[0]))
    since = missing_since(at, states[0]) if states[0].is_missing else None
    text = " ".join(["No.", told_state(states[0], at.view.words.instant), *([since] if since else [])])
    return Told(text=text, evidence=at.evidence(states[:6]), confidence=at.surety(states[0]))


def where_am_i(at: SpatialView) -> Told | None:
    path = at.space.path(as_of_ns=at.as_of_ns)
    at_ns = at.known_ns if at.is_past and at.known_ns is not None else int(path.t_ns[-1]) if len(path) else 0
    number = path.at(at_ns)
    if number is None:
        return None
    x, y, z = (float(one) for one in path.positions_m[number])
    t_ns = int(path.t_ns[number])
    room = f"in the {path.rooms[number]}, " if path.rooms[number] else ""
    text = f"{room}at ({x:.1f}, {y:.1f}, {z:.1f}) m, at {at.view.words.instant(t_ns)}."
    evidence = at.span(t_ns, t_ns, text=f"the camera was {text}", event_ids=())
    return Told(text=text[0].upper() + text[1:], evidence=(evidence,), confidence=0.95)


def missing_since(at: SpatialView, state: ObjectState) -> str | None:
    """`At 0:10:42 it was no longer there.`"""
    changes = at.space.changes(kinds=("missing",), as_of_ns=at.known_ns)
    last = next((one for one in reversed(changes) if one.object_id == state.object_id), None)
    return None if last is None else f"At {at.view.words.instant(last.t_ns)} it was no longer there."
