"""The pipeline: streams a source through watching and describing into the memory, resumably.

Three threads and two bounded queues: the source decodes in its own, the caller's watches, one describes and writes. So
two cores stay busy and memory stays bounded. What a robot saw of the space around it goes into the spatial memory of
the same folder, by the thread that writes. Knows no model and no storage beyond their Protocols and `Memory`.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Literal

from perception.describe import Describer
from perception.lines import LineVectors, with_vectors
from perception.models.registry import Models
from perception.protocols import Look, Source, SourceItem, TrackLine, VideoFrame
from perception.stages import Stages
from perception.state import State, dump_state, load_state
from perception.watch import ClosedSegment, Watcher
from streammem.episodic.levels import LevelBuilder
from streammem.errors import ConfigError, SourceBrokenError
from streammem.memory import Memory
from streammem.protocols import FactExtractor
from streammem.settings import Settings
from streammem.spatial.observations import ObjectDetection
from streammem.types import EventBundle, Gap, Recording, stable_id

if TYPE_CHECKING:
    from streammem.spatial.spatial_memory import SpatialMemory

logger = logging.getLogger(__name__)

_QUEUE_SEGMENTS = 4
"""Closed events that may wait for description; each holds at most three frames and 30 s of sound."""
_CHECKPOINT_EVERY_S = 1.0
_PROGRESS_EVERY_S = 0.1
_MOST_PROBLEMS = 20
"""Of different words, told as gaps; the log has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestProgress:
    """Where a running ingest is. `duration_s` is None where the source does not know it."""

    recording: str
    position_s: float
    duration_s: float | None
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What one ingest did. `seconds` is wall time; `stages` the processor seconds of each stage."""

    recording: str
    status: str
    """`complete`, `broken` (what came before is kept), `interrupted`, or `already in memory`."""
    duration_s: float
    events: int
    """Events written by this run; a resumed run does not count those of the run before."""
    observations: int
    keyframes: int
    seconds: float
    resumed_from_s: float | None = None
    gaps: tuple[Gap, ...] = ()
    dropped: int = 0
    problem: str | None = None
    stages: dict[str, float] = field(default_factory=dict[str, float])


class _End(Enum):
    """What the watching thread says last."""

    FINISHED = "describe what is pending"
    STOPPED = "leave what is pending to a later run"


class Pipeline:
    """Ingests sources into one memory.

    Args:
        memory: open for writing.
        extractor: reads facts out of events; rules where none is given.
    """

    def __init__(
        self, settings: Settings, models: Models, memory: Memory, *, extractor: FactExtractor | None = None
    ) -> None:
        self._extractor = extractor
        self._settings = settings
        self._models = models
        self._memory = memory

    def run(
        self,
        source: Source,
        *,
        base_ns: int = 0,
        progress: Callable[[IngestProgress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> IngestReport:
        """Ingests one source from its start, or from where an earlier run was interrupted.

        Args:
            base_ns: when the recording started, on the memory's timeline.
            cancel: stops early and cleanly when set; a later run goes on from there. A live source ends there.

        Raises:
            ConfigError: the recording was begun with other models.
            StreamMemError: what the memory raises; a source that breaks in the middle is reported, not raised.
        """
        run = _Run(self._settings, self._models, self._memory, source, base_ns=base_ns, extractor=self._extractor)
        return run.execute(progress=progress, cancel=cancel or threading.Event())


class _Run:
    """One ingest of one source."""

    def __init__(
        self, settings: Settings, models: Models, memory: Memory, source: Source, *, base_ns: int,
        extractor: FactExtractor | None,
    ) -> None:  # fmt: skip
        self._started = time.perf_counter()
        self._settings, self._models, self._memory, self._source = settings, models, memory, source
        info = source.info
        self._stages = Stages()
        self._known = memory.recording(info.recording)
        self._recording = self._known or Recording(
            recording=info.recording,
            uri=info.uri,
            fingerprint=info.fingerprint,
            t_start_ns=base_ns,
            t_end_ns=base_ns,
            status="ingesting",
            has_video=info.has_video,
            has_audio=info.has_audio,
            models=self._recording_models(),
        )
        self._base_ns = self._recording.t_start_ns
        self._watcher = Watcher(
            info,
            settings.segmentation,
            voice=models.voice if info.has_audio else None,
            detector=models.detector if info.has_video else None,
            keep_identity=settings.objects.keep_identity,
        )
        self._describer = Describer(
            models,
            recording=info.recording,
            base_ns=self._base_ns,
            is_live=info.is_live,
            stages=self._stages,
            extractor=extractor,
        )
        self._levels = LevelBuilder(info.recording, settings.segmentation)
        self._segments: queue.Queue[ClosedSegment | Gap | Look | _End] = queue.Queue(_QUEUE_SEGMENTS)
        self._space: SpatialMemory | None = None
        self._problems: dict[str, tuple[int, int]] = {}
        """What could not be used of looks: when it was so first and last."""
        self._failure: BaseException | None = None
        self._events = self._observations = self._keyframes = 0
        self._last_checkpoint = 0.0

    def execute(self, *, progress: Callable[[IngestProgress], None] | None, cancel: threading.Event) -> IngestReport:
        if self._known is not None and self._known.status == "complete":
            return self._report("already in memory")
        resume = self._resume_state()
        from_ns = 0
        if resume is not None:
            self._levels.set_state(resume["levels"])
            from_ns = self._watcher.resume(resume["watcher"])
        else:
            self._memory.put_recording(self._recording)
            from_ns = self._followed_until_ns() if self._is_only_path else 0
        worker = threading.Thread(target=self._describe_all, name="describe", daemon=True)
        worker.start()
        problem: str | None = None
        try:
            problem = self._watch_all(from_ns, progress, cancel)
        except BaseException:
            self._put(_End.STOPPED)
            worker.join()
            raise
        self._put(_End.STOPPED if self._is_stopped(cancel) else _End.FINISHED)
        worker.join()
        if self._failure is not None:
            raise self._failure
        if self._is_stopped(cancel):
            self._memory.flush()
            return self._report("interrupted", resumed_from_ns=from_ns if resume else None)
        status = "broken" if problem else "complete"
        self._finish(status)
        return self._report(status, problem=problem, resumed_from_ns=from_ns if resume else None)

    @property
    def _is_only_path(self) -> bool:
        """Whether nothing but poses comes: then no event tells how far it got."""
        info = self._source.info
        return not (info.has_video or info.has_audio or info.has_captions)

    def _followed_until_ns(self) -> int:
        times_ns = self._opened_space().path().t_ns
        return max(0, int(times_ns[-1]) + 1 - self._base_ns) if len(times_ns) else 0

    def _is_stopped(self, cancel: threading.Event) -> bool:
        """Whether to leave the rest to a later run. What is live cannot be gone back to: stopping it is its end."""
        return cancel.is_set() and not self._source.info.is_live

    # --- watching (the caller's thread) -------------------------------------------------------------------------------

    def _watch_all(
        self, from_ns: int, progress: Callable[[IngestProgress], None] | None, cancel: threading.Event
    ) -> str | None:
        """Returns what broke, if the source did."""
        problem: str | None = None
        told = 0.0
        items = self._items(from_ns)
        while True:
            try:
                item, vectors = next(items)
            except StopIteration:
                break
            except SourceBrokenError as error:
                problem = str(error)
                break
            with self._stages.time("watch"):
                closed = list(self._watcher.watch(item, vectors=vectors))
            for segment in closed:
                self._put(segment)
            if isinstance(item, VideoFrame) and item.look is not None:
                self._put(self._with_detections(item.look))
            if isinstance(item, Look):
                self._put(item)
            if isinstance(item, Gap):
                self._put(item)  # also one that ends no event: at the start, or inside the hole of the other stream
            if self._failure is not None or self._is_stopped(cancel):
                return None
            if cancel.is_set():
                break
            if progress is not None and time.perf_counter() - told > _PROGRESS_EVERY_S:
                told = time.perf_counter()
                progress(self._progress(item))
        for segment in self._watcher.finish():
            self._put(segment)
        return problem

    def _items(self, from_ns: int) -> Iterator[tuple[SourceItem, LineVectors | None]]:
        """The source's items; where they are nothing but lines, with the vectors that segmentation needs."""
        info, items = self._source.info, self._source.stream(from_ns=from_ns)
        if info.has_video or info.has_audio:
            return ((item, None) for item in items)
        return with_vectors(items, self._models.text, self._stages)

    def _with_detections(self, look: Look) -> Look:
        """Where the source does not know what is in view, what the detector found, on the frames that it looked at."""
        if look.detections or look.depth_m is None:
            return look
        tracks = self._watcher.detected_at(look.t_ns)
        found = tuple(ObjectDetection(label=one.label, score=one.best_score, box=one.seen_box) for one in tracks)
        return replace(look, detections=found)

    def _put(self, segment: ClosedSegment | Gap | Look | _End) -> None:
        while self._failure is None:
            try:
                self._segments.put(segment, timeout=0.2)
            except queue.Full:
                continue
            return

    # --- describing and writing (one worker thread) -------------------------------------------------------------------

    def _describe_all(self) -> None:
        try:
            while not isinstance(segment := self._segments.get(), _End):
                if isinstance(segment, Gap):
                    self._add_gap(segment)
                elif isinstance(segment, Look):
                    self._observe(segment)
                else:
                    if segment.gap is not None:  # one that the watcher found; the source's own is added once
                        self._add_gap(segment.gap)
                    self._write(self._describer.add(segment))
            if segment is _End.FINISHED:
                self._write(self._describer.flush())
            for problem, (first_ns, last_ns) in self._problems.items():
                self._add_gap(Gap(t_start_ns=first_ns, t_end_ns=last_ns + 1, reason=problem.removesuffix(".")))
            if self._space is not None:
                self._space.close()
        except BaseException as error:  # handed to the caller's thread, which raises it
            self._failure = error

    def _observe(self, look: Look) -> None:
        with self._stages.time("space"):
            if self._is_only_path:
                self._recording = replace(self._recording, t_end_ns=self._base_ns + look.t_ns)
            for problem in self._opened_space().observe(replace(look, t_ns=self._base_ns + look.t_ns)).problems:
                logger.warning("%s at %.1f s: %s", self._recording.recording, look.t_ns / 1e9, problem)
                first_ns, _ = self._problems.get(problem, (look.t_ns, 0))
                if problem in self._problems or len(self._problems) < _MOST_PROBLEMS:
                    self._problems[problem] = first_ns, look.t_ns

    def _opened_space(self) -> SpatialMemory:
        if self._space is None:
            from streammem.spatial.spatial_memory import SpatialMemory

            self._space = SpatialMemory.open(self._memory, recording=self._recording.recording, write=True)
            if self._source.info.room_boxes:
                self._space.name_rooms(self._source.info.room_boxes)
        return self._space

    def _write(self, described: Sequence[tuple[ClosedSegment, EventBundle]]) -> None:
        if not described:
            return
        with self._stages.time("write"):
            for _, bundle in described:
                event, coarser = self._levels.add(bundle.event)
                self._memory.write_segments(coarser)
                if self._memory.write(replace(bundle, event=event)):
                    self._events += 1
                    self._observations += len(bundle.observations)
                    self._keyframes += len(bundle.keyframes)
            self._checkpoint(described[-1][0])

    def _checkpoint(self, segment: ClosedSegment) -> None:
        """Saves where a later run can go on: only where no event is open or pending."""
        self._recording = replace(self._recording, t_end_ns=self._base_ns + segment.t_end_ns)
        now = time.perf_counter()
        if segment.checkpoint is None or now - self._last_checkpoint < _CHECKPOINT_EVERY_S:
            return
        self._last_checkpoint = now
        state: State = {"watcher": segment.checkpoint, "levels": self._levels.get_state()}
        self._memory.put_recording(replace(self._recording, checkpoint=dump_state(state), dropped=self._source.dropped))

    def _add_gap(self, gap: Gap) -> None:
        shifted = Gap(
            t_start_ns=self._base_ns + gap.t_start_ns, t_end_ns=self._base_ns + gap.t_end_ns, reason=gap.reason
        )
        if shifted not in self._recording.gaps:
            self._recording = replace(self._recording, gaps=(*self._recording.gaps, shifted))

    # --- bookkeeping --------------------------------------------------------------------------------------------------

    def _resume_state(self) -> State | None:
        if self._known is None:
            return None
        if self._known.models != self._recording_models():
            raise ConfigError(
                f"Recording {self._known.recording!r} was begun with another config; finish it with that one, "
                "or ingest into another memory folder."
            )
        if self._known.checkpoint is None or self._source.info.is_live:
            return None
        try:
            return load_state(self._known.checkpoint)
        except ValueError:
            logger.warning("The checkpoint of %r cannot be read; reading it from its start.", self._known.recording)
            return None

    def _recording_models(self) -> dict[str, str]:
        """Names of the models, and a digest of what else decides where events begin."""
        segmentation, source = self._settings.segmentation, self._settings.source
        digest = stable_id(segmentation.model_dump_json(), source.sample_fps, source.analysis_height)
        return {**self._models.names(), "config": digest}

    def _finish(self, status: Literal["complete", "broken"]) -> None:
        with self._stages.time("write"):
            self._memory.write_segments(self._levels.finish())
            self._recording = replace(self._recording, status=status, checkpoint=None, dropped=self._source.dropped)
            self._memory.put_recording(self._recording)
            self._memory.flush()

    def _progress(self, item: SourceItem) -> IngestProgress:
        duration_ns = self._source.info.duration_ns
        return IngestProgress(
            recording=self._recording.recording,
            position_s=(item.t_start_ns if isinstance(item, TrackLine | Gap) else item.t_ns) / 1e9,
            duration_s=duration_ns / 1e9 if duration_ns is not None else None,
            events=self._events,
        )

    def _report(self, status: str, *, problem: str | None = None, resumed_from_ns: int | None = None) -> IngestReport:
        return IngestReport(
            recording=self._recording.recording,
            status=status,
            duration_s=(self._recording.t_end_ns - self._base_ns) / 1e9,
            events=self._events,
            observations=self._observations,
            keyframes=self._keyframes,
            seconds=time.perf_counter() - self._started,
            resumed_from_s=resumed_from_ns / 1e9 if resumed_from_ns is not None else None,
            gaps=self._recording.gaps,
            dropped=self._source.dropped,
            problem=problem,
            stages=self._stages.seconds,
        )
