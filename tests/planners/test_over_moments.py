"""Questions over several moments, in wordings that were written before they were first asked: states, counts, orders,
links, places and habits of one household's five days. Every answer must cite every moment that it rests on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from planners import ask
from planners.aggregates import read_aggregate
from planners.happenings import is_told
from planners.reasoners.extractive import ExtractiveReasoner
from streammem.memory import Memory
from streammem.settings import PlannerSettings
from streammem.types import Answer, ObservationKind
from tests.planners.conftest import Script, SentenceEncoder

Told = tuple[float, float, ObservationKind, str, str | None]


def _line(day: int, clock: str, text: str, speaker: str | None = None) -> Told:
    hours, minutes = clock.split(":")
    start = (day - 1) * 86_400 + int(hours) * 3600 + int(minutes) * 60
    return (start, start + 2, "speech" if speaker else "caption", text, speaker)


HOUSE = Script(
    recording="house",
    length_s=5 * 86_400.0,
    event_s=600.0,
    lines=[
        _line(1, "08:05", "I'm brushing the dog on the terrace."),
        _line(1, "08:40", "Marta carried the ladder into the barn and leaned it against the wall."),
        _line(1, "09:10", "We have 12 candles at the moment.", "Marta"),
        _line(1, "12:10", "Olaf is playing the flute in the library."),
        _line(1, "15:00", "Olaf dropped the blue teapot and it broke."),
        _line(1, "16:00", "I wrote vinegar on the shopping list."),
        _line(1, "18:30", "Maybe I'll brush the dog later.", "Marta"),
        _line(1, "19:00", "Greta handed the car key to Olaf."),
        _line(2, "08:15", "I brushed the dog on the terrace."),
        _line(2, "09:00", "Olaf put the ladder in the attic."),
        _line(2, "10:00", "Marta used three of the candles."),
        _line(2, "12:20", "Olaf sat down in the library and played the flute for a while."),
        _line(2, "13:00", "Greta burned the soup."),
        _line(2, "14:00", "Greta went to the bakery."),
        _line(2, "16:30", "I added raisins to the shopping list."),
        _line(2, "20:00", "Did you brush the dog?", "Greta"),
        _line(3, "08:10", "Marta is brushing the dog."),
        _line(3, "11:00", "I crossed vinegar off the shopping list."),
        _line(3, "12:05", "In the library, Olaf is playing the flute."),
        _line(3, "13:00", "Greta came back with six candles and put them away."),
        _line(3, "15:00", "Marta found a coin under the carpet."),
        _line(3, "17:00", "The ladder might be in the barn, but I'm not sure.", "Greta"),
        _line(3, "18:00", "Greta is walking over to the bakery."),
        _line(4, "08:20", "I just brushed the dog."),
        _line(4, "10:00", "Greta glued the blue teapot back together."),
        _line(4, "12:15", "Olaf played the flute in the garden."),
        _line(4, "13:30", "I took the car key from Olaf."),
        _line(4, "14:00", "I carried the ladder over to the cellar and left it there."),
        _line(4, "15:00", "Olaf won the raffle."),
        _line(4, "17:00", "I used two candles."),
        _line(5, "09:00", "Greta went to the bakery."),
        _line(5, "10:00", "I looked at the ladder."),
        _line(5, "11:00", "We should put the ladder in the barn.", "Olaf"),
        *(_line(day, f"{hour}:{minute:02d}", text) for day in range(1, 6) for hour, minute, text in (
            (7, 30, "I walk into the kitchen."), (11, 30, "I check the clock."), (14, 30, "We are all laughing."),
            (19, 30, "I wipe the table."), (21, 0, "I scroll through the news."))),
    ],
)  # fmt: skip

PLACES = ("In the barn", "In the attic", "In the cellar", "In the library")
PEOPLE = ("Marta", "Olaf", "Greta", "Me")
PARTS = ("In the early morning", "Around noon", "In the afternoon", "In the late evening")
RARE = ("Greta's burning the soup", "Marta's finding a coin", "Olaf's winning the raffle", "Olaf's breaking the teapot")

# question, options, the right one, how many moments must at least be cited
CHOSEN: tuple[tuple[str, tuple[str, ...], str, int], ...] = (
    ("Where is the ladder now?", PLACES, "In the cellar", 1),
    ("Where is the ladder at the moment?", PLACES, "In the cellar", 1),
    ("Where's the ladder currently?", PLACES, "In the cellar", 1),
    ("Where did the ladder end up?", PLACES, "In the cellar", 1),
    ("Where was the ladder before it was brought to where it is now?", PLACES, "In the attic", 2),
    ("Where was the ladder previously?", PLACES, "In the attic", 2),
    ("In how many different places has the ladder been?", ("1", "2", "3", "5"), "3", 3),
    ("Who has the car key now?", PEOPLE, "Me", 1),
    ("Who currently holds the car key?", PEOPLE, "Me", 1),
    ("Who had the car key before it got to whoever has it now?", PEOPLE, "Olaf", 2),
    ("How many candles are left?", ("9", "11", "13", "15"), "13", 4),
    ("How many candles do we still have?", ("9", "11", "13", "15"), "13", 4),
    ("How many candles remain?", ("9", "11", "13", "15"), "13", 4),
    ("Which of these is still on the shopping list?", ("vinegar", "raisins"), "raisins", 1),
    ("What was crossed off the shopping list?", ("vinegar", "raisins"), "vinegar", 1),
    ("How many times have I brushed the dog?", ("1", "2", "3", "5"), "3", 3),
    ("How often did I brush the dog?", ("1", "2", "3", "5"), "3", 3),
    ("How often did I brush the dog since day 2?", ("0", "1", "2", "4"), "2", 2),
    ("How many times was the ladder moved?", ("1", "2", "3", "5"), "3", 3),
    ("How many times has Greta been to the bakery?", ("1", "3", "4", "6"), "3", 3),
    ("How often has Greta gone to the bakery up to day 3?", ("0", "1", "3", "5"), "1", 1),
    ("How many times did Greta go to the bakery after day 2?", ("0", "1", "2", "5"), "2", 2),
    ("Who usually brushes the dog?", PEOPLE, "Me", 4),
    ("Who brushes the dog most of the time?", PEOPLE, "Me", 4),
    ("Where does Olaf usually play the flute?", ("In the garden", *PLACES), "In the library", 4),
    ("Which room is Olaf's favourite place to play the flute?", ("The garden", "The library"), "The library", 4),
    ("Where does Olaf mostly play the flute?", ("In the garden", *PLACES), "In the library", 4),
    ("What place does Olaf prefer for playing the flute?", ("The garden", "The library"), "The library", 4),
    ("When does Olaf normally play the flute?", PARTS, "Around noon", 4),
    ("At which time of day do I generally brush the dog?", PARTS, "In the early morning", 3),
    ("At what part of the day does Olaf tend to play the flute?", PARTS, "Around noon", 4),
    ("Which of these happened first?", RARE, "Olaf's breaking the teapot", 4),
    ("Which of the following took place last?", RARE, "Olaf's winning the raffle", 4),
    ("Which of these came first?", RARE[:3], "Greta's burning the soup", 3),
    ("What happened between Olaf's breaking the teapot and Marta's finding a coin?", RARE[::2],
     "Greta's burning the soup", 3),
    ("In what order did these happen?",
     ("burning the soup → finding a coin → winning the raffle",
      "finding a coin → burning the soup → winning the raffle"),
     "burning the soup → finding a coin → winning the raffle", 3),
    ("What is the right order?",
     ("winning the raffle; burning the soup", "burning the soup; winning the raffle"),
     "burning the soup; winning the raffle", 2),
    ("Who mended what Olaf dropped on day 1?", PEOPLE, "Greta", 2),
    ("Who glued the thing back together that Olaf broke?", PEOPLE, "Greta", 1),
)  # fmt: skip

# question, words of the answer
TOLD: tuple[tuple[str, str], ...] = (
    ("Where is the ladder now?", "cellar"),
    ("Who has the car key now?", "wearer"),
    ("How many candles are left?", "13"),
    ("How often did I brush the dog?", "3 times"),
    ("How many times has Greta been to the bakery?", "3 times"),
    ("Where does Olaf usually play the flute?", "library"),
    ("When does Olaf usually play the flute?", "noon"),
    ("Who usually brushes the dog?", "wearer"),
)
FLOOR = 37
"""Of 39; 38 when first asked."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Iterator[Memory]:
    folder = tmp_path_factory.mktemp("house")
    with Memory.open(folder, write=True, create=True, encoder=encoder) as memory:
        HOUSE.write(memory, encoder)
    with Memory.open(folder, encoder=encoder) as memory:
        yield memory


