"""Boundaries come from the data: cuts, drift, pauses, people. Durations keep their limits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.protocols import SAMPLE_RATE_HZ, ImageRGB, Samples
from perception.segmentation.boundaries import BoundaryDetector, Signals, strength_of
from perception.segmentation.novelty import CUT_SCORE, VisualNovelty
from perception.segmentation.speech import UtteranceTracker
from perception.segmentation.surprise import RunningSurprise
from perception.segmentation.topic import LINES_AHEAD, TopicDrift
from perception.state import dump_state, load_state
from streammem.settings import SegmentationSettings
from tests.media import texture

FPS = 5


def picture(seed: int, *, brightness: float = 1.0, shift: int = 0, noise: int = 0) -> ImageRGB:
    """A patchwork of its own colours, 256 x 144, dimmed, shifted or with sensor noise."""
    image = np.roll(texture(seed)(0, 0.0, 256, 144), shift, axis=1).astype(np.float32) * brightness
    if noise:
        image = image + np.random.default_rng(noise).normal(0, 3, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def cuts(images: list[ImageRGB]) -> list[int]:
    """Frames at which a cut is seen."""
    novelty = VisualNovelty()
    return [i for i, image in enumerate(images) if novelty.update(image, t_ns=i * 10**9 // FPS).cut >= CUT_SCORE]


def test_a_hard_cut_is_seen_at_its_frame() -> None:
    still = [picture(1, noise=i + 1) for i in range(20)]
    other = [picture(2, noise=i + 100) for i in range(20)]
    assert cuts(still + other) == [20]


def test_a_fade_is_not_a_cut_until_the_picture_is_gone() -> None:
    fade = [picture(1, brightness=b) for b in np.linspace(1.0, 0.0, 15)]
    assert all(i >= 13 for i in cuts(fade))


def test_sensor_noise_and_a_slow_pan_are_not_cuts() -> None:
    assert cuts([picture(1, noise=i + 1) for i in range(60)]) == []
    assert cuts([picture(1, shift=2 * i) for i in range(60)]) == []


def test_drift_grows_as_the_picture_changes_and_restarts_with_the_event() -> None:
    novelty = VisualNovelty()
    first = [novelty.update(picture(1), t_ns=i * 10**9 // FPS).drift for i in range(20)]
    later = [novelty.update(picture(2), t_ns=(20 + i) * 10**9 // FPS).drift for i in range(10)]
    assert max(first) < 0.05
    assert max(later) > 0.3
    novelty.start_event()
    assert novelty.update(picture(2), t_ns=30 * 10**9 // FPS).drift < 0.05


def test_surprise_is_high_for_what_never_happened_and_low_for_what_always_does() -> None:
    surprise = RunningSurprise(time_constant_s=5.0, floor=0.01)
    usual = [surprise.update(0.1 + 0.01 * (i % 2), elapsed_s=0.2) for i in range(100)]
    assert max(usual[50:]) < 3
    assert surprise.update(0.9, elapsed_s=0.2) > 10


signals = st.builds(
    Signals,
    cut=st.floats(0, 1),
    drift=st.floats(0, 1),
    burst=st.floats(0, 1),
    turnover=st.floats(0, 1),
    topic=st.floats(0, 1),
    pause_s=st.one_of(st.none(), st.floats(0, 20)),
    in_speech=st.booleans(),
)


@given(st.lists(st.tuples(st.floats(0.05, 3.0), signals), min_size=1, max_size=200))
@settings(max_examples=80, deadline=None)
def test_events_keep_their_limits_whatever_comes(ticks: list[tuple[float, Signals]]) -> None:
    config = SegmentationSettings(event_min_s=2, cut_min_s=0.5, event_max_s=10)
    detector = BoundaryDetector(config)
    detector.start(0)
    t_ns, last_ns = 0, 0
    for step_s, signal in ticks:
        t_ns += round(step_s * 1e9)
        found = []
        while (overdue := detector.overdue(t_ns)) is not None:
            found.append(overdue)
        if (boundary := detector.update(signal, t_ns=t_ns)) is not None:
            found.append(boundary)
        for one in found:
            length_s = (one.t_ns - last_ns) / 1e9
            assert length_s <= config.event_max_s + 1e-6
            assert length_s >= (config.cut_min_s if signal.cut >= CUT_SCORE else config.event_min_s) - 1e-6
            assert 0.0 <= one.strength <= 1.0
            last_ns = one.t_ns


def test_nothing_is_cut_in_the_middle_of_speech_but_a_hard_cut() -> None:
    config = SegmentationSettings()
    talking = Signals(drift=1.0, burst=1.0, in_speech=True)
    detector = BoundaryDetector(config)
    detector.start(0)
    assert all(detector.update(talking, t_ns=i * 10**9) is None for i in range(1, 29))
    boundary = detector.update(Signals(cut=0.9, in_speech=True), t_ns=29 * 10**9)
    assert boundary is not None
    assert boundary.is_cut


def test_a_weak_change_cuts_an_old_event_and_not_a_young_one() -> None:
    weak = Signals(pause_s=1.5)
    assert 0.2 < strength_of(weak) < 0.5
    young, old = BoundaryDetector(SegmentationSettings()), BoundaryDetector(SegmentationSettings())
    young.start(0)
    old.start(0)
    assert young.update(weak, t_ns=4 * 10**9) is None
    assert old.update(weak, t_ns=26 * 10**9) is not None


def test_agreeing_signals_are_stronger_than_each() -> None:
    both = strength_of(Signals(drift=0.5, pause_s=2.0))
    assert both > strength_of(Signals(drift=0.5))
    assert both > strength_of(Signals(pause_s=2.0))


def test_a_change_of_topic_shows_at_the_line_that_begins_it() -> None:
    rng = np.random.default_rng(0)
    kitchen, street = np.eye(64, dtype=np.float32)[:2]

    def line(about: np.ndarray) -> np.ndarray:
        vector = about + rng.normal(0, 0.05, 64).astype(np.float32)
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    lines = [line(kitchen) for _ in range(60)] + [line(street) for _ in range(10)]
    topic = TopicDrift()
    change = []
    for place, vector in enumerate(lines):
        change.append(topic.before(np.mean(lines[place : place + LINES_AHEAD], axis=0)))
        topic.add(vector)
    # It rises as the lines ahead turn to the street, and is full where most of them have.
    assert sum(change[20:55]) / 35 < 0.2
    assert max(change[57:60]) == pytest.approx(0.8)
    topic.start_event()
    assert topic.before(lines[-1]) == 0.0


class Loudness:
    """Voice activity by loudness alone: for tests of what is built on probabilities, not of any model."""

    name = "loudness"
    window = 512

    def probabilities(self, samples: Samples) -> np.ndarray:
        return np.clip(np.abs(samples.reshape(-1, self.window)).mean(axis=1) * 10, 0, 1).astype(np.float32)

    def get_state(self) -> np.ndarray:
        return np.zeros(1, np.float32)

    def set_state(self, state: np.ndarray | None) -> None:
        pass


def sound(*spans: tuple[float, float], length_s: float) -> Samples:
    """Noise in the given spans, silence elsewhere."""
    samples = np.zeros(round(length_s * SAMPLE_RATE_HZ), np.float32)
    rng = np.random.default_rng(0)
    for start_s, end_s in spans:
        place = slice(round(start_s * SAMPLE_RATE_HZ), round(end_s * SAMPLE_RATE_HZ))
        samples[place] = rng.uniform(-0.5, 0.5, place.stop - place.start)
    return samples


@pytest.mark.parametrize("block", [8000, 1234, 320])
def test_utterances_are_found_whatever_the_blocks(block: int) -> None:
    samples = sound((1.0, 3.0), (3.2, 4.0), (6.0, 7.5), (9.0, 9.05), length_s=11.0)
    tracker = UtteranceTracker(Loudness())
    found = []
    for start in range(0, len(samples), block):
        found += tracker.feed(samples[start : start + block], t_ns=start * 62_500)
    found += tracker.finish()
    spans = [(u.t_start_ns / 1e9, u.t_end_ns / 1e9) for u in found]
    assert len(spans) == 2  # a breath joins, a click does not count
    assert spans[0] == pytest.approx((1.0, 4.0), abs=0.35)
    assert spans[1] == pytest.approx((6.0, 7.5), abs=0.35)
    for utterance in found:
        start = utterance.t_start_ns // 62_500
        np.testing.assert_array_equal(utterance.samples, samples[start : start + len(utterance.samples)])


def test_endless_speech_is_split_and_nothing_of_it_lost() -> None:
    samples = sound((0.5, 60.0), length_s=61.0)
    tracker = UtteranceTracker(Loudness(), max_s=10.0)
    found = tracker.feed(samples, t_ns=0) + tracker.finish()
    assert all(u.length_s <= 10.1 for u in found)
    assert found[0].t_start_ns / 1e9 < 0.55
    assert found[-1].t_end_ns / 1e9 > 59.9
    assert all(a.t_end_ns == b.t_start_ns for a, b in pairwise(found))


def test_a_hole_in_the_sound_ends_the_utterance() -> None:
    tracker = UtteranceTracker(Loudness())
    found = tracker.feed(sound((0.2, 2.0), length_s=2.0), t_ns=0)
    assert found == []
    assert tracker.in_speech
    found = tracker.feed(sound(length_s=1.0), t_ns=60 * 10**9)
    assert len(found) == 1
    assert not tracker.in_speech


def test_pauses_are_measured_from_the_last_voice() -> None:
    tracker = UtteranceTracker(Loudness())
    assert tracker.pause_s(0) is None
    tracker.feed(sound((0.0, 1.0), length_s=4.0), t_ns=0)
    assert tracker.pause_s(4 * 10**9) == pytest.approx(3.0, abs=0.1)


def test_state_survives_bytes_exactly() -> None:
    novelty, again = VisualNovelty(), VisualNovelty()
    for i in range(10):
        novelty.update(picture(1, noise=i + 1), t_ns=i * 10**9 // FPS)
    again.set_state(load_state(dump_state(novelty.get_state())))
    for i in range(10, 20):
        image = picture(1 + i // 15, noise=i + 1)
        assert again.update(image, t_ns=i * 10**9 // FPS) == novelty.update(image, t_ns=i * 10**9 // FPS)


def test_a_checkpoint_that_is_not_one_is_refused() -> None:
    for bad in (b"[1]", b"not json", b'{"a": {"__array__": "object", "shape": [1], "data": ""}}'):
        with pytest.raises(ValueError):  # noqa: PT011 - json's own error is a ValueError too
            load_state(bad)
