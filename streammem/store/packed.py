"""What a table is searched by, packed in memory: exact filters and nearest vectors in milliseconds.

A `Pack` holds the searchable rows of one version of a table: their LanceDB ids, what a hit shows (an Arrow table), the
numbers that filters compare, and vectors (`packed_vectors`).

Never stale: what a LanceDB id stands for never changes, because an update or a merge of files gives new ids. So the ids
of a version say all: rows whose ids are gone go, rows whose ids are new are read. After a merge of files every id is
new; a row with the same name and the same text then keeps its vector, which is a function of these.

Knows no query and no table's meaning. Costs about 1 kB a row with one vector of 384 (0.7 in a large table), and 8 us a
row to load.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from streammem.store import lance
from streammem.store.filters import Where
from streammem.store.packed_vectors import Mask, Places, Vectors, bytes_needed
from streammem.store.tables import EVENTS, FACTS, KEYFRAMES, OBSERVATIONS, Row
from streammem.types import FloatVector, Level

PACK_ROWS = 200_000
"""Of a table that is packed when it is first searched: loading takes about a second."""
MOST_ROWS = 1_500_000
"""Of a table that is packed for a program that goes on searching: 0.3 kB and 3 us a row, without vectors."""
PACK_VECTOR_BYTES = 512 << 20
"""Of one column: 1.4 million vectors of 384. Beyond, LanceDB's index is asked."""
MOST_CHUNKS, MOST_CHUNKS_OF_LARGE = 32, 256
"""Parts of the Arrow table before they are joined."""
_SPARE = 0.05
"""Room for so many more vectors in a large table, so that the first one that comes does not move them all."""
_KEPT_MEMBERS = 8
_FEW = 4096
"""So many rows are taken by id; more are read by a scan."""

NAMES = {EVENTS: "event_id", OBSERVATIONS: "observation_id", KEYFRAMES: "keyframe_id", FACTS: "assertion_id"}
_SPAN = ("event_id", "recording", "t_start_ns", "t_end_ns", "commit_seq")
PACKED_COLUMNS: dict[str, tuple[str, ...]] = {
    EVENTS: (*_SPAN, "level", "parent_id", "text"),
    OBSERVATIONS: (*_SPAN, "observation_id", "kind", "text", "label", "confidence", "speaker"),
    KEYFRAMES: (*_SPAN, "keyframe_id", "t_ns", "tags", "detections"),
    FACTS: (*_SPAN, "assertion_id", "fact_id", "predicate", "text"),
}
_SEARCHABLE = {EVENTS: "level <> 'moment'"}
"""Moments are ten times as many, and neither their texts nor any vector of theirs are searched."""
_TOLD = {EVENTS: "text", OBSERVATIONS: "text", FACTS: "text", KEYFRAMES: "tags"}

