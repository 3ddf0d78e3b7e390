"""Reads the tables: scans here, searches in `searches`; always and only what the journal has committed.

A read first asks the journal for the last committed batch, then reads other tables with `commit_seq <= last`. The
journal is written last, so whatever it promises is already there, and what a crash left half written stays unseen.
Knows no fusion, no queue. Costs 0.2 ms for freshness per read, about 2-4 ms for a filtered scan, 10 ms for a search.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from streammem.errors import MemoryStoreError
from streammem.store import lance
from streammem.store.filters import Where
from streammem.store.migrations import Manifest, read_manifest
from streammem.store.notes import VectorIndexNote
from streammem.store.ordered import first_rows, is_worth_it
from streammem.store.searches import Near, Searches
from streammem.store.tables import COLUMNS, EVENTS, RECORDINGS, UNNUMBERED, Row
from streammem.types import FloatVector

Result = TypeVar("Result")
_READ_ATTEMPTS = 3
_COUNT_AT_ONCE = UNNUMBERED | {EVENTS}
"""Tables without uncommitted rows: the journal, what is made from it, and state."""
SETTLED_NS = 100_000_000
"""File systems tell times apart by 1 to 10 ms."""


class Reader:
    """Safe to use from several threads."""

    def __init__(self, folder: Path, manifest: Manifest, *, is_writing: bool = False) -> None:
        """`is_writing`: a writer's; what it reads for its commits must not fill the caches for searches."""
        self.folder = folder
        self._connections = {
            False: lance.connect(folder, caches="writing" if is_writing else "searching"),
            True: lance.connect(folder, caches="searching"),
        }
        self._tables: dict[tuple[str, bool], Any] = {}
        self._guard = threading.Lock()
        self._committed: tuple[int, int] = (-1, 0)  # (version of the journal, last batch in it)
        self._manifest = manifest
        self._manifest_mtime_ns = -1
        self._searches = Searches(self)
        self._versions: dict[str, tuple[int, int]] = {}  # (when its folder changed, version)
        self._names: dict[str, tuple[int, list[str]]] = {}

    @property
    def connection(self) -> Any:
        """To LanceDB."""
        return self._connections[False]

    def table(self, name: str, *, for_searches: bool = False) -> Any | None:
        """The LanceDB table, or None where it was not made yet (a memory whose making was interrupted)."""
        with self._guard:
            if (name, for_searches) not in self._tables:
                if not (self.folder / f"{name}.lance").is_dir():
                    return None
                try:
                    opened = self._connections[for_searches].open_table(name)
                    self._tables[name, for_searches] = opened
                except Exception as error:
                    if "not found" in str(error).lower():
                        return None  # a folder without a first version: its making was interrupted, or goes on now
                    raise lance.translate(error, self.folder) from error
            return self._tables[name, for_searches]

    def committed(self) -> int:
        """Number of the last batch in the journal; 0 for an empty memory."""
        floor = self._current_manifest().committed_floor

        def read(table: Any) -> int:
            version = self.version_of(EVENTS, table)
            known_version, last = self._committed
            if version != known_version:
                last = max(last, floor)
                newest = table.search().select(["commit_seq"])
                if last:  # at first all rows pass, and a plain scan costs less than the index
                    newest = newest.where(f"commit_seq > {last}")
                newest = newest.to_arrow()
                last = max(last, lance.largest(newest.column("commit_seq"), default=last))
                self._committed = (version, last)
            return last

        return max(self.read(EVENTS, read, 0), floor)

    def recordings(self) -> list[tuple[str, int]]:
        """(name, start in nanoseconds) of every recording."""
        rows = self.scan(RECORDINGS, Where(), columns=["recording", "t_start_ns"])
        return [(row["recording"], row["t_start_ns"]) for row in rows]

    def scan(
        self,
        table: str,
        where: Where,
        *,
        columns: Sequence[str] | None = None,
        order: tuple[str, ...] = (),
        limit: int | None = None,
    ) -> list[Row]:
        """Rows that pass, in `order`. Without `columns`: all but vectors and thumbnails."""
        chosen = list(columns or COLUMNS[table])

        def fetch(handle: Any, where: Where, wanted: list[str]) -> Any:
            condition = where.sql()
            if limit is not None and is_worth_it(handle, order, limit):
                recordings = self.recordings()
                found = first_rows(handle, condition, where, wanted, order=order, limit=limit, recordings=recordings)
                if found is not None:
                    return found
            query = handle.search().select(wanted)
            if condition is not None:
                query = query.where(condition)
            if order and limit is not None:
                query = query.order_by(lance.orderings(order))
            return query.limit(limit).to_arrow()

        def read(handle: Any) -> list[Row]:
            have = self.column_names(table)  # an older memory that no writer has opened since lacks the newest columns
            wanted = [column for column in chosen if column in have]
            found = self._committed_of(table, handle, where, wanted, fetch, limit=limit)
            if order:
                found = found.sort_by([(column, "ascending") for column in order])
            return cast(list[Row], found.to_pylist())

        return self.read(table, read, [])

    def arrow(self, table: str, where: Where, *, columns: Sequence[str] | None = None) -> Any | None:
        """Rows that pass, as an Arrow table, in no order: for what is read by the thousand. None: no such table yet."""

        def fetch(handle: Any, where: Where, wanted: list[str]) -> Any:
            condition = where.sql()
            query = handle.search().select(wanted)
            return (query if condition is None else query.where(condition)).limit(None).to_arrow()

        def read(handle: Any) -> Any:
            wanted = list(columns) if columns is not None else self.column_names(table)
            return self._committed_of(table, handle, where, wanted, fetch, limit=None)

        return self.read(table, read, None)

    def _committed_of(
        self, table: str, handle: Any, where: Where, columns: list[str], fetch: Callable[[Any, Where, list[str]], Any],
        *, limit: int | None,
    ) -> Any:  # fmt: skip
        """What `fetch` finds, without rows that the journal has not committed. These are looked for afterwards: as a
        clause they would be looked for in every row of the table, and but for moments there are none."""
        if table in _COUNT_AT_ONCE:
            return fetch(handle, where, columns)
        last = self.committed()
        found = fetch(handle, where, list(dict.fromkeys((*columns, "commit_seq"))))
        if lance.largest(found.column("commit_seq"), default=0) > last:
            found = fetch(handle, where.copy().compare("commit_seq", "<=", last), columns)
        return found if "commit_seq" in columns else found.select(columns)

    def nearest(
        self, table: str, column: str, vector: FloatVector, where: Where, *, columns: Sequence[str], limit: int
    ) -> list[Row]:
        """Rows nearest to a vector (D,) by cosine, best first, each with `similarity`. Exact among up to
        `packed_vectors.EXACT_ROWS` rows that pass, and without a vector index beyond `packed.PACK_ROWS`; else nearly
        so."""
        return self._searches.nearest(table, column, vector, where, columns=columns, limit=limit)

    def full_text(
        self, table: str, words: str, where: Where, *, columns: Sequence[str], limit: int, near: Near | None = None
    ) -> list[Row]:
        """Rows whose text has some of the words (stemmed, without stop words), best first, each with `bm25`; and, where
        the vectors of `near` are in memory, with its `similarity` (None: it has no vector)."""
        return self._searches.full_text(table, words, where, columns=columns, limit=limit, near=near)

    def count(self, table: str, where: Where) -> int:
        condition = self._condition(table, where)
        return self.read(table, lambda handle: int(handle.count_rows(condition)), 0)

    def version(self, table: str) -> int:
        """Changes whenever the table does; -1 where there is none."""
        return self.read(table, lambda handle: self.version_of(table, handle), -1)

    def version_of(self, table: str, handle: Any) -> int:
        """The newest version of a table. LanceDB is asked (0.3 ms, ten times a search) only if the folder of versions
        was touched since, or so lately that the clock of the file system might not tell two commits apart."""
        try:
            changed_ns = (self.folder / f"{table}.lance" / "_versions").stat().st_mtime_ns
        except OSError:
            return int(handle.version)
        known = self._versions.get(table)
        if known is not None and known[0] == changed_ns:
            return known[1]
        is_settled = time.time_ns() - changed_ns > SETTLED_NS
        version = int(handle.version)
        if is_settled:
            self._versions[table] = (changed_ns, version)
        return version

    def column_names(self, table: str) -> list[str]:
        def read(handle: Any) -> list[str]:
            version = self.version_of(table, handle)
            known = self._names.get(table)
            if known is None or known[0] != version:
                known = self._names[table] = (version, list(handle.schema.names))
            return known[1]

        return self.read(table, read, [])

    def index_notes(self) -> dict[str, VectorIndexNote]:
        """How each vector index wants to be searched; read again when the writer has changed the manifest."""
        return self._current_manifest().vector_indexes

    def _current_manifest(self) -> Manifest:
        try:
            changed_ns = (self.folder / "manifest.json").stat().st_mtime_ns
        except OSError:
            return self._manifest
        if changed_ns != self._manifest_mtime_ns:
            self._manifest = read_manifest(self.folder)
            self._manifest_mtime_ns = changed_ns
        return self._manifest

    def forget_handles(self) -> None:
        """Opens the tables anew at the next read."""
        with self._guard:
            self._tables.clear()
            self._versions.clear()
            self._names.clear()
            self._committed = (-1, 0)

    def _condition(self, table: str, where: Where) -> str | None:
        if table in _COUNT_AT_ONCE:
            return where.sql()
        return where.copy().compare("commit_seq", "<=", self.committed()).sql()

    def read(self, name: str, read: Callable[[Any], Result], empty: Result, *, for_searches: bool = False) -> Result:
        """What `read` makes of a table; again, where the writer has just removed the version it was reading."""
        for attempt in range(1, _READ_ATTEMPTS + 1):
            handle = self.table(name, for_searches=for_searches)
            if handle is None:
                return empty
            try:
                return read(handle)
            except MemoryStoreError:
                raise
            except Exception as error:
                # `compact` in the writer may remove the version under a read: the next attempt takes the newest.
                if attempt < _READ_ATTEMPTS and lance.is_stale_version(error):
                    self.forget_handles()
                    continue
                raise lance.translate(error, self.folder) from error
        return empty
