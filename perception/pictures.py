"""Describes the key frames of an event: thumbnails, features and tags, text in view, captions.

Runs the image models, once per event. Converts frames to full size here and lets them go again: what it returns holds
no picture larger than a thumbnail. Knows no storage and no sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np

from perception.models.registry import Models
from perception.notes import Notes
from perception.protocols import ImageAnalysis, ImageRGB, VideoFrame
from perception.stages import Stages
from perception.watch import ClosedSegment
from perception.wording import describe_scene, is_legible
from streammem.types import Detection, KeyFrame, Observation, stable_id

_THUMBNAIL_WIDTH = 320
_THUMBNAIL_QUALITY = 72
_READ_EVERY_S = 10.0
"""An event's sharpest key frame is read for text (a title is sharpest when it has faded in), and one more for every ten
seconds."""


class PictureDescriber:
    """Describes one recording's key frames."""

    def __init__(self, models: Models, notes: Notes, stages: Stages) -> None:
        self._models = models
        self._notes = notes
        self._stages = stages
        # Tagging and reading are independent, and each runs on one core.
        self._beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tag")

    def describe(self, segment: ClosedSegment) -> tuple[list[KeyFrame], list[Observation]]:
        """Key frames of the event, and what was read and recognised in them."""
        if not segment.frames:
            return [], []
        with self._stages.time("convert"):
            originals = [frame.original() for frame in segment.frames]
        tagging = self._beside.submit(self._analyse, originals)
        written = self._read(segment, originals)
        analyses = tagging.result()
        keyframes = [
            self._keyframe(segment, frame, image, analyses[i] if analyses else None)
            for i, (frame, image) in enumerate(zip(segment.frames, originals, strict=True))
        ]
        found: list[Observation] = []
        if analyses and (scene := describe_scene([analysis.tags for analysis in analyses])):
            text, probability = scene
            found.append(
                self._notes.observation(
                    segment,
                    "scene",
                    segment.t_start_ns,
                    segment.t_end_ns,
                    text,
                    confidence=probability,
                    source=self._models.image.name if self._models.image else "",
                )
            )
        found += written
        if self._models.captioner is not None:
            with self._stages.time("caption"):
                for frame, text in zip(segment.frames, self._models.captioner.caption(originals), strict=True):
                    end_ns = min(segment.t_end_ns, frame.t_ns + 2_000_000_000)
                    found.append(
                        self._notes.observation(
                            segment,
                            "caption",
                            frame.t_ns,
                            end_ns,
                            text,
                            source=self._models.captioner.name,
                        )
                    )
        return keyframes, found

    def _analyse(self, originals: Sequence[ImageRGB]) -> list[ImageAnalysis]:
        if self._models.image is None:
            return []
        with self._stages.time("image"):
            return self._models.image.analyse(originals)

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
                    if not is_legible(text, found.score):
                        continue
                    start_ns, _, score = spans.get(text, (t_ns, t_ns, 0.0))
                    spans[text] = (start_ns, t_ns, max(score, found.score))
                    boxes.setdefault(text, found.box)
        until_ns = segment.t_end_ns
        return [
            replace(
                self._notes.observation(
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
        frame: VideoFrame,
        image: ImageRGB,
        analysis: ImageAnalysis | None,
    ) -> KeyFrame:
        inside = [thing for thing in segment.objects if thing.t_start_ns <= frame.t_ns <= thing.t_end_ns]
        return KeyFrame(
            keyframe_id=stable_id("frame", self._notes.recording, self._notes.base_ns + frame.t_ns),
            event_id=self._notes.event_id(segment),
            recording=self._notes.recording,
            t_ns=self._notes.base_ns + frame.t_ns,
            thumbnail_jpeg=_thumbnail(image),
            image_vector=analysis.feature if analysis else None,
            joint_vector=analysis.joint if analysis else None,
            tags=analysis.tags[:10] if analysis else (),
            detections=tuple(Detection(label=t.label, score=t.score, box=t.box) for t in inside),
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
