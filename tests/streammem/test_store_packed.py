"""Searching in memory finds what searching through LanceDB finds, whatever happened to the table meanwhile."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streammem.memory import Memory
from streammem.settings import StoreSettings
from streammem.store import packed, packed_vectors, searches
from streammem.store.filters import Where
from streammem.store.migrations import read_manifest
from streammem.store.packed import NAMES, Pack
from streammem.store.packed_vectors import EXACT_ROWS, Vectors
from streammem.store.reader import Reader
from streammem.store.tables import EVENTS, FACTS, KEYFRAMES, OBSERVATIONS, observation_row
from streammem.types import NS_PER_S
from tests.bundles import ANIMALS, DIM, EVENT_NS, PLACES, WordEncoder, bundle_of, episode_of, event_of, vector_of

COLUMNS = {
    EVENTS: ("event_id", "t_end_ns", "text"),
    OBSERVATIONS: ("observation_id", "event_id", "kind", "text", "confidence"),
    KEYFRAMES: ("keyframe_id", "t_ns", "tags"),
    FACTS: ("assertion_id", "fact_id", "text"),
}
VECTOR = {
    EVENTS: f"vector__words__{DIM}",
    OBSERVATIONS: f"vector__words__{DIM}",
    KEYFRAMES: f"joint_vector__toy__{DIM}",
}


class Pair:
    """Two readers of one memory: one packs, one goes through LanceDB."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.packing = Reader(folder, read_manifest(folder))
        self.plain = Reader(folder, read_manifest(folder))
        monkeypatch.setattr(self.plain._searches, "_pack", lambda *_: None)

    def packs(self) -> dict[str, Pack]:
        return self.packing._searches._packs

    def assert_same(self, table: str, where: Where, words: str, limit: int) -> int:
        """Returns how many rows were found."""
        found = 0
        if table in VECTOR:
            args: Any = (table, VECTOR[table], vector_of(words), where)
            ours, theirs = (
                reader.nearest(*args, columns=COLUMNS[table], limit=limit) for reader in (self.packing, self.plain)
            )
            found += _same(table, ours, theirs, "similarity", limit)
        if table != KEYFRAMES:
            # All of them: how rare a word is LanceDB reckons among the rows that pass, where an index lacks rows.
            ours, theirs = (
                reader.full_text(table, words, where, columns=COLUMNS[table], limit=10_000)
                for reader in (self.packing, self.plain)
            )
            assert [row["bm25"] for row in ours] == sorted((row["bm25"] for row in ours), reverse=True)
            found += _same(table, ours, theirs, "bm25", 10_000)
            if table in VECTOR:
                self._assert_near(table, where, words)
        return found

    def _assert_near(self, table: str, where: Where, words: str) -> None:
        """Rows found by their words say how near they are, where vectors are in memory; and nowhere else."""
        near = (VECTOR[table], vector_of(words))
        args: Any = {"columns": [NAMES[table]], "limit": 10_000}
        exact = {row[NAMES[table]]: row["similarity"] for row in self.plain.nearest(table, *near, where, **args)}
        rows = self.packing.full_text(table, words, where, near=near, **args)
        is_packed = table in self.packs() and near[0] in self.packs()[table].vectors and where.is_plain
        for row in rows:
            assert ("similarity" in row) == is_packed
            if is_packed:
                assert row["similarity"] == pytest.approx(exact.get(row[NAMES[table]]), abs=2e-5)


def _same(table: str, ours: list[Any], theirs: list[Any], score: str, limit: int) -> int:
    if score == "similarity":
        assert [row[score] for row in ours] == pytest.approx([row[score] for row in theirs], abs=2e-5)
    if not ours:
        return 0
    # Among equals at the end of a full list either may be missing.
    last = ours[-1][score] + 2e-5 if len(ours) == limit else -1.0
    name = NAMES[table]
    one, other = ({row[name]: row for row in rows if row[score] > last} for rows in (ours, theirs))
    assert set(one) == set(other)
    for key, row in one.items():
        assert {column: row[column] for column in COLUMNS[table]} == {
            column: other[key][column] for column in COLUMNS[table]
        }
    return len(ours)


