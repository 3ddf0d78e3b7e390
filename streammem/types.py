"""What is remembered, asked and answered: plain frozen records with units in their names.

Knows no storage, no model and no planner. Every time is int64 nanoseconds since the Unix epoch; a recording without
a wall clock starts at 0. Every box is `(x1, y1, x2, y2)` as fractions of image width and height, origin top left.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:  # the command line imports this module; numpy alone would double what that costs
    import numpy as np
    import numpy.typing as npt

NS_PER_S = 1_000_000_000

FloatVector: TypeAlias = "npt.NDArray[np.float32]"
Box = tuple[float, float, float, float]

ObservationKind = Literal["speech", "caption", "text_in_view", "object", "scene", "sound"]
"""How a single thing was noticed: words heard (`speech`, from recognition or a transcript track), a caption line, text
that stood in the picture, one tracked object, what the key frames look like (`scene`), a sound that is not speech."""

Modality = Literal["speech", "caption", "text_in_view", "object", "scene", "sound", "visual", "summary", "fact"]
"""Where a hit or a piece of evidence comes from: an observation's kind; `visual` = the pixels of a key frame matched;
`summary` = the text of an event or of a coarser level; `fact` = the semantic memory."""


class Level(StrEnum):
    """Scales of episodic memory, fine to coarse. Segments of a level partition its recording and nest exactly."""

    MOMENT = "moment"  # <= 2 s
    EVENT = "event"  # about 5-60 s: the unit of description and of commit
    EPISODE = "episode"  # minutes
    HOUR = "hour"
    DAY = "day"


LEVELS: tuple[Level, ...] = tuple(Level)


def stable_id(*parts: object) -> str:
    """Id derived from content: writing the same thing twice gives the same id (24 hex digits)."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:24]


