"""Removes the bytes of deleted rows from a table's files: a delete only marks them.

LanceDB rewrites a file for its deleted rows only when they are a tenth of it, keeps old versions, and never takes a
deleted row's words out of an index. So: every file with marks is rewritten (each of its rows is updated to itself,
which is one atomic commit), the indexes are made anew, old versions and files of broken writes are removed. Needs the
writer's lock. Costs the rewriting of the files concerned and the making of the indexes: 30 s for a million rows.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from streammem.store.indexes import optimise, rebuild_indexes

_NOW = timedelta(milliseconds=1)
"""Age of the versions that go. Not zero: LanceDB warns of that one."""
_FRAGMENT_BITS = 32
"""A row's id is its file's number and its place in it."""
_ID_COLUMNS = ("event_id", "recording")


def has_deleted_rows(folder: Path, name: str) -> bool:
    """Whether files of a table still hold rows that were deleted."""
    return bool(_fragments_with_deletions(folder, name))


def purge(table: Any, folder: Path, name: str) -> None:
    """Leaves no byte of a deleted row in the table's folder. Safe to repeat at any point."""
    # Files of old versions first, so that the marks that are left are those of the newest version.
    optimise(table, keep=_NOW, delete_unverified=True)
    marked = _fragments_with_deletions(folder, name)
    if marked:
        ranges = [
            f"(_rowid >= {number << _FRAGMENT_BITS} AND _rowid < {(number + 1) << _FRAGMENT_BITS})" for number in marked
        ]
        column = next(column for column in _ID_COLUMNS if column in table.schema.names)
        table.update(where=" OR ".join(ranges), values_sql={column: column})
    rebuild_indexes(table, name)
    optimise(table, keep=_NOW, delete_unverified=True)


def _fragments_with_deletions(folder: Path, name: str) -> list[int]:
    """Numbers of the files of a table that have a list of deleted rows (`_deletions/<number>-<version>-<id>.*`)."""
    marks = folder / f"{name}.lance" / "_deletions"
    if not marks.is_dir():
        return []
    return sorted({int(number) for path in marks.iterdir() if (number := path.name.partition("-")[0]).isdigit()})
