"""Looking again at a recording: exact frames at given times, and the sound of a span.

Two readers give the same answer, the frame *shown* at a time (the last one that starts at or before it): decord, which
indexes the file once and reads exact frames at random, and PyAV, which seeks and decodes forward, for what decord
cannot read (AV1, turned pictures, damaged files, other platforms). Knows files only, not live streams.
Costs per frame at 1280x720 with a key frame every 10 s: about 0.1 s cold, less for neighbours.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perception.protocols import SAMPLE_RATE_HZ, ImageRGB, Samples
from perception.sources.audio import sample_index
from perception.sources.bags import is_bag
from perception.sources.container import (
    check_file,
    choose_streams,
    is_network_uri,
    is_stream_uri,
    local_path,
    open_container,
    timeline_of,
)
from perception.sources.reading import StreamReader, probe_audio
from perception.sources.video import prepare_decoder, upright_rgb
from streammem.errors import SourceError
from streammem.settings import SourceSettings
from streammem.types import NS_PER_S

if TYPE_CHECKING:
    from perception.sources.bags.frames import BagFrameReader

logger = logging.getLogger(__name__)

_DECORD_CODECS = frozenset({"h264", "hevc", "vp9", "vp8", "mpeg4", "mpeg2video"})
_DECODE_ON_S = 4.0
"""A time this close ahead is reached by decoding on rather than by seeking."""


def open_frame_reader(uri: str | Path) -> DecordFrameReader | PyAVFrameReader | BagFrameReader:
    """Opens a file for looking again, with decord where it reads it exactly as PyAV would, else with PyAV; robot
    recordings with their own reader.

    Raises:
        SourceError: it is a live stream, cannot be read, or has no pictures.
    """
    if is_bag(local_path(str(uri))):
        from perception.sources.bags.frames import BagFrameReader

        return BagFrameReader(local_path(str(uri)))
    address = _readable(uri)
    reader = PyAVFrameReader(address)
    if reader.suits_decord and not is_network_uri(address):
        try:
            fast = DecordFrameReader(address, origin_ns=reader.origin_ns, first_ns=reader.first_ns)
        except (ImportError, SourceError) as error:
            logger.debug("%s: read with PyAV, not decord (%s)", address, error)
        else:
            reader.close()
            return fast
    return reader


def read_audio(uri: str | Path, t_start_ns: int, t_end_ns: int, *, settings: SourceSettings | None = None) -> Samples:
    """Sound of a span, float32 (N,) mono 16 kHz: the same samples that `Source.stream` gave. Shorter where the
    recording ends, empty where it has no sound.

    Raises:
        SourceError: it is a live stream or cannot be read.
    """
    if is_bag(local_path(str(uri))):
        from perception.sources.bags.frames import read_bag_audio

        return read_bag_audio(local_path(str(uri)), t_start_ns, t_end_ns)
    address = _readable(uri)
    chosen = settings or SourceSettings()
    first, last = sample_index(max(0, t_start_ns)), sample_index(max(0, t_end_ns))
    with open_container(address) as container:
        video, audio = choose_streams(container)
        timeline = timeline_of(container, video, audio)
    if audio is None or last <= first:
        return np.zeros(0, np.float32)
    grid = probe_audio(address, timeline, settings=chosen)[1]
    from_ns = first * (NS_PER_S // SAMPLE_RATE_HZ)
    reader = StreamReader(address, "audio", timeline, settings=chosen, from_ns=from_ns, frame_grid=grid)
    samples = np.zeros(last - first, np.float32)
    filled = 0
    items: Any = iter(reader)
    try:
        for item in items:
            if hasattr(item, "samples"):
                start = item.t_ns // (NS_PER_S // SAMPLE_RATE_HZ) - first
                count = min(len(item.samples), len(samples) - start)
                if count <= 0:
                    break
                samples[start : start + count] = item.samples[:count]
                filled = start + count
                if filled == len(samples):
                    break
    finally:
        items.close()
    return samples[:filled]


class PyAVFrameReader:
    """`FrameReader` that seeks to the key frame before a time and decodes forward."""

    def __init__(self, uri: str) -> None:
        """Raises:
        SourceError: the file cannot be read or has no pictures.
        """
        self._uri = uri
        self._container = open_container(uri)
        video, audio = choose_streams(self._container)
        if video is None:
            self._container.close()
            raise SourceError(f"{uri!r} has no pictures to look at again.")
        self._stream = video
        self._timeline = timeline_of(self._container, video, audio)
        prepare_decoder(video, strict=False)
        self._frames: Any = None
        self._shown: Any = None
        self._next: Any = None
        first = self._restart(None)
        if first is None:
            self._container.close()
            raise SourceError(f"{uri!r} has no picture that can be decoded.")
        self.first_ns: int = self._time(first)
        self.origin_ns = round(self._timeline.origin_s * NS_PER_S)
        self.suits_decord = video.codec_context.name in _DECORD_CODECS and round(first.rotation) % 360 == 0

    def read(self, times_ns: Sequence[int]) -> list[tuple[int, ImageRGB]]:
        """See `FrameReader.read`. A time before the first frame gives the first, one after the last the last.

        Raises:
            SourceError: no picture can be decoded there.
        """
        return [self._read_one(t_ns) for t_ns in sorted(times_ns)]

    def close(self) -> None:
        self._frames = self._shown = self._next = None
        self._container.close()

    def __enter__(self) -> PyAVFrameReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _read_one(self, t_ns: int) -> tuple[int, ImageRGB]:
        t_ns = max(t_ns, self.first_ns)
        shown_ns = self._time(self._shown) if self._shown is not None else None
        if shown_ns is None or not shown_ns <= t_ns <= shown_ns + _DECODE_ON_S * NS_PER_S:
            back_ns = 0
            while True:  # a container without a good index may land behind the time
                found = self._restart(max(0, t_ns - back_ns))
                if found is not None and self._time(found) <= t_ns:
                    break
                if t_ns - back_ns <= 0:
                    found = self._restart(None)
                    break
                back_ns = back_ns * 2 or 2 * NS_PER_S
            if found is None:
                raise SourceError(f"{self._uri!r} has no picture that can be decoded at {t_ns / NS_PER_S:.1f} s.")
        while True:
            if self._next is None:
                self._next = next(self._frames, None)
            if self._next is None or self._time(self._next) > t_ns:
                return self._time(self._shown), upright_rgb(self._shown)
            self._shown, self._next = self._next, None

    def _restart(self, t_ns: int | None) -> Any | None:
        """Seeks to the key frame at or before a time (None: the start) and decodes its first picture."""
        import av
        import av.error

        self._frames = self._shown = self._next = None
        try:
            if t_ns is None:
                self._container.seek(self._container.start_time or 0)
            else:
                self._container.seek(self._timeline.to_pts(t_ns, self._stream.time_base), stream=self._stream)
        except (av.error.FFmpegError, OSError):
            return None
        self._stream.codec_context.flush_buffers()
        self._frames = self._decode()
        self._shown = next(self._frames, None)
        return self._shown

    def _decode(self) -> Any:
        import av
        import av.error

        errors = 0
        packets = self._container.demux(self._stream)
        while errors < 500:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                frames = packet.decode()
            except av.error.EOFError:
                return
            except (av.error.FFmpegError, OSError):
                errors += 1
                packets = self._container.demux(self._stream)
                continue
            for frame in frames:
                if frame.pts is not None:
                    yield frame

    def _time(self, frame: Any) -> int:
        return self._timeline.to_ns(frame.pts, frame.time_base or self._stream.time_base)


class DecordFrameReader:
    """`FrameReader` over decord's index."""

    def __init__(self, uri: str, *, origin_ns: int, first_ns: int) -> None:
        """`first_ns`: time of the first frame as PyAV sees it; decord must agree.

        Raises:
            SourceError: decord cannot read the file, or places its frames elsewhere.
            ImportError: decord is not installed.
        """
        import decord

        # Its FFmpeg prints as an error what a jump into the middle of a stream always lacks (`co located POCs
        # unavailable`). What cannot be decoded is raised as `DECORDError`, whatever is printed.
        decord.logging.set_level(decord.logging.FATAL)
        self._uri = uri
        try:
            self._reader: Any = decord.VideoReader(uri, num_threads=1)
            stamps = np.asarray(self._reader.get_frame_timestamp(range(len(self._reader))), np.float64)
        except (decord.DECORDError, RuntimeError, IndexError) as error:
            raise SourceError(f"decord cannot read {uri!r}.") from error
        # (N, 2) seconds: shown from, shown until
        self._times_ns = np.round(stamps[:, 0] * NS_PER_S).astype(np.int64) - origin_ns
        if len(self._times_ns) == 0 or np.any(np.diff(self._times_ns) <= 0) or abs(self._times_ns[0] - first_ns) > 1e6:
            raise SourceError(f"decord places the frames of {uri!r} elsewhere.")

    def read(self, times_ns: Sequence[int]) -> list[tuple[int, ImageRGB]]:
        """See `FrameReader.read`.

        Raises:
            SourceError: the frames cannot be decoded.
        """
        import decord

        # decord's seconds are single precision: a microsecond's grace finds the frame that starts at the time itself.
        indices = np.searchsorted(self._times_ns, np.sort(np.asarray(times_ns, np.int64)) + 1000, side="right") - 1
        indices = np.clip(indices, 0, len(self._times_ns) - 1)
        if len(indices) == 0:
            return []
        unique, back = np.unique(indices, return_inverse=True)
        try:
            images = self._reader.get_batch(unique.tolist()).asnumpy()
        except (decord.DECORDError, RuntimeError) as error:
            raise SourceError(f"{self._uri!r} cannot be decoded at {min(times_ns) / NS_PER_S:.1f} s.") from error
        return [(int(self._times_ns[unique[place]]), images[place]) for place in back]

    def close(self) -> None:
        self._reader = None

    def __enter__(self) -> DecordFrameReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _readable(uri: str | Path) -> str:
    text = str(uri)
    if is_stream_uri(text) or text.startswith("camera:"):
        raise SourceError(f"{text!r} was live and cannot be looked at again; record it to a file to be able to.")
    if is_network_uri(text):
        return text
    path = local_path(text)
    check_file(path)
    return str(path.resolve())
