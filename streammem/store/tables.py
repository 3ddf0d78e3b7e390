"""The tables, and records to rows and back.

Six tables: `events` (all levels; the journal), `observations`, `keyframes`, `facts` (one row per event that asserts a
fact), `recordings`, and `beliefs` (what the assertions add up to, made from `facts`). Every row but a recording's
carries `commit_seq`: the number of the batch it was written in. The `events` rows of a batch are written last, in one
atomic append, so the largest `commit_seq` in `events` is the last batch that counts, and `commit_seq <= last` is all a
reader needs to see only what the journal has committed.

Vector columns are added when first needed and carry model and dimension, e.g. `vector__minilm_l6_v2__384`: vectors of
two models never meet in one column. Knows no query.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

import numpy as np

from streammem.semantic.predicates import is_searched
from streammem.store.lance import arrow
from streammem.store.state import STATE
from streammem.types import (
    NS_PER_S,
    Detection,
    Event,
    Fact,
    FloatVector,
    Gap,
    KeyFrame,
    Level,
    Observation,
    Recording,
    Tag,
)

EVENTS, OBSERVATIONS, KEYFRAMES, FACTS, RECORDINGS = "events", "observations", "keyframes", "facts", "recordings"
BELIEFS = "beliefs"
"""Written after the journal, from it: `semantic.beliefs`. Its `commit_seq` is how far its making had got."""
PROJECTIONS = (OBSERVATIONS, KEYFRAMES, FACTS)
"""Written before the journal, in this order."""
TABLES = (*PROJECTIONS, EVENTS, RECORDINGS, BELIEFS)
"""Made with the memory; those of `store.state` when something is first written to them."""
UNNUMBERED = frozenset({RECORDINGS, BELIEFS, *STATE})
"""Tables whose rows count as they are, whatever batch the journal has got to."""
OBJECT_STATES, PLACE_LOG, NAMED_ROOMS, LANDMARKS = "object_states", "place_log", "named_rooms", "landmarks"
SPATIAL = (OBJECT_STATES, PLACE_LOG, NAMED_ROOMS, LANDMARKS)
"""Written before the journal too, append-only; made when first written, since most memories have none.
`streammem.spatial` fills them: an object's states, what happened to the graph of places, and where rooms were said to
be. `planners.navigate` fills `landmarks`: where on a street graph the words about a walk placed them."""

UNNAMED_MODEL = "unnamed"
KEYFRAME_HALF_SPAN_NS = NS_PER_S
"""A key frame stands for its moment: a second to either side, within its event."""

Row = dict[str, Any]

FULL_TEXT: dict[str, str] = {EVENTS: "text", OBSERVATIONS: "searched", FACTS: "text"}
"""Column of a table that words are looked up in. `searched` is a line with the name of who said it."""

COLUMNS: dict[str, tuple[str, ...]] = {
    EVENTS: (
        "event_id", "recording", "level", "t_start_ns", "t_end_ns", "strength", "parent_id", "children", "text",
        "moment_text", "kinds",
    ),
    OBSERVATIONS: (
        "observation_id", "event_id", "recording", "kind", "t_start_ns", "t_end_ns", "text", "confidence", "source",
        "label", "track_id", "speaker", "box",
    ),
    KEYFRAMES: ("keyframe_id", "event_id", "recording", "t_ns", "t_start_ns", "t_end_ns", "tags", "detections"),
    FACTS: (
        "assertion_id", "fact_id", "event_id", "recording", "subject", "subject_key", "predicate", "object", "text",
        "t_start_ns", "t_end_ns", "t_to_ns", "confidence", "count", "stated_by",
    ),
    BELIEFS: (
        "fact_id", "key", "live_key", "recording", "subject", "subject_key", "predicate", "object", "t_start_ns",
        "t_to_ns", "said_to_ns", "closed_ns", "closed_known_ns", "first_known_ns", "last_known_ns", "last_t_ns",
        "last_event", "doubt", "count", "events", "event_ids", "stated_bys", "held_by", "closes", "is_live",
        "is_tangled", "is_gone", "commit_seq",
    ),
    OBJECT_STATES: (
        "state_id", "object_id", "recording", "frame", "label", "instance_id", "change", "t_start_ns", "t_end_ns",
        "t_first_ns", "t_seen_ns", "x_m", "y_m", "z_m", "size_m", "observer_pose", "room", "place_id", "relations",
        "state", "is_missing", "confidence", "sightings", "event_id", "before_id", "other_id",
    ),
    PLACE_LOG: (
        "row_id", "place_id", "recording", "frame", "kind", "t_start_ns", "t_end_ns", "x_m", "y_m", "z_m", "pose",
        "room", "from_id", "distance_m",
    ),
    NAMED_ROOMS: ("row_id", "recording", "room", "t_start_ns", "t_end_ns", "low_m", "high_m"),
    LANDMARKS: ("row_id", "recording", "walk", "label", "said", "number", "t_start_ns", "t_end_ns", "places", "shares"),
    RECORDINGS: (
        "recording", "uri", "fingerprint", "t_start_ns", "t_end_ns", "status", "has_video", "has_audio", "gaps",
        "dropped", "models", "checkpoint",
    ),
}  # fmt: skip
"""What a row is read with: no vectors, no thumbnails."""


def schema_of(table: str) -> Any:
    """Arrow schema of a new table, without vector columns."""
    if table in STATE:
        return STATE[table].schema()
    pa = arrow()
    kinds = {
        "strength": pa.float64(), "confidence": pa.float64(), "children": pa.list_(pa.string()),
        "kinds": pa.list_(pa.string()), "box": pa.list_(pa.float32()), "has_video": pa.bool_(), "has_audio": pa.bool_(),
        "dropped": pa.int64(), "count": pa.int64(), "checkpoint": pa.binary(), "doubt": pa.float64(),
        "events": pa.int64(), "event_ids": pa.list_(pa.string()), "is_live": pa.bool_(), "is_tangled": pa.bool_(),
        "is_gone": pa.bool_(), "commit_seq": pa.int64(), "x_m": pa.float64(), "y_m": pa.float64(),
        "z_m": pa.float64(), "size_m": pa.list_(pa.float64()), "observer_pose": pa.list_(pa.float64()),
        "pose": pa.list_(pa.float64()), "low_m": pa.list_(pa.float64()), "high_m": pa.list_(pa.float64()),
        "number": pa.int64(), "places": pa.list_(pa.string()), "shares": pa.list_(pa.float64()),
        "stated_bys": pa.list_(pa.string()), "held_by": pa.list_(pa.string()), "closes": pa.int64(),
        "is_missing": pa.bool_(), "sightings": pa.int64(), "distance_m": pa.float64(),
    }  # fmt: skip
    fields = [
        pa.field(name, kinds.get(name, pa.int64() if name.endswith("_ns") else pa.string())) for name in COLUMNS[table]
    ]
    if table == KEYFRAMES:
        fields.append(pa.field("thumbnail_jpeg", pa.binary()))
    if table == OBSERVATIONS:
        fields.append(pa.field("searched", pa.string()))
    if table not in (RECORDINGS, BELIEFS):
        fields.append(pa.field("commit_seq", pa.int64()))
    return pa.schema(fields)


def vector_column(role: str, model: str, dim: int) -> str:
    """Column of a vector role (`vector`, `image_vector`, `joint_vector`) as one model writes it."""
    return f"{role}__{re.sub(r'[^a-z0-9]+', '_', model.lower()).strip('_') or UNNAMED_MODEL}__{dim}"


def find_vector_column(names: list[str], role: str, dim: int, model: str | None) -> str | None:
    """The column that a query vector belongs to; None where the memory has none for this model and dimension.

    A column written without a model's name is taken if the dimension fits; an image model's name is not known to the
    query side, so there the newest column of that dimension is taken.
    """
    if model is not None and (exact := vector_column(role, model, dim)) in names:
        return exact
    if model is not None and role == "vector":
        unnamed = vector_column(role, UNNAMED_MODEL, dim)
        return unnamed if unnamed in names else None
    fitting = [name for name in names if name.startswith(f"{role}__") and name.endswith(f"__{dim}")]
    return fitting[-1] if fitting else None


def _put_vector(row: Row, role: str, model: str, vector: FloatVector | None) -> Row:
    if vector is not None:
        flat = np.asarray(vector, dtype=np.float32).reshape(-1)
        row[vector_column(role, model, flat.shape[0])] = flat
    return row


def event_row(event: Event, *, model: str) -> Row:
    row: Row = {
        "event_id": event.event_id,
        "recording": event.recording,
        "level": event.level.value,
        "t_start_ns": event.t_start_ns,
        "t_end_ns": event.t_end_ns,
        "strength": event.strength,
        "parent_id": event.parent_id,
        "children": list(event.children),
        **told_columns(event),
        "kinds": list(event.kinds),
    }
    return _put_vector(row, "vector", model, event.vector)


def told_columns(event: Event) -> Row:
    """An event's text in its column. A moment's is beside it: its words are its event's, and there are ten times as
    many moments, so in the full-text index they would only crowd out events."""
    is_moment = event.level is Level.MOMENT
    return {"text": "" if is_moment else event.text, "moment_text": event.text if is_moment else None}


def event_of(row: Row) -> Event:
    return Event(
        event_id=row["event_id"],
        recording=row["recording"],
        level=Level(row["level"]),
        t_start_ns=row["t_start_ns"],
        t_end_ns=row["t_end_ns"],
        strength=row["strength"],
        parent_id=row["parent_id"],
        children=tuple(row["children"] or ()),
        text=row["text"] or row.get("moment_text") or "",
        kinds=tuple(row["kinds"] or ()),
    )


def observation_row(observation: Observation, *, model: str) -> Row:
    row: Row = {
        "observation_id": observation.observation_id,
        "event_id": observation.event_id,
        "recording": observation.recording,
        "kind": observation.kind,
        "t_start_ns": observation.t_start_ns,
        "t_end_ns": observation.t_end_ns,
        "text": observation.text,
        "searched": observation.searched,
        "confidence": observation.confidence,
        "source": observation.source,
        "label": observation.label,
        "track_id": observation.track_id,
        "speaker": observation.speaker,
        "box": None if observation.box is None else list(observation.box),
    }
    return _put_vector(row, "vector", model, observation.vector)


def observation_of(row: Row) -> Observation:
    box = row["box"]
    return Observation(
        observation_id=row["observation_id"],
        event_id=row["event_id"],
        recording=row["recording"],
        kind=row["kind"],
        t_start_ns=row["t_start_ns"],
        t_end_ns=row["t_end_ns"],
        text=row["text"] or "",
        confidence=row["confidence"],
        source=row["source"] or "",
        label=row["label"],
        track_id=row["track_id"],
        speaker=row["speaker"],
        box=None if box is None else (box[0], box[1], box[2], box[3]),
    )


def keyframe_row(keyframe: KeyFrame, *, event: Event, model: str) -> Row:
    row: Row = {
        "keyframe_id": keyframe.keyframe_id,
        "event_id": keyframe.event_id,
        "recording": keyframe.recording,
        "t_ns": keyframe.t_ns,
        "t_start_ns": max(event.t_start_ns, keyframe.t_ns - KEYFRAME_HALF_SPAN_NS),
        "t_end_ns": min(event.t_end_ns, keyframe.t_ns + KEYFRAME_HALF_SPAN_NS),
        "tags": json.dumps([[tag.label, tag.probability] for tag in keyframe.tags]),
        "detections": json.dumps([[found.label, found.score, found.box] for found in keyframe.detections]),
        "thumbnail_jpeg": keyframe.thumbnail_jpeg,
    }
    _put_vector(row, "image_vector", model, keyframe.image_vector)
    return _put_vector(row, "joint_vector", model, keyframe.joint_vector)


def keyframe_of(row: Row) -> KeyFrame:
    tags = cast(list[Any], json.loads(row["tags"] or "[]"))
    detections = cast(list[Any], json.loads(row["detections"] or "[]"))
    return KeyFrame(
        keyframe_id=row["keyframe_id"],
        event_id=row["event_id"],
        recording=row["recording"],
        t_ns=row["t_ns"],
        thumbnail_jpeg=row.get("thumbnail_jpeg") or b"",
        tags=tuple(Tag(label=label, probability=probability) for label, probability in tags),
        detections=tuple(
            Detection(label=label, score=score, box=(box[0], box[1], box[2], box[3]))
            for label, score, box in detections
        ),
    )


def fact_row(fact: Fact, *, event: Event, model: str) -> Row:
    """`t_end_ns` is when the fact became known: the end of the event that asserts it."""
    from streammem.types import stable_id

    said = (event.event_id, fact.subject, fact.predicate, fact.object)
    row: Row = {
        "assertion_id": stable_id("assertion", *said, *fact.stated_by[:1]),
        "fact_id": fact.fact_id,
        "event_id": event.event_id,
        "recording": fact.recording,
        "subject": fact.subject,
        "subject_key": fact.subject.casefold(),
        "predicate": fact.predicate,
        "object": fact.object,
        "text": f"{fact.subject} {fact.predicate} {fact.object}" if is_searched(fact.predicate) else None,
        "t_start_ns": fact.t_from_ns,
        "t_end_ns": max(event.t_end_ns, fact.t_from_ns),
        "t_to_ns": fact.t_to_ns,
        "confidence": fact.confidence,
        "count": fact.count,
        "stated_by": fact.stated_by[0] if fact.stated_by else None,
    }
    return _put_vector(row, "vector", model, fact.vector)


def assertion_of(row: Row) -> Fact:
    """A fact as one event asserts it; consolidation joins them."""
    return Fact(
        fact_id=row["fact_id"],
        recording=row["recording"],
        subject=row["subject"],
        predicate=row["predicate"],
        object=row["object"],
        t_from_ns=row["t_start_ns"],
        t_to_ns=row["t_to_ns"],
        confidence=row["confidence"],
        count=row["count"],
        event_ids=(row["event_id"],),
        stated_by=(row["stated_by"],) if row.get("stated_by") else (),
    )


def recording_row(recording: Recording) -> Row:
    return {
        "recording": recording.recording,
        "uri": recording.uri,
        "fingerprint": recording.fingerprint,
        "t_start_ns": recording.t_start_ns,
        "t_end_ns": recording.t_end_ns,
        "status": recording.status,
        "has_video": recording.has_video,
        "has_audio": recording.has_audio,
        "gaps": json.dumps([[gap.t_start_ns, gap.t_end_ns, gap.reason] for gap in recording.gaps]),
        "dropped": recording.dropped,
        "models": json.dumps(recording.models, sort_keys=True),
        "checkpoint": recording.checkpoint,
    }


def recording_of(row: Row) -> Recording:
    gaps = cast(list[Any], json.loads(row["gaps"] or "[]"))
    return Recording(
        recording=row["recording"],
        uri=row["uri"],
        fingerprint=row["fingerprint"],
        t_start_ns=row["t_start_ns"],
        t_end_ns=row["t_end_ns"],
        status=row["status"],
        has_video=row["has_video"],
        has_audio=row["has_audio"],
        gaps=tuple(Gap(t_start_ns=start, t_end_ns=end, reason=reason) for start, end, reason in gaps),
        dropped=row["dropped"],
        models=json.loads(row["models"] or "{}"),
        checkpoint=row["checkpoint"],
    )


def arrow_rows(rows: list[Row], schema: Any) -> Any:
    """Rows as an Arrow table of `schema`; what a row does not name is null."""
    pa = arrow()
    columns: list[Any] = []
    for field in schema:
        values = [row.get(field.name) for row in rows]
        columns.append(pa.array(values, type=field.type))
    return pa.Table.from_arrays(columns, schema=schema)
