"""Watching: folds the items of a source, in order of time, into closed events' raw material.

The only place where segmentation, key frames, objects and speech meet. Knows no recogniser, no embedding and no memory:
what is expensive is done once per event by `perception.describe`. State is bounded by the longest event. A closed
event carries a checkpoint where nothing is left open (nobody is in mid-sentence), from which a fresh `Watcher` goes on
exactly as this one would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from perception.keyframes import KeyFramePicker
from perception.lines import LineVectors
from perception.objects import ObjectSpan, ObjectWatcher
from perception.protocols import (
    AudioBlock,
    Look,
    ObjectDetector,
    SideGap,
    SourceInfo,
    SourceItem,
    TrackLine,
    VideoFrame,
    VoiceActivity,
)
from perception.segmentation.boundaries import Boundary, BoundaryDetector, Signals, strength_of
from perception.segmentation.novelty import Novelty, VisualNovelty
from perception.segmentation.speech import Utterance, UtteranceTracker
from perception.segmentation.topic import TopicDrift
from perception.state import State
from perception.tracking import Track
from streammem.settings import SegmentationSettings
from streammem.types import FloatVector, Gap

STANDS_S = 600.0
"""A picture stands until the next one, a slide for minutes; longer, it is rather the clock that jumped."""
_MOMENT_STRENGTH = 0.3
_MOMENT_MIN_NS = 500_000_000
_LAST_FRAME_NS = 1_000_000_000
_STILL = Novelty(cut=0.0, drift=0.0, burst=0.0, motion=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    t_start_ns: int
    t_end_ns: int
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardLine:
    """A caption-track line, with its sentence vector where it was needed for segmentation already."""

    line: TrackLine
    vector: FloatVector | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedSegment:
    """Everything an event's description is made from."""

    t_start_ns: int
    t_end_ns: int
    strength: float
    moments: tuple[Moment, ...]
    frames: tuple[VideoFrame, ...] = ()
    objects: tuple[ObjectSpan, ...] = ()
    utterances: tuple[Utterance, ...] = ()
    lines: tuple[HeardLine, ...] = ()
    gap: Gap | None = None
    """The hole in the recording that ended this event, if one did."""
    checkpoint: State | None = field(default=None, repr=False)


