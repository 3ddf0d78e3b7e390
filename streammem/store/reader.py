"""Reads the tables: scans, nearest vectors, full text; always and only what the journal has committed.

A read first asks the journal for the last committed batch, then reads other tables with `commit_seq <= last`. The
journal is written last, so whatever it promises is already there, and what a crash left half written stays unseen.
Knows no fusion, no queue. Costs 0.2 ms for freshness per read, about 2-4 ms for a filtered scan, 10 ms for a search.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from streammem.errors import MemoryStoreError
from streammem.store import lance
from streammem.store.filters import Where
from streammem.store.indexes import CHECK_NEAREST
from streammem.store.migrations import Manifest, VectorIndexNote, read_manifest
from streammem.store.tables import BELIEFS, COLUMNS, EVENTS, RECORDINGS, Row
from streammem.types import FloatVector

Result = TypeVar("Result")
_READ_ATTEMPTS = 3
KEPT_ROWS = 8192
"""Rows of each table that a reader keeps between searches: about 8 MB."""


class Reader:
    """Safe to use from several threads."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.connection = lance.connect(folder)
        self._tables: dict[str, Any] = {}
        self._guard = threading.Lock()
        self._committed: tuple[int, int] = (-1, 0)  # (version of the journal, last batch in it)
        self._manifest = manifest
        self._manifest_mtime_ns = -1
        self._kept: dict[str, tuple[tuple[int, tuple[str, ...]], dict[int, Row]]] = {}

    def table(self, name: str) -> Any | None:
        """The LanceDB table, or None where it was not made yet (a memory whose making was interrupted)."""
        with self._guard:
            if name not in self._tables:
                if not (self.folder / f"{name}.lance").is_dir():
                    return None
                try:
                    self._tables[name] = self.connection.open_table(name)
                except Exception as error:
                    if "not found" in str(error).lower():
                        return None  # a folder without a first version: its making was interrupted, or goes on now
                    raise lance.translate(error, self.folder) from error
            return self._tables[name]

    def committed(self) -> int:
        """Number of the last batch in the journal; 0 for an empty memory."""

        def read(table: Any) -> int:
            version = int(table.version)
            known_version, last = self._committed
            if version != known_version:
                newest = table.search().where(f"commit_seq > {last}").select(["commit_seq"]).to_arrow()
                last = max(last, lance.largest(newest.column("commit_seq"), default=last))
                self._committed = (version, last)
            return last

        return max(self._read(EVENTS, read, 0), self._current_manifest().committed_floor)

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
        condition = self._condition(table, where)
        chosen = list(columns or COLUMNS[table])

        def read(handle: Any) -> list[Row]:
            query = handle.search().select(chosen)
            if condition is not None:
                query = query.where(condition)
            if order and limit is not None:
                query = query.order_by(lance.orderings(order))
            found = query.limit(limit).to_arrow()
            if order:
                found = found.sort_by([(column, "ascending") for column in order])
            return cast(list[Row], found.to_pylist())

        return self._read(table, read, [])

    def nearest(
        self, table: str, column: str, vector: FloatVector, where: Where, *, columns: Sequence[str], limit: int
    ) -> list[Row]:
        """Rows nearest to a vector (D,) by cosine, best first, each with `similarity`. Exact without a vector index."""
        note = self.index_notes().get(f"{table}.{column}")
        wanted = np.asarray(vector, dtype=np.float32)

        def search(handle: Any) -> Any:
            query = handle.search(wanted, vector_column_name=column, query_type="vector").distance_type("cosine")
            # No `IS NOT NULL`: null vectors are never near anything, and the test costs 110 ms per 100,000 rows.
            if note is not None:
                # The factor is that of the few nearest: deeper lists refine as many rows, not as many times more.
                factor = max(2, -(-note.refine_factor * CHECK_NEAREST // limit))
                query = query.nprobes(note.nprobes).refine_factor(factor)
            return query

        rows = self._search(table, search, where, columns=columns, limit=limit, score="_distance")
        for row in rows:
            row["similarity"] = 1.0 - float(row.pop("_distance"))
        return rows

    def full_text(self, table: str, words: str, where: Where, *, columns: Sequence[str], limit: int) -> list[Row]:
        """Rows whose text has some of the words (stemmed, without stop words), best first, each with `bm25`."""

        def search(handle: Any) -> Any:
            return handle.search(lance.match_query(words, "text"), query_type="fts")

        rows = self._search(table, search, where, columns=columns, limit=limit, score="_score")
        for row in rows:
            row["bm25"] = float(row.pop("_score"))
        return rows

    def _search(
        self, table: str, search: Callable[[Any], Any], where: Where, *, columns: Sequence[str], limit: int, score: str
    ) -> list[Row]:
        """The best rows of a search, each with its `score` column.

        Two steps: the search returns ids alone, then the rows are taken. That nothing uncommitted is among them is
        looked at afterwards: as a clause it is evaluated for every row of the table (13 ms of 52 per 100,000 rows) and
        is true of all of them but for the moment that a batch is being written.
        """
        fetched = [*dict.fromkeys((*columns, *(() if table in (RECORDINGS, BELIEFS) else ("commit_seq",))))]

        def run(handle: Any, condition: str | None) -> list[Row]:
            query = search(handle).select([score]).with_row_id(True)
            if condition is not None:
                query = query.where(condition)
            found = query.limit(limit).to_arrow()
            ids = cast(list[int], found.column("_rowid").to_pylist())
            rows = self._taken(table, handle, ids, fetched)
            scores = found.column(score).to_pylist()
            return [rows[one] | {score: value} for one, value in zip(ids, scores, strict=True) if one in rows]

        def read(handle: Any) -> list[Row]:
            last = self.committed()
            rows = run(handle, where.sql())
            if any(row.get("commit_seq", 0) > last for row in rows):
                rows = run(handle, where.copy().compare("commit_seq", "<=", last).sql())
            return rows

        return self._read(table, read, [])

    def _taken(self, table: str, handle: Any, ids: list[int], columns: list[str]) -> dict[int, Row]:
        """Rows by id. Those of the last few thousand are kept while the table is unchanged: a planner asks about the
        same moments again and again. An id that is no longer there (its file was just rewritten) fails the read."""
        key = (int(handle.version), tuple(columns))
        with self._guard:
            kept_key, kept = self._kept.get(table, ((-1, ()), {}))
            if kept_key != key:
                kept = {}
            found = {one: kept[one] for one in ids if one in kept}
        missing = [one for one in ids if one not in found]
        if missing:
            taken = handle.take_row_ids(missing).select(columns).with_row_id().to_arrow()
            numbers = cast(list[int], taken.column("_rowid").to_pylist())
            rows = cast(list[Row], taken.drop_columns(["_rowid"]).to_pylist())
            new = dict(zip(numbers, rows, strict=True))
            if len(new) < len(missing):
                raise LookupError(f"rows not found in data/ of {table}.lance: rewritten meanwhile")
            found |= new
            with self._guard:
                self._kept[table] = (key, (kept if len(kept) + len(new) <= KEPT_ROWS else {}) | new)
        return found

    def count(self, table: str, where: Where) -> int:
        condition = self._condition(table, where)
        return self._read(table, lambda handle: int(handle.count_rows(condition)), 0)

    def column_names(self, table: str) -> list[str]:
        return self._read(table, lambda handle: cast(list[str], list(handle.schema.names)), [])

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
            self._committed = (-1, 0)

    def _condition(self, table: str, where: Where) -> str | None:
        if table in (RECORDINGS, BELIEFS):
            return where.sql()  # beliefs are made from what is committed
        return where.copy().compare("commit_seq", "<=", self.committed()).sql()

    def _read(self, name: str, read: Callable[[Any], Result], empty: Result) -> Result:
        for attempt in range(1, _READ_ATTEMPTS + 1):
            handle = self.table(name)
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
