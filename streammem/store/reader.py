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
from streammem.store.migrations import Manifest, read_manifest
from streammem.store.notes import VectorIndexNote
from streammem.store.tables import COLUMNS, EVENTS, FULL_TEXT, RECORDINGS, UNNUMBERED, Row
from streammem.types import FloatVector, Level

Result = TypeVar("Result")
_READ_ATTEMPTS = 3
WIDE_SHARE, MORE, MORE_ROWS = 0.2, 1.3, 20
"""From this share of passing rows on, a filter is judged after the search, among so many times the rows, and some."""
LEVEL_SHARE = 0.8
"""Of the texts and vectors that `events` is searched by, this share is of events; the rest is of coarser levels."""
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
        self._emptiness: dict[str, tuple[int, bool]] = {}
        self._spans: tuple[int, list[tuple[int, int]]] = (-1, [])
        self._kept: dict[tuple[str, tuple[str, ...]], tuple[int, dict[int, Row]]] = {}

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
                newest = table.search().select(["commit_seq"])
                if last:  # at first all rows pass, and a plain scan costs less than the index
                    newest = newest.where(f"commit_seq > {last}")
                newest = newest.to_arrow()
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
            have = handle.schema.names  # an older memory that no writer has opened since lacks the newest columns
            query = handle.search().select([column for column in chosen if column in have])
            if condition is not None:
                query = query.where(condition)
            if order and limit is not None:
                query = query.order_by(lance.orderings(order))
            found = query.limit(limit).to_arrow()
            if order:
                found = found.sort_by([(column, "ascending") for column in order])
            return cast(list[Row], found.to_pylist())

        return self._read(table, read, [])

    def arrow(self, table: str, where: Where, *, columns: Sequence[str] | None = None) -> Any | None:
        """Rows that pass, as an Arrow table, in no order: for what is read by the thousand. None: no such table yet."""
        condition = self._condition(table, where)

        def read(handle: Any) -> Any:
            query = handle.search()
            if columns is not None:
                query = query.select(list(columns))
            return (query if condition is None else query.where(condition)).limit(None).to_arrow()

        return self._read(table, read, None)

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
            column = FULL_TEXT[table]
            if column not in handle.schema.names:
                column = "text"  # an older memory that no writer has opened since
            return handle.search(lance.match_query(words, column), query_type="fts")

        rows = self._search(table, search, where, columns=columns, limit=limit, score="_score")
        for row in rows:
            row["bm25"] = float(row.pop("_score"))
        return rows

    def _search(
        self, table: str, search: Callable[[Any], Any], where: Where, *, columns: Sequence[str], limit: int, score: str
    ) -> list[Row]:
        """The best rows of a search, each with its `score` column.

        Two steps: the search returns ids alone, then the rows are taken. What most rows pass is looked at afterwards,
        among some more rows than wanted, since as a clause it is evaluated for every row of the table: that nothing
        uncommitted is among them (13 ms of 52 per 100,000 rows, and true of all of them but for the moment that a
        batch is being written), the level, and a wide window of time. Where that leaves too few, the search is made
        again with every clause, so the result is the same.
        """
        is_counted = table not in UNNUMBERED
        judged = (*(("commit_seq",) if is_counted else ()), "t_start_ns", "t_end_ns")
        judged = (*judged, *(("level",) if where.level is not None else ()))

        def run(handle: Any, condition: str | None, count: int) -> list[tuple[int, float]]:
            query = search(handle).select([score]).with_row_id(True)
            if condition is not None:
                query = query.where(condition)
            found = query.limit(count).to_arrow()
            return list(zip(found.column("_rowid").to_pylist(), found.column(score).to_pylist(), strict=True))

        def read(handle: Any) -> list[Row]:
            if self._is_empty(table, handle):
                return []
            last = self.committed()
            share = self._share_passing(where)
            found: list[tuple[int, float]] = []
            if share >= WIDE_SHARE:
                wanted = limit if share == 1.0 else int(limit * MORE / share) + MORE_ROWS
                found = run(handle, where.hard_sql(), wanted)
                # Every column is a read of its own: of many more rows than wanted, first only what is judged.
                fetched = list(judged if wanted > 2 * limit else dict.fromkeys((*columns, *judged)))
                known = self._taken(table, handle, [one for one, _ in found], fetched)
                kept = [
                    (one, value)
                    for one, value in found
                    if where.passes(known[one]) and known[one].get("commit_seq", 0) <= last
                ]
                is_complete = len(kept) >= limit or len(found) < wanted
                found = kept[:limit] if is_complete else []
                if found and wanted <= 2 * limit:
                    return [{name: known[one][name] for name in columns} | {score: value} for one, value in found]
            if not found:
                exact = where.copy().compare("commit_seq", "<=", last) if is_counted else where
                found = run(handle, exact.sql(), limit)
            rows = self._taken(table, handle, [one for one, _ in found], list(columns))
            return [rows[one] | {score: value} for one, value in found]

        return self._read(table, read, [])

    def _is_empty(self, table: str, handle: Any) -> bool:
        """A search in an empty table costs 10 ms, and most memories have one."""
        version = int(handle.version)
        if self._emptiness.get(table, (-1, False))[0] != version:
            self._emptiness[table] = (version, int(handle.count_rows()) == 0)
        return self._emptiness[table][1]

    def _share_passing(self, where: Where) -> float:
        """Roughly which share of the rows passes the window and the level."""
        share = 1.0 if where.level is None else LEVEL_SHARE if where.level == Level.EVENT else 0.0
        return share if where.window is None else share * where.window.share_of(self._recorded())

    def _recorded(self) -> list[tuple[int, int]]:
        """Span of every recording; read again when the table of recordings has changed."""

        def read(handle: Any) -> list[tuple[int, int]]:
            version = int(handle.version)
            if version != self._spans[0]:
                found = handle.search().select(["t_start_ns", "t_end_ns"]).limit(None).to_arrow()
                columns = (found.column(name).to_pylist() for name in ("t_start_ns", "t_end_ns"))
                self._spans = (version, list(zip(*columns, strict=True)))
            return self._spans[1]

        return self._read(RECORDINGS, read, [])

    def _taken(self, table: str, handle: Any, ids: list[int], columns: list[str]) -> dict[int, Row]:
        """Rows by id. Those of the last few thousand are kept while the table is unchanged: a planner asks about the
        same moments again and again. An id that is no longer there (its file was just rewritten) fails the read."""
        if not ids:
            return {}
        version, place = int(handle.version), (table, tuple(columns))
        with self._guard:
            kept_version, kept = self._kept.get(place, (-1, {}))
            if kept_version != version:
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
                self._kept[place] = (version, (kept if len(kept) + len(new) <= KEPT_ROWS else {}) | new)
        return found

    def count(self, table: str, where: Where) -> int:
        condition = self._condition(table, where)
        return self._read(table, lambda handle: int(handle.count_rows(condition)), 0)

    def version(self, table: str) -> int:
        """Changes whenever the table does; -1 where there is none."""
        return self._read(table, lambda handle: int(handle.version), -1)

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
        if table in UNNUMBERED:
            return where.sql()  # beliefs are made from what is committed, and state counts at once
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
