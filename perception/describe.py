"""Describing: turns a closed event's raw material into what is remembered of it.

Runs the dear models once per event: what the key frames show (`perception.pictures`), speech recognition on packed
utterances, sentence vectors in batches. Knows no storage. Pending material is bounded: at most about a minute of sound
and `_PACK_EVENTS` events, without their pictures, wait to fill one recogniser window.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from perception.models.registry import Models
from perception.notes import Notes
from perception.pictures import PictureDescriber
from perception.recognise import recognise
from perception.stages import Stages
from perception.watch import ClosedSegment, Moment
from perception.wording import describe_object
from streammem.episodic.wording import describe_event
from streammem.protocols import FactExtractor
from streammem.semantic.extraction import extract_facts
from streammem.types import Event, EventBundle, FloatVector, KeyFrame, Level, Observation, event_id_for

_PACK_S = 20.0
"""Speech recognisers pad to 30 s windows and cost the same for 5 s as for 28 s: utterances of neighbouring events are
recognised together once they fill most of a window."""
_PACK_EVENTS = 12
_PACK_SPAN_S = 60.0
_LABEL_CACHE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """An event that waits for its words; its pictures are described already and let go."""

    segment: ClosedSegment
    keyframes: list[KeyFrame]
    observations: list[Observation]


class Describer:
    """Describes one recording's events, in order.

    Args:
        recording: name in the memory.
        base_ns: start of the recording on the memory's timeline, added to every time.
        is_live: describe every event at once, instead of packing speech.
        extractor: reads facts; rules where none is given.
    """

    def __init__(
        self, models: Models, *, recording: str, base_ns: int, is_live: bool, stages: Stages,
        extractor: FactExtractor | None = None,
    ) -> None:  # fmt: skip
        self._models = models
        self._notes = Notes(recording=recording, base_ns=base_ns)
        self._pictures = PictureDescriber(models, self._notes, stages)
        self._pack_s = 0.0 if is_live else _PACK_S
        self._stages = stages
        self._extract = extract_facts if extractor is None else extractor.extract
        self._pending: list[_Pending] = []
        self._label_vectors: OrderedDict[str, FloatVector] = OrderedDict()

    def add(self, segment: ClosedSegment) -> list[tuple[ClosedSegment, EventBundle]]:
        """Takes the next closed event; returns those that are described now, in order. What is returned last has a
        checkpoint unless too much had piled up, so nothing that a checkpoint covers is ever still pending."""
        keyframes, seen = self._pictures.describe(segment)
        observations = self._lines(segment) + self._objects(segment) + seen
        self._pending.append(
            _Pending(segment=replace(segment, frames=()), keyframes=keyframes, observations=observations)
        )
        speech_s = sum(u.length_s for one in self._pending for u in one.segment.utterances)
        span_s = (segment.t_end_ns - self._pending[0].segment.t_start_ns) / 1e9
        is_clean = segment.checkpoint is not None or segment.gap is not None
        full = len(self._pending) >= _PACK_EVENTS or span_s >= _PACK_SPAN_S
        if full or (is_clean and (speech_s == 0.0 or speech_s >= self._pack_s)):
            return self.flush()
        return []

    def flush(self) -> list[tuple[ClosedSegment, EventBundle]]:
        """Describes everything pending."""
        pending, self._pending = self._pending, []
        if not pending:
            return []
        self._hear(pending)
        return self._bundles(pending)

    # --- observations -------------------------------------------------------------------------------------------------

    def _hear(self, pending: Sequence[_Pending]) -> None:
        """Recognises the speech of all pending events together, and adds each sentence to the event it was said in."""
        speech = self._models.speech
        if speech is None:
            return
        with self._stages.time("speech"):
            heard = recognise(speech, [u for one in pending for u in one.segment.utterances])
        for item in heard:
            middle_ns = (item.t_start_ns + item.t_end_ns) // 2
            home = next((one for one in pending if middle_ns < one.segment.t_end_ns), pending[-1])
            home.observations.append(
                self._notes.observation(
                    home.segment,
                    "speech",
                    item.t_start_ns,
                    item.t_end_ns,
                    item.text,
                    confidence=item.confidence,
                    source=speech.name,
                )
            )

    def _lines(self, segment: ClosedSegment) -> list[Observation]:
        found: list[Observation] = []
        for heard in segment.lines:
            line = heard.line
            found.append(
                replace(
                    self._notes.observation(
                        segment, line.kind, line.t_start_ns, line.t_end_ns, line.text, source=line.source
                    ),
                    speaker=line.speaker,
                    vector=heard.vector,
                )
            )
        return found

    def _objects(self, segment: ClosedSegment) -> list[Observation]:
        found: list[Observation] = []
        for thing in segment.objects:
            track_id = f"{self._notes.recording}/{thing.label}-{thing.number}"
            found.append(
                replace(
                    self._notes.observation(
                        segment,
                        "object",
                        thing.t_start_ns,
                        max(thing.t_end_ns, thing.t_start_ns + 1),
                        describe_object(thing.label, thing.box),
                        confidence=thing.score,
                        source=self._models.detector.name if self._models.detector else "",
                        salt=track_id,
                    ),
                    label=thing.label,
                    track_id=track_id,
                    box=thing.box,
                )
            )
        return found

    # --- bundles ------------------------------------------------------------------------------------------------------

    def _bundles(self, pending: Sequence[_Pending]) -> list[tuple[ClosedSegment, EventBundle]]:
        parts: list[tuple[Event, list[Observation]]] = []
        for one in pending:
            ordered = sorted(one.observations, key=lambda o: (o.t_start_ns, o.kind, o.observation_id))
            unique = list({o.observation_id: o for o in ordered}.values())
            parts.append((self._event(one.segment, unique), unique))
        with self._stages.time("text"):
            vectors = self._embed([o for _, found in parts for o in found], [event.text for event, _ in parts])
        bundles: list[tuple[ClosedSegment, EventBundle]] = []
        for one, (event, found) in zip(pending, parts, strict=True):
            event = replace(event, vector=vectors[event.text]) if event.text else event
            found = [o if o.vector is not None else replace(o, vector=vectors[o.searched]) for o in found]
            bundle = EventBundle(
                event=event,
                moments=tuple(self._moment(m, event, found) for m in one.segment.moments),
                observations=tuple(found),
                keyframes=tuple(one.keyframes),
                facts=tuple(self._extract(event, found)),
            )
            bundles.append((one.segment, bundle))
        return bundles

    def _embed(self, observations: Sequence[Observation], texts: Sequence[str]) -> dict[str, FloatVector]:
        """Sentence vector of each text; object labels recur, so the last few hundred texts are kept."""
        wanted = {o.searched for o in observations if o.vector is None} | {text for text in texts if text}
        missing = sorted(text for text in wanted if text not in self._label_vectors)
        vectors = {text: self._label_vectors[text] for text in wanted if text in self._label_vectors}
        if missing:
            vectors |= dict(zip(missing, self._models.text.encode(missing), strict=True))
        for o in observations:
            if o.kind == "object" and o.text in vectors:
                self._label_vectors[o.text] = vectors[o.text]
                self._label_vectors.move_to_end(o.text)
        while len(self._label_vectors) > _LABEL_CACHE:
            self._label_vectors.popitem(last=False)
        return vectors

    def _event(self, segment: ClosedSegment, observations: Sequence[Observation]) -> Event:
        return Event(
            event_id=self._notes.event_id(segment),
            recording=self._notes.recording,
            level=Level.EVENT,
            t_start_ns=self._notes.base_ns + segment.t_start_ns,
            t_end_ns=self._notes.base_ns + segment.t_end_ns,
            strength=segment.strength,
            parent_id=None,  # the level builder knows
            children=tuple(
                event_id_for(self._notes.recording, Level.MOMENT, self._notes.base_ns + m.t_start_ns)
                for m in segment.moments
            ),
            text=describe_event(observations),
            kinds=tuple(sorted({o.kind for o in observations})),
        )

    def _moment(self, moment: Moment, event: Event, observations: Sequence[Observation]) -> Event:
        start_ns, end_ns = self._notes.base_ns + moment.t_start_ns, self._notes.base_ns + moment.t_end_ns
        inside = [o for o in observations if o.kind != "scene" and o.t_start_ns < end_ns and o.t_end_ns > start_ns]
        return Event(
            event_id=self._moment_id(moment),
            recording=self._notes.recording,
            level=Level.MOMENT,
            t_start_ns=start_ns,
            t_end_ns=end_ns,
            strength=moment.strength,
            parent_id=event.event_id,
            text=describe_event(inside),
            kinds=tuple(sorted({o.kind for o in inside})),
        )

    def _moment_id(self, moment: Moment) -> str:
        return event_id_for(self._notes.recording, Level.MOMENT, self._notes.base_ns + moment.t_start_ns)