def some_where(dice: random.Random, table: str, events: int) -> Where:
    where = Where()
    if table == EVENTS and dice.random() < 0.7:
        where.equals("level", dice.choice(("event", "event", "episode")))
    if table == OBSERVATIONS and dice.random() < 0.4:
        where.among("kind", dice.choice((("speech",), ("object", "speech"), ())))
    if dice.random() < 0.3:
        where.among("event_id", [event_of(dice.randrange(events)).event_id for _ in range(dice.choice((1, 20)))])
    if dice.random() < 0.2:
        where.among("recording", dice.choice((["walk"], ["elsewhere"], ["walk", "elsewhere"])))
    if dice.random() < 0.6:
        start = dice.randrange(events) * EVENT_NS
        length = dice.choice((EVENT_NS, events * EVENT_NS // 2))
        where.overlaps(
            dice.choice((None, start)), dice.choice((None, start + length)), dice.choice((None, start + length // 2))
        )
    if table == KEYFRAMES:
        where.compare("t_ns", "<=", dice.choice((None, dice.randrange(events) * EVENT_NS)))
    if dice.random() < 0.1:
        where.add("t_start_ns >= 0")  # cannot be judged in memory
    return where


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_ways_find_the_same_while_the_memory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    settings = StoreSettings(batch_rows=64, batch_s=0.05, optimise_every_commits=6)
    with Memory.open(tmp_path, write=True, create=True, encoder=WordEncoder(), settings=settings) as memory:
        memory._image_model = "toy"
        events = found = 0
        pair: Pair | None = None
        for _ in range(14):
            done = dice.choice(("write", "write", "write", "forget", "cut", "compact", "delete", "look again"))
            if done == "write" or not events:
                for number in range(events, events + dice.choice((1, 7, 20))):
                    memory.write(bundle_of(number))
                    events = number + 1
                    if number % 4 == 3:
                        memory.write_segments([episode_of(number // 4)])
            elif done == "forget":
                memory.forget(text=f"number{dice.randrange(events)} said")
            elif done == "cut":
                start = dice.randrange(events) * EVENT_NS
                memory.forget(after_ns=start, before_ns=start + EVENT_NS // 2)
            elif done == "compact":
                memory.compact()
            elif done == "delete":
                rows = memory._reader.scan(FACTS, Where(), columns=["assertion_id"])
                memory.delete_facts([row["assertion_id"] for row in dice.sample(rows, min(3, len(rows)))])
            memory.flush()
            pair = pair or Pair(tmp_path, monkeypatch)
            for table in (EVENTS, OBSERVATIONS, KEYFRAMES, FACTS):
                for _ in range(3):
                    words = f"{dice.choice(ANIMALS)} near the {dice.choice(PLACES)} number{dice.randrange(events)}"
                    where = some_where(dice, table, events)
                    found += pair.assert_same(table, where, words, dice.choice((1, 5, 40)))
        assert found > 200
        assert pair is not None
        assert set(pair.packs()) == {EVENTS, OBSERVATIONS, KEYFRAMES, FACTS}


def test_what_the_journal_has_not_committed_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memory.open(tmp_path, write=True, create=True, encoder=WordEncoder()) as memory:
        memory.write(bundle_of(0))
        memory.flush()
        pair = Pair(tmp_path, monkeypatch)
        where = Where()
        assert pair.assert_same(OBSERVATIONS, where, "number0 said first", 9) > 0
        unfinished = bundle_of(1).observations[0]
        writer = memory._writer
        assert writer is not None
        writer._append(OBSERVATIONS, [observation_row(unfinished, model="words") | {"commit_seq": 2}])
        for reader in (pair.packing, pair.plain):
            rows = reader.full_text(OBSERVATIONS, "number1 said first", where, columns=["observation_id"], limit=9)
            rows += reader.nearest(
                OBSERVATIONS, VECTOR[OBSERVATIONS], vector_of(unfinished.text), where, columns=["observation_id"],
                limit=9,
            )  # fmt: skip
            assert rows
            assert unfinished.observation_id not in {row["observation_id"] for row in rows}
        writer._recover()


def test_after_a_merge_of_files_vectors_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memory.open(tmp_path, write=True, create=True, encoder=WordEncoder()) as memory:
        for number in range(12):
            memory.write(bundle_of(number))
            memory.flush()
        pair = Pair(tmp_path, monkeypatch)
        pair.assert_same(OBSERVATIONS, Where(), "number3 said first", 9)
        before = pair.packs()[OBSERVATIONS]
        read: list[int] = []
        real = packed._read_vectors
        monkeypatch.setattr(
            packed, "_read_vectors", lambda *args: (read.append(len(args[4])), real(*args))[1]
        )  # fmt: skip
        memory.compact()
        memory.write(bundle_of(12))
        memory.flush()
        pair.assert_same(OBSERVATIONS, Where(), "number12 said first", 9)
        after = pair.packs()[OBSERVATIONS]
        assert not set(before.ids.tolist()) & set(after.ids.tolist())
        assert read == [3]  # those of the new event alone


def test_searching_while_another_thread_writes_merges_and_forgets(tmp_path: Path) -> None:
    settings = StoreSettings(batch_rows=24, batch_s=0.05, optimise_every_commits=3, keep_old_versions_s=0.001)
    wrong: list[object] = []
    over = threading.Event()
    forgotten = threading.Event()
    with Memory.open(tmp_path, write=True, create=True, encoder=WordEncoder(), settings=settings) as memory:
        memory.write(bundle_of(0))
        memory.write(bundle_of(1))
        memory.flush()
        reader = Reader(tmp_path, read_manifest(tmp_path))

        def search() -> None:
            args: Any = {"columns": ["text", "event_id"], "limit": 400}
            seen = 0
            try:
                while not over.is_set():
                    is_gone = forgotten.is_set()
                    rows = reader.nearest(OBSERVATIONS, VECTOR[OBSERVATIONS], vector_of("said first"), Where(), **args)
                    rows += reader.full_text(OBSERVATIONS, "said first", Where(), **args)
                    texts = {row["text"] for row in rows}
                    if is_gone and any("number1 said" in text for text in texts):
                        wrong.append("what was forgotten was found")
                    if len(texts) < seen - 1:
                        wrong.append(f"{len(texts)} texts after {seen}")
                    seen = len(texts)
            except Exception as error:
                wrong.append(error)

        threads = [threading.Thread(target=search) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(2, 32):
            memory.write(bundle_of(number))
            if number % 3 == 2:
                memory.flush()
            if number == 15:
                memory.forget(text="number1 said")
                forgotten.set()
            if number == 22:
                memory.compact()
        over.set()
        for thread in threads:
            thread.join()
    assert not wrong


@pytest.fixture(scope="module")
def crowd() -> np.ndarray:
    """50,000 unit vectors of 256 in 200 clusters, all to one side of the origin as embeddings are."""
    dice = np.random.default_rng(5)
    centres = dice.standard_normal((200, 256)) + 0.5
    points = centres[dice.integers(0, 200, 50_000)] + 0.7 * dice.standard_normal((50_000, 256))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def test_the_shortlist_holds_the_nearest(crowd: np.ndarray) -> None:
    vectors = Vectors.with_room(len(crowd), crowd.mean(axis=0))
    vectors.put(np.arange(len(crowd)), crowd * 3.0)  # of any length
    dice = np.random.default_rng(6)
    shares: list[float] = []
    for _ in range(20):
        query = crowd[dice.integers(len(crowd))] + dice.standard_normal(256).astype(np.float32) * 0.1
        passing = dice.random(len(crowd)) < 0.9
        cosines = np.where(passing, crowd @ (query / np.linalg.norm(query)), -2.0)
        right = np.argsort(-cosines)[:100]
        places, found = vectors.nearest(query, passing, 100)
        assert passing[places].all()
        assert found == pytest.approx(cosines[places], abs=3e-5)
        assert list(found) == sorted(found, reverse=True)
        shares.append(len(set(places.tolist()) & set(right.tolist())) / 100)
        few = np.zeros(len(crowd), bool)
        few[dice.integers(0, len(crowd), EXACT_ROWS // 2)] = True
        places, _ = vectors.nearest(query, few, 10)
        assert set(places.tolist()) == set(np.argsort(-np.where(few, cosines_of(crowd, query), -2.0))[:10].tolist())
    assert np.mean(shares) >= 0.97


def test_vectors_of_many_rows_have_short_codes(crowd: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    fine = Vectors.with_room(30_000, crowd.mean(axis=0))
    fine.put(np.arange(30_000), crowd[:30_000] * 3.0)
    fine.count = 30_000
    monkeypatch.setattr(packed_vectors, "FINE_ROWS", 40_000)
    vectors = fine.roomier(len(crowd))
    vectors.put(np.arange(30_000, len(crowd)), crowd[30_000:])
    assert (fine.codes.dtype, vectors.codes.dtype) == (np.int16, np.int8)
    assert len(vectors.factors) == len(crowd)
    assert packed_vectors.bytes_needed(len(crowd), 256) == vectors.codes.nbytes
    query = crowd[31_000] + 0.1 * crowd[7]
    places, found = vectors.nearest(query, np.ones(len(crowd), bool), 100)
    cosines = cosines_of(crowd, query)
    assert found == pytest.approx(cosines[places], abs=2e-3)
    assert len(set(places.tolist()) & set(np.argsort(-cosines)[:100].tolist())) >= 95


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60.0
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def cosines_of(crowd: np.ndarray, query: np.ndarray) -> np.ndarray:
    return crowd @ (query / np.linalg.norm(query))


def test_a_table_that_is_too_large_goes_through_lancedb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "MOST_ROWS", 20)
    with Memory.open(tmp_path, write=True, create=True, encoder=WordEncoder()) as memory:
        for number in range(6):
            memory.write(bundle_of(number))
        memory.flush()
        pair = Pair(tmp_path, monkeypatch)
        assert pair.assert_same(OBSERVATIONS, Where(), "number3 said first", 9) > 0
        assert OBSERVATIONS in pair.packs()
        for number in range(6, 12):
            memory.write(bundle_of(number))
        memory.flush()
        assert pair.assert_same(OBSERVATIONS, Where(), "number9 said first", 9) > 0
        assert pair.packs().keys() & {OBSERVATIONS} == set()
        assert pair.assert_same(EVENTS, Where().overlaps(None, 50 * NS_PER_S, None), "number3", 9) > 0


@pytest.mark.parametrize("has_vectors", [True, False])
def test_a_large_table_is_not_packed_at_once_and_without_vectors_that_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_vectors: bool
) -> None:
    for module in (packed, searches):
        monkeypatch.setattr(module, "PACK_ROWS", 20)
    if not has_vectors:
        monkeypatch.setattr(packed, "PACK_VECTOR_BYTES", 20 * DIM * 2)
    monkeypatch.setattr(searches, "UNPACKED_SEARCHES_OF_LARGE", 3)
    conditions: list[str | None] = []
    run = searches._run

    def spied(handle: Any, search: Any, condition: str | None, count: int, score: str) -> Any:
        conditions.append(condition)
        return run(handle, search, condition, count, score)

    monkeypatch.setattr(searches, "_run", spied)
    dice = random.Random(8)
    with Memory.open(tmp_path, write=True, create=True, encoder=WordEncoder()) as memory:
        for number in range(30):
            memory.write(bundle_of(number))
        memory.flush()
        pair = Pair(tmp_path, monkeypatch)
        pair.assert_same(OBSERVATIONS, Where(), "number3 said first", 9)
        assert OBSERVATIONS not in pair.packs()
        pair.assert_same(OBSERVATIONS, Where(), "number3 said first", 9)
        wait_for(lambda: OBSERVATIONS in pair.packs() and not pair.packing._searches._loading)
        found = 0
        for round_number in range(4):
            for table in (EVENTS, OBSERVATIONS, FACTS):
                for _ in range(4):
                    found += pair.assert_same(table, some_where(dice, table, 30), "number9 said first", 9)
                    wait_for(lambda: not pair.packing._searches._loading)  # in threads of their own
            if round_number == 1:
                memory.write(bundle_of(30))  # appended: the pack follows
                memory.flush()
            if round_number == 2:
                assert len(pair.packs()[OBSERVATIONS].ids) == 31 * 3
                assert list(pair.packs()[OBSERVATIONS].vectors) == ([VECTOR[OBSERVATIONS]] if has_vectors else [])
                memory.forget(text="number4 said")
                memory.compact()
        assert found > 50
        # A short window is one range of times, not every clause of it: 30 times as fast in a million rows.
        conditions.clear()
        window = Where().overlaps(9 * EVENT_NS, 12 * EVENT_NS, None)
        assert pair.assert_same(OBSERVATIONS, window, "number10 said first", 9) > 0
        asked = [one for one in conditions if one is not None]
        assert any("t_end_ns" in one for one in asked)  # through LanceDB
        assert any("t_end_ns" not in one and one.count("t_start_ns") == 2 for one in asked)
