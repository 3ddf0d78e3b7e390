"""Which index a column gets, and when.

Scalar and full-text indexes are made with the table. A vector index (IVF_RQ) only from many rows on: below, exact
search is as fast and always right. Default parameters of an approximate index can silently return a fifth of the right
rows, so `nprobes` and `refine_factor` are raised until sampled queries agree with exact search, and noted in the
manifest. Knows no batch and no lock: called by the writer. A build costs about 25 s per 100,000 vectors of 384.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from streammem.store import lance
from streammem.store.notes import VectorIndexNote
from streammem.store.state import STATE
from streammem.store.tables import (
    BELIEFS,
    EVENTS,
    FACTS,
    FULL_TEXT,
    KEYFRAMES,
    LANDMARKS,
    NAMED_ROOMS,
    OBJECT_STATES,
    OBSERVATIONS,
    PLACE_LOG,
    RECORDINGS,
)

logger = logging.getLogger(__name__)
Vectors = npt.NDArray[np.float32]

_BTREE: dict[str, tuple[str, ...]] = {
    EVENTS: ("event_id", "parent_id", "t_start_ns", "t_end_ns", "commit_seq"),
    OBSERVATIONS: ("observation_id", "event_id", "t_start_ns", "t_end_ns"),
    KEYFRAMES: ("keyframe_id", "event_id", "t_start_ns", "t_end_ns"),
    FACTS: ("fact_id", "event_id", "subject_key", "t_start_ns", "t_end_ns", "commit_seq"),
    BELIEFS: ("fact_id", "key", "live_key", "subject_key", "commit_seq"),
    RECORDINGS: ("recording",),
    OBJECT_STATES: ("state_id", "object_id", "t_start_ns", "t_end_ns", "x_m", "y_m"),
    PLACE_LOG: ("place_id", "t_end_ns"),
    NAMED_ROOMS: ("recording",),
    LANDMARKS: ("recording", "label"),
    **{name: table.indexed for name, table in STATE.items()},
}
_BITMAP: dict[str, tuple[str, ...]] = {
    EVENTS: ("recording", "level"),
    OBSERVATIONS: ("recording", "kind", "label"),
    KEYFRAMES: ("recording",),
    FACTS: ("recording", "predicate"),
}
_LABEL_LIST: dict[str, tuple[str, ...]] = {EVENTS: ("kinds",)}

VECTOR_ROLES = ("vector__", "image_vector__", "joint_vector__")
WANTED_RECALL = 0.96
"""Against exact search, over the ten nearest of queries made up."""
CHECK_QUERIES = 50
CHECK_NEAREST = 10
MIXED, BENT = 3, 0.7
"""A check's query is the mean of so many stored vectors, made a unit vector, and noise of this length: as a question
lies between what is stored. Such queries find as many of their ten nearest as real questions do, within two points at
a million rows; stored vectors with noise alone (a cosine of 0.55) find three to five points more than those."""
_STEPS: tuple[tuple[int, int], ...] = ((20, 10), (50, 30), (100, 30), (200, 30), (200, 50), (400, 100))
"""(nprobes, refine_factor), cheap to dear. Among a million rows (LanceDB 0.40) 50 more probes cost 1.5 ms
of processor time, a hundred more rows that are refined 2.6."""
REBUILD_GROWTH, CHECK_GROWTH = 2.0, 1.25
"""Partitions are sized at the build; `optimize` adds new rows to them, and a table twice as large is trained anew. On
the way it is compared with exact search again: parameters for 557,000 rows find less among a million."""


def create_table_indexes(table: Any, name: str) -> None:
    """Scalar and full-text indexes of a new, empty table; also completes what an interrupted making left out."""
    have = {column for index in table.list_indices() for column in index.columns}
    for column, kind, options in _wanted(name):
        if column not in have:
            table.create_index(column, config=lance.index_config(kind, **options))


def rebuild_indexes(table: Any, name: str) -> None:
    """Makes every index anew from the rows there are: an index goes on holding the words, values and vectors of rows
    that were deleted. Costs what the first making does."""
    for column, kind, options in _wanted(name):
        table.create_index(column, config=lance.index_config(kind, **options), replace=True)
    for index in list(table.list_indices()):
        column = index.columns[0]
        if column.startswith(VECTOR_ROLES):
            if int(table.count_rows(f"{column} IS NOT NULL")):
                table.create_index(column, config=vector_index_config(), replace=True)
            else:
                table.drop_index(index.name)


def optimise(table: Any, *, keep: timedelta, delete_unverified: bool = False) -> None:
    """Merges small files, adds new rows to the indexes, removes versions older than `keep`.

    LanceDB 0.40 cannot add rows to a vector index that have no vector, all of them ("Not found: .../ivf_0.lance", from
    its own scratch folder): then the vector indexes are made anew, which knows how to leave such rows out.
    """
    try:
        table.optimize(cleanup_older_than=keep, delete_unverified=delete_unverified)
    except RuntimeError as error:
        if "ivf_" not in str(error):
            raise
        logger.info("vector indexes of %s are made anew: %s", table.name, error)
        indexed = [index for index in table.list_indices() if index.columns[0].startswith(VECTOR_ROLES)]
        for index in indexed:
            table.drop_index(index.name)
        table.optimize(cleanup_older_than=keep, delete_unverified=delete_unverified)
        for index in indexed:
            table.create_index(index.columns[0], config=vector_index_config())


def rebuild_full_text(table: Any, name: str) -> None:
    """After a change to many texts."""
    for column, kind, options in _wanted(name):
        if kind == "FTS":
            table.create_index(column, config=lance.index_config(kind, **options), replace=True)


def vector_index_config() -> Any:
    return lance.index_config("IvfRq", distance_type="cosine")


def _wanted(name: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(column, kind of index, options) of a table's scalar and full-text indexes."""
    wanted: list[tuple[str, str, dict[str, Any]]] = [(column, "BTree", {}) for column in _BTREE.get(name, ())]
    wanted += [(column, "Bitmap", {}) for column in _BITMAP.get(name, ())]
    wanted += [(column, "LabelList", {}) for column in _LABEL_LIST.get(name, ())]
    # Stemmed, so that "ran" finds "run"; without stop words, so that a question's grammar matches nothing.
    if name in FULL_TEXT:
        wanted.append((FULL_TEXT[name], "FTS", {"stem": True, "remove_stop_words": True}))
    return wanted


