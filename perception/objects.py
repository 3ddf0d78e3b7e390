"""When to run the object detector, and which tracked objects belong to which event.

The detector is the dearest model of the live path (30 ms), so it runs once a second while several objects are
tracked, every two while one is, every four while the picture only moves, and hardly while it stands still. With
`keep_identity`, who comes back has the number that they had before (`perception.identity`); else every track has its
own. State: the tracker's and a few times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from perception.protocols import ObjectDetector, VideoFrame
from perception.state import State
from perception.tracking import ObjectTracker, Track
from streammem.types import Box

if TYPE_CHECKING:
    from perception.identity.keeper import IdentityKeeper

_WHILE_BUSY_S = 1.0
_WHILE_TRACKING_S = 2.0
_WHILE_MOVING_S = 4.0
_WHILE_STILL_S = 20.0
_BUSY_FROM = 2
"""Confirmed objects from which a second between detections is needed to tell them apart: on a street 40 tracks at 1 s,
46 at 2 s for the same people; one object alone is carried by the flow."""
_MOVING_FROM = 0.004
"""Share of the picture that changes when a small walker crosses a wide street; noise stays below 0.001."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSpan:
    """One object inside one event."""

    number: int
    """Of the track, or of the identity where identities are kept."""
    label: str
    t_start_ns: int
    t_end_ns: int
    score: float
    box: Box


class ObjectWatcher:
    """Follows objects through the frames of a recording."""

    def __init__(self, detector: ObjectDetector, *, keep_identity: bool = False) -> None:
        self._detector = detector
        self._tracker = ObjectTracker()
        self._keeper: IdentityKeeper | None = None
        if keep_identity:
            from perception.identity.keeper import IdentityKeeper  # loads torch

            self._keeper = IdentityKeeper()
        self._due_ns = 0
        self._seen: dict[int, tuple[int, int]] = {}  # track number -> first and last time seen in the open event
        self._gone: list[ObjectSpan] = []
        self._at_start: frozenset[int] | None = None  # who was there when the open event began
        self._detected: tuple[int, tuple[Track, ...]] = (-1, ())

    def cut(self, t_ns: int) -> None:
        """The picture changed altogether: the new one is looked at soon, and nothing is followed across."""
        self._tracker.forget()
        self._due_ns = t_ns + 400_000_000  # let a dissolve settle

    def prime(self, frame: VideoFrame) -> None:
        """After a resume: the frame before the next one, so that motion continues from it."""
        self._tracker.prime(frame.image_rgb)

    def step(self, frame: VideoFrame, *, motion: float) -> float:
        """Takes the next frame; runs the detector when it is due.

        Returns:
            Turnover in [0, 1]: how much of who is there now differs from who was there when the event began
            (1 - intersection over union of tracks, less for one or two). 0 on frames without detection.
        """
        self._tracker.carry(frame.image_rgb)
        if self._keeper is not None:
            self._keeper.watch(self._tracker.tracks)
        if frame.t_ns < self._due_ns:
            if motion >= _MOVING_FROM:
                self._due_ns = min(self._due_ns, frame.t_ns + round(_WHILE_MOVING_S * 1e9))
            return 0.0
        detections = self._detector.detect([frame.image_rgb])[0]
        before = {track.number: track for track in self._tracker.tracks}
        seen = self._tracker.update(detections, frame.image_rgb, t_ns=frame.t_ns)
        self._detected = (frame.t_ns, tuple(replace(track) for track in seen))
        for track in seen:
            # A track is known to be there from its first sight to its last, also where a detection in between missed.
            first = self._seen.get(track.number, (frame.t_ns, frame.t_ns))[0]
            self._seen[track.number] = (first, frame.t_ns)
        if self._keeper is not None:
            self._keeper.update(seen, self._tracker.tracks, frame.image_rgb, t_ns=frame.t_ns)
        alive = {track.number for track in self._tracker.tracks}
        for number in before.keys() - alive:
            self._close(number, before)
        now = frozenset(track.number for track in self._tracker.tracks if track.is_confirmed)
        self._due_ns = frame.t_ns + round(self._wait_s(len(now), bool(seen), motion) * 1e9)
        if self._at_start is None:
            self._at_start = now
        everyone, changed = now | self._at_start, now ^ self._at_start
        if not changed:
            return 0.0
        # One newcomer may be the detector's whim; three are not.
        return len(changed) / len(everyone) * float(1.0 - np.exp(-len(changed) / 1.5))

    def detected_at(self, t_ns: int) -> tuple[Track, ...]:
        """What the detector saw in the frame of that time; empty where it did not look."""
        return self._detected[1] if self._detected[0] == t_ns else ()

    def take(self, t_start_ns: int, t_end_ns: int) -> tuple[ObjectSpan, ...]:
        """The confirmed objects of the event that ends now, in order of first sight."""
        tracks = {track.number: track for track in self._tracker.tracks}
        for number in list(self._seen):
            self._close(number, tracks)
        spans, self._gone, self._seen = _joined(self._gone), [], {}
        self._at_start = None
        clipped = [
            ObjectSpan(
                number=span.number,
                label=span.label,
                t_start_ns=max(t_start_ns, span.t_start_ns),
                t_end_ns=min(t_end_ns, max(span.t_end_ns, span.t_start_ns)),
                score=span.score,
                box=span.box,
            )
            for span in spans
        ]
        return tuple(sorted(clipped, key=lambda span: (span.t_start_ns, span.number)))

    @staticmethod
    def _wait_s(confirmed: int, any_seen: bool, motion: float) -> float:
        if confirmed >= _BUSY_FROM:
            return _WHILE_BUSY_S
        if any_seen:
            return _WHILE_TRACKING_S
        return _WHILE_MOVING_S if motion >= _MOVING_FROM else _WHILE_STILL_S

    def get_state(self) -> State:
        """Valid right after `take`."""
        keeper = None if self._keeper is None else self._keeper.get_state()
        return {"tracker": self._tracker.get_state(), "due_ns": self._due_ns, "identity": keeper}

    def set_state(self, state: State) -> None:
        self._tracker.set_state(state["tracker"])
        self._due_ns = state["due_ns"]
        if self._keeper is not None and state.get("identity") is not None:
            self._keeper.set_state(state["identity"])

    def _close(self, number: int, tracks: dict[int, Track]) -> None:
        span = self._seen.pop(number, None)
        track = tracks.get(number)
        if span is None or track is None or not track.is_confirmed:
            return
        self._gone.append(
            ObjectSpan(
                number=number if self._keeper is None else self._keeper.identity_of(number),
                label=track.label,
                t_start_ns=span[0],
                t_end_ns=span[1],
                score=track.best_score,
                box=track.best_box,
            )
        )


def _joined(spans: list[ObjectSpan]) -> list[ObjectSpan]:
    """One span for each object: who was lost and found again within the event was there in between, or just outside."""
    joined: dict[tuple[str, int], ObjectSpan] = {}
    for span in spans:
        before = joined.get((span.label, span.number))
        if before is not None:
            surer = max(before, span, key=lambda one: one.score)
            start_ns, end_ns = min(before.t_start_ns, span.t_start_ns), max(before.t_end_ns, span.t_end_ns)
            span = replace(surer, t_start_ns=start_ns, t_end_ns=end_ns)
        joined[span.label, span.number] = span
    return list(joined.values())
