"""Changes of things as events of the journal, so that every question finds them: `the mug moved from the table to the
sink`. One event per change, with one line that says it, and the place as its words; its id is the one that the thing's
state names. Knows no table.
"""

from __future__ import annotations

from streammem.protocols import QueryEncoder
from streammem.spatial.records import ObjectChange
from streammem.types import Event, EventBundle, FloatVector, Level, Observation, stable_id

SOURCE = "spatial"
"""Who says so, in the line's `source`."""
_LEAST_NS = 1_000_000


def bundle_of(change: ObjectChange, *, encoder: QueryEncoder | None = None) -> EventBundle | None:
    """The event of a change; None for what is no news (a thing seen where nobody had looked before)."""
    event_id, after = change.event_id, change.after
    if event_id is None:
        return None
    # From its first sighting there, or its last where it was, to when that made it news; a moment at least.
    begin_ns = after.t_ns if change.kind == "missing" else after.t_first_ns
    start_ns = min(max(begin_ns, change.t_ns - 60_000_000_000), change.t_ns - _LEAST_NS)
    vector: FloatVector | None = None
    if encoder is not None:
        vector = encoder.encode_text([change.text])[0]
    event = Event(
        event_id=event_id, recording=after.recording, level=Level.EVENT, t_start_ns=start_ns, t_end_ns=change.t_ns,
        strength=1.0, parent_id=None, text=change.text, kinds=("caption",), vector=vector,
    )  # fmt: skip
    line = Observation(
        observation_id=stable_id("change line", event_id), event_id=event_id, recording=after.recording,
        kind="caption", t_start_ns=start_ns, t_end_ns=change.t_ns, text=change.text, confidence=after.confidence,
        source=SOURCE, label=change.label, track_id=change.object_id, vector=vector,
    )  # fmt: skip
    return EventBundle(event=event, observations=(line,))
