"""In which order a recording was written: sorted by time of recording is wrong where the recorder's clock was set back.

Readers sort messages by the time of recording, which mixes what came before the clock was set back with what came
after. Here the indexes tell whether that happened; such a recording is read as it was written. Knows containers, no
messages. Costs: the index of the last chunk for MCAP, for the others 1 µs per message.
"""

from __future__ import annotations

import io
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from streammem.types import NS_PER_S

logger = logging.getLogger(__name__)

NO_CLOCK_NS = 631_152_000 * NS_PER_S
"""1990: a computer whose clock is earlier was not told the time; it counts from its start, or will be told soon."""
_BACK_NS = NS_PER_S
_USUAL_NS = NS_PER_S // 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Times of recording in the order of writing. `topics`, `times_ns`: int64 (N,)."""

    topics: npt.NDArray[np.int64]
    times_ns: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int]]) -> Written:
        """From (topic, time)."""
        table = np.array(list(rows), dtype=np.int64).reshape(-1, 2)
        return cls(topics=table[:, 0], times_ns=table[:, 1])

    @property
    def is_even(self) -> bool:
        """Whether the clock went on evenly. That one topic was written after another one is no going back."""
        steps = np.diff(self.times_ns)
        if _crosses(self.times_ns).any():
            return False
        if (steps >= -_BACK_NS).all():
            return True
        each = (self.times_ns[self.topics == topic] for topic in np.unique(self.topics))
        return not any((np.maximum.accumulate(one) - one > _BACK_NS).any() for one in each)

    @property
    def start_ns(self) -> int:
        return int(self.times_ns[0])

    @property
    def duration_ns(self) -> int:
        """What went by, if the clock had gone on where it jumps."""
        steps = np.diff(self.times_ns)
        jumps = (steps < -_BACK_NS) | _crosses(self.times_ns)
        return int(np.where(jumps, _USUAL_NS, steps).sum())


def _crosses(times_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """bool (N - 1,): where the clock was told the time."""
    return (times_ns[:-1] < NO_CLOCK_NS) & (times_ns[1:] >= NO_CLOCK_NS)


def mcap_written(path: Path, summary: Any) -> Written | None:
    """Of an MCAP, from the indexes of its chunks; None where its clock goes on evenly, as it nearly always does."""
    chunks = summary.chunk_indexes
    if not chunks:
        return None
    chunks = sorted(chunks, key=lambda one: one.chunk_start_offset)
    latest_ns = 0
    is_mixed = False
    for one in chunks:
        is_mixed |= one.message_start_time < latest_ns - _BACK_NS
        is_mixed |= (latest_ns or one.message_start_time) < NO_CLOCK_NS <= one.message_end_time
        latest_ns = max(latest_ns, one.message_end_time)
    with path.open("rb") as file:
        if not is_mixed and _mcap_index(file, chunks[-1:]).is_even:
            return None
        written = _mcap_index(file, chunks)
    return None if written.is_even else written


def _mcap_index(file: Any, chunks: Iterable[Any]) -> Written:
    from mcap.records import MessageIndex
    from mcap.stream_reader import StreamReader

    rows: list[tuple[int, int]] = []
    for chunk in chunks:
        file.seek(chunk.chunk_start_offset + chunk.chunk_length)
        records = io.BytesIO(file.read(chunk.message_index_length))
        entries: list[tuple[int, int, int]] = []
        reader = iter(StreamReader(records, skip_magic=True).records)
        try:
            while records.tell() < chunk.message_index_length:
                one = next(reader)
                if isinstance(one, MessageIndex):
                    entries += [(offset, one.channel_id, t_ns) for t_ns, offset in one.records]
        except Exception as error:  # what an index that is damaged does not tell is read as it stands
            logger.debug("the index of a chunk cannot be read: %s", error)
        rows += [(channel, t_ns) for _, channel, t_ns in sorted(entries)]
    return Written.of(rows)


def sqlite_written(path: Path) -> Written | None:
    """Of one file of a ROS 2 recording; None where its clock goes on evenly."""
    with closing(_opened(path)) as store:
        written = Written.of(store.execute("SELECT topic_id, timestamp FROM messages ORDER BY id"))
    return None if written.is_even else written


def sqlite_messages(path: Path) -> Iterator[tuple[str, int, bytes]]:
    """(topic, time, bytes) as they were written."""
    with closing(_opened(path)) as store:
        names = dict(store.execute("SELECT id, name FROM topics"))
        for topic, t_ns, data in store.execute("SELECT topic_id, timestamp, data FROM messages ORDER BY id"):
            yield names[topic], t_ns, data


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def ros1_written(indexes: Mapping[int, Iterable[Any]]) -> Written | None:
    """Of the index of a ROS 1 recording; None where its clock goes on evenly."""
    entries = sorted((one.chunk_pos, one.offset, number, one.time) for number, some in indexes.items() for one in some)
    written = Written.of((number, t_ns) for _, _, number, t_ns in entries)
    return None if written.is_even else written


def ros1_as_written(indexes: Mapping[int, Iterable[Any]]) -> dict[int, list[Any]]:
    """The same index, for a reader that goes through it in its order: by place, not by time."""
    from rosbags.rosbag1.reader import IndexData

    class ByPlace(IndexData):
        def __lt__(self, other: Any) -> bool:
            return (self.chunk_pos, self.offset) < (other.chunk_pos, other.offset)

    return {number: sorted(ByPlace(*one) for one in some) for number, some in indexes.items()}
