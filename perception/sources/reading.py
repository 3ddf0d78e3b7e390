"""Reads one stream of a file forward, from anywhere: seeking to a safe place, skipping damage, packet by packet.

Sound and pictures of a file are read through two containers, so however the file interleaves them neither waits for the
other and nothing piles up. Knows PyAV; knows neither the sampling grid nor threads.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from perception.protocols import SourceItem
from perception.sources.audio import PREROLL_S, AudioSampler
from perception.sources.container import Timeline, choose_streams, open_container
from perception.sources.video import VideoSampler, prepare_decoder
from streammem.errors import SourceBrokenError, SourceError
from streammem.settings import SourceSettings
from streammem.types import NS_PER_S

logger = logging.getLogger(__name__)

_VIDEO_PREROLL_S = 1.0
"""Pictures that open a group may be shown before its key frame; a second covers every reorder depth."""
_NO_INDEX = frozenset({"mp3", "aac", "ac3", "flac", "h264", "hevc", "mpegvideo"})
"""Containers where a seek guesses the time from the bit rate; they are read from the start instead."""
_ERRORS_IN_A_ROW = 500
"""Reads that fail one after another before the rest of the file counts as lost."""
_KEY_SEARCH_PACKETS = 400
"""A stream without a marked key frame in as many packets marks none; then all are decoded."""


class StreamReader:
    """Yields the items of one stream of a file, and remembers how far it came and why it stopped."""

    def __init__(
        self,
        uri: str,
        kind: Literal["video", "audio"],
        timeline: Timeline,
        *,
        settings: SourceSettings,
        from_ns: int,
        frame_grid: tuple[int, int] | None = None,
    ) -> None:
        self._uri = uri
        self._kind: Literal["video", "audio"] = kind
        self._timeline = timeline
        self._settings = settings
        self._from_ns = from_ns
        self._frame_grid = frame_grid
        self.position_ns = from_ns
        self.broken: Exception | None = None

    def __iter__(self) -> Iterator[SourceItem]:
        try:
            container = open_container(
                self._uri,
                open_timeout_s=self._settings.open_timeout_s,
                read_timeout_s=self._settings.read_timeout_s,
            )
        except SourceError as error:
            self.broken = error
            return
        with container:
            video, audio = choose_streams(container)
            stream = video if self._kind == "video" else audio
            if stream is None:
                self.broken = SourceBrokenError(f"{self._uri!r} changed while it was read; ingest it again.")
                return
            for other in container.streams:
                if other.index != stream.index:
                    _discard(other)
            sampler = self._sampler(stream)
            for packet in self._packets(container, stream, sampler):
                yield from sampler.push(packet)
                self.position_ns = max(self.position_ns, sampler.position_ns)
            yield from sampler.end()
            self.position_ns = max(self.position_ns, sampler.position_ns)

    def _sampler(self, stream: Any) -> VideoSampler | AudioSampler:
        where = Path(self._uri).name
        if self._kind == "video":
            prepare_decoder(stream, strict=True)
            return VideoSampler(
                stream,
                self._timeline,
                sample_fps=self._settings.sample_fps,
                height=self._settings.analysis_height,
                from_ns=self._from_ns,
                where=where,
            )
        sampler = AudioSampler(stream, self._timeline, from_ns=self._from_ns, where=where)
        if self._frame_grid is not None:
            sampler.set_frame_grid(*self._frame_grid)
        return sampler

    def _packets(self, container: Any, stream: Any, sampler: VideoSampler | AudioSampler) -> Iterator[Any]:
        import av
        import av.error

        packets = container.demux(stream)
        if self._from_ns > 0 and container.format.name not in _NO_INDEX:
            packets = self._packets_from(container, stream)
        elif self._kind == "video":
            packets = _from_key_frame(packets)
        errors = 0
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.EOFError, av.error.ExitError) as error:
                self.broken = error
                return
            except (av.error.FFmpegError, OSError) as error:
                errors += 1
                sampler.damage(error)
                if errors > _ERRORS_IN_A_ROW:
                    self.broken = error
                    return
                packets = container.demux(stream)
                continue
            errors = 0
            if packet.size:
                yield packet

    def _packets_from(self, container: Any, stream: Any) -> Iterator[Any]:
        """Packets from a key frame far enough before `from_ns` that the decoder has settled there."""
        import av
        import av.error

        margin_s = _VIDEO_PREROLL_S if self._kind == "video" else PREROLL_S
        margin_s = max(margin_s, 2 / self._settings.sample_fps)
        target_ns = self._from_ns - round(margin_s * NS_PER_S)
        back_ns = 0
        while target_ns - back_ns > 0:
            try:
                container.seek(self._timeline.to_pts(target_ns - back_ns, stream.time_base), stream=stream)
                packets = container.demux(stream)
                if self._kind == "video":
                    packets = _from_key_frame(packets)
                first = next((packet for packet in packets if packet.size and packet.pts is not None), None)
            except (av.error.FFmpegError, OSError):
                logger.debug("%s: seek to %d failed, trying earlier", self._uri, target_ns - back_ns)
                first = packets = None
            if (
                first is not None
                and packets is not None
                and self._timeline.to_ns(first.pts, first.time_base) <= target_ns
            ):
                yield first
                yield from packets
                return
            back_ns = back_ns * 2 or 5 * NS_PER_S
        # Nothing before the target, or no index: from the start.
        container.seek(0) if container.start_time is None else container.seek(container.start_time)
        packets = container.demux(stream)
        yield from _from_key_frame(packets) if self._kind == "video" else packets


def _from_key_frame(packets: Iterator[Any]) -> Iterator[Any]:
    """Leaves out what comes before the first key frame."""
    early: list[Any] = []
    for packet in packets:
        if not packet.size:
            continue
        if packet.is_keyframe:
            early.clear()
            yield packet
            break
        early.append(packet)
        if len(early) >= _KEY_SEARCH_PACKETS:
            break
    yield from early
    yield from packets


def _discard(stream: Any) -> None:
    """Tells the demuxer not to deliver a stream."""
    import av.stream

    stream.discard = av.stream.Discard.all


def probe_audio(uri: str, timeline: Timeline, *, settings: SourceSettings) -> tuple[bool, tuple[int, int] | None]:
    """Whether sound can be decoded, and the grid of its frames if it has one (see `AudioSampler.set_frame_grid`)."""
    import av
    import av.error

    starts: list[int] = []
    lengths: list[int] = []
    with open_container(
        uri, open_timeout_s=settings.open_timeout_s, read_timeout_s=settings.read_timeout_s
    ) as container:
        stream = choose_streams(container)[1]
        if stream is None:
            return False, None
        for other in container.streams:
            if other.index != stream.index:
                _discard(other)
        failures = 0
        try:
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.error.FFmpegError:
                    failures += 1
                    if failures > _ERRORS_IN_A_ROW:
                        break
                    continue
                for frame in frames:
                    if frame.pts is not None and frame.samples:
                        t_ns = timeline.to_ns(frame.pts, frame.time_base or stream.time_base)
                        starts.append(round(t_ns * frame.sample_rate / NS_PER_S))
                        lengths.append(frame.samples)
                if len(lengths) >= 3:
                    break
        except (av.error.FFmpegError, OSError):
            logger.debug("%s: sound cannot be probed to its third frame", uri)
    if len(lengths) < 3 or lengths[1] != lengths[2]:
        return bool(lengths), None
    return True, (starts[0] + lengths[0], lengths[1])


def probe_video(uri: str, *, settings: SourceSettings) -> tuple[int, int] | None:
    """Upright width and height of the first picture that can be decoded; None if there is none."""
    import av
    import av.error

    with open_container(
        uri, open_timeout_s=settings.open_timeout_s, read_timeout_s=settings.read_timeout_s
    ) as container:
        stream = choose_streams(container)[0]
        if stream is None:
            return None
        prepare_decoder(stream, strict=False)
        failures = 0
        packets = container.demux(stream)
        while failures <= _ERRORS_IN_A_ROW:
            try:
                packet = next(packets, None)
                if packet is None:
                    return None
                frames = packet.decode()
            except av.error.EOFError:
                return None
            except (av.error.FFmpegError, OSError):
                failures += 1
                packets = container.demux(stream)
                continue
            for frame in frames:
                sideways = round(frame.rotation / 90) % 2 == 1
                return (frame.height, frame.width) if sideways else (frame.width, frame.height)
    return None
