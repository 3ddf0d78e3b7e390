"""A yes needs a line that says so: who denies, asks or supposes has not said yes."""

from __future__ import annotations

from pathlib import Path

import pytest

from planners.english.polarity import Polarity, asked_of, polarity_of, reply_polarity
from planners.english.words import name_words
from planners.question import parse_question
from streammem.memory import Memory
from tests.planners.conftest import SentenceEncoder
from tests.planners.talks import answer, write_talk

LINES: list[tuple[str, str, str, Polarity]] = [
    # what is asked, who says what, what that says of it
    ("Has Cleo been to Rome?", "Cleo", "I have never been to Rome.", "denies"),
    ("Has Cleo been to Rome?", "Cleo", "I was tired, but I have been to Rome twice!", "states"),
    ("Has Cleo been to Rome?", "Cleo", "I wish I had been to Rome.", "supposes"),
    ("Has Cleo been to Rome?", "Cleo", "I am from Oslo, I have not been to Rome yet.", "denies"),
    ("Has Cleo been to Rome?", "Ben", "I have been to Rome.", "nothing"),
    ("Has Cleo been to Rome?", "Ben", "Cleo, I have been to Rome.", "nothing"),
    ("Has Cleo been to Rome?", "Ben", "Cleo has been to Rome.", "states"),
    ("Has Cleo been to Rome?", "Ben", "I don't think Cleo has been to Rome.", "denies"),
    ("Has Cleo been to Rome?", "Ben", "I didn't know Cleo has been to Rome!", "states"),
    ("Has Cleo been to Rome?", "Ben", "I'm not sure whether Cleo has been to Rome.", "supposes"),
    ("Is the cat in the garden?", "Ben", "Is the cat in the garden?", "asks"),
    ("Is the cat in the garden?", "Ben", "is the cat in the garden", "asks"),
    ("Is the cat in the garden?", "Ben", "No, the cat is not in the garden.", "denies"),
    ("Is the cat in the garden?", "Ben", "No, the cat is in the garden.", "states"),
    ("Is the cat in the garden?", "Ben", "There is no cat in the garden.", "denies"),
    ("Is the cat in the garden?", "Ben", "Maybe the cat is in the garden.", "supposes"),
    ("Is the cat in the garden?", "Ben", "The cat is in the garden, and the dog is not.", "states"),
    ("Is the cat in the garden?", "Ben", "The cat isn't in the house but in the garden.", "states"),
    ("Did Anna go to Oslo?", "Anna", "If it rains, I will go to Oslo.", "supposes"),
    ("Did Anna go to Oslo?", "Anna", "I will go to Oslo tomorrow.", "supposes"),
    ("Will Anna go to Oslo?", "Anna", "I will go to Oslo tomorrow.", "states"),
    ("Did Anna go to Oslo?", "Anna", "I went to Oslo to see if it is cold.", "states"),
    ("Did Anna go to Oslo?", "Anna", "I went to Oslo, not to Bergen.", "states"),
    ("Did Anna go to Oslo?", "Anna", "I didn't stay long when I went to Oslo.", "states"),
    ("Did Anna go to Oslo?", "Anna", "I refused to go to Oslo.", "denies"),
    ("Did Anna go to Oslo?", "Anna", "I'll never forget when I went to Oslo.", "states"),
    ("Did Anna quit her job?", "Anna", "I quit my job.", "states"),
    ("Did Anna pass the exam?", "Anna", "I failed the exam.", "denies"),
    ("Does Anna still like tea?", "Anna", "I don't like tea anymore.", "denies"),
    ("Does Anna like tea?", "Anna", "I used to like tea.", "denies"),
    ("Does Anna like tea?", "Anna", "I can't get enough of tea.", "states"),
    ("Does Anna like tea?", "Anna", "I can't stand tea.", "denies"),
    ("Does Anna like tea?", "Anna", "Things like tea cost money.", "nothing"),
    ("Does Anna hate tea?", "Anna", "I don't hate tea.", "denies"),
    ("Does Melanie hate pottery?", "Melanie", "I'm a big fan of pottery.", "denies"),
    ("Does Melanie hate pottery?", "Melanie", "Pottery is not fun.", "states"),
    ("Does Melanie hate pottery?", "Melanie", "I made a bowl in my pottery class.", "nothing"),
    ("Is Caroline married?", "Caroline", "How long have you been married?", "asks"),
    ("Is Caroline married?", "Melanie", "I have been married for five years.", "nothing"),
    ("Does Melanie like pottery?", "Melanie", "That's great! I just signed up for a pottery class.", "nothing"),
    ("Does Melanie like pottery?", "Melanie", "I signed up for a pottery class. It's great fun.", "states"),
    ("Did Melanie adopt a child?", "Melanie", "A buddy of mine adopted a child last year.", "nothing"),
    ("Did Melanie adopt a child?", "Melanie", "My husband and I adopted a child last year.", "states"),
    ("Did Melanie adopt a child?", "Melanie", "It's my dream to adopt a child.", "supposes"),
    ("Does Melanie dream of a child?", "Melanie", "I dream of a child.", "states"),
    ("Does Melanie have a brother?", "Melanie", "My brother is tall.", "states"),
    ("Did Melanie adopt a child?", "Caroline", "I applied to adopt a child, Melanie.", "nothing"),
]


