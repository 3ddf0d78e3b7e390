"""Pictures of a video on the sampling grid: linear decoding forward, upright, small, and at full size on demand.

Knows one video stream and the grid `k / sample_fps`; knows no sound and no threads. Only pictures on the grid are
converted; the others are decoded because later ones refer to them, or left out where nothing does (`packets.py`).
Costs, measured on one core for H.264 1280x720 at 24 frames/s: about 1/35 of real time, of which conversion to 320x180
takes 0.5 ms a picture (swscale AREA from YUV; through full-size RGB and OpenCV 2.6 ms); `original()` takes 3-6 ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from perception.protocols import ImageRGB, VideoFrame
from perception.sources.container import Timeline
from perception.sources.damage import DamageGuard
from perception.sources.packets import PacketChooser
from streammem.types import NS_PER_S, Gap

_MANY_PIXELS = 1280 * 800
"""Above this one core decodes too slowly to feed the models; two frame threads then share the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameOriginal:
    """A decoded picture, converted to full size when called. Holds the decoder's buffer (1.5 bytes per pixel)."""

    frame: Any

    def __call__(self) -> ImageRGB:
        """uint8 (H, W, 3) RGB, upright."""
        return upright_rgb(self.frame)


def upright_rgb(frame: Any) -> ImageRGB:
    """A decoded picture at full size, turned as its container says. uint8 (H, W, 3) RGB."""
    return _turn(frame.to_ndarray(format="rgb24"), frame.rotation)


def small_rgb(frame: Any, reformatter: Any, *, height: int) -> ImageRGB:
    """A decoded picture at most `height` high, upright, aspect kept, never enlarged. uint8 (h, w, 3) RGB."""
    sideways = round(frame.rotation / 90) % 2 == 1
    scale = min(1.0, height / (frame.width if sideways else frame.height))
    small = reformatter.reformat(
        frame,
        width=max(2, round(frame.width * scale)),
        height=max(2, round(frame.height * scale)),
        format="rgb24",
        interpolation="AREA",
        threads=1,
    )
    return _turn(small.to_ndarray(), frame.rotation)


def _turn(image: ImageRGB, rotation: float) -> ImageRGB:
    quarters = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image


def prepare_decoder(stream: Any, *, strict: bool) -> None:
    """Sets threads, and (`strict`) makes damaged pictures errors where the decoder would invent something."""
    context = stream.codec_context
    many = context.width * context.height > _MANY_PIXELS
    context.thread_type = "FRAME" if many else "NONE"
    context.thread_count = 2 if many else 1
    if strict and context.name in {"h264", "hevc"}:
        context.options = {"err_detect": "explode"}


class VideoSampler:
    """Turns the packets of one video stream into `VideoFrame` and `Gap`.

    After a picture that cannot be decoded everything up to the next key frame is left out, since it refers to what is
    missing; the hole is reported as one gap."""

    def __init__(
        self, stream: Any, timeline: Timeline, *, sample_fps: float, height: int, from_ns: int = 0, where: str = ""
    ) -> None:
        from av.video.reformatter import VideoReformatter

        self._stream = stream
        self._timeline = timeline
        self._period_ns = NS_PER_S / sample_fps
        self._height = height
        self._from_ns = from_ns
        self._reformatter = VideoReformatter()
        context = stream.codec_context
        self._chooser = PacketChooser(codec=context.name, extradata=context.extradata)
        self._next_tick = self._tick_at_or_after(from_ns)
        self._damaged = False
        self._last_good_ns: int | None = None
        self._last_pts_ns = -1
        self._guard = DamageGuard(
            where=where, told="{where}: a picture near {at:.1f} s cannot be decoded; skipping to the next key frame"
        )
        self.position_ns = from_ns
        """Time of the newest picture seen."""

    @property
    def ends_damaged(self) -> bool:
        """Whether the newest pictures could not be decoded whole: the stream was cut off in them."""
        return self._damaged

    def push(self, packet: Any) -> Iterator[VideoFrame | Gap]:
        """Decodes one packet (None drains the decoder)."""
        if packet is not None and packet.size and packet.pts is not None and not packet.is_corrupt:
            t_ns = self._timeline.to_ns(packet.pts, packet.time_base)
            if not self._chooser.needed(memoryview(packet), tick=int(t_ns // self._period_ns)):
                return
        frames = self._guard.decode(self._stream.codec_context.decode, packet, at_ns=self.position_ns)
        if frames is None:
            self._damaged = True
            return
        for frame in frames:
            yield from self._take(frame)

    def damage(self, error: Exception) -> None:
        """Tells that packets were lost: pictures count again from the next key frame."""
        self._guard.count(error, at_ns=self.position_ns)
        self._damaged = True

    def end(self, end_ns: int | None = None) -> Iterator[VideoFrame | Gap]:
        """What the decoder still holds, and the gap if the end was damaged."""
        yield from self.push(None)
        if self._damaged and self._last_good_ns is not None:
            yield from self._gap_until(max(end_ns or 0, self.position_ns))

    def _take(self, frame: Any) -> Iterator[VideoFrame | Gap]:
        if frame.pts is None:
            return
        t_ns = self._timeline.to_ns(frame.pts, frame.time_base or self._stream.time_base)
        self.position_ns = max(self.position_ns, t_ns)
        if frame.is_corrupt and not frame.key_frame:
            self._damaged = True
            return
        if self._damaged:
            if not frame.key_frame:
                return
            yield from self._gap_until(t_ns)
            self._damaged = False
        if t_ns <= self._last_pts_ns:
            return  # times must grow: a picture shown before the one just given is of no use
        self._last_pts_ns = t_ns
        self._last_good_ns = t_ns
        if t_ns < self._from_ns or t_ns < self._tick_ns(self._next_tick):
            return
        self._next_tick = int(t_ns // self._period_ns) + 1
        while self._tick_ns(self._next_tick) <= t_ns:
            self._next_tick += 1
        yield VideoFrame(
            t_ns=t_ns,
            image_rgb=small_rgb(frame, self._reformatter, height=self._height),
            original=FrameOriginal(frame=frame),
        )

    def _gap_until(self, t_ns: int) -> Iterator[Gap]:
        start = max(self._last_good_ns if self._last_good_ns is not None else 0, self._from_ns)
        # A hole shorter than a tick costs no sampled picture.
        if t_ns - start > self._period_ns:
            yield Gap(t_start_ns=start, t_end_ns=t_ns, reason="the pictures could not be decoded")

    def _tick_ns(self, index: int) -> int:
        return round(index * self._period_ns)

    def _tick_at_or_after(self, t_ns: int) -> int:
        index = int(t_ns // self._period_ns)
        while self._tick_ns(index) < t_ns:
            index += 1
        return index
