"""What is kept at hand: never too much, what is needed, and more of it than any fixed policy keeps."""

from __future__ import annotations

import random
from collections import OrderedDict, deque
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streammem.errors import InputError
from streammem.spatial.object_memory import MOST_GONE, ObjectMemory


def lru(trace: Sequence[int], capacity: int) -> float:
    held, hits = OrderedDict[int, None](), 0
    for key in trace:
        hits += key in held
        held[key] = None
        held.move_to_end(key)
        if len(held) > capacity:
            held.popitem(last=False)
    return hits / len(trace)


def lfu(trace: Sequence[int], capacity: int) -> float:
    count, last, hits = dict[int, int](), dict[int, int](), 0
    for now, key in enumerate(trace):
        if key in count:
            hits += 1
            count[key] += 1
        else:
            if len(count) == capacity:
                gone = min(count, key=lambda one: (count[one], last[one]))
                del count[gone], last[gone]
            count[key] = 1
        last[key] = now
    return hits / len(trace)


def fifo(trace: Sequence[int], capacity: int) -> float:
    queue, hits = deque[int](maxlen=capacity), 0
    for key in trace:
        if key in queue:
            hits += 1
        else:
            queue.append(key)
    return hits / len(trace)


def ours(trace: Sequence[int], capacity: int) -> float:
    memory = ObjectMemory[int](capacity)
    for key in trace:
        memory.touch(key)
    return memory.hit_rate


def bursts(seed: int, length: int = 8000) -> list[int]:
    """Tasks of four things, among popular things and things seen once."""
    chance = random.Random(seed)
    weight = [1 / (rank + 1) for rank in range(150)]
    task, out = [0], list[int]()
    for step in range(length):
        if step % 40 == 0:
            task = chance.choices(range(150), weight, k=4)
        draw = chance.random()
        if draw < 0.05:
            out.append(1000 + step)
        else:
            out.append(chance.choice(task) if draw < 0.65 else chance.choices(range(150), weight)[0])
    return out


def popular(seed: int, length: int = 8000) -> list[int]:
    return random.Random(seed).choices(range(150), [1 / (rank + 1) for rank in range(150)], k=length)


def tour(seed: int, length: int = 8000) -> list[int]:
    """Six rooms in turn, three looks at each thing: what was just left comes back last."""
    chance, out = random.Random(seed), list[int]()
    for step in range(length):
        out.append(step // 60 % 6 * 12 + chance.randrange(12) if step % 3 == 0 else out[-1])
    return out


@pytest.mark.parametrize("capacity", [5, 12, 40])
@pytest.mark.parametrize("trace", [bursts(7), popular(7), tour(7)], ids=["bursts", "popular", "tour"])
def test_no_fixed_policy_is_better_by_more_than_half_a_point(trace: list[int], capacity: int) -> None:
    best = max(policy(trace, capacity) for policy in (lru, lfu, fifo))
    assert ours(trace, capacity) >= best - 0.005


def test_what_is_used_all_day_survives_a_sweep() -> None:
    memory = ObjectMemory[str](4)
    for _ in range(100):
        for key in ("cup", "kettle", "spoon"):
            memory.touch(key)
    for number in range(200):
        memory.touch(f"passed {number}")
    assert {"cup", "kettle", "spoon"} <= set(memory)
    assert next(iter(memory)) in {"cup", "kettle", "spoon"}


@given(st.integers(1, 8), st.lists(st.integers(0, 20), max_size=200), st.sets(st.integers(0, 20), max_size=5))
@settings(max_examples=60, deadline=None)
def test_it_is_a_memory_of_bounded_size(capacity: int, trace: list[int], forgotten: set[int]) -> None:
    memory = ObjectMemory[int](capacity)
    hits = 0
    for step, key in enumerate(trace):
        was_held = key in memory
        assert memory.touch(key) == was_held
        hits += was_held
        assert len(memory) <= capacity
        assert len(set(memory)) == len(memory)
        if step == len(trace) // 2:
            for one in forgotten:
                memory.forget(one)
            assert not forgotten & set(memory)
    assert (memory.hits, memory.accesses) == (hits, len(trace))
    assert set(memory) <= set(trace)
    if len(set(trace)) <= capacity and not forgotten:
        assert memory.hits == len(trace) - len(set(trace))  # there is room for everything


def test_what_was_let_go_is_remembered_within_bounds() -> None:
    memory = ObjectMemory[int](3)
    for key in range(5 * MOST_GONE):
        memory.touch(key)
    assert len(memory._gone) <= MOST_GONE
    assert len(memory._last) <= MOST_GONE + 3


def test_it_holds_one_at_least() -> None:
    with pytest.raises(InputError, match="at least one"):
        ObjectMemory[str](0)
