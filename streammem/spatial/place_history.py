"""Everything that was ever written at a place, bit for bit: its embeddings with their times, in order.

A place is an int64 key (a Morton key of `keys.encode`, at any level; any other number does). What Mem4Nav promises of a
token of fixed size, no token can hold (`reversible_token` says how much it does); this keeps the embeddings themselves,
at 2 % above their bytes. Writes wait in memory until there are `batch_rows` of them, or `flush`; what was flushed
survives a crash. A writer finds what waits, too. What was forgotten is not taken in again: the memory sees to it.
Reached through `Memory.place_history`. Knows no sensor and no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError, MemoryStoreError
from streammem.store.segments import LIST_FILE, Segments, read_list
from streammem.types import stable_id

HISTORY_FOLDER = "place_history"
BATCH_ROWS = 4096
"""Of 384 half-precision numbers: 3 MB. Each batch is a file and some syncs of the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHistory:
    """What was written at one key, in the order in which it came."""

    t_ns: NDArray[np.int64]
    """(N,)"""
    embeddings: NDArray[Any]
    """(N, D), of the history's dtype"""

    def __len__(self) -> int:
        return len(self.t_ns)


class PlaceHistory:
    """The histories of one recording's places. A context manager; not safe for several threads at once.

    Example:
        with memory.place_history(recording="robot", dim=384) as history:
            history.write(key, t_ns=now, embedding=vector)
            history.of(key).embeddings[-1]
    """

    def __init__(
        self, folder: Path, *, recording: str, frame: str, dim: int, dtype: str, write: bool,
        lets_through: Callable[[int], bool] | None = None, batch_rows: int = BATCH_ROWS,
    ) -> None:  # fmt: skip
        """Use `Memory.place_history`."""
        if dim < 1 or batch_rows < 1:
            raise InputError("A place history needs embeddings of at least one number and batches of at least one row.")
        self.dtype = np.dtype(dtype).newbyteorder("<")
        self.dim = dim
        self._is_open = write
        self._lets_through = lets_through
        width = dim * self.dtype.itemsize
        about = {"recording": recording, "frame": frame, "dtype": self.dtype.str, "dim": dim}
        self._segments = Segments(folder_of(folder, recording, frame), width=width, about=about)
        if write:
            self._segments.remove_strays()
        self._keys = np.empty(batch_rows, dtype=np.int64)
        self._times = np.empty(batch_rows, dtype=np.int64)
        self._values = np.empty((batch_rows, width), dtype=np.uint8)
        self._waiting = 0
        self._newest_ns = max((one.note.t_max_ns for one in self._segments), default=np.iinfo(np.int64).min)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """How many embeddings there are."""
        self._segments.refresh()
        return len(self._segments) + self._waiting

    def write(self, key: int, *, t_ns: int, embedding: NDArray[Any]) -> bool:
        """Adds an embedding (D,) to what is known of a place.

        Returns:
            False where the very same is there already (a run that is gone on with), or was forgotten.

        Raises:
            InputError: it has another size or dtype; nothing is rounded here.
            MemoryFullError: the disk is full. What waits is kept.
        """
        if not self._is_open:
            raise MemoryStoreError("The place history is not open for writing; open its memory with write=True.")
        given = np.asarray(embedding)
        if given.shape != (self.dim,) or given.dtype != self.dtype:
            raise InputError(
                f"The place history keeps {self.dim} numbers of type {self.dtype.name}, not {given.shape} of "
                f"{given.dtype.name}; convert it first, since nothing is rounded here."
            )
        if self._lets_through is not None and not self._lets_through(t_ns):
            return False
        value = np.ascontiguousarray(given).view(np.uint8)
        if t_ns <= self._newest_ns and self._has(key, t_ns, value):
            return False
        if self._waiting == len(self._keys):
            self.flush()
        at = self._waiting
        self._keys[at], self._times[at], self._values[at] = key, t_ns, value
        self._waiting += 1
        self._newest_ns = max(self._newest_ns, t_ns)
        return True

    def flush(self) -> None:
        """Commits what waits.

        Raises:
            MemoryFullError: the disk is full or not writable. What waits is kept.
        """
        count = self._waiting
        if count:
            self._segments.append(self._keys[:count], self._times[:count], self._values[:count])
            self._waiting = 0

    def close(self) -> None:
        """Commits; writes no more. Idempotent."""
        if self._is_open:
            self.flush()
            self._is_open = False

    def of(self, key: int, *, as_of_ns: int | None = None) -> KeyHistory:
        """Everything that was written at a key; up to a time, if one is given."""
        self._segments.refresh()
        times: list[NDArray[np.int64]] = []
        values: list[NDArray[np.uint8]] = []
        for some_times, some_values in self._rows(key):
            times.append(some_times)
            values.append(some_values)
        t_ns = np.concatenate(times) if times else np.empty(0, dtype=np.int64)
        joined = np.concatenate(values) if values else np.empty((0, self._segments.width), dtype=np.uint8)
        if as_of_ns is not None:
            known = t_ns <= as_of_ns
            t_ns, joined = t_ns[known], joined[known]
        return KeyHistory(t_ns=t_ns, embeddings=joined.view(self.dtype).reshape(len(t_ns), self.dim))

    def keys(self) -> NDArray[np.int64]:
        """Every key that has a history, sorted."""
        self._segments.refresh()
        return np.unique(np.concatenate([self._keys[: self._waiting], *(one.keys for one in self._segments)]))

    def forget(self, after_ns: int | None, before_ns: int | None) -> int:
        """Takes out what was written in [after, before) (None: without end), and its bytes. Returns how many."""
        self.flush()
        return self._segments.drop(after_ns, before_ns)

    def is_intact(self) -> bool:
        """Whether every committed byte is as it was written. Reads everything."""
        self._segments.refresh()
        return all(one.is_intact() for one in self._segments)

    def _rows(self, key: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        for segment in self._segments:
            found = segment.find(key)
            if found.stop > found.start:
                yield segment.times[found], segment.values[found]
        waiting = np.flatnonzero(self._keys[: self._waiting] == key)
        if len(waiting):
            yield self._times[waiting], self._values[waiting]

    def _has(self, key: int, t_ns: int, value: NDArray[np.uint8]) -> bool:
        return any(
            bool((some_values[some_times == t_ns] == value).all(axis=1).any())
            for some_times, some_values in self._rows(key)
        )


def folder_of(memory_folder: Path, recording: str, frame: str) -> Path:
    """Where the history of a recording's frame lies."""
    return memory_folder / HISTORY_FOLDER / stable_id("place history", recording, frame)


def forget_histories(
    memory_folder: Path, recordings: tuple[str, ...] | None, after_ns: int | None, before_ns: int | None
) -> int:
    """Forgets in every history of a memory, of some recordings or of all (None). Returns how many embeddings. The
    caller holds the writer's lock, and opens its histories anew."""
    import shutil

    gone = 0
    for path in sorted((memory_folder / HISTORY_FOLDER).glob(f"*/{LIST_FILE}")):
        listed = read_list(path.parent)
        if recordings is not None and listed["about"]["recording"] not in recordings:
            continue
        segments = Segments(path.parent, width=listed["width"], about=listed["about"])
        segments.remove_strays()
        if after_ns is None and before_ns is None:
            gone += len(segments)
            path.unlink()
            shutil.rmtree(path.parent)
        else:
            gone += segments.drop(after_ns, before_ns)
    return gone


def merge_histories(memory_folder: Path) -> None:
    """One file per history, and nothing that a crash left. The caller holds the writer's lock."""
    for path in sorted((memory_folder / HISTORY_FOLDER).glob(f"*/{LIST_FILE}")):
        listed = read_list(path.parent)
        segments = Segments(path.parent, width=listed["width"], about=listed["about"])
        segments.merge_all()
        segments.remove_strays()


def count_histories(
    memory_folder: Path, recordings: tuple[str, ...] | None, after_ns: int | None, before_ns: int | None
) -> int:
    """How many embeddings `forget_histories` would take out."""
    count = 0
    for path in sorted((memory_folder / HISTORY_FOLDER).glob(f"*/{LIST_FILE}")):
        listed = read_list(path.parent)
        if recordings is not None and listed["about"]["recording"] not in recordings:
            continue
        for segment in Segments(path.parent, width=listed["width"], about=listed["about"]):
            inside = np.ones(segment.note.rows, dtype=np.bool_)
            if after_ns is not None:
                inside &= segment.times >= after_ns
            if before_ns is not None:
                inside &= segment.times < before_ns
            count += int(inside.sum())
    return count
