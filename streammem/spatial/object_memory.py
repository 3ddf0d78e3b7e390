"""`ObjectMemory`: the few things at hand, and which of them to let go when another one is needed.

Every policy is a guess at what is needed next: LRU guesses from the last access, LFU from all of them, W-TinyLFU from
a window of each. Here the guess is learned. Accesses are taken for a self-exciting process (Hawkes 1971): each access
of a thing makes it more likely to be accessed again, for a while. How much, and for how long, is a mixture of
half-lives from one access to thousands, and differs with what kind of access it was (the first ever, or one after a
short or a long pause: a thing touched twice in a row is in use, one touched once may never come back). The weights of
the mixture are learned online by expectation-maximisation, a few multiplications per access: nothing is set for a robot
or a home. The thing let go is the one least expected to be accessed before its place would be given away anyway; the
new thing is compared too, and may not be taken in at all.

Things let go are remembered by their numbers alone (`MOST_GONE` of them). Measured by `scripts/bench_object_memory.py`
against FIFO, LRU, LFU, W-TinyLFU, Mem4Nav's score and Belady's optimum. Costs some 20 µs per access and 0.3 MB. Knows
no object, only keys.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError

Key = TypeVar("Key", bound=Hashable)
Floats = NDArray[np.float64]

HALF_LIVES = (0.2, 1.0, 8.0, 64.0, 512.0, 4096.0)
"""In accesses, a factor of eight apart: twice as many gain 0.001 of Belady's optimum. The shortest says `at once again
or not at all`; without it, things looked at once push out things that are used all day."""
PAUSES = (2, 12, 64)
"""Accesses since the last one that tell kinds of access apart; with first accesses, five kinds."""
LEARNS = 0.006
"""Share of what one access teaches: some 170 accesses are remembered. 0.002 to 0.01 differ by 0.002 of the optimum."""
HORIZON = 0.7
"""What is expected is counted over this many times the accesses that a place is held for (capacity / miss rate). 0.3 to
1.5 differ by 0.002 of the optimum."""
MOST_GONE = 1024
_TURNS = 500
"""Accesses over which the miss rate is averaged."""
_KINDS = len(PAUSES) + 2
_PARTS = _KINDS * len(HALF_LIVES)
_RATES: Floats = np.tile(np.log(2.0) / np.array(HALF_LIVES), _KINDS)
_FADES: Floats = np.exp(-_RATES)
_ADDS: Floats = 1.0 - np.exp(-np.log(2.0) / np.array(HALF_LIVES))
"""One access adds so much to each half-life: together they stay a distribution over things."""
_TINY = 1e-9


class ObjectMemory(Generic[Key]):
    """Holds at most `capacity` keys.

    Example:
        >>> memory = ObjectMemory[str](2)
        >>> [memory.touch(key) for key in ("mug", "mug", "plate", "mug")]
        [False, True, False, True]
        >>> "mug" in memory
        True
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise InputError(f"A memory of objects holds at least one, not {capacity}.")
        self.capacity = capacity
        self.hits = 0
        self.accesses = 0
        self._parts = np.zeros((capacity, _PARTS))
        """How excited each held thing is, by kind of access and half-life."""
        self._keys: list[Key] = []
        self._place: dict[Key, int] = {}
        self._last: dict[Key, int] = {}
        self._gone: OrderedDict[Key, tuple[Floats, int]] = OrderedDict()
        self._total = np.zeros(_PARTS)
        """The same over all things, held or not."""
        self._caused = np.full(_PARTS, 1.0 / _PARTS)
        """Share of accesses that each part is answerable for."""
        self._exposed = np.full(_PARTS, 1.0 / _PARTS)
        """How much of each part there was to cause them."""
        self._missed = 0.5

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._place

    def __iter__(self) -> Iterator[Key]:
        """Held keys, most expected first."""
        expected = self._parts[: len(self._keys)] @ self._weights()
        order: list[int] = np.argsort(-expected, kind="stable").tolist()
        return (self._keys[number] for number in order)

    @property
    def hit_rate(self) -> float:
        """Share of accesses that found their thing at hand."""
        return self.hits / self.accesses if self.accesses else 0.0

    def touch(self, key: Key) -> bool:
        """Notes an access, and makes room for the thing where it is worth it. Returns whether it was at hand."""
        self.accesses += 1
        now = self.accesses
        held = len(self._keys)
        self._parts[:held] *= _FADES
        self._total *= _FADES
        place = self._place.get(key)
        parts = self._parts[place] if place is not None else self._recalled(key, now)
        self._learn(parts)
        pause = now - self._last.get(key, -(1 << 60))
        kind = 0 if pause > now else 1 + sum(pause > limit for limit in PAUSES)
        part = slice(kind * len(HALF_LIVES), (kind + 1) * len(HALF_LIVES))
        parts[part] += _ADDS
        self._total[part] += _ADDS
        self._last[key] = now
        self._missed += (float(place is None) - self._missed) / _TURNS
        if place is not None:
            self.hits += 1
            return True
        self._take_in(key, parts, now)
        return False

    def forget(self, key: Key) -> None:
        """Nothing is known of a key any more."""
        self._last.pop(key, None)
        self._gone.pop(key, None)
        place = self._place.pop(key, None)
        if place is None:
            return
        last = len(self._keys) - 1
        moved = self._keys.pop()
        if place != last:
            self._keys[place], self._place[moved] = moved, place
            self._parts[place] = self._parts[last]

    # --- inside -------------------------------------------------------------------------------------------------------

    def _recalled(self, key: Key, now: int) -> Floats:
        known = self._gone.pop(key, None)
        if known is None:
            return np.zeros(_PARTS)
        parts, then = known
        return parts * np.exp(-_RATES * (now - then))

    def _learn(self, parts: Floats) -> None:
        """Expectation: which parts of the thing's excitement called for this access. Maximisation: the weight of a part
        is how often it called, for how much of it there was."""
        called = parts * self._caused / self._exposed
        total = float(called.sum())
        self._caused *= 1.0 - LEARNS
        if total > 0.0:
            self._caused += (LEARNS / total) * called
        self._exposed += LEARNS * (self._total - self._exposed)
        np.maximum(self._exposed, _TINY, out=self._exposed)

    def _weights(self) -> Floats:
        """Accesses to expect, within the horizon, for each unit of each part."""
        horizon = max(1.0, HORIZON * self.capacity / max(self._missed, 0.02))
        return self._caused / self._exposed * -np.expm1(-_RATES * horizon) / _RATES

    def _take_in(self, key: Key, parts: Floats, now: int) -> None:
        held = len(self._keys)
        if held < self.capacity:
            place = held
            self._keys.append(key)
        else:
            weights = self._weights()
            expected = self._parts @ weights
            place = int(expected.argmin())
            if expected[place] >= float(parts @ weights):
                self._let_go(key, parts, now)
                return
            gone = self._keys[place]
            del self._place[gone]
            self._let_go(gone, self._parts[place].copy(), now)
            self._keys[place] = key
        self._place[key] = place
        self._parts[place] = parts

    def _let_go(self, key: Key, parts: Floats, now: int) -> None:
        self._gone[key] = (parts, now)
        if len(self._gone) > MOST_GONE:
            oldest, _ = self._gone.popitem(last=False)
            del self._last[oldest]
