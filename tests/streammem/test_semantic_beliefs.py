"""Facts kept up to date: exact at every moment, whatever the order of writing; made anew; whole after a crash."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streammem.memory import Memory
from streammem.semantic.beliefs import WATERMARK, Beliefs
from streammem.semantic.consolidation import NAMED_EVENTS
from streammem.settings import StoreSettings
from streammem.store.filters import Where
from streammem.store.reader import Reader
from streammem.store.tables import BELIEFS, FACTS
from streammem.types import Event, EventBundle, Fact, Level, event_id_for

Said = tuple[str, str, str, int, int]
"""(subject, predicate, object, time, when it became known)"""
OFTEN = StoreSettings(batch_rows=8, batch_s=0.02, optimise_every_commits=3)
RECORDINGS = (f"walk {number}" for number in itertools.count())


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """One memory for every history: recordings are kept apart. Facts are consolidated every few commits."""
    folder = tmp_path_factory.mktemp("beliefs") / "memory"
    with Memory.open(folder, write=True, create=True, settings=OFTEN) as memory:
        yield memory


def bundle(recording: str, number: int, said: Said) -> EventBundle:
    """An event of its own for every assertion; it ends when that becomes known."""
    subject, predicate, value, t_ns, known_ns = said
    event_id = event_id_for(recording, Level.EVENT, number)
    event = Event(
        event_id=event_id, recording=recording, level=Level.EVENT, t_start_ns=min(t_ns, known_ns), t_end_ns=known_ns,
        strength=1.0, parent_id=None,
    )  # fmt: skip
    fact = Fact(
        fact_id="", recording=recording, subject=subject, predicate=predicate, object=value, t_from_ns=t_ns,
        t_to_ns=None, confidence=0.5, count=1, event_ids=(event_id,),
    )  # fmt: skip
    return EventBundle(event=event, facts=(fact,))


def write(memory: Memory, recording: str, said: Sequence[Said], *, flush_every: int = 7) -> None:
    for number, one in enumerate(said):
        memory.write(bundle(recording, number, one))
        if number % flush_every == flush_every - 1:
            memory.flush()
    memory.flush()


def held(facts: Sequence[Fact]) -> dict[tuple[str, str, str], tuple[int, int]]:
    return {(fact.subject, fact.predicate, fact.object): (fact.t_from_ns, fact.count) for fact in facts}


def brute_force(said: Sequence[Said], as_of: int) -> dict[tuple[str, str, str], tuple[int, int]]:
    """What holds at a moment, as it was known then, by its plain meaning: statement -> (since when, how often)."""
    known = sorted((one for one in said if max(one[3], one[4]) <= as_of), key=lambda one: one[3])
    holds: dict[tuple[str, str, str], tuple[int, int]] = {}
    for subject, predicate, value in {one[:3] for one in known}:
        times = [one[3] for one in known if one[:3] == (subject, predicate, value)]
        if predicate == "likes":
            holds[subject, predicate, value] = (times[0], len(times))
            continue
        whereabouts = [one for one in known if one[0] == subject and one[1] != "likes"]
        other = max((at for at, one in enumerate(whereabouts) if one[1:3] != (predicate, value)), default=-1)
        run = whereabouts[other + 1 :]
        if run:
            holds[subject, predicate, value] = (run[0][3], len(run))
    return holds


statements = st.tuples(
    st.sampled_from(["cup", "key"]), st.sampled_from(["is in", "is on", "likes"]), st.sampled_from("abc")
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(
        st.tuples(statements, st.integers(0, 30), st.integers(0, 8)), max_size=24, unique_by=lambda one: one[1]
    ),
    shuffle=st.booleans(),
    seed=st.integers(0, 9),
)
def test_every_moment_is_exact_in_any_order_of_writing(
    memory: Memory, told: list[tuple[tuple[str, str, str], int, int]], shuffle: bool, seed: int
) -> None:
    """Times are unique: two values of one moment are a contradiction, and have a test of their own. What is said late
    may be about an earlier time, and may be written after what was known later."""
    said: list[Said] = [(*statement, t_ns, t_ns + late) for statement, t_ns, late in told]
    said.sort(key=lambda one: one[4])
    if shuffle:
        random.Random(seed).shuffle(said)
    recording = next(RECORDINGS)
    write(memory, recording, said)
    for as_of in range(0, 40, 5):
        facts = memory.facts(recordings=[recording], as_of_ns=as_of)
        assert held(facts) == brute_force(said, as_of), as_of
    for fact in memory.facts(recordings=[recording]):
        assert len(fact.event_ids) == fact.count == len(set(fact.event_ids))
    assert sum(fact.count for fact in memory.facts(recordings=[recording])) == len(said)


def test_four_hundred_updates_to_forty_keys_and_every_earlier_value(memory: Memory) -> None:
    dice = random.Random(5)
    said: list[Said] = []
    truth: list[dict[str, str]] = []
    now: dict[str, str] = {}
    for number in range(400):
        key = f"thing {number}" if number < 40 else f"thing {dice.randrange(40)}"
        value = dice.choice([f"room {room}" for room in range(12) if f"room {room}" != now.get(key)])
        now[key] = value
        said.append((key, "is in", value, number * 10, number * 10 + 5))
        truth.append(dict(now))
    recording = next(RECORDINGS)
    write(memory, recording, said, flush_every=20)
    assert {fact.subject: fact.object for fact in memory.facts(recordings=[recording], as_of_ns=10**6)} == now
    for number in (*range(0, 400, 57), 398, 399):
        facts = memory.facts(recordings=[recording], as_of_ns=number * 10 + 5)
        assert {fact.subject: fact.object for fact in facts} == truth[number]
        before = memory.facts(recordings=[recording], as_of_ns=number * 10 + 4)
        assert {fact.subject: fact.object for fact in before} == (truth[number - 1] if number else {})
    whole = memory.facts(recordings=[recording])
    assert len(whole) == 400
    for key in ("thing 0", "thing 17"):
        mine = memory.facts(subject=key, recordings=[recording])
        assert [fact.t_to_ns for fact in mine] == [*(fact.t_from_ns for fact in mine[1:]), None]


def test_a_contradiction_keeps_both_sides_until_something_new(memory: Memory) -> None:
    recording = next(RECORDINGS)
    write(
        memory,
        recording,
        [("cup", "is in", "sink", 5, 6), ("cup", "is on", "shelf", 5, 7), ("cup", "is in", "sink", 8, 9)],
    )
    sides = memory.facts(subject="cup", recordings=[recording])
    assert [(f.predicate, f.object, f.t_to_ns, f.count) for f in sides] == [
        ("is in", "sink", None, 2), ("is on", "shelf", None, 1),
    ]  # fmt: skip
    assert not set(sides[0].event_ids) & set(sides[1].event_ids)
    more = [("cup", "is held by", "Lena", 10, 10)]
    memory.write(bundle(recording, 99, more[0]))
    now = memory.facts(subject="Cup", recordings=[recording], as_of_ns=10)
    assert [(f.predicate, f.object) for f in now] == [("is held by", "Lena")]
    assert len(memory.facts(subject="cup", recordings=[recording], as_of_ns=9)) == 2
    assert [f.t_to_ns for f in memory.facts(subject="cup", predicate="is in", recordings=[recording])] == [10]


def test_every_event_of_a_fact_is_named(memory: Memory) -> None:
    recording = next(RECORDINGS)
    write(memory, recording, [("Lena", "likes", "tea", t_ns, t_ns) for t_ns in range(100)], flush_every=100)
    (fact,) = memory.facts(recordings=[recording])
    assert fact.count == len(fact.event_ids) == 100
    assert fact.event_ids == tuple(event_id_for(recording, Level.EVENT, number) for number in range(100))
    (then,) = memory.facts(recordings=[recording], as_of_ns=59)
    assert (then.count, then.event_ids) == (60, fact.event_ids[:60])
    (brief,) = memory.facts(recordings=[recording], every_event=False)
    assert brief.event_ids == (fact.event_ids[0], *fact.event_ids[-NAMED_EVENTS + 1 :])
    assert brief.confidence == pytest.approx(0.99)


# --- the table --------------------------------------------------------------------------------------------------------


def story(count: int, *, seed: int = 3) -> list[Said]:
    dice = random.Random(seed)
    told: list[Said] = []
    for t_ns in range(count):
        late = dice.choice((0, 0, 0, 0, 5))
        about = t_ns - dice.choice((0, 0, 0, 0, 0, 0, 20))
        predicate = dice.choice(("is in", "is on", "likes"))
        told.append((f"thing {dice.randrange(6)}", predicate, dice.choice("abc"), max(0, about), t_ns + late))
    return told


def raw(folder: Path) -> list[dict[str, Any]]:
    import lancedb

    return lancedb.connect(str(folder)).open_table(BELIEFS).to_arrow().to_pylist()


def test_it_is_made_from_the_journal_and_can_be_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    said = story(150)
    with Memory.open(folder, write=True, create=True, settings=OFTEN) as memory:
        write(memory, "walk", said)
    with Memory.open(folder) as memory:
        kept = memory.facts()
        then = memory.facts(as_of_ns=75)
        assert memory._beliefs._reader.count(BELIEFS, Where()) == len(kept) + 1
    rows = raw(folder)
    assert [row["commit_seq"] for row in rows if row["key"] == WATERMARK] == [
        Reader(folder, memory._reader._manifest).committed()
    ]
    assert not any(row["is_gone"] for row in rows)
    with Memory.open(folder, write=True, settings=OFTEN) as memory:
        memory._writing()._tables[BELIEFS].delete("true")
        assert memory.facts() == kept  # from the assertions alone
        assert memory.facts(as_of_ns=75) == then
        memory.compact()
        assert len(raw(folder)) == len(rows)
        assert memory.facts() == kept
        assert memory.facts(as_of_ns=75) == then


def test_a_step_that_was_cut_short_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "memory"
    said = story(120)
    with Memory.open(folder, write=True, create=True, settings=OFTEN) as memory:
        write(memory, "walk", said)
        whole = memory.facts()
    broken = tmp_path / "broken"
    with Memory.open(broken, write=True, create=True, settings=OFTEN) as memory:
        write(memory, "walk", said[:80])
    with monkeypatch.context() as patch:
        # The power goes between the append of a step and the removal of what it replaced.
        patch.setattr(Beliefs, "_delete_replaced", staticmethod(lambda *_: None))
        with Memory.open(broken, write=True, settings=OFTEN) as memory:
            for number in range(80, 120):
                memory.write(bundle("walk", number, said[number]))
    assert sum(row["key"] == WATERMARK for row in raw(broken)) > 1
    with Memory.open(broken) as memory:
        assert memory.facts() == whole
    with Memory.open(broken, write=True, settings=OFTEN) as memory:
        memory.write(bundle("walk", 999, ("new", "likes", "tea", 500, 500)))
    assert sum(row["key"] == WATERMARK for row in raw(broken)) == 1
    with Memory.open(broken) as memory:
        assert [fact for fact in memory.facts() if fact.subject != "new"] == whole


def test_what_is_deleted_leaves_the_facts(tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    said = story(60)
    with Memory.open(folder, write=True, create=True, settings=OFTEN) as memory:
        write(memory, "walk", said)
        memory.compact()
        rows = memory._reader.scan(FACTS, Where().equals("subject_key", "thing 1"))
        assert memory.delete_facts([row["assertion_id"] for row in rows]) == len(rows) > 0
        left = memory.facts()
        assert left
        assert not memory.facts(subject="thing 1")
        memory.compact()
        assert memory.facts() == left
        assert not any(row["subject"] == "thing 1" for row in raw(folder))
