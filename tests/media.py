"""Real media for tests, encoded here with PyAV: any codec, hard cuts, moving shapes, sound, faults on purpose.

    make_clip(tmp_path / "a.mp4", [Scene(2.0, solid(200, 30, 30)), Scene(2.0, moving_square())], sound=sine(440))
    make_clip(tmp_path / "b.webm", [Scene(3.0, counter())], codec="libvpx-vp9", frames_per_s=30)
    make_sound(tmp_path / "c.wav", sine(440), duration_s=2.0)
    truncate(path, keep=0.5); corrupt(path, start=0.4, end=0.45)

A picture is a function `(t_s, frame_index, width, height) -> uint8 (height, width, 3) RGB`; a sound is a function
`(sample_times_s) -> float32 (N,)` in [-1, 1]. Both are pure, so a test can compute what it should have got.
Costs about 0.1 s per second of 320x180 H.264.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

Picture = Callable[[float, int, int, int], np.ndarray]
Sound = Callable[[np.ndarray], np.ndarray]

COUNTER_BITS = 12


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture shown for a while; between two scenes there is a hard cut."""

    duration_s: float
    picture: Picture


# --- pictures ---------------------------------------------------------------------------------------------------------


def solid(red: int, green: int, blue: int) -> Picture:
    """One colour."""
    return lambda t, index, width, height: np.full((height, width, 3), (red, green, blue), np.uint8)


def moving_square(
    *,
    colour: tuple[int, int, int] = (230, 60, 40),
    background: tuple[int, int, int] = (40, 70, 110),
    side: float = 0.25,
    period_s: float = 2.0,
) -> Picture:
    """A square (`side` of the height) that goes left to right and back once per `period_s`."""

    def picture(t: float, index: int, width: int, height: int) -> np.ndarray:
        image = np.full((height, width, 3), background, np.uint8)
        edge = max(2, int(side * height))
        phase = (t / period_s) % 1.0
        x = int((1 - abs(2 * phase - 1)) * (width - edge))
        y = (height - edge) // 2
        image[y : y + edge, x : x + edge] = colour
        return image

    return picture


def texture(seed: int, *, cells: int = 8) -> Picture:
    """A still patchwork of random colours: two seeds differ everywhere, as two rooms do."""
    patches = np.random.default_rng(seed).integers(20, 235, (cells, cells, 3), dtype=np.uint8)

    def picture(t: float, index: int, width: int, height: int) -> np.ndarray:
        rows = np.arange(height) * cells // height
        columns = np.arange(width) * cells // width
        return patches[rows][:, columns]

    return picture


