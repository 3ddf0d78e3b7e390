"""What was planned, wished or denied has not happened before anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from streammem.memory import Memory
from tests.planners.conftest import SentenceEncoder
from tests.planners.talks import answer, write_talk

TALK = (
    ("Ben", "I will go to Rome next week."),
    ("Ben", "I met Cleo at the station."),
    ("Cleo", "I sold my bike."),
    ("Cleo", "I am planning to buy a car."),
    ("Ben", "I painted the fence."),
    ("Ben", "I want to visit the museum."),
    ("Cleo", "I visited the museum with Ben."),
    ("Anna", "I didn't clean the attic."),
    ("Anna", "I washed the curtains."),
    ("Anna", "Did you repair the roof?"),
    ("Ben", "I repaired the roof."),
    ("Ben", "I'd love to learn Greek."),
)
ROME = "“go to Rome” is only planned or supposed: Ben said “I will go to Rome next week.”"


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("talk") / "memory"
    with Memory.open(folder, write=True, create=True, encoder=SentenceEncoder()) as memory:
        write_talk(memory, "2023-05-08", TALK)
        write_talk(
            memory, "2023-05-09", (("Mia", "I ran a marathon in March."), ("Mia", "I moved to Oslo last month."))
        )
        captions = (("", "Mia opens the box."), ("", "Mia cuts the ribbon."))
        write_talk(memory, "2023-05-10", captions, kind="caption")
    return folder


@pytest.mark.parametrize(
    ("question", "begins", "says"),
    [
        ("What did Ben do first, go to Rome or meet Cleo?", "“meet Cleo” is the only one that is told to have", ROME),
        ("Which came first, going to Rome or meeting Cleo?", "“meeting Cleo” is the only one", "only planned"),
        ("Did Ben go to Rome before he met Cleo?", "No: ", "“Ben go to Rome” is only planned or supposed"),
        ("Did Ben meet Cleo before he went to Rome?", "Yes: ", "“he went to Rome” is only planned or supposed"),
        ("Did Ben go to Rome before or after he met Cleo?", "After, if at all: ", "only planned"),
        ("Did Cleo sell her bike before or after she bought a car?", "Before: ", "only planned"),
        ("Did Cleo buy a car after she sold her bike?", "No: ", "“Cleo buy a car” is only planned"),
        (
            "Which happened first, Ben painted the fence or Ben visited the museum?",
            "“Ben painted the fence” is",
            "want",
        ),
        ("Did Anna clean the attic before she washed the curtains?", "No: ", "is told not to have happened"),
        ("Did Ben go to Rome before he learned Greek?", "None of them is told to have happened: ", "love to learn"),
        (
            "In what order did Ben meet Cleo, Ben go to Rome, and Ben paint the fence?",
            "In this order: “Ben meet",
            "only",
        ),
        ("Did Ben paint the fence before Cleo visited the museum?", "Yes: ", "“Ben paint the fence” told at"),
        ("Did Ben repair the roof before he painted the fence?", "No: ", "told at"),
        ("Did Mia move to Oslo before she ran a marathon?", "No: ", "in March 2023 (told at"),
        ("Did Mia open the box before she cut the ribbon?", "Yes: ", "“Mia open the box” at 2023-05-10"),
    ],
)
def test_of_a_plan_and_a_happening_only_one_has_happened(talk: Path, question: str, begins: str, says: str) -> None:
    found = answer(talk, question)
    assert found.answerable
    assert found.text.startswith(begins), found.text
    assert says in found.text
    assert len(found.evidence) >= 2


def test_what_is_only_known_to_be_told_is_less_sure(talk: Path) -> None:
    seen = answer(talk, "Did Mia open the box before she cut the ribbon?")
    assert answer(talk, "Did Ben paint the fence before Cleo visited the museum?").confidence < seen.confidence
