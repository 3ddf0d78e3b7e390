"""What a memory holds, counted. Knows no query; costs a count per table and a walk over the folder's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streammem.store.filters import Where
from streammem.store.migrations import read_manifest
from streammem.store.reader import Reader
from streammem.store.state import STATE
from streammem.store.tables import EVENTS, FACTS, KEYFRAMES, OBSERVATIONS, RECORDINGS, SPATIAL
from streammem.types import LEVELS, Recording


def folder_bytes(folder: Path) -> int:
    """Bytes of every file below; files that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def describe(reader: Reader, recordings: list[Recording]) -> dict[str, Any]:
    """JSON-ready: times in nanoseconds, no vectors, no checkpoints."""
    manifest = read_manifest(reader.folder)
    made = [name for name in (*SPATIAL, *STATE) if (reader.folder / f"{name}.lance").is_dir()]
    tables = (EVENTS, OBSERVATIONS, KEYFRAMES, FACTS, RECORDINGS, *made)
    columns = {table: [name for name in reader.column_names(table) if "__" in name] for table in tables}
    return {
        "folder": str(reader.folder),
        "schema_version": manifest.schema_version,
        "bytes": folder_bytes(reader.folder),
        "batches": reader.committed(),
        "rows": {table: reader.count(table, Where()) for table in tables},
        "levels": {level.value: reader.count(EVENTS, Where().equals("level", level.value)) for level in LEVELS},
        "vector_columns": {table: names for table, names in columns.items() if names},
        "vector_indexes": {name: note.model_dump() for name, note in reader.index_notes().items()},
        "recordings": [
            {
                "recording": one.recording,
                "uri": one.uri,
                "status": one.status,
                "t_start_ns": one.t_start_ns,
                "t_end_ns": one.t_end_ns,
                "has_video": one.has_video,
                "has_audio": one.has_audio,
                "dropped": one.dropped,
                "models": one.models,
                "gaps": [{"t_start_ns": g.t_start_ns, "t_end_ns": g.t_end_ns, "reason": g.reason} for g in one.gaps],
            }
            for one in recordings
        ],
    }
