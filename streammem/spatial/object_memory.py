"""placeholder policy until tuned: LRU."""
from __future__ import annotations

from collections import OrderedDict


class ObjectMemory:
    """placeholder"""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._held: OrderedDict[str, None] = OrderedDict()

    def touch(self, key: str) -> bool:
        hit = key in self._held
        self._held[key] = None
        self._held.move_to_end(key)
        if len(self._held) > self.capacity:
            self._held.popitem(last=False)
        return hit