Ids = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One version of a table. Safe to read from several threads; `followed` gives the pack of a newer version."""

    table: str
    version: int
    ids: Ids  # (n,), ascending
    rows: Any  # Arrow table of n rows
    numbers: dict[str, npt.NDArray[np.int64]]
    vectors: dict[str, Vectors] = field(default_factory=dict[str, Vectors])
    _members: dict[tuple[str, tuple[str, ...]], Mask] = field(
        default_factory=dict[tuple[str, tuple[str, ...]], Mask], repr=False
    )

    @property
    def is_large(self) -> bool:
        return len(self.ids) > PACK_ROWS

    @classmethod
    def load(cls, handle: Any, table: str) -> Pack:
        """Reads a table, without its vectors (`with_vectors`)."""
        version = int(handle.version)
        return _sorted_pack(table, version, _scan(handle, table, _columns(handle, table)))

    def followed(self, handle: Any) -> Pack | None:
        """The pack of the newest version, made from this one: only what changed is read. None: a large one would have
        to be read anew."""
        version = int(handle.version)
        if version == self.version:
            return self
        new = self._added(handle)
        if new is None or len(new) > _FEW:
            return None if self.is_large else self._remade(handle)
        if not len(new):
            return Pack(
                table=self.table, version=version, ids=self.ids, rows=self.rows, numbers=self.numbers,
                vectors=self.vectors, _members=self._members,
            )  # fmt: skip
        names = list(self.rows.column_names)
        taken = handle.take_row_ids(new.tolist()).select([*names, *self.vectors]).with_row_id().to_arrow()
        if taken.num_rows < len(new):
            raise LookupError(f"rows not found in data/ of {self.table}.lance: rewritten meanwhile")
        taken = taken.take(lance.arrow().array(np.argsort(_ids_of(taken))))
        added = _sorted_pack(self.table, version, taken.select([*names, "_rowid"]))
        rows = lance.arrow().concat_tables([self.rows, added.rows])
        if rows.column(0).num_chunks > (MOST_CHUNKS_OF_LARGE if self.is_large else MOST_CHUNKS):
            rows = rows.combine_chunks()
        vectors: dict[str, Vectors] = {}
        for name, before in self.vectors.items():
            grown = before.roomier(len(self.ids) + len(new))
            _put(grown, taken.column(name), np.arange(len(self.ids), len(self.ids) + len(new)))
            grown.count = len(self.ids) + len(new)
            vectors[name] = grown
        numbers = {name: np.concatenate([self.numbers[name], added.numbers[name]]) for name in self.numbers}
        ids = np.concatenate([self.ids, added.ids])
        members = {
            (column, values): np.concatenate([before, added._member(column, values)])
            for (column, values), before in dict(self._members).items()
        }
        return Pack(
            table=self.table, version=version, ids=ids, rows=rows, numbers=numbers, vectors=vectors, _members=members
        )

    def _added(self, handle: Any) -> Ids | None:
        """Ids of rows that were added at the end, ascending; None where anything else changed. What is added, rewritten
        or merged gets ids beyond all there were, so the count tells whether others went: 50 to 100 ms in a million
        rows, where comparing all ids takes 500 to 700."""
        columns = ["level"] if self.table == EVENTS else ["commit_seq"]
        query = handle.search().select(columns).with_row_id(True)
        if len(self.ids):
            query = query.where(f"_rowid > {int(self.ids[-1])}")
        found = query.limit(None).to_arrow()
        if self.table == EVENTS:
            compute = lance.compute()
            found = found.filter(compute.not_equal(found.column("level"), Level.MOMENT.value))
        new = np.sort(_ids_of(found))
        return new if searchable_rows(handle, self.table) == len(self.ids) + len(new) else None

    def _remade(self, handle: Any) -> Pack:
        """After a merge of files or a deletion: rows are read again, vectors only of those that are not the same."""
        made = Pack.load(handle, self.table)
        compute = lance.compute()
        name, told = NAMES[self.table], _TOLD[self.table]
        before = compute.index_in(made.rows.column(name), value_set=self.rows.column(name).combine_chunks())
        theirs = cast(Places, before.fill_null(-1).to_numpy().astype(np.int64))
        known = theirs >= 0
        old = self.rows.column(told).take(lance.arrow().array(np.maximum(theirs, 0))) if len(self.ids) else None
        if old is not None:
            same = compute.fill_null(compute.equal(old, made.rows.column(told)), fill_value=False)
            neither = compute.and_(compute.is_null(old), compute.is_null(made.rows.column(told)))
            known &= compute.or_(same, neither).to_numpy()
        for column, vectors in self.vectors.items():
            grown = Vectors.with_room(len(made.ids), vectors.middle)
            places = np.flatnonzero(known)
            grown.take_over(vectors, places, theirs[places])
            grown.count = len(made.ids)
            _read_vectors(handle, made, column, grown, np.flatnonzero(~known))
            made.vectors[column] = grown
        return made

    def lacks(self, column: str, dimensions: int) -> bool:
        """Whether a column of vectors is not packed, and few enough to be."""
        return column not in self.vectors and bytes_needed(len(self.ids), dimensions) <= PACK_VECTOR_BYTES

    def with_vectors(self, handle: Any, column: str, dimensions: int) -> Pack:
        """This pack with the vectors of one more column."""
        if column in self.vectors or column not in handle.schema.names:
            return self
        room = len(self.ids) + (int(_SPARE * len(self.ids)) if self.is_large else 0)
        vectors = Vectors.with_room(room, np.zeros(dimensions, np.float32))
        vectors.count = len(self.ids)
        _read_vectors(handle, self, column, vectors, np.arange(len(self.ids)))
        return Pack(
            table=self.table, version=self.version, ids=self.ids, rows=self.rows, numbers=self.numbers,
            vectors=self.vectors | {column: vectors},
        )  # fmt: skip

    def passing(self, where: Where, last: int) -> Mask | None:
        """(n,): which rows pass, and are of the first `last` batches. None: a clause cannot be judged here."""
        if not where.is_plain:
            return None
        passing = self.numbers["commit_seq"] <= last
        if where.window is not None:
            passing &= where.window.holds_all(self.numbers["t_start_ns"], self.numbers["t_end_ns"])
        for column, operator, value in where.comparisons:
            if column not in self.numbers:
                return None
            passing &= _OPERATORS[operator](self.numbers[column], value)
        memberships = [*where.memberships, *((("level", (where.level,)),) if where.level is not None else ())]
        for column, values in memberships:
            if column not in self.rows.column_names:
                return None
            passing &= self._member(column, tuple(cast("tuple[str, ...]", values)))
        return passing

    def _member(self, column: str, values: tuple[str, ...]) -> Mask:
        """(n,): whether a column has one of these values. The same few are asked for again and again."""
        known = self._members.get((column, values))
        if known is None:
            among = lance.arrow().array(list(values), lance.arrow().string())
            known = cast(Mask, lance.compute().is_in(self.rows.column(column), value_set=among).to_numpy())
            if len(values) <= 2 and len(self._members) < _KEPT_MEMBERS:
                self._members[column, values] = known
        return known

    def places_of(self, ids: Sequence[int]) -> Places:
        """(len(ids),): where these rows stand; -1 where they do not."""
        wanted = np.asarray(ids, dtype=np.uint64)
        if not len(self.ids):
            return np.full(len(wanted), -1, np.int64)
        places = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1).astype(np.int64)
        return np.where(self.ids[places] == wanted, places, -1)

    def shown(self, places: Places, columns: Sequence[str]) -> list[Row]:
        taken = self.rows.select(list(columns)).take(lance.arrow().array(places))
        return cast(list[Row], taken.to_pylist())


_OPERATORS: dict[str, Any] = {
    "<=": np.less_equal, "<": np.less, ">=": np.greater_equal, ">": np.greater, "=": np.equal,
}  # fmt: skip


def searchable_rows(handle: Any, table: str) -> int:
    """How many rows a pack of this table would have."""
    return int(handle.count_rows(_SEARCHABLE.get(table)))


def _columns(handle: Any, table: str) -> list[str]:
    have = handle.schema.names
    return [column for column in PACKED_COLUMNS[table] if column in have]


def _query(handle: Any, table: str, columns: list[str]) -> Any:
    query = handle.search().select(columns).with_row_id(True)
    if table in _SEARCHABLE:
        query = query.where(_SEARCHABLE[table])
    return query.limit(None)


def _scan(handle: Any, table: str, columns: list[str]) -> Any:
    return _query(handle, table, columns).to_arrow()


def _ids_of(table: Any) -> Ids:
    return cast(Ids, table.column("_rowid").to_numpy().astype(np.uint64))


def _sorted_pack(table: str, version: int, found: Any) -> Pack:
    ids = _ids_of(found)
    rows = found.drop_columns(["_rowid"]).combine_chunks()
    if len(ids) > 1 and bool(np.any(ids[1:] < ids[:-1])):
        order = np.argsort(ids)
        ids, rows = ids[order], rows.take(lance.arrow().array(order))
    numbers = {
        name: cast("npt.NDArray[np.int64]", rows.column(name).fill_null(0).to_numpy().astype(np.int64, copy=False))
        for name in rows.column_names
        if name.endswith("_ns") or name == "commit_seq"
    }
    return Pack(table=table, version=version, ids=ids, rows=rows, numbers=numbers)


def _read_vectors(handle: Any, pack: Pack, column: str, into: Vectors, places: Places) -> None:
    """Reads the vectors of some of a pack's rows. The middle of an empty pack's dimensions is found first."""
    if not len(places):
        return
    is_new, has_middle = len(places) == len(pack.ids), False
    for part in _vector_parts(handle, pack, column, places):
        where = pack.places_of(_ids_of(part).tolist() if len(part) < _FEW else cast(Any, _ids_of(part)))
        if bool((where < 0).any()) and not is_new:
            raise LookupError(f"rows not found in data/ of {pack.table}.lance: rewritten meanwhile")
        if is_new and not has_middle and (found := _middle(part.column(column))) is not None:
            into.middle, has_middle = found, True
        _put(into, part.column(column), where)


def _vector_parts(handle: Any, pack: Pack, column: str, places: Places) -> Iterable[Any]:
    if len(places) <= _FEW:
        ids = pack.ids[places].tolist()
        yield handle.take_row_ids(ids).select([column]).with_row_id().to_arrow()
        return
    pa = lance.arrow()
    wanted = pack.ids[places]
    for batch in _query(handle, pack.table, [column]).to_batches(8192):
        part = pa.Table.from_batches([batch])
        inside = np.isin(_ids_of(part), wanted, assume_unique=True)
        yield part if inside.all() else part.filter(pa.array(inside))


def _vectors_in(column: Any) -> tuple[Places, npt.NDArray[np.float32]]:
    """(which rows have one, their vectors (n, D)) of a column of fixed-size lists."""
    joined = column.combine_chunks()
    present = np.flatnonzero(joined.is_valid().to_numpy(zero_copy_only=False))
    flat = joined if len(present) == len(joined) else joined.drop_null()
    numbers = cast("npt.NDArray[np.float32]", flat.flatten().to_numpy(zero_copy_only=False))
    return present, numbers.astype(np.float32, copy=False).reshape(len(present), -1)


def _middle(column: Any) -> FloatVector | None:
    """(D,): the mean of these unit vectors. None: there are none."""
    _, vectors = _vectors_in(column)
    if not len(vectors):
        return None
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.nan_to_num(unit.mean(axis=0)).astype(np.float32)


def _put(into: Vectors, column: Any, places: Places) -> None:
    present, vectors = _vectors_in(column)
    wanted = places[present]
    if len(wanted) and int(wanted.min()) < 0:
        vectors, wanted = vectors[wanted >= 0], wanted[wanted >= 0]
    into.put(wanted, vectors)
