"""Event bundles made by rule, for tests of the store. Run as a program, it writes them until it is killed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streammem.memory import Memory
from streammem.settings import StoreSettings
from streammem.types import (
    NS_PER_S,
    Detection,
    Event,
    EventBundle,
    Fact,
    FloatVector,
    KeyFrame,
    Level,
    Observation,
    Recording,
    Tag,
    event_id_for,
    stable_id,
)

EVENT_NS = 10 * NS_PER_S
ANIMALS = ("heron", "badger", "otter", "falcon", "weasel", "beetle", "salmon", "lizard")
PLACES = ("harbour", "orchard", "quarry", "meadow", "chapel", "tunnel", "bakery")
DIM = 32


def vector_of(text: str) -> FloatVector:
    """Bag of words: one fixed direction per word, so texts that share words are near. (D,)"""
    total = np.zeros(DIM, dtype=np.float32)
    for word in text.lower().split():
        seed = int(stable_id(word)[:8], 16)
        total += np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
    return total / max(float(np.linalg.norm(total)), 1e-6)


class WordEncoder:
    """`QueryEncoder` over `vector_of`: exact and quick, for tests of storage. Recall's quality is tested on MiniLM."""

    text_model = "words"

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.stack([vector_of(text) for text in texts])

    def encode_text_for_images(self, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        return self.encode_text(texts)

    def encode_image(self, image_rgb: npt.NDArray[np.uint8]) -> FloatVector | None:
        flat = image_rgb.astype(np.float32).mean(axis=(0, 1)) + 1e-3
        return flat / float(np.linalg.norm(flat))


def sentence(number: int) -> str:
    return f"a {ANIMALS[number % len(ANIMALS)]} near the {PLACES[number % len(PLACES)]} number{number}"


def event_of(number: int, *, recording: str = "walk") -> Event:
    start = number * EVENT_NS
    event_id = event_id_for(recording, Level.EVENT, start)
    return Event(
        event_id=event_id,
        recording=recording,
        level=Level.EVENT,
        t_start_ns=start,
        t_end_ns=start + EVENT_NS,
        strength=0.5,
        parent_id=event_id_for(recording, Level.EPISODE, start // (4 * EVENT_NS) * 4 * EVENT_NS),
        children=tuple(event_id_for(recording, Level.MOMENT, start + k * 2 * NS_PER_S) for k in range(5)),
        text=sentence(number),
        kinds=("speech", "object"),
        vector=vector_of(sentence(number)),
    )


def bundle_of(number: int, *, recording: str = "walk") -> EventBundle:
    """Five moments, two sayings and an object, a key frame with a 1 kB thumbnail, a fact."""
    event = event_of(number, recording=recording)
    start = event.t_start_ns
    moments = tuple(
        Event(
            event_id=child, recording=recording, level=Level.MOMENT, t_start_ns=start + k * 2 * NS_PER_S,
            t_end_ns=start + (k + 1) * 2 * NS_PER_S, strength=0.1, parent_id=event.event_id,
        )
        for k, child in enumerate(event.children)
    )  # fmt: skip
    said = [f"{sentence(number)} said first", f"then the {PLACES[(number + 3) % len(PLACES)]} was quiet"]
    observations = [
        Observation(
            observation_id=stable_id(event.event_id, "speech", k), event_id=event.event_id, recording=recording,
            kind="speech", t_start_ns=start + (1 + 4 * k) * NS_PER_S, t_end_ns=start + (3 + 4 * k) * NS_PER_S,
            text=text, speaker="it's me", vector=vector_of(text),
        )
        for k, text in enumerate(said)
    ]  # fmt: skip
    observations.append(
        Observation(
            observation_id=stable_id(event.event_id, "object"), event_id=event.event_id, recording=recording,
            kind="object", t_start_ns=start, t_end_ns=start + EVENT_NS, text="person", label="person", track_id="t1",
            confidence=0.75, source="detector", box=(0.25, 0.25, 0.5, 0.75), vector=vector_of("person"),
        )
    )  # fmt: skip
    keyframe = KeyFrame(
        keyframe_id=stable_id(event.event_id, "key"), event_id=event.event_id, recording=recording,
        t_ns=start + NS_PER_S // 2, thumbnail_jpeg=bytes([number % 256]) * 1000,
        image_vector=np.eye(3, dtype=np.float32)[number % 3], joint_vector=vector_of(sentence(number)),
        tags=(Tag(label=ANIMALS[number % len(ANIMALS)], probability=0.5),),
        detections=(Detection(label="person", score=0.75, box=(0.25, 0.25, 0.5, 0.75)),),
    )  # fmt: skip
    fact = Fact(
        fact_id=stable_id("fact", recording, "Otter", "is in"), recording=recording, subject="Otter",
        predicate="is in", object=PLACES[number // 2 % len(PLACES)], t_from_ns=start, t_to_ns=None, confidence=0.5,
        count=1, event_ids=(event.event_id,),
    )  # fmt: skip
    return EventBundle(
        event=event, moments=moments, observations=tuple(observations), keyframes=(keyframe,), facts=(fact,)
    )


def episode_of(number: int, *, recording: str = "walk") -> Event:
    """The episode over events `4 * number` to `4 * number + 3`."""
    start = number * 4 * EVENT_NS
    children = tuple(event_id_for(recording, Level.EVENT, start + k * EVENT_NS) for k in range(4))
    return Event(
        event_id=event_id_for(recording, Level.EPISODE, start), recording=recording, level=Level.EPISODE,
        t_start_ns=start, t_end_ns=start + 4 * EVENT_NS, strength=0.9, parent_id=None, children=children,
        text=f"episode with {sentence(4 * number)}", vector=vector_of(sentence(4 * number)),
    )  # fmt: skip


def recording_of(events: int, *, status: str = "ingesting", recording: str = "walk") -> Recording:
    return Recording(
        recording=recording, uri="/media/walk.mp4", fingerprint="f", t_start_ns=0, t_end_ns=events * EVENT_NS,
        status=status, has_video=True, models={"image": "toy"}, checkpoint=str(events).encode(),  # type: ignore[arg-type]
    )  # fmt: skip


def write_all(folder: Path, *, events: int, announce: bool = False) -> None:
    """Resumes from the recording's checkpoint, as an ingest does. Announces ids only when they are committed."""
    settings = StoreSettings(batch_rows=24, batch_s=0.05, optimise_every_commits=4)
    with Memory.open(folder, write=True, create=True, encoder=WordEncoder(), settings=settings) as memory:
        known = memory.recording("walk")
        first = int(known.checkpoint or b"0") if known else 0
        for number in range(first, events):
            memory.write(bundle_of(number))
            if number % 4 == 3:
                memory.write_segments([episode_of(number // 4)])
            memory.put_recording(recording_of(number + 1, status="complete" if number + 1 == events else "ingesting"))
            if announce and number % 3 == 2:
                memory.flush()
                print(event_of(number).event_id, flush=True)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]), events=int(sys.argv[2]), announce=True)
