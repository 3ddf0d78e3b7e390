"""One writer per memory folder.

An operating-system lock on `writer.lock`, not the file's existence: it falls with the process, also after `kill -9`.
The file holds the process id and host of the writer, for the message to the second one. On Windows `msvcrt` locks the
first byte instead. Network file systems must support locks; NFS before version 4 does not.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from streammem.errors import MemoryFullError, MemoryLockedError

LOCK_FILE = "writer.lock"
_PAYLOAD_AT = 16
"""Bytes left free at the start: Windows keeps a locked byte from being read."""
_TRIES = 6
"""20 ms apart. A writer is not waited for; who only looks is gone after microseconds, unless it was interrupted."""


class WriterLock:
    """Held from construction until `release()`.

    Raises:
        MemoryLockedError: another process, or another `Memory` in this one, is writing.
        MemoryFullError: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / LOCK_FILE
        try:
            self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise MemoryFullError(f"Memory {str(folder)!r} cannot be written to: {error.strerror}.") from error
        try:
            _lock_patiently(self._descriptor)
        except OSError as error:
            holder = _holder(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
            raise MemoryLockedError(
                f"Memory {str(folder)!r} is being written by {holder}; wait until it is done, stop it, or write to "
                "another folder."
            ) from error
        payload = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b" " * _PAYLOAD_AT + payload, 0) if hasattr(os, "pwrite") else None
        except OSError:
            pass  # A full disk must not keep one from opening: the lock holds without its note.

    def release(self) -> None:
        """Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)  # closing drops the lock
            self._descriptor = None


def is_being_written(folder: Path) -> bool:
    """Whether some process holds the writer's lock. Looks only: takes the lock for no longer than it takes to see, and
    shared, so that two who look do not take each other for a writer."""
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR)
    except OSError:
        return False  # no writer ever, or a folder that cannot be written to
    try:
        _lock(descriptor, shared=True)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock(descriptor: int, *, shared: bool = False) -> None:
    if sys.platform == "win32":
        windows: Any = importlib.import_module("msvcrt")
        windows.locking(descriptor, windows.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _lock_patiently(descriptor: int) -> None:
    """Some more tries, in case somebody was just looking (`is_being_written`)."""
    for _ in range(_TRIES - 1):
        try:
            _lock(descriptor)
        except OSError:
            time.sleep(0.02)
        else:
            return
    _lock(descriptor)


def _holder(descriptor: int) -> str:
    try:
        os.lseek(descriptor, _PAYLOAD_AT, os.SEEK_SET)
        note = json.loads(os.read(descriptor, 4096))
        return f"process {int(note['pid'])} on {note['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
