"""Writes down what was noticed in an event: ids from content, times on the memory's timeline.

Knows one recording's name and start, and nothing of models.
"""

from __future__ import annotations

from perception.watch import ClosedSegment
from streammem.types import Level, Observation, ObservationKind, event_id_for, stable_id


class Notes:
    """Makes observations of one recording.

    Args:
        recording: name in the memory.
        base_ns: start of the recording on the memory's timeline, added to every time.
    """

    def __init__(self, *, recording: str, base_ns: int) -> None:
        self.recording = recording
        self.base_ns = base_ns

    def event_id(self, segment: ClosedSegment) -> str:
        return event_id_for(self.recording, Level.EVENT, self.base_ns + segment.t_start_ns)

    def observation(
        self,
        segment: ClosedSegment,
        kind: ObservationKind,
        t_start_ns: int,
        t_end_ns: int,
        text: str,
        *,
        confidence: float = 1.0,
        source: str = "",
        salt: str = "",
    ) -> Observation:
        """Args:
        t_start_ns, t_end_ns: on the recording's own timeline.
        salt: tells apart things that are otherwise the same (two people side by side).
        """
        start_ns, end_ns = self.base_ns + t_start_ns, self.base_ns + max(t_end_ns, t_start_ns)
        return Observation(
            observation_id=stable_id("observation", self.recording, kind, start_ns, end_ns, text, salt),
            event_id=self.event_id(segment),
            recording=self.recording,
            kind=kind,
            t_start_ns=start_ns,
            t_end_ns=end_ns,
            text=text,
            confidence=float(confidence),
            source=source,
        )
