"""Which things a robot needs, one after another: seven kinds of traces, and the policies to beat.

household  Zipf popularity, 60 % of accesses in bursts of four things, 5 % seen once only, popularity reshuffled
zipf       independent Zipf draws
drift      the popular things change by one every 50 accesses
rooms      a tour of six rooms, twelve things each, three looks at a time: cyclic, hostile to recency
scan       household with one long sweep over everything every 2,000 accesses
errands    recipes of four to twelve things in their order, some more often than others, with things seen by the way
patrol     a random walk between rooms, then independent draws, then sweeps, each for 2,500 accesses

The first five are those that targets were set on; `object_memory` was tuned on seeds 0 and 1 of all seven, in a copy in
another language. A policy is a function (trace, capacity) -> share of hits.
"""

from __future__ import annotations

import random
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence

from streammem.spatial.object_memory import ObjectMemory

Trace = Sequence[int]
Policy = Callable[[Trace, int], float]
FAMILIES = ("household", "zipf", "drift", "rooms", "scan", "errands", "patrol")
OBJECTS = 200


def trace_of(family: str, seed: int, *, length: int = 20_000) -> list[int]:
    """Things as numbers; the same for the same family and seed."""
    chance = random.Random(f"{family}{seed}")
    if family == "errands":
        return _errands(chance, length)
    if family == "patrol":
        return _patrol(chance, length)
    weight = [1 / (rank + 1) for rank in range(OBJECTS)]
    order, task, once, out = list(range(OBJECTS)), list[int](), 10**6, list[int]()
    for i in range(length):
        if family == "zipf":
            out.append(chance.choices(order, weight)[0])
        elif family == "drift":
            out.append((chance.choices(range(OBJECTS), weight)[0] + i // 50) % OBJECTS)
        elif family == "rooms":
            out.append(i // 60 % 6 * 12 + chance.choice(range(12)) if i % 3 == 0 or not out else out[-1])
        else:
            if i % 1000 == 0:
                places = chance.sample(range(OBJECTS), OBJECTS // 5)
                moved = [order[place] for place in places]
                chance.shuffle(moved)
                for place, thing in zip(places, moved, strict=True):
                    order[place] = thing
            if i % 40 == 0:
                task = chance.choices(order, weight, k=4)
            if family == "scan" and i % 2000 < OBJECTS:
                out.append(i % 2000)
                continue
            draw = chance.random()
            if draw < 0.05:
                once += 1
                out.append(once)
            else:
                out.append(chance.choice(task) if draw < 0.65 else chance.choices(order, weight)[0])
    return out


def _errands(chance: random.Random, length: int) -> list[int]:
    recipes = [[chance.randrange(150) for _ in range(chance.randint(4, 12))] for _ in range(25)]
    weight = [1 / (rank + 1) for rank in range(len(recipes))]
    out: list[int] = []
    while len(out) < length:
        for thing in chance.choices(recipes, weight)[0]:
            out += [thing] * chance.choice((1, 1, 2, 3))
            if chance.random() < 0.15:
                out.append(1000 + chance.randrange(400))
    return out[:length]


def _patrol(chance: random.Random, length: int) -> list[int]:
    at, out = 0, list[int]()
    weight = [1 / (rank + 1) ** 1.2 for rank in range(120)]
    while len(out) < length:
        phase = len(out) // 2500 % 3
        if phase == 0:
            at = (at + chance.choice((-1, 1))) % 12
            out += [at * 10 + chance.randrange(10) for _ in range(chance.randint(5, 25))]
        elif phase == 1:
            out += chance.choices(range(120), weight, k=50)
        else:
            first = chance.randrange(120)
            out += [(first + step) % 120 for step in range(60)]
            out += [30 + chance.randrange(10) for _ in range(40)]
    return out[:length]


def ours(trace: Trace, capacity: int) -> float:
    """`streammem.spatial.object_memory`"""
    memory = ObjectMemory[int](capacity)
    for thing in trace:
        memory.touch(thing)
    return memory.hit_rate


def fifo(trace: Trace, capacity: int) -> float:
    """The one longest there goes."""
    held, queue, hits = set[int](), deque[int](), 0
    for thing in trace:
        if thing in held:
            hits += 1
            continue
        if len(queue) == capacity:
            held.discard(queue.popleft())
        queue.append(thing)
        held.add(thing)
    return hits / len(trace)


def lru(trace: Trace, capacity: int) -> float:
    """The one longest not used goes."""
    held, hits = OrderedDict[int, None](), 0
    for thing in trace:
        if thing in held:
            hits += 1
            held.move_to_end(thing)
            continue
        if len(held) == capacity:
            held.popitem(last=False)
        held[thing] = None
    return hits / len(trace)


def scored(score: Callable[[int, int, int], float | tuple[int, int]]) -> Policy:
    """The one of the least score(count since it came, last access, now) goes."""

    def run(trace: Trace, capacity: int) -> float:
        count, last, hits = dict[int, int](), dict[int, int](), 0
        for now, thing in enumerate(trace):
            if thing in count:
                hits += 1
                count[thing] += 1
            else:
                if len(count) == capacity:
                    gone = min(count, key=lambda one: score(count[one], last[one], now))
                    del count[gone], last[gone]
                count[thing] = 1
            last[thing] = now
        return hits / len(trace)

    return run


def tiny_lfu(window_share: float) -> Policy:
    """W-TinyLFU (Einziger, Friedman, Manes 2017): an LRU window before a segmented LRU that only what is used more
    often enters; counts are exact here, where it keeps a sketch, and are halved every ten capacities."""

    def run(trace: Trace, capacity: int) -> float:
        window_size = max(1, round(capacity * window_share))
        main = capacity - window_size
        window, probation, protected = (OrderedDict[int, None]() for _ in range(3))
        count, since, hits = Counter[int](), 0, 0
        for thing in trace:
            count[thing] = min(15, count[thing] + 1)
            since += 1
            if since >= 10 * capacity:
                since //= 2
                count = Counter({one: half for one, many in count.items() if (half := many // 2)})
            if thing in window or thing in protected:
                hits += 1
                (window if thing in window else protected).move_to_end(thing)
                continue
            if thing in probation:
                hits += 1
                del probation[thing]
                protected[thing] = None
                if len(protected) > main * 4 // 5:
                    probation[protected.popitem(last=False)[0]] = None
                continue
            window[thing] = None
            if len(window) <= window_size:
                continue
            candidate, _ = window.popitem(last=False)
            if len(probation) + len(protected) < main:
                probation[candidate] = None
            elif main:
                victim = next(iter(probation)) if probation else next(iter(protected))
                if count[candidate] > count[victim]:
                    (probation if victim in probation else protected).pop(victim)
                    probation[candidate] = None
        return hits / len(trace)

    return run


def belady(trace: Trace, capacity: int) -> float:
    """The one needed farthest in the future goes; it knows the future, and takes in only what is worth it."""
    following, seen = [0] * len(trace), dict[Hashable, int]()
    for i in range(len(trace) - 1, -1, -1):
        following[i] = seen.get(trace[i], 10**9)
        seen[trace[i]] = i
    held, hits = dict[int, int](), 0
    for i, thing in enumerate(trace):
        if thing in held:
            hits += 1
        elif len(held) == capacity:
            gone = max(held, key=lambda one: held[one])
            if held[gone] <= following[i]:
                continue
            del held[gone]
        held[thing] = following[i]
    return hits / len(trace)


POLICIES: dict[str, Policy] = {
    "FIFO": fifo,
    "LRU": lru,
    "LFU": scored(lambda count, last, _: (count, last)),
    "Mem4Nav": scored(lambda count, last, now: 0.5 * count - 0.5 * (now - last)),
    "W-TinyLFU 1 %": tiny_lfu(0.01),
    "W-TinyLFU 20 %": tiny_lfu(0.2),
}
"""Those to beat."""
