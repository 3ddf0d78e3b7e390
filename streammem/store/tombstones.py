"""What was forgotten, so that it does not come back by itself: content-free marks in `forgotten.json`.

A mark names its recording by a hash (of the file's fingerprint; of the name, for streams and where there is no file),
and says which span of it is gone, counted from the recording's start: all of it, everything in a span, or one kind of
observation in a span. No word, name, picture or vector is kept. Times are compared, not ids: another recogniser cuts
the same sentence a little differently. Knows no table. Costs a scan of the marks of one recording per event.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from streammem.errors import MemoryFullError, MemoryStoreError
from streammem.types import Recording, stable_id

FORGOTTEN_FILE = "forgotten.json"
PICTURE, SUMMARY = "picture", "summary"
SAME_SHARE = 0.6
"""Of the shorter of two spans: from that overlap on they are taken for the same thing."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mark:
    """One forgotten thing. `from_ns`, `to_ns`: within the recording, from its start; None: all of it."""

    key: str
    from_ns: int | None = None
    to_ns: int | None = None
    kind: str | None = None
    """An observation's kind, `picture`, or `summary` (an event's text that stands on nothing); None: everything."""
    label: str | None = None
    """Hash of an object's label: a dog that was forgotten does not hide the cat beside it."""

    def covers(self, from_ns: int, to_ns: int, *, kind: str | None = None, label: str | None = None) -> bool:
        """Whether something at this span of the recording is what was forgotten, or lies in a span that was."""
        if self.from_ns is None or self.to_ns is None:
            return True
        if self.kind is None:
            return from_ns < self.to_ns and max(to_ns, from_ns + 1) > self.from_ns
        if kind != self.kind or (self.label is not None and label != self.label):
            return False
        overlap = min(to_ns, self.to_ns) - max(from_ns, self.from_ns)
        shorter = min(to_ns - from_ns, self.to_ns - self.from_ns)
        return overlap > 0 and overlap >= SAME_SHARE * shorter


def recording_key(recording: Recording | None, name: str) -> str:
    """Content-free name of a recording: the same file has the same one, wherever it lies and whatever it is called."""
    if recording is None or not recording.fingerprint or recording.fingerprint.startswith("live-"):
        return stable_id("forgotten recording named", name)
    return fingerprint_key(recording.fingerprint)


def fingerprint_key(fingerprint: str) -> str:
    return stable_id("forgotten recording of", fingerprint)


def label_key(key: str, label: str) -> str:
    """Differs between recordings, so that no table of all labels fits every memory."""
    return stable_id("forgotten label", key, label.casefold())


class Tombstones:
    """The marks of one memory."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FORGOTTEN_FILE
        self._marks: dict[str, set[Mark]] = {}
        self._stamp: tuple[int, int] | None = None

    def of(self, *keys: str) -> list[Mark]:
        """Marks of a recording, in order of time."""
        self._refresh()
        found = {mark for key in keys for mark in self._marks.get(key, ())}
        return sorted(found, key=lambda mark: (mark.from_ns is not None, mark.from_ns or 0, str(mark)))

    def is_forgotten(self, *keys: str) -> bool:
        """Whether all of a recording was forgotten."""
        return any(mark.from_ns is None for mark in self.of(*keys))

    def add(self, marks: Iterable[Mark]) -> None:
        """Adds and saves; known marks change nothing.

        Raises:
            MemoryFullError: the disk is full or not writable.
        """
        self._refresh()
        new = {mark for mark in marks if mark not in self._marks.get(mark.key, ())}
        if new:
            for mark in new:
                self._marks.setdefault(mark.key, set()).add(mark)
            self._save()

    def lift(self, *keys: str) -> None:
        """Takes back every mark of a recording: it may be remembered again."""
        self._refresh()
        lifted = [key for key in keys if self._marks.pop(key, None)]
        if lifted:
            self._save()

    def _refresh(self) -> None:
        try:
            state = self._path.stat()
        except FileNotFoundError:
            self._marks, self._stamp = {}, None
            return
        stamp = (state.st_mtime_ns, state.st_size)
        if stamp == self._stamp:
            return
        try:
            rows = cast(list[dict[str, Any]], json.loads(self._path.read_text(encoding="utf-8"))["marks"])
            marks = [Mark(**row) for row in rows]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MemoryStoreError(
                f"{str(self._path)!r} is damaged; put it back from a copy, or remove it: then what was forgotten may "
                "come back when it is ingested again."
            ) from error
        self._marks = {}
        for mark in marks:
            self._marks.setdefault(mark.key, set()).add(mark)
        self._stamp = stamp

    def _save(self) -> None:
        rows = [
            {name: value for name, value in asdict(mark).items() if value is not None}
            for marks in self._marks.values()
            for mark in sorted(marks, key=str)
        ]
        write_durably(self._path, json.dumps({"marks": rows}).encode())
        state = self._path.stat()
        self._stamp = (state.st_mtime_ns, state.st_size)


def write_durably(path: Path, content: bytes) -> None:
    """Atomic and on the disk when it returns: the old file, or all of the new one.

    Raises:
        MemoryFullError: the disk is full or not writable.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise MemoryFullError(f"Memory {str(path.parent)!r} cannot be written: {error.strerror}.") from error


def sync_folder(folder: Path) -> None:
    """Puts names on the disk, where the system knows how."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
