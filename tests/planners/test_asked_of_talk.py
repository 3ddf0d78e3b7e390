"""What is asked of a talk and is easily answered wrongly: orders, dates that are none, who is whose, who did not."""

from __future__ import annotations

from pathlib import Path

import pytest

from streammem.memory import Memory
from tests.planners.conftest import SentenceEncoder
from tests.planners.talks import write_talk
from tests.planners.test_told_times import answer


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