def refresh_vector_indexes(
    table: Any, name: str, *, from_rows: int, notes: dict[str, VectorIndexNote]
) -> dict[str, VectorIndexNote]:
    """Builds the vector indexes that are due. Returns the notes that are new; empty where nothing was done."""
    if table.count_rows() < from_rows:
        return {}
    fresh: dict[str, VectorIndexNote] = {}
    indexed = {column for index in table.list_indices() for column in index.columns}
    for column in table.schema.names:
        if not column.startswith(VECTOR_ROLES):
            continue
        rows = int(table.count_rows(f"{column} IS NOT NULL"))
        note = notes.get(f"{name}.{column}") if column in indexed else None
        if rows < from_rows:
            continue
        checked: VectorIndexNote | None = None
        if note is not None and rows < note.rows * REBUILD_GROWTH:
            if rows < max(note.rows, note.checked_rows) * CHECK_GROWTH:
                continue
            checked = _checked(table, column, rows, trained=note.rows)
        if checked is None or checked.recall < WANTED_RECALL:
            table.create_index(column, config=vector_index_config())
            checked = _checked(table, column, rows, trained=rows)
        fresh[f"{name}.{column}"] = checked
        logger.info("vector index on %s.%s: %s", name, column, checked)
    return fresh


def _checked(table: Any, column: str, rows: int, *, trained: int) -> VectorIndexNote:
    """The cheapest search parameters whose recall against exact search is high enough, else the best tried."""
    queries = _sample(table, column, rows)
    floors = _exact_floors(table, column, queries)
    best: VectorIndexNote | None = None
    for nprobes, refine_factor in _STEPS:
        found = np.stack([_nearest(table, column, query, nprobes, refine_factor) for query in queries])
        recall = float((found >= floors[:, None]).mean())
        tried = VectorIndexNote(
            rows=trained, checked_rows=rows, nprobes=nprobes, refine_factor=refine_factor, recall=recall
        )
        if best is None or tried.recall > best.recall:
            best = tried
        if best.recall >= WANTED_RECALL:
            break
    assert best is not None
    return best


def _sample(table: Any, column: str, rows: int) -> Vectors:
    """(Q, D) unit vectors that lie as questions do."""
    generator = np.random.default_rng(rows)
    total, wanted = int(table.count_rows()), CHECK_QUERIES * MIXED
    drawn = generator.integers(0, total, 2 * wanted * -(-total // rows))  # some rows have no vector
    offsets = sorted({int(offset) for offset in drawn})
    stored = table.take_offsets(offsets).select([column]).to_arrow().column(column).to_pylist()
    vectors = np.array([vector for vector in stored if vector is not None], dtype=np.float32)
    chosen = generator.integers(0, len(vectors), (CHECK_QUERIES, MIXED))
    mixed = _unit(vectors[chosen].sum(axis=1))
    return _unit(mixed + BENT * _unit(generator.standard_normal(mixed.shape).astype(np.float32)))


def _unit(vectors: npt.NDArray[np.floating]) -> Vectors:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def _exact_floors(table: Any, column: str, queries: Vectors) -> Vectors:
    """(Q,): the similarity of the tenth nearest row of each query (Q, D), and a bit less: anything as near counts. One
    pass over the table for all of them, 3 s for a million vectors of 384; one by one they take half a second each."""
    best = np.full((len(queries), CHECK_NEAREST), -1.0, dtype=np.float32)
    rows = table.search().select([column]).where(f"{column} IS NOT NULL").limit(None)
    for batch in rows.to_batches(8192):
        stored = np.asarray(batch.column(column).flatten(), dtype=np.float32).reshape(-1, queries.shape[1])
        lengths = np.maximum(np.linalg.norm(stored, axis=1), 1e-12)
        found = np.concatenate([best, queries @ stored.T / lengths], axis=1)
        best = np.partition(found, -CHECK_NEAREST, axis=1)[:, -CHECK_NEAREST:]
    return best.min(axis=1) - np.float32(1e-5)


def _nearest(table: Any, column: str, query: Any, nprobes: int, refine_factor: int) -> Vectors:
    """(CHECK_NEAREST,): similarities of what the index finds; -1 where it finds less."""
    search = table.search(query, vector_column_name=column, query_type="vector").distance_type("cosine")
    search = search.nprobes(nprobes).refine_factor(refine_factor).select(["_distance"]).limit(CHECK_NEAREST)
    found = 1.0 - search.to_arrow().column("_distance").to_numpy()
    return np.pad(found, (0, CHECK_NEAREST - len(found)), constant_values=-1.0).astype(np.float32)
