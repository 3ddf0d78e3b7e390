"""Hours of video from pieces of other videos: every source is encoded once, pieces are then joined by copying packets.

`normalise` brings any video to one form (640x360 at 25 frames/s, H.264 without B frames, a key frame every 2 s, mono
AAC, silence where there is no sound); `join` writes pieces of such files one after another, which start and end on key
frames. So ten hours from ten minutes of material cost the encoding of ten minutes, and a copy. Memory is that of a few
frames. Knows no needles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

from streammem.errors import SourceError

WIDTH, HEIGHT = 640, 360
FRAMES_PER_S = 25
KEY_EVERY_S = 2
"""Pieces start and end on this grid."""
AUDIO_HZ = 44_100
_X264 = {"preset": "veryfast", "crf": "26", "bf": "0", "sc_threshold": "0", "forced-idr": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a normalised file, on its key frames."""

    path: Path
    start_s: int
    end_s: int


def normalise(source: Path, target: Path, *, start_s: float = 0.0, end_s: float | None = None) -> float:
    """Encodes (a span of) a video into the form that `join` takes; returns its length in seconds, a multiple of 2.

    The last, incomplete 2 s are dropped.

    Raises:
        SourceError: the file has no pictures, cannot be read, or the span is shorter than 2 s.
    """
    from streammem.app.evaluation.splice_frames import even_frames, mono_sound

    av = _av()
    partial = target.with_suffix(".partial.mp4")
    try:
        with av.open(str(source)) as probe:
            if not probe.streams.video:
                raise SourceError(f"{str(source)!r} has no pictures; give videos.")
            has_sound = bool(probe.streams.audio)
        with av.open(str(partial), "w") as container:
            video: Any = container.add_stream("libx264", rate=FRAMES_PER_S, options=_X264)
            video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            video.codec_context.gop_size = FRAMES_PER_S * KEY_EVERY_S
            video.codec_context.thread_count = 2
            audio: Any = container.add_stream("aac", rate=AUDIO_HZ)
            audio.codec_context.layout = "mono"
            count = 0
            sound = mono_sound(source if has_sound else None, start_s=start_s, rate_hz=AUDIO_HZ)
            for frame in even_frames(source, start_s=start_s, end_s=end_s, size=(WIDTH, HEIGHT), rate=FRAMES_PER_S):
                frame.pts, frame.time_base = count, Fraction(1, FRAMES_PER_S)
                container.mux(video.encode(frame))
                count += 1
                for piece in sound.until(count / FRAMES_PER_S):
                    container.mux(audio.encode(piece))
            container.mux(video.encode(None))
            container.mux(audio.encode(None))
    except (OSError, av.error.FFmpegError) as error:
        partial.unlink(missing_ok=True)
        raise SourceError(f"{str(source)!r} cannot be made into a needle test: {error}.") from error
    length_s = count // (FRAMES_PER_S * KEY_EVERY_S) * KEY_EVERY_S
    if length_s < KEY_EVERY_S:
        partial.unlink(missing_ok=True)
        raise SourceError(f"{str(source)!r} is shorter than {KEY_EVERY_S} s; give longer videos.")
    partial.replace(target)
    return float(length_s)


def join(pieces: Iterable[Piece], target: Path) -> Iterator[float]:
    """Writes the pieces one after another by copying; yields how many seconds are written after each.

    The file appears under its name only when it is whole.

    Raises:
        SourceError: it cannot be written.
    """
    av = _av()
    partial = target.with_suffix(".partial.mp4")
    at_s = 0.0
    streams: dict[str, Any] = {}
    try:
        with av.open(str(partial), "w") as container:
            for piece in pieces:
                with av.open(str(piece.path)) as source:
                    if not streams:
                        for kind in ("video", "audio"):
                            streams[kind] = container.add_stream_from_template(getattr(source.streams, kind)[0])
                    for packet in _packets(source, piece):
                        shift_s = Fraction(at_s) - piece.start_s
                        shift = round(shift_s / packet.time_base)
                        packet.pts += shift
                        packet.dts = packet.pts
                        packet.stream = streams[packet.stream.type]
                        container.mux(packet)
                at_s += piece.end_s - piece.start_s
                yield at_s
    except (OSError, av.error.FFmpegError) as error:
        partial.unlink(missing_ok=True)
        raise SourceError(f"{str(target)!r} cannot be written: {error}.") from error
    partial.replace(target)


def _av() -> Any:
    """PyAV, whose types are partly unknown."""
    return import_module("av")


def _packets(source: Any, piece: Piece) -> Iterator[Any]:
    """Packets of the piece in the file's order; pictures wait for its first key frame, sound for its start."""
    video = source.streams.video[0]
    if piece.start_s:
        source.seek(round(piece.start_s / video.time_base), stream=video)
    ended: set[str] = set()
    for packet in source.demux():
        if packet.pts is None or packet.size == 0:
            continue
        at_s = packet.pts * packet.time_base
        if at_s < piece.start_s:
            continue
        if at_s >= piece.end_s:
            ended.add(packet.stream.type)
            if len(ended) == 2:
                return
            continue
        yield packet