@pytest.mark.parametrize(("question", "speaker", "line", "says"), LINES)
def test_what_a_line_says(question: str, speaker: str, line: str, says: Polarity) -> None:
    speakers = {"anna", "ben", "cleo", "caroline", "melanie"}
    asked = asked_of(question, parse_question(question).target, names=name_words(question), speakers=speakers)
    assert polarity_of(line, asked, speaker=speaker) == says


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("Yes, twice.", "states"),
        ("Oh yeah!", "states"),
        ("I did.", "states"),
        ("Not yet, sadly.", "denies"),
        ("No.", "denies"),
        ("I haven't.", "denies"),
        ("No problem!", "nothing"),
        ("Rome is big.", "nothing"),
        ("Yes?", "asks"),
    ],
)
def test_what_a_reply_says(reply: str, says: Polarity) -> None:
    assert reply_polarity(reply) == says


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("talk") / "memory"
    with Memory.open(folder, write=True, create=True, encoder=SentenceEncoder()) as memory:
        for day, lines in {
            "2023-05-08": (
                ("Cleo", "I have never been to Rome."),
                ("Ben", "Is the cat in the garden?"),
                ("Cleo", "If it rains, I will go to Oslo."),
                ("Anna", "I really like tea."),
                ("Ben", "How long have you been married, Cleo?"),
                ("Anna", "I'm a big fan of pottery."),
                ("Anna", "The blue boat is fast."),
                ("Ben", "I bought a green bicycle."),
            ),
            "2023-05-09": (
                ("Anna", "I don't like tea anymore."),
                ("Ben", "The blue boat is not fast."),
                ("Ben", "Has Anna ever eaten snails?"),
                ("Cleo", "Oh yes, she loved them."),
            ),
        }.items():
            write_talk(memory, day, lines)
    return folder


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("Has Cleo been to Rome?", "No: Cleo said “I have never been to Rome.”"),
        ("Has Cleo never been to Rome?", "Yes: Cleo said “I have never been to Rome.”"),
        ("Is the cat in the garden?", None),
        ("Did Cleo go to Oslo?", None),
        ("Is Cleo married?", None),
        ("Is Ben married?", None),
        ("Does Anna like tea?", "No: Anna said “I don't like tea anymore.”"),
        ("Does Anna hate pottery?", "No: Anna said “I'm a big fan of pottery.”"),
        ("Does Anna like pottery?", "Yes: Anna said “I'm a big fan of pottery.”"),
        ("Is the blue boat fast?", "Told both ways. That it is so: Anna said"),
        ("Did Ben buy a bicycle?", "Yes: Ben said"),
        ("Didn't Ben buy a bicycle?", "Yes: Ben said"),
        ("Did Anna buy a bicycle?", None),
        ("Has Anna eaten snails?", "Yes: Cleo said “Oh yes, she loved them.”"),
    ],
)
def test_yes_and_no(house: Path, question: str, says: str | None) -> None:
    found = answer(house, question)
    assert found.answerable == (says is not None), found.text
    assert says is None or found.text.startswith(says)
    assert "both ways" not in found.text or found.confidence < 0.5


def test_what_was_said_before_is_told_too(house: Path) -> None:
    found = answer(house, "Does Anna like tea?")
    assert "Said before: Anna said “I really like tea.”" in found.text
    assert len(found.evidence) == 2


def test_nothing_states_whether(house: Path) -> None:
    assert "nothing states whether" in answer(house, "Is the cat in the garden?").text
