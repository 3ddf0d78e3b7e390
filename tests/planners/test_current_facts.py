"""States that changed: what held once is not told as what holds, at the end of memory or at any moment before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from planners import ask
from planners.reasoners.extractive import ExtractiveReasoner
from streammem.memory import Memory
from streammem.semantic.extraction import extract_facts
from streammem.settings import PlannerSettings
from streammem.types import (
    NS_PER_S,
    Answer,
    Event,
    EventBundle,
    Level,
    Observation,
    Recording,
    attributed,
    event_id_for,
    stable_id,
)
from tests.planners.conftest import SentenceEncoder

LINES = (
    (100, "Anna", "I live in Berlin."),
    (200, "Anna", "The mug is on the kitchen table."),
    (300, "Bob", "I work at Siemens."),
    (400, "Anna", "The weather is lovely today."),
    (500, "Anna", "I like tea."),
    (550, "Bob", "I have a dog."),
    (700, "Anna", "I live in Paris now."),
    (800, "Bob", "The mug is in the sink."),
    (900, "Bob", "I quit Siemens and joined Bosch."),
    (950, "Anna", "I don't like tea anymore."),
    (980, "Bob", "I don't have a dog anymore."),
)


def write_lines(
    memory: Memory,
    lines: tuple[tuple[int, str, str], ...],
    *,
    name: str = "home",
    kind: Literal["speech", "caption"] = "speech",
) -> None:
    """Lines at these seconds, with the facts that rules read out of them."""
    memory.put_recording(
        Recording(
            recording=name, uri=name, fingerprint=name, status="complete", t_start_ns=0,
            t_end_ns=(lines[-1][0] + 60) * NS_PER_S, models={"text": SentenceEncoder().text_model},
        )
    )  # fmt: skip
    for at_s, speaker, text in lines:
        at_ns, end_ns = at_s * NS_PER_S, (at_s + 8) * NS_PER_S
        event_id = event_id_for(name, Level.EVENT, at_ns)
        event = Event(
            event_id=event_id, recording=name, level=Level.EVENT, t_start_ns=at_ns, t_end_ns=end_ns, strength=0.5,
            parent_id=None, text=attributed(text, speaker or None), kinds=(kind,),
        )  # fmt: skip
        said = Observation(
            observation_id=stable_id(event_id), event_id=event_id, recording=name, kind=kind, t_start_ns=at_ns,
            t_end_ns=at_ns + 4 * NS_PER_S, text=text, source="test", speaker=speaker or None,
        )  # fmt: skip
        memory.write(EventBundle(event=event, observations=(said,), facts=extract_facts(event, (said,))))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Iterator[Memory]:
    folder = tmp_path_factory.mktemp("facts")
    with Memory.open(folder, write=True, create=True, encoder=encoder) as memory:
        write_lines(memory, LINES)
    with Memory.open(folder, encoder=encoder) as memory:
        yield memory


def asked(memory: Memory, question: str, *, as_of_s: float | None = None, choices: tuple[str, ...] = ()) -> Answer:
    as_of_ns = None if as_of_s is None else round(as_of_s * NS_PER_S)
    return ask(
        memory, question, choices=choices, as_of_ns=as_of_ns, settings=PlannerSettings(), reasoner=ExtractiveReasoner()
    )


@pytest.mark.parametrize(
    ("question", "begins", "says", "at_s"),
    [
        ("Where does Anna live?", "Since 0:11:40 Anna lives in Paris", "lived in Berlin before", {700, 100}),
        ("Does Anna live in Berlin?", "No: since 0:11:40 Anna lives in Paris", "lived in Berlin", {700, 100}),
        ("Does Anna still live in Berlin?", "No: ", "Paris", {700, 100}),
        ("Does Anna live in Paris now?", "Yes: since 0:11:40", "Paris", {700}),
        ("Where's the mug?", "Since 0:13:20 the mug is in the sink", "was on the kitchen table", {800, 200}),
        ("Is the mug on the kitchen table now?", "No: since 0:13:20 the mug", "kitchen table", {800, 200}),
        ("Is the mug on the table?", "No: ", "in the sink", {800, 200}),
        ("Is the mug still in the sink?", "Yes: ", "in the sink", {800}),
    ],
)  # fmt: skip
def test_of_what_changed_the_newest_is_told(
    home: Memory, question: str, begins: str, says: str, at_s: set[int]
) -> None:
    answer = asked(home, question)
    assert answer.text.startswith(begins)
    assert says in answer.text
    assert at_s <= {one.t_start_ns // NS_PER_S for one in answer.evidence}


@pytest.mark.parametrize(
    ("question", "as_of_s", "says", "never"),
    [
        ("Where does Anna live?", 650, "Berlin", "Paris"),
        ("Where does Anna live?", 702, "Berlin", "Paris"),  # the event that tells it has not ended
        ("Where did Anna live?", 720, "Since 0:11:40 Anna lives in Paris", "sink"),
        ("Is the mug on the kitchen table?", 650, "Yes", "sink"),
        ("Was the mug on the kitchen table?", 900, "No", "before the"),
    ],
)
def test_nothing_later_than_the_asking_is_told(
    home: Memory, question: str, as_of_s: int, says: str, never: str
) -> None:
    answer = asked(home, question, as_of_s=as_of_s)
    assert says in answer.text
    assert never not in answer.text
    assert all(one.t_start_ns < as_of_s * NS_PER_S for one in answer.evidence)


@pytest.mark.parametrize(
    "question", ["Does Anna live in Madrid?", "Where does Carla live?", "Is the mug on the shelf?"]
)
def test_what_was_never_told_is_not_denied_by_facts(home: Memory, question: str) -> None:
    assert not asked(home, question).text.startswith(("No: since", "Yes: since", "Since"))


def test_an_opposite_of_the_same_thing_ends_what_held(home: Memory) -> None:
    held = {(fact.subject, fact.predicate, fact.object): fact.t_to_ns for fact in home.facts()}
    assert held["Anna", "likes", "tea"] == 950 * NS_PER_S
    assert held["Bob", "has", "dog"] == 980 * NS_PER_S
    assert held["Bob", "works at", "Siemens"] == 900 * NS_PER_S
    assert held["Anna", "dislikes", "tea"] is None
    assert asked(home, "Does Anna like tea?").text.startswith("No: since 0:15:50 Anna dislikes tea")


@pytest.mark.parametrize(
    ("question", "as_of_s", "choices", "choice"),
    [
        ("Where does Anna live now?", None, ("Berlin", "Paris"), 1),
        ("Where does Anna live now?", None, ("Paris", "Berlin", "Rome"), 0),
        ("Where does Anna live?", 650, ("Paris", "Berlin", "Rome"), 1),
        ("Where does Anna live?", 720, ("In Berlin.", "In Paris."), 1),
        ("In which city does Anna live?", 720, ("In Berlin.", "In Paris."), 1),
        ("Does Anna live in Berlin?", None, ("Yes", "No"), 1),
        ("Does Anna live in Berlin?", 650, ("Yes", "No"), 0),
        ("Does Anna still live in Paris?", None, ("No", "Yes, she does"), 1),
        ("Where is the mug?", None, ("On the kitchen table", "In the sink"), 1),
        ("Where is the mug?", 650, ("On the kitchen table", "In the sink"), 0),
        ("Where is the mug now?", 650, ("Under the kitchen table", "In the sink", "On the kitchen table"), 2),
        ("Where does Bob work?", None, ("At Siemens", "At Bosch"), 1),
        ("Where does Bob work?", 650, ("At Siemens", "At Bosch"), 0),
        ("Does Anna like tea?", None, ("Yes", "No"), 1),
        ("Does Anna like tea?", 650, ("Yes", "No"), 0),
    ],
)
def test_of_options_the_one_that_holds_is_chosen(
    home: Memory, question: str, as_of_s: int | None, choices: tuple[str, ...], choice: int
) -> None:
    answer = asked(home, question, as_of_s=as_of_s, choices=choices)
    assert answer.choice == choice, answer.text
    assert answer.evidence


def test_an_option_that_is_none_of_the_values_is_not_chosen_by_facts(home: Memory) -> None:
    assert "since" not in asked(home, "Where does Anna live now?", choices=("Madrid", "Oslo")).text.lower()


def test_hearsay_is_no_change_of_what_somebody_said_of_themselves(tmp_path: Path, encoder: SentenceEncoder) -> None:
    lines = ((100, "Anna", "I live in Rome."), (200, "Bob", "Anna lives in Oslo."))
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=encoder) as memory:
        write_lines(memory, lines)
        memory.flush()
        for question in ("Where does Anna live?", "Does Anna live in Rome?"):
            answer = asked(memory, question)
            assert answer.text.startswith("It is told in two ways: Anna lives in Rome (said by Anna at 0:01:40)")
            assert "Anna lives in Oslo (said by Bob at 0:03:20)" in answer.text
            assert {"I live in Rome.", "Anna lives in Oslo."} == {one.text for one in answer.evidence}


def test_what_is_over_is_told_with_what_was(tmp_path: Path, encoder: SentenceEncoder) -> None:
    lines = ((100, "Bob", "I work at Siemens."), (150, "Bob", "I have a car."), (200, "Bob", "I quit my job."))
    lines += ((300, "Bob", "I sold the car."),)
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=encoder) as memory:
        write_lines(memory, lines)
        memory.flush()
        for question, begins in {
            "Where does Bob work?": "Since 0:03:20 Bob no longer has a job; Bob worked at Siemens before that",
            "Does Bob work at Siemens?": "No: since 0:03:20 Bob no longer has a job; Bob worked at Siemens",
            "Does Bob have a car?": "No: since 0:05:00 Bob no longer has the car; Bob had",
        }.items():
            answer = asked(memory, question)
            assert answer.text.startswith(begins)
            assert len({one.text for one in answer.evidence}) == 2
        assert asked(memory, "Does Bob work at Siemens?", as_of_s=190).text.startswith("Yes")
        assert asked(memory, "Does Bob have a car?", choices=("Yes", "No")).choice == 1
        told = asked(memory, "Where does Bob work?", choices=("At Siemens", "At Bosch"))
        assert "Since" not in told.text, "no option is what holds"


def test_what_one_says_after_others_is_the_newest(tmp_path: Path, encoder: SentenceEncoder) -> None:
    lines = ((100, "Bob", "Anna lives in Oslo."), (200, "Anna", "I live in Rome."), (300, "Bob", "Anna lives in Bern."))
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=encoder) as memory:
        write_lines(memory, lines)
        memory.flush()
        told = asked(memory, "Where does Anna live?", as_of_s=250).text
        assert told.startswith("Since 0:03:20 Anna lives in Rome; Anna lived in Oslo before that")
        assert "Anna lives in Bern (said by Bob at 0:05:00)" in asked(memory, "Where does Anna live?").text


def test_of_many_updates_the_last_one_holds(tmp_path: Path, encoder: SentenceEncoder) -> None:
    things = ("mug", "lamp", "vase", "hammer", "basket", "kettle", "mirror", "ladder")
    places = ("in the cupboard", "on the shelf", "under the bench", "in the drawer", "on the counter")
    lines = [
        (10 + 20 * (turn * len(things) + number), "Anna", f"The {thing} is {places[(turn + number) % len(places)]}.")
        for turn in range(3)
        for number, thing in enumerate(things)
    ]
    with Memory.open(tmp_path / "m", write=True, create=True, encoder=encoder) as memory:
        write_lines(memory, tuple(lines))
        memory.flush()
        for number, thing in enumerate(things):
            first, last = places[number % len(places)], places[(2 + number) % len(places)]
            assert asked(memory, f"Is the {thing} {first}?").text.startswith("No: since")
            assert asked(memory, f"Is the {thing} {last}?").text.startswith("Yes: since")
            assert f"is {last}" in asked(memory, f"Where is the {thing} now?").text
