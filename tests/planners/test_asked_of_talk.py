"""What is asked of a talk and is easily answered wrongly: orders, dates that are none, who is whose, who did not."""

from __future__ import annotations

from pathlib import Path

import pytest

from streammem.memory import Memory
from tests.planners.conftest import SentenceEncoder
from tests.planners.talks import answer, write_talk


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("talk") / "memory"
    with Memory.open(folder, write=True, create=True, encoder=SentenceEncoder()) as memory:
        for day, lines in {
            "2023-05-08": (
                ("Lucia", "I walked past the market with vases and a lamp."),
                ("Katrina", "Lovely morning, everybody."),
                ("Katrina", "I bought two vases and a lamp at the market."),
                ("Ben", "Cleo is my sister."),
                ("Ben", "I told Cleo about the market."),
            ),
            "2023-05-09": (
                ("Katrina", "I downloaded TikTok last night."),
                ("Lucia", "I adopted a dog called Rex."),
                ("Katrina", "I did not adopt a dog."),
                ("Lucia", "I put the box on the bed."),
                ("Lucia", "Then I went downstairs."),
                ("Lucia", "My brother Tom is tall."),
            ),
        }.items():
            write_talk(memory, day, lines)
    return folder


def test_what_came_before_is_not_told_as_what_came_after(talk: Path) -> None:
    assert ", then Lucia" not in answer(talk, "What colour were the vases Katrina bought?").text


@pytest.mark.parametrize("date", ["30 February 2023", "2023-02-30"])
def test_there_is_no_such_date(talk: Path, date: str) -> None:
    found = answer(talk, f"What did Katrina say on {date}?")
    assert not found.answerable
    assert found.text == f"There is no such date as {date}."


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("Did Lucia go downstairs before or after she put the box on the bed?", "After: "),
        ("Did Lucia put the box on the bed before or after she went downstairs?", "Before: "),
        ("Which app was mentioned, Xiaohongshu or TikTok?", "TikTok: Katrina said"),
        ("Who adopted a dog, Katrina or Lucia?", "Lucia: Lucia said “I adopted a dog called Rex.”"),
        ("What did Katrina buy, a piano or two vases?", "two vases: Katrina said"),
        ("Who adopted a cat, Katrina or Lucia?", None),
        ("Who is Ben's sister?", "Cleo: Ben said “Cleo is my sister.”"),
        ("What is Lucia's brother called?", "Tom: Lucia said"),
        ("Who is Ben's brother?", None),
        ("Who is Katrina's sister?", None),
        ("Who spoke the most?", "Lucia: lines by speaker are Lucia 5, Katrina 4, Ben 2."),
        ("Who talked the least?", "Ben: lines by speaker are Ben 2,"),
        ("Who spoke the most on 8 May 2023?", "Ben and Katrina: lines by speaker are"),
        ("Who did not speak?", "Nobody whose voice is known: "),
        ("Who did not speak on 9 May 2023?", "Ben: heard at other times, but not then; "),
        ("Who spoke on 9 May 2023?", "Speaking: Katrina, Lucia."),
        ("Who did not adopt a dog?", "Katrina: Katrina said “I did not adopt a dog.”"),
        ("Who did not buy a lamp?", None),
        ("Who did not mention TikTok?", "Lucia, Ben: only Katrina did."),
        ("Who did not mention the market?", "Nobody: all who speak did ("),
        ("Who didn't talk about the market?", "Nobody: all who speak did ("),
        ("Who never mentioned a helicopter?", "Nobody spoke of “a helicopter”: not Lucia, not Katrina, not Ben."),
        ("Who did not talk about sailing?", "Nobody spoke of “sailing”: not "),
        ("Who did not speak about his sister?", "Lucia, Katrina: only Ben did."),
        ("What was the first thing Katrina said?", "Katrina said “Lovely morning, everybody.”"),
        ("What is the last thing that Lucia said?", "Lucia said “My brother Tom is tall.”"),
    ],
)
def test_questions_of_a_form_of_their_own(talk: Path, question: str, says: str | None) -> None:
    found = answer(talk, question)
    assert found.answerable == (says is not None), found.text
    assert says is None or found.text.startswith(says)
