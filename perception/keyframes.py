"""Which frames of the open event are kept as key frames.

One early and steady frame, then another whenever the picture has moved away from every kept one, or enough time has
passed; at most `max_frames`: when a further one comes, the one that adds least goes, so a long busy event costs no more
than a short one and is covered to its end. Knows histograms, no models; holds references to frames, not converted
pictures.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from perception.protocols import ImageRGB, VideoFrame

_SETTLE_S = 0.4
"""A frame right after a cut is often mid-dissolve; a later one shows the shot."""
_NEW_FROM = 0.35
"""Histogram distance from every kept frame that makes a frame worth keeping (a pan reaches it, a walker does not)."""
_SAME_BELOW = 0.08
"""A static street with walkers stays below this; its picture is worth keeping half as often."""
_AGAIN_AFTER_S = 5.0
"""Titles come and go over one picture within five seconds or so."""
_SECOND_WORTH = 0.005
"""Histogram distance that a second between two kept frames is worth: of like frames, those far apart in time stay."""
_MIN_CONTRAST = 6.0
"""Grey levels of standard deviation below which a frame is a fade or a cap over the lens."""


class KeyFramePicker:
    """Collects the key frames of one event after another."""

    def __init__(self, *, max_frames: int = 3) -> None:
        self._max_frames = max_frames
        self._start_ns = 0
        self._kept: list[tuple[VideoFrame, npt.NDArray[np.float32]]] = []
        self._fallback: VideoFrame | None = None

    def start(self, t_ns: int) -> None:
        """A new event begins; what was kept is dropped (call `take` first)."""
        self._start_ns, self._kept, self._fallback = t_ns, [], None

    def offer(self, frame: VideoFrame) -> bool:
        """Keeps the frame if it adds something. Returns whether it was kept."""
        if self._fallback is None:
            self._fallback = frame
        age_s = (frame.t_ns - self._start_ns) / 1e9
        if age_s < _SETTLE_S:
            return False
        if self._kept and (frame.t_ns - self._kept[-1][0].t_ns) / 1e9 < 1.0:
            return False
        histogram, contrast = _look(frame.image_rgb)
        if contrast < _MIN_CONTRAST:
            return False
        if self._kept:
            nearest = min(1.0 - float(np.minimum(histogram, kept).sum()) for _, kept in self._kept)
            waited_s = (frame.t_ns - self._kept[-1][0].t_ns) / 1e9
            patience_s = _AGAIN_AFTER_S if nearest >= _SAME_BELOW else 2 * _AGAIN_AFTER_S
            if nearest < _NEW_FROM and waited_s < patience_s:
                return False
        self._kept.append((frame, histogram))
        if len(self._kept) > self._max_frames:
            self._drop_least()
        return True

    def _drop_least(self) -> None:
        """Drops the frame between first and last that is likest and nearest to the one before it."""

        def adds(place: int) -> float:
            (before, old), (frame, new) = self._kept[place - 1 : place + 1]
            distance = 1.0 - float(np.minimum(old, new).sum())
            return distance + _SECOND_WORTH * (frame.t_ns - before.t_ns) / 1e9

        del self._kept[min(range(1, len(self._kept) - 1), key=adds)]

    def take(self) -> tuple[VideoFrame, ...]:
        """The event's key frames, in order of time: at least one, if it had any frame."""
        if self._kept:
            return tuple(frame for frame, _ in self._kept)
        return (self._fallback,) if self._fallback is not None else ()


def _look(image_rgb: ImageRGB) -> tuple[npt.NDArray[np.float32], float]:
    small = cv2.resize(image_rgb, (64, 36), interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, [8, 4, 4], [0, 180, 0, 256, 0, 256]).ravel()
    return (counts / max(1.0, float(counts.sum()))).astype(np.float32), float(hsv[..., 2].std())
