"""Files as sources: codecs, the sampling grid, starting anywhere, damage, and what the user is told."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from perception.protocols import AudioBlock, TrackLine, VideoFrame
from perception.sources import expand_sources, open_frame_reader, open_source, read_audio
from perception.sources.look_back import DecordFrameReader, PyAVFrameReader
from streammem.errors import SourceBrokenError, SourceError
from streammem.settings import SourceSettings
from streammem.types import NS_PER_S, Gap
from tests.media import (
    Scene,
    chirp,
    corrupt,
    counter,
    make_clip,
    make_sound,
    moving_square,
    read_counter,
    sine,
    solid,
    texture,
    truncate,
)

SETTINGS = SourceSettings(sample_fps=5, analysis_height=90)


def items_of(path: Path, *, from_ns: int = 0, settings: SourceSettings = SETTINGS) -> list[object]:
    with open_source(path, settings=settings) as source:
        return list(source.stream(from_ns=from_ns))


def _collect(stream: Iterable[object], into: list[object]) -> None:
    for item in stream:  # one by one: what came before an error is kept
        into.append(item)


def frames_of(items: list[object]) -> list[VideoFrame]:
    return [item for item in items if isinstance(item, VideoFrame)]


def sound_of(items: list[object]) -> tuple[int, np.ndarray]:
    """First sample's index, and all samples; blocks must join."""
    blocks = [item for item in items if isinstance(item, AudioBlock)]
    index = first = blocks[0].t_ns // 62_500
    for block in blocks:
        assert block.t_ns == index * 62_500
        index += len(block.samples)
    return first, np.concatenate([block.samples for block in blocks])


@pytest.mark.parametrize(
    ("name", "codec", "size"),
    [
        ("a.mp4", "libx264", (320, 180)),
        ("a.ts", "libx264", (320, 180)),
        ("b.mp4", "libx265", (320, 180)),
        ("c.webm", "libvpx-vp9", (320, 180)),
        ("d.mkv", "libsvtav1", (320, 192)),
    ],
)
def test_every_codec_gives_one_frame_per_tick(
    tmp_path: Path, name: str, codec: str, size: tuple[int, int], capfd: pytest.CaptureFixture[str]
) -> None:
    # AV1 encoders smooth small flicker away unless asked for quality.
    options = {"crf": "4", "preset": "8"} if codec == "libsvtav1" else None
    path = make_clip(tmp_path / name, [Scene(3.0, counter())], codec=codec, size=size, options=options)
    if sys.platform.startswith("linux"):
        assert os.sched_getscheduler(0) == os.SCHED_OTHER
    with open_source(path, settings=SETTINGS) as source:
        assert (source.info.width, source.info.height) == size
        assert source.info.duration_ns == pytest.approx(3 * NS_PER_S, abs=0.1 * NS_PER_S)
        frames = frames_of(list(source.stream()))
    assert len(frames) == 15
    for tick, frame in enumerate(frames):
        # in the tick's own interval, and the picture is the one of that time
        assert tick * 0.2 - 1e-6 <= frame.t_ns / 1e9 < (tick + 1) * 0.2
        assert read_counter(frame.image_rgb) == round(frame.t_ns / 1e9 * 25)
        assert frame.image_rgb.shape[0] == 90
        assert frame.image_rgb.dtype == np.uint8
    original = frames[7].original()
    assert original.shape == (size[1], size[0], 3)
    assert read_counter(original) == round(frames[7].t_ns / 1e9 * 25)


def test_pictures_left_out_of_decoding_do_not_change_the_others(tmp_path: Path) -> None:
    import av

    path = make_clip(
        tmp_path / "a.mp4", [Scene(4.0, moving_square())], options={"preset": "medium", "bf": "3", "crf": "30"}
    )
    with av.open(str(path)) as container:
        full = {round(frame.time * NS_PER_S): frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)}
    frames = frames_of(items_of(path))
    assert len(frames) == 20
    for frame in frames:
        np.testing.assert_array_equal(frame.original(), full[frame.t_ns])


