"""Change of topic in a stream of captioned or spoken lines: the next few lines against the whole open event.

Distances are judged against their own recent past (surprise), for how far apart two stretches of one activity lie
depends on who narrates. Looks `LINES_AHEAD` lines ahead, because what a line begins shows only in those that follow it.
Measured on two narrated hours: events cut here resemble their neighbours less (cosine 0.56) than their own halves
resemble each other (0.67); for fixed cuts both are 0.67. Knows sentence vectors, no model. State: one vector and a
running statistic.
"""

from __future__ import annotations

import numpy as np

from perception.segmentation.surprise import RunningSurprise
from perception.state import State
from streammem.types import FloatVector

LINES_AHEAD = 4
"""About ten seconds of dense narration."""
_FULL_AT = 3.0
"""Standard deviations of surprise that count as a certain change; 0 counts as none."""
_WEIGHT = 0.8
_MIN_LINES = 4
_FORGET_LINES = 300.0
_READY_LINES = 16.0


class TopicDrift:
    """Compares what is about to be said with what the event was about."""

    def __init__(self) -> None:
        self._event: FloatVector | None = None  # sum of the lines of the open event
        self._lines = 0
        # A line stands for a second here: the statistic counts lines, not time.
        self._surprise = RunningSurprise(time_constant_s=_FORGET_LINES, floor=0.02, ready_after_s=_READY_LINES)

    def before(self, ahead: FloatVector) -> float:
        """Change of topic, in [0, 1], at the line that begins `ahead`, the mean vector (D,) of the next lines."""
        if self._event is None or self._lines < _MIN_LINES:
            return 0.0
        lengths = float(np.linalg.norm(ahead) * np.linalg.norm(self._event))
        distance = 1.0 - float(np.dot(ahead, self._event)) / max(1e-9, lengths)
        surprise = self._surprise.update(distance, elapsed_s=1.0)
        return _WEIGHT * float(np.clip(surprise / _FULL_AT, 0.0, 1.0))

    def add(self, vector: FloatVector) -> None:
        """The line became part of the open event."""
        self._event = vector.copy() if self._event is None else (self._event + vector).astype(np.float32)
        self._lines += 1

    def start_event(self) -> None:
        self._event, self._lines = None, 0

    def get_state(self) -> State:
        return {"event": self._event, "lines": self._lines, "surprise": self._surprise.get_state()}

    def set_state(self, state: State) -> None:
        self._event, self._lines = state["event"], state["lines"]
        self._surprise.set_state(state["surprise"])
