"""One order of time for frames, sound, lines and gaps. Knows when each kind counts as known, and nothing else.

A block of sound comes when it is complete, before the frames at or after its end; a gap comes at its end, when reading
goes on.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from perception.protocols import SAMPLE_RATE_HZ, AudioBlock, Look, SourceItem, TrackLine, VideoFrame
from streammem.types import NS_PER_S


def order_key(item: SourceItem) -> tuple[int, int]:
    """Time at which an item is due, and its rank among those due at the same time."""
    if isinstance(item, AudioBlock):
        return item.t_ns + len(item.samples) * NS_PER_S // SAMPLE_RATE_HZ, 0
    if isinstance(item, TrackLine):
        return item.t_start_ns, 2
    if isinstance(item, VideoFrame | Look):
        return item.t_ns, 3
    return item.t_end_ns, 1


def merge_in_time(*parts: Iterable[SourceItem]) -> Iterator[SourceItem]:
    """Merges streams that are each in order, reading each only as far as needed."""
    return heapq.merge(*parts, key=order_key)


class ReorderBuffer:
    """Orders items that arrive together but not quite in order, holding at most `hold_ns` of them."""

    def __init__(self, *, hold_ns: int) -> None:
        self._hold_ns = hold_ns
        self._held: list[tuple[tuple[int, int], int, SourceItem]] = []
        self._count = 0

    def add(self, item: SourceItem) -> None:
        heapq.heappush(self._held, (order_key(item), self._count, item))
        self._count += 1

    def ready(self, positions_ns: Iterable[int]) -> Iterator[SourceItem]:
        """Items that every stream has passed, or that waited longer than `hold_ns` for the slowest stream."""
        positions = list(positions_ns)
        horizon = max(min(positions), max(positions) - self._hold_ns)
        while self._held and self._held[0][0][0] <= horizon:
            yield heapq.heappop(self._held)[2]

    def rest(self) -> Iterator[SourceItem]:
        while self._held:
            yield heapq.heappop(self._held)[2]
