"""The JSON that the command line and the servers give out: times in seconds from the start of each recording.

The shapes are a promise to whoever parses them; `tests/streammem/test_cli.py` holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from streammem.errors import InputError
from streammem.timeline import WALL_CLOCK_FROM_NS, format_iso, ns_to_seconds
from streammem.types import Answer, Event, Fact, Hit, Recording

if TYPE_CHECKING:
    from streammem.app.api import Ingested
    from streammem.memory import Memory
    from streammem.store.forget import Forgotten


class EvidenceRecord(TypedDict):
    recording: str
    t_start_s: float
    t_end_s: float
    event_ids: list[str]
    text: str
    modality: str
    score: float
    frame: str | None
    """Path of the picture where a folder for pictures was given, else the key frame's id; null without a picture."""


class SpentRecord(TypedDict):
    model_calls: int
    tokens: int
    looked_again_s: float
    seconds: float


class AnswerRecord(TypedDict):
    text: str
    choice: int | None
    answerable: bool
    confidence: float
    evidence: list[EvidenceRecord]
    spent: SpentRecord
    stopped: str


class HitRecord(TypedDict):
    recording: str
    t_start_s: float
    t_end_s: float
    score: float
    modality: str
    text: str
    event_id: str


class FactRecord(TypedDict):
    fact_id: str
    recording: str
    subject: str
    predicate: str
    object: str
    t_from_s: float
    t_to_s: float | None
    """Null while it holds, as far as is known."""
    confidence: float
    count: int
    said_by: list[str]
    """Empty where it was seen, or said by nobody knows whom."""
    event_ids: list[str]


class EventRecord(TypedDict):
    event_id: str
    recording: str
    level: str
    t_start_s: float
    t_end_s: float
    text: str
    kinds: list[str]
    parent_id: str | None
    strength: float


class GapRecord(TypedDict):
    t_start_s: float
    t_end_s: float
    reason: str


class SpanRecord(TypedDict):
    t_start_s: float
    t_end_s: float


class ForgottenRecord(TypedDict):
    done: bool
    rows: dict[str, int]
    retold: int
    recordings: list[str]
    spans: dict[str, list[SpanRecord]]


class RecordingRecord(TypedDict):
    recording: str
    uri: str
    status: str
    start: str | None
    """ISO-8601 where the recording has a wall clock, else null."""
    duration_s: float
    has_video: bool
    has_audio: bool
    gaps: list[GapRecord]
    dropped: int
    models: dict[str, str]


class InfoRecord(TypedDict):
    memory: str
    recordings: list[RecordingRecord]
    rows: dict[str, int]
    bytes: int


class IngestedRecordingRecord(TypedDict):
    recording: str
    status: str
    duration_s: float
    events: int
    observations: int
    keyframes: int
    seconds: float
    resumed_from_s: float | None
    gaps: list[GapRecord]
    dropped: int
    problem: str | None
    stages: dict[str, float]


class FailedRecord(TypedDict):
    source: str
    problem: str


class IngestedRecord(TypedDict):
    memory: str
    recordings: list[IngestedRecordingRecord]
    failed: list[FailedRecord]
    interrupted: bool


def forgotten_record(done: Forgotten, starts: Mapping[str, int]) -> ForgottenRecord:
    """What was forgotten, or would be. `starts`: from before."""
    return {
        "done": done.is_done,
        "rows": done.rows,
        "retold": done.retold,
        "recordings": list(done.recordings),
        "spans": {
            name: [
                {
                    "t_start_s": ns_to_seconds(start - starts.get(name, 0)),
                    "t_end_s": ns_to_seconds(end - starts.get(name, 0)),
                }
                for start, end in spans
            ]
            for name, spans in done.spans.items()
        },
    }


def recording_starts(memory: Memory) -> dict[str, int]:
    """Start of every recording, in nanoseconds: what `t_start_s` counts from."""
    return {one.recording: one.t_start_ns for one in memory.recordings()}


def answer_record(answer: Answer, memory: Memory, *, frames_folder: Path | None = None) -> AnswerRecord:
    """An answer as JSON.

    Args:
        memory: the one it was answered from.
        frames_folder: the evidence's pictures are written there as JPEG; None writes nothing.

    Raises:
        InputError: the folder cannot be written to.
    """
    starts = recording_starts(memory)
    ids = sorted({item.keyframe_id for item in answer.evidence if item.keyframe_id is not None})
    frames = {one: one for one in ids} if frames_folder is None else _write_frames(memory, ids, frames_folder)
    return {
        "text": answer.text,
        "choice": answer.choice,
        "answerable": answer.answerable,
        "confidence": round(answer.confidence, 4),
        "evidence": [
            {
                "recording": item.recording,
                "t_start_s": ns_to_seconds(item.t_start_ns - starts.get(item.recording, 0)),
                "t_end_s": ns_to_seconds(item.t_end_ns - starts.get(item.recording, 0)),
                "event_ids": list(item.event_ids),
                "text": item.text,
                "modality": item.modality,
                "score": round(item.score, 4),
                "frame": frames.get(item.keyframe_id) if item.keyframe_id is not None else None,
            }
            for item in answer.evidence
        ],
        "spent": {
            "model_calls": answer.spent.model_calls,
            "tokens": answer.spent.tokens,
            "looked_again_s": round(answer.spent.looked_again_s, 3),
            "seconds": round(answer.spent.seconds, 3),
        },
        "stopped": answer.stopped,
    }


