"""Memory: the one door. Opens a memory folder, writes what perception closed, recalls what planners ask.

CONTRACT (signatures are fixed; the store helper implements them).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from streammem.protocols import QueryEncoder
from streammem.settings import StoreSettings
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


class Memory:
    """A memory folder, open for reading, or for reading and writing."""

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
        """`write=True` takes the writer's lock; `create=True` makes the folder where there is none.
        Without an encoder, recall by text uses the full-text index alone.

        Raises: MemoryNotFoundError, MemoryLockedError, MemoryVersionError, MemoryFullError."""
        raise NotImplementedError

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def close(self) -> None: ...

    # --- writing (needs write=True) ---
    def write(self, bundle: EventBundle) -> bool:
        """Queues a closed event; committed with the next batch (rows/seconds in StoreSettings), or `flush()`.
        False when this event is already in memory (nothing is written twice)."""
        ...

    def write_segments(self, segments: Iterable[Event]) -> None:
        """Closed episodes, hours, days. Idempotent by id."""
        ...

    def write_observations(self, observations: Iterable[Observation]) -> None:
        """More about events that are already committed (what looking again found)."""
        ...

    def put_recording(self, recording: Recording) -> None:
        """Creates or replaces the row of a recording (status, gaps, checkpoint), committed in order after every
        bundle queued before it: a checkpoint never runs ahead of its events."""
        ...

    def has_event(self, event_id: str) -> bool: ...
    def flush(self) -> None: ...
    def compact(self) -> dict[str, Any]:
        """Optimises every table and drops old versions. Returns {"bytes_before", "bytes_after", ...}."""
        ...

    # --- reading: only what the journal has committed (plus, for the writer itself, what is queued) ---
    def recordings(self) -> list[Recording]: ...
    def recording(self, name: str) -> Recording | None: ...
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
        """In order of (recording, start). Vectors are left out (None). `level=None`: any level."""
        ...

    def children(self, event_id: str) -> list[Event]: ...
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
        ...

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
        """In order of (recording, time). Vectors are left out; thumbnails only if asked for (else b"")."""
        ...

    def facts(
        self,
        *,
        subject: str | None = None,
        predicate: str | None = None,
        as_of_ns: int | None = None,
        recordings: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[Fact]:
        """With `as_of_ns`: the facts that held, as they were known then."""
        ...

    def recall(self, query: Query) -> list[Hit]:
        """Hybrid recall: dense text over observations and events, full text, image-text over key frames, facts;
        fused with calibrated scores, filtered exactly, best first, at most `query.k`."""
        ...

    def recall_level(self, query: Query, *, level: Level) -> list[Hit]:
        """Like `recall`, over the segments of one level only: the coarse steps of coarse-to-fine."""
        ...

    def info(self) -> dict[str, Any]:
        """What the memory holds: recordings, spans, rows per table and level, bytes, versions, models, gaps."""
        ...
