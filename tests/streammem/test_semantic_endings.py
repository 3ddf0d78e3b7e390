"""Who may close a fact, and what says that it is over: another's word against one's own, endings without a value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from streammem.memory import Memory
from streammem.semantic.consolidation import Assertion, Interval, consolidate
from streammem.semantic.extraction import extract_facts
from streammem.types import (
    NS_PER_S,
    Event,
    EventBundle,
    Fact,
    Level,
    Observation,
    ObservationKind,
    Recording,
    event_id_for,
)

Line = tuple[int, str, str]
"""(second, who, what); who is empty for a caption."""


def bundles(lines: Sequence[Line], recording: str = "talk", *, from_ns: int = 0) -> list[EventBundle]:
    made: list[EventBundle] = []
    for at_s, speaker, text in lines:
        kind: ObservationKind = "speech" if speaker else "caption"
        start_ns, end_ns = from_ns + at_s * NS_PER_S, from_ns + (at_s + 5) * NS_PER_S
        event_id = event_id_for(recording, Level.EVENT, start_ns)
        event = Event(
            event_id=event_id, recording=recording, level=Level.EVENT, t_start_ns=start_ns, t_end_ns=end_ns,
            strength=1.0, parent_id=None, text=text, kinds=(kind,),
        )  # fmt: skip
        said = Observation(
            observation_id=f"{recording} {at_s} {speaker}", event_id=event_id, recording=recording, kind=kind,
            t_start_ns=start_ns, t_end_ns=end_ns, text=text, speaker=speaker or None,
        )  # fmt: skip
        made.append(EventBundle(event=event, observations=(said,), facts=extract_facts(event, [said])))
    return made


def told(lines: Sequence[Line]) -> list[Interval]:
    return consolidate(
        Assertion(said=fact, known_ns=one.event.t_end_ns) for one in bundles(lines) for fact in one.facts
    )


def spans(lines: Sequence[Line], subject: str, *, of: str) -> list[tuple[str, int, int | None, tuple[str, ...]]]:
    """(object, from, to, who said so) of a subject's facts, in seconds."""
    found = [one.fact() for one in told(lines) if one.subject == subject and one.predicate == of]
    return [
        (one.object, one.t_from_ns // NS_PER_S, one.t_to_ns and one.t_to_ns // NS_PER_S, one.stated_by)
        for one in sorted(found, key=lambda one: (one.t_from_ns, one.object))
    ]


def values(facts: Sequence[Fact]) -> set[tuple[str, str, str]]:
    return {(one.subject, one.predicate, one.object) for one in facts}


# --- who says so ------------------------------------------------------------------------------------------------------


def test_what_another_says_closes_nothing_of_ones_own_word() -> None:
    lines = [(10, "Anna", "I live in Paris."), (20, "Bob", "Anna lives in Rome.")]
    assert spans(lines, "Anna", of="lives in") == [("Paris", 10, None, ("Anna",)), ("Rome", 20, None, ("Bob",))]


def test_ones_own_change_closes_what_anybody_said() -> None:
    lines = [
        (10, "Anna", "I live in Paris."),
        (20, "Bob", "Anna lives in Oslo."),
        (30, "Anna", "I moved to Rome."),
        (40, "Bob", "Anna lives in Rome."),
    ]
    assert spans(lines, "Anna", of="lives in") == [
        ("Paris", 10, 30, ("Anna",)),
        ("Oslo", 20, 30, ("Bob",)),
        ("Rome", 30, None, ("Anna", "Bob")),
    ]


def test_everybody_may_correct_themselves_and_nobody_else() -> None:
    lines = [
        (10, "Anna", "Carla lives in Paris."),
        (20, "Bob", "Carla lives in Paris."),
        (30, "Bob", "Carla lives in Rome."),
        (40, "Anna", "Carla lives in Rome."),
    ]
    assert spans(lines, "Carla", of="lives in") == [
        ("Paris", 10, 40, ("Anna", "Bob")),
        ("Rome", 30, None, ("Bob", "Anna")),
    ]


def test_of_what_anybody_can_see_whoever_tells_it_last_tells_what_changed() -> None:
    lines = [
        (10, "Anna", "The mug is on the table."),
        (20, "Bob", "The mug is in the sink."),
        (30, "", "I put the mug on the shelf."),
    ]
    assert spans(lines, "mug", of="is on") == [("table", 10, 20, ("Anna",)), ("shelf", 30, None, ())]
    assert spans(lines, "mug", of="is in") == [("sink", 20, 30, ("Bob",))]


def test_what_is_observed_is_a_source_of_its_own() -> None:
    def said(value: str, at_s: int, *by: str) -> Assertion:
        fact = Fact(
            fact_id="", recording="talk", subject="Anna", predicate="lives in", object=value, t_from_ns=at_s,
            t_to_ns=None, confidence=0.5, count=1, event_ids=(f"e{at_s}",), stated_by=by,
        )  # fmt: skip
        return Assertion(said=fact, known_ns=at_s)

    found = consolidate([said("Paris", 1), said("Oslo", 2, "Bob"), said("Rome", 3), said("Bern", 4, "Anna")])
    assert {(one.object, one.t_to_ns) for one in found} == {("Paris", 3), ("Oslo", 4), ("Rome", 4), ("Bern", None)}


def test_another_cannot_tell_that_ones_own_word_is_over() -> None:
    lines = [(10, "Anna", "I work at Siemens."), (20, "Bob", "Carla works at Siemens.")]
    lines += [(30, "Bob", "Anna quit Siemens."), (40, "Dora", "Carla quit Siemens.")]
    assert spans(lines, "Anna", of="works at") == [("Siemens", 10, None, ("Anna",))]
    assert spans(lines, "Carla", of="works at") == [("Siemens", 20, 40, ("Bob",))]


def test_what_one_denies_of_oneself_no_longer_holds_whoever_said_it() -> None:
    lines = [
        (10, "Jan", "Kit works at Nokia."),
        (20, "Kit", "I don't work at Nokia."),
        (30, "Jan", "Kit works at Nokia."),
    ]
    assert spans(lines, "Kit", of="works at") == [("Nokia", 10, 20, ("Jan",)), ("Nokia", 30, None, ("Jan",))]
    lines = [(10, "Kit", "I work at Nokia."), (20, "Kit", "I don't work at Nokia on Fridays.")]
    assert spans(lines, "Kit", of="works at") == [("Nokia", 10, None, ("Kit",))]


def test_every_moment_of_a_contradiction_is_exact(tmp_path: Path) -> None:
    lines = [
        (10, "Anna", "I live in Paris."),
        (20, "Bob", "Anna lives in Oslo."),
        (30, "Anna", "I live in Paris."),
        (40, "Bob", "Anna lives in Rome."),
        (50, "Bob", "Anna lives in Rome."),
        (60, "Anna", "I moved to Bern."),
        (70, "Bob", "Anna lives in Rome."),
    ]
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        for one in bundles(lines):
            memory.write(one)
            memory.flush()
        for known in range(len(lines)):
            at_ns = (lines[known][0] + 5) * NS_PER_S
            then = [one.fact() for one in told(lines[: known + 1])]
            expected = {(one.object, one.count, one.stated_by) for one in then if one.t_to_ns is None}
            facts = memory.facts(subject="Anna", predicate="lives in", as_of_ns=at_ns)
            assert {(one.object, one.count, one.stated_by) for one in facts} == expected, known
        now = memory.facts(subject="Anna", predicate="lives in", as_of_ns=10**12)
        assert {(one.object, one.stated_by) for one in now} == {("Bern", ("Anna",)), ("Rome", ("Bob",))}


def test_two_who_say_the_same_in_one_event_both_count() -> None:
    (first,), (second,) = (
        one.facts for one in bundles([(10, "Anna", "I live in Paris."), (10, "Bob", "Anna lives in Paris.")])
    )
    (interval,) = consolidate(Assertion(said=one, known_ns=one.t_from_ns) for one in (first, second))
    assert (interval.count, interval.stated_by) == (2, ["Anna", "Bob"])


def test_who_is_forgotten_takes_along_what_they_said(tmp_path: Path) -> None:
    lines = [
        (10, "Carla", "I live in Paris."),
        (20, "Bob", "Carla lives in Rome."),
        (30, "Bob", "The mug is on the table."),
    ]
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        for one in bundles(lines):
            memory.write(one)
        memory.flush()
        memory.forget(about="Bob")
        assert values(memory.facts()) == {("Carla", "lives in", "Paris")}


DAY_NS = 86_400 * NS_PER_S
MONDAY_NS = 20_000 * DAY_NS
"""A wall clock: 2024."""


def write_days(memory: Memory, days: Sequence[Sequence[tuple[str, str]]], *, from_ns: int = MONDAY_NS) -> None:
    """A recording per day, a line per minute."""
    for number, lines in enumerate(days):
        name, start_ns = f"day {number}", from_ns + number * DAY_NS
        memory.put_recording(
            Recording(
                recording=name, uri=name, fingerprint=name, t_start_ns=start_ns, t_end_ns=start_ns + DAY_NS // 2,
                status="complete",
            )
        )  # fmt: skip
        for one in bundles([(60 * at, *line) for at, line in enumerate(lines)], name, from_ns=start_ns):
            memory.write(one)
    memory.flush()


WEEK = (
    (("Anna", "I live in Paris."), ("Bob", "I work at Siemens."), ("Anna", "The mug is on the table.")),
    (("Bob", "Anna lives in Oslo."), ("Bob", "I quit Siemens."), ("Bob", "The mug is in the sink.")),
    (("Anna", "I moved to Rome."), ("Anna", "I live in Rome.")),
)


def test_what_is_told_of_people_changes_from_recording_to_recording(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        write_days(memory, WEEK)
        for read_again in range(2):
            for day, homes, firms in ((0, {"Paris"}, {"Siemens"}), (1, {"Paris", "Oslo"}, set()), (2, {"Rome"}, set())):
                then_ns = MONDAY_NS + day * DAY_NS + DAY_NS // 2
                facts = memory.facts(as_of_ns=then_ns)
                assert {one.object for one in facts if one.predicate == "lives in"} == homes
                assert {one.object for one in facts if one.predicate == "works at"} == firms
            (rome,) = [one for one in memory.facts(subject="Anna") if one.object == "Rome"]
            assert (rome.recording, rome.count, len(rome.event_ids)) == ("day 2", 2, 2)
            # A cup here is no cup elsewhere.
            assert {one.recording: one.t_to_ns for one in memory.facts(subject="mug")} == {"day 0": None, "day 1": None}
            if not read_again:
                memory.compact()


def test_some_recordings_tell_what_they_tell_alone(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        write_days(memory, WEEK)
        for days, homes in (((0,), {"Paris"}), ((1,), {"Oslo"}), ((0, 1), {"Paris", "Oslo"}), ((0, 1, 2), {"Rome"})):
            names = [f"day {day}" for day in days]
            facts = memory.facts(subject="Anna", recordings=names, as_of_ns=MONDAY_NS + 9 * DAY_NS)
            assert {one.object for one in facts if one.predicate == "lives in"} == homes
        memory.forget(recordings=["day 2"])
        homes = {one.object: one.t_to_ns for one in memory.facts(subject="Anna", predicate="lives in")}
        assert homes == {"Paris": None, "Oslo": None}


def test_days_written_in_any_order_add_up_to_the_same(tmp_path: Path) -> None:
    def told_in(order: Sequence[int]) -> set[tuple[str, str, int, int | None, tuple[str, ...]]]:
        with Memory.open(tmp_path / str(order), write=True, create=True) as memory:
            for day in order:
                write_days(memory, [*[()] * day, WEEK[day]])
            return {(one.predicate, one.object, one.t_from_ns, one.t_to_ns, one.stated_by) for one in memory.facts()}

    assert told_in((0, 1, 2)) == told_in((2, 0, 1)) == told_in((1, 2, 0))


def test_recordings_without_a_wall_clock_stay_apart(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        write_days(memory, WEEK, from_ns=0)
        assert {one.object: one.t_to_ns for one in memory.facts(subject="Anna", predicate="lives in")} == {
            "Paris": None, "Oslo": None, "Rome": None,
        }  # fmt: skip


# --- what is over -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "ending", "held"),
    [
        ("I work at Siemens.", "I quit Siemens.", ("works at", "Siemens")),
        ("I work at Siemens.", "I quit my job.", ("works at", "Siemens")),
        ("I work at Siemens.", "I got laid off last week.", ("works at", "Siemens")),
        ("I work at the bakery.", "I don't work at the bakery anymore.", ("works at", "bakery")),
        ("I work as a nurse.", "I retired last year.", ("works as", "nurse")),
        ("I work as a nurse.", "I'm no longer a nurse.", ("works as", "nurse")),
        ("I live in Paris.", "I moved out of Paris.", ("lives in", "Paris")),
        ("I live in Paris.", "I no longer live in Paris.", ("lives in", "Paris")),
        ("I have a car.", "I sold the car.", ("has", "car")),
        ("I have an old car.", "I sold my car.", ("has", "old car")),
        ("I have a car.", "I sold the car to buy a boat.", ("has", "car")),
        ("I have a dog.", "We gave the dog away.", ("has", "dog")),
        ("I have a dog named Rex.", "My dog Rex died.", ("has dog", "Rex")),
        ("I'm married to Lena.", "We got divorced.", ("is married to", "Lena")),
        ("I'm dating Lena.", "Lena and I broke up.", ("is dating", "Lena")),
        ("My girlfriend Lena is here.", "We broke up.", ("has girlfriend", "Lena")),
        ("My girlfriend Lena is here.", "I'm single again.", ("has", "girlfriend")),
        ("I'm taking a pottery course.", "I finished the course.", ("takes", "pottery course")),
        ("I'm taking an evening class.", "I completed the class last week.", ("takes", "evening class")),
        ("I enjoy chess.", "I lost interest in chess.", ("likes", "chess")),
        ("My husband Ivo is here.", "My ex-husband Ivo called.", ("has husband", "Ivo")),
        ("I play the violin.", "I gave up the violin.", ("plays", "violin")),
        ("I play tennis.", "I stopped playing tennis.", ("plays", "tennis")),
        ("I usually take the bus.", "I no longer take the bus.", ("usually", "take the bus")),
        ("I'm painting the fence.", "I stopped painting the fence.", ("does", "paint fence")),
        ("I really love coffee.", "I used to love coffee.", ("likes", "coffee")),
        ("I'm planning to buy a bicycle.", "I decided not to buy the bicycle.", ("plans to", "buy a bicycle")),
        ("I work at Siemens.", "I quit Siemens yesterday.", ("works at", "Siemens")),
        ("I have a house.", "We had to sell the house.", ("has", "house")),
        ("I'm studying physics.", "I graduated!", ("studies", "physics")),
        ("I'm studying physics.", "I switched from physics to medicine.", ("studies", "physics")),
        ("I'm taking a French class.", "I dropped the French class.", ("takes", "French class")),
        ("I'm planning to run a marathon in May.", "The marathon is off.", ("plans to", "run a marathon in May")),
        ("We have a rabbit called Puck.", "Sadly Puck died.", ("has rabbit", "Puck")),
        ("We adopted a dog called Bruno.", "We had to give Bruno away.", ("has dog", "Bruno")),
        ("I work at Siemens.", "They fired me.", ("works at", "Siemens")),
        ("I work at Siemens.", "Siemens laid me off.", ("works at", "Siemens")),
        ("I have a cat named Milo.", "Milo died last night.", ("has cat", "Milo")),
        ("I'm planning to buy a boat.", "The boat plan fell through.", ("plans to", "buy a boat")),
        ("I play the guitar.", "I haven't played the guitar in years.", ("plays", "guitar")),
        ("I'm allergic to nuts.", "I'm not allergic to nuts anymore.", ("is allergic to", "nuts")),
        ("I volunteer at the shelter.", "I stopped volunteering at the shelter.", ("volunteers at", "shelter")),
        ("I'm planning to visit Rome in May.", "The trip to Rome is cancelled.", ("plans to", "visit Rome in May")),
    ],
)  # fmt: skip
def test_an_ending_closes_what_held_without_a_new_value(before: str, ending: str, held: tuple[str, str]) -> None:
    found = {(one.predicate, one.object): one.t_to_ns for one in told([(10, "Paul", before), (20, "Paul", ending)])}
    assert found[held] == 20 * NS_PER_S
    assert not [one for one in found if one != held and one[0] == held[0]]


@pytest.mark.parametrize(
    ("before", "other", "held"),
    [
        ("I work at Siemens.", "I quit Bosch.", ("works at", "Siemens")),
        ("I work at Siemens.", "I want to quit Siemens.", ("works at", "Siemens")),
        ("I work at Siemens.", "I didn't quit Siemens.", ("works at", "Siemens")),
        ("I work at Siemens.", "If I quit Siemens, I would travel.", ("works at", "Siemens")),
        ("I work at Siemens.", "Should I quit my job?", ("works at", "Siemens")),
        ("I work as a nurse.", "I quit Siemens.", ("works as", "nurse")),
        ("I have a new car.", "I sold my old car.", ("has", "new car")),
        ("I have a car.", "I almost sold the car.", ("has", "car")),
        ("I have a car.", "I'm going to sell the car.", ("has", "car")),
        ("I play the violin.", "I stopped playing tennis.", ("plays", "violin")),
        ("I'm married to Lena.", "Bob and Carla split up.", ("is married to", "Lena")),
        ("I live in Paris.", "I left my keys in the car.", ("lives in", "Paris")),
        ("I live in Paris.", "I left Paris this morning.", ("lives in", "Paris")),
        ("I live in Paris.", "I left Paris for the weekend.", ("lives in", "Paris")),
        ("I live in Paris.", "I'm not in Paris.", ("lives in", "Paris")),
        ("I work at Siemens.", "I left Siemens at five.", ("works at", "Siemens")),
        ("I'm dating Lena.", "Lena left me a message.", ("is dating", "Lena")),
        ("I'm dating Lena.", "I left Lena at the station.", ("is dating", "Lena")),
        ("I'm dating Lena.", "I'm not with Lena.", ("is dating", "Lena")),
        ("I really love coffee.", "I no longer like tea.", ("likes", "coffee")),
        ("I'm planning to buy a bicycle.", "I decided not to buy a boat.", ("plans to", "buy a bicycle")),
    ],
)  # fmt: skip
def test_what_is_no_ending_of_it_closes_nothing(before: str, other: str, held: tuple[str, str]) -> None:
    found = {(one.predicate, one.object): one.t_to_ns for one in told([(10, "Paul", before), (20, "Paul", other)])}
    assert found[held] is None


def test_a_new_favourite_takes_the_place_of_the_old_one() -> None:
    lines = [(10, "Vic", "My favourite colour is blue."), (20, "Vic", "My favourite colour is green now.")]
    assert spans(lines, "Vic", of="has favourite colour") == [("blue", 10, 20, ("Vic",)), ("green", 20, None, ("Vic",))]


def test_a_new_status_with_the_same_one_takes_the_place_of_the_old_one() -> None:
    lines = [(10, "Ivy", "I'm engaged to Sam."), (20, "Ivy", "Sam and I got married!")]
    assert spans(lines, "Ivy", of="is engaged to") == [("Sam", 10, 20, ("Ivy",))]


def test_what_begins_again_after_its_end_has_an_interval_of_its_own() -> None:
    lines = [
        (10, "Paul", "I play tennis."),
        (20, "Paul", "I stopped playing tennis."),
        (30, "Paul", "I play tennis again."),
    ]
    assert spans(lines, "Paul", of="plays") == [("tennis", 10, 20, ("Paul",)), ("tennis", 30, None, ("Paul",))]
    assert spans(lines, "Paul", of="no longer does") == [("play tennis", 20, 30, ("Paul",))]


def test_an_ending_is_a_fact_with_its_event_where_it_ended_something(tmp_path: Path) -> None:
    lines = [(10, "Paul", "I work at Siemens."), (20, "Paul", "I quit Siemens."), (30, "Paul", "I sold my boat.")]
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        for one in bundles(lines):
            memory.write(one)
        memory.flush()
        assert values(memory.facts(as_of_ns=15 * NS_PER_S)) == {("Paul", "works at", "Siemens")}
        (over,) = memory.facts(as_of_ns=40 * NS_PER_S)
        assert (over.predicate, over.object, over.stated_by) == ("no longer works at", "Siemens", ("Paul",))
        assert over.event_ids == (event_id_for("talk", Level.EVENT, 20 * NS_PER_S),)


def test_an_ending_that_is_forgotten_has_not_been_said(tmp_path: Path) -> None:
    lines = [(10, "Paul", "I work at Siemens."), (20, "Paul", "I quit Siemens.")]
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        for one in bundles(lines):
            memory.write(one)
        memory.flush()
        memory.forget(text="I quit Siemens")
        (fact,) = memory.facts()
        assert (fact.object, fact.t_to_ns) == ("Siemens", None)


def test_what_was_said_late_ends_what_held_then(tmp_path: Path) -> None:
    """A recording that is written in any order adds up to the same."""
    lines = [(10, "Paul", "I work at Siemens."), (20, "Paul", "I quit Siemens."), (30, "Paul", "I work at Bosch.")]
    whole = {
        (one.predicate, one.object, one.t_from_ns, one.t_to_ns)
        for one in told(lines)
        if one.predicate != "no longer does"
    }
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        for number in (2, 0, 1):
            memory.write(bundles(lines)[number])
            memory.flush()
        facts = memory.facts()
    assert {(one.predicate, one.object, one.t_from_ns, one.t_to_ns) for one in facts} == whole


def test_open_facts_of_a_key_stay_few_however_long_the_history() -> None:
    """What one assertion is compared with: many jobs, begun and ended."""
    lines: list[Line] = []
    for number in range(30):
        firm = f"Firm{'abcdefghijklmnopqrstuvwxyzabcd'[number]}"
        lines += [(10 * number, "Paul", f"I work at {firm}."), (10 * number + 5, "Paul", f"I quit {firm}.")]
    assert sum(one.is_live for one in told(lines) if "works at" in one.predicate) == 1
