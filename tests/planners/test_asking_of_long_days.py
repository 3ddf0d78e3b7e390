"""What users ask of long narrated days and of films: things or near neighbours, speakers, writing, second looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from planners import ask
from planners.question import parse_clause, parse_question
from planners.reasoners.extractive import ExtractiveReasoner
from planners.second_look import LOOK_AT_BEST_S
from streammem.memory import Memory
from streammem.protocols import LookAgain
from streammem.settings import PlannerSettings
from streammem.types import Answer, Observation
from tests.planners.conftest import Script, SentenceEncoder

FILM = Script(
    recording="film",
    length_s=60.0,
    lines=[
        (3.6, 4.1, "text_in_view", "Peach Project pre", None),
        (4.2, 9.2, "text_in_view", "Peach Project presents", None),
        (10.5, 13.4, "text_in_view", "An unlucky bird", None),
        (20.0, 22.7, "text_in_view", "A (slightly overweight) bunny", None),
        (55.0, 59.0, "text_in_view", "Revenge is coming", None),
    ],
    tracks=[("bird", 1, 25.0, 30.0, 0.9), ("cow", 1, 15.0, 18.0, 0.8)],
    facts=[("bird", "is seen in", "film", 25.0)],
)

FILLER = ("I look at everyone.", "I turn my head to the left.", "I keep walking.", "I nod slightly.", "I sit down.")

DAY = Script(
    recording="day",
    length_s=7_200.0,
    event_s=120.0,
    lines=[
        *((20.0 * n, 20.0 * n + 2, "caption", f"{FILLER[n % 5][:-1]}, for the {n}th time.", None) for n in range(330)),
        (310, 311, "speech", "This screwdriver is not magnetic.", "Lucia"),
        (605, 607, "caption", "I walk up to the small tripod.", None),
        (705, 707, "caption", "I am holding the small tripod in my right hand.", None),
        (1210, 1212, "speech", "I already bought the vases.", "Katrina"),
        (1215, 1217, "speech", "The vase was not in the delivery.", "Alice"),
        (1810, 1812, "speech", "Put the whiteboard down.", "Jake"),
        (1850, 1853, "caption", "I keep watching Shure write on the whiteboard.", None),
        (2410, 2412, "speech", "Mark a timestamp, right?", "Shure"),
        (2414, 2415, "speech", "Yes, mark it.", "Jake"),
        (3010, 3012, "caption", "I put my hand on the hard drive.", None),
        (3013, 3015, "caption", "Everyone takes the hard drives apart.", None),
        (3610, 3613, "speech", "With so many people it feels like a small party.", "Katrina"),
        (3905, 3907, "caption", "I take the flowers with both hands.", None),
        (4205, 4207, "caption", "I go up the stairs.", None),
        (4510, 4512, "speech", "Buy eggs and get a box for free.", "Shure"),
        (4610, 4612, "speech", "We bought sterilised eggs.", "Jake"),
    ],
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Iterator[Memory]:
    yield from _written(FILM, tmp_path_factory, encoder)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Iterator[Memory]:
    yield from _written(DAY, tmp_path_factory, encoder)


def _written(script: Script, factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Iterator[Memory]:
    folder = factory.mktemp(script.recording)
    with Memory.open(folder, write=True, create=True, encoder=encoder) as memory:
        script.write(memory, encoder)
    with Memory.open(folder, encoder=encoder) as memory:
        yield memory


@dataclass
class Looking:
    """A second look that finds nothing and remembers how long it looked."""

    seconds: list[float] = field(default_factory=list[float])

    def look(
        self, *, recording: str, t_start_ns: int, t_end_ns: int, question: str, deadline_s: float
    ) -> tuple[Observation, ...]:
        self.seconds.append((t_end_ns - t_start_ns) / 1e9)
        return ()


def asked(memory: Memory, question: str, look_again: LookAgain | None = None) -> Answer:
    return ask(memory, question, settings=PlannerSettings(), reasoner=ExtractiveReasoner(), look_again=look_again)


@pytest.mark.parametrize("question", ["Is there a butterfly?", "When does a squirrel appear?", "Is there an elephant?"])
def test_a_near_neighbour_is_not_the_thing(film: Memory, question: str) -> None:
    found = asked(film, question)
    assert not found.answerable, found.text


@pytest.mark.parametrize("question", ["When does the rabbit appear?", "Is there a rabbit?"])
def test_a_synonym_is(film: Memory, question: str) -> None:
    found = asked(film, question)
    assert found.answerable
    assert "bunny" in found.text
    assert "bird" not in found.text


def test_what_was_seen_goes_before_the_fact_that_it_was(film: Memory) -> None:
    found = asked(film, "When did a bird appear?")
    assert found.evidence[0].modality == "object"
    assert found.evidence[0].t_start_ns == 25_000_000_000


def test_kinds_of_things_are_listed(film: Memory) -> None:
    found = asked(film, "What animals are there?")
    assert "bird" in found.text
    assert "cow" in found.text


@pytest.mark.parametrize(
    ("question", "there", "not_there"),
    [
        ("What is written on the title card?", "Peach Project presents", "“Peach Project pre”"),
        ("What does the sign say?", "An unlucky bird", None),
        ("What is the title of the film?", "Peach Project presents", None),
        ("What stands on the card at the end?", "Revenge is coming", "Peach"),
        ("What does the text on the screen say at the start?", "Peach Project presents", "Revenge"),
    ],
)
def test_what_writing_stands_on_is_not_looked_for(
    film: Memory, question: str, there: str, not_there: str | None
) -> None:
    found = asked(film, question)
    assert there in found.text
    assert not_there is None or not_there not in found.text


def test_a_second_look_is_short_where_nothing_says_when(film: Memory) -> None:
    looking = Looking()
    asked(film, "Is there a butterfly?", looking)
    assert 0 < sum(looking.seconds) <= LOOK_AT_BEST_S + 1e-6
    looking = Looking()
    asked(film, "What did she say about cooking?", looking)
    assert looking.seconds == []
    asked(film, "Is there a butterfly between 0:30 and 0:40?", looking)
    assert sum(looking.seconds) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Who said that the screwdriver is not magnetic?", "Lucia:"),
        ("What did Katrina say about vases?", "I already bought the vases."),
        ("When did I first hold the small tripod?", "0:11:45"),
        ("Who wrote on the whiteboard?", "Shure:"),
        ("Who bought the eggs?", "Jake (“we”):"),
        ('What did Shure say before Jake said "Yes, mark it"?', "Mark a timestamp"),
        ("What happened after I put my hand on the hard drive?", "takes the hard drives apart"),
        ("Did Lucia mention the screwdriver before Alice mentioned the vase?", "Yes:"),
        ("What happened at 1:10?", "go up the stairs"),
        ("How many people spoke?", "5:"),
    ],
)
def test_of_a_day_longer_than_is_read_through(day: Memory, question: str, words: str) -> None:
    found = asked(day, question)
    assert words in found.text


def test_only_the_speaker_asked_about_is_quoted(day: Memory) -> None:
    found = asked(day, "What did Katrina say about vases?")
    assert "Alice" not in found.text
    assert all("delivery" not in each.text for each in found.evidence)


@pytest.mark.parametrize(
    "question",
    ["Was there a birthday party?", "Who painted the flowers?", "When did Lucia wash the dishes?"],
)
def test_among_hundreds_of_lines_a_shared_word_is_not_enough(day: Memory, question: str) -> None:
    found = asked(day, question)
    assert not found.answerable, found.text


def test_clauses_say_who_spoke() -> None:
    assert parse_clause('Jake said "Yes, mark it"').speaker == "Jake"
    assert parse_clause("the puzzle was mentioned").speaker is None
    assert parse_question("When does the bird appear?").is_thing
    assert not parse_question("When was the bird mentioned?").is_thing
    assert not parse_question("When did Katrina pick up the bird?").is_thing
