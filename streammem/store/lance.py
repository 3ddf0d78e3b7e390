"""The only place that imports LanceDB and Arrow, when first used: both cost half a second at import.

Knows no table of ours. Everything is typed `Any` here because neither library ships usable type stubs.
"""

from __future__ import annotations

import importlib
import os
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from streammem.errors import MemoryFullError, MemoryStoreError, StreamMemError

_FULL = (
    "no space left",
    "os error 28",
    "storagefull",
    "quota",
    "os error 122",
    "file too large",
    "os error 27",
    "permission denied",
    "os error 13",
    "read-only file system",
    "os error 30",
)
"""How the disk says that nothing more can be written: the Rust core passes on the operating system's words."""


def _lancedb(module: str = "lancedb") -> Any:
    """LanceDB or a module of it. Its Rust core warns on stderr about itself ("partition 59 is empty, skipping"), a
    hundred lines for one index, and reads the level to warn from once, when it is loaded."""
    os.environ.setdefault("LANCEDB_LOG", "error")
    return importlib.import_module(module)


def arrow() -> Any:
    """The `pyarrow` module."""
    return importlib.import_module("pyarrow")


def compute() -> Any:
    """The `pyarrow.compute` module."""
    return importlib.import_module("pyarrow.compute")


def largest(column: Any, *, default: int) -> int:
    """Of an Arrow column of integers; a million cost 2 ms, as a Python list 60."""
    found = compute().max(column).as_py()
    return default if found is None else int(found)


Caches = Literal["searching", "writing"]
CACHE_BYTES: dict[Caches, tuple[int, int]] = {"searching": (256 << 20, 32 << 20), "writing": (16 << 20, 4 << 20)}
"""(of indexes, of metadata). LanceDB's own bounds are gigabytes. Every commit leaves 60 kB of its version there that
nothing asks for again, so a writer's memory grows until they are full: with the small ones by 40 MB, in 600 commits."""


@cache
def _session(caches: Caches) -> Any:
    """Shared by all connections of this process that are for the same."""
    indexes, metadata = CACHE_BYTES[caches]
    return _lancedb().Session(index_cache_size_bytes=indexes, metadata_cache_size_bytes=metadata)


def connect(folder: Path, *, caches: Caches) -> Any:
    """A connection whose readers are never stale: every read looks for a newer version first (0.2 ms)."""
    lancedb = _lancedb()
    return lancedb.connect(str(folder), read_consistency_interval=timedelta(0), session=_session(caches))


def index_config(kind: str, **options: Any) -> Any:
    """`lancedb.index.<kind>(**options)`, e.g. `BTree`, `Bitmap`, `LabelList`, `FTS`, `IvfRq`."""
    return getattr(_lancedb("lancedb.index"), kind)(**options)


def match_query(text: str, column: str) -> Any:
    """A full-text query that takes the text as words only: it has no operators, so no text is a syntax error."""
    return _lancedb("lancedb.query").MatchQuery(text, column)


def orderings(columns: tuple[str, ...]) -> list[Any]:
    """Ascending order by these columns."""
    ordering = _lancedb("lancedb.query").ColumnOrdering
    return [ordering(column_name=column, ascending=True, nulls_first=False) for column in columns]


def is_conflict(error: Exception) -> bool:
    """True for commits that lost a race and may simply be tried again."""
    return "commit conflict" in str(error).lower()


def is_stale_version(error: Exception) -> bool:
    """True for a read whose version was cleaned up under it: reading again takes the newest version."""
    text = str(error).lower()
    return "not found" in text and ("_versions" in text or "data/" in text or ".lance" in text or "_indices" in text)


def translate(error: Exception, folder: Path) -> Exception:
    """What the user is told instead of a Rust error."""
    text = str(error)
    if isinstance(error, StreamMemError):
        return error
    if any(sign in text.lower() for sign in _FULL):
        reason = "it may not be written to" if "ermission" in text or "ead-only" in text else "the disk is full"
        return MemoryFullError(
            f"Memory {str(folder)!r} cannot be written: {reason}; make room or allow writing and run the same command "
            "again, nothing committed is lost."
        )
    first = text.strip().splitlines()[0][:300] if text.strip() else type(error).__name__
    return MemoryStoreError(f"Memory {str(folder)!r} cannot be used: {first}")
