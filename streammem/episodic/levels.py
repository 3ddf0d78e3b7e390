"""Coarser levels from the boundaries of finer ones: episodes, hours and days nest exactly, online, O(1) state a level.

An episode ends at an event boundary that is strong for its age, an hour at an episode boundary, a day at an hour
boundary; each between its minimum and maximum duration. Knows events and strengths, nothing of pictures or words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from streammem.episodic.summaries import prune, summarise
from streammem.settings import SegmentationSettings
from streammem.types import Event, FloatVector, Level, event_id_for

_COARSE = (Level.EPISODE, Level.HOUR, Level.DAY)
_THRESHOLD_YOUNG = 0.9
_THRESHOLD_OLD = 0.3


@dataclass(slots=True)
class _Open:
    """The open segment of one level. Bounded: children are at most max / finer min."""

    start_ns: int
    strength: float
    children: list[str]
    texts: list[tuple[str, float]]
    """Candidate sentences for the summary, with the weight of the child they come from (bounded)."""
    kinds: list[str]
    vector_sum: FloatVector | None


class LevelBuilder:
    """Feeds on closed events in order of time; says which parents they get, and which coarser segments closed."""

    def __init__(self, recording: str, settings: SegmentationSettings) -> None:
        self._recording = recording
        day, hour, episode = settings.day_s, settings.hour_s, settings.episode_max_s
        self._limits_ns: dict[Level, tuple[int, int]] = {
            Level.EPISODE: (round(settings.episode_min_s * 1e9), round(episode * 1e9)),
            Level.HOUR: (round(hour * 0.5e9), round(hour * 1e9)),
            Level.DAY: (round(day * 0.5e9), round(day * 1e9)),
        }
        self._open: dict[Level, _Open] = {}
        self._last_end_ns: int | None = None

    def add(self, event: Event) -> tuple[Event, list[Event]]:
        """Takes the next closed event (level event, with text and vector). Returns it with its parent's id, and the
        coarser segments that ended where it starts, finest first."""
        closed: list[Event] = []
        for level in _COARSE[: self._levels_that_end(event)]:
            closed.append(self._close(level, end_ns=self._last_end_ns or 0))
        for level in _COARSE:
            if level not in self._open:
                self._open[level] = _Open(event.t_start_ns, event.strength, [], [], [], None)
        parent_id = event_id_for(self._recording, Level.EPISODE, self._open[Level.EPISODE].start_ns)
        event = replace(event, parent_id=parent_id)
        self._take(self._open[Level.EPISODE], event)
        self._last_end_ns = event.t_end_ns
        return event, closed

    def finish(self) -> list[Event]:
        """Closes everything at the end of the recording, finest first."""
        closed: list[Event] = []
        for level in _COARSE:
            if level in self._open and self._last_end_ns is not None:
                closed.append(self._close(level, end_ns=self._last_end_ns))
        return closed

    def get_state(self) -> dict[str, Any]:
        return {
            "last_end_ns": self._last_end_ns,
            "open": {
                level.value: {
                    "start_ns": s.start_ns,
                    "strength": s.strength,
                    "children": list(s.children),
                    "texts": [list(pair) for pair in s.texts],
                    "kinds": list(s.kinds),
                    "vector_sum": s.vector_sum,
                }
                for level, s in self._open.items()
            },
        }

    def set_state(self, state: dict[str, Any]) -> None:
        self._last_end_ns = state["last_end_ns"]
        self._open = {
            Level(name): _Open(
                s["start_ns"],
                s["strength"],
                list(s["children"]),
                [(text, weight) for text, weight in s["texts"]],
                list(s["kinds"]),
                s["vector_sum"],
            )
            for name, s in state["open"].items()
        }

    @staticmethod
    def _parent_level(level: Level) -> Level | None:
        place = _COARSE.index(level)
        return _COARSE[place + 1] if place + 1 < len(_COARSE) else None

    def _levels_that_end(self, event: Event) -> int:
        """How many levels, from the finest, end where `event` starts."""
        count = 0
        for place, level in enumerate(_COARSE):
            if level in self._open and event.t_end_ns - self._open[level].start_ns > self._limits_ns[level][1]:
                count = place + 1  # with this event it would be too long; what is inside it ends with it
        while count < len(_COARSE) and self._is_strong(_COARSE[count], event):
            count += 1
        return count

    def _is_strong(self, level: Level, event: Event) -> bool:
        segment = self._open.get(level)
        if segment is None:
            return False
        minimum_ns, maximum_ns = self._limits_ns[level]
        if event.t_start_ns - (self._last_end_ns or event.t_start_ns) > minimum_ns:
            return True  # a hole in the recording longer than a whole segment
        age_ns = event.t_start_ns - segment.start_ns
        if age_ns < minimum_ns:
            return False
        progress = min(1.0, (age_ns - minimum_ns) / max(1, maximum_ns - minimum_ns))
        return event.strength >= _THRESHOLD_YOUNG + progress * (_THRESHOLD_OLD - _THRESHOLD_YOUNG)

    def _close(self, level: Level, *, end_ns: int) -> Event:
        """Takes the open segment of `level` out, and makes it a child of the next coarser one."""
        segment = self._open.pop(level)
        vector = None
        if segment.vector_sum is not None:
            vector = (segment.vector_sum / max(1e-9, float(np.linalg.norm(segment.vector_sum)))).astype(np.float32)
        parent = self._parent_level(level)
        closed = Event(
            event_id=event_id_for(self._recording, level, segment.start_ns),
            recording=self._recording,
            level=level,
            t_start_ns=segment.start_ns,
            t_end_ns=end_ns,
            strength=segment.strength,
            parent_id=event_id_for(self._recording, parent, self._open[parent].start_ns) if parent else None,
            children=tuple(segment.children),
            text=summarise(segment.texts, level=level),
            kinds=tuple(segment.kinds),
            vector=vector,
        )
        if parent:
            self._take(self._open[parent], closed)
        return closed

    @staticmethod
    def _take(segment: _Open, child: Event) -> None:
        segment.children.append(child.event_id)
        segment.kinds = sorted({*segment.kinds, *child.kinds})
        if child.text:
            segment.texts = prune([*segment.texts, (child.text, (child.t_end_ns - child.t_start_ns) / 1e9)])
        if child.vector is not None:
            weighted = child.vector * np.float32((child.t_end_ns - child.t_start_ns) / 1e9)
            segment.vector_sum = weighted if segment.vector_sum is None else segment.vector_sum + weighted
