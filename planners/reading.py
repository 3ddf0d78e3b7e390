"""The memory as one question may see it: every read is cut at the moment of asking and to the chosen recordings.

Wraps `streammem.Memory`; keeps what it has read for the length of one question, so operators can ask again freely.
Knows no plan and judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from planners.relevance import Relevance
from planners.windows import Span, TimeWords
from streammem.memory import Memory
from streammem.protocols import Reranker
from streammem.semantic.predicates import LOOKED_UP
from streammem.types import (
    Event,
    Fact,
    Hit,
    KeyFrame,
    Level,
    Modality,
    Observation,
    ObservationKind,
    Query,
    Recording,
)

_SPAN_LIMIT = 2_000
"""Most observations read for one span: about an hour of dense captions, and 0.1 s of reading."""


class MemoryView:
    """Bounded, remembered reads for one question."""

    def __init__(
        self,
        memory: Memory,
        *,
        as_of_ns: int | None = None,
        relevance: Relevance | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self.memory = memory
        self.reranker = reranker
        self.as_of_ns = as_of_ns
        self.relevance = relevance or Relevance(memory.encoder)
        self._objects: dict[tuple[str, ...], list[Observation]] = {}
        self.extra: list[Observation] = []
        """What looking again found, whether or not it could be written back."""

    @cached_property
    def recordings(self) -> tuple[Recording, ...]:
        """Recordings that had begun by the moment of asking, with no end later than it."""
        as_of_ns = self.as_of_ns
        known = self.memory.recordings()
        return tuple(each for each in known if as_of_ns is None or each.t_start_ns < as_of_ns)

    @cached_property
    def now_ns(self) -> int:
        """The moment of asking; without one, the end of memory."""
        if self.as_of_ns is not None:
            return self.as_of_ns
        return max((each.t_end_ns for each in self.recordings), default=0)

    @cached_property
    def words(self) -> TimeWords:
        return TimeWords(self.recordings)

    @cached_property
    def text_count(self) -> int:
        """How many texts there are to be the best of (roughly): what the bar of relevance depends on."""
        return self.memory.count_observations(kinds=("speech", "caption", "text_in_view")) + len(self.extra)

    @cached_property
    def can_be_seen_again(self) -> bool:
        """Whether any recording has pictures: captions alone hold nothing that a second look would find."""
        return any(each.has_video for each in self.recordings)

    @cached_property
    def labels(self) -> frozenset[str]:
        """Labels of every object seen so far."""
        return frozenset(each.label for each in self.objects() if each.label)

    def whole(self) -> tuple[Span, ...]:
        """Every recording up to the moment of asking."""
        return tuple(
            Span(recording=each.recording, t_start_ns=each.t_start_ns, t_end_ns=min(each.t_end_ns, self.now_ns))
            for each in self.recordings
        )

    def learn(self, observations: Sequence[Observation]) -> None:
        """Adds what looking again found to everything that is read from now on."""
        known = {each.observation_id for each in self.extra}
        self.extra += [each for each in observations if each.observation_id not in known]
        self.__dict__.pop("labels", None)

    def objects(self, labels: Sequence[str] = ()) -> list[Observation]:
        """Object observations with these labels (all of them when empty), with what looking again added."""
        key = tuple(sorted(labels))
        if key not in self._objects:
            self._objects[key] = self.memory.observations(
                kinds=("object",), labels=list(key) or None, as_of_ns=self.as_of_ns
            )
        seen = {each.observation_id for each in self._objects[key]}
        return self._objects[key] + [
            each
            for each in self.extra
            if each.kind == "object" and (not key or each.label in key) and each.observation_id not in seen
        ]

    def observations(
        self,
        *,
        kinds: Sequence[ObservationKind] | None = None,
        span: Span | None = None,
        limit: int | None = _SPAN_LIMIT,
    ) -> list[Observation]:
        """Observations of these kinds that overlap the span, in order of time."""
        found = self.memory.observations(
            kinds=kinds,
            recordings=[span.recording] if span else None,
            after_ns=span.t_start_ns if span else None,
            before_ns=span.t_end_ns if span else None,
            as_of_ns=self.as_of_ns,
            limit=limit,
        )
        seen = {each.observation_id for each in found}
        for each in self.extra:
            inside = span is None or (
                each.recording == span.recording and span.overlap_ns(each.t_start_ns, each.t_end_ns) > 0
            )
            if inside and (kinds is None or each.kind in kinds) and each.observation_id not in seen:
                found.append(each)
        return sorted(found, key=lambda each: (each.recording, each.t_start_ns, each.t_end_ns, each.observation_id))

    def observations_in(
        self, event_ids: Sequence[str], *, kinds: Sequence[ObservationKind] | None = None
    ) -> list[Observation]:
        """Every observation of these kinds in these events."""
        if not event_ids:
            return []
        found = self.memory.observations(event_ids=list(event_ids), kinds=kinds, as_of_ns=self.as_of_ns)
        known = set(event_ids)
        return found + [each for each in self.extra if each.event_id in known and (kinds is None or each.kind in kinds)]

    def events(self, span: Span, *, level: Level = Level.EVENT) -> list[Event]:
        """Segments of a level that overlap the span."""
        return self.memory.events(
            level=level,
            recordings=[span.recording],
            after_ns=span.t_start_ns,
            before_ns=span.t_end_ns,
            as_of_ns=self.as_of_ns,
        )

    def keyframes(self, span: Span) -> list[KeyFrame]:
        return self.memory.keyframes(
            recordings=[span.recording],
            after_ns=span.t_start_ns,
            before_ns=span.t_end_ns,
            as_of_ns=self.as_of_ns,
        )

    def keyframe(self, keyframe_id: str) -> KeyFrame | None:
        found = self.memory.keyframes(keyframe_ids=[keyframe_id], as_of_ns=self.as_of_ns)
        return found[0] if found else None

    def nearest_keyframe(self, event_ids: Sequence[str], t_ns: int) -> str | None:
        """Id of the picture nearest in time among those of the events."""
        if not event_ids:
            return None
        frames = self.memory.keyframes(event_ids=list(event_ids), as_of_ns=self.as_of_ns)
        best = min(frames, key=lambda frame: (abs(frame.t_ns - t_ns), frame.t_ns), default=None)
        return best.keyframe_id if best else None

    def facts(self) -> list[Fact]:
        # What is done, held and talked about: thousands, and the lines they were read from are better evidence.
        return self.memory.facts(
            as_of_ns=self.as_of_ns, limit=2_000, every_event=False, without=tuple(sorted(LOOKED_UP))
        )

    def recall(
        self,
        text: str,
        *,
        k: int,
        span: Span | None = None,
        modalities: tuple[Modality, ...] | None = None,
        event_ids: tuple[str, ...] | None = None,
        level: Level | None = None,
        choices: tuple[str, ...] = (),
        passage_s: float | None = None,
    ) -> list[Hit]:
        """Hybrid recall inside the span and the events; over one level's segments where `level` is given; as passages
        of `passage_s` seconds where that is given."""
        query = Query(
            text=text,
            choices=choices,
            after_ns=span.t_start_ns if span else None,
            before_ns=span.t_end_ns if span else None,
            as_of_ns=self.as_of_ns,
            recordings=(span.recording,) if span else None,
            modalities=modalities,
            event_ids=event_ids,
            passage_s=passage_s,
            k=k,
        )
        return self.memory.recall(query) if level is None else self.memory.recall_level(query, level=level)