def hit_record(hit: Hit, starts: Mapping[str, int]) -> HitRecord:
    """A search result as JSON. `starts`: of `recording_starts`."""
    return {
        "recording": hit.recording,
        "t_start_s": ns_to_seconds(hit.t_start_ns - starts.get(hit.recording, 0)),
        "t_end_s": ns_to_seconds(hit.t_end_ns - starts.get(hit.recording, 0)),
        "score": round(hit.score, 4),
        "modality": hit.modality,
        "text": hit.text,
        "event_id": hit.event_id,
    }


def fact_record(fact: Fact, starts: Mapping[str, int]) -> FactRecord:
    """A fact as JSON. `starts`: of `recording_starts`."""
    start_ns = starts.get(fact.recording, 0)
    return {
        "fact_id": fact.fact_id,
        "recording": fact.recording,
        "subject": fact.subject,
        "predicate": fact.predicate,
        "object": fact.object,
        "t_from_s": ns_to_seconds(fact.t_from_ns - start_ns),
        "t_to_s": None if fact.t_to_ns is None else ns_to_seconds(fact.t_to_ns - start_ns),
        "confidence": round(fact.confidence, 4),
        "count": fact.count,
        "said_by": list(fact.stated_by),
        "event_ids": list(fact.event_ids),
    }


def event_record(event: Event, starts: Mapping[str, int]) -> EventRecord:
    """A segment of any level as JSON. `starts`: of `recording_starts`."""
    return {
        "event_id": event.event_id,
        "recording": event.recording,
        "level": event.level.value,
        "t_start_s": ns_to_seconds(event.t_start_ns - starts.get(event.recording, 0)),
        "t_end_s": ns_to_seconds(event.t_end_ns - starts.get(event.recording, 0)),
        "text": event.text,
        "kinds": list(event.kinds),
        "parent_id": event.parent_id,
        "strength": round(event.strength, 4),
    }


def info_record(memory: Memory, folder: Path) -> InfoRecord:
    """What a memory holds, as JSON."""
    info = memory.info()
    is_being_written = memory.is_being_written
    return {
        "memory": str(folder),
        "recordings": [_recording_record(one, is_being_written=is_being_written) for one in memory.recordings()],
        "rows": {str(name): int(count) for name, count in info["rows"].items()},
        "bytes": int(info["bytes"]),
    }


def ingested_record(done: Ingested, *, memory: Path) -> IngestedRecord:
    """What an ingest did, as JSON."""
    return {
        "memory": str(memory),
        "recordings": [
            {
                "recording": report.recording,
                "status": report.status,
                "duration_s": round(report.duration_s, 3),
                "events": report.events,
                "observations": report.observations,
                "keyframes": report.keyframes,
                "seconds": round(report.seconds, 3),
                "resumed_from_s": report.resumed_from_s,
                "gaps": [_gap_record(gap.t_start_ns, gap.t_end_ns, gap.reason, start) for gap in report.gaps],
                "dropped": report.dropped,
                "problem": report.problem,
                "stages": {stage: round(seconds, 3) for stage, seconds in report.stages.items()},
            }
            for report, start in zip(done.recordings, done.starts_ns, strict=True)
        ],
        "failed": [{"source": failure.source, "problem": failure.problem} for failure in done.failed],
        "interrupted": done.is_interrupted,
    }


def _recording_record(one: Recording, *, is_being_written: bool) -> RecordingRecord:
    # What no process is writing was interrupted, whatever its row says: a killed process cannot write that.
    is_interrupted = one.status == "ingesting" and not is_being_written
    return {
        "recording": one.recording,
        "uri": one.uri,
        "status": "interrupted" if is_interrupted else one.status,
        "start": format_iso(one.t_start_ns) if one.t_start_ns >= WALL_CLOCK_FROM_NS else None,
        "duration_s": ns_to_seconds(one.t_end_ns - one.t_start_ns),
        "has_video": one.has_video,
        "has_audio": one.has_audio,
        "gaps": [_gap_record(gap.t_start_ns, gap.t_end_ns, gap.reason, one.t_start_ns) for gap in one.gaps],
        "dropped": one.dropped,
        "models": {role: name for role, name in one.models.items() if role != "config"},
    }


def _gap_record(t_start_ns: int, t_end_ns: int, reason: str, origin_ns: int) -> GapRecord:
    return {
        "t_start_s": ns_to_seconds(t_start_ns - origin_ns),
        "t_end_s": ns_to_seconds(t_end_ns - origin_ns),
        "reason": reason,
    }


def _write_frames(memory: Memory, ids: list[str], folder: Path) -> dict[str, str]:
    paths: dict[str, str] = {}
    if not ids:
        return paths
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for keyframe in memory.keyframes(keyframe_ids=ids, with_thumbnails=True):
            path = folder / f"{keyframe.keyframe_id}.jpg"
            path.write_bytes(keyframe.thumbnail_jpeg)
            paths[keyframe.keyframe_id] = str(path)
    except OSError as error:
        raise InputError(f"Cannot write pictures to {str(folder)!r}: {error.strerror}.") from error
    return paths
