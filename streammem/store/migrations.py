"""The manifest of a memory folder, and the named steps that bring an old memory to the schema of this code.

`manifest.json` is what makes a folder a memory. It is written first, atomically, so that a crash while a memory is made
leaves either nothing or a memory that the next writer completes. Steps are append-only: never change one that shipped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streammem.errors import MemoryFullError, MemoryNotFoundError, MemoryStoreError, MemoryVersionError
from streammem.store import lance
from streammem.store.indexes import create_table_indexes, rebuild_full_text
from streammem.store.lock import LOCK_FILE
from streammem.store.notes import VectorIndexNote
from streammem.store.tables import BELIEFS, EVENTS, FACTS, FULL_TEXT, OBSERVATIONS, schema_of

MANIFEST_FILE = "manifest.json"
FORMAT = "streammem-memory"


def _moment_texts(connection: Any) -> None:
    """May be interrupted anywhere and run again."""
    try:
        table = connection.open_table(EVENTS)
    except Exception as error:
        if "not found" in str(error).lower():
            return  # its making was interrupted; the writer makes it
        raise
    if "moment_text" not in table.schema.names:
        pa = lance.arrow()
        table.add_columns(pa.schema([pa.field("moment_text", pa.string())]))
    # In two steps: within one update, LanceDB may set `text` before `moment_text` is read from it.
    told = "level = 'moment' AND text <> ''"
    table.update(where=told, values_sql={"moment_text": "text"})
    table.update(where=f"{told} AND moment_text = text", values={"text": ""})
    create_table_indexes(table, EVENTS)
    rebuild_full_text(table, EVENTS)


def _searched_lines(connection: Any) -> None:
    """May be interrupted anywhere and run again."""
    try:
        table = connection.open_table(OBSERVATIONS)
    except Exception as error:
        if "not found" in str(error).lower():
            return
        raise
    if FULL_TEXT[OBSERVATIONS] not in table.schema.names:
        named = "coalesce(speaker || ': ' || text, text)"
        table.add_columns({FULL_TEXT[OBSERVATIONS]: named})
    for index in list(table.list_indices()):
        if index.columns == ["text"]:
            table.drop_index(index.name)
    create_table_indexes(table, OBSERVATIONS)


def _who_said_so(connection: Any) -> None:
    """May be interrupted anywhere and run again. Who said what is there already stays unknown. What the statements add
    up to is made anew, a part at a time: what competes has other keys."""
    pa = lance.arrow()
    for name in (BELIEFS, FACTS):
        try:
            table = connection.open_table(name)
        except Exception as error:
            if "not found" in str(error).lower():
                continue
            raise
        if name == BELIEFS:
            table.delete("true")
        wanted = (field for field in schema_of(name) if field.name not in table.schema.names)
        if new := list(wanted):
            table.add_columns(pa.schema(new))


MIGRATIONS: tuple[tuple[str, Callable[[Any], None] | None], ...] = (
    ("0001 first tables", None),
    ("0002 forgetting: committed_floor in the manifest", None),
    ("0003 texts of moments out of the full-text index", _moment_texts),
    ("0004 lines are found by the name of who said them", _searched_lines),
    ("0005 tables of the spatial memory, made when first written to", None),
    ("0006 tables of named rooms and of landmarks along streets, made when first written to", None),
    ("0007 facts know who said so, and what they add up to is made anew", _who_said_so),
)
"""(name, step). The schema version of this code is their number; a step gets the LanceDB connection."""
SCHEMA_VERSION = len(MIGRATIONS)


class Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    migrations: tuple[str, ...] = tuple(name for name, _ in MIGRATIONS)
    vector_indexes: dict[str, VectorIndexNote] = Field(default_factory=dict[str, VectorIndexNote])
    """Keyed `table.column`."""
    committed_floor: int = 0
    """At least so many batches were committed: the journal alone forgets it with its last rows."""


def read_manifest(folder: Path) -> Manifest:
    """
    Raises:
        MemoryNotFoundError: no folder, or an empty one.
        MemoryStoreError: something else lies there, or the manifest is damaged.
        MemoryVersionError: a newer StreamMem wrote it.
    """
    path = folder / MANIFEST_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if not folder.exists() or _is_empty(folder):
            raise MemoryNotFoundError(
                f"There is no memory in {str(folder)!r}; `streammem ingest SOURCE --memory {folder}` makes one."
            ) from error
        if path.exists():
            return read_manifest(folder)  # a writer has made it meanwhile
        raise MemoryStoreError(
            f"{str(folder)!r} holds other files and is not a memory; give a new or empty folder."
        ) from error
    except NotADirectoryError as error:
        raise MemoryStoreError(f"{str(folder)!r} is a file, not a memory folder.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise MemoryStoreError(f"The manifest {str(path)!r} cannot be read: {error}.") from error
    damaged = f"The manifest {str(path)!r} is damaged; put it back from a copy, or write to a new folder."
    try:
        raw: object = json.loads(text)
    except ValueError as error:
        raise MemoryStoreError(damaged) from error
    # The version is judged before the fields: a newer format may have fields that this code does not know.
    fields = cast(dict[str, Any], raw) if isinstance(raw, dict) else {}
    version = fields.get("schema_version")
    if fields.get("format") != FORMAT or not isinstance(version, int):
        raise MemoryStoreError(damaged)
    if version > SCHEMA_VERSION:
        raise MemoryVersionError(
            f"Memory {str(folder)!r} was written by a newer StreamMem (schema {version}, this one knows "
            f"{SCHEMA_VERSION}); update StreamMem to open it."
        )
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        raise MemoryStoreError(damaged) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Atomic: a reader sees the old manifest or the new one.

    Raises:
        MemoryFullError: the disk is full or not writable.
    """
    path = folder / MANIFEST_FILE
    draft = folder / f".{MANIFEST_FILE}.draft"
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(manifest.model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise MemoryFullError(f"Memory {str(folder)!r} cannot be written: {error.strerror}.") from error


def prepare_folder(folder: Path) -> None:
    """Makes the folder of a new memory, where there is none yet.

    Raises:
        MemoryStoreError: a file or foreign files lie there.
        MemoryFullError: it cannot be made.
    """
    if (folder / MANIFEST_FILE).exists():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise MemoryStoreError(f"{str(folder)!r} is a file, not a folder; give another path.") from error
    except OSError as error:
        raise MemoryFullError(f"The memory folder {str(folder)!r} cannot be made: {error.strerror}.") from error
    if not _is_empty(folder):
        raise MemoryStoreError(f"{str(folder)!r} holds other files and is not a memory; give a new or empty folder.")


def migrate(folder: Path, manifest: Manifest, connection: Any) -> Manifest:
    """Runs the steps an older memory lacks, in order. Needs the writer's lock."""
    for number, (_, step) in enumerate(MIGRATIONS, start=1):
        if number <= manifest.schema_version:
            continue
        if step is not None:
            step(connection)
        names = tuple(name for name, _ in MIGRATIONS[:number])
        manifest = manifest.model_copy(update={"schema_version": number, "migrations": names})
        write_manifest(folder, manifest)
    return manifest


def _is_empty(folder: Path) -> bool:
    ours = {LOCK_FILE, f".{MANIFEST_FILE}.draft"}
    return folder.is_dir() and all(entry.name in ours for entry in folder.iterdir())
