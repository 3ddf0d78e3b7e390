"""Words go back where they were said; texts say what was noticed, no more."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.protocols import SAMPLE_RATE_HZ, HeardWords, Samples
from perception.recognise import recognise
from perception.segmentation.speech import Utterance
from perception.wording import describe_scene
from streammem.episodic.wording import describe_event, plural
from streammem.types import Observation, ObservationKind, Tag


class Loudest:
    """A recogniser that hears every loud stretch and says how loud: its words carry their true place."""

    name = "loudest"

    def __init__(self) -> None:
        self.lengths_s: list[float] = []

    def transcribe(self, samples: Samples) -> list[HeardWords]:
        self.lengths_s.append(len(samples) / SAMPLE_RATE_HZ)
        loud = np.abs(samples) > 0.05
        edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(int)))
        return [
            HeardWords(
                t_start_s=start / SAMPLE_RATE_HZ,
                t_end_s=end / SAMPLE_RATE_HZ,
                text=f"{samples[start]:.3f}",
                confidence=1.0,
            )
            for start, end in edges.reshape(-1, 2)
        ]


@given(st.lists(st.tuples(st.floats(0.3, 12.0), st.floats(0.1, 30.0)), min_size=1, max_size=12))
def test_packed_words_return_to_their_place(plan: list[tuple[float, float]]) -> None:
    utterances: list[Utterance] = []
    t_ns = 0
    for index, (length_s, pause_s) in enumerate(plan):
        samples = np.zeros(round(length_s * SAMPLE_RATE_HZ), np.float32)
        edge = SAMPLE_RATE_HZ // 10  # silence around the voice, as the tracker leaves it
        samples[edge:-edge] = 0.1 + index / 100
        end_ns = t_ns + len(samples) * 62_500
        utterances.append(Utterance(t_start_ns=t_ns, t_end_ns=end_ns, samples=samples))
        t_ns = end_ns + round(pause_s * 1e9)
    recogniser = Loudest()
    heard = recognise(recogniser, utterances)
    assert all(length_s <= 28.5 for length_s in recogniser.lengths_s)
    assert len(recogniser.lengths_s) <= len(utterances)
    assert [one.text for one in heard] == [f"{0.1 + i / 100:.3f}" for i in range(len(plan))]
    for one, utterance in zip(heard, utterances, strict=True):
        assert abs(one.t_start_ns - (utterance.t_start_ns + 100_000_000)) < 1_000_000
        assert abs(one.t_end_ns - (utterance.t_end_ns - 100_000_000)) < 1_000_000


def test_short_utterances_share_a_window() -> None:
    sound = np.full(3 * SAMPLE_RATE_HZ, 0.2, np.float32)
    utterances = [Utterance(t_start_ns=i * 10**10, t_end_ns=i * 10**10 + 3 * 10**9, samples=sound) for i in range(8)]
    recogniser = Loudest()
    recognise(recogniser, utterances)
    assert len(recogniser.lengths_s) == 1


def observation(kind: ObservationKind, text: str, *, label: str | None = None, track: str | None = None) -> Observation:
    return Observation(
        observation_id=f"{kind}{text}{track}",
        event_id="e",
        recording="r",
        kind=kind,
        t_start_ns=0,
        t_end_ns=1,
        text=text,
        label=label,
        track_id=track,
    )


def test_an_event_says_what_was_heard_read_and_seen_and_counts_tracks() -> None:
    text = describe_event(
        [
            observation("speech", "Hello there."),
            observation("text_in_view", "EXIT"),
            observation("object", "person on the left", label="person", track="r/person-1"),
            observation("object", "person on the right", label="person", track="r/person-1"),
            observation("object", "person in the middle", label="person", track="r/person-2"),
            observation("object", "bus on the left", label="bus", track="r/bus-3"),
        ]
    )
    assert text == "Heard: Hello there. Text in view: EXIT. Seen: 2 people, 1 bus."
    assert describe_event([]) == ""


def test_plurals_read_as_people_write_them() -> None:
    assert [plural(*pair) for pair in (("person", 2), ("bus", 3), ("couch", 2), ("sheep", 2), ("cup", 1))] == [
        "2 people",
        "3 buses",
        "2 couches",
        "2 sheep",
        "1 cup",
    ]


def test_unlikely_tags_are_not_said() -> None:
    assert describe_scene([[Tag(label="ice bear", probability=0.05)]]) is None
