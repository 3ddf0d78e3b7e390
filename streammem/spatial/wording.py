"""What changed, in a sentence: `the mug moved from the table to the sink`. English; knows no table."""

from __future__ import annotations

import numpy as np

from streammem.spatial.records import CARRIED, ChangeKind, ObjectState


def told_change(kind: ChangeKind, *, after: ObjectState, before: ObjectState | None) -> str:
    """A sentence without a full stop, without a time."""
    label, at, are = f"the {after.label}", after.whereabouts(), be(after.label)
    if kind == "moved":
        return _told_move(label, after, before)
    if kind == "missing":
        was_at = at if before is None else before.whereabouts()
        return f"{label} {are} missing: {they(after.label)} {are} no longer {was_at}"
    if kind == "found again":
        return f"{label} {are} back {at}"
    if kind == "state":
        was = f", no longer {before.state}" if before is not None and before.state else ""
        return f"{label} {at} {are} {after.state or 'changed'}{was}"
    if kind == "appeared":
        return f"{with_article(after.label)} appeared {at}"
    if kind == "same as":
        return f"{label} {at} turned out to be the one known before"
    return f"{with_article(after.label)} {are} {at}"


def with_article(noun: str) -> str:
    """`a mug`, `an apple`; of what is always several, `keys`."""
    if be(noun) == "are":
        return noun
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def be(label: str, *, is_past: bool = False) -> str:
    """`is` or `are`, `was` or `were`: of keys, scissors and glasses there are always several."""
    are = label.endswith("s") and not label.endswith(("ss", "us", "is", "as", "lens"))
    return ("were" if are else "was") if is_past else ("are" if are else "is")


def they(label: str) -> str:
    """What is said instead of a label: of keys `they`, of a mug `it`."""
    return "they" if be(label) == "are" else "it"


def _told_move(label: str, after: ObjectState, before: ObjectState | None) -> str:
    if before is None:
        return f"{label} {be(after.label, is_past=True)} moved and {be(after.label)} {after.whereabouts()}"
    old, new = _spot(before, None), _spot(after, None)
    if old == new:
        old, new = _spot(before, before.room), _spot(after, after.room)
    if old == new:
        apart = float(np.linalg.norm(np.asarray(after.object_position) - np.asarray(before.object_position)))
        return f"{label} moved {apart:.1f} m and {be(after.label)} still {after.whereabouts()}"
    return f"{label} moved from {old} to {new}"


def _spot(state: ObjectState, room: str | None) -> str:
    """`the table`, or `the table in the kitchen` where the room is told."""
    if state.state is not None and state.state in CARRIED:
        return state.state.removeprefix("in ")
    held = next((one for one in state.relations if one.kind in {"on", "in"}), None)
    if held is not None:
        return f"the {held.label} in the {room}" if room else f"the {held.label}"
    near = next((one for one in state.relations if one.kind == "near"), None)
    if near is not None and (room is not None or state.room is None):
        return f"near the {near.label}" + (f" in the {room}" if room else "")
    if state.room:
        return f"the {state.room}"
    return "({:.1f}, {:.1f}, {:.1f}) m".format(*state.object_position)
