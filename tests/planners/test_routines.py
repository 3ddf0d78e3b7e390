"""What somebody usually does is answered from the habits that were learned, with the lines that show them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from planners import ask
from planners.reasoners.extractive import ExtractiveReasoner
from streammem.memory import Memory
from streammem.settings import PlannerSettings
from tests.planners.conftest import SentenceEncoder
from tests.planners.test_current_facts import write_lines

DAY_S = 86_400
DEEDS = ((8.0, "Anna drank coffee."), (18.5, "Anna walked the dog."), (12.5, "Paul fed the cat."))


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Iterator[Memory]:
    lines = sorted((round(day * DAY_S + hour * 3600), "", text) for day in range(5) for hour, text in DEEDS)
    with Memory.open(tmp_path_factory.mktemp("week"), write=True, create=True, encoder=encoder) as memory:
        write_lines(memory, tuple(lines), kind="caption")
        memory.flush()
        yield memory


@pytest.mark.parametrize(
    ("question", "says", "never"),
    [
        ("What does Anna usually do?", ("drink coffee in the morning (5 of 5 days)", "walk dog"), ("feed cat",)),
        ("What does Anna usually do in the morning?", ("drink coffee",), ("walk dog",)),
        ("What does Anna do every morning?", ("drink coffee",), ("walk dog",)),
        ("What does Anna do every evening?", ("walk dog",), ("coffee",)),
        ("What are Anna's habits?", ("drink coffee", "walk dog"), ("feed cat",)),
    ],
)
def test_habits_are_listed(week: Memory, question: str, says: tuple[str, ...], never: tuple[str, ...]) -> None:
    answer = ask(week, question, settings=PlannerSettings(), reasoner=ExtractiveReasoner())
    assert all(words in answer.text for words in says), answer.text
    assert not any(words in answer.text for words in never), answer.text
    assert answer.evidence
    assert all("Anna" in one.text for one in answer.evidence)


def test_a_habit_is_told_as_it_was_known_then(week: Memory) -> None:
    second_day_ns = (DAY_S + DAY_S // 2) * 1_000_000_000
    answer = ask(
        week, "What does Anna usually do?", as_of_ns=second_day_ns, settings=PlannerSettings(),
        reasoner=ExtractiveReasoner(),
    )  # fmt: skip
    assert "of 5 days" not in answer.text
    assert all(one.t_start_ns < second_day_ns for one in answer.evidence)
