"""Dense text search: what means the same, whatever the words. Knows one embedding per row, compares by cosine.

Calibration. Sentence encoders of the MiniLM family put unrelated sentences at a cosine of 0.0 to 0.2 and paraphrases at
0.6 to 0.9; the score is linear between 0.1 and 0.8. The raw cosine goes out as `Hit.similarity`.
"""

from __future__ import annotations

from streammem.recall.candidates import SEARCH_COLUMNS, Candidate, Pool
from streammem.store.filters import Where
from streammem.store.reader import Reader
from streammem.store.searches import Near
from streammem.store.tables import find_vector_column
from streammem.types import FloatVector

UNRELATED, SAME = 0.1, 0.8


def calibrate(cosine: float) -> float:
    """[0, 1]."""
    return min(max((cosine - UNRELATED) / (SAME - UNRELATED), 0.0), 1.0)


def judge(candidate: Candidate, cosine: float) -> None:
    candidate.similarity = cosine
    candidate.dense = calibrate(cosine)


def column_for(reader: Reader, table: str, vector: FloatVector, model: str) -> Near | None:
    """What a vector (D,) in the space of `model` is compared with; None where the table has no such column."""
    column = find_vector_column(reader.column_names(table), "vector", vector.shape[0], model)
    return None if column is None else (column, vector)


def search_dense(pool: Pool, reader: Reader, table: str, *, near: Near, where: Where, limit: int) -> float:
    """Adds the rows of `table` that are nearest to a vector to the pool.

    Returns:
        The calibrated score that rows which were not returned stay below; 0 where all were.
    """
    rows = reader.nearest(table, *near, where, columns=SEARCH_COLUMNS[table], limit=limit)
    for candidate, row in zip(pool.add(table, rows), rows, strict=True):
        judge(candidate, row["similarity"])
    return calibrate(rows[-1]["similarity"]) if len(rows) == limit else 0.0
