"""Visual novelty of sampled frames: hard cuts, slow drift away from the open event, and bursts of motion.

Knows frames and time, no models. State is one histogram, one thumbnail and two running statistics. About 1.5 ms
a frame on one core.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from perception.protocols import ImageRGB
from perception.segmentation.surprise import RunningSurprise
from perception.state import State

_GRID = 2
"""Histograms are taken per cell of a 2 x 2 grid: a picture that swaps sides is a new picture."""
_BINS = (8, 4, 4)  # hue, saturation, value
_SMALL = (256, 144)  # width, height; the aspect does not matter for comparing frames of one recording
_THUMBNAIL = (32, 18)
_MOTION_THUMBNAIL = (64, 36)
_MOTION_LEVEL = 12
"""Grey levels a pixel of the motion thumbnail must change by to count as moving (sensor noise stays below)."""
_BLACK_CONTRAST = 4.0
"""Thumbnails with a smaller standard deviation (grey levels) are flat: fades to black or white pass through here."""

CUT_SCORE = 0.45
"""A cut: both the colours and the layout changed. Measured on an animated trailer, a film clip and two amateur clips
at 5 fps: true hard cuts score 0.62-1.1, fast motion and fades up to 0.37, a static street below 0.05."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """Each in [0, 1]."""

    cut: float
    """Change from the frame before, in colour and layout at once; insensitive to fades and exposure."""
    drift: float
    """Distance of the colours of the last second from those of the whole open event."""
    burst: float
    """Surprise of the amount of motion against the last half minute, rising or falling."""
    motion: float
    """Share of the picture that moved since the frame before."""


class VisualNovelty:
    """Compares each frame with the one before and with the open event."""

    def __init__(self) -> None:
        self._histogram: npt.NDArray[np.float32] | None = None  # (4, 128), the frame before
        self._layout: npt.NDArray[np.float32] | None = None  # (18, 32), zero mean
        self._motion_grey: npt.NDArray[np.uint8] | None = None  # (36, 64)
        self._recent: npt.NDArray[np.float32] | None = None  # (4, 128), mean over about a second
        self._event: npt.NDArray[np.float32] | None = None  # (4, 128), mean over the open event
        self._event_s = 0.0
        self._motion_recent = 0.0
        self._motion_surprise = RunningSurprise(time_constant_s=30.0, floor=0.01)
        self._cut_surprise = RunningSurprise(time_constant_s=3.0, floor=0.05)
        self._t_ns: int | None = None

    def update(self, image_rgb: ImageRGB, *, t_ns: int) -> Novelty:
        """Takes the next frame, uint8 (H, W, 3) RGB."""
        image = cv2.resize(image_rgb, _SMALL, interpolation=cv2.INTER_AREA)
        histogram = _grid_histogram(image)
        tiny = cv2.resize(image, _MOTION_THUMBNAIL, interpolation=cv2.INTER_AREA)
        grey = np.asarray(cv2.cvtColor(tiny, cv2.COLOR_RGB2GRAY), np.uint8)
        layout = cv2.resize(grey, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)
        layout -= layout.mean()
        if self._histogram is None or self._layout is None or self._motion_grey is None or self._t_ns is None:
            self._remember(histogram, layout, grey, t_ns)
            return Novelty(cut=0.0, drift=0.0, burst=0.0, motion=0.0)

        elapsed_s = max(1e-3, (t_ns - self._t_ns) / 1e9)
        colours = _distance(histogram, self._histogram)
        cut = float(np.sqrt(colours * _layout_change(layout, self._layout)))
        surprise = self._cut_surprise.update(cut, elapsed_s=elapsed_s)
        if 0 < surprise < 3.0:
            cut *= surprise / 3.0  # a hand-held camera that always shakes is not cutting
        moved = float(np.mean(cv2.absdiff(grey, self._motion_grey) > _MOTION_LEVEL))
        pull = 1.0 - np.exp(-elapsed_s / 2.0)
        self._motion_recent += pull * (moved - self._motion_recent)
        burst = abs(self._motion_surprise.update(self._motion_recent, elapsed_s=elapsed_s))
        self._remember(histogram, layout, grey, t_ns)
        assert self._recent is not None
        assert self._event is not None
        self._recent = _towards(self._recent, histogram, min(1.0, elapsed_s))
        self._event_s += elapsed_s
        self._event = _towards(self._event, histogram, min(1.0, elapsed_s / self._event_s))
        return Novelty(
            cut=min(1.0, cut),
            drift=_distance(self._recent, self._event),
            burst=float(1.0 - np.exp(-max(0.0, burst - 1.5) / 2.0)),
            motion=moved,
        )

    def start_event(self) -> None:
        """The open event starts at the newest frame: drift is measured from there."""
        if self._histogram is not None:
            self._recent, self._event = self._histogram.copy(), self._histogram.copy()
        self._event_s = 0.0

    def get_state(self) -> State:
        return {
            "histogram": self._histogram,
            "layout": self._layout,
            "motion_grey": self._motion_grey,
            "recent": self._recent,
            "event": self._event,
            "event_s": self._event_s,
            "motion_recent": self._motion_recent,
            "motion_surprise": self._motion_surprise.get_state(),
            "cut_surprise": self._cut_surprise.get_state(),
            "t_ns": self._t_ns,
        }

    def set_state(self, state: State) -> None:
        self._histogram, self._layout = state["histogram"], state["layout"]
        self._motion_grey, self._recent, self._event = state["motion_grey"], state["recent"], state["event"]
        self._event_s, self._motion_recent, self._t_ns = state["event_s"], state["motion_recent"], state["t_ns"]
        self._motion_surprise.set_state(state["motion_surprise"])
        self._cut_surprise.set_state(state["cut_surprise"])

    def _remember(
        self,
        histogram: npt.NDArray[np.float32],
        layout: npt.NDArray[np.float32],
        grey: npt.NDArray[np.uint8],
        t_ns: int,
    ) -> None:
        self._histogram, self._layout, self._motion_grey, self._t_ns = histogram, layout, grey, t_ns
        if self._recent is None:
            self._recent, self._event = histogram.copy(), histogram.copy()


def _towards(old: npt.NDArray[np.float32], new: npt.NDArray[np.float32], share: float) -> npt.NDArray[np.float32]:
    """Moves `old` by a share of the way to `new`. A new array: a state that was handed out must not change."""
    return (old + np.float32(share) * (new - old)).astype(np.float32)


def _grid_histogram(image_rgb: npt.NDArray[np.uint8] | cv2.typing.MatLike) -> npt.NDArray[np.float32]:
    """Colour histograms of the cells, (4, 128), each summing to 1."""
    hsv = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2HSV)
    height, width = hsv.shape[:2]
    rows = []
    for y in range(_GRID):
        for x in range(_GRID):
            cell = hsv[y * height // _GRID : (y + 1) * height // _GRID, x * width // _GRID : (x + 1) * width // _GRID]
            counts = cv2.calcHist([cell], [0, 1, 2], None, list(_BINS), [0, 180, 0, 256, 0, 256]).ravel()
            rows.append(counts / max(1.0, float(counts.sum())))
    return np.stack(rows).astype(np.float32)


def _distance(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float:
    """1 - histogram intersection, mean over cells, in [0, 1]."""
    return float(1.0 - np.minimum(first, second).sum(axis=1).mean())


def _layout_change(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float:
    """1 - correlation of two zero-mean thumbnails, clipped to [0, 1]; 1 between a picture and a flat one.

    Correlation does not see a change of brightness or contrast, so a fade is no cut until the picture is gone."""
    contrast_first, contrast_second = float(first.std()), float(second.std())
    flat = (contrast_first < _BLACK_CONTRAST) + (contrast_second < _BLACK_CONTRAST)
    if flat:
        return 1.0 if flat == 1 else 0.0
    return float(np.clip(1.0 - (first * second).mean() / (contrast_first * contrast_second), 0.0, 1.0))
