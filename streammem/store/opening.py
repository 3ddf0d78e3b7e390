"""Opens the store of a memory folder: the reader, and for a writer its lock, migrations and recovery.

What a crash left unfinished is put in order here: half-written batches are removed (`Writer`), a forgetting that was
begun is finished, also before anybody reads.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from streammem.errors import InputError, MemoryFullError, MemoryLockedError
from streammem.settings import StoreSettings
from streammem.store.forget import finish, is_pending
from streammem.store.lock import WriterLock
from streammem.store.migrations import (
    MANIFEST_FILE,
    Manifest,
    migrate,
    prepare_folder,
    read_manifest,
    write_manifest,
)
from streammem.store.reader import Reader
from streammem.store.tombstones import Tombstones
from streammem.store.writer import Writer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The parts of an open memory folder; `writer` and `lock` only where it was opened for writing."""

    reader: Reader
    tombstones: Tombstones
    writer: Writer | None = None
    lock: WriterLock | None = None


def open_store(folder: Path, *, write: bool, create: bool, settings: StoreSettings | None) -> Store:
    """See `Memory.open`."""
    if create and not write:
        raise InputError("A memory is created by its writer: open it with write=True as well.")
    if create:
        prepare_folder(folder)
    if not write:
        manifest = read_manifest(folder)
        if is_pending(folder):
            _finish_forgetting(folder)
        return Store(reader=Reader(folder, manifest), tombstones=Tombstones(folder))
    if not create:
        read_manifest(folder)  # a clear error before a lock file is put into a foreign folder
    lock = WriterLock(folder)
    try:
        if create and not (folder / MANIFEST_FILE).exists():
            write_manifest(folder, Manifest())
        manifest = read_manifest(folder)
        reader = Reader(folder, manifest, is_writing=True)
        manifest = migrate(folder, manifest, reader.connection)
        writer = Writer(folder, reader=reader, manifest=manifest, settings=settings or StoreSettings())
        tombstones = Tombstones(folder)
        if is_pending(folder):
            try:
                finish(writer, tombstones)
            except BaseException:
                writer.close()
                raise
        return Store(reader=reader, tombstones=tombstones, writer=writer, lock=lock)
    except BaseException:
        lock.release()
        raise


def _finish_forgetting(folder: Path) -> None:
    """A reader finds either all of what was to be forgotten, or nothing; unless it is being forgotten right now."""
    try:
        store = open_store(folder, write=True, create=False, settings=None)
    except (MemoryLockedError, MemoryFullError) as error:
        logger.info("a forgetting is not finished yet: %s", error)
        return
    if store.writer is not None and store.lock is not None:
        try:
            store.writer.close()
        finally:
            store.lock.release()
