"""Looking again: reads a span of a recording a second time, denser and larger than when it streamed by.

Implements `streammem.protocols.LookAgain`. Frames come at full size, twice a second and fewer for longer spans; the
detector sees each whole and in overlapping quarters, so that what was too small the first time is found; text is read
in every frame, not in two per event; speech is recognised again where the memory has none. Knows the memory only to
find the source and the events that what it finds belongs to. Costs about half a second of work per frame.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from perception.models.registry import Models
from perception.protocols import ImageRGB
from perception.sources import open_frame_reader, read_audio
from perception.tracking import ObjectTracker, intersection_over_union
from perception.wording import describe_object, describe_scene
from streammem.errors import SourceError
from streammem.memory import Memory
from streammem.types import Detection, Event, Observation, ObservationKind, Recording, stable_id

logger = logging.getLogger(__name__)

_FRAMES_PER_S = 2.0
_MAX_FRAMES = 24
_TILE = 0.6
"""Side of the overlapping quarters, as a fraction of the picture: whole walkers fit in the overlap."""
_SAME_BOX = 0.5
_MIN_TEXT_SCORE = 0.6


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
        if known is None or not Path(known.uri).is_file():
            return ()
        events = self._memory.events(recordings=[recording], after_ns=t_start_ns, before_ns=t_end_ns)
        if not events:
            return ()
        start_ns, end_ns = max(t_start_ns, events[0].t_start_ns), min(t_end_ns, events[-1].t_end_ns)
        found: list[Observation] = []
        try:
            if known.has_video:
                found += self._see(known, events, start_ns, end_ns, give_up)
            if known.has_audio and time.monotonic() < give_up:
                found += self._hear(known, events, start_ns, end_ns)
        except SourceError as error:
            logger.warning("Cannot look again at %r: %s", recording, error)
        return tuple(self._with_vectors(found))

    def _see(
        self, known: Recording, events: Sequence[Event], start_ns: int, end_ns: int, give_up: float
    ) -> list[Observation]:
        count = int(np.clip((end_ns - start_ns) / 1e9 * _FRAMES_PER_S, 1, _MAX_FRAMES))
        times = np.linspace(start_ns, max(start_ns, end_ns - 1), count, dtype=np.int64) - known.t_start_ns
        reader = open_frame_reader(known.uri)
        try:
            tracker = ObjectTracker()
            spans: dict[tuple[str, str], tuple[int, int, float, tuple[float, float, float, float] | None]] = {}
            for wanted in times:
                if time.monotonic() > give_up:
                    break
                for t_ns, image in reader.read([int(wanted)]):
                    self._study(image, known.t_start_ns + t_ns, tracker, spans)
        finally:
            reader.close()
        observations: list[Observation] = []
        for (kind, text), (first_ns, last_ns, score, box) in spans.items():
            label = text.split("#")[0] if kind == "object" else None
            wording = describe_object(label, box) if label and box else text
            made = _observation(
                known.recording, events, kind, first_ns, max(last_ns, first_ns + 500_000_000), wording, score, salt=text
            )
            if made is not None:
                track_id = f"{known.recording}/again-{start_ns}-{text}" if label else None
                observations.append(replace(made, label=label, track_id=track_id, box=box))
        return observations

    def _study(
        self,
        image: ImageRGB,
        t_ns: int,
        tracker: ObjectTracker,
        spans: dict[tuple[str, str], tuple[int, int, float, tuple[float, float, float, float] | None]],
    ) -> None:
        """Adds what one frame shows to the spans of (kind, text)."""

        def note(kind: ObservationKind, text: str, score: float, box: tuple[float, float, float, float] | None) -> None:
            first_ns, _, best, kept = spans.get((kind, text), (t_ns, t_ns, 0.0, box))
            spans[(kind, text)] = (first_ns, t_ns, max(best, score), box if score > best else kept)

        if self._models.detector is not None:
            tracker.carry(image)
            for track in tracker.update(self._detect(image), image, t_ns=t_ns):
                if track.is_confirmed:
                    note("object", f"{track.label}#{track.number}", track.best_score, track.best_box)
        if self._models.ocr is not None:
            for read in self._models.ocr.read(image):
                if read.score >= _MIN_TEXT_SCORE and sum(ch.isalnum() for ch in read.text) >= 2:
                    note("text_in_view", read.text.strip(), read.score, read.box)
        if self._models.image is not None and (scene := describe_scene([self._models.image.analyse([image])[0].tags])):
            note("scene", scene[0], scene[1], None)

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
            made = _observation(
                known.recording,
                events,
                "speech",
                first_ns,
                max(first_ns + 1, start_ns + round(words.t_end_s * 1e9)),
                words.text.strip(),
                words.confidence,
            )
            if made is not None:
                found.append(made)
        return found

    def _with_vectors(self, observations: list[Observation]) -> list[Observation]:
        if not observations:
            return []
        vectors = self._models.text.encode([o.text for o in observations])
        return [replace(o, vector=vector) for o, vector in zip(observations, vectors, strict=True)]


def _observation(
    recording: str,
    events: Sequence[Event],
    kind: str,
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
        kind=kind,  # type: ignore[arg-type]
        t_start_ns=t_start_ns,
        t_end_ns=t_end_ns,
        text=text,
        confidence=float(confidence),
        source="looked again",
    )