def counter() -> Picture:
    """The frame's index as black and white bars (most significant left, top half) and inverted (bottom half), which
    survives any codec and scaling: `read_counter` reads it back."""

    def picture(t: float, index: int, width: int, height: int) -> np.ndarray:
        bars = np.array([(index >> bit) & 1 for bit in reversed(range(COUNTER_BITS))], np.uint8) * 215 + 20
        row = bars[np.arange(width) * COUNTER_BITS // width]
        image = np.empty((height, width, 3), np.uint8)
        image[: height // 2] = row[None, :, None]
        image[height // 2 :] = (255 - row)[None, :, None]
        return image

    return picture


def read_counter(image_rgb: np.ndarray) -> int:
    """The index that `counter` drew, at any size."""
    height, width = image_rgb.shape[:2]
    centres = ((np.arange(COUNTER_BITS) + 0.5) * width / COUNTER_BITS).astype(int)
    top = image_rgb[height // 4, centres].astype(int).mean(axis=-1)
    bottom = image_rgb[3 * height // 4, centres].astype(int).mean(axis=-1)
    return int(sum(int(a > b) << bit for bit, (a, b) in enumerate(zip(top[::-1], bottom[::-1], strict=True))))


# --- sounds -----------------------------------------------------------------------------------------------------------


def sine(frequency_hz: float, *, level: float = 0.4) -> Sound:
    return lambda times: (level * np.sin(2 * np.pi * frequency_hz * times)).astype(np.float32)


def chirp(*, start_hz: float = 200.0, hz_per_s: float = 150.0, level: float = 0.4) -> Sound:
    """Frequency grows with time, so every moment sounds different: shifts show."""
    return lambda times: (level * np.sin(2 * np.pi * (start_hz * times + hz_per_s / 2 * (times % 20.0) ** 2))).astype(
        np.float32
    )


def noise(seed: int = 0, *, level: float = 0.1) -> Sound:
    return lambda times: (
        (level * np.random.default_rng(seed).standard_normal(len(times))).clip(-1, 1).astype(np.float32)
    )


def silence() -> Sound:
    return lambda times: np.zeros(len(times), np.float32)


def samples(values: np.ndarray, *, rate_hz: int) -> Sound:
    """Given samples (float32 in [-1, 1]) from t = 0, silence after them."""

    def sound(times: np.ndarray) -> np.ndarray:
        index = np.round(times * rate_hz).astype(int)
        inside = index < len(values)
        return np.where(inside, values[np.minimum(index, len(values) - 1)], 0).astype(np.float32)

    return sound


def after(start_s: float, sound: Sound, end_s: float = float("inf")) -> Sound:
    """`sound` between two times, silence elsewhere."""
    return lambda times: np.where((times >= start_s) & (times < end_s), sound(times), 0).astype(np.float32)


# --- files ------------------------------------------------------------------------------------------------------------


def make_clip(
    path: Path,
    scenes: Sequence[Scene],
    *,
    frames_per_s: float = 25,
    size: tuple[int, int] = (320, 180),
    codec: str = "libx264",
    key_every: int = 50,
    options: dict[str, str] | None = None,
    frame_times_s: Sequence[float] | None = None,
    rotation: int = 0,
    sound: Sound | None = None,
    audio_codec: str = "aac",
    audio_rate_hz: int = 44_100,
    audio_channels: int = 2,
    audio_offset_s: float = 0.0,
    container_options: dict[str, str] | None = None,
    container_format: str | None = None,
) -> Path:
    """Encodes a clip and returns its path (the suffix picks the container).

    Args:
        size: (width, height) as stored; `rotation` (counter-clockwise degrees) only goes into the container.
        frame_times_s: times of frames for a variable frame rate; default every 1 / `frames_per_s`.
        audio_offset_s: the sound starts this much after the pictures (negative: before).
        codec: libx264, libx265, libvpx-vp9, libsvtav1 (height a multiple of 8) ...;
            audio_codec: aac, libmp3lame, libopus, flac ...
    """
    import av

    total_s = sum(scene.duration_s for scene in scenes)
    times = (
        list(frame_times_s)
        if frame_times_s is not None
        else [index / frames_per_s for index in range(round(total_s * frames_per_s))]
    )
    width, height = size
    keywords: dict[str, Any] = {"options": container_options or {}}
    if container_format is not None:
        keywords["format"] = container_format
    with av.open(str(path), "w", **keywords) as container:
        chosen: dict[str, str] = dict(_FAST.get(codec, {})) | (options or {})
        video: Any = container.add_stream(codec, rate=Fraction(frames_per_s).limit_denominator(1001), options=chosen)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.gop_size = key_every
        video.codec_context.time_base = Fraction(1, 90_000)
        video.codec_context.thread_count = 1
        if rotation:
            video.set_display_rotation(rotation)
        audio: Any = _add_audio(container, audio_codec, audio_rate_hz, audio_channels) if sound else None
        written_s = 0.0
        for index, t in enumerate(times):
            while audio is not None and sound is not None and written_s <= t + 0.1 and written_s < total_s:
                written_s = _encode_sound(container, audio, sound, written_s, total_s, audio_offset_s)
            image = _picture_at(scenes, t)(t, index, width, height)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round((t - min(audio_offset_s, 0.0)) * 90_000), Fraction(1, 90_000)
            container.mux(video.encode(frame))
        while audio is not None and sound is not None and written_s < total_s:
            written_s = _encode_sound(container, audio, sound, written_s, total_s, audio_offset_s)
        container.mux(video.encode(None))
        if audio is not None:
            container.mux(audio.encode(None))
    if codec == "libsvtav1":
        _leave_real_time()
    return path


def _leave_real_time() -> None:
    """SVT-AV1 makes threads of a privileged process real-time, and its caller stays so: whatever spins later in that
    process then starves the machine."""
    if sys.platform.startswith("linux"):
        for thread in Path("/proc/self/task").iterdir():
            with contextlib.suppress(OSError):  # it has just ended
                os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))


def make_sound(
    path: Path,
    sound: Sound,
    *,
    duration_s: float,
    codec: str = "pcm_s16le",
    rate_hz: int = 16_000,
    channels: int = 1,
) -> Path:
    """An audio-only file (wav, mp3, m4a, ogg, flac by suffix and codec)."""
    import av

    with av.open(str(path), "w") as container:
        stream = _add_audio(container, codec, rate_hz, channels)
        written_s = 0.0
        while written_s < duration_s:
            written_s = _encode_sound(container, stream, sound, written_s, duration_s, 0.0)
        container.mux(stream.encode(None))
    return path


def truncate(path: Path, *, keep: float) -> Path:
    """Keeps the first share of the bytes. Of an mp4 without `movflags=faststart` that loses the index (moov)."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


def corrupt(path: Path, *, start: float, end: float, seed: int = 0) -> Path:
    """Overwrites a span of the bytes, given as shares of the file, with random ones."""
    data = bytearray(path.read_bytes())
    first, last = int(len(data) * start), int(len(data) * end)
    data[first:last] = np.random.default_rng(seed).integers(0, 256, last - first, dtype=np.uint8).tobytes()
    path.write_bytes(bytes(data))
    return path


_FAST: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast", "crf": "20"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=1:frame-threads=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b": "0"},
    "libsvtav1": {"preset": "10", "crf": "15", "svtav1-params": "lp=1"},
}
"""Quick settings; what is tested is the decoding."""

_CHUNK = 1024


def _picture_at(scenes: Sequence[Scene], t: float) -> Picture:
    end = 0.0
    for scene in scenes:
        end += scene.duration_s
        if t < end - 1e-9:
            return scene.picture
    return scenes[-1].picture


def _add_audio(container: Any, codec: str, rate_hz: int, channels: int) -> Any:
    stream = container.add_stream(codec, rate=rate_hz)
    stream.codec_context.layout = "mono" if channels == 1 else "stereo"
    stream.codec_context.time_base = Fraction(1, rate_hz)
    return stream


def _encode_sound(
    container: Any, stream: Any, sound: Sound, written_s: float, total_s: float, offset_s: float
) -> float:
    """Encodes the next chunk and returns the time up to which sound is written."""
    import av

    rate = stream.codec_context.sample_rate
    first = round(written_s * rate)
    count = min(stream.codec_context.frame_size or _CHUNK, round(total_s * rate) - first)
    if count <= 0:
        return total_s
    values = sound((first + np.arange(count)) / rate).clip(-1, 1)
    channels = len(stream.codec_context.layout.channels)
    frame = av.AudioFrame.from_ndarray(
        np.repeat((values * 32_767).astype(np.int16)[:, None], channels, axis=1).reshape(1, -1),
        format="s16",
        layout="mono" if channels == 1 else "stereo",
    )
    frame.sample_rate = rate
    frame.pts, frame.time_base = first + round(max(offset_s, 0.0) * rate), Fraction(1, rate)
    container.mux(stream.encode(frame))
    return (first + count) / rate
