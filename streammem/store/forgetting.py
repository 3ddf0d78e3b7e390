"""Forgetting in an open memory: doing it, and keeping out what was forgotten. Joins plan, carrying out and sieve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from streammem.errors import InputError
from streammem.protocols import QueryEncoder
from streammem.store.filters import Where
from streammem.store.forget import Forgotten, forget
from streammem.store.forget_plan import make_plan
from streammem.store.reader import Reader
from streammem.store.selection import Selection
from streammem.store.sieve import Sieve
from streammem.store.tables import EVENTS, RECORDINGS, event_of, recording_of
from streammem.store.tombstones import Tombstones, fingerprint_key, recording_key
from streammem.store.writer import Writer
from streammem.types import Event, EventBundle, Level, Observation, Recording


class Forgetting:
    """Of one memory. The writer and the encoder are given where they are needed."""

    def __init__(self, reader: Reader, tombstones: Tombstones) -> None:
        self._reader = reader
        self._tombstones = tombstones
        self._sieves: dict[str, Sieve] = {}

    def preview(self, selection: Selection) -> Forgotten:
        """What would be forgotten."""
        return make_plan(self._reader, selection, encoder=None).report(is_done=False)

    def forget(self, writer: Writer, selection: Selection, *, encoder: QueryEncoder | None) -> Forgotten:
        """Forgets; see `store.forget`."""
        done = forget(writer, selection, tombstones=self._tombstones, encoder=encoder)
        self._sieves.clear()
        return done

    def is_forgotten(self, fingerprint: str) -> bool:
        """Whether the whole recording of a file was forgotten."""
        return self._tombstones.is_forgotten(fingerprint_key(fingerprint))

    def lift(self, writer: Writer, fingerprint: str) -> None:
        """Takes back every forgetting of a file, and what is left of its recording, so that all of it can come anew."""
        key = fingerprint_key(fingerprint)
        if not self._tombstones.of(key):
            return
        rows = self._reader.scan(RECORDINGS, Where().equals("fingerprint", fingerprint))
        if rows:
            left = Selection(recordings=tuple(row["recording"] for row in rows))
            self.forget(writer, left, encoder=None)
        self._tombstones.lift(key)
        self._sieves.clear()

    # --- keeping out --------------------------------------------------------------------------------------------------

    def sifted_bundle(self, bundle: EventBundle, *, encoder: QueryEncoder | None) -> EventBundle | None:
        """What of a bundle may be remembered; None: nothing."""
        return self._sieve(bundle.event.recording).bundle(bundle, encoder=encoder)

    def sifted_segment(self, writer: Writer, segment: Event) -> Event | None:
        """A coarser segment, told without what was forgotten; None where nothing of it is in memory."""

        def children(event_id: str) -> list[Event]:
            writer.flush()
            return self._children(event_id)

        return self._sieve(segment.recording).segment(segment, children)

    def sifted_observations(self, found: Sequence[Observation]) -> list[Observation]:
        """Those that may be remembered."""
        return [kept for one in found for kept in self._sieve(one.recording).observations([one])]

    def lets_through(self, recording: str, t_start_ns: int, t_end_ns: int, *, label: str | None = None) -> bool:
        """Whether something at this span of a recording (an object, where it has a label) may be remembered."""
        return self._sieve(recording).lets_through(t_start_ns, t_end_ns, label=label)

    def forgotten_spans(self, recording: str) -> list[tuple[int, int]]:
        """[start, end) of what was forgotten of a recording by time."""
        return self._sieve(recording).forgotten_spans()

    def sifted_recording(self, recording: Recording) -> Recording:
        """A recording, without a checkpoint where that may quote what was forgotten.

        Raises:
            InputError: it was forgotten as a whole.
        """
        if self._tombstones.is_forgotten(recording_key(recording, recording.recording)):
            raise InputError(
                f"Recording {recording.recording!r} was forgotten; ingest it with `--again` to remember it anew."
            )
        self._sieves[recording.recording] = Sieve(self._tombstones, recording, recording.recording)
        return self._sieves[recording.recording].recording(recording)

    def _sieve(self, name: str) -> Sieve:
        if name not in self._sieves:
            rows = self._reader.scan(RECORDINGS, Where().equals("recording", name))
            self._sieves[name] = Sieve(self._tombstones, recording_of(rows[0]) if rows else None, name)
        return self._sieves[name]

    def _children(self, event_id: str) -> list[Event]:
        """With vectors, for a summary."""
        names = self._reader.column_names(EVENTS)
        where = Where().equals("parent_id", event_id).add(f"level <> '{Level.MOMENT.value}'")
        found: list[Event] = []
        for row in self._reader.scan(EVENTS, where, columns=names):
            vectors = [row[name] for name in names if name.startswith("vector__") and row[name] is not None]
            vector = np.asarray(vectors[-1], dtype=np.float32) if vectors else None
            found.append(replace(event_of(row), vector=vector))
        return found
