"""Live streams: cameras, RTSP, HTTP, UDP, TCP, pipes. What cannot be read again, and does not wait.

Policy: when perception is too slow the oldest *picture* in the queue is dropped and counted in `dropped`; sound is kept
(see `bounded_queue.py`). A stream that falls silent for `read_timeout_s`, fails, or vanishes yields what was seen, a
`Gap` from the last of it to the moment the loss was noticed, and raises `SourceBrokenError`; one that ends in order
just ends. Times come from the stream's own timestamps; a camera has none and is timed by the monotonic clock. Pictures
wait at most `_HOLD_S` for sound of the same time. Nothing reconnects: the same command again is another recording, and
the wall-clock starts of the two say how long nobody watched.

What tells an end in order from a sender that vanished, and what is reported where nothing does:

    RTSP              the server says BYE and stays for the farewell; a closed connection without it is broken off
    HTTP, chunked     the last chunk; without it the transfer is an end in order unless it stops inside a packet
    HTTP, no length   nothing: closing is all there is, and for a live stream it counts as broken off
    TCP, pipe         nothing, a crash closes them too: an end in order, unless it stops inside a packet of sound or a
                      picture (MPEG-TS, FLV and fragmented MP4 tell for most; Matroska leaves a cut block out unsaid)
    TCP, any          a reset connection is broken off
    UDP, RTP, SRT     have no end: silence is broken off
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from perception.protocols import ImageRGB, SourceInfo, SourceItem, VideoFrame
from perception.sources.audio import AudioSampler
from perception.sources.bounded_queue import BoundedQueue, Worker
from perception.sources.container import choose_streams, open_container, timeline_of, without_password
from perception.sources.fingerprint import fingerprint_uri
from perception.sources.merge import ReorderBuffer
from perception.sources.video import VideoSampler, prepare_decoder
from streammem.errors import SourceBrokenError, SourceError
from streammem.settings import SourceSettings
from streammem.timeline import format_offset
from streammem.types import NS_PER_S, Gap

logger = logging.getLogger(__name__)

_HOLD_S = 1.0
_HELD_S = 0.1
"""After waiting in vain demuxers give out what they held back, at once: nothing was heard then."""
_QUEUE_BYTES = 128 * 1024 * 1024
_ERRORS_IN_A_ROW = 50


class LiveSource:
    """`Source` that can be streamed once. Opened by `open_live_stream` or `open_camera`."""

    def __init__(
        self,
        info: SourceInfo,
        produce: Callable[[BoundedQueue], None],
        release: Callable[[], None],
        *,
        settings: SourceSettings,
    ) -> None:
        self._info = info
        self._produce = produce
        self._release = release
        self._settings = settings
        self._worker: Worker | None = None
        self._closed = False

    @property
    def info(self) -> SourceInfo:
        return self._info

    @property
    def dropped(self) -> int:
        return self._worker.queue.dropped if self._worker is not None else 0

    def stream(self, *, from_ns: int = 0) -> Iterator[SourceItem]:
        """See `Source.stream`. What comes before `from_ns` is read and left out.

        Raises:
            SourceError: it was streamed before: what passed cannot be read again.
        """
        if self._worker is not None or self._closed:
            raise SourceError(f"{self._info.uri!r} is live and cannot be read a second time; open it again.")
        items = self._settings.queue_items
        if self._info.width and self._info.height:
            items = max(4, min(items, _QUEUE_BYTES // (self._info.width * self._info.height * 3 // 2)))
        self._worker = Worker(self._produce, items=items, drop=True, name="streammem-live")
        try:
            for item in self._worker.queue:
                if _start_ns(item) >= from_ns:
                    yield item
        finally:
            self.close()

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close(timeout_s=self._settings.read_timeout_s + 1)
        elif not self._closed:
            self._release()
        self._closed = True

    def __enter__(self) -> LiveSource:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _start_ns(item: SourceItem) -> int:
    return item.t_start_ns if not hasattr(item, "t_ns") else item.t_ns  # type: ignore[union-attr]


def open_live_stream(uri: str, *, settings: SourceSettings, recording: str, container: Any | None = None) -> LiveSource:
    """Opens an address with PyAV.

    Raises:
        SourceError: it does not answer in time, or sends neither pictures nor sound.
    """
    opened = container or open_container(
        uri, open_timeout_s=settings.open_timeout_s, read_timeout_s=settings.read_timeout_s, low_delay=True
    )
    video, audio = choose_streams(opened)
    if video is None and audio is None:
        opened.close()
        raise SourceError(
            f"{without_password(uri)!r} sends neither pictures nor sound that can be decoded; check the sender."
        )
    info = SourceInfo(
        recording=recording,
        uri=without_password(uri),
        fingerprint=fingerprint_uri(without_password(uri), is_live=True),
        has_video=video is not None,
        has_audio=audio is not None,
        has_captions=False,
        is_live=True,
        width=video.codec_context.width if video is not None else None,
        height=video.codec_context.height if video is not None else None,
    )
    return LiveSource(
        info,
        lambda queue: _read_stream(opened, uri, queue, settings=settings),
        opened.close,
        settings=settings,
    )


def _read_stream(container: Any, uri: str, queue: BoundedQueue, *, settings: SourceSettings) -> None:
    import av
    import av.error

    shown_uri = without_password(uri)
    with container:
        video, audio = choose_streams(container)
        timeline = timeline_of(container, video, audio)
        samplers: dict[int, VideoSampler | AudioSampler] = {}
        if video is not None:
            # Not strict: a lost packet must not cost a group of pictures, and the sender may never repeat it.
            prepare_decoder(video, strict=False)
            samplers[video.index] = VideoSampler(
                video, timeline, sample_fps=settings.sample_fps, height=settings.analysis_height, where=shown_uri
            )
        if audio is not None:
            samplers[audio.index] = AudioSampler(audio, timeline, where=shown_uri)
        buffer = ReorderBuffer(hold_ns=round(_HOLD_S * NS_PER_S))
        broken: Exception | None = None
        errors = 0
        heard_s, held_until_s = time.monotonic(), 0.0
        streams = [stream for stream in (video, audio) if stream is not None]
        packets = container.demux(streams)
        while not queue.stopped.is_set():
            asked_s = time.monotonic()
            try:
                packet = next(packets, None)
            except (av.error.EOFError, StopIteration):
                break
            except (av.error.ExitError, av.error.TimeoutError, ConnectionError, OSError) as error:
                broken = error
                break
            except av.error.FFmpegError as error:
                errors += 1
                for sampler in samplers.values():
                    sampler.damage(error)
                if errors > _ERRORS_IN_A_ROW:
                    broken = error
                    break
                packets = container.demux(streams)
                continue
            if packet is None:
                break
            errors = 0
            if packet.size == 0:
                continue
            now_s = time.monotonic()
            if now_s - asked_s >= settings.read_timeout_s:
                held_until_s = now_s + _HELD_S
            if now_s > held_until_s:
                heard_s = now_s
            for item in samplers[packet.stream_index].push(packet):
                buffer.add(item)
            for item in buffer.ready(sampler.position_ns for sampler in samplers.values()):
                if not queue.put(item):
                    return
        silent_s = time.monotonic() - heard_s
        for sampler in samplers.values():
            for item in sampler.end():
                buffer.add(item)
        for item in buffer.rest():
            queue.put(item)
        if queue.stopped.is_set():
            return
        if broken is not None or _is_cut(container, shown_uri, samplers.values()):
            end_ns = max(sampler.position_ns for sampler in samplers.values())
            _break_off(queue, shown_uri, end_ns, silent_s=silent_s, settings=settings, cause=broken)


def _is_cut(container: Any, uri: str, samplers: Iterable[VideoSampler | AudioSampler]) -> bool:
    """Whether a stream that has ended was cut off, as far as its protocol and its packets tell."""
    import av.error

    if uri.startswith("rtsp"):
        # FFmpeg reports BYE and a closed connection alike. A server that said BYE still takes orders (RFC 2326: the
        # session lasts until TEARDOWN); to one that is gone none can be sent.
        try:
            container.seek(0)
        except (av.error.FFmpegError, OSError):
            return True
        return False
    return any(sampler.ends_damaged for sampler in samplers)


def _break_off(
    queue: BoundedQueue,
    uri: str,
    end_ns: int,
    *,
    silent_s: float,
    settings: SourceSettings,
    cause: Exception | None,
) -> None:
    """The gap lasts as long as was waited in vain, at least until the next picture would have come."""
    missing_ns = round(max(silent_s, 1 / settings.sample_fps) * NS_PER_S)
    queue.put(Gap(t_start_ns=end_ns, t_end_ns=end_ns + missing_ns, reason="the stream broke off"))
    raise SourceBrokenError(
        f"{uri!r} broke off after {format_offset(end_ns)}; what was seen is kept, start it again to go on."
    ) from cause


def open_camera(index: int, *, settings: SourceSettings, recording: str) -> LiveSource:
    """Opens a webcam by its number, through OpenCV.

    Raises:
        SourceError: there is no such camera, or it gives no picture.
    """
    import cv2

    logs: Any = getattr(cv2, "utils", None)
    logs = getattr(logs, "logging", None)
    level = logs.getLogLevel() if logs is not None else None
    if logs is not None:
        logs.setLogLevel(0)  # its own lines about missing devices would stand beside our sentence
    try:
        capture = cv2.VideoCapture(index)
        good, first = capture.read() if capture.isOpened() else (False, None)
    finally:
        if logs is not None:
            logs.setLogLevel(level)
    if not good or first is None:
        capture.release()
        raise SourceError(f"There is no camera {index}; plug one in, or name another number, file or address.")
    info = SourceInfo(
        recording=recording,
        uri=f"camera:{index}",
        fingerprint=fingerprint_uri(f"camera:{index}", is_live=True),
        has_video=True,
        has_audio=False,
        has_captions=False,
        is_live=True,
        width=first.shape[1],
        height=first.shape[0],
    )
    return LiveSource(
        info, lambda queue: _read_camera(capture, index, queue, settings=settings), capture.release, settings=settings
    )


def _read_camera(capture: Any, index: int, queue: BoundedQueue, *, settings: SourceSettings) -> None:
    period_ns = NS_PER_S / settings.sample_fps
    started = time.monotonic_ns()
    next_tick = 0
    last_ns = 0
    try:
        while not queue.stopped.is_set():
            if not capture.grab():
                silent_s = (time.monotonic_ns() - started - last_ns) / NS_PER_S
                _break_off(queue, f"camera:{index}", last_ns, silent_s=silent_s, settings=settings, cause=None)
            t_ns = time.monotonic_ns() - started
            if t_ns < next_tick * period_ns:
                continue
            good, image_bgr = capture.retrieve()
            if not good:
                continue
            last_ns, next_tick = t_ns, int(t_ns // period_ns) + 1
            queue.put(camera_frame(t_ns, image_bgr, height=settings.analysis_height))
    finally:
        capture.release()


def camera_frame(t_ns: int, image_bgr: ImageRGB, *, height: int) -> VideoFrame:
    """A frame from OpenCV's picture, uint8 (H, W, 3) BGR."""
    import cv2

    image_rgb: ImageRGB = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)  # type: ignore[assignment]
    scale = min(1.0, height / image_rgb.shape[0])
    size = (max(2, round(image_rgb.shape[1] * scale)), max(2, round(image_rgb.shape[0] * scale)))
    small: ImageRGB = cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return VideoFrame(t_ns=t_ns, image_rgb=small, original=lambda: image_rgb)
