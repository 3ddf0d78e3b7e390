"""Watching a real clip: events partition it, and from any checkpoint a fresh watcher goes on exactly the same."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from perception.models.registry import load_models
from perception.protocols import SourceInfo, TrackLine, VideoFrame
from perception.sources import open_source
from perception.state import dump_state, load_state
from perception.watch import ClosedSegment, Watcher
from streammem.settings import SegmentationSettings, load_settings
from streammem.types import Gap
from tests.media import Scene, make_clip, moving_square, noise, texture

SAMPLE = Path(__file__).parents[2] / "demos" / "sample" / "street_talk.mp4"
TRUTH = json.loads(SAMPLE.with_suffix(".json").read_text())
SETTINGS = load_settings()
MODELS = load_models(SETTINGS.models)


def watch(path: Path, *, state: dict | None = None) -> list[ClosedSegment]:
    with open_source(path, settings=SETTINGS.source) as source:
        watcher = Watcher(source.info, SETTINGS.segmentation, voice=MODELS.voice, detector=MODELS.detector)
        MODELS.voice.set_state(None)
        from_ns = watcher.resume(state) if state is not None else 0
        segments: list[ClosedSegment] = []
        for item in source.stream(from_ns=from_ns):
            segments += watcher.watch(item)
        return segments + list(watcher.finish())


def essence(segment: ClosedSegment) -> tuple[object, ...]:
    return (
        segment.t_start_ns,
        segment.t_end_ns,
        segment.strength,
        segment.moments,
        [frame.t_ns for frame in segment.frames],
        segment.objects,
        [(u.t_start_ns, u.t_end_ns) for u in segment.utterances],
    )


@pytest.fixture(scope="module")
def whole() -> list[ClosedSegment]:
    return watch(SAMPLE)


def test_events_and_moments_partition_the_recording(whole: list[ClosedSegment]) -> None:
    assert whole[0].t_start_ns == 0
    assert whole[-1].t_end_ns / 1e9 == pytest.approx(TRUTH["shots"][-1]["end_s"], abs=0.3)
    for before, after in pairwise(whole):
        assert before.t_end_ns == after.t_start_ns
    for segment in whole:
        assert segment.moments[0].t_start_ns == segment.t_start_ns
        assert segment.moments[-1].t_end_ns == segment.t_end_ns
        assert all(a.t_end_ns == b.t_start_ns for a, b in pairwise(segment.moments))
        assert all(m.t_end_ns - m.t_start_ns <= 2_000_000_000 for m in segment.moments)
        assert segment.t_end_ns - segment.t_start_ns <= 30_000_000_000


def test_hard_cuts_of_the_sample_are_boundaries(whole: list[ClosedSegment]) -> None:
    starts = [segment.t_start_ns / 1e9 for segment in whole]
    for shot in TRUTH["shots"][1:]:
        assert min(abs(start - shot["start_s"]) for start in starts) <= 0.25
    assert 5 <= len(whole) <= 20


def test_people_are_tracked_and_nobody_is_tracked_on_the_cards(whole: list[ClosedSegment]) -> None:
    people = {o.number for s in whole for o in s.objects if o.label == "person"}
    assert 5 <= len(people) <= 40
    card_end_s = TRUTH["shots"][0]["end_s"]
    assert not [o for s in whole for o in s.objects if s.t_end_ns / 1e9 <= card_end_s + 0.1]


def test_from_every_checkpoint_a_fresh_watcher_goes_on_the_same(whole: list[ClosedSegment]) -> None:
    places = [i for i, segment in enumerate(whole[:-1]) if segment.checkpoint is not None]
    assert len(places) >= 4
    for place in (places[len(places) // 3], places[-1]):
        checkpoint = whole[place].checkpoint
        assert checkpoint is not None
        state = load_state(dump_state(checkpoint))
        rest = watch(SAMPLE, state=state)
        assert [essence(s) for s in rest] == [essence(s) for s in whole[place + 1 :]]
        for one, other in zip(rest, whole[place + 1 :], strict=True):
            for mine, theirs in zip(one.utterances, other.utterances, strict=True):
                np.testing.assert_array_equal(mine.samples, theirs.samples)


def test_a_still_camera_gives_neither_one_event_nor_one_per_frame(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "still.mp4", [Scene(70.0, moving_square())], frames_per_s=10, size=(160, 90))
    segments = watch(path)
    assert 3 <= len(segments) <= 20


def test_sound_alone_is_cut_at_pauses(tmp_path: Path) -> None:
    from tests.media import make_sound

    segments = watch(make_sound(tmp_path / "noise.wav", noise(), duration_s=65.0))
    assert segments[0].t_start_ns == 0
    assert segments[-1].t_end_ns / 1e9 == pytest.approx(65.0, abs=0.6)
    assert all(s.t_end_ns - s.t_start_ns <= 30_000_000_000 for s in segments)


# --- caption tracks and holes, without files --------------------------------------------------------------------------


def captions_only() -> Watcher:
    info = SourceInfo(
        recording="r",
        uri="r.srt",
        fingerprint="f",
        has_video=False,
        has_audio=False,
        has_captions=True,
        is_live=False,
    )
    return Watcher(info, SegmentationSettings())


def line(start_s: float, text: str = "words") -> TrackLine:
    start_ns = round(start_s * 1e9)
    return TrackLine(t_start_ns=start_ns, t_end_ns=start_ns + 1_500_000_000, kind="caption", text=text)


def test_every_line_lands_in_the_event_of_its_start_also_after_a_resume() -> None:
    lines = [line(2.0 * (i // 3) + (40 if i > 60 else 0), f"line {i}") for i in range(120)]  # three start together

    def run(watcher: Watcher, which: list[TrackLine]) -> list[ClosedSegment]:
        return [s for one in which for s in watcher.watch(one)] + list(watcher.finish())

    segments = run(captions_only(), lines)
    read = [heard.line for segment in segments for heard in segment.lines]
    assert read == lines
    for segment in segments:
        assert all(segment.t_start_ns <= heard.line.t_start_ns < segment.t_end_ns for heard in segment.lines)
    hole = [(a.t_end_ns, b.t_start_ns) for a, b in pairwise(segments) if a.t_end_ns < b.t_start_ns]
    assert len(hole) == 1  # forty seconds without a line are not part of any event
    for place, segment in enumerate(segments):
        if segment.checkpoint is None:
            continue
        watcher = captions_only()
        from_ns = watcher.resume(load_state(dump_state(segment.checkpoint)))
        rest = run(watcher, [one for one in lines if one.t_start_ns >= from_ns])
        assert [[h.line.text for h in s.lines] for s in rest] == [
            [h.line.text for h in s.lines] for s in segments[place + 1 :]
        ]


def test_a_line_before_the_first_picture_is_of_the_first_event() -> None:
    info = replace(captions_only()._info, has_video=True)
    watcher = Watcher(info, SegmentationSettings())
    segments: list[ClosedSegment] = []
    picture = np.zeros((18, 32, 3), np.uint8)
    pictures = [
        VideoFrame(t_ns=5 * 10**9 + index * 10**8, image_rgb=picture, original=lambda: picture) for index in range(9)
    ]
    for item in [line(4.8, "before"), *pictures]:
        segments += watcher.watch(item)
    segments += watcher.finish()
    assert [heard.line.text for heard in segments[0].lines] == ["before"]


def test_a_silence_longer_than_the_longest_event_is_a_gap_and_not_empty_events() -> None:
    watcher = Watcher(replace(captions_only()._info, has_video=True), SegmentationSettings())
    picture = texture(3)(0.0, 0, 160, 90)
    day_s = 86_400
    times_s = [*np.arange(0, 4, 0.2), *(40 * day_s + np.arange(0, 4, 0.2))]
    segments: list[ClosedSegment] = []
    for t_s in times_s:
        segments += watcher.watch(VideoFrame(t_ns=round(t_s * 1e9), image_rgb=picture, original=lambda: picture))
    segments += watcher.finish()
    assert [round(one.t_start_ns / 1e9) for one in segments] == [0, 40 * day_s]
    assert segments[0].t_end_ns < 5e9
    assert segments[0].gap is not None
    assert segments[0].gap.t_end_ns == 40 * day_s * 10**9


def test_a_picture_that_stands_for_minutes_is_no_gap() -> None:
    watcher = Watcher(replace(captions_only()._info, has_video=True), SegmentationSettings())
    picture = texture(3)(0.0, 0, 160, 90)
    segments: list[ClosedSegment] = []
    for t_s in (0, 1, 2, 122, 123):
        segments += watcher.watch(VideoFrame(t_ns=t_s * 10**9, image_rgb=picture, original=lambda: picture))
    segments += watcher.finish()
    assert all(one.gap is None for one in segments)
    assert segments[-1].t_end_ns >= 123 * 10**9
    assert all(after.t_start_ns == before.t_end_ns for before, after in pairwise(segments))


def test_a_gap_ends_the_event_and_the_next_begins_after_it() -> None:
    info = replace(captions_only()._info, has_video=True)
    watcher = Watcher(info, SegmentationSettings())
    picture = texture(3)(0.0, 0, 160, 90)

    def frame(t_s: float) -> VideoFrame:
        return VideoFrame(t_ns=round(t_s * 1e9), image_rgb=picture, original=lambda: picture)

    segments: list[ClosedSegment] = []
    for t in range(40):
        segments += watcher.watch(frame(t / 5))
    segments += watcher.watch(Gap(t_start_ns=8_000_000_000, t_end_ns=20_000_000_000, reason="broken bytes"))
    for t in range(100, 140):
        segments += watcher.watch(frame(t / 5))
    segments += watcher.finish()
    assert [(s.t_start_ns / 1e9, round(s.t_end_ns / 1e9, 1)) for s in segments] == [(0.0, 8.0), (20.0, 28.0)]
    assert segments[0].gap is not None
    assert segments[0].gap.reason == "broken bytes"
