"""Where one event ends and the next begins: online, causal, O(1) state.

Every tick brings signals of change, each in [0, 1]. Their strongest makes the tick's boundary strength; the event is
cut when the strength reaches a threshold that falls as the event grows older. So a strong change cuts at once, a weak
one only a long event, and the best candidate near the maximum beats the clock. (Event segmentation theory puts
boundaries where prediction fails, Zacks et al. 2007; here prediction is "as before".) Nothing is cut in the middle of
speech, except by a hard cut of the picture or at the maximum.
"""

from __future__ import annotations

from dataclasses import dataclass

from perception.segmentation.novelty import CUT_SCORE
from perception.state import State
from streammem.settings import SegmentationSettings

_THRESHOLD_YOUNG = 0.75
_THRESHOLD_OLD = 0.15
"""Strength needed right after the minimum duration, and just before the maximum."""
_DRIFT_FLOOR = 0.2
"""Drift below this is the ordinary movement of one scene (a static street 0.02-0.05, a calm shot up to 0.2)."""
_PAUSE_FROM_S = 0.7
_PAUSE_FULL_S = 3.0
"""Pauses inside a paragraph last up to about 0.7 s; after 3 s the speaker is done."""
_WEIGHT_PAUSE = 0.7
_WEIGHT_BURST = 0.6
_WEIGHT_TURNOVER = 0.6
"""A pause, a burst of motion, or other people in the same place are weaker evidence of a new event than a new
picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What changed at one tick; each in [0, 1] except the pause, in seconds (None: nobody spoke in this event)."""

    cut: float = 0.0
    drift: float = 0.0
    burst: float = 0.0
    turnover: float = 0.0
    """How many of the tracked objects are others than when the event began."""
    topic: float = 0.0
    """Change of what is talked about or captioned."""
    gap: float = 0.0
    """1 where the recording itself has a hole."""
    pause_s: float | None = None
    in_speech: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    t_ns: int
    strength: float
    is_cut: bool = False


def strength_of(signals: Signals) -> float:
    """Strength in [0, 1] of a boundary at this tick: noisy-or, so that agreeing signals reinforce each other."""
    pause = 0.0
    if signals.pause_s is not None and signals.pause_s >= _PAUSE_FROM_S:
        pause = _WEIGHT_PAUSE * min(1.0, signals.pause_s / _PAUSE_FULL_S)
    parts = (
        signals.cut if signals.cut >= CUT_SCORE else 0.0,
        max(0.0, signals.drift - _DRIFT_FLOOR) / (1.0 - _DRIFT_FLOOR),
        _WEIGHT_BURST * signals.burst,
        _WEIGHT_TURNOVER * signals.turnover,
        signals.topic,
        signals.gap,
        pause,
    )
    remaining = 1.0
    for part in parts:
        remaining *= 1.0 - min(1.0, max(0.0, part))
    return 1.0 - remaining


class BoundaryDetector:
    """Decides, tick by tick, whether the open event ends now."""

    def __init__(self, settings: SegmentationSettings) -> None:
        self._settings = settings
        self._start_ns: int | None = None

    @property
    def start_ns(self) -> int | None:
        """Start of the open event."""
        return self._start_ns

    def start(self, t_ns: int) -> None:
        """Opens the first event, or one after a hole."""
        self._start_ns = t_ns

    def overdue(self, t_ns: int) -> Boundary | None:
        """The boundary that the maximum duration forces up to `t_ns`, if any. Call until None."""
        if self._start_ns is None:
            return None
        limit_ns = self._start_ns + round(self._settings.event_max_s * 1e9)
        if t_ns < limit_ns:
            return None
        self._start_ns = limit_ns
        return Boundary(t_ns=limit_ns, strength=0.0)

    def update(self, signals: Signals, *, t_ns: int) -> Boundary | None:
        """The boundary at `t_ns`, if the signals and the age of the event call for one."""
        if self._start_ns is None:
            self._start_ns = t_ns
            return None
        age_s = (t_ns - self._start_ns) / 1e9
        strength = strength_of(signals)
        if signals.cut >= CUT_SCORE or signals.gap > 0.5:
            if age_s < self._settings.cut_min_s:
                return None
        elif age_s < self._settings.event_min_s or signals.in_speech or strength < self._threshold(age_s):
            return None
        self._start_ns = t_ns
        return Boundary(t_ns=t_ns, strength=strength, is_cut=signals.cut >= CUT_SCORE)

    def get_state(self) -> State:
        return {"start_ns": self._start_ns}

    def set_state(self, state: State) -> None:
        self._start_ns = state["start_ns"]

    def _threshold(self, age_s: float) -> float:
        """Falls linearly with age from young to old."""
        span_s = max(1e-6, self._settings.event_max_s - self._settings.event_min_s)
        progress = min(1.0, max(0.0, (age_s - self._settings.event_min_s) / span_s))
        return _THRESHOLD_YOUNG + progress * (_THRESHOLD_OLD - _THRESHOLD_YOUNG)
