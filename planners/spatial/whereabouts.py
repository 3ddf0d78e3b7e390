"""Answers about where something is, from the spatial memory: a thing, a room, whoever looks."""

from __future__ import annotations

from dataclasses import replace

from planners.spatial.contents import is_at, spot_of
from planners.spatial.view import SpatialView, Told
from planners.spatial.ways import how_far
from planners.spatial.wording import listed, told_state
from planners.windows import duration_words
from streammem.spatial.records import ObjectState
from streammem.spatial.wording import be, they


def where(at: SpatialView) -> Told | None:
    states = at.things(at.asked.thing)
    if not states:
        return how_far(at) if at.room(at.asked.thing) is not None else None
    told = [told_state(states[0], at.view.words.instant, direction=at.direction(states[0]))]
    if states[0].is_missing:
        told.append(f"{missing_since(at, states[0])[:-1]}; where it is now is not known.")
    if others := states[1:]:
        label = states[0].label
        words = [
            f"{'another' if one.label == label else f'the {one.label}'} "
            f"{told_state(one, at.view.words.instant, short=True)}"
            for one in others[:3]
        ]
        more = [f"{len(others) - 3} more"] if len(others) > 3 else []
        told.append(f"Also seen: {listed([*words, *more])}.")
    return Told(text=" ".join(told), evidence=at.evidence(states[:6]), confidence=at.surety(states[0]))


def seen_when(at: SpatialView) -> Told | None:
    """When it was last seen, or first: anywhere, or in one place."""
    known = at.things(at.asked.thing)
    spot = spot_of(at, at.asked.holder, at.asked.beside) if at.asked.holder else None
    if not known or (at.asked.holder and spot is None):
        return None
    states = known
    if spot is not None or at.asked.edge == "first":
        ids = dict.fromkeys(one.object_id for one in known)
        states = [one for each in ids for one in at.space.history(each, as_of_ns=at.known_ns)]
    if spot is not None:
        holders = [spot.holder] if spot.holder is not None else []
        states = [one for one in states if is_at(one, spot.room, holders)]
    there = f" {spot.words}" if spot is not None else ""
    if not states:
        newest = max(known, key=lambda one: one.t_ns)
        was, when = be(newest.label, is_past=True), at.view.words.instant(newest.t_ns)
        text = f"The {newest.label} {was} not seen{there}; last seen at {when}, {newest.whereabouts()}."
        return Told(text=text, evidence=at.evidence([newest]), confidence=0.6)
    if at.asked.edge == "first":
        state = min(states, key=lambda one: one.t_first_ns)
        state = replace(state, t_ns=state.t_first_ns)
    else:
        state = max(states, key=lambda one: one.t_ns)
    seen = f"{be(state.label, is_past=True)} {at.asked.edge or 'last'} seen"
    text = f"The {state.label} {seen}{there} at {at.view.words.instant(state.t_ns)}, {state.whereabouts()}"
    if at.asked.is_ago:
        text += f": {duration_words(at.view.now_ns - state.t_ns)} before {at.view.words.instant(at.view.now_ns)}"
    since = f" {missing_since(at, state)}" if state.is_missing and at.asked.edge != "first" else ""
    return Told(text=f"{text}.{since}", evidence=at.evidence([state]), confidence=at.surety(state))


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


def missing_since(at: SpatialView, state: ObjectState) -> str:
    """`At 0:10:42 it was no longer there.`"""
    changes = at.space.changes(kinds=("missing",), as_of_ns=at.known_ns)
    noticed = [one.t_ns for one in changes if one.object_id == state.object_id]
    t_ns = noticed[-1] if noticed else state.t_known_ns
    were = f"{they(state.label)} {be(state.label, is_past=True)}"
    return f"At {at.view.words.instant(t_ns)} {were} no longer there."
