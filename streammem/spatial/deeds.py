"""What the robot did to things itself: `the robot picked up the mug from the table`, as events of the journal.

What is seen tells only that a thing is gone; whoever took it knows more. Knows no table and no body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from streammem.protocols import QueryEncoder
from streammem.spatial.observations import Vector3
from streammem.spatial.records import ObjectState
from streammem.types import Event, EventBundle, FloatVector, Level, Observation, stable_id

DeedKind = Literal["picked up", "put", "handed over"]
SOURCE = "robot"
"""Who says so, in the line's `source`."""
_LASTS_NS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that was done, and worked."""

    kind: DeedKind
    label: str
    identity: str
    """The thing's id, or the id that its source gave it."""
    place: str | None = None
    """What it was put on, by name."""
    position_m: Vector3 | None = None
    """Where it lies now, as far as is known."""


def told_deed(deed: Deed, before: ObjectState | None) -> str:
    """A sentence without a full stop, without a time."""
    if deed.kind == "put":
        return (
            f"the robot put the {deed.label} on the {deed.place}"
            if deed.place
            else f"the robot put the {deed.label} down"
        )
    if deed.kind == "handed over":
        return f"the robot handed the {deed.label} over to somebody"
    on = next((one.label for one in before.relations if one.kind in {"on", "in"}), None) if before is not None else None
    room = f" in the {before.room}" if before is not None and before.room else ""
    spot = f" from the {on}{room}" if on else room
    return f"the robot picked up the {deed.label}{spot}"


def bundle_of_deed(
    deed: Deed, text: str, *, recording: str, t_ns: int, object_id: str | None, encoder: QueryEncoder | None
) -> EventBundle:
    """The event of a deed that was done at a time."""
    event_id = stable_id("deed", recording, deed.identity, t_ns, deed.kind)
    vector: FloatVector | None = encoder.encode_text([text])[0] if encoder is not None else None
    start_ns = t_ns - _LASTS_NS
    event = Event(
        event_id=event_id, recording=recording, level=Level.EVENT, t_start_ns=start_ns, t_end_ns=t_ns, strength=1.0,
        parent_id=None, text=text, kinds=("caption",), vector=vector,
    )  # fmt: skip
    line = Observation(
        observation_id=stable_id("deed line", event_id), event_id=event_id, recording=recording, kind="caption",
        t_start_ns=start_ns, t_end_ns=t_ns, text=text, source=SOURCE, label=deed.label, track_id=object_id,
        vector=vector,
    )  # fmt: skip
    return EventBundle(event=event, observations=(line,))
