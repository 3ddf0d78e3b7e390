"""Memory: the one door. Opens a memory folder, writes what perception closed, recalls what planners ask.

Joins the writer, the reader and recall; holds no SQL and no scores. A writer's own reads commit what is queued first,
so they see everything that was written. Knows no model: an encoder is given.

Example:
    >>> import tempfile
    >>> from streammem.memory import Memory
    >>> from streammem.types import Event, EventBundle, Level, Query, event_id_for
    >>> folder = tempfile.mkdtemp()
    >>> with Memory.open(folder, write=True, create=True) as memory:
    ...     name = event_id_for("walk", Level.EVENT, 0)
    ...     event = Event(event_id=name, recording="walk", level=Level.EVENT, t_start_ns=0, t_end_ns=10**10,
    ...                   strength=1.0, parent_id=None, text="a dog runs along the beach")
    ...     memory.write(EventBundle(event=event))
    True
    >>> with Memory.open(folder) as memory:
    ...     memory.recall(Query(text="running dogs"))[0].text
    'a dog runs along the beach'
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from streammem.errors import InputError, MemoryFullError, MemoryStoreError
from streammem.letting_go import LettingGo
from streammem.protocols import QueryEncoder
from streammem.spatial_door import SpatialDoor
from streammem.types import (
    Event,
    EventBundle,
    Fact,
    Hit,
    KeyFrame,
    Level,
    Observation,
    ObservationKind,
    Query,
    Recording,
)

if TYPE_CHECKING:
    from streammem.semantic.habits import Habit
    from streammem.settings import StoreSettings
    from streammem.store.opening import Store
    from streammem.store.writer import Writer

logger = logging.getLogger(__name__)


class Memory(SpatialDoor, LettingGo):
    """A memory folder, open for reading, or for reading and writing. A context manager; `close()` is idempotent."""

    def __init__(self, folder: Path, *, store: Store, encoder: QueryEncoder | None) -> None:
        """Use `Memory.open`."""
        from streammem.recall.search import Recaller
        from streammem.semantic.beliefs import Beliefs
        from streammem.semantic.citations import Citations
        from streammem.store.forgetting import Forgetting

        reader, writer = store.reader, store.writer
        self.folder = folder
        self._reader = reader
        self._writer = writer
        self._lock = store.lock
        self._encoder = encoder
        self._recaller = Recaller(reader, encoder)
        self._beliefs = Beliefs(reader)
        self._citations = Citations(folder)
        if writer is not None:
            writer.beliefs = self._beliefs
        self._known: dict[str, set[str]] = {}
        self._histories = []
        self._forgetting = Forgetting(reader, store.tombstones)
        self._image_model = ""
        self._text_model = encoder.text_model if encoder is not None else ""

    def __repr__(self) -> str:
        return f"Memory({str(self.folder)!r}, {'writing' if self._writer else 'reading'})"

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        write: bool = False,
        create: bool = False,
        encoder: QueryEncoder | None = None,
        settings: StoreSettings | None = None,
    ) -> Self:
        """Opens a memory folder.

        Args:
            path: the folder.
            write: take the writer's lock, and remove what an interrupted writer left unfinished.
            create: make the memory where there is none (needs `write`).
            encoder: embeds queries. Without one, recall by text uses the full-text index alone.
            settings: batch and index sizes.

        Raises:
            MemoryNotFoundError: there is no memory, and `create` is off.
            MemoryLockedError: another process writes to it.
            MemoryVersionError: a newer StreamMem wrote it.
            MemoryFullError: the folder cannot be written to.
            MemoryStoreError: the folder is something else, or damaged.
        """
        from streammem.store.opening import open_store

        folder = Path(path).expanduser()
        store = open_store(folder, write=write, create=create, settings=settings)
        return cls(folder, store=store, encoder=encoder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Commits what is queued, optimises, lets the writer's lock go. Idempotent."""
        lock, self._lock = self._lock, None
        writer, self._writer = self._writer, None
        try:
            if writer is not None:
                self._close_histories()
                writer.close()
        finally:
            if lock is not None:
                lock.release()

    @property
    def encoder(self) -> QueryEncoder | None:
        """What queries are embedded with, if anything: planners judge words with the same vectors."""
        return self._encoder

    @property
    def is_writable(self) -> bool:
        """Whether it was opened for writing."""
        return self._writer is not None

    @property
    def is_being_written(self) -> bool:
        """Whether this or another process has it open for writing: else nothing in it is being ingested."""
        from streammem.store.lock import is_being_written

        return self._writer is not None or is_being_written(self.folder)

    # --- writing -------------------------------------------------------------------------------------------------

    def write(self, bundle: EventBundle) -> bool:
        """Queues a closed event with all that hangs on it; committed within a second, or by `flush()`, all or nothing.

        Returns:
            False when this event is in memory already, or was forgotten: nothing is written twice, and nothing comes
            back by itself.

        Raises:
            MemoryFullError: an earlier batch could not be committed. Nothing is lost: it is tried again.
        """
        from streammem.store import tables

        writer = self._writing()
        event = bundle.event
        known = self._known_ids(event.recording)
        if event.event_id in known:
            return False
        sifted = self._forgetting.sifted_bundle(bundle, encoder=self._encoder)
        if sifted is None:
            return False
        bundle, event = sifted, sifted.event
        text, image = self._text_model, self._image_model
        rows: dict[str, list[tables.Row]] = {
            tables.OBSERVATIONS: [tables.observation_row(one, model=text) for one in bundle.observations],
            tables.KEYFRAMES: [tables.keyframe_row(one, event=event, model=image) for one in bundle.keyframes],
            tables.FACTS: [tables.fact_row(one, event=event, model=text) for one in _distinct(bundle.facts)],
            tables.EVENTS: [tables.event_row(one, model=text) for one in (*bundle.moments, event)],
        }
        known.add(event.event_id)
        writer.put(rows)
        return True

    def write_segments(self, segments: Iterable[Event]) -> None:
        """Queues closed episodes, hours, days. Those already in memory are left as they are."""
        from streammem.store import tables

        writer = self._writing()
        new: list[Event] = []
        for segment in segments:
            known = self._known_ids(segment.recording)
            if segment.event_id not in known:
                known.add(segment.event_id)
                told = self._forgetting.sifted_segment(writer, segment)
                new += [told] if told is not None else []
        if new:
            writer.put({tables.EVENTS: [tables.event_row(one, model=self._text_model) for one in new]})

    def without_forgotten(self, observations: Iterable[Observation]) -> list[Observation]:
        """Those that may be remembered: what was forgotten must not come back by looking at its source again."""
        return self._forgetting.sifted_observations(tuple(observations))

    def write_observations(self, observations: Iterable[Observation]) -> None:
        """Queues more about events that are in memory (what looking again found). Known ids are left as they are.

        Raises:
            InputError: an observation names an event that is not in memory.
        """
        from streammem.store import tables
        from streammem.store.filters import Where

        writer = self._writing()
        by_id = {one.observation_id: one for one in self.without_forgotten(observations)}
        if not by_id:
            return
        event_ids = sorted({one.event_id for one in by_id.values()})
        self.flush()
        where = Where().among("event_id", event_ids)
        found = {row["event_id"] for row in self._reader.scan(tables.EVENTS, where, columns=["event_id"])}
        if unknown := [event_id for event_id in event_ids if event_id not in found]:
            raise InputError(f"Event {unknown[0]!r} is not in memory; write its bundle before more observations of it.")
        where = Where().among("observation_id", list(by_id))
        have = {
            row["observation_id"] for row in self._reader.scan(tables.OBSERVATIONS, where, columns=["observation_id"])
        }
        new = [one for name, one in by_id.items() if name not in have]
        if new:
            writer.put({tables.OBSERVATIONS: [tables.observation_row(one, model=self._text_model) for one in new]})
            self.flush()  # committed before the next call looks which ids are there

    def put_recording(self, recording: Recording) -> None:
        """Creates or replaces the row of a recording (status, gaps, checkpoint), committed after every bundle queued
        before it: a checkpoint never runs ahead of its events. Its `models` name the vector columns."""
        from streammem.store import tables

        writer = self._writing()
        self._learn_models(recording)
        recording = self._forgetting.sifted_recording(recording)
        writer.put({tables.RECORDINGS: [tables.recording_row(recording)]})

    def has_event(self, event_id: str) -> bool:
        """True for an event (or coarser segment) that is committed, or queued by this writer."""
        from streammem.store.filters import Where
        from streammem.store.tables import EVENTS

        if any(event_id in known for known in self._known.values()):
            return True
        return self._reader.count(EVENTS, Where().equals("event_id", event_id)) > 0

    def flush(self) -> None:
        """Commits what is queued.

        Raises:
            MemoryFullError: the disk is full or not writable. The rows stay queued, nothing committed is lost.
        """
        self._writing().flush()
        self._flush_histories()

    def compact(self) -> dict[str, Any]:
        """Optimises every table and drops every old version.

        Returns:
            `{"bytes_before", "bytes_after"}`, of the folder.
        """
        from streammem.store.inspect import folder_bytes

        writer = self._writing()
        before = folder_bytes(self.folder)
        writer.compact()
        self._compact_histories()
        return {"bytes_before": before, "bytes_after": folder_bytes(self.folder)}

    # --- reading -------------------------------------------------------------------------------------------------

    def recordings(self) -> list[Recording]:
        """By name."""
        from streammem.store import tables
        from streammem.store.filters import Where

        self._settle()
        rows = self._reader.scan(tables.RECORDINGS, Where(), order=("recording",))
        return [tables.recording_of(row) for row in rows]

    def recording(self, name: str) -> Recording | None:
        """One recording with its checkpoint; None where there is none of that name."""
        from streammem.store import tables
        from streammem.store.filters import Where

        self._settle()
        rows = self._reader.scan(tables.RECORDINGS, Where().equals("recording", name))
        return tables.recording_of(rows[0]) if rows else None

    def events(
        self,
        *,
        level: Level | None = Level.EVENT,
        event_ids: Sequence[str] | None = None,
        parent_ids: Sequence[str] | None = None,
        recordings: Sequence[str] | None = None,
        after_ns: int | None = None,
        before_ns: int | None = None,
        as_of_ns: int | None = None,
        limit: int | None = None,
    ) -> list[Event]:
        """Segments in order of (recording, start). Vectors are left out (None). `level=None`: any level."""
        from streammem.store import tables
        from streammem.store.filters import Where

        self._settle()
        where = Where().equals("level", None if level is None else level.value)
        where.among("event_id", event_ids).among("parent_id", parent_ids).among("recording", recordings)
        where.overlaps(after_ns, before_ns, as_of_ns)
        order = ("recording", "t_start_ns", "t_end_ns", "event_id")
        return [tables.event_of(row) for row in self._reader.scan(tables.EVENTS, where, order=order, limit=limit)]

    def children(self, event_id: str) -> list[Event]:
        """The segments of the next finer level inside this one."""
        return self.events(level=None, parent_ids=[event_id])

    def observations(
        self,
        *,
        event_ids: Sequence[str] | None = None,
        kinds: Sequence[ObservationKind] | None = None,
        labels: Sequence[str] | None = None,
        recordings: Sequence[str] | None = None,
        after_ns: int | None = None,
        before_ns: int | None = None,
        as_of_ns: int | None = None,
        limit: int | None = None,
    ) -> list[Observation]:
        """In order of (recording, start). Vectors are left out. `event_ids` are event-level ids."""
        from streammem.store import tables
        from streammem.store.filters import Where

        self._settle()
        where = Where().among("event_id", event_ids).among("kind", kinds).among("label", labels)
        where.among("recording", recordings).overlaps(after_ns, before_ns, as_of_ns)
        order = ("recording", "t_start_ns", "t_end_ns", "observation_id")
        rows = self._reader.scan(tables.OBSERVATIONS, where, order=order, limit=limit)
        return [tables.observation_of(row) for row in rows]

    def count_observations(self, *, kinds: Sequence[ObservationKind] | None = None) -> int:
        """How many observations of these kinds there are, without reading them."""
        from streammem.store.filters import Where
        from streammem.store.tables import OBSERVATIONS

        self._settle()
        return self._reader.count(OBSERVATIONS, Where().among("kind", kinds))

    def keyframes(
        self,
        *,
        event_ids: Sequence[str] | None = None,
        keyframe_ids: Sequence[str] | None = None,
        recordings: Sequence[str] | None = None,
        after_ns: int | None = None,
        before_ns: int | None = None,
        as_of_ns: int | None = None,
        with_thumbnails: bool = False,
        limit: int | None = None,
    ) -> list[KeyFrame]:
        """In order of (recording, time). Vectors are left out; thumbnails only if asked for (else b"").

        Times compare with `t_ns`: after `after_ns`, before `before_ns`, not later than `as_of_ns`.
        """
        from streammem.store import tables
        from streammem.store.filters import Where

        self._settle()
        where = Where().among("event_id", event_ids).among("keyframe_id", keyframe_ids).among("recording", recordings)
        where.compare("t_ns", ">", after_ns).compare("t_ns", "<", before_ns).compare("t_ns", "<=", as_of_ns)
        columns = [*tables.COLUMNS[tables.KEYFRAMES], *(["thumbnail_jpeg"] if with_thumbnails else [])]
        order = ("recording", "t_ns", "keyframe_id")
        rows = self._reader.scan(tables.KEYFRAMES, where, columns=columns, order=order, limit=limit)
        return [tables.keyframe_of(row) for row in rows]

    def facts(
        self,
        *,
        subject: str | None = None,
        predicate: str | None = None,
        as_of_ns: int | None = None,
        recordings: Sequence[str] | None = None,
        limit: int | None = None,
        every_event: bool = True,
        without: Sequence[str] = (),
    ) -> list[Fact]:
        """Consolidated facts in order of (recording, start); the subject compares without case. What is told of people
        by name adds up over the recordings that have the wall clock, and is of the one in which it was told first.

        Args:
            recordings: as if there were no others.
            as_of_ns: the facts that held at a time, as they were known then. Without: every interval, closed ones too.
            every_event: name all the events that a fact comes from; else the first and the newest, which costs less
                for what was stated hundreds of times.
            without: predicates to leave out.

        Habits that were learned are among them where `predicate="usually"` is asked for; see `habits`.
        """
        from streammem.semantic.consolidation import in_order
        from streammem.semantic.habits import USUALLY

        self._settle()
        found = self._beliefs.facts(
            subject=subject,
            predicate=predicate,
            as_of_ns=as_of_ns,
            recordings=recordings,
            limit=limit,
            every_event=every_event,
            without=without,
        )
        if predicate == USUALLY:
            habits = self._beliefs.habits(subject=subject, as_of_ns=as_of_ns, recordings=recordings)
            found = in_order([*found, *(habit.fact() for habit in habits)])[:limit]
        return found

    def habits(
        self,
        *,
        subject: str | None = None,
        as_of_ns: int | None = None,
        recordings: Sequence[str] | None = None,
    ) -> list[Habit]:
        """What somebody does on most of the observed days, surest first: learned from repetition, with the days it was
        seen on, its usual time, and every event that shows it. As it was known at `as_of_ns`."""
        self._settle()
        return self._beliefs.habits(subject=subject, as_of_ns=as_of_ns, recordings=recordings)

    def recall(self, query: Query) -> list[Hit]:
        """Hybrid recall: dense text over observations and events, full text, image-text over key frames, facts; fused
        with calibrated scores, filtered exactly, best first, at most `query.k`. Without text and image: nothing.

        Raises:
            InputError: `k` is not positive, or the example picture is not uint8 (H, W, 3).
        """
        self._settle()
        return self._recaller.recall(query)

    def recall_level(self, query: Query, *, level: Level) -> list[Hit]:
        """Like `recall`, over the segments of one level only: the coarse steps of coarse-to-fine."""
        self._settle()
        return self._recaller.recall_level(query, level=level)

    def info(self) -> dict[str, Any]:
        """What the memory holds: recordings, spans, rows per table and level, bytes, versions, models, gaps."""
        from streammem.store.inspect import describe

        self._settle()
        return describe(self._reader, self.recordings())

    # --- inside --------------------------------------------------------------------------------------------------

    def _writing(self) -> Writer:
        if self._writer is None:
            raise MemoryStoreError(f"Memory {str(self.folder)!r} is not open for writing; open it with write=True.")
        return self._writer

    def _settle(self) -> None:
        """Commits what is queued, so that a writer reads what it wrote."""
        if self._writer is None or not self._writer.queued():
            return
        try:
            self._writer.flush()
        except MemoryFullError as error:
            # Reading must work on a full disk; the next write or flush raises.
            logger.warning("reading without the newest %d rows: %s", self._writer.queued(), error)

    def _learn_models(self, recording: Recording) -> None:
        self._image_model = recording.models.get("image") or self._image_model
        if self._encoder is None:
            self._text_model = recording.models.get("text") or self._text_model

    def _known_ids(self, recording: str) -> set[str]:
        """Ids of the events and coarser segments of a recording, in memory or queued: read once, then kept."""
        from streammem.store.filters import Where
        from streammem.store.tables import EVENTS, RECORDINGS, recording_of

        if recording not in self._known:
            # A resumed run may write before it puts its recording: the columns stay those of the run before.
            saved = self._reader.scan(RECORDINGS, Where().equals("recording", recording))
            if saved:
                self._learn_models(recording_of(saved[0]))
            where = Where().equals("recording", recording).add(f"level <> '{Level.MOMENT.value}'")
            rows = self._reader.scan(EVENTS, where, columns=["event_id"])
            self._known[recording] = {row["event_id"] for row in rows}
        return self._known[recording]


def _distinct(facts: Iterable[Fact]) -> list[Fact]:
    """One assertion per statement and speaker: an event says a thing once, however often it was seen inside."""
    one_each = {(one.subject, one.predicate, one.object, *one.stated_by): one for one in reversed(tuple(facts))}
    return list(one_each.values())[::-1]
