"""Two small real memories with known content: a street (heard, seen, written), a kitchen day (captions, speakers)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from streammem.memory import Memory
from streammem.timeline import parse_iso, seconds_to_ns
from streammem.types import (
    Detection,
    Event,
    EventBundle,
    Fact,
    FloatVector,
    KeyFrame,
    Level,
    Observation,
    ObservationKind,
    Recording,
    Tag,
    event_id_for,
    stable_id,
)

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


class SentenceEncoder:
    """The real MiniLM as a query encoder; no joint image space, so that what was seen is found by labels alone."""

    def __init__(self) -> None:
        from perception.models.minilm import MiniLM

        self.model = MiniLM()
        self.calls = 0

    @property
    def text_model(self) -> str:
        return self.model.name

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.calls += 1
        return self.model.encode(texts)

    def encode_text_for_images(self, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        return None

    def encode_image(self, image_rgb: npt.NDArray[np.uint8]) -> FloatVector | None:
        return None


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    try:
        return SentenceEncoder()
    except Exception as error:
        pytest.skip(f"the MiniLM weights are not installed: {error}")


@dataclass
class Script:
    """What happens in a recording, in seconds from its start; `write` makes it a memory."""

    recording: str
    length_s: float
    base_ns: int = 0
    event_s: float = 10.0
    lines: list[tuple[float, float, ObservationKind, str, str | None]] = field(default_factory=list)
    tracks: list[tuple[str, int, float, float, float]] = field(default_factory=list)
    tags: list[tuple[float, float, tuple[tuple[str, float], ...]]] = field(default_factory=list)
    facts: list[tuple[str, str, str, float]] = field(default_factory=list)

    def _ns(self, t_s: float) -> int:
        return self.base_ns + seconds_to_ns(t_s)

    def write(self, memory: Memory, encoder: SentenceEncoder) -> None:
        starts = np.arange(0.0, self.length_s, self.event_s)
        episode = event_id_for(self.recording, Level.EPISODE, self.base_ns)
        bundles: list[EventBundle] = []
        for start in starts:
            bundles.append(self._bundle(float(start), min(float(start) + self.event_s, self.length_s), episode))
        texts = [o.text for b in bundles for o in b.observations] + [b.event.text for b in bundles if b.event.text]
        vectors = dict(zip(texts, encoder.encode_text(texts), strict=True))
        for bundle in bundles:
            memory.write(
                replace(
                    bundle,
                    event=replace(bundle.event, vector=vectors.get(bundle.event.text)),
                    observations=tuple(replace(o, vector=vectors[o.text]) for o in bundle.observations),
                )
            )
        mean = np.mean([vectors[b.event.text] for b in bundles if b.event.text], axis=0)
        memory.write_segments(
            [
                Event(
                    event_id=episode,
                    recording=self.recording,
                    level=Level.EPISODE,
                    t_start_ns=self.base_ns,
                    t_end_ns=self._ns(self.length_s),
                    strength=1.0,
                    parent_id=None,
                    children=tuple(b.event.event_id for b in bundles),
                    text=" ".join(b.event.text for b in bundles)[:800],
                    vector=(mean / np.linalg.norm(mean)).astype(np.float32),
                )
            ]
        )
        memory.put_recording(
            Recording(
                recording=self.recording,
                uri=f"{self.recording}.mp4",
                fingerprint=stable_id(self.recording),
                t_start_ns=self.base_ns,
                t_end_ns=self._ns(self.length_s),
                status="complete",
                has_video=True,
                has_audio=True,
            )
        )
        memory.flush()

    def _bundle(self, start_s: float, end_s: float, episode: str) -> EventBundle:
        event_id = event_id_for(self.recording, Level.EVENT, self._ns(start_s))
        observations: list[Observation] = []

        def add(kind: ObservationKind, low: float, high: float, text: str, **more: object) -> None:
            observations.append(
                Observation(
                    observation_id=stable_id(event_id, kind, low, text, more.get("track_id")),
                    event_id=event_id,
                    recording=self.recording,
                    kind=kind,
                    t_start_ns=self._ns(low),
                    t_end_ns=self._ns(high),
                    text=text,
                    **more,  # pyright: ignore[reportArgumentType]
                )
            )

        for low, high, kind, text, speaker in self.lines:
            if start_s <= low < end_s:
                add(kind, low, high, text, speaker=speaker)
        boxes: list[Detection] = []
        for label, number, low, high, confidence in self.tracks:
            if low < end_s and high > start_s:
                add(
                    "object",
                    max(low, start_s),
                    min(high, end_s),
                    f"{label} on the left",
                    label=label,
                    track_id=f"{self.recording}/{label}-{number}",
                    confidence=confidence,
                    box=(0.1, 0.2, 0.2, 0.6),
                )
                boxes.append(Detection(label=label, score=confidence, box=(0.1, 0.2, 0.2, 0.6)))
        tags = next((tags for low, high, tags in self.tags if low <= start_s < high), ())
        if tags:
            add("scene", start_s, end_s, "looks like " + ", ".join(label for label, _ in tags))
        said = " ".join(o.text for o in observations if o.kind in {"speech", "caption"})
        seen = sorted({o.label for o in observations if o.label})
        text = " ".join(part for part in (said, f"Seen: {', '.join(seen)}." if seen else "") if part) or ""
        return EventBundle(
            event=Event(
                event_id=event_id,
                recording=self.recording,
                level=Level.EVENT,
                t_start_ns=self._ns(start_s),
                t_end_ns=self._ns(end_s),
                strength=0.5,
                parent_id=episode,
                text=text,
                kinds=tuple(sorted({o.kind for o in observations})),
            ),
            observations=tuple(observations),
            keyframes=(
                KeyFrame(
                    keyframe_id=stable_id("key", event_id),
                    event_id=event_id,
                    recording=self.recording,
                    t_ns=self._ns((start_s + end_s) / 2),
                    thumbnail_jpeg=_jpeg(),
                    tags=tuple(Tag(label=label, probability=p) for label, p in tags),
                    detections=tuple(boxes),
                ),
            ),
            facts=tuple(
                Fact(
                    fact_id=stable_id("fact", subject, predicate, obj, at),
                    recording=self.recording,
                    subject=subject,
                    predicate=predicate,
                    object=obj,
                    t_from_ns=self._ns(at),
                    t_to_ns=None,
                    confidence=0.9,
                    count=1,
                    event_ids=(event_id,),
                )
                for subject, predicate, obj, at in self.facts
                if start_s <= at < end_s
            ),
        )


def _jpeg() -> bytes:
    import cv2

    encoded = cv2.imencode(".jpg", np.full((18, 32, 3), 90, dtype=np.uint8))[1]
    return BytesIO(encoded.tobytes()).getvalue()


DASHWOOD = (
    "And Mr. John Dashwood had then leisure to consider how much there might be prudently in his power to do for them."
)
AMIABLE = "Had he married a more amiable woman, he might have been made still more respectable than he was."

STREET = Script(
    recording="street",
    length_s=80.0,
    lines=[
        (5.0, 13.0, "speech", DASHWOOD, None),
        (20.0, 22.4, "speech", "He was not an ill-disposed young man.", None),
        (35.0, 40.2, "speech", "Unless to be rather cold-hearted and rather selfish is to be ill-disposed.", None),
        (50.0, 56.0, "speech", AMIABLE, None),
        (65.0, 68.0, "speech", "He might even have been made amiable himself.", None),
        (60.0, 66.0, "text_in_view", "CAFE LUNA", None),
        (30.0, 34.0, "text_in_view", "NO PARKING", None),
    ],
    tracks=[
        ("person", 1, 0.0, 35.0, 0.9),
        ("person", 2, 2.0, 18.0, 0.8),
        ("person", 3, 10.0, 25.0, 0.85),
        ("person", 4, 12.0, 15.0, 0.7),
        ("person", 5, 30.0, 62.0, 0.9),
        ("person", 6, 55.0, 80.0, 0.9),
        ("person", 7, 60.0, 75.0, 0.75),
        ("car", 1, 40.0, 48.5, 0.8),
        ("bicycle", 1, 44.0, 47.0, 0.72),
        ("bicycle", 2, 70.0, 73.0, 0.66),
        ("tie", 1, 21.0, 21.2, 0.41),
    ],
    tags=[(0.0, 80.0, (("street sign", 0.31), ("traffic light", 0.22)))],
)

KITCHEN_START_NS = parse_iso("2026-11-20T09:00:00")

KITCHEN = Script(
    recording="kitchen",
    length_s=600.0,
    base_ns=KITCHEN_START_NS,
    event_s=20.0,
    lines=[
        (5, 8, "caption", "I walk into the kitchen and switch on the light.", None),
        (30, 34, "speech", "Who moved the whiteboard?", "Alice"),
        (36, 39, "speech", "I put it against the wall this morning.", "Shure"),
        (62, 66, "caption", "Katrina picks up the screwdriver from the drawer.", None),
        (90, 95, "caption", "Katrina tightens the shelf with the screwdriver.", None),
        (130, 134, "speech", "We need twelve eggs and two bags of flour for the cake.", "Tasha"),
        (140, 143, "caption", "Tasha writes the shopping list on the whiteboard.", None),
        (200, 205, "speech", "Let's not order pizza again, it was cold last time.", "Lucia"),
        (240, 244, "caption", "Alice takes the screwdriver and opens the battery cover.", None),
        (300, 304, "caption", "I put my keys in the blue bowl next to the door.", None),
        (330, 333, "caption", "A cat jumps onto the sofa.", None),
        (400, 405, "speech", "Because the oven is broken, we will use the grill in the garden.", "Shure"),
        (450, 452, "text_in_view", "Shopping list: eggs, flour, butter", None),
        (500, 505, "speech", "I am moving to Lisbon in March.", "Lucia"),
        (560, 565, "caption", "Shure washes the dishes while Lucia dries them.", None),
    ],
    facts=[("Shure", "especially likes", "black coffee", 410.0)],
)  # fmt: skip


@pytest.fixture(scope="session")
def street_folder(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Path:
    folder = tmp_path_factory.mktemp("street")
    with Memory.open(folder, write=True, create=True, encoder=encoder) as memory:
        STREET.write(memory, encoder)
    return folder


@pytest.fixture(scope="session")
def kitchen_folder(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Path:
    folder = tmp_path_factory.mktemp("kitchen")
    with Memory.open(folder, write=True, create=True, encoder=encoder) as memory:
        KITCHEN.write(memory, encoder)
    return folder


@pytest.fixture(scope="session")
def street(street_folder: Path, encoder: SentenceEncoder) -> Iterator[Memory]:
    with Memory.open(street_folder, encoder=encoder) as memory:
        yield memory


@pytest.fixture(scope="session")
def kitchen(kitchen_folder: Path, encoder: SentenceEncoder) -> Iterator[Memory]:
    with Memory.open(kitchen_folder, encoder=encoder) as memory:
        yield memory
