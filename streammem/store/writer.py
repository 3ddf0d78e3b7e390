"""Writes batches, in an order that a crash cannot break, from a thread of its own.

`put` only queues (microseconds), so perception never waits for a disk; a thread commits (`pace` says when). A second
thread optimises meanwhile, since LanceDB merges files and adds to indexes beside appends; a commit waits for it only
where rows are replaced. A batch is: observations, key frames, facts; then all its `events` rows in one append, which is
the commit; then recordings with their checkpoints. What a crash or a full disk left of an unfinished batch carries a
`commit_seq` beyond the journal's and is removed before anything else is written.

What is acknowledged when. `put`: nothing, the rows are in this process's memory. `flush` returning (or the thread's own
commit): the batch is in the journal, other processes read it, and `kill -9` cannot take it back. Its files are handed
to the operating system and not forced to the disk: a power cut may take the last seconds, and is not tested.

Does not decide what an event is, nor what may be read. Needs the writer's lock.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import stamina

from streammem.errors import MemoryFullError
from streammem.settings import StoreSettings
from streammem.store import lance
from streammem.store.cut_short import CutShortError, DataFiles
from streammem.store.filters import Where
from streammem.store.indexes import create_table_indexes, optimise, refresh_vector_indexes
from streammem.store.migrations import Manifest, write_manifest
from streammem.store.notes import VectorIndexNote
from streammem.store.pace import Pace
from streammem.store.purge import has_deleted_rows, purge
from streammem.store.reader import Reader
from streammem.store.state import STATE
from streammem.store.tables import (
    BELIEFS,
    EVENTS,
    FACTS,
    PROJECTIONS,
    RECORDINGS,
    SPATIAL,
    TABLES,
    Row,
    arrow_rows,
    schema_of,
)

logger = logging.getLogger(__name__)

QUEUE_BATCHES = 16
"""Batches that may wait. Beyond, a writer of rows commits itself and so feels the disk: nothing is dropped."""
PAUSE_S = 1.0
"""After a failure (a full disk, say) it is tried again so much later."""
_REPLACED = frozenset({RECORDINGS, *STATE})
"""Tables whose rows are replaced by commits; the others only grow."""
_COMPACT_KEEPS_S = 0.001
"""Versions that `compact` keeps. Not zero: LanceDB warns of that one, and means it."""


@dataclass(slots=True)
class _Batch:
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in (*TABLES, *SPATIAL)})
    since_s: float = 0.0

    def size(self) -> int:
        return sum(len(rows) for rows in self.rows.values())


class Projection(Protocol):
    """A table that is made from what the journal has committed, and can be made anew at any time."""

    def project(self, table: Any) -> int:
        """Adds what was committed since the last time. Returns how many rows that were."""
        ...

    def reset(self) -> None:
        """The table was emptied: begin from nothing."""
        ...


class Writer:
    """Owns the tables for writing. Every method may be called from any thread."""

    def __init__(self, folder: Path, *, reader: Reader, manifest: Manifest, settings: StoreSettings) -> None:
        self.folder = folder
        self.reader = reader
        self._manifest = manifest
        self._settings = settings
        self._connection = lance.connect(folder, caches="writing")
        self._tables: dict[str, Any] = {}
        self._files: dict[str, DataFiles] = {}
        self._batch = _Batch()
        self._on_the_way = 0  # rows that are being committed
        self._queue = threading.Condition()
        self._commit = threading.RLock()
        self._appending = ThreadPoolExecutor(max_workers=3, thread_name_prefix="streammem-append")
        self._tidying = threading.RLock()  # taken before `_commit`, where both are
        self._closed = False
        self._failure: Exception | None = None
        self._pace = Pace(settings)
        self._tidied: dict[str, int] = {}  # version of each table when it was optimised last
        self.beliefs: Projection | None = None
        with self._guarded():
            for name in TABLES:
                self._tables[name] = self._open_table(name)
            for name in (*SPATIAL, *STATE):
                if (self.folder / f"{name}.lance").is_dir():
                    self._tables[name] = self._open_table(name)
            self._pace.rows = max(int(table.count_rows()) for table in self._tables.values())
            self._sequence = reader.committed()
            self.recovered_rows = self._recover()
            with contextlib.suppress(MemoryFullError):  # one may open a memory on a full disk
                self._note({})
        self._threads = (
            threading.Thread(target=self._run, name="streammem-writer", daemon=True),
            threading.Thread(target=self._run_tidying, name="streammem-optimiser", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    # --- queueing ------------------------------------------------------------------------------------------------

    def put(self, rows: dict[str, list[Row]]) -> None:
        """Queues rows that belong to one batch: all of them are committed together or none.

        Raises:
            MemoryFullError: an earlier commit failed; these rows were queued all the same.
        """
        with self._queue:
            if not self._batch.size():
                self._batch.since_s = time.monotonic()
            for name, new in rows.items():
                self._batch.rows[name].extend(new)
            waiting = self._batch.size()
            failure, self._failure = self._failure, None
            if waiting >= self._settings.batch_rows or waiting == sum(map(len, rows.values())):
                self._queue.notify_all()
        if failure is not None:
            raise failure
        if waiting >= QUEUE_BATCHES * self._settings.batch_rows:
            self.flush()

    def flush(self) -> None:
        """Commits what is queued, now.

        Raises:
            MemoryFullError: the disk is full; the rows stay queued and nothing committed is lost.
        """
        with self._commit:
            with self._queue:
                batch, self._batch = self._batch, _Batch()
                self._failure = None
                if not batch.size():
                    return
                self._on_the_way = batch.size()
            try:
                began_s = time.monotonic()
                with self._guarded():
                    self._write(batch)
                self._count_commit(time.monotonic() - began_s)
            except BaseException:
                self._put_back(batch)
                raise
            finally:
                with self._queue:
                    self._on_the_way = 0

    def queued(self) -> int:
        """Rows that are not committed yet: they wait, or another thread is about to commit them (`flush` waits)."""
        with self._queue:
            return self._batch.size() + self._on_the_way

    def close(self) -> None:
        """Commits, optimises, stops the threads. Idempotent."""
        if self._closed:
            return
        with self._queue:
            self._closed = True
            self._queue.notify_all()
        for thread in self._threads:
            thread.join()
        self.flush()
        self._appending.shutdown()
        if self._pace.optimises_at_the_end():
            self._optimise_guarded()

    def compact(self) -> None:
        """Optimises every table, drops every old version, and what was deleted from the files. Readers in the middle
        of a read try again."""
        with self.exclusive() as tables:
            for name in tables:
                if has_deleted_rows(self.folder, name):
                    self.purge([name])
            self._optimise(_COMPACT_KEEPS_S)

    # --- taking away ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def exclusive(self) -> Generator[dict[str, Any]]:
        """The tables by name, with everything queued committed; nobody else commits or optimises meanwhile."""
        with self._tidying, self._committing() as tables:
            yield tables

    @contextlib.contextmanager
    def _committing(self) -> Generator[dict[str, Any]]:
        """The same, but tables that only grow may be optimised meanwhile."""
        with self._commit:
            self.flush()
            with self._guarded():
                yield self._tables

    def keep_batch_number(self) -> None:
        """Before journal rows are deleted: the number of the last batch must not fall, or what other rows of that
        batch say would no longer count."""
        with self._commit:
            floor = max(self.reader.committed(), self._manifest.committed_floor)
            self._manifest = self._manifest.model_copy(update={"committed_floor": floor})
            write_manifest(self.folder, self._manifest)

    def delete(self, name: str, where: str) -> int:
        """Takes rows out of a table, in one commit; their bytes leave with `purge` or `compact`. Returns how many."""
        with self.exclusive() as tables:
            if name == EVENTS:
                self.keep_batch_number()
            count = int(tables[name].count_rows(where))
            if count:
                if name == FACTS:
                    # First: facts must never be read from what is taken away. Made anew with the next optimising.
                    _retry(lambda: tables[BELIEFS].delete("true"))
                    if self.beliefs is not None:
                        self.beliefs.reset()
                _retry(lambda: tables[name].delete(where))
            return count

    def replace(self, name: str, key: str, rows: Any) -> None:
        """Puts whole rows (an Arrow table) in the place of those with the same `key`, in one commit."""
        with self.exclusive() as tables:
            merge = tables[name].merge_insert(key).when_matched_update_all()
            _retry(lambda: merge.execute(rows, on_bad_vectors="null"))

    def upsert(self, name: str, rows: Any) -> None:
        """Puts whole rows (an Arrow table) into a table of state, in the place of those with the same key, in one
        commit, after what is queued. Rows without a span say nothing any more, and go."""
        with self._committing() as tables:
            began_s = time.monotonic()
            if name not in tables:
                tables[name] = self._open_table(name)
            merge = tables[name].merge_insert(list(STATE[name].key))
            merge = merge.when_matched_update_all().when_not_matched_insert_all()
            _retry(lambda: merge.execute(rows))
            if rows.column("t_end_ns").null_count:
                _retry(lambda: tables[name].delete("t_end_ns IS NULL"))
            self._count_commit(time.monotonic() - began_s)

    def purge(self, names: Iterable[str]) -> None:
        """Removes the bytes of deleted rows from files, indexes and old versions of these tables."""
        concerned = set(names)
        if FACTS in concerned:
            concerned.add(BELIEFS)
        with self.exclusive() as tables:
            for name in sorted(concerned):
                _retry(lambda name=name: purge(tables[name], self.folder, name))

    # --- committing ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._queue:
                while not self._closed and (due_s := self._commit_in_s()) != 0.0:
                    self._queue.wait(due_s)
                if self._closed:
                    return
            self._trying(self.flush)

    def _run_tidying(self) -> None:
        while True:
            with self._queue:
                while not self._closed and (due_s := self._pace.optimise_in_s(time.monotonic())) != 0.0:
                    self._queue.wait(due_s)
                if self._closed:
                    return
            self._trying(self._optimise_guarded)

    def _trying(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception as error:
            # Raised from the next put, flush or close, in the thread of whoever writes.
            with self._queue:
                self._failure = error
                self._batch.since_s = time.monotonic()  # try again after a pause, not in a hot loop
                self._queue.wait_for(lambda: self._closed, min(self._settings.batch_s, PAUSE_S))

    def _optimise_guarded(self) -> None:
        with self._guarded():
            self._optimise(self._settings.keep_old_versions_s)

    def _commit_in_s(self) -> float | None:
        return self._pace.commit_in_s(time.monotonic(), rows=self._batch.size(), since_s=self._batch.since_s)

    def _put_back(self, batch: _Batch) -> None:
        with self._queue:
            for name, rows in self._batch.rows.items():
                batch.rows[name].extend(rows)
            batch.since_s = time.monotonic()
            self._batch = batch

    def _write(self, batch: _Batch) -> None:
        if self._sequence < 0:  # the batch before was interrupted: take back what it left
            for name in self._tables:
                self._take_back(name)
            self._sequence = self.reader.committed()
            self._recover()
        last, self._sequence = self._sequence, -1
        # Without an event of its own, a batch adds to committed events, and counts as soon as its rows are there.
        number = last + 1 if batch.rows[EVENTS] else last
        try:
            self._append_side_by_side(batch, number, is_new=number > last)
            if batch.rows[EVENTS]:
                self._append(EVENTS, [row | {"commit_seq": number} for row in batch.rows[EVENTS]])
        except CutShortError:
            raise
        except Exception:
            if number > last and self.reader.committed() == number:
                self._done(batch, number)  # the append was reported as failed after it had reached the journal
            raise
        self._done(batch, number)
        if rows := batch.rows[RECORDINGS]:
            newest = {row["recording"]: row for row in rows}
            table = self._tables[RECORDINGS]
            source = arrow_rows(list(newest.values()), table.schema)
            merge = table.merge_insert("recording").when_matched_update_all().when_not_matched_insert_all()
            _retry(lambda: merge.execute(source))
            batch.rows[RECORDINGS] = []

    def _count_commit(self, took_s: float) -> None:
        with self._queue:
            self._pace.committed(time.monotonic(), took_s=took_s)
            self._queue.notify_all()

    def _done(self, batch: _Batch, number: int) -> None:
        self._sequence = number
        for name in (*PROJECTIONS, *SPATIAL, EVENTS):
            batch.rows[name] = []

    def _append_side_by_side(self, batch: _Batch, number: int, *, is_new: bool) -> None:
        """What comes before the journal. Each append waits for the disk more than it works; none depends on another."""

        def append(name: str) -> None:
            self._append(name, [row | {"commit_seq": number} for row in batch.rows[name]])
            if not is_new:
                batch.rows[name] = []  # these count already, and must not be written a second time

        begun = [self._appending.submit(append, name) for name in (*PROJECTIONS, *SPATIAL) if batch.rows[name]]
        errors = [error for one in begun if (error := one.exception()) is not None]
        if errors:
            raise errors[0]

    def _append(self, name: str, rows: list[Row]) -> None:
        if name not in self._tables:
            self._tables[name] = self._open_table(name)
        table = self._tables[name]
        have = set(table.schema.names)
        missing = {
            column: len(value) for row in rows for column, value in row.items() if "__" in column and column not in have
        }
        if missing:
            pa = lance.arrow()
            fields = [pa.field(column, pa.list_(pa.float32(), size)) for column, size in missing.items()]
            _retry(lambda: table.add_columns(pa.schema(fields)))
        source = arrow_rows(rows, table.schema)
        _retry(lambda: table.add(source))
        try:
            self._files[name].check(table)
        except CutShortError:
            with contextlib.suppress(Exception):  # if the disk has no room for that either: before the next commit
                self._take_back(name)
            raise

    def _recover(self) -> int:
        """Removes rows of batches that the journal never got. Returns how many."""
        removed = 0
        orphan = Where().compare("commit_seq", ">", self._sequence).sql()
        for name in (*PROJECTIONS, *SPATIAL):
            if name not in self._tables:
                continue
            table = self._tables[name]
            if count := int(table.count_rows(orphan)):
                _retry(lambda table=table: table.delete(orphan))
                removed += count
        if removed:
            logger.info("memory %s: removed %d rows of an unfinished batch", self.folder, removed)
        return removed

    def _open_table(self, name: str) -> Any:
        if (self.folder / f"{name}.lance").is_dir():
            try:
                table = self._connection.open_table(name)
            except Exception as error:
                if "not found" not in str(error).lower():
                    raise
                # Killed while the table was being made: a folder without a first version. Removed, because LanceDB
                # prints a warning of its own when it is told to overwrite what is not there.
                shutil.rmtree(self.folder / f"{name}.lance")
                table = self._connection.create_table(name, schema=schema_of(name))
        else:
            table = self._connection.create_table(name, schema=schema_of(name))
        self._files[name] = DataFiles(self.folder, name)
        self._take_back(name)
        create_table_indexes(table, name)
        return table

    def _take_back(self, name: str) -> None:
        # With a handle of its own: it goes back to an old version for a moment.
        self._files[name].take_back(self._connection.open_table(name))

    def _optimise(self, keep_s: float) -> None:
        with self._tidying:
            done = self._pace.since_optimise
            notes: dict[str, VectorIndexNote] = {}
            if self.beliefs is not None:
                self.beliefs.project(self._tables[BELIEFS])
            rows = 0
            for name in list(self._tables):
                # A handle of its own: LanceDB locks one while it works.
                table = self._connection.open_table(name)
                rows = max(rows, int(table.count_rows()))
                if keep_s == self._settings.keep_old_versions_s and self._tidied.get(name) == int(table.version):
                    continue  # nothing has come
                # Merging files and replacing rows undo each other.
                with self._commit if name in _REPLACED else contextlib.nullcontext():
                    _retry(lambda table=table: optimise(table, keep=timedelta(seconds=keep_s)))
                known, from_rows = self._manifest.vector_indexes, self._settings.vector_index_from_rows
                if name not in _REPLACED:
                    notes |= refresh_vector_indexes(table, name, from_rows=from_rows, notes=known)
                self._tidied[name] = int(table.version)
            with self._commit:
                self._note(notes)
            with self._queue:
                self._pace.optimised(time.monotonic(), commits=done, rows=rows)

    def _note(self, notes: dict[str, VectorIndexNote]) -> None:
        """In the manifest, where there is news. From the batch number there readers count on when they open."""
        floor = max(self._sequence, self._manifest.committed_floor)
        merged = self._manifest.vector_indexes | notes
        update = {"vector_indexes": merged, "committed_floor": floor}
        if notes or floor != self._manifest.committed_floor:
            self._manifest = self._manifest.model_copy(update=update)
            write_manifest(self.folder, self._manifest)

    def _guarded(self) -> contextlib.AbstractContextManager[None]:
        return _translated(self.folder)


@contextlib.contextmanager
def _translated(folder: Path) -> Generator[None, None, None]:
    try:
        yield
    except Exception as error:
        told = lance.translate(error, folder)
        if told is error:
            raise
        raise told from error


def _retry(commit: Callable[[], Any]) -> None:
    """Tries again what lost a race against another commit; nothing else.

    The batch number makes an append safe to repeat only if it did not succeed: a conflict is raised before anything is
    committed.
    """
    for attempt in stamina.retry_context(on=lance.is_conflict, attempts=10, timeout=30.0, wait_initial=0.02):
        with attempt:
            commit()
