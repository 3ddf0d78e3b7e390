"""Answers of yes or no about where things are, from the spatial memory: whether a thing is there, several of them, all
of a kind, or in the same room.

Where a thing went missing nobody knows where it is, nor whether it is there: that is said, and neither yes nor no.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from planners.english.words import bare
from planners.spatial.asked.counts import things_in
from planners.spatial.asked.question import PERSON
from planners.spatial.contents import MOST_HOLDER_WORDS, NOT_KNOWN, Spot, nothing_there, spot_of
from planners.spatial.view import UNSURE, SpatialView, Told
from planners.spatial.whereabouts import missing_since
from planners.spatial.wording import MOST_TOLD, listed, told_spots, told_state
from streammem.spatial.records import ObjectState
from streammem.spatial.wording import be, they

_SAME = re.compile(r"^same (?P<what>\w+)(?: (?:as|with) (?P<other>.+))?$", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """Whether one thing is there. `is_there` None: not known."""

    is_there: bool | None
    sentence: str
    """Without a capital and a full stop."""
    states: list[ObjectState]


def is_there(at: SpatialView) -> Told | None:
    """Yes or no, and where it was seen."""
    names = things_in(at.asked.thing)
    if same := _SAME.match(at.asked.holder):
        others = [bare(same["other"])] if same["other"] else []
        return _same_room(at, [*names, *others]) if same["what"] in {"room", "place"} else None
    if not at.asked.holder:
        return _anywhere(at)
    if (room := at.room(at.asked.thing)) is not None:
        return _next_to(at, room, at.room(at.asked.holder)) if at.asked.beside == "near" else None
    if not any(at.things(name) for name in names):
        return _nobody(at)
    spot = spot_of(at, at.asked.holder, at.asked.beside)
    if spot is None:
        return _no_such_place(at, names)
    findings = [_finding(at, name, spot) for name in names]
    return _of_one(at, findings[0], spot) if len(findings) == 1 else _of_several(at, findings)


def _anywhere(at: SpatialView) -> Told | None:
    """Whether it was seen at all, or is somewhere still."""
    states = at.things(at.asked.thing)
    if not states:
        return _room(at)
    told = told_state(states[0], at.view.words.instant)
    evidence, sure = at.evidence(states[:6]), at.surety(states[0])
    if not states[0].is_missing:
        return Told(text=f"Yes. {told}", evidence=evidence, confidence=sure)
    if at.asked.is_ever:
        return Told(text=" ".join(["Yes.", told, missing_since(at, states[0])]), evidence=evidence, confidence=sure)
    return Told(text=f"Not any more, as far as is known: {_gone(at, states[0])}.", evidence=evidence, confidence=sure)


def _room(at: SpatialView) -> Told | None:
    room = at.room(at.asked.thing)
    been = at.been_in(room) if room is not None else None
    if been is None:
        return None
    text = f"Yes, the camera was in the {room}, last at {at.view.words.instant(been.t_end_ns)}."
    return Told(text=text, evidence=(been,), confidence=0.95)


def _nobody(at: SpatialView) -> Told | None:
    """People were looked for, and none was ever seen."""
    spot = spot_of(at, at.asked.holder, at.asked.beside) if at.asked.thing == PERSON else None
    if spot is None:
        return None
    told = nothing_there(at, [spot], what=f"No {PERSON}")
    if told.confidence == NOT_KNOWN:
        return told
    return replace(told, text=f"No: {told.text[0].lower()}{told.text[1:]}")


def _next_to(at: SpatialView, room: str, other: str | None) -> Told | None:
    """Whether one was walked from one room straight into the other."""
    evidence = tuple(one for name in (room, other) if name is not None and (one := at.been_in(name)) is not None)
    if other is None or len(evidence) < 2:
        return None
    route = at.space.route(room, other, as_of_ns=at.as_of_ns)
    if route is None:
        text = f"Not known: no way was walked from the {room} to the {other}."
        return Told(text=text, evidence=evidence, confidence=NOT_KNOWN)
    passed = [one for one in dict.fromkeys(place.room for place in route.places) if one not in {None, room, other}]
    if not passed:
        text = f"Yes, as it was walked: from the {room} straight into the {other}, {route.distance_m:.1f} m."
    else:
        through = listed([f"the {one}" for one in passed])
        text = f"No, as it was walked: from the {room} to the {other} through {through}, {route.distance_m:.1f} m."
    return Told(text=text, evidence=evidence, confidence=0.7)


def _no_such_place(at: SpatialView, names: Sequence[str]) -> Told | None:
    if len(at.asked.holder.split()) > MOST_HOLDER_WORDS:
        return None  # a clause, and no place
    states = next(some for name in names if (some := at.things(name)))
    text = f"No {at.asked.holder} is known. {told_state(states[0], at.view.words.instant)}"
    return Told(text=text, evidence=at.evidence(states[:6]), confidence=UNSURE * at.surety(states[0]))


def _finding(at: SpatialView, name: str, spot: Spot) -> _Finding:
    states = at.things(name)
    if not states:
        return _Finding(is_there=None, sentence=f"no {name} was seen", states=[])
    ids = {one.object_id for one in spot.states}
    found = [one for one in states if one.object_id in ids]
    still = [one for one in states if not one.is_missing]
    if at.asked.is_all and len(still) > 1:
        is_all = len(found) == len(still)
        told = f"{'all that were seen' if is_all else 'not all of them'}: {told_spots(still, name=name)}"
        return _Finding(is_there=is_all, sentence=told, states=found if is_all else still)
    if found:
        words = f"the {found[0].label} {be(found[0].label, is_past=at.is_past)} {spot.words}"
        return _Finding(is_there=True, sentence=words, states=found)
    if not still:
        was_there = spot.holder is not None and any(
            link.object_id == spot.holder.object_id for link in states[0].relations
        )
        return _Finding(is_there=False if was_there else None, sentence=_gone(at, states[0]), states=states)
    told = told_state(states[0], at.view.words.instant, short=True)
    words = f"the {states[0].label} {be(states[0].label, is_past=True)} last seen {told}"
    return _Finding(is_there=False, sentence=words, states=states)


def _of_one(at: SpatialView, one: _Finding, spot: Spot) -> Told:
    state, evidence = one.states[0], at.evidence(one.states[: MOST_TOLD if at.asked.is_all else 6])
    sure = at.surety(state)
    if one.is_there is None:
        return Told(text=f"Not known: {one.sentence}.", evidence=evidence, confidence=NOT_KNOWN)
    if at.asked.is_all and len(one.states) > 1:
        verdict = "Yes" if one.is_there else "No"
        return Told(text=f"{verdict}, {one.sentence}; {at.seen_by(one.states)}.", evidence=evidence, confidence=sure)
    if one.is_there:
        were, when = f"{they(state.label)} {be(state.label, is_past=True)}", at.view.words.instant(state.t_ns)
        return Told(text=f"Yes, {one.sentence}; {were} last seen there at {when}.", evidence=evidence, confidence=sure)
    if state.is_missing:
        return Told(text=f"No longer: {one.sentence}.", evidence=evidence, confidence=sure)
    return Told(text=f"No. {told_state(state, at.view.words.instant)}", evidence=evidence, confidence=sure)


def _of_several(at: SpatialView, findings: Sequence[_Finding]) -> Told:
    verdicts = [one.is_there for one in findings]
    decides = re.search(r"\bor\b", at.asked.thing, re.I) is not None  # one that is there, or one that is not
    verdict = decides if decides in verdicts else None if None in verdicts else not decides
    states = [one.states[0] for one in findings if one.states]
    told = "; ".join(
        f"{one.sentence} (last seen at {at.view.words.instant(one.states[0].t_ns)})" if one.is_there else one.sentence
        for one in findings
    )
    word = "Not known" if verdict is None else "Yes" if verdict else "No"
    sure = NOT_KNOWN if verdict is None else min(at.surety(one) for one in states)
    return Told(text=f"{word}: {told}.", evidence=at.evidence(states), confidence=sure)


def _same_room(at: SpatialView, names: Sequence[str]) -> Told | None:
    found = [at.things(name) for name in names]
    if len(names) < 2 or not all(found):
        return None
    states = [some[0] for some in found]
    evidence = at.evidence(states)
    lost = [one for one in states if one.is_missing or one.room is None]
    if lost:
        told = "; ".join(_gone(at, one) if one.is_missing else f"the room of the {one.label} is not" for one in lost)
        return Told(text=f"Not known: {told}.", evidence=evidence, confidence=NOT_KNOWN)
    first, others = states[0], states[1:]
    is_first = f"the {first.label} {be(first.label, is_past=at.is_past)} in the {first.room}"
    if all(one.room == first.room for one in others):
        are = be(others[0].label, is_past=at.is_past) if len(others) == 1 else "were" if at.is_past else "are"
        text = f"Yes: {is_first}, and so {are} {listed([f'the {one.label}' for one in others])}."
    else:
        text = f"No: {is_first}, {listed([f'the {one.label} in the {one.room}' for one in others])}."
    return Told(text=text, evidence=evidence, confidence=min(at.surety(one) for one in states))


def _gone(at: SpatialView, state: ObjectState) -> str:
    """`the mug was last seen on the table at 0:10:40; at 0:10:42 it was no longer there`"""
    seen = f"{state.whereabouts()} at {at.view.words.instant(state.t_ns)}"
    since = missing_since(at, state).rstrip(".")
    return f"the {state.label} {be(state.label, is_past=True)} last seen {seen}; {since[0].lower()}{since[1:]}"
