"""Change of topic in a stream of captioned or spoken lines: the last few lines against the whole open event.

Knows sentence vectors, no model. State: two vectors.
"""

from __future__ import annotations

import numpy as np

from perception.state import State
from streammem.types import FloatVector

_RECENT_LINES = 4
"""About ten seconds of dense narration."""
_DISTANCE_FROM = 0.35
_DISTANCE_FULL = 0.9
"""Cosine distance of recent lines from the event so far: within one activity of narrated daily life it stays mostly
below 0.35 (MiniLM), between unrelated ones it nears 1."""
_MIN_LINES = 6


class TopicDrift:
    """Compares what is being said now with what the event was about."""

    def __init__(self) -> None:
        self._recent: FloatVector | None = None
        self._event: FloatVector | None = None
        self._lines = 0

    def update(self, vector: FloatVector) -> float:
        """Takes the next line's vector (D,), L2-normalised; returns topic change in [0, 1]."""
        self._lines += 1
        if self._recent is None or self._event is None:
            self._recent, self._event = vector.copy(), vector.copy()
            return 0.0
        recent = self._recent + (vector - self._recent) / np.float32(min(self._lines, _RECENT_LINES))
        event = self._event + (vector - self._event) / np.float32(self._lines)
        self._recent, self._event = recent.astype(np.float32), event.astype(np.float32)
        if self._lines < _MIN_LINES:
            return 0.0
        lengths = float(np.linalg.norm(recent) * np.linalg.norm(event))
        distance = 1.0 - float(np.dot(recent, event)) / max(1e-9, lengths)
        return float(np.clip((distance - _DISTANCE_FROM) / (_DISTANCE_FULL - _DISTANCE_FROM), 0.0, 1.0))

    def start_event(self) -> None:
        """The event begins anew; what was said last stays as its first topic."""
        self._event = None if self._recent is None else self._recent.copy()
        self._lines = 0 if self._recent is None else 1

    def get_state(self) -> State:
        return {"recent": self._recent, "event": self._event, "lines": self._lines}

    def set_state(self, state: State) -> None:
        self._recent, self._event, self._lines = state["recent"], state["event"], state["lines"]
