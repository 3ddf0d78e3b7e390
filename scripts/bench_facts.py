"""What a new fact costs as the history grows: `python scripts/bench_facts.py [--sizes 1000,10000,100000]`.

Three histories: many subjects that move about (40 rooms, a subject per 25 assertions), forty subjects that move all the
time (so each has a history of thousands), and one statement that is made again and again. At each size it measures the
processor time of consolidating the next 2,000 assertions, by a writer that has just been opened (nothing at hand), and
reading: one subject's facts now, one subject's as of the middle, all facts now. Processor time, because a busy machine
must not count; the median of three.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from streammem.memory import Memory
from streammem.semantic.beliefs import Beliefs
from streammem.settings import StoreSettings
from streammem.types import NS_PER_S, Event, EventBundle, Fact, Level, event_id_for

NEW, PER_EVENT, REPEATS = 2_000, 20, 3
STORE = StoreSettings(batch_rows=4096, batch_s=5.0)


def told(shape: str, number: int, dice: random.Random) -> tuple[str, str, str]:
    if shape == "many subjects":
        return (f"thing {dice.randrange(number // 25 + 40)}", "is in", f"room {dice.randrange(40)}")
    if shape == "forty subjects":
        return (f"thing {dice.randrange(40)}", "is in", f"room {dice.randrange(40)}")
    return ("kettle", "is seen in", "kitchen")


def bundles(shape: str, start: int, count: int) -> Iterator[EventBundle]:
    dice = random.Random(start)
    for first in range(start, start + count, PER_EVENT):
        event_id = event_id_for("bench", Level.EVENT, first)
        event = Event(
            event_id=event_id, recording="bench", level=Level.EVENT, t_start_ns=first * NS_PER_S,
            t_end_ns=(first + PER_EVENT) * NS_PER_S, strength=1.0, parent_id=None,
        )  # fmt: skip
        facts = {
            (subject, value): Fact(
                fact_id="", recording="bench", subject=subject, predicate=predicate, object=value,
                t_from_ns=(first + at) * NS_PER_S, t_to_ns=None, confidence=0.7, count=1, event_ids=(event_id,),
            )
            for at in range(PER_EVENT if shape != "one statement" else 1)
            for subject, predicate, value in [told(shape, first + at, dice)]
        }  # fmt: skip
        yield EventBundle(event=event, facts=tuple(facts.values()))


class Timed(Beliefs):
    """Beliefs that note what projecting cost."""

    def __init__(self, inner: Beliefs) -> None:
        super().__init__(inner._reader)
        self.cpu_s = 0.0
        self.assertions = 0

    def project(self, table: Any) -> int:
        start = time.process_time()
        done = super().project(table)
        self.cpu_s += time.process_time() - start
        self.assertions += done
        return done


def write(folder: Path, shape: str, start: int, count: int) -> float:
    """Processor seconds per assertion of consolidating these."""
    with Memory.open(folder, write=True, create=True, settings=STORE) as memory:
        timed = Timed(memory._beliefs)
        memory._writing().beliefs = timed
        for bundle in bundles(shape, start, count):
            memory.write(bundle)
        memory.flush()
    return timed.cpu_s / max(timed.assertions, 1)


def read_ms(read: Callable[[], object]) -> float:
    read()
    times: list[float] = []
    for _ in range(5):
        start = time.process_time()
        read()
        times.append(time.process_time() - start)
    return statistics.median(times) * 1e3


def reading(folder: Path, subject: str, *, middle_ns: int) -> tuple[int, float, float, float]:
    """Facts there are; milliseconds for one subject's now, one subject's as of the middle, and all now."""
    end_ns = 10**18
    with Memory.open(folder) as memory:
        now = read_ms(lambda: memory.facts(subject=subject, as_of_ns=end_ns, every_event=False))
        then = read_ms(lambda: memory.facts(subject=subject, as_of_ns=middle_ns, every_event=False))
        everything = read_ms(lambda: memory.facts(as_of_ns=end_ns, every_event=False))
        return len(memory.facts(every_event=False)), now, then, everything


def main() -> None:
    parser = argparse.ArgumentParser(description="What a new fact costs as the history grows.")
    parser.add_argument("--sizes", default="1000,10000,100000")
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    print(
        f"{'history':>16} {'assertions':>10} {'facts':>7} | {'new fact':>9} | {'a subject':>9} {'then':>8} {'all':>9}"
    )
    for shape in ("many subjects", "forty subjects", "one statement"):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "memory"
            written = 0
            step = PER_EVENT if shape == "one statement" else 1  # there, an event asserts one thing
            for size in sizes:
                write(folder, shape, written * step, (size - written) * step)
                written = size
                costs: list[float] = []
                for _ in range(REPEATS):
                    costs.append(write(folder, shape, written * step, NEW * step))
                    written += NEW
                subject = "kettle" if shape == "one statement" else "thing 7"
                facts, now, then, everything = reading(folder, subject, middle_ns=written * step // 2 * NS_PER_S)
                print(
                    f"{shape:>16} {written:>10,} {facts:>7,} | {statistics.median(costs) * 1e6:>6.0f} us | "
                    f"{now:>6.1f} ms {then:>5.1f} ms {everything:>6.1f} ms",
                    flush=True,
                )


if __name__ == "__main__":
    main()
