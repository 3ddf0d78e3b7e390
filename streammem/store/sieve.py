"""Keeps what was forgotten from being written again: the same file read anew, a checkpoint that quotes it.

Knows the marks of one recording; a memory where nothing was forgotten passes through untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from streammem.episodic.retelling import mean_vector, retold_event, retold_segment
from streammem.protocols import QueryEncoder
from streammem.store.tombstones import PICTURE, SUMMARY, Tombstones, label_key, recording_key
from streammem.types import Event, EventBundle, FloatVector, KeyFrame, Observation, Recording

_FOREVER_NS = 1 << 62

Children = Callable[[str], Sequence[Event]]
"""The committed children of a segment, with vectors."""


class Sieve:
    """Of one recording.

    Args:
        recording: None where the memory has no row of it.
    """

    def __init__(self, tombstones: Tombstones, recording: Recording | None, name: str) -> None:
        self._keys = {recording_key(recording, name), recording_key(None, name)}
        self._origin_ns = recording.t_start_ns if recording is not None else 0
        self._marks = tombstones.of(*self._keys)

    @property
    def is_open(self) -> bool:
        """Nothing of this recording was forgotten."""
        return not self._marks

    def bundle(self, bundle: EventBundle, *, encoder: QueryEncoder | None) -> EventBundle | None:
        """What of a bundle may be remembered; None where the whole event was forgotten."""
        if self.is_open:
            return bundle
        event = bundle.event
        if self._is_covered(event):
            return None
        observations = tuple(one for one in bundle.observations if not self._hides(one))
        keyframes = tuple(one for one in bundle.keyframes if not self._hides_picture(one))
        moments = tuple(one for one in bundle.moments if not self._overlaps_span(one))
        is_untold = self._has(event.t_start_ns, event.t_end_ns, kind=SUMMARY)
        same = len(observations) == len(bundle.observations) and len(moments) == len(bundle.moments)
        if same and not is_untold:
            return replace(bundle, keyframes=keyframes)
        told = retold_event(event, observations, was_told=True)
        told = replace(
            told,
            vector=_vector(told.text, observations, encoder),
            children=tuple(one.event_id for one in moments) if bundle.moments else event.children,
        )
        gone = {one.t_start_ns for one in bundle.observations if one not in observations}
        stays = tuple(fact for fact in bundle.facts if fact.t_from_ns not in gone and not self._in_span(fact.t_from_ns))
        return EventBundle(
            event=told,
            moments=tuple(retold_event(one, observations, was_told=True) for one in moments),
            observations=observations,
            keyframes=keyframes,
            facts=stays,
        )

    def observations(self, found: Sequence[Observation]) -> list[Observation]:
        """Those that may be remembered."""
        return [one for one in found if not self._hides(one)]

    def lets_through(self, t_start_ns: int, t_end_ns: int, *, label: str | None = None) -> bool:
        """Whether a place's row, or an object's where there is a label, may be remembered."""
        kind = None if label is None else "object"
        labels = [None] if label is None else [label_key(key, label) for key in sorted(self._keys)]
        return not any(self._has(t_start_ns, t_end_ns, kind=kind, label=one) for one in labels)

    def forgotten_spans(self) -> list[tuple[int, int]]:
        """[start, end) of all that was forgotten by time; of a whole recording, all of time."""
        return [
            (-_FOREVER_NS, _FOREVER_NS)
            if mark.from_ns is None or mark.to_ns is None
            else (mark.from_ns + self._origin_ns, mark.to_ns + self._origin_ns)
            for mark in self._marks
            if mark.kind is None
        ]

    def segment(self, segment: Event, children: Children) -> Event | None:
        """A coarser segment, told from what is in memory where it may quote what is not; None where nothing is."""
        if self.is_open or not any(
            mark.from_ns is None or (self._relative(segment.t_start_ns) < (mark.to_ns or 0)
                                     and self._relative(segment.t_end_ns) > mark.from_ns)
            for mark in self._marks
        ):  # fmt: skip
            return segment
        return retold_segment(segment, children(segment.event_id))

    def recording(self, recording: Recording) -> Recording:
        """Without its checkpoint: a pipeline's state quotes what it saw. It is read again from its start, and what is
        in memory is not written twice."""
        return recording if self.is_open else replace(recording, checkpoint=None)

    def _relative(self, t_ns: int) -> int:
        return t_ns - self._origin_ns

    def _has(self, start_ns: int, end_ns: int, *, kind: str | None = None, label: str | None = None) -> bool:
        from_ns, to_ns = self._relative(start_ns), self._relative(end_ns)
        return any(mark.covers(from_ns, to_ns, kind=kind, label=label) for mark in self._marks)

    def _hides(self, one: Observation) -> bool:
        if one.kind != "object" or not one.label:
            return self._has(one.t_start_ns, one.t_end_ns, kind=one.kind)
        return any(
            self._has(one.t_start_ns, one.t_end_ns, kind=one.kind, label=label_key(key, one.label))
            for key in self._keys
        )

    def _hides_picture(self, one: KeyFrame) -> bool:
        return self._has(one.t_ns, one.t_ns + 1, kind=PICTURE) or any(
            mark.kind in ("object", "text_in_view", "scene")
            and (mark.from_ns or 0) <= self._relative(one.t_ns) <= (mark.to_ns or 0)
            for mark in self._marks
        )

    def _in_span(self, t_ns: int) -> bool:
        return self._has(t_ns, t_ns + 1)

    def _overlaps_span(self, event: Event) -> bool:
        return self._has(event.t_start_ns, event.t_end_ns)

    def _is_covered(self, event: Event) -> bool:
        start, end = self._relative(event.t_start_ns), self._relative(event.t_end_ns)
        return any(
            mark.from_ns is None or (mark.kind is None and mark.from_ns <= start and end <= (mark.to_ns or 0))
            for mark in self._marks
        )


def _vector(text: str, observations: Sequence[Observation], encoder: QueryEncoder | None) -> FloatVector | None:
    if not text:
        return None
    if encoder is not None:
        return encoder.encode_text([text])[0]
    return mean_vector([one.vector for one in observations if one.vector is not None])