def test_variable_frame_rate_keeps_the_times_of_the_container(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.1, 0.5, 0.9, 1.0, 1.7]
    path = make_clip(tmp_path / "v.mp4", [Scene(2.0, counter())], frame_times_s=times)
    frames = frames_of(items_of(path))
    assert [(round(frame.t_ns / 1e9, 3), read_counter(frame.image_rgb)) for frame in frames] == [
        (0.0, 0),
        (0.5, 3),
        (0.9, 4),
        (1.0, 5),
        (1.7, 6),
    ]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_turned_video_is_upright(tmp_path: Path, rotation: int) -> None:
    def corner(t: float, index: int, width: int, height: int) -> np.ndarray:
        image = np.full((height, width, 3), 40, np.uint8)
        image[: height // 2, : width // 2] = 220  # bright top left
        return image

    path = make_clip(tmp_path / "r.mp4", [Scene(1.0, corner)], rotation=rotation)
    with open_source(path, settings=SETTINGS) as source:
        frame = frames_of(list(source.stream()))[0]
        assert (source.info.width, source.info.height) == ((180, 320) if rotation != 180 else (320, 180))
    expected = np.rot90(corner(0, 0, 320, 180), rotation // 90)
    assert frame.original().shape == expected.shape
    assert np.abs(frame.original().astype(int) - expected).mean() < 6
    assert frame.image_rgb.shape[0] == 90
    with open_frame_reader(path) as reader:
        assert reader.read([0])[0][1].shape == expected.shape


def test_never_enlarged(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "s.mp4", [Scene(1.0, solid(9, 200, 9))], size=(128, 72))
    assert frames_of(items_of(path))[0].image_rgb.shape == (72, 128, 3)


def test_sound_and_pictures_stay_together(tmp_path: Path) -> None:
    # Matroska: mp4 rounds the priming of a late AAC track to its own milliseconds.
    late = make_clip(
        tmp_path / "late.mkv", [Scene(2.0, counter())], sound=chirp(), audio_codec="flac", audio_offset_s=0.5
    )
    first, samples = sound_of(items_of(late))
    assert first == 0
    assert np.abs(samples[:7000]).max() < 1e-3
    times = np.arange(16_000) / 16_000
    assert np.abs(samples[8_000 + 800 : 8_000 + 15_000] - chirp()(times)[800:15_000]).max() < 1e-3
    early = make_clip(tmp_path / "early.mp4", [Scene(2.0, counter())], sound=chirp(), audio_offset_s=-0.5)
    items = items_of(early)
    frame = frames_of(items)[0]
    assert frame.t_ns == pytest.approx(0.5 * NS_PER_S, abs=2e7)
    assert read_counter(frame.image_rgb) == 0


def test_merged_in_order_of_time(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "talk.mp4", [Scene(3.0, counter())], sound=chirp())
    (tmp_path / "talk.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhello there\n", encoding="utf-8")
    items = items_of(path)
    assert any(isinstance(item, TrackLine) for item in items)
    known_until = 0
    for item in items:
        if isinstance(item, AudioBlock):
            known_until = item.t_ns + len(item.samples) * 62_500
        elif isinstance(item, VideoFrame):
            assert item.t_ns < known_until + 0.5 * NS_PER_S
            assert item.t_ns >= known_until - 0.5 * NS_PER_S
    times = [
        item.t_ns if isinstance(item, VideoFrame) else item.t_start_ns
        for item in items
        if hasattr(item, "text") or isinstance(item, VideoFrame)
    ]
    assert times == sorted(times)


def test_noise_that_aac_makes_up_is_the_same_wherever_reading_starts() -> None:
    # Speech at a low bit rate: the encoder left the noise between the tones to the decoder.
    sample = Path(__file__).parents[2] / "demos" / "sample" / "street_talk.mp4"
    whole = read_audio(sample, 0, 40 * NS_PER_S)
    for from_s in (3.3, 29.25):
        part = read_audio(sample, round(from_s * NS_PER_S), 40 * NS_PER_S)
        np.testing.assert_array_equal(part, whole[round(from_s * 16_000) :])


def test_a_damaged_packet_where_the_decoder_is_renewed_costs_no_more_than_itself(tmp_path: Path) -> None:
    import av
    import av.error

    from perception.sources.audio import _RENEW_PACKETS, _Decoder

    path = make_sound(tmp_path / "tone.m4a", sine(440.0), duration_s=20.0, codec="aac")
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        decoder = _Decoder(stream)
        heard = failed = 0
        for place, packet in enumerate(p for p in container.demux(stream) if p.size):
            if place == _RENEW_PACKETS - 1:
                broken = av.Packet(b"\xff" * packet.size)
                broken.pts, broken.duration, broken.time_base = packet.pts, packet.duration, packet.time_base
                packet = broken
            try:
                heard += len(decoder.decode(packet))
            except av.error.FFmpegError:
                failed += 1
    assert place > 2 * _RENEW_PACKETS
    assert failed == 1
    assert heard >= place - 2


@pytest.mark.parametrize(
    ("name", "video", "audio", "rate"),
    [
        ("aac.mp4", "libx264", "aac", 44_100),
        ("mp3.mp4", "libx264", "libmp3lame", 44_100),
        ("opus.webm", "libvpx-vp9", "libopus", 48_000),
        ("aac.ts", "libx264", "aac", 48_000),
        ("flac.mkv", "libx264", "flac", 22_050),
    ],
)
@pytest.mark.parametrize("from_s", [2.5, 5.9])
def test_started_later_it_gives_the_same(
    tmp_path: Path, name: str, video: str, audio: str, rate: int, from_s: float
) -> None:
    path = make_clip(
        tmp_path / name,
        [Scene(8.0, counter())],
        codec=video,
        sound=chirp(),
        audio_codec=audio,
        audio_rate_hz=rate,
        key_every=30,
        options={"bf": "2"} if video == "libx264" else None,
    )
    whole, part = items_of(path), items_of(path, from_ns=round(from_s * NS_PER_S))
    expected = [frame for frame in frames_of(whole) if frame.t_ns >= from_s * NS_PER_S]
    got = frames_of(part)
    assert [frame.t_ns for frame in got] == [frame.t_ns for frame in expected]
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one.image_rgb, other.image_rgb)
    first, samples = sound_of(part)
    assert first == round(from_s * 16_000)
    everything = sound_of(whole)[1]
    assert len(samples) == len(everything) - first
    allowed = {"aac.ts": 1e-5, "opus.webm": 1e-4}.get(name, 1e-6)
    assert np.abs(samples - everything[first:]).max() < allowed
    again = read_audio(path, round(from_s * NS_PER_S), round((from_s + 1) * NS_PER_S))
    np.testing.assert_array_equal(again, samples[:16_000])


def test_sound_alone(tmp_path: Path) -> None:
    path = make_sound(tmp_path / "s.wav", chirp(), duration_s=2.3)
    with open_source(path, settings=SETTINGS) as source:
        assert (source.info.has_video, source.info.has_audio) == (False, True)
        samples = sound_of(list(source.stream()))[1]
    assert len(samples) == round(2.3 * 16_000)
    assert np.abs(samples - chirp()(np.arange(len(samples)) / 16_000)).max() < 1e-3


@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
def test_a_damaged_span_is_a_gap_and_the_rest_is_kept(tmp_path: Path, name: str) -> None:
    path = make_clip(
        tmp_path / name,
        [Scene(6.0, counter()), Scene(6.0, texture(3))],
        size=(640, 360),
        sound=chirp(),
        key_every=25,
        options={"crf": "10"},
    )
    clean = {frame.t_ns: frame.image_rgb for frame in frames_of(items_of(path))}
    corrupt(path, start=0.45, end=0.55)
    items = items_of(path)
    gaps = [item for item in items if isinstance(item, Gap)]
    frames = frames_of(items)
    assert any("pictures" in gap.reason for gap in gaps)
    assert len(clean) * 0.4 < len(frames) < len(clean)
    assert frames[-1].t_ns > 11 * NS_PER_S
    for frame in frames:
        assert np.abs(frame.image_rgb.astype(int) - clean[frame.t_ns]).mean() < 3
        assert not any(gap.t_start_ns < frame.t_ns < gap.t_end_ns for gap in gaps if "pictures" in gap.reason)


def test_a_file_that_ends_early_is_broken_after_what_there_is(tmp_path: Path) -> None:
    path = make_clip(
        tmp_path / "a.mp4",
        [Scene(10.0, texture(2)), Scene(10.0, texture(3))],
        container_options={"movflags": "faststart"},
        sound=chirp(),
    )
    truncate(path, keep=0.6)
    items: list[object] = []
    with open_source(path, settings=SETTINGS) as source:
        stream = source.stream()
        with pytest.raises(SourceBrokenError, match=r"a\.mp4.*breaks off at"):
            _collect(stream, items)
    assert len(frames_of(items)) > 10
    assert isinstance(items[-1], Gap)
    assert items[-1].t_end_ns == pytest.approx(20 * NS_PER_S, abs=NS_PER_S)


def _moov_lost(folder: Path) -> Path:
    return truncate(make_clip(folder / "cut.mp4", [Scene(2.0, counter())]), keep=0.6)


def _text(folder: Path) -> Path:
    (folder / "text.mp4").write_text("this is not a film\n" * 50)
    return folder / "text.mp4"


def _empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def _no_sound(folder: Path) -> Path:
    import wave

    with wave.open(str(folder / "none.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
    return folder / "none.wav"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_moov_lost, "index"),
        (_text, "not a video or sound file"),
        (_empty, "is empty"),
        (_no_sound, "nothing that can be decoded"),
        (lambda folder: folder / "missing.mp4", "There is no file"),
        (lambda folder: folder, "is a folder"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path: Path, make: object, says: str) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    with pytest.raises(SourceError, match=says) as caught:
        open_source(path, settings=SETTINGS)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_there_is_no_camera_99() -> None:
    with pytest.raises(SourceError, match="no camera 99"):
        open_source(99, settings=SETTINGS)


def test_folder_becomes_its_recordings(tmp_path: Path) -> None:
    make_clip(tmp_path / "b.mp4", [Scene(1.0, counter())])
    (tmp_path / "deep").mkdir()
    make_sound(tmp_path / "deep" / "b.wav", chirp(), duration_s=1)
    (tmp_path / "b.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nhi\n")
    (tmp_path / "alone.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhi\n")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "notes.txt").write_text("no")
    specs = expand_sources([tmp_path, "rtsp://host:554/cam", tmp_path / "gone.mp4"])
    assert [(spec.recording, spec.captions is not None, spec.error is not None) for spec in specs] == [
        ("alone", False, False),
        ("b", True, False),
        ("b-2", False, False),
        ("empty", False, True),
        ("cam", False, False),
        ("gone", False, True),
    ]
    empty = tmp_path / "nothing"
    empty.mkdir()
    assert "holds no recording" in str(expand_sources(empty)[0].error)


@pytest.mark.parametrize(
    ("name", "codec", "times"),
    [
        ("a.mp4", "libx264", None),
        ("b.mkv", "libvpx-vp9", None),
        ("c.mp4", "libx264", [0, 0.04, 0.1, 0.5, 0.9, 1, 1.7]),
    ],
)
def test_both_frame_readers_give_the_frame_shown(
    tmp_path: Path, name: str, codec: str, times: list[float] | None
) -> None:
    path = make_clip(tmp_path / name, [Scene(4.0, counter())], codec=codec, frame_times_s=times, sound=chirp())
    asked_s = [3.99, 0.0, 0.041, 0.5, 0.49, 1.0, 1.69, 2.5, 99.0]
    shown = times or [index / 25 for index in range(100)]
    expected = [max(index for index, t in enumerate(shown) if t <= asked + 1e-9) for asked in sorted(asked_s)]
    with open_frame_reader(path) as fast:
        assert isinstance(fast, DecordFrameReader)
        first = fast.read([round(t * NS_PER_S) for t in asked_s])
    with PyAVFrameReader(str(path)) as slow:
        second = slow.read([round(t * NS_PER_S) for t in asked_s])
    assert [read_counter(image) for _, image in first] == expected
    assert [read_counter(image) for _, image in second] == expected
    for (t_one, image_one), (t_two, image_two) in zip(first, second, strict=True):
        assert abs(t_one - t_two) < 1000
        assert np.abs(image_one.astype(int) - image_two).mean() < 2


def test_av1_and_damage_are_read_again_with_pyav(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", [Scene(2.0, counter())], codec="libsvtav1", size=(320, 192))
    with open_frame_reader(path) as reader:
        assert isinstance(reader, PyAVFrameReader)
        assert [read_counter(image) for _, image in reader.read([NS_PER_S, 0])] == [0, 25]
    with pytest.raises(SourceError, match="live"):
        open_frame_reader("rtsp://host/cam")


def test_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", [Scene(1.0, counter())])
    with open_source(path, settings=SETTINGS) as source:
        before = source.info.fingerprint
    renamed = path.rename(tmp_path / "b.mp4")
    with open_source(renamed, settings=SETTINGS) as source:
        assert source.info.fingerprint == before
    other = make_clip(tmp_path / "c.mp4", [Scene(1.0, texture(1))])
    with open_source(other, settings=SETTINGS) as source:
        assert source.info.fingerprint != before


def test_nothing_leaks_when_readers_stop_early(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", [Scene(2.0, counter())], sound=chirp())

    def once() -> None:
        with open_source(path, settings=SETTINGS) as source:
            next(source.stream())
            source.close()
            source.close()

    once()
    files, threads = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
    for _ in range(40):
        once()
    assert len(list(Path("/proc/self/fd").iterdir())) <= files + 1
    assert threading.active_count() == threads


def test_real_trailer_every_tick_and_the_same_from_the_middle() -> None:
    folder = Path(os.environ.get("STREAMMEM_EVAL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    path = folder / "media" / "trailer_bbb.mp4"
    if not path.is_file():
        pytest.skip(f"the evaluation data folder has no {path.name}; set STREAMMEM_EVAL_DATA")
    settings = SourceSettings()
    whole = items_of(path, settings=settings)
    ticks = {frame.t_ns // 200_000_000 for frame in frames_of(whole)}
    assert ticks == set(range(max(ticks) + 1))
    part = items_of(path, from_ns=31_370_000_000, settings=settings)
    expected = [frame for frame in frames_of(whole) if frame.t_ns >= 31_370_000_000]
    assert [frame.t_ns for frame in frames_of(part)] == [frame.t_ns for frame in expected]
    np.testing.assert_array_equal(frames_of(part)[0].original(), expected[0].original())
    first, samples = sound_of(part)
    assert np.abs(samples - sound_of(whole)[1][first:]).max() < 1e-6


def test_looking_again_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """After a jump the decoder misses frames that earlier ones refer to, and says so for every one of them."""
    options = "open-gop=1:direct=temporal:bframes=3:b-adapt=0:keyint=25:scenecut=0:b-pyramid=normal:ref=4"
    noise = np.random.default_rng(0).integers(0, 255, (180, 400, 3), dtype=np.uint8)

    def scrolled(t: float, index: int, width: int, height: int) -> np.ndarray:
        return noise[:height, index % 80 : index % 80 + width]

    path = make_clip(tmp_path / "open.mp4", [Scene(8.0, scrolled)], options={"x264-params": options})
    with open_frame_reader(path) as reader:
        assert isinstance(reader, DecordFrameReader)
        for number in range(40):
            reader.read([number * 2_710_000_000 % 7_500_000_000])
    assert capfd.readouterr() == ("", "")
