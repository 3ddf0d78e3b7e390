#!/usr/bin/env python3
"""How search, commit, opening and disk grow with the number of events: 10 thousand, 100 thousand, a million.

    python scripts/bench_recall.py [--sizes 10000,100000,1000000] [--data DIR] [--work DIR] [--json FILE]

Builds one memory per size through the store's own writer (kept in `--work`, built once), then measures on it:
`open` a memory and read its first event; the first searches, which load what the later ones find in memory; `search`,
the whole of `Memory.recall` for real questions, at random `as_of` times and inside time windows too, without and with
encoding the query; the vector search alone, with its recall@10 against exact search; `commit` of one event, as fast as
they go, and one every quarter of a second; bytes per event and per hour.

What is real and what is made. With `--data` (the folder of the evaluation data) texts are lines of its caption stream
with a fifth of their words exchanged for words drawn as often as they occur there; vectors are the MiniLM embeddings of
the unchanged lines, turned by a random angle (cosine 0.85), so that a million of them are as crowded as real ones; the
queries are its questions, as they are. Without `--data`, sentences are drawn from a small grammar and embedded. Every
event of 10 s has one observation with a vector, a text with a vector, and two moments; 8,640 events are a recording.
Prints; never fails on a clock. Times are wall time, with processor seconds beside them: run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from streammem.memory import Memory
from streammem.recall.wording import statement
from streammem.settings import StoreSettings
from streammem.store.filters import Where
from streammem.store.tables import EVENTS, OBSERVATIONS
from streammem.types import NS_PER_S, Event, EventBundle, Level, Observation, Query, Recording, event_id_for, stable_id

ROOT = Path(__file__).resolve().parents[1]
EVENT_NS = 10 * NS_PER_S
EVENTS_PER_RECORDING = 8640
MOMENTS = 2
CORPUS_LINES = 20_000
TURNED_TO_COSINE = 0.85
PACKING_S = 40.0
"""Packing a million rows and their vectors goes on beside the searches for so long (10 s where it is quiet)."""
COLUMN = "vector__minilm_l6_v2__384"
Vectors = npt.NDArray[np.float32]


class Encoder:
    """MiniLM, counted apart."""

    text_model = "minilm-l6-v2"

    def __init__(self) -> None:
        from perception.models.minilm import shared_minilm

        self._model = shared_minilm()
        self.seconds = 0.0

    def encode_text(self, texts: Any) -> Vectors:
        started = time.perf_counter()
        vectors = self._model.encode(list(texts))
        self.seconds += time.perf_counter() - started
        return vectors

    def encode_text_for_images(self, texts: Any) -> Vectors | None:
        del texts
        return None

    def encode_image(self, image_rgb: Any) -> Vectors | None:
        del image_rgb
        return None


# --- what is written --------------------------------------------------------------------------------------------------


def corpus(data: Path | None, work: Path, encoder: Encoder) -> tuple[list[str], Vectors, list[str]]:
    """(lines, their vectors (L, 384), questions). Embedded once and kept in `work`."""
    lines, questions = _real(data) if data is not None else _made()
    kept = work / f"corpus-{stable_id(*lines)}.npy"
    if not kept.exists():
        parts = [encoder.encode_text(lines[at : at + 500]) for at in range(0, len(lines), 500)]
        np.save(kept, np.concatenate(parts))
    return lines, np.load(kept), questions


_GRAMMAR = (
    "Anna,Ben,the cook,my neighbour,a child,the driver,a tall man,the teacher,her sister,someone",
    "carries,drops,washes,paints,repairs,looks for,hands over,hides,opens,counts,throws away,buys",
    "the keys,a red bag,two cups,the ladder,a letter,the phone,some bread,a bicycle,the lamp,flowers",
    "in the kitchen,by the river,at the station,behind the door,in the garden,on the roof,at school",
    "in the morning,before lunch,while it rains,again,very quickly,without a word,late at night",
)


def _real(data: Path) -> tuple[list[str], list[str]]:
    with gzip.open(data / "egolife/stream.jsonl.gz", "rt", encoding="utf-8") as file:
        unique = list(dict.fromkeys(json.loads(line)["text"] for line in file))
    chosen = np.random.default_rng(0).choice(len(unique), min(CORPUS_LINES, len(unique)), replace=False)
    with (data / "egolife/questions_dev.jsonl").open(encoding="utf-8") as file:
        questions = [json.loads(line)["question"] for line in file]
    return [unique[at] for at in sorted(chosen)], questions


def _made() -> tuple[list[str], list[str]]:
    who, does, what, where, when = (part.split(",") for part in _GRAMMAR)
    dice = np.random.default_rng(0)
    lines = [" ".join(str(dice.choice(words)) for words in (who, does, what, where, when)) for _ in range(CORPUS_LINES)]
    questions = [f"Who {dice.choice(does)} {dice.choice(what)} {dice.choice(where)}?" for _ in range(167)]
    return list(dict.fromkeys(lines)), questions


def bundles(count: int, lines: list[str], vectors: Vectors, *, first: int = 0) -> Iterator[tuple[int, EventBundle]]:
    """(number, bundle) of events `first` to `first + count - 1`; the same for the same number."""
    words = [line.split() for line in lines]
    pool = np.array([word for line in words for word in line])
    noise = float(np.tan(np.arccos(TURNED_TO_COSINE)))
    chunk = 2000
    for start in range(first, first + count, chunk):
        dice = np.random.default_rng((start // chunk, 7))
        chosen = dice.integers(0, len(lines), (chunk, 2))
        random = dice.standard_normal((chunk, 2, vectors.shape[1])).astype(np.float32)
        random *= noise / np.linalg.norm(random, axis=-1, keepdims=True)
        turned = vectors[chosen] + random
        turned /= np.linalg.norm(turned, axis=-1, keepdims=True)
        for place in range(min(chunk, first + count - start)):
            texts: list[str] = []
            for line in chosen[place]:
                told = words[line]
                swap = dice.random(len(told)) < 0.2
                other = pool[dice.integers(0, len(pool), len(told))]
                texts.append(" ".join(str(b) if s else a for a, b, s in zip(told, other, swap, strict=True)))
            yield start + place, _bundle(start + place, texts, turned[place])


def recording_name(number: int) -> str:
    return f"day{number // EVENTS_PER_RECORDING:04d}"


def _bundle(number: int, texts: list[str], vectors: Vectors) -> EventBundle:
    recording, start = recording_name(number), number * EVENT_NS
    event_id = event_id_for(recording, Level.EVENT, start)
    step = EVENT_NS // MOMENTS
    moments = tuple(
        Event(
            event_id=event_id_for(recording, Level.MOMENT, start + at * step), recording=recording, level=Level.MOMENT,
            t_start_ns=start + at * step, t_end_ns=start + (at + 1) * step, strength=0.1, parent_id=event_id,
            text=texts[0] if at == 0 else "", kinds=("caption",) if at == 0 else (),
        )
        for at in range(MOMENTS)
    )  # fmt: skip
    event = Event(
        event_id=event_id, recording=recording, level=Level.EVENT, t_start_ns=start, t_end_ns=start + EVENT_NS,
        strength=0.5, parent_id=event_id_for(recording, Level.EPISODE, start // (30 * EVENT_NS) * 30 * EVENT_NS),
        children=tuple(one.event_id for one in moments), text=" ".join(texts), kinds=("caption",), vector=vectors[1],
    )  # fmt: skip
    observation = Observation(
        observation_id=stable_id(event_id, "caption"), event_id=event_id, recording=recording, kind="caption",
        t_start_ns=start, t_end_ns=start + 3 * NS_PER_S, text=texts[0], source="bench", vector=vectors[0],
    )  # fmt: skip
    return EventBundle(event=event, moments=moments, observations=(observation,))


def build(folder: Path, size: int, lines: list[str], vectors: Vectors, encoder: Encoder) -> float:
    """Writes a memory of `size` events and compacts it. Returns the seconds it took."""
    started = time.perf_counter()
    settings = StoreSettings(batch_rows=16_384, batch_s=3600.0)
    draft = folder.with_suffix(".building")
    with Memory.open(draft, write=True, create=True, encoder=encoder, settings=settings) as memory:
        for number, bundle in bundles(size, lines, vectors):
            if number % EVENTS_PER_RECORDING == 0:
                last = min(size, number + EVENTS_PER_RECORDING) * EVENT_NS
                memory.put_recording(
                    Recording(
                        recording=recording_name(number),
                        uri="bench",
                        fingerprint=f"bench-{number}",
                        status="complete",
                        t_start_ns=number * EVENT_NS,
                        t_end_ns=last,
                        models={"text": encoder.text_model},
                    )
                )
            memory.write(bundle)
            if number % 100_000 == 99_999:
                print(f"  {number + 1:,} events after {time.perf_counter() - started:.0f} s", file=sys.stderr)
        memory.compact()
    draft.rename(folder)
    return time.perf_counter() - started


# --- what is measured -------------------------------------------------------------------------------------------------


def timed(calls: list[Callable[[], object]], *, pause_s: float = 0.0) -> dict[str, float]:
    """Milliseconds of each call, and processor milliseconds of all threads per call."""
    walls: list[float] = []
    cpu = time.process_time()
    for call in calls:
        started = time.perf_counter()
        call()
        walls.append((time.perf_counter() - started) * 1e3)
        time.sleep(pause_s)
    cpu_ms = (time.process_time() - cpu) * 1e3 / len(calls)
    p50, p95 = (float(value) for value in np.percentile(walls, (50, 95)))
    return {"p50_ms": round(p50, 2), "p95_ms": round(p95, 2), "cpu_ms": round(cpu_ms, 2)}


class Encoded:
    """An encoder that has seen every query before: searching is timed without it."""

    text_model = Encoder.text_model

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}

    def encode_text(self, texts: Any) -> Vectors:
        missing = [text for text in texts if text not in self._known]
        if missing:
            self._known.update(zip(missing, self._encoder.encode_text(missing), strict=True))
        return np.stack([self._known[text] for text in texts])

    encode_text_for_images = Encoder.encode_text_for_images
    encode_image = Encoder.encode_image


def measure(folder: Path, size: int, questions: list[str], encoder: Encoder) -> dict[str, Any]:
    figures: dict[str, Any] = {"events": size, "open": opening(folder)}
    known = Encoded(encoder)
    known.encode_text([*questions, *map(statement, questions)])
    length = size * EVENT_NS
    dice = np.random.default_rng(3)
    with Memory.open(folder, encoder=known) as memory:
        # Pages and indexes are read once, and small tables are packed in memory.
        first = [timed([lambda text=text: memory.recall(Query(text=text))])["p50_ms"] for text in questions[:6]]
        figures["the first searches, ms"] = first
        for text in questions[6:60]:
            memory.recall(Query(text=text))  # a large table is packed after some dozen
        time.sleep(PACKING_S)

        def calls(**window: Callable[[], int]) -> list[Callable[[], object]]:
            queries = [
                Query(text=text, **{name: draw() for name, draw in window.items()})  # type: ignore[arg-type]
                for text in questions
            ]
            return [lambda query=query: memory.recall(query) for query in queries]

        figures["search"] = timed(calls())
        figures["search as of"] = timed(calls(as_of_ns=lambda: int(dice.integers(length // 10, length))))
        start = int(dice.integers(0, max(1, length - 3600 * NS_PER_S)))
        figures["search in an hour"] = timed(calls(after_ns=lambda: start, before_ns=lambda: start + 3600 * NS_PER_S))
        figures["RSS, MB"] = resident_mb()
        before = encoder.seconds
        for text in questions:
            encoder.encode_text([text])
        figures["encoding a question, ms"] = round((encoder.seconds - before) * 1e3 / len(questions), 2)
        for table in (OBSERVATIONS, EVENTS):
            figures[f"vectors of {table}"] = against_exact(memory, table, known.encode_text(questions[:100]))
        figures["bytes"] = int(memory.info()["bytes"])
        figures["vector indexes"] = memory.info()["vector_indexes"]
    figures["MB per hour"] = round(figures["bytes"] / 1e6 / (length / 3600 / NS_PER_S), 2)
    return figures


def resident_mb() -> int:
    """Of this process now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