def event_id_for(recording: str, level: Level, t_start_ns: int) -> str:
    """Id of the segment of `level` that starts at `t_start_ns`. Known before the segment ends, so a child can name
    its parent while the parent is still open."""
    return stable_id("event", recording, level.value, t_start_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A span of a recording that could not be read or was dropped, and why."""

    t_start_ns: int
    t_end_ns: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One source as the memory knows it.

    `recording` is its unique name in the memory. `checkpoint` is the perception pipeline's own resumable state
    (opaque bytes, never pickled), valid for everything committed before it. `models` maps role -> model name.
    """

    recording: str
    uri: str
    fingerprint: str
    t_start_ns: int
    t_end_ns: int
    status: Literal["ingesting", "complete", "broken", "interrupted"]
    """`interrupted`: a live stream whose ingest was killed. A file stays `ingesting` until it is gone on with."""
    has_video: bool = False
    has_audio: bool = False
    gaps: tuple[Gap, ...] = ()
    dropped: int = 0
    models: dict[str, str] = field(default_factory=dict[str, str])
    checkpoint: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A segment of time at one level. `strength` in [0, 1] is that of the boundary at which it starts."""

    event_id: str
    recording: str
    level: Level
    t_start_ns: int
    t_end_ns: int
    strength: float
    parent_id: str | None
    children: tuple[str, ...] = ()
    text: str = ""
    kinds: tuple[str, ...] = ()
    """Kinds of observation found inside, e.g. `("speech", "object")`."""
    vector: FloatVector | None = None
    """Sentence embedding (D,) of the text, L2-normalised; coarser levels: mean of children. None for moments."""


def attributed(text: str, speaker: str | None) -> str:
    """Words with the name of who said them: `Ana: The key is in the bowl.`"""
    return f"{speaker}: {text}" if speaker else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing noticed inside an event, with its own exact span: the finest unit that is searched."""

    observation_id: str
    event_id: str
    recording: str
    kind: ObservationKind
    t_start_ns: int
    t_end_ns: int
    text: str
    confidence: float = 1.0
    source: str = ""
    """Which model or track said so, e.g. `whisper-tiny` or `talk.srt`."""
    label: str | None = None
    """Class of an `object` observation, e.g. `person`."""
    track_id: str | None = None
    """Identity of an `object` observation within its recording: the same over all events it spans."""
    speaker: str | None = None
    box: Box | None = None
    vector: FloatVector | None = None
    """Sentence embedding (D,) of `searched`, L2-normalised."""

    @property
    def searched(self) -> str:
        """What it is found by, in words and by meaning: questions name who said a thing, and lines do not."""
        return attributed(self.text, self.speaker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One detected object in one image."""

    label: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What an image model calls the whole picture."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFrame:
    """A picture kept for an event. `thumbnail_jpeg` is at most about 20 kB."""

    keyframe_id: str
    event_id: str
    recording: str
    t_ns: int
    thumbnail_jpeg: bytes
    image_vector: FloatVector | None = None
    """Image-to-image feature (Df,), L2-normalised."""
    joint_vector: FloatVector | None = None
    """Vector (Dj,) in the space that free text is embedded into too, L2-normalised."""
    tags: tuple[Tag, ...] = ()
    detections: tuple[Detection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """`subject predicate object`, true from `t_from_ns` until `t_to_ns` (None: still, as far as is known)."""

    fact_id: str
    recording: str
    subject: str
    predicate: str
    object: str
    t_from_ns: int
    t_to_ns: int | None
    confidence: float
    count: int
    """How many times it was observed."""
    event_ids: tuple[str, ...]
    stated_by: tuple[str, ...] = ()
    """Who said so; none where it was seen, or said by nobody knows whom."""
    vector: FloatVector | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBundle:
    """A closed event with everything that hangs on it: what `Memory.write` commits, all or nothing."""

    event: Event
    moments: tuple[Event, ...] = ()
    observations: tuple[Observation, ...] = ()
    keyframes: tuple[KeyFrame, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to recall. Every filter is exact; None means no limit. Nothing that ends after `as_of_ns` is returned."""

    text: str | None = None
    choices: tuple[str, ...] = ()
    """Possible answers to the question in `text`: what speaks of one of them is worth finding too."""
    image_rgb: npt.NDArray[np.uint8] | None = None
    """Example picture, uint8 (H, W, 3) RGB: find key frames that look like it."""
    after_ns: int | None = None
    """Only what ends after this."""
    before_ns: int | None = None
    """Only what starts before this."""
    as_of_ns: int | None = None
    recordings: tuple[str, ...] | None = None
    modalities: tuple[Modality, ...] | None = None
    event_ids: tuple[str, ...] | None = None
    """Only inside these events (any level): how a planner descends."""
    passage_s: float | None = None
    """Return passages: one hit per distinct span of this many seconds, around the event that matches best, with the
    text of its best line. None: every row that matches is a hit of its own, with its own span."""
    k: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One recalled span. `score` in [0, 1] is calibrated per modality, so hits of different modalities compare."""

    recording: str
    t_start_ns: int
    t_end_ns: int
    score: float
    modality: Modality
    text: str
    event_id: str
    observation_id: str | None = None
    keyframe_id: str | None = None
    similarity: float | None = None
    """Raw cosine of the best dense match behind this hit, where there was one: what abstention is judged on."""
    speaker: str | None = None
    """Who says `text`, where it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A span that supports an answer. `keyframe_id` names the picture nearest to it, where there is one."""

    recording: str
    t_start_ns: int
    t_end_ns: int
    event_ids: tuple[str, ...]
    text: str
    modality: Modality
    score: float
    keyframe_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What an answer cost."""

    model_calls: int = 0
    tokens: int = 0
    looked_again_s: float = 0.0
    """Seconds of the recording that were decoded a second time."""
    seconds: float = 0.0


StopReason = Literal["enough evidence", "nothing found", "nothing new", "budget", "deadline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer and what it rests on. `answerable` False means: not in memory; then `text` says so."""

    text: str
    choice: int | None
    answerable: bool
    confidence: float
    evidence: tuple[Evidence, ...]
    spent: Spent
    stopped: StopReason
