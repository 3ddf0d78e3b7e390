"""Immutable sorted files of (key, time, bytes) rows, and the list of those that count.

A folder holds `segments.json` and files that it names. A file is written whole and put on the disk before the list that
names it, and the list is replaced atomically: a crash leaves the old list or the new one, and files that no list names
are removed by the next writer. Rows of a file are sorted by key; rows of one key stay in the order in which they came,
within a file and from file to file. Eight files of like size are merged into one, up to `MERGED_ROWS`, so that no write
waits for gigabytes; `merge_all` goes on without limit. Columns are read through memory maps: a key costs two or three
microseconds a file, and 16 bytes a row are added to what is kept. Knows no place and no embedding.

Chosen over a LanceDB table for reads of one key: 0.03 ms against 2.9 ms, a million rows (`bench_place_history.py`).
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from streammem.errors import MemoryFullError, MemoryStoreError
from streammem.store.tombstones import sync_folder, write_durably

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

LIST_FILE = "segments.json"
_MAGIC = b"SMSEG001"
_HEAD = struct.Struct("<8sqqq")
"""Magic, rows, bytes a row, checksum; 32 bytes, so that columns are aligned."""
MERGED_TOGETHER = 8
MERGED_ROWS = 1 << 15
"""Of a file that is made while rows are written: 25 MB of 384 half-precision numbers, so that the write that merges
waits some tenths of a second at most; a million rows are read from some thirty files."""
_ROWS_AT_ONCE = 16_384
"""Copied together when files are merged, whatever their size."""
_BYTES_AT_ONCE = 1 << 24
"""Checked together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentNote:
    """What the list says of a file."""

    number: int
    rows: int
    t_min_ns: int
    t_max_ns: int
    checksum: int
    """CRC-32 of all that follows the head."""


class Segment:
    """One file, mapped. Columns: `keys` (N,) sorted, `times` (N,), `values` (N, width)."""

    def __init__(self, folder: Path, note: SegmentNote, width: int) -> None:
        """
        Raises:
            MemoryStoreError: the file is damaged.
        """
        self.note = note
        self.path = folder / f"{note.number}.seg"
        expected = _HEAD.size + note.rows * (16 + width)
        with self.path.open("rb") as file:
            head = file.read(_HEAD.size)
        if len(head) < _HEAD.size or self.path.stat().st_size != expected:
            raise MemoryStoreError(f"{str(self.path)!r} is damaged; put the memory back from a copy.")
        magic, rows, row_bytes, checksum = _HEAD.unpack(head)
        if (magic, rows, row_bytes, checksum) != (_MAGIC, note.rows, width, note.checksum):
            raise MemoryStoreError(f"{str(self.path)!r} is damaged; put the memory back from a copy.")
        whole = np.memmap(self.path, mode="r", dtype=np.uint8, offset=_HEAD.size)
        self.keys: Ints = np.asarray(whole[: 8 * rows].view(np.int64))
        self.times: Ints = np.asarray(whole[8 * rows : 16 * rows].view(np.int64))
        self.values: Bytes = np.asarray(whole[16 * rows :].reshape(rows, width))
        self._whole = whole

    def find(self, key: int) -> slice:
        """Rows of a key."""
        first = int(self.keys.searchsorted(key))
        rows = self.note.rows
        if first == rows or int(self.keys[first]) != key:
            return slice(first, first)
        return slice(first, int(self.keys.searchsorted(key, side="right")))

    def is_intact(self) -> bool:
        """Whether every byte is as it was written; reads all of the file."""
        checksum = 0
        for begin in range(0, len(self._whole), _BYTES_AT_ONCE):
            checksum = zlib.crc32(self._whole[begin : begin + _BYTES_AT_ONCE].tobytes(), checksum)
        return checksum == self.note.checksum