def _asked(memory: Memory, question: str, choices: tuple[str, ...] = ()) -> Answer:
    return ask(memory, question, choices=choices, settings=PlannerSettings(), reasoner=ExtractiveReasoner())


def test_paraphrases_with_options(house: Memory) -> None:
    wrong: list[str] = []
    for question, choices, right, cited in CHOSEN:
        found = _asked(house, question, choices)
        said = None if found.choice is None else choices[found.choice]
        if said != right or len(found.evidence) < cited:
            wrong.append(f"{question} -> {said} ({len(found.evidence)} cited; {found.text})")
    print(f"{len(CHOSEN) - len(wrong)} of {len(CHOSEN)}", *wrong, sep="\n")
    assert len(CHOSEN) - len(wrong) >= FLOOR, wrong


@pytest.mark.parametrize(("question", "words"), TOLD)
def test_without_options(house: Memory, question: str, words: str) -> None:
    found = _asked(house, question)
    assert found.answerable
    assert words in found.text, found.text


def test_nothing_later_than_the_asking_counts(house: Memory) -> None:
    third_day_ns = 2 * 86_400 * 1_000_000_000
    found = ask(
        house, "Where is the ladder now?", choices=PLACES, as_of_ns=third_day_ns, settings=PlannerSettings(),
        reasoner=ExtractiveReasoner(),
    )  # fmt: skip
    assert found.choice == PLACES.index("In the attic")
    assert all(each.t_end_ns <= third_day_ns for each in found.evidence)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("I put the keys on the shelf.", True),
        ("Anna is watering the plants again.", True),
        ("Shall we put the ladder in the shed?", False),
        ("Maybe I'll water the plants later.", False),
        ("If it rains, the ladder must come inside.", False),
        ("I haven't fed the cat.", False),
        ("I was at the market last week.", False),
    ],
)
def test_what_did_not_happen_is_not_told(text: str, *, told: bool) -> None:
    assert is_told(text) is told


@pytest.mark.parametrize(
    "question",
    ["What did we discuss the last time we took the lift?", "Who is at the door?", "Where did I put my keys?",
     "What happened the last time I was at the pier?"],
)  # fmt: skip
def test_questions_about_one_moment_are_none(question: str) -> None:
    assert read_aggregate(question) is None
