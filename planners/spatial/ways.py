"""Answers about ways, from the spatial memory: how to get somewhere, also to where something happened, and how far."""

from __future__ import annotations

import numpy as np

from planners.english.words import bare, name_words
from planners.question import parse_clause
from planners.spatial.asked.counts import EVERYTHING
from planners.spatial.view import SpatialView, Told
from streammem.errors import InputError
from streammem.spatial.orientation import direction_from
from streammem.spatial.records import ObjectState
from streammem.types import Evidence


def way(at: SpatialView) -> Told | None:
    goal, why, evidence = _goal(at)
    if goal is None:
        return None
    try:
        start = at.target(at.asked.start) if at.asked.start else at.here()
        if start is None:
            return None
        pose = None if at.asked.start else at.pose()
        route = at.space.route(start, goal, pose=pose, as_of_ns=at.as_of_ns)
    except InputError:
        return None
    name = why or "there"
    if route is None:
        text = f"{name[0].upper()}{name[1:]}: no way there is known."
        return Told(text=text, evidence=evidence, confidence=0.5)
    legs = "; ".join(route.directions)
    text = f"{name[0].upper()}{name[1:]}: {legs}. {route.distance_m:.1f} m in all, over {len(route.places)} places."
    first, last = route.places[0], route.places[-1]
    rooms = " to ".join(dict.fromkeys(one.room for one in (first, last) if one.room))
    walked = at.span(
        last.t_first_ns, last.t_last_ns, text=f"the way was walked{f' ({rooms})' if rooms else ''}", event_ids=()
    )
    return Told(text=text, evidence=(*evidence, walked), confidence=0.9)


def how_far(at: SpatialView) -> Told | None:
    here = at.pose()
    target = at.target(at.asked.thing)
    if here is None or target is None:
        return None
    point = at.space.point_of(target, as_of_ns=at.as_of_ns)
    if at.asked.start:
        return _apart(at, target, at.target(at.asked.start))
    name = target if isinstance(target, str) else target.label
    text = f"The {bare(name)} is {direction_from(here, np.asarray(point)).text}"
    states = [target] if isinstance(target, ObjectState) else []
    been = at.been_in(name) if not states else None
    evidence = at.evidence(states) or ((been,) if been is not None else ())
    where = f", {states[0].whereabouts()}, last seen {at.view.words.instant(states[0].t_ns)}" if states else ""
    return Told(text=f"{text}{where}.", evidence=evidence, confidence=0.9)


def _apart(at: SpatialView, one: str | ObjectState, other: str | ObjectState | None) -> Told | None:
    """How far two things or rooms are from each other, as the crow flies."""
    if other is None:
        return None
    points = [np.asarray(at.space.point_of(each, as_of_ns=at.as_of_ns)) for each in (one, other)]
    first, second = (each if isinstance(each, str) else each.label for each in (one, other))
    away = float(np.linalg.norm(points[0] - points[1]))
    seen = [each for each in (one, other) if isinstance(each, ObjectState)]
    been = [at.been_in(each) for each in (one, other) if isinstance(each, str)]
    return Told(
        text=f"The {bare(first)} is {away:.1f} m from the {bare(second)}, as the crow flies.",
        evidence=(*at.evidence(seen), *(each for each in been if each)), confidence=0.9,
    )  # fmt: skip


def nearest(at: SpatialView) -> Told | None:
    """The thing of a name that is nearest to whoever looks."""
    here, name = at.pose(), at.asked.thing
    known = at.timed(at.space.query()).run() if name.lower() in EVERYTHING else at.things(name, every_kind=True)
    still = [one for one in known if not one.is_missing]
    if here is None or not still:
        return None
    found = [(direction_from(here, np.asarray(one.object_position)), one) for one in still]
    way, state = min(found, key=lambda pair: (pair[0].distance_m, pair[1].object_id))
    noun = "thing" if name.lower() in EVERYTHING else name
    seen = f"last seen at {at.view.words.instant(state.t_ns)}"
    text = f"The nearest {noun} is the {state.label} {state.whereabouts()}, {way.text}; {seen}."
    return Told(text=text, evidence=at.evidence([state]), confidence=at.surety(state))


def _goal(at: SpatialView) -> tuple[str | ObjectState | tuple[float, float, float] | None, str, tuple[Evidence, ...]]:
    """(where to, in words, what says so)"""
    if not at.asked.moment:
        target = at.target(at.asked.thing)
        if isinstance(target, ObjectState):
            to = "to where the {} was last seen, {}" if target.is_missing else "to the {} {}"
            return target, to.format(target.label, target.whereabouts()), at.evidence([target])
        return target, f"to the {target}", ()
    path = at.space.path(as_of_ns=at.as_of_ns)
    asked = parse_clause(at.asked.moment)
    at.finder.names = frozenset(name_words(at.question))
    found = at.finder.find(asked.target or at.asked.moment, spans=at.view.whole())
    found = [
        one
        for one in found
        if at.space.shares_clock(one.recording, one.t_start_ns)
        and path.at((one.t_start_ns + one.t_end_ns) // 2) is not None
    ]
    if not found:
        return None, "", ()
    best = max(one.support for one in found)
    match = [one for one in found if one.support >= best - 0.03][-1]
    number = path.at((match.t_start_ns + match.t_end_ns) // 2)
    assert number is not None
    x, y, z = (float(one) for one in path.positions_m[number])
    room = f" in the {path.rooms[number]}" if path.rooms[number] else ""
    when = at.view.words.instant(match.t_start_ns)
    evidence = Evidence(
        recording=match.recording, t_start_ns=match.t_start_ns, t_end_ns=match.t_end_ns,
        event_ids=(match.event_id,) if match.event_id else (), modality=match.modality,
        text=f"{match.text} (at ({x:.1f}, {y:.1f}, {z:.1f}) m{room})", score=round(match.support, 4),
        keyframe_id=match.keyframe_id or at.picture(match.t_start_ns, match.t_end_ns),
    )  # fmt: skip
    return (x, y, z), f"to where {at.asked.moment}{room} at {when}", (evidence,)
