"""Which index a column gets, and when.

Scalar and full-text indexes are made with the table. A vector index (IVF_RQ) only from many rows on: below, exact
search is as fast and always right. Default parameters of an approximate index can silently return a fifth of the right
rows, so `nprobes` and `refine_factor` are raised until sampled queries agree with exact search, and noted in the
manifest. Knows no batch and no lock: called by the writer. A build costs about 25 s per 100,000 vectors of 384.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, cast

import numpy as np

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
WANTED_RECALL = 0.97
"""Against exact search, over the ten nearest of sampled rows."""
CHECK_QUERIES = 50
CHECK_NEAREST = 10
BENT = 1.5
"""Length of the noise added to a unit vector: a cosine of 0.55. With 0.5 (0.89) parameters passed at 0.99 whose recall
for 50 real questions was 0.92."""
_STEPS: tuple[tuple[int, int], ...] = ((20, 10), (50, 30), (100, 30), (200, 50), (400, 100))
"""(nprobes, refine_factor), cheap to dear; measured in LanceDB 0.40: 8.8 to 18.6 ms at a million rows."""
REBUILD_GROWTH = 2.0
"""Partitions are sized at the build; `optimize` adds new rows to them, and a table twice as large is trained anew."""


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
        if rows < from_rows or (note is not None and rows < note.rows * REBUILD_GROWTH):
            continue
        table.create_index(column, config=vector_index_config())
        fresh[f"{name}.{column}"] = _checked(table, column, rows)
        logger.info("vector index on %s.%s: %s", name, column, fresh[f"{name}.{column}"])
    return fresh


def _checked(table: Any, column: str, rows: int) -> VectorIndexNote:
    """The cheapest search parameters whose recall against exact search is high enough, else the best tried."""
    queries = _sample(table, column, rows)
    exact = [_nearest(table, column, query, None) for query in queries]
    best = VectorIndexNote(rows=rows, nprobes=_STEPS[0][0], refine_factor=_STEPS[0][1], recall=-1.0)
    for nprobes, refine_factor in _STEPS:
        shares: list[float] = []
        for query, right in zip(queries, exact, strict=True):
            floor = right[-1] - 1e-6  # ties: anything as near as the tenth counts
            found = _nearest(table, column, query, (nprobes, refine_factor))
            shares.append(sum(similarity >= floor for similarity in found) / len(right))
        recall = float(np.mean(shares))
        if recall > best.recall:
            best = VectorIndexNote(rows=rows, nprobes=nprobes, refine_factor=refine_factor, recall=recall)
        if recall >= WANTED_RECALL:
            break
    return best


def _sample(table: Any, column: str, rows: int) -> list[Any]:
    """Stored vectors, bent as far as a question is from what answers it."""
    generator = np.random.default_rng(rows)
    offsets = sorted({int(offset) for offset in generator.integers(0, table.count_rows(), CHECK_QUERIES * 2)})
    stored = table.take_offsets(offsets).select([column]).to_arrow().column(column).to_pylist()
    vectors = [np.asarray(vector, dtype=np.float32) for vector in stored if vector is not None][:CHECK_QUERIES]
    bent: list[Any] = []
    for vector in vectors:
        noise = np.asarray(generator.standard_normal(vector.shape[0]), dtype=np.float32)
        bent.append(vector + BENT * noise / float(np.linalg.norm(noise)))
    return bent


def _nearest(table: Any, column: str, query: Any, parameters: tuple[int, int] | None) -> list[float]:
    search = table.search(query, vector_column_name=column, query_type="vector").distance_type("cosine")
    search = search.select(["_distance"]).limit(CHECK_NEAREST)
    if parameters is None:
        search = search.bypass_vector_index()
    else:
        search = search.nprobes(parameters[0]).refine_factor(parameters[1])
    distances = cast(list[float], search.to_arrow().column("_distance").to_pylist())
    return [1.0 - distance for distance in distances]