class Watcher:
    """One recording's watcher.

    Args:
        info: the source's, to know which kinds of item will come.
        voice, detector: None where the recording or the config has none.
        keep_identity: who comes back gets the number of before.
    """

    def __init__(
        self,
        info: SourceInfo,
        settings: SegmentationSettings,
        *,
        voice: VoiceActivity | None = None,
        detector: ObjectDetector | None = None,
        keep_identity: bool = False,
    ) -> None:
        self._settings = settings
        self._info = info
        self._novelty = VisualNovelty()
        self._topic = TopicDrift()
        self._boundaries = BoundaryDetector(settings)
        self._speech = UtteranceTracker(voice) if voice is not None and info.has_audio else None
        self._objects = None
        if detector is not None and info.has_video:
            self._objects = ObjectWatcher(detector, keep_identity=keep_identity)
        self._picker = KeyFramePicker()
        self._strength = 1.0  # of the boundary that opened the event
        self._moments: list[tuple[int, float]] = []  # start and strength of each moment of the open event
        self._utterances: list[Utterance] = []
        self._lines: list[HeardLine] = []
        self._frame_ns: int | None = None
        self._previous_frame_ns: int | None = None
        self._audio_end_ns = 0
        self._line_start_ns = -1
        self._lines_at_start = 0
        self._end_ns = 0  # end of everything seen so far
        self._turnover = 0.0  # of the tracked objects, as of the frame before
        self._resumed_at_ns: int | None = None
        self._resumed_at_line: tuple[int, int] | None = None  # start of the last line read, and how many began there

    # --- the fold -----------------------------------------------------------------------------------------------------

    def watch(self, item: SourceItem, *, vectors: LineVectors | None = None) -> Iterator[ClosedSegment]:
        """Takes the next item; yields the events that it closes. `vectors`: of a line, where there are only lines."""
        if isinstance(item, VideoFrame):
            yield from self._watch_frame(item)
        elif isinstance(item, AudioBlock):
            yield from self._hear(item)
        elif isinstance(item, TrackLine):
            yield from self._read(item, vectors)
        elif not isinstance(item, SideGap | Look):
            yield from self._miss(item)

    def finish(self) -> Iterator[ClosedSegment]:
        """The source ended: closes the open event."""
        if self._speech is not None:
            self._utterances += self._speech.finish()
        duration_ns = self._info.duration_ns or self._last_frame_end_ns()
        if 0 < duration_ns - self._end_ns < _LAST_FRAME_NS:
            self._end_ns = duration_ns  # the last sampled frame is shown until the end
        if self._boundaries.start_ns is not None and self._end_ns > self._boundaries.start_ns:
            yield from self._overdue(self._end_ns - 1)
            yield self._close(Boundary(t_ns=self._end_ns, strength=1.0), clean=False)

    def _last_frame_end_ns(self) -> int:
        """Where the duration is not known: the last frame is shown as long as the one before it was."""
        start_ns = self._boundaries.start_ns
        if self._frame_ns is None or self._previous_frame_ns is None or start_ns is None or self._frame_ns < start_ns:
            return 0
        return 2 * self._frame_ns - self._previous_frame_ns

    def detected_at(self, t_ns: int) -> tuple[Track, ...]:
        """What the detector saw in the frame of that time; empty where it did not look."""
        return self._objects.detected_at(t_ns) if self._objects is not None else ()

    # --- resuming -----------------------------------------------------------------------------------------------------

    def resume(self, state: State) -> int:
        """Takes up a checkpoint. Returns the time to stream the source from."""
        self._novelty.set_state(state["novelty"])
        self._topic.set_state(state["topic"])
        self._boundaries.set_state(state["boundaries"])
        if self._speech is not None and state["speech"] is not None:
            self._speech.set_state(state["speech"])
        if self._objects is not None and state["objects"] is not None:
            self._objects.set_state(state["objects"])
        self._strength = state["strength"]
        self._frame_ns, self._previous_frame_ns = state["frame_ns"], state["previous_frame_ns"]
        self._audio_end_ns, self._end_ns = state["audio_end_ns"], state["end_ns"]
        self._line_start_ns, self._lines_at_start = state["line_start_ns"], state["lines_at_start"]
        self._resumed_at_line = (self._line_start_ns, self._lines_at_start)
        self._resumed_at_ns = self._frame_ns
        start_ns = self._boundaries.start_ns
        assert start_ns is not None
        self._open(start_ns)
        times = [start_ns]
        if self._info.has_video:
            # A second early: a source starts at a tick, and a frame may stand anywhere between its tick and the next.
            times.append((self._previous_frame_ns or 0) - 1_000_000_000)
        if self._info.has_audio:
            times.append(self._audio_end_ns)
        if self._line_start_ns >= 0:
            times.append(self._line_start_ns)
        return max(0, min(times))

    def _state(self) -> State | None:
        """Checkpoint of the instant at which an event was just closed; None where something is left open."""
        if self._speech is not None and self._speech.in_speech:
            return None
        return {
            "novelty": self._novelty.get_state(),
            "topic": self._topic.get_state(),
            "boundaries": self._boundaries.get_state(),
            "speech": self._speech.get_state() if self._speech is not None else None,
            "objects": self._objects.get_state() if self._objects is not None else None,
            "strength": self._strength,
            "frame_ns": self._frame_ns,
            "previous_frame_ns": self._previous_frame_ns,
            "audio_end_ns": self._audio_end_ns,
            "end_ns": self._end_ns,
            "line_start_ns": self._line_start_ns,
            "lines_at_start": self._lines_at_start,
        }

    # --- frames -------------------------------------------------------------------------------------------------------

    def _watch_frame(self, frame: VideoFrame) -> Iterator[ClosedSegment]:
        if self._resumed_at_ns is not None:
            if frame.t_ns < self._resumed_at_ns:
                if self._objects is not None:
                    self._objects.prime(frame)
                return
            resumed_at_ns, self._resumed_at_ns = self._resumed_at_ns, None
            if frame.t_ns == resumed_at_ns:  # this frame closed the last event and opens the next one
                self._observe(frame, motion=0.0)
                return
        if self._is_silent(frame.t_ns):
            heard_ns = max(self._end_ns, self._audio_end_ns)
            hole = Gap(t_start_ns=heard_ns, t_end_ns=frame.t_ns, reason="there is no picture")
            yield from self._break(hole, keep_gap=True)
        yield from self._overdue(frame.t_ns)
        self._previous_frame_ns, self._frame_ns = self._frame_ns, frame.t_ns
        self._end_ns = max(self._end_ns, frame.t_ns + 1)
        if self._boundaries.start_ns is None:
            self._start(0 if frame.t_ns < 1_000_000_000 else frame.t_ns)
        novelty = self._novelty.update(frame.image_rgb, t_ns=frame.t_ns)
        signals = Signals(
            cut=novelty.cut,
            drift=novelty.drift,
            burst=novelty.burst,
            turnover=self._turnover,
            pause_s=self._pause_s(),
            in_speech=self._speech is not None and self._speech.in_speech,
        )
        boundary = self._boundaries.update(signals, t_ns=frame.t_ns)
        if boundary is not None:
            self._novelty.start_event()
            yield self._close(boundary)
            self._observe(frame, motion=0.0)
            return
        self._step_moment(frame.t_ns, strength_of(signals))
        self._observe(frame, motion=novelty.motion)

    def _observe(self, frame: VideoFrame, *, motion: float) -> None:
        self._picker.offer(frame)
        if self._objects is not None:
            self._turnover = self._objects.step(frame, motion=motion)

    # --- sound, lines, holes ------------------------------------------------------------------------------------------

    def _hear(self, block: AudioBlock) -> Iterator[ClosedSegment]:
        end_ns = block.t_ns + len(block.samples) * 62_500  # 16 kHz
        if end_ns <= self._audio_end_ns and self._audio_end_ns > 0:
            return  # already heard before the checkpoint
        self._audio_end_ns = end_ns
        if self._speech is not None:
            self._utterances += self._speech.feed(block.samples, t_ns=block.t_ns)
        if self._info.has_video:
            return  # frames set the pace
        if self._boundaries.start_ns is None:
            self._start(block.t_ns)
        yield from self._overdue(end_ns)
        self._end_ns = max(self._end_ns, end_ns)
        signals = Signals(pause_s=self._pause_s(), in_speech=self._speech is not None and self._speech.in_speech)
        boundary = self._boundaries.update(signals, t_ns=end_ns)
        if boundary is not None:
            yield self._close(boundary)
        else:
            self._step_moment(end_ns, strength_of(signals))

    def _read(self, line: TrackLine, vectors: LineVectors | None) -> Iterator[ClosedSegment]:
        if self._resumed_at_line is not None:
            start_ns, already = self._resumed_at_line
            if line.t_start_ns < start_ns:
                return
            if line.t_start_ns == start_ns and already > 0:
                self._resumed_at_line = (start_ns, already - 1)
                return
            self._resumed_at_line = None
            already_paced = True  # this line closed the event before the checkpoint
        else:
            already_paced = False
        if not self._info.has_video and not self._info.has_audio:
            if not already_paced:
                yield from self._pace_by_lines(line, vectors)
            self._end_ns = max(self._end_ns, line.t_end_ns)
        if line.t_start_ns != self._line_start_ns:
            self._line_start_ns, self._lines_at_start = line.t_start_ns, 0
        self._lines_at_start += 1
        if vectors is not None:
            self._topic.add(vectors.own)
        self._lines.append(HeardLine(line=line, vector=vectors.own if vectors is not None else None))

    def _pace_by_lines(self, line: TrackLine, vectors: LineVectors | None) -> Iterator[ClosedSegment]:
        t_ns = line.t_start_ns
        start_ns = self._boundaries.start_ns
        pause_s = max(0.0, (t_ns - self._end_ns) / 1e9)
        if start_ns is None:
            self._start(t_ns)
        elif pause_s > self._settings.event_max_s:
            hole = Gap(t_start_ns=self._end_ns, t_end_ns=t_ns, reason="nothing was captioned")
            yield from self._break(hole, keep_gap=False)
        else:
            yield from self._overdue(t_ns)
            topic = self._topic.before(vectors.ahead) if vectors is not None else 0.0
            signals = Signals(topic=topic, pause_s=pause_s)
            boundary = self._boundaries.update(signals, t_ns=t_ns)
            if boundary is not None:
                yield self._close(boundary)
            else:
                self._step_moment(t_ns, strength_of(signals))

    def _miss(self, gap: Gap) -> Iterator[ClosedSegment]:
        """A hole in the recording ends the event before it."""
        if self._boundaries.start_ns is None or gap.t_start_ns <= self._boundaries.start_ns:
            return
        yield from self._break(gap, keep_gap=True)

    def _break(self, gap: Gap, *, keep_gap: bool) -> Iterator[ClosedSegment]:
        if self._speech is not None:
            self._utterances += self._speech.finish()
        yield from self._overdue(gap.t_start_ns - 1)
        end_ns = max(gap.t_start_ns, (self._boundaries.start_ns or 0) + 1)
        yield self._close(
            Boundary(t_ns=end_ns, strength=1.0), next_start_ns=gap.t_end_ns, gap=gap if keep_gap else None
        )
        if self._objects is not None:
            self._objects.cut(gap.t_end_ns)

    # --- events and moments -------------------------------------------------------------------------------------------

    def _start(self, t_ns: int) -> None:
        self._boundaries.start(t_ns)
        self._strength = 1.0
        self._open(t_ns)

    def _open(self, t_ns: int) -> None:
        self._picker.start(t_ns)
        self._topic.start_event()
        self._turnover = 0.0
        self._moments = [(t_ns, self._strength)]

    def _is_silent(self, t_ns: int) -> bool:
        """Whether nothing at all came for longer than a picture stands, and than the longest event: then there is
        nothing to make events of, and a clock that jumped by a year would fill the memory with a million empty ones."""
        if self._boundaries.start_ns is None:
            return False
        heard_ns = max(self._end_ns, self._audio_end_ns)
        return t_ns - heard_ns > max(self._settings.event_max_s, STANDS_S) * 1e9

    def _overdue(self, t_ns: int) -> Iterator[ClosedSegment]:
        while (boundary := self._boundaries.overdue(t_ns)) is not None:
            yield self._close(boundary, clean=False)

    def _close(
        self, boundary: Boundary, *, next_start_ns: int | None = None, gap: Gap | None = None, clean: bool = True
    ) -> ClosedSegment:
        start_ns = self._moments[0][0]
        self._fill_moments(boundary.t_ns)
        starts = [t for t, _ in self._moments] + [boundary.t_ns]
        moments = tuple(
            Moment(t_start_ns=t, t_end_ns=starts[index + 1], strength=strength)
            for index, (t, strength) in enumerate(self._moments)
            if starts[index + 1] > t
        )
        objects = self._objects.take(start_ns, boundary.t_ns) if self._objects is not None else ()
        if boundary.is_cut and self._objects is not None:
            self._objects.cut(boundary.t_ns)
        frames, utterances, lines = self._picker.take(), tuple(self._utterances), tuple(self._lines)
        # Here and not where an event opens: what was said before the first picture belongs to the first event.
        self._utterances, self._lines = [], []
        opened_with, self._strength = self._strength, boundary.strength
        if next_start_ns is not None:
            self._boundaries.start(next_start_ns)
        self._open(next_start_ns if next_start_ns is not None else boundary.t_ns)
        return ClosedSegment(
            t_start_ns=start_ns,
            t_end_ns=boundary.t_ns,
            strength=opened_with,
            moments=moments,
            frames=frames,
            objects=objects,
            utterances=utterances,
            lines=lines,
            gap=gap,
            checkpoint=self._state() if clean and gap is None else None,
        )

    def _step_moment(self, t_ns: int, strength: float) -> None:
        self._fill_moments(t_ns)
        if strength >= _MOMENT_STRENGTH and t_ns - self._moments[-1][0] >= _MOMENT_MIN_NS:
            self._moments.append((t_ns, strength))

    def _fill_moments(self, t_ns: int) -> None:
        """Cuts moments at their maximum duration up to `t_ns`."""
        longest_ns = round(self._settings.moment_max_s * 1e9)
        while t_ns - self._moments[-1][0] > longest_ns:
            self._moments.append((self._moments[-1][0] + longest_ns, 0.0))

    def _pause_s(self) -> float | None:
        """Seconds of silence, if somebody spoke in the open event."""
        if self._speech is None or not (self._utterances or self._speech.in_speech):
            return None
        return self._speech.pause_s(self._audio_end_ns)
