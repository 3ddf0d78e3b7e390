"""Describing: turns a closed event's raw material into what is remembered of it.

Runs the dear models once per event: speech recognition on packed utterances, image features and reading on key frames,
sentence vectors in batches. Knows no storage. Pending material is bounded: at most about a minute of sound and
`_PACK_EVENTS` events wait to fill one recogniser window.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from perception.models.registry import Models
from perception.protocols import ImageAnalysis, ImageRGB, VideoFrame
from perception.recognise import HeardSpan, recognise
from perception.stages import Stages
from perception.watch import ClosedSegment, Moment
from perception.wording import describe_event, describe_object, describe_scene
from streammem.semantic.extraction import extract_facts
from streammem.types import (
    Detection,
    Event,
    EventBundle,
    FloatVector,
    KeyFrame,
    Level,
    Observation,
    ObservationKind,
    event_id_for,
    stable_id,
)

_PACK_S = 20.0
"""Speech recognisers pad to 30 s windows and cost the same for 5 s as for 28 s: utterances of neighbouring events are
recognised together once they fill most of a window."""
_PACK_EVENTS = 12
_PACK_SPAN_S = 60.0
_THUMBNAIL_WIDTH = 320
_THUMBNAIL_QUALITY = 72
_READ_EVERY_S = 10.0
"""An event's sharpest key frame is read for text (a title is sharpest when it has faded in), and one more for every ten
seconds."""
_MIN_TEXT_SCORE = 0.6
_LABEL_CACHE = 512


class Describer:
    """Describes one recording's events, in order.

    Args:
        recording: name in the memory.
        base_ns: start of the recording on the memory's timeline, added to every time.
        is_live: describe every event at once, instead of packing speech.
    """

    def __init__(self, models: Models, *, recording: str, base_ns: int, is_live: bool, stages: Stages) -> None:
        self._models = models
        self._recording = recording
        self._base_ns = base_ns
        self._pack_s = 0.0 if is_live else _PACK_S
        self._stages = stages
        self._pending: list[ClosedSegment] = []
        self._label_vectors: OrderedDict[str, FloatVector] = OrderedDict()

    def add(self, segment: ClosedSegment) -> list[tuple[ClosedSegment, EventBundle]]:
        """Takes the next closed event; returns those that are described now, in order. What is returned last has a
        checkpoint unless too much had piled up, so nothing that a checkpoint covers is ever still pending."""
        self._pending.append(segment)
        speech_s = sum(u.length_s for s in self._pending for u in s.utterances)
        span_s = (segment.t_end_ns - self._pending[0].t_start_ns) / 1e9
        is_clean = segment.checkpoint is not None or segment.gap is not None
        full = len(self._pending) >= _PACK_EVENTS or span_s >= _PACK_SPAN_S
        if full or (is_clean and (speech_s == 0.0 or speech_s >= self._pack_s)):
            return self.flush()
        return []

    def flush(self) -> list[tuple[ClosedSegment, EventBundle]]:
        """Describes everything pending."""
        segments, self._pending = self._pending, []
        if not segments:
            return []
        heard: list[HeardSpan] = []
        if self._models.speech is not None:
            with self._stages.time("speech"):
                heard = recognise(self._models.speech, [u for s in segments for u in s.utterances])
        drafts = [self._draft(segment) for segment in segments]
        for item in heard:
            middle_ns = (item.t_start_ns + item.t_end_ns) // 2
            place = next((i for i, s in enumerate(segments) if middle_ns < s.t_end_ns), len(segments) - 1)
            drafts[place].append(
                self._observation(
                    segments[place],
                    "speech",
                    item.t_start_ns,
                    item.t_end_ns,
                    item.text,
                    confidence=item.confidence,
                    source=self._models.speech.name if self._models.speech else "",
                )
            )
        return list(zip(segments, self._bundles(segments, drafts), strict=True))

    # --- pictures -----------------------------------------------------------------------------------------------------

    def _draft(self, segment: ClosedSegment) -> list[Observation]:
        """Everything but recognised speech and vectors."""
        drafts: list[Observation] = []
        for heard in segment.lines:
            line = heard.line
            drafts.append(
                replace(
                    self._observation(
                        segment, line.kind, line.t_start_ns, line.t_end_ns, line.text, source=line.source
                    ),
                    speaker=line.speaker,
                    vector=heard.vector,
                )
            )
        for thing in segment.objects:
            track_id = f"{self._recording}/{thing.label}-{thing.number}"
            drafts.append(
                replace(
                    self._observation(
                        segment,
                        "object",
                        thing.t_start_ns,
                        max(thing.t_end_ns, thing.t_start_ns + 1),
                        describe_object(thing.label, thing.box),
                        confidence=thing.score,
                        source=self._models.detector.name if self._models.detector else "",
                        salt=track_id,
                    ),
                    label=thing.label,
                    track_id=track_id,
                    box=thing.box,
                )
            )
        return drafts

    def _pictures(self, segment: ClosedSegment, event_id: str) -> tuple[list[KeyFrame], list[Observation]]:
        """Key frames, and what was read and recognised in them."""
        if not segment.frames:
            return [], []
        originals = [frame.original() for frame in segment.frames]
        analyses: list[ImageAnalysis] = []
        if self._models.image is not None:
            with self._stages.time("image"):
                analyses = self._models.image.analyse(originals)
        keyframes = [
            self._keyframe(segment, event_id, frame, image, analyses[i] if analyses else None)
            for i, (frame, image) in enumerate(zip(segment.frames, originals, strict=True))
        ]
        found: list[Observation] = []
        if analyses and (scene := describe_scene([analysis.tags for analysis in analyses])):
            text, probability = scene
            found.append(
                self._observation(
                    segment,
                    "scene",
                    segment.t_start_ns,
                    segment.t_end_ns,
                    text,
                    confidence=probability,
                    source=self._models.image.name if self._models.image else "",
                )
            )
        found += self._read(segment, originals)
        if self._models.captioner is not None:
            with self._stages.time("caption"):
                for frame, text in zip(segment.frames, self._models.captioner.caption(originals), strict=True):
                    end_ns = min(segment.t_end_ns, frame.t_ns + 2_000_000_000)
                    found.append(
                        self._observation(
                            segment,
                            "caption",
                            frame.t_ns,
                            end_ns,
                            text,
                            source=self._models.captioner.name,
                        )
                    )
        return keyframes, found

    def _read(self, segment: ClosedSegment, originals: Sequence[ImageRGB]) -> list[Observation]:
        """Text in view, merged over key frames: a sign seen in two of them is one observation that spans both."""
        if self._models.ocr is None:
            return []
        count = min(len(originals), 1 + int((segment.t_end_ns - segment.t_start_ns) / 1e9 / _READ_EVERY_S))
        places = sorted(sorted(range(len(originals)), key=lambda place: -_detail(originals[place]))[:count])
        spans: dict[str, tuple[int, int, float]] = {}
        boxes = {}
        with self._stages.time("ocr"):
            for place in places:
                t_ns = segment.frames[place].t_ns
                for found in self._models.ocr.read(originals[place]):
                    text = found.text.strip()
                    if found.score < _MIN_TEXT_SCORE or sum(ch.isalnum() for ch in text) < 2:
                        continue
                    start_ns, _, score = spans.get(text, (t_ns, t_ns, 0.0))
                    spans[text] = (start_ns, t_ns, max(score, found.score))
                    boxes.setdefault(text, found.box)
        until_ns = segment.t_end_ns
        return [
            replace(
                self._observation(
                    segment,
                    "text_in_view",
                    start_ns,
                    min(until_ns, max(end_ns, start_ns + 1_000_000_000)),
                    text,
                    confidence=score,
                    source=self._models.ocr.name,
                ),
                box=boxes[text],
            )
            for text, (start_ns, end_ns, score) in spans.items()
        ]

    def _keyframe(
        self,
        segment: ClosedSegment,
        event_id: str,
        frame: VideoFrame,
        image: ImageRGB,
        analysis: ImageAnalysis | None,
    ) -> KeyFrame:
        inside = [thing for thing in segment.objects if thing.t_start_ns <= frame.t_ns <= thing.t_end_ns]
        return KeyFrame(
            keyframe_id=stable_id("frame", self._recording, self._base_ns + frame.t_ns),
            event_id=event_id,
            recording=self._recording,
            t_ns=self._base_ns + frame.t_ns,
            thumbnail_jpeg=_thumbnail(image),
            image_vector=analysis.feature if analysis else None,
            joint_vector=analysis.joint if analysis else None,
            tags=analysis.tags[:10] if analysis else (),
            detections=tuple(Detection(label=t.label, score=t.score, box=t.box) for t in inside),
        )

    # --- bundles ------------------------------------------------------------------------------------------------------

    def _bundles(self, segments: Sequence[ClosedSegment], drafts: Sequence[list[Observation]]) -> list[EventBundle]:
        parts: list[tuple[Event, list[KeyFrame], list[Observation]]] = []
        for segment, observations in zip(segments, drafts, strict=True):
            event_id = self._event_id(segment)
            keyframes, seen = self._pictures(segment, event_id)
            ordered = sorted(observations + seen, key=lambda o: (o.t_start_ns, o.kind, o.observation_id))
            unique = list({o.observation_id: o for o in ordered}.values())
            parts.append((self._event(segment, event_id, unique), keyframes, unique))
        with self._stages.time("text"):
            vectors = self._embed([o for _, _, found in parts for o in found], [event.text for event, _, _ in parts])
        bundles: list[EventBundle] = []
        for segment, (event, keyframes, found) in zip(segments, parts, strict=True):
            event = replace(event, vector=vectors[event.text]) if event.text else event
            found = [o if o.vector is not None else replace(o, vector=vectors[o.text]) for o in found]
            bundles.append(
                EventBundle(
                    event=event,
                    moments=tuple(self._moment(m, event, found) for m in segment.moments),
                    observations=tuple(found),
                    keyframes=tuple(keyframes),
                    facts=tuple(extract_facts(event, found)),
                )
            )
        return bundles

    def _embed(self, observations: Sequence[Observation], texts: Sequence[str]) -> dict[str, FloatVector]:
        """Sentence vector of each text; object labels recur, so the last few hundred texts are kept."""
        wanted = {o.text for o in observations if o.vector is None} | {text for text in texts if text}
        missing = sorted(text for text in wanted if text not in self._label_vectors)
        vectors = {text: self._label_vectors[text] for text in wanted if text in self._label_vectors}
        if missing:
            vectors |= dict(zip(missing, self._models.text.encode(missing), strict=True))
        for o in observations:
            if o.kind == "object" and o.text in vectors:
                self._label_vectors[o.text] = vectors[o.text]
                self._label_vectors.move_to_end(o.text)
        while len(self._label_vectors) > _LABEL_CACHE:
            self._label_vectors.popitem(last=False)
        return vectors

    def _event_id(self, segment: ClosedSegment) -> str:
        return event_id_for(self._recording, Level.EVENT, self._base_ns + segment.t_start_ns)

    def _event(self, segment: ClosedSegment, event_id: str, observations: Sequence[Observation]) -> Event:
        return Event(
            event_id=event_id,
            recording=self._recording,
            level=Level.EVENT,
            t_start_ns=self._base_ns + segment.t_start_ns,
            t_end_ns=self._base_ns + segment.t_end_ns,
            strength=segment.strength,
            parent_id=None,  # the level builder knows
            children=tuple(
                event_id_for(self._recording, Level.MOMENT, self._base_ns + m.t_start_ns) for m in segment.moments
            ),
            text=describe_event(observations),
            kinds=tuple(sorted({o.kind for o in observations})),
        )

    def _moment(self, moment: Moment, event: Event, observations: Sequence[Observation]) -> Event:
        start_ns, end_ns = self._base_ns + moment.t_start_ns, self._base_ns + moment.t_end_ns
        inside = [o for o in observations if o.kind != "scene" and o.t_start_ns < end_ns and o.t_end_ns > start_ns]
        return Event(
            event_id=event_id_for(self._recording, Level.MOMENT, start_ns),
            recording=self._recording,
            level=Level.MOMENT,
            t_start_ns=start_ns,
            t_end_ns=end_ns,
            strength=moment.strength,
            parent_id=event.event_id,
            text=describe_event(inside),
            kinds=tuple(sorted({o.kind for o in inside})),
        )

    def _observation(
        self,
        segment: ClosedSegment,
        kind: ObservationKind,
        t_start_ns: int,
        t_end_ns: int,
        text: str,
        *,
        confidence: float = 1.0,
        source: str = "",
        salt: str = "",
    ) -> Observation:
        start_ns, end_ns = self._base_ns + t_start_ns, self._base_ns + max(t_end_ns, t_start_ns)
        return Observation(
            observation_id=stable_id("observation", self._recording, kind, start_ns, end_ns, text, salt),
            event_id=self._event_id(segment),
            recording=self._recording,
            kind=kind,
            t_start_ns=start_ns,
            t_end_ns=end_ns,
            text=text,
            confidence=float(confidence),
            source=source,
        )


def _detail(image_rgb: ImageRGB) -> float:
    """Mean horizontal gradient, in grey levels: high where there is sharp text or texture."""
    grey = cv2.cvtColor(cv2.resize(image_rgb, (320, 180), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    return float(np.abs(np.diff(grey.astype(np.float32), axis=1)).mean())


def _thumbnail(image_rgb: ImageRGB) -> bytes:
    """JPEG, 320 pixels wide, about 10-20 kB."""
    height, width = image_rgb.shape[:2]
    scale = min(1.0, _THUMBNAIL_WIDTH / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _THUMBNAIL_QUALITY]
    )
    return encoded.tobytes()
