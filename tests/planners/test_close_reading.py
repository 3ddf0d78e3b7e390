"""Options that words alone choose wrong and a cross-encoder chooses right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from planners import ask
from planners.reasoners.close_reading import close_reading
from planners.reasoners.extractive import ExtractiveReasoner
from planners.reasoners.options import read_options
from planners.reasoners.scenes import Scenes
from streammem.errors import MissingDependencyError
from streammem.memory import Memory
from streammem.protocols import Reranker
from streammem.settings import ModelSettings, PlannerSettings
from streammem.types import Answer
from tests.planners.conftest import SentenceEncoder
from tests.planners.talks import write_talk

VASE = (
    ("Anna", "The vase is on the shelf, Bob put it there"),
    ("Bob", "I like that vase"),
    ("Bob", "The vase came from Rome"),
    ("Cleo", "Oh no, I knocked the vase over and it is in pieces"),
    ("Bob", "Poor vase, I loved the vase"),
    ("Anna", "Bob, do not cry about the vase"),
)
PARTY = (
    ("Anna", "How did you get to the party?"),
    ("Bob", "The train was cancelled and the train after it too, so a taxi it was"),
    ("Cleo", "I hate that train"),
    ("Anna", "The party was great, trains or not"),
)


class Counting:
    """A reranker that counts what it is asked."""

    def __init__(self, inner: Reranker) -> None:
        self._inner = inner
        self.pairs = 0

    def relevance(self, query: str, passages: Sequence[str]) -> npt.NDArray[np.float32]:
        self.pairs += len(passages)
        return self._inner.relevance(query, passages)


@pytest.fixture(scope="module")
def reranker() -> Reranker:
    from perception.models.cross_encoder import load

    try:
        return load(ModelSettings(name="ms-marco-minilm-l12"))
    except MissingDependencyError as error:
        pytest.skip(str(error))


def chosen(
    folder: Path,
    encoder: SentenceEncoder,
    lines: tuple[tuple[str, str], ...],
    question: str,
    choices: tuple[str, ...],
    *,
    reranker: Reranker | None,
) -> Answer:
    with Memory.open(folder / "memory", encoder=encoder, write=True, create=True) as memory:
        if not memory.recordings():
            write_talk(memory, "2026-05-04", lines)
        return ask(
            memory,
            question,
            choices=choices,
            settings=PlannerSettings(),
            reasoner=ExtractiveReasoner(),
            reranker=reranker,
        )


@pytest.mark.parametrize(
    ("lines", "question", "choices", "right", "by_words"),
    [
        (VASE, "Who broke the vase?", ("Anna", "Bob", "Cleo"), 2, 0),
        (PARTY, "How did Bob get to the party?", ("by train", "by taxi", "on foot"), 1, 0),
    ],
)
def test_what_is_said_counts_more_than_who_is_named_most(
    tmp_path: Path,
    encoder: SentenceEncoder,
    reranker: Reranker,
    lines: tuple[tuple[str, str], ...],
    question: str,
    choices: tuple[str, ...],
    right: int,
    by_words: int,
) -> None:
    assert chosen(tmp_path, encoder, lines, question, choices, reranker=None).choice == by_words
    found = chosen(tmp_path, encoder, lines, question, choices, reranker=reranker)
    assert found.choice == right
    assert found.evidence


def test_only_options_are_read_closely_and_times_are_not(
    tmp_path: Path, encoder: SentenceEncoder, reranker: Reranker
) -> None:
    counting = Counting(reranker)
    times = ("at 2 pm", "at 5 pm", "at 9 pm")
    assert chosen(tmp_path, encoder, VASE, "When did the vase break?", times, reranker=counting).choice == 0
    assert counting.pairs == 0
    chosen(tmp_path, encoder, VASE, "Who broke the vase?", (), reranker=counting)
    assert counting.pairs == 0
    chosen(tmp_path, encoder, VASE, "Who broke the vase?", ("Bob", "Cleo"), reranker=counting)
    assert 0 < counting.pairs <= 24 + 2 * 8 + 2 * (12 + 12)


def test_nothing_to_read_says_nothing(reranker: Reranker) -> None:
    nothing = Scenes(scenes=(), chances=np.zeros(0))
    found = close_reading("Who?", read_options(("Anna", "Bob")), nothing, ((), ()), reranker)
    assert found.tolist() == [0.0, 0.0]
