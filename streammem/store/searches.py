"""Searches a table: nearest vectors and full text, under exact filters, of what the journal has committed.

Three ways, with the same results but for how near an approximate index comes. A table of up to 200,000 searchable rows
is packed in memory (`packed`) when it is first searched: vectors and filters are looked at there, LanceDB is asked for
words alone. One of up to 1,500,000 is packed once a program has asked a dozen questions, first without its vectors:
LanceDB is asked for ids, which are judged and shown from memory. Anything else, and clauses that cannot be judged in
memory, goes through LanceDB: ids first, then the rows are taken, at 35 us a row and column.

Knows no fusion. Costs (processor time) for 100 rows: 3 ms for vectors and 4 for words out of 100,000; 11 and 8 out of a
million; without a pack twice that, and up to 26 us more for each row that the index refines. Loading costs 8 us a row.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from streammem.heap import trim_heap
from streammem.store import lance
from streammem.store.filters import Where
from streammem.store.indexes import CHECK_NEAREST
from streammem.store.packed import (
    MOST_ROWS,
    PACK_ROWS,
    PACKED_COLUMNS,
    Mask,
    Pack,
    searchable_rows,
)
from streammem.store.tables import FULL_TEXT, RECORDINGS, UNNUMBERED, Row
from streammem.types import FloatVector, Level

if TYPE_CHECKING:
    from streammem.store.reader import Reader

logger = logging.getLogger(__name__)

WIDE_SHARE, MORE, MORE_ROWS = 0.2, 1.3, 20
"""From this share of passing rows on, a filter is judged after the search, among so many times the rows, and some."""
LEVEL_SHARE = 0.8
"""Of the texts and vectors that `events` is searched by, this share is of events; the rest is of coarser levels."""
KEPT_ROWS = 8192
"""Rows of each table that are kept between searches where it is not packed: about 8 MB."""
UNPACKED_SEARCHES, UNPACKED_SEARCHES_OF_LARGE = 4, 24
"""Of a table with a vector index, before it is packed, and of a large one: two questions, and a dozen, asked by a
program that ends then."""

Found = list[tuple[int, float]]
"""(LanceDB id, score), best first."""
Near = tuple[str, FloatVector]
"""A column of vectors, and a vector (D,) to compare them with."""
Wanted = tuple[str, int]
"""A column of vectors, and their dimensions."""


class Searches:
    """Safe to use from several threads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._guard = threading.Lock()
        self._packing: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._packs: dict[str, Pack] = {}
        self._sizes: dict[str, tuple[int, int]] = {}  # (version, searchable rows)
        self._unpacked: Counter[str] = Counter()
        self._loading: set[str] = set()
        self._emptiness: dict[str, tuple[int, bool]] = {}
        self._spans: tuple[int, list[tuple[int, int]]] = (-1, [])
        self._kept: dict[tuple[str, tuple[str, ...]], tuple[int, dict[int, Row]]] = {}

    def nearest(
        self, table: str, column: str, vector: FloatVector, where: Where, *, columns: Sequence[str], limit: int
    ) -> list[Row]:
        """See `Reader.nearest`."""
        wanted = np.asarray(vector, dtype=np.float32)
        note = self._reader.index_notes().get(f"{table}.{column}")

        def search(handle: Any) -> Any:
            query = handle.search(wanted, vector_column_name=column, query_type="vector").distance_type("cosine")
            # No `IS NOT NULL`: null vectors are never near anything, and the test costs 110 ms per 100,000 rows.
            if note is not None:
                # The factor is that of the few nearest: deeper lists refine as many rows, not as many times more. Each
                # is read (26 us), which is most of a search.
                factor = max(1, -(-note.refine_factor * CHECK_NEAREST // limit))
                query = query.nprobes(note.nprobes).refine_factor(factor)
            return query

        def read(handle: Any) -> list[Row]:
            last = self._reader.committed()
            packed = self._packed(table, handle, where, last, columns, vectors=(column, wanted.shape[0]))
            rows: list[Row] | None = None
            if packed is not None:
                pack, passing = packed
                if (vectors := pack.vectors.get(column)) is not None:
                    places, cosines = vectors.nearest(wanted, passing, limit)
                    rows = pack.shown(places, columns)
                    for row, cosine in zip(rows, cosines.tolist(), strict=True):
                        row["similarity"] = cosine
                    return rows
                rows = self._into_pack(handle, search, where, last, columns, limit, "_distance", *packed)
            if rows is None:
                rows = self._through_lance(table, handle, search, where, last, columns, limit, "_distance")
            for row in rows:
                row["similarity"] = 1.0 - float(row.pop("_distance"))
            return rows

        return self._reader.read(table, read, [], for_searches=True)

    def full_text(
        self, table: str, words: str, where: Where, *, columns: Sequence[str], limit: int, near: Near | None = None
    ) -> list[Row]:
        """See `Reader.full_text`."""

        def search(handle: Any) -> Any:
            column = FULL_TEXT[table]
            if column not in self._reader.column_names(table):
                column = "text"  # an older memory that no writer has opened since
            return handle.search(lance.match_query(words, column), query_type="fts")

        def read(handle: Any) -> list[Row]:
            last = self._reader.committed()
            wanted = None if near is None else (near[0], near[1].shape[0])
            packed = self._packed(table, handle, where, last, columns, vectors=wanted)
            rows: list[Row] | None = None
            if packed is not None:
                rows = self._into_pack(handle, search, where, last, columns, limit, "_score", *packed, near=near)
            if rows is None:
                rows = self._through_lance(table, handle, search, where, last, columns, limit, "_score")
            for row in rows:
                row["bm25"] = float(row.pop("_score"))
            return rows

        return self._reader.read(table, read, [], for_searches=True)

    # --- in memory -----------------------------------------------------------------------------------------------

    def _packed(
        self, table: str, handle: Any, where: Where, last: int, columns: Sequence[str],
        *, vectors: Wanted | None = None,
    ) -> tuple[Pack, Mask] | None:  # fmt: skip
        """The pack of the newest version and what passes in it; None where the search goes through LanceDB."""
        pack = self._pack(table, handle, vectors)
        if pack is None or not set(columns) <= set(pack.rows.column_names):
            return None
        passing = pack.passing(where, last)
        return None if passing is None else (pack, passing)

    def _pack(self, table: str, handle: Any, vectors: Wanted | None) -> Pack | None:
        version = self._reader.version_of(table, handle)
        with self._packing[table]:
            pack = self._packs.get(table)
            if pack is not None and pack.version != version:
                pack = pack.followed(handle)
                if pack is None or len(pack.ids) > MOST_ROWS:
                    del self._packs[table]
                    pack = None
                    self._unpacked[table] = 0
            if pack is None:
                if not self._is_worth_packing(table, handle, version):
                    return None
                if self._sizes[table][1] > PACK_ROWS:
                    self._load_meanwhile(table, handle, vectors)
                    return None
                pack = Pack.load(handle, table)
            self._packs[table] = pack
            if vectors is not None and pack.lacks(*vectors):
                if pack.is_large:
                    self._load_meanwhile(table, handle, vectors)
                else:
                    pack = self._packs[table] = pack.with_vectors(handle, *vectors)
            return pack

    def _load_meanwhile(self, table: str, handle: Any, vectors: Wanted | None) -> None:
        """Packs a large table in a thread of its own, its rows and then these vectors (2 s and 4 s for a million);
        until then LanceDB is searched."""
        if table in self._loading:
            return
        self._loading.add(table)

        def load() -> None:
            try:
                pack = self._packs.get(table)
                if pack is None:
                    pack = Pack.load(handle, table)
                    with self._packing[table]:
                        self._packs[table] = pack
                if vectors is not None and pack.lacks(*vectors):
                    pack = pack.with_vectors(handle, *vectors)
                    with self._packing[table]:
                        newest = pack.followed(handle)
                        if newest is not None:
                            self._packs[table] = newest
            except Exception as error:
                self._unpacked[table] = 0  # rewritten meanwhile, say: it is tried again
                logger.info("%s is not packed: %s", table, error)
            finally:
                trim_heap()
                self._loading.discard(table)

        threading.Thread(target=load, name=f"streammem-pack-{table}", daemon=True).start()

    def _is_worth_packing(self, table: str, handle: Any, version: int) -> bool:
        """Counts the searches that ask."""
        if table not in PACKED_COLUMNS:
            return False
        known_version, rows = self._sizes.get(table, (-1, 0))
        if version != known_version:
            # Counting what is searchable in millions of rows takes 10 ms: tables that large are not counted again.
            rows = rows if rows > MOST_ROWS else searchable_rows(handle, table)
            self._sizes[table] = (version, rows)
        if rows > MOST_ROWS:
            return False
        is_indexed = any(name.startswith(f"{table}.") for name in self._reader.index_notes())
        patience = UNPACKED_SEARCHES_OF_LARGE if rows > PACK_ROWS else UNPACKED_SEARCHES if is_indexed else 0
        self._unpacked[table] += 1
        return self._unpacked[table] > patience

    def _into_pack(
        self, handle: Any, search: Callable[[Any], Any], where: Where, last: int, columns: Sequence[str], limit: int,
        score: str, pack: Pack, passing: Mask, *, near: Near | None = None,
    ) -> list[Row] | None:  # fmt: skip
        """What LanceDB finds, judged and shown from the pack. None where an index knows rows that the pack does not."""
        if not passing.any():
            return []
        exact = where.copy().compare("commit_seq", "<=", last).sql()
        for condition, share in _conditions(pack, passing, exact):
            wanted = limit if share == 1.0 else int(limit * MORE / share) + MORE_ROWS
            found = _run(handle, search, condition, wanted, score)
            places = pack.places_of([one for one, _ in found])
            if bool((places < 0).any()):
                return None
            kept = np.flatnonzero(passing[places])[:limit]
            if share == 1.0 or len(kept) >= limit or len(found) < wanted:
                rows = pack.shown(places[kept], columns)
                for row, at in zip(rows, kept.tolist(), strict=True):
                    row[score] = found[at][1]
                if near is not None and (vectors := pack.vectors.get(near[0])) is not None:
                    for row, cosine in zip(rows, vectors.cosines(near[1], places[kept]), strict=True):
                        row["similarity"] = cosine
                return rows
        return None

    # --- through LanceDB -----------------------------------------------------------------------------------------

    def _through_lance(
        self, table: str, handle: Any, search: Callable[[Any], Any], where: Where, last: int, columns: Sequence[str],
        limit: int, score: str,
    ) -> list[Row]:  # fmt: skip
        """The best rows of a search, each with its `score` column.

        Two steps: the search returns ids alone, then the rows are taken. What most rows pass is looked at afterwards,
        among some more rows than wanted, since as a clause it is evaluated for every row of the table: that nothing
        uncommitted is among them (13 ms of 52 per 100,000 rows, and true of all of them but for the moment that a
        batch is being written), the level, and a wide window of time. Where that leaves too few, the search is made
        again with every clause, so the result is the same.
        """
        if self._is_empty(table, handle):
            return []
        is_counted = table not in UNNUMBERED
        judged = (*(("commit_seq",) if is_counted else ()), "t_start_ns", "t_end_ns")
        judged = (*judged, *(("level",) if where.level is not None else ()))
        share = self._share_passing(where)
        found: Found = []
        if share >= WIDE_SHARE:
            wanted = limit if share == 1.0 else int(limit * MORE / share) + MORE_ROWS
            found = _run(handle, search, where.hard_sql(), wanted, score)
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
            found = _run(handle, search, exact.sql(), limit, score)
        rows = self._taken(table, handle, [one for one, _ in found], list(columns))
        return [rows[one] | {score: value} for one, value in found]

    def _is_empty(self, table: str, handle: Any) -> bool:
        """A search in an empty table costs 10 ms, and most memories have one."""
        version = self._reader.version_of(table, handle)
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
            version = self._reader.version_of(RECORDINGS, handle)
            if version != self._spans[0]:
                found = handle.search().select(["t_start_ns", "t_end_ns"]).limit(None).to_arrow()
                columns = (found.column(name).to_pylist() for name in ("t_start_ns", "t_end_ns"))
                self._spans = (version, list(zip(*columns, strict=True)))
            return self._spans[1]

        return self._reader.read(RECORDINGS, read, [])

    def _taken(self, table: str, handle: Any, ids: list[int], columns: list[str]) -> dict[int, Row]:
        """Rows by id. Those of the last few thousand are kept while the table is unchanged: a planner asks about the
        same moments again and again. An id that is no longer there (its file was just rewritten) fails the read."""
        if not ids:
            return {}
        version, place = self._reader.version_of(table, handle), (table, tuple(columns))
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


def _conditions(pack: Pack, passing: Mask, exact: str | None) -> Iterator[tuple[str | None, float]]:
    """SQL conditions that let all through that passes, cheapest first, and which share of what they let through passes.

    Every clause of the exact condition is looked up in an index of its own, and each may let half the table through:
    110 ms for an hour of a million events. So a range of times that holds all that passes, from the pack, comes before.
    """
    count = int(np.count_nonzero(passing))
    if (share := count / len(passing)) >= WIDE_SHARE:
        yield None, share
    if share < 1.0:
        starts = pack.numbers["t_start_ns"]
        own = starts[passing]
        low, high = int(own.min()), int(own.max())
        among = int(np.count_nonzero((starts >= low) & (starts <= high)))
        if WIDE_SHARE <= count / among > share:
            yield f"t_start_ns >= {low} AND t_start_ns <= {high}", count / among
    yield exact, 1.0


def _run(handle: Any, search: Callable[[Any], Any], condition: str | None, count: int, score: str) -> Found:
    query = search(handle).select([score]).with_row_id(True)
    if condition is not None:
        query = query.where(condition)
    found = query.limit(count).to_arrow()
    return list(zip(found.column("_rowid").to_pylist(), found.column(score).to_pylist(), strict=True))
