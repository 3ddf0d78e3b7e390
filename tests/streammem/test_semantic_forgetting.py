"""What fades: weak by age, use and importance; never what was cited; and every one is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from streammem.app.cli.compact import compact
from streammem.memory import Memory
from streammem.semantic.citations import CITATIONS_FILE, Citations
from streammem.semantic.forgetting import DAY_NS, strength
from streammem.settings import ForgettingSettings
from streammem.types import Event, EventBundle, Fact, Level, event_id_for

ON = ForgettingSettings(is_on=True, half_life_days=10, weakest=0.1, spare_days=5)


def bundle(day: int, subject: str, predicate: str, value: str) -> EventBundle:
    t_ns = day * DAY_NS
    event_id = event_id_for("home", Level.EVENT, t_ns)
    event = Event(
        event_id=event_id, recording="home", level=Level.EVENT, t_start_ns=t_ns, t_end_ns=t_ns + 1, strength=1.0,
        parent_id=None,
    )  # fmt: skip
    fact = Fact(
        fact_id="", recording="home", subject=subject, predicate=predicate, object=value, t_from_ns=t_ns, t_to_ns=None,
        confidence=0.7, count=1, event_ids=(event_id,),
    )  # fmt: skip
    return EventBundle(event=event, facts=(fact,))


TOLD = [
    (0, "Lena", "likes", "tea"), (1, "Lena", "does", "feed cat"), (2, "cup", "is in", "sink"),
    (3, "Paul", "likes", "jazz"), (4, "cup", "is on", "shelf"), (5, "cup", "is in", "sink"),
    *((day, "Lena", "has", "dog") for day in range(6, 14)), (96, "Paul", "does", "bake bread"),
    (98, "cup", "is on", "table"), (99, "Mia", "likes", "rain"), (100, "Paul", "plays", "chess"),
]  # fmt: skip


def remember(folder: Path) -> Memory:
    memory = Memory.open(folder, write=True, create=True)
    for told in TOLD:
        memory.write(bundle(*told))
    memory.flush()
    return memory


def told_by(memory: Memory) -> set[tuple[str, str, str]]:
    return {(fact.subject, fact.predicate, fact.object) for fact in memory.facts()}


def test_a_repeated_or_used_fact_is_stronger() -> None:
    (fact,) = bundle(0, "Lena", "likes", "tea").facts

    def after(days: float, *, uses: int = 0, count: int = 1, predicate: str = "likes") -> float:
        from dataclasses import replace

        told = replace(fact, count=count, predicate=predicate)
        return strength(told, last_ns=0, uses=uses, now_ns=int(days * DAY_NS), settings=ON)

    assert after(0) == pytest.approx(0.7)
    assert after(10) == pytest.approx(0.35)
    assert after(20) < after(10) < after(10, count=5) < after(10, count=50)
    assert after(10) < after(10, uses=1)
    assert after(10, predicate="does") < after(10)


def test_weak_facts_go_and_are_named(tmp_path: Path) -> None:
    with remember(tmp_path / "memory") as memory:
        before = told_by(memory)
        (jazz,) = memory.facts(subject="Paul", predicate="likes")
        memory.cite(jazz.event_ids)
        would = memory.fade(ON, dry_run=True)
        assert told_by(memory) == before
        assert memory.fade(ForgettingSettings(half_life_days=10, weakest=0.1)).assertions == 0, "off"
        assert told_by(memory) == before
        faded = memory.fade(ON)
        assert [one.fact for one in faded.fading] == [one.fact for one in would.fading]
        gone = {(one.fact.subject, one.fact.predicate, one.fact.object) for one in faded.fading}
        assert gone == {
            ("Lena", "likes", "tea"),
            ("Lena", "does", "feed cat"),
            ("cup", "is in", "sink"),
            ("cup", "is on", "shelf"),
        }
        assert faded.kept_cited == 1
        assert faded.assertions == 5 == len(faded.fading), "the cup was twice in the sink"
        assert "Lena likes tea: stated once, last 100 days ago, never cited" in {
            one.why.split(";")[0] for one in faded.fading
        }
        left = told_by(memory)
        assert left == before - gone
        assert ("Paul", "likes", "jazz") in left, "an answer cited it"
        assert ("Lena", "has", "dog") in left, "it was said eight times"
        assert ("cup", "is on", "table") in left, "it is the last that is known of the cup"
        assert len(memory.events()) == len(TOLD), "events stay"
    with Memory.open(tmp_path / "memory") as memory:
        assert told_by(memory) == left


def test_a_history_fades_from_its_beginning(tmp_path: Path) -> None:
    """A gap in the middle would make what came before it seem to go on."""
    with remember(tmp_path / "memory") as memory:
        oldest = memory.facts(subject="cup")[0]
        memory.cite(oldest.event_ids)
        faded = memory.fade(ON)
        assert not [one for one in faded.fading if one.fact.subject == "cup"]
        assert [fact.object for fact in memory.facts(subject="cup")] == ["sink", "shelf", "sink", "table"]


def test_citations_outlive_a_line_cut_short_and_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    notes = Citations(tmp_path)
    assert notes.counts() == {}
    assert notes.add(["a", "b", "a"])
    assert not notes.add([])
    with (tmp_path / CITATIONS_FILE).open("a") as file:
        file.write('["c", "d')
    assert notes.counts() == {"a": 1, "b": 1}
    assert not Citations(tmp_path / "nowhere").add(["a"])


def test_compact_lets_fade_what_the_config_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "memory"
    remember(folder).close()
    compact(folder, as_json=False)
    assert "forgotten" not in capsys.readouterr().out
    for name, value in {"IS_ON": "true", "HALF_LIFE_DAYS": "10", "WEAKEST": "0.1", "SPARE_DAYS": "5"}.items():
        monkeypatch.setenv(f"STREAMMEM_FORGETTING_{name}", value)
    compact(folder, as_json=False)
    told = capsys.readouterr().out
    assert "forgotten: Lena likes tea: stated once, last 100 days ago" in told
    with Memory.open(folder) as memory:
        assert not memory.facts(subject="Lena", predicate="likes")
