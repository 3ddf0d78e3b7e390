"""Habits learned from repetition: days seen out of days observed, the usual time, every event; sparse months too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streammem.app.evaluation.world import Size, World, make_world
from streammem.app.evaluation.world.life import DAY_S, hours_of
from streammem.memory import Memory
from streammem.semantic.activities import activities
from streammem.semantic.extraction import extract_facts
from streammem.semantic.habits import DAY_NS, learn, usual_hour
from streammem.types import NS_PER_S, Event, EventBundle, Level, Observation, event_id_for

HOUR_NS = 3600 * NS_PER_S
EVENT_S = 300


def times(*day_hours: tuple[int, float]) -> list[tuple[int, str]]:
    return [(int(day * DAY_NS + hour * HOUR_NS), f"{day} {hour}") for day, hour in day_hours]


def habit_of(seen: list[tuple[int, str]], observed: range):
    return learn(seen, recording="walk", subject="Lena", activity="bake bread", observed_days=observed)


def test_most_of_the_observed_days_is_a_habit() -> None:
    habit = habit_of(times((0, 8.0), (1, 8.5), (1, 9.0), (3, 7.8), (5, 8.1)), range(7))
    assert habit is not None
    assert (habit.days_seen, habit.days_observed, len(habit.event_ids)) == (4, 7, 5)
    assert habit.hour == pytest.approx(8.1, abs=0.2)
    fact = habit.fact()
    assert (fact.subject, fact.predicate, fact.object) == ("Lena", "usually", "bake bread in the morning")
    assert (fact.count, fact.event_ids) == (5, habit.event_ids)
    assert fact.confidence == pytest.approx(5 / 9)
    assert habit_of(times((0, 8.0), (1, 8.5)), range(2)) is None, "twice may be chance"
    assert habit_of(times((0, 8.0), (1, 8.5), (3, 7.8)), range(7)) is None, "three of seven days"
    # A month of which nine days were recorded: the empty ones say nothing.
    sparse = times((0, 8.0), (4, 8.2), (11, 8.1), (19, 7.9), (29, 8.3))
    assert habit_of(sparse, range(30)) is None
    seen = learn(
        sparse, recording="w", subject="Lena", activity="bake bread", observed_days=[0, 4, 8, 11, 16, 19, 25, 27, 29]
    )
    assert seen is not None
    assert (seen.days_seen, seen.days_observed) == (5, 9)
    late = habit_of(times((9, 8.0), (10, 8.5), (11, 7.8)), range(12))
    assert late is not None, "days before it began do not count"
    assert late.days_observed == 3


@pytest.mark.parametrize(
    ("hours", "usual"),
    [
        ([8.0, 8.2, 7.9], 8.03),
        ([23.9, 0.1, 23.8], 23.93),
        ([8.0, 8.1, 8.2, 20.0], 8.1),
        ([6.0, 12.0, 18.0, 23.0], None),
    ],
)
def test_a_usual_time_is_one_that_most_days_keep(hours: list[float], usual: float | None) -> None:
    found = usual_hour([int(day * DAY_NS + hour * HOUR_NS) for day, hour in enumerate(hours)])
    assert found == (None if usual is None else pytest.approx(usual, abs=0.02))


def test_what_happens_all_day_has_no_usual_time() -> None:
    assert usual_hour([day * DAY_NS + hour * HOUR_NS for day in range(4) for hour in range(8, 20)]) is None


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ("I'm watering the plants.", ("I", "water plants")),
        ("Lena watered the plants.", ("Lena", "water plants")),
        ("Now Paul is busy feeding the cat again.", ("Paul", "feed cat")),
        ("I took out the rubbish.", ("I", "take out rubbish")),
        ("Mia sat down in the garden and read a book for a while.", ("Mia", "read book")),
        ("In the study, I'm doing yoga.", ("I", "do yoga")),
        ("Maybe I'll feed the cat later.", None),
        ("You already fed the cat, right?", None),
        ("I never bake bread on holidays.", None),
        ("I walk forward.", None),
        ("Turn left.", None),
    ],
)
def test_an_activity_has_one_form_whatever_the_tense(sentence: str, what: tuple[str, str] | None) -> None:
    assert list(activities(sentence, speaker=None, is_caption=True)) == ([what] if what else [])


def remember(world: World, folder: Path) -> Memory:
    """The world in events of five minutes with the facts of their lines."""
    memory = Memory.open(folder, write=True, create=True)
    groups: dict[int, list[Observation]] = {}
    for number, line in enumerate(world.lines):
        speaker = re.match(r"([A-Z][a-z]+): ", line.text) if line.kind == "transcript" else None
        groups.setdefault(line.start // EVENT_S, []).append(
            Observation(
                observation_id=f"{number:06d}", event_id="", recording="home",
                kind="speech" if line.kind == "transcript" else "caption", t_start_ns=line.start * NS_PER_S,
                t_end_ns=line.end * NS_PER_S, text=line.text[speaker.end() :] if speaker else line.text,
                speaker=speaker[1] if speaker else None,
            )
        )  # fmt: skip
    for number, lines in sorted(groups.items()):
        start = number * EVENT_S * NS_PER_S
        event = Event(
            event_id=event_id_for("home", Level.EVENT, start), recording="home", level=Level.EVENT, t_start_ns=start,
            t_end_ns=start + EVENT_S * NS_PER_S, strength=1.0, parent_id=None,
        )  # fmt: skip
        memory.write(EventBundle(event=event, facts=extract_facts(event, lines)))
    memory.flush()
    return memory


@pytest.mark.parametrize(("size", "seed"), [("week", 0), ("month", 1)])
def test_the_habits_of_a_generated_life_are_found(tmp_path: Path, size: Size, seed: int) -> None:
    world = make_world(seed, size=size)
    with remember(world, tmp_path / "memory") as memory:
        found = {(one.subject, one.activity): one for one in memory.habits()}
        known, right_time = 0, 0
        for habit in world.life.habits:
            told = [one for one in world.life.happenings if one.deed == habit.deed and one.actor == habit.owner]
            days = {one.day for one in told}
            verb = habit.deed.base.split()[0]
            mine = [one for (who, what), one in found.items() if who == habit.owner and what.startswith(verb)]
            if len(days) < 0.6 * len(world.life.active_days):
                continue
            known += 1
            assert mine, habit
            best = max(mine, key=lambda one: one.days_seen)
            assert best.days_seen <= len(days)
            low, high = hours_of(habit.part)
            right_time += best.hour is not None and low - 0.7 <= best.hour <= high + 0.7
            assert set(best.event_ids) <= {
                event_id_for("home", Level.EVENT, one.t_s // EVENT_S * EVENT_S * NS_PER_S) for one in told
            } | {event_id_for("home", Level.EVENT, one.span_s[1] // EVENT_S * EVENT_S * NS_PER_S) for one in told}
        assert known >= 6
        assert right_time >= 0.7 * known
        assert len(found) <= len(world.life.habits) + 4, "nothing that is no habit"
        as_facts = memory.facts(predicate="usually")
        assert {(one.subject, one.object.split(" in the ")[0].split(" around ")[0]) for one in as_facts} >= {
            (one.subject, one.activity) for one in found.values() if one.when.startswith(("in the", "around"))
        }
        middle = (world.life.active_days[1] - 1) * DAY_S * NS_PER_S + DAY_S * NS_PER_S
        assert memory.habits(as_of_ns=middle) == [], "two days are no habit"