def opening(folder: Path) -> dict[str, float]:
    """In fresh processes, with the libraries loaded: opening for reading and the first event, and opening to write."""
    code = (
        "import json, sys, time, lancedb\nfrom streammem.memory import Memory\n"
        "t = time.perf_counter(); m = Memory.open(sys.argv[1]); m.events(limit=1)\n"
        "a = time.perf_counter() - t; m.close(); t = time.perf_counter(); m = Memory.open(sys.argv[1], write=True)\n"
        "b = time.perf_counter() - t; m.close()\n"
        "print(json.dumps([a, b]))"
    )
    runs = [
        json.loads(subprocess.check_output([sys.executable, "-c", code, str(folder)], cwd=ROOT, text=True))
        for _ in range(3)
    ]
    reading, writing = np.median(np.array(runs), axis=0)
    return {"read_s": round(float(reading), 3), "write_s": round(float(writing), 3)}


def against_exact(memory: Memory, table: str, vectors: Vectors, *, nearest: int = 10) -> dict[str, float]:
    """The vector search alone, and the share of the exactly nearest that it finds."""
    reader = memory._reader  # the search below recall; no public name
    handle = reader.table(table)
    shares: list[float] = []
    for vector in vectors[:50]:
        exact = handle.search(vector, vector_column_name=COLUMN, query_type="vector").distance_type("cosine")
        exact = exact.bypass_vector_index().select(["event_id", "_distance"]).limit(nearest).to_arrow()
        rows = reader.nearest(table, COLUMN, vector, Where(), columns=["event_id"], limit=nearest)
        right = set(exact.column("event_id").to_pylist())
        shares.append(sum(row["event_id"] in right for row in rows) / nearest)
    deep = timed(
        [
            lambda vector=vector: reader.nearest(table, COLUMN, vector, Where(), columns=["event_id"], limit=100)
            for vector in vectors
        ]
    )
    return {"recall@10": round(float(np.mean(shares)), 4), **deep}


