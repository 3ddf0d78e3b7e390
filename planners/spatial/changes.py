"""Answers about what changed, from the spatial memory: what moved or went missing, when, and where it was before."""

from __future__ import annotations

from collections.abc import Sequence

from planners.spatial.contents import is_at
from planners.spatial.view import SpatialView, Told
from planners.spatial.whereabouts import missing_since
from planners.spatial.wording import MOST_TOLD, times, told_change, told_state
from streammem.spatial.records import ChangeKind, ObjectChange, ObjectState
from streammem.spatial.wording import be

_CHANGE_WORDS: dict[str, tuple[ChangeKind, ...]] = {
    "mov": ("moved",), "rearranged": ("moved",), "taken": ("moved", "missing"), "missing": ("missing",),
    "gone": ("missing",), "go ": ("missing",), "disappear": ("missing",), "vanish": ("missing",),
    "appear": ("appeared", "found again"), "new": ("appeared", "first seen"),
}  # fmt: skip
_ANY_CHANGE: tuple[ChangeKind, ...] = ("appeared", "moved", "missing", "found again", "state")


def changed(at: SpatialView) -> Told | None:
    kinds: tuple[ChangeKind, ...] = kinds_for(at.asked.change) or _ANY_CHANGE
    if at.asked.window is None:  # all of it was seen for a first time, which is no news
        kinds = tuple(one for one in kinds if one != "first seen")
    changes = at.changes(kinds)
    if at.asked.thing:
        room = at.room(at.asked.thing)
        holders = [] if room is not None else at.things(at.asked.thing)
        if room is None and not holders:
            return None
        changes = [one for one in changes if _touches(one, room, holders)]
    if not changes:
        return _unchanged(at)
    newest = changes[-MOST_TOLD:]
    told = "; ".join(told_change(one, at.view.words) for one in newest)
    more = f" ({len(changes) - len(newest)} earlier changes are left out.)" if len(changes) > len(newest) else ""
    return Told(text=f"{told[0].upper()}{told[1:]}.{more}", evidence=at.change_evidence(newest), confidence=0.9)


def moved_when(at: SpatialView) -> Told | None:
    states = at.things(at.asked.thing)
    ids = {one.object_id for one in states}
    kinds = kinds_for(at.asked.change) or ("moved", "missing")
    changes = [one for one in at.changes(kinds) if one.object_id in ids]
    if not changes:  # what went missing has moved as well, only nobody knows where to
        changes = [one for one in at.changes(("moved", "missing")) if one.object_id in ids]
    if not changes:
        if not states:
            return None
        spot = told_state(states[0], at.view.words.instant, short=True)
        was = be(states[0].label, is_past=True)
        text = f"The {states[0].label} {was} not seen to change; last seen {spot}."
        return Told(text=text, evidence=at.evidence(states[:1]), confidence=0.6)
    text = f"{told_change(changes[-1], at.view.words)}."
    return Told(
        text=text[0].upper() + text[1:], evidence=at.change_evidence(changes[::-1][:6]),
        confidence=at.surety(changes[-1].after),
    )  # fmt: skip


def moved_often(at: SpatialView) -> Told | None:
    """How many times it moved, or whether it did, each told; None where no such thing is known: captions may tell."""
    states = at.things(at.asked.thing)
    if not states:
        return None
    ids = {one.object_id for one in states}
    kinds = kinds_for(at.asked.change) or ("moved",)
    changes = [one for one in at.changes(kinds) if one.object_id in ids]
    if at.asked.holder:
        room = at.room(at.asked.holder)
        holders = [] if room is not None else at.things(at.asked.holder)
        if room is None and not holders:
            return None
        ends = [(one, one.before if at.asked.is_from else one.after) for one in changes]
        changes = [one for one, end in ends if end is not None and is_at(end, room, holders)]
    gone = [] if at.asked.holder or not states[0].is_missing or "moved" not in kinds else _last_missing(at, ids)
    changes = sorted([*changes, *gone], key=lambda one: one.t_ns)
    if not changes:
        spot = told_state(states[0], at.view.words.instant, short=True)
        never = "No" if at.asked.is_whether else "Never"
        was = be(states[0].label, is_past=True)
        text = f"{never}, as far as was seen: the {states[0].label} {was} last seen {spot}."
        return Told(text=text, evidence=at.evidence(states[:1]), confidence=0.6, number=0)
    newest = changes[-MOST_TOLD:]
    often = times(len(changes))
    often = f"At least {often[0].lower()}{often[1:]}" if gone else often
    often = f"Yes, {often[0].lower()}{often[1:]}" if at.asked.is_whether else often
    told = "; ".join(told_change(one, at.view.words) for one in newest)
    return Told(
        text=f"{often}: {told}.", evidence=at.change_evidence(newest), confidence=at.surety(states[0]),
        number=len(changes),
    )  # fmt: skip


def _last_missing(at: SpatialView, ids: set[str]) -> list[ObjectChange]:
    """When things went missing that have not been found since: somebody took them."""
    last: dict[str, ObjectChange] = {}
    for one in at.changes(("missing", "moved", "found again")):
        if one.object_id in ids:
            last[one.object_id] = one
    return [one for one in last.values() if one.kind == "missing"]


def where_before(at: SpatialView) -> Told | None:
    states = at.things(at.asked.thing)
    if not states:
        return None
    changes = [
        one
        for one in at.space.changes(kinds=("moved", "missing"), as_of_ns=at.known_ns)
        if one.object_id == states[0].object_id and one.before is not None
    ]
    if not changes or changes[-1].before is None:
        return None
    last, before = changes[-1], changes[-1].before
    when = at.view.words.instant(before.t_ns)
    if last.kind == "missing":
        told, evidence = missing_since(at, last.after), (*at.evidence([before]), *at.change_evidence([last]))
    else:
        told = f"{told_change(last, at.view.words)}."
        evidence = at.evidence([before, last.after])
    was = f"the {before.label} {be(before.label, is_past=True)} {before.whereabouts()}, last seen there at {when}"
    return Told(text=f"Before, {was}; {told[0].lower()}{told[1:]}", evidence=evidence, confidence=at.surety(before))


def _unchanged(at: SpatialView) -> Told | None:
    """Nothing changed, if somebody looked."""
    path = at.space.path(as_of_ns=at.as_of_ns)
    first = 0 if at.after_ns is None else int(path.t_ns.searchsorted(at.after_ns))
    last = len(path) if at.before_ns is None else int(path.t_ns.searchsorted(at.before_ns, side="right"))
    if first >= last or at.asked.thing:
        return None
    start_ns, end_ns = int(path.t_ns[first]), int(path.t_ns[last - 1])
    span = f"between {at.view.words.instant(start_ns)} and {at.view.words.instant(end_ns)}"
    text = f"Nothing that was seen {'is new' if at.asked.change == 'new' else 'changed'} {span}."
    return Told(text=text, evidence=(at.span(start_ns, end_ns, text=text, event_ids=()),), confidence=0.6)


def kinds_for(word: str) -> tuple[ChangeKind, ...]:
    """The kinds of change that a word asks for; empty: any."""
    return next((kinds for start, kinds in _CHANGE_WORDS.items() if word.startswith(start)), ())


def _touches(change: ObjectChange, room: str | None, holders: Sequence[ObjectState]) -> bool:
    """Whether a change took a thing into or out of a room, or on or off a thing."""
    return any(is_at(state, room, holders) for state in (change.before, change.after) if state is not None)
