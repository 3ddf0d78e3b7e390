"""Looking again: reads a span of a recording a second time, denser and larger than when it streamed by.

Implements `streammem.protocols.LookAgain`. Frames come at full size, up to twice a second. The question decides what is
run on them: a reader where it asks for text, the detector (whole picture and overlapping quarters, so that what was too
small the first time is found) where it names something the detector knows or counts, the tagger otherwise. Speech is
recognised where the memory has none. Knows the memory only to find the source and the events that what it finds belongs
to. Costs 0.1-0.6 s of work per frame.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from perception.models.registry import Models
from perception.protocols import ImageRGB, TextReader
from perception.sources import open_frame_reader, read_audio
from perception.tracking import ObjectTracker, intersection_over_union
from perception.wording import describe_object, describe_scene, is_legible
from streammem.errors import SourceError
from streammem.memory import Memory
from streammem.types import Box, Detection, Event, Observation, ObservationKind, Recording, stable_id

logger = logging.getLogger(__name__)

_FRAMES_PER_S = 2.0
_MAX_FRAMES = 16
_TILE = 0.6
"""Side of the overlapping quarters, as a fraction of the picture: whole walkers fit in the overlap."""
_SAME_BOX = 0.5
_MIN_OBJECT_SCORE = 0.6
"""Five times as many pictures find five times as many phantoms, and what is found here is remembered."""
_READING = re.compile(r"\b(read|reads|written|write|sign|signs|text|word|words|title|label|letters?|print\w*|says?)\b")
_COUNTING = re.compile(r"\b(how many|how much|count|number of|people|anyone|anybody|someone|somebody|who)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Focus:
    """Which models the question is worth."""

    text: bool
    objects: bool
    scene: bool


@dataclass(slots=True)
class _Noticed:
    """One thing over the frames it was noticed in."""

    first_ns: int
    last_ns: int
    score: float
    box: Box | None
    label: str | None = None


_Finds = dict[tuple[ObservationKind, str], _Noticed]


class SecondLook:
    """Looks again at recordings of one memory."""

    def __init__(self, models: Models, memory: Memory) -> None:
        self._models = models
        self._memory = memory

    def look(
        self, *, recording: str, t_start_ns: int, t_end_ns: int, question: str, deadline_s: float
    ) -> tuple[Observation, ...]:
        """What a denser read of the span noticed, as observations of the events it belongs to. Empty where the source
        is gone, was live, or the deadline leaves no time."""
        give_up = time.monotonic() + deadline_s
        known = self._memory.recording(recording)
        if known is None or not Path(known.uri).exists():
            return ()
        events = self._memory.events(recordings=[recording], after_ns=t_start_ns, before_ns=t_end_ns)
        if not events:
            return ()
        start_ns, end_ns = max(t_start_ns, events[0].t_start_ns), min(t_end_ns, events[-1].t_end_ns)
        found: list[Observation] = []
        try:
            if known.has_video:
                found += self._see(known, events, start_ns, end_ns, self._focus(question), give_up)
            if known.has_audio and time.monotonic() < give_up:
                found += self._hear(known, events, start_ns, end_ns)
        except SourceError as error:
            logger.warning("Cannot look again at %r: %s", recording, error)
        if not found:
            return ()
        vectors = self._models.text.encode([one.text for one in found])
        return tuple(replace(one, vector=vector) for one, vector in zip(found, vectors, strict=True))

    def _focus(self, question: str) -> _Focus:
        asked = question.lower()
        labels = self._models.detector.labels if self._models.detector is not None else ()
        objects = bool(labels) and (
            _COUNTING.search(asked) is not None or any(re.search(rf"\b{re.escape(label)}", asked) for label in labels)
        )
        text = self._models.ocr is not None and _READING.search(asked) is not None
        return _Focus(text=text, objects=objects, scene=not objects and not text)

    # --- pictures -----------------------------------------------------------------------------------------------------

    def _see(
        self,
        known: Recording,
        events: Sequence[Event],
        start_ns: int,
        end_ns: int,
        focus: _Focus,
        give_up: float,
    ) -> list[Observation]:
        finds: _Finds = {}
        tracker = ObjectTracker()
        for t_ns, image in _frames(known, start_ns, end_ns):
            if focus.objects:
                self._look_for_objects(image, t_ns, tracker, finds)
            if focus.text:
                self._look_for_text(image, t_ns, finds)
            if focus.scene and self._models.image is not None:
                scene = describe_scene([self._models.image.analyse([image])[0].tags])
                if scene is not None:
                    _note(finds, "scene", scene[0], t_ns=t_ns, score=scene[1])
            if time.monotonic() > give_up:
                break
        observations: list[Observation] = []
        for (kind, name), seen in finds.items():
            wording = describe_object(seen.label, seen.box) if seen.label and seen.box else name
            made = _observation(
                known.recording,
                events,
                kind,
                seen.first_ns,
                max(seen.last_ns, seen.first_ns + 500_000_000),
                wording,
                seen.score,
                salt=name,
            )
            if made is not None:
                track_id = f"{known.recording}/again-{start_ns}-{name}" if seen.label else None
                observations.append(replace(made, label=seen.label, track_id=track_id, box=seen.box))
        return observations

    def _look_for_objects(self, image: ImageRGB, t_ns: int, tracker: ObjectTracker, finds: _Finds) -> None:
        tracker.carry(image)
        for track in tracker.update(self._detect(image), image, t_ns=t_ns):
            if track.hits >= 2 and track.best_score >= _MIN_OBJECT_SCORE:
                name = f"{track.label}-{track.number}"
                _note(finds, "object", name, t_ns=t_ns, score=track.best_score, box=track.best_box, label=track.label)

    def _look_for_text(self, image: ImageRGB, t_ns: int, finds: _Finds) -> None:
        ocr = self._models.ocr
        assert ocr is not None
        reader: TextReader = getattr(ocr, "thorough", ocr)  # small print too, where the reader can
        for read in reader.read(image):
            if is_legible(read.text, read.score):
                _note(finds, "text_in_view", read.text.strip(), t_ns=t_ns, score=read.score, box=read.box)

    def _detect(self, image: ImageRGB) -> list[Detection]:
        """Detections in the whole picture and in four overlapping quarters, without doubles."""
        assert self._models.detector is not None
        height, width = image.shape[:2]
        tile_h, tile_w = int(height * _TILE), int(width * _TILE)
        corners = [(0, 0), (0, width - tile_w), (height - tile_h, 0), (height - tile_h, width - tile_w)]
        tiles = [np.ascontiguousarray(image[y : y + tile_h, x : x + tile_w]) for y, x in corners]
        whole, *quarters = self._models.detector.detect([image, *tiles])
        kept = list(whole)
        for (y, x), detections in zip(corners, quarters, strict=True):
            for found in detections:
                x1, y1, x2, y2 = found.box
                box = (
                    (x + x1 * tile_w) / width,
                    (y + y1 * tile_h) / height,
                    (x + x2 * tile_w) / width,
                    (y + y2 * tile_h) / height,
                )
                same = [other for other in kept if other.label == found.label]
                if all(intersection_over_union(other.box, box) < _SAME_BOX for other in same):
                    kept.append(replace(found, box=box))
        return kept

    # --- sound --------------------------------------------------------------------------------------------------------

    def _hear(self, known: Recording, events: Sequence[Event], start_ns: int, end_ns: int) -> list[Observation]:
        """Speech, only where the memory has none: recognising the same sound again says the same words."""
        if self._models.speech is None or self._memory.observations(
            recordings=[known.recording], kinds=["speech"], after_ns=start_ns, before_ns=end_ns, limit=1
        ):
            return []
        samples = read_audio(known.uri, start_ns - known.t_start_ns, end_ns - known.t_start_ns)
        found: list[Observation] = []
        for words in self._models.speech.transcribe(samples):
            first_ns = start_ns + round(words.t_start_s * 1e9)
            last_ns = max(first_ns + 1, start_ns + round(words.t_end_s * 1e9))
            made = _observation(
                known.recording, events, "speech", first_ns, last_ns, words.text.strip(), words.confidence
            )
            if made is not None:
                found.append(made)
        return found


def _frames(known: Recording, start_ns: int, end_ns: int) -> Iterator[tuple[int, ImageRGB]]:
    """Full-size frames spread over the span, with their times in the memory."""
    count = int(np.clip((end_ns - start_ns) / 1e9 * _FRAMES_PER_S, 1, _MAX_FRAMES))
    wanted = np.linspace(start_ns, max(start_ns, end_ns - 1), count, dtype=np.int64) - known.t_start_ns
    reader = open_frame_reader(known.uri)
    try:
        for t_ns in wanted:
            for found_ns, image in reader.read([int(t_ns)]):
                yield known.t_start_ns + found_ns, image
    finally:
        reader.close()


def _note(
    finds: _Finds,
    kind: ObservationKind,
    name: str,
    *,
    t_ns: int,
    score: float,
    box: Box | None = None,
    label: str | None = None,
) -> None:
    """Adds one sight of a thing."""
    known = finds.get((kind, name))
    if known is None:
        finds[kind, name] = _Noticed(t_ns, t_ns, score, box, label)
        return
    known.last_ns = t_ns
    if score > known.score:
        known.score, known.box = score, box


def _observation(
    recording: str,
    events: Sequence[Event],
    kind: ObservationKind,
    t_start_ns: int,
    t_end_ns: int,
    text: str,
    confidence: float,
    *,
    salt: str = "",
) -> Observation | None:
    """An observation of the event its start lies in; None outside all of them."""
    event = next((e for e in events if e.t_start_ns <= t_start_ns < e.t_end_ns), None)
    if event is None or not text:
        return None
    return Observation(
        observation_id=stable_id("again", recording, kind, t_start_ns, text, salt),
        event_id=event.event_id,
        recording=recording,
        kind=kind,
        t_start_ns=t_start_ns,
        t_end_ns=t_end_ns,
        text=text,
        confidence=float(confidence),
        source="looked again",
    )
