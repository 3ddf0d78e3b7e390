"""A colour, size, price, age or number is answered by a line that gives one, of the thing that is asked about."""

from __future__ import annotations

from pathlib import Path

import pytest

from streammem.memory import Memory
from tests.planners.conftest import SentenceEncoder
from tests.planners.talks import answer, write_talk

TALK = (
    ("Mia", "My two kids love the zoo."),
    ("Tom", "I turned 34 last week."),
    ("Tom", "My sister Julia is 29 years old."),
    ("Lena", "Happy thirtieth, I mean, it was my 30th birthday yesterday."),
    ("Raj", "My boss is fifty-two."),
    ("Raj", "He is 6 feet tall."),
    ("Ben", "The mug is missing."),
    ("Ben", "I painted the kitchen wall."),
    ("Anna", "The red mug was in the sink, next to a green bowl."),
    ("Anna", "My car is quite old, and it is dark blue."),
    ("Mia", "The tickets cost 40 euros."),
    ("Tom", "I paid 15 dollars for the lamp."),
    ("Mia", "Look at that desk!"),
    ("Ben", "It is made of oak."),
    ("Lena", "I have one son and two daughters."),
    ("Raj", "I saw three children in the park."),
    ("Raj", "Our hotel room is number 214."),
    ("Anna", "We ate in a restaurant called Luna."),
    ("Ben", "My dog Rex is 4."),
    ("Raj", "I bought three lamps at the market."),
    ("Raj", "The rent is 900 euros."),
    ("Lena", "My apartment is tiny."),
    ("Tom", "I have a leather bag."),
    ("Lena", "I sold my old camera for 120 euros."),
    ("Mia", "I make pancakes with oat milk."),
)
CAPTIONS = (
    ("", "Tom wears a yellow jacket."),
    ("", "I pour milk into a small white cup."),
    ("", "Tom puts two eggs into the bowl."),
)
GIVEN = {
    "What colour is the mug?": "Red: Anna said",
    "What colour is the bowl?": "Green: Anna said",
    "What colour is Anna's car?": "Dark blue: Anna said",
    "What colour is Tom's jacket?": "Yellow: Tom wears",
    "What colour was the cup?": "White: I pour",
    "What is the desk made of?": "Oak: Ben said “It is made of oak.”",
    "What material is Tom's bag?": "Leather: Tom said",
    "How much did the tickets cost?": "40 euros: Mia said",
    "How much was the lamp?": "15 dollars: Tom said",
    "How much did Tom pay for the lamp?": "15 dollars: Tom said",
    "How much is the rent?": "900 euros: Raj said",
    "How much did Lena get for her camera?": "120 euros: Lena said",
    "What did the tickets cost?": "40 euros: Mia said",
    "How does Mia make pancakes?": "Mia said “I make pancakes with oat milk.”",
    "How big is Lena's apartment?": "Tiny: Lena said",
    "How tall is Raj's boss?": "6 feet: Raj said",
    "How old is Tom?": "34: Tom said “I turned 34",
    "How old is Julia?": "29: Tom said",
    "How old is Lena?": "30: Lena said",
    "How old is Raj's boss?": "Fifty-two: Raj said",
    "How old is the dog?": "4: Ben said",
    "How many children has Mia?": "2 (kids): Mia said “My two kids",
    "How many kids does Mia have?": "2: Mia said",
    "How many children does Lena have?": "1 (son) and 2 (daughters): Lena said",
    "How many daughters does Lena have?": "2: Lena said",
    "How many lamps did Raj buy?": "3: Raj said",
    "What is the restaurant called?": "Luna: Anna said",
    "What is our room number?": "214: Raj said",
    "What is the dog's name?": "Rex: Ben said",
}
NOT_GIVEN = (
    "What colour is the kitchen wall?",
    "What color is the lamp?",
    "What is the colour of the desk?",
    "What is the mug made of?",
    "How much did the mug cost?",
    "How much did Raj get for his lamps?",
    "What is the price of the car?",
    "How tall is Raj?",
    "How old is Raj?",
    "How old is Anna?",
    "How old is Anna's car?",
    "How many children does Raj have?",
    "How many children does Tom have?",
    "How many lamps did Tom buy?",
    "What is the name of the hotel?",
)


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("talk") / "memory"
    with Memory.open(folder, write=True, create=True, encoder=SentenceEncoder()) as memory:
        write_talk(memory, "2023-05-08", TALK)
        write_talk(memory, "2023-05-09", CAPTIONS, kind="caption")
    return folder


@pytest.mark.parametrize("question", GIVEN)
def test_a_line_that_gives_the_value_answers(talk: Path, question: str) -> None:
    found = answer(talk, question)
    assert found.answerable, found.text
    assert found.text.startswith(GIVEN[question])


@pytest.mark.parametrize("question", NOT_GIVEN)
def test_a_line_about_the_thing_gives_no_value(talk: Path, question: str) -> None:
    found = answer(talk, question)
    assert not found.answerable, found.text
    assert found.text.startswith("Not in memory: nothing says ")


def test_what_is_known_of_the_thing_is_told_as_what_it_is(talk: Path) -> None:
    assert "the nearest said is “I painted the kitchen wall.” (Ben, at " in answer(talk, NOT_GIVEN[0]).text