def committing(
    folder: Path, size: int, lines: list[str], vectors: Vectors, encoder: Encoder, *, count: int, pause_s: float
) -> dict[str, float]:
    """One event at a time into the memory of this size, each its own commit, as a live stream writes."""
    with Memory.open(folder, write=True, encoder=encoder, settings=StoreSettings(batch_s=3600.0)) as memory:
        start = size
        while memory.has_event(_bundle(start, ["", ""], vectors[:2]).event.event_id):
            start += 200  # an earlier run of this benchmark wrote those
        calls: list[Callable[[], object]] = []
        for _, bundle in bundles(count, lines, vectors, first=start):

            def one(bundle: EventBundle = bundle) -> None:
                memory.write(bundle)
                memory.flush()

            calls.append(one)
        return timed(calls, pause_s=pause_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--data", type=Path, help="folder of the evaluation data")
    parser.add_argument("--work", type=Path, default=Path("bench-memories"), help="where the memories are kept")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--no-commit", action="store_true", help="leave the memories as they are")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    encoder = Encoder()
    lines, vectors, questions = corpus(given.data, given.work, encoder)
    report: list[dict[str, Any]] = []
    for size in (int(size) for size in given.sizes.split(",")):
        folder = given.work / f"events-{size}"
        built_s = None if folder.exists() else build(folder, size, lines, vectors, encoder)
        if given.build_only:
            continue
        figures = measure(folder, size, questions, encoder) | {"built_s": built_s}
        if not given.no_commit:
            for name, count, pause_s in (("commit, one after another", 200, 0.0), ("commit, 4 a second", 100, 0.25)):
                figures[name] = committing(folder, size, lines, vectors, encoder, count=count, pause_s=pause_s)
        report.append(figures)
        print(json.dumps(figures, indent=1), flush=True)
    if len(report) > 1:
        first, last = report[0], report[-1]
        growth = last["search"]["p95_ms"] / first["search"]["p95_ms"]
        print(f"search p95 from {first['events']:,} to {last['events']:,} events: {growth:.2f} times")
    if given.json is not None:
        given.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
