"""What changed, in a sentence: `the mug moved from the table to the sink`. English; knows no table."""

from __future__ import annotations

import numpy as np

from streammem.spatial.records import ChangeKind, ObjectState


def told_change(kind: ChangeKind, *, after: ObjectState, before: ObjectState | None) -> str:
    """A sentence without a full stop, without a time."""
    label, at = f"the {after.label}", after.whereabouts()
    if kind == "moved":
        return _told_move(label, after, before)
    if kind == "missing":
        return f"{label} is missing: it is no longer {before.whereabouts() if before is not None else at}"
    if kind == "found again":
        return f"{label} is back {at}"
    if kind == "state":
        was = f", no longer {before.state}" if before is not None and before.state else ""
        return f"{label} {at} is {after.state or 'changed'}{was}"
    if kind == "appeared":
        return f"{article(after.label)} {after.label} appeared {at}"
    if kind == "same as":
        return f"{label} {at} turned out to be the one known before"
    return f"{article(after.label)} {after.label} is {at}"


def article(noun: str) -> str:
    """`a` or `an`."""
    return "an" if noun[:1].lower() in "aeiou" else "a"


def _told_move(label: str, after: ObjectState, before: ObjectState | None) -> str:
    if before is None:
        return f"{label} was moved and is {after.whereabouts()}"
    old, new = _spot(before, None), _spot(after, None)
    if old == new:
        old, new = _spot(before, before.room), _spot(after, after.room)
    if old == new:
        apart = float(np.linalg.norm(np.asarray(after.object_position) - np.asarray(before.object_position)))
        return f"{label} moved {apart:.1f} m and is still {after.whereabouts()}"
    return f"{label} moved from {old} to {new}"


def _spot(state: ObjectState, room: str | None) -> str:
    """`the table`, or `the table in the kitchen` where the room is told."""
    held = next((one for one in state.relations if one.kind in {"on", "in"}), None)
    if held is not None:
        return f"the {held.label} in the {room}" if room else f"the {held.label}"
    near = next((one for one in state.relations if one.kind == "near"), None)
    if near is not None and (room is not None or state.room is None):
        return f"near the {near.label}" + (f" in the {room}" if room else "")
    if state.room:
        return f"the {state.room}"
    return "({:.1f}, {:.1f}, {:.1f}) m".format(*state.object_position)
