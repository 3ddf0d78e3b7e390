"""Decoded pictures at an even rate and size, and sound as an even stream of samples: what `splice.normalise` encodes.

Streams: one frame and one block of samples are held at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

_BLOCK = 1024
"""Samples per AAC frame."""


def even_frames(
    source: Path, *, start_s: float, end_s: float | None, size: tuple[int, int], rate: int
) -> Iterator[Any]:
    """Frames at `rate` per second from `start_s`: of each moment the newest picture, fitted into `size` on black."""
    import av

    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        origin_s = float((stream.start_time or 0) * (stream.time_base or 0))
        if start_s > 0 and stream.time_base:
            container.seek(int((start_s + origin_s) / stream.time_base), stream=stream)
        made = 0
        newest: Any = None
        for frame in container.decode(stream):
            at_s = float(frame.time or 0.0) - origin_s - start_s
            while newest is not None and made / rate < at_s - 1e-6:
                if end_s is not None and made / rate >= end_s - start_s - 1e-6:
                    return
                yield _fitted(newest, size)
                made += 1
            newest = frame
        if newest is None:
            return
        shown_s = float(newest.duration * newest.time_base) if newest.duration and newest.time_base else 1 / rate
        until_s = float(newest.time or 0.0) - origin_s - start_s + shown_s
        if end_s is not None:
            until_s = min(until_s, end_s - start_s)
        while made / rate < until_s - 1e-6:
            yield _fitted(newest, size)
            made += 1


def _fitted(frame: Any, size: tuple[int, int]) -> Any:
    import av

    width, height = size
    scale = min(width / frame.width, height / frame.height)
    inner = (max(2, round(frame.width * scale) // 2 * 2), max(2, round(frame.height * scale) // 2 * 2))
    image = frame.to_ndarray(format="rgb24", width=inner[0], height=inner[1])
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = image
    return av.VideoFrame.from_ndarray(canvas, format="rgb24")


def mono_sound(source: Path | None, *, start_s: float, rate_hz: int) -> EvenSound:
    """Sound from `start_s`; silence without a source."""
    return EvenSound(_samples(source, start_s, rate_hz) if source is not None else iter(()), rate_hz)


class EvenSound:
    """Sound in blocks of one AAC frame, silence where there is none (any more)."""

    def __init__(self, blocks: Iterator[np.ndarray[Any, Any]], rate_hz: int) -> None:
        self._blocks, self._rate_hz = blocks, rate_hz
        self._held = np.zeros(0, np.int16)
        self._written = 0

    def until(self, end_s: float) -> Iterator[Any]:
        """Frames that cover what is left up to `end_s`."""
        import av

        while (self._written + _BLOCK) / self._rate_hz <= end_s:
            while len(self._held) < _BLOCK:
                block = next(self._blocks, None)
                self._held = np.concatenate([self._held, np.zeros(_BLOCK, np.int16) if block is None else block])
            frame = av.AudioFrame.from_ndarray(self._held[None, :_BLOCK], format="s16", layout="mono")
            self._held = self._held[_BLOCK:]
            frame.sample_rate = self._rate_hz
            frame.pts, frame.time_base = self._written, Fraction(1, self._rate_hz)
            self._written += _BLOCK
            yield frame


def _samples(source: Path, start_s: float, rate_hz: int) -> Iterator[np.ndarray[Any, Any]]:
    """int16 (N,) blocks from `start_s`."""
    import av

    with av.open(str(source)) as container:
        stream = container.streams.audio[0]
        origin_s = float((stream.start_time or 0) * (stream.time_base or 0))
        if start_s > 0 and stream.time_base:
            container.seek(int((start_s + origin_s) / stream.time_base), stream=stream)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
        is_first = True
        for decoded in container.decode(stream):
            at_s = float(decoded.time or 0.0) - origin_s
            for frame in resampler.resample(decoded):
                samples = frame.to_ndarray().reshape(-1).astype(np.int16)
                if is_first:
                    early = round((start_s - at_s) * rate_hz)
                    if early >= len(samples):
                        continue
                    samples = samples[early:] if early > 0 else np.concatenate([np.zeros(-early, np.int16), samples])
                    is_first = False
                yield samples