class Segments:
    """The files of one folder. One writer at a time (the caller sees to that), any number of readers.

    Args:
        width: bytes of a row's value.
    """

    def __init__(self, folder: Path, *, width: int, about: dict[str, Any]) -> None:
        """
        Raises:
            MemoryStoreError: the list or a file is damaged, or was made for rows of another size.
        """
        self.folder = folder
        self.width = width
        self._about = about
        self._stamp: tuple[int, int, int] | None = None
        self._next = 0
        self._open: dict[int, Segment] = {}
        self._order: list[int] = []
        self.refresh()

    def __len__(self) -> int:
        return sum(self._open[number].note.rows for number in self._order)

    def __iter__(self) -> Iterator[Segment]:
        """In the order in which their rows came."""
        return iter([self._open[number] for number in self._order])

    def refresh(self) -> None:
        """Sees what another process has written since."""
        path = self.folder / LIST_FILE
        for _ in range(3):  # a writer may remove a merged file between our two reads
            try:
                state = path.stat()
            except FileNotFoundError:
                self._open, self._order, self._stamp = {}, [], None
                return
            stamp = (state.st_ino, state.st_mtime_ns, state.st_size)
            if stamp == self._stamp:
                return
            listed = read_list(self.folder)
            if listed["width"] != self.width or listed["about"] != self._about:
                raise MemoryStoreError(
                    f"{str(self.folder)!r} holds {listed['about']} of {listed['width']} bytes, not {self._about} of "
                    f"{self.width}."
                )
            notes = [SegmentNote(**note) for note in cast(list[dict[str, int]], listed["segments"])]
            try:
                opened = {note.number: self._known(note) or Segment(self.folder, note, self.width) for note in notes}
            except FileNotFoundError:
                continue
            self._open, self._order, self._stamp = opened, [note.number for note in notes], stamp
            self._next = int(listed["next"])
            return
        raise MemoryStoreError(f"{str(self.folder)!r} names files that are not there; put the memory back from a copy.")

    def _known(self, note: SegmentNote) -> Segment | None:
        """An open file, if it is the one that is meant: after all was forgotten, numbers begin anew."""
        segment = self._open.get(note.number)
        return segment if segment is not None and segment.note == note else None

    # --- writing ------------------------------------------------------------------------------------------------------

    def append(self, keys: Ints, times: Ints, values: Bytes) -> None:
        """Commits rows, in the order in which they came.

        Raises:
            MemoryFullError: the disk is full or not writable; nothing that was committed is lost.
        """
        if not len(keys):
            return
        self.refresh()
        order = keys.argsort(kind="stable")
        segment = self._write(keys[order], times[order], iter([values[order]]))
        self._commit([*self._order, segment.note.number], [segment])
        self._merge()

    def drop(self, after_ns: int | None, before_ns: int | None) -> int:
        """Rewrites what holds rows of a span [after, before) (None: without end) without them; their bytes are gone
        when it returns. Returns how many rows that were."""
        order: list[int] = []
        written: list[Segment] = []
        gone = 0
        for segment in self:
            note = segment.note
            if (after_ns is not None and note.t_max_ns < after_ns) or (
                before_ns is not None and note.t_min_ns >= before_ns
            ):
                order.append(note.number)
                continue
            inside = np.ones(note.rows, dtype=np.bool_)
            if after_ns is not None:
                inside &= segment.times >= after_ns
            if before_ns is not None:
                inside &= segment.times < before_ns
            kept = np.flatnonzero(~inside)
            gone += note.rows - len(kept)
            if len(kept) == note.rows:
                order.append(note.number)
            elif len(kept):
                parts = (segment.values[part] for part in _parts(kept))
                written.append(self._write(segment.keys[kept], segment.times[kept], parts))
                order.append(written[-1].note.number)
        if gone:
            self._commit(order, written)
        return gone

    def remove_strays(self) -> None:
        """Removes files that a crash left: named by no list."""
        for path in self.folder.glob("*.seg*"):
            if path.suffix != ".seg" or int(path.stem) not in self._open:
                path.unlink(missing_ok=True)

    def merge_all(self) -> None:
        """Makes one file of all."""
        self.refresh()
        if len(self._order) > 1:
            self._merge_last(len(self._order))

    def _merge(self) -> None:
        while len(self._order) >= MERGED_TOGETHER:
            rows = [self._open[number].note.rows for number in self._order[-MERGED_TOGETHER:]]
            if sum(rows) > MERGED_ROWS or _size_class(rows[0]) > _size_class(max(rows[1:])):
                return
            self._merge_last(MERGED_TOGETHER)

    def _merge_last(self, count: int) -> None:
        last = [self._open[number] for number in self._order[-count:]]
        keys = np.concatenate([one.keys for one in last])
        order = keys.argsort(kind="stable")
        times = np.concatenate([one.times for one in last])[order]
        begins = np.cumsum([0] + [one.note.rows for one in last])
        merged = self._write(keys[order], times, _gathered(last, begins, order))
        self._commit([*self._order[:-count], merged.note.number], [merged])

    def _write(self, keys: Ints, times: Ints, values: Iterator[Bytes]) -> Segment:
        number, self._next = self._next, self._next + 1
        path = self.folder / f"{number}.seg"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(bytes(_HEAD.size))
                checksum = 0
                for column in (keys, times, *values):
                    raw = np.ascontiguousarray(column).tobytes()
                    checksum = zlib.crc32(raw, checksum)
                    file.write(raw)
                file.seek(0)
                file.write(_HEAD.pack(_MAGIC, len(keys), self.width, checksum))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            path.unlink(missing_ok=True)
            raise MemoryFullError(f"Memory folder {str(self.folder)!r} cannot be written: {error.strerror}.") from error
        note = SegmentNote(
            number=number, rows=len(keys), t_min_ns=int(times.min()), t_max_ns=int(times.max()), checksum=checksum
        )  # fmt: skip
        return Segment(self.folder, note, self.width)

    def _commit(self, order: Sequence[int], written: Sequence[Segment]) -> None:
        opened = self._open | {one.note.number: one for one in written}
        listed = {
            "width": self.width, "about": self._about, "next": self._next,
            "segments": [asdict(opened[number].note) for number in order],
        }  # fmt: skip
        sync_folder(self.folder)
        write_durably(self.folder / LIST_FILE, json.dumps(listed).encode())
        gone = [one for number, one in opened.items() if number not in set(order)]
        self._open, self._order = {number: opened[number] for number in order}, list(order)
        state = (self.folder / LIST_FILE).stat()
        self._stamp = (state.st_ino, state.st_mtime_ns, state.st_size)
        for segment in gone:
            segment.path.unlink(missing_ok=True)


def read_list(folder: Path) -> dict[str, Any]:
    """
    Raises:
        MemoryStoreError: it is damaged.
    """
    path = folder / LIST_FILE
    try:
        return cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise MemoryStoreError(f"{str(path)!r} is damaged; put the memory back from a copy.") from error


def _size_class(rows: int) -> int:
    return int(np.log(max(rows, 1)) / np.log(MERGED_TOGETHER))


def _parts(rows: Ints) -> Iterator[Ints]:
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[begin : begin + _ROWS_AT_ONCE]


def _gathered(segments: Sequence[Segment], begins: Ints, order: Ints) -> Iterator[Bytes]:
    """Values in a new order, some rows at a time."""
    for part in _parts(order):
        home = begins.searchsorted(part, side="right") - 1
        values = np.empty((len(part), segments[0].values.shape[1]), dtype=np.uint8)
        for number, segment in enumerate(segments):
            rows = np.flatnonzero(home == number)
            values[rows] = segment.values[part[rows] - begins[number]]
        yield values
