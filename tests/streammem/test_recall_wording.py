"""What a question says is told from its asking, and lines are compared with both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from streammem.memory import Memory
from streammem.recall.wording import statement
from streammem.types import NS_PER_S, Event, EventBundle, Level, Observation, Query, event_id_for, stable_id
from tests.bundles import WordEncoder

ASKED, SAID = "Who opened the umbrella?", "opened the umbrella"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ASKED, SAID),
        ("When was the last time Alice made this puppy?", "Alice made this puppy"),
        ("Who did I usually sit with?", "I sit with"),
        ("In which room was the mug yesterday?", "room was the mug"),
        ("The last time I went upstairs, what did I do?", "I went upstairs, what did I do"),
        ("Who?", "Who?"),
        ("a red car", "a red car"),
        ("", ""),
        ("whoever whispers", "whoever whispers"),
    ],
)
def test_what_a_question_says(text: str, said: str) -> None:
    assert statement(text) == said


class _Two(WordEncoder):
    """The question and what it says point to different sides."""

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors = np.zeros((len(texts), 8), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            row[0 if text.startswith("Who") else 1] = 1.0
        return vectors


@pytest.mark.parametrize("choices", [(), ("Ann", "Ben")])
def test_a_line_between_the_question_and_what_it_says_is_nearest(tmp_path: Path, choices: tuple[str, ...]) -> None:
    between = np.array([1, 1, 0, 0, 0, 0, 0, 0], dtype=np.float32) / np.sqrt(2)
    sides = {"like the question": np.eye(8)[0], "between": between, "like what it says": np.eye(8)[1]}
    with Memory.open(tmp_path, write=True, create=True, encoder=_Two()) as memory:
        for number, (text, vector) in enumerate(sides.items()):
            start = number * 3600 * NS_PER_S
            event_id = event_id_for("day", Level.EVENT, start)
            span = {"recording": "day", "t_start_ns": start, "t_end_ns": start + 30 * NS_PER_S}
            line = Observation(
                observation_id=stable_id(event_id), event_id=event_id, kind="speech", text=text,
                vector=vector.astype(np.float32), **span,
            )  # fmt: skip
            event = Event(event_id=event_id, level=Level.EVENT, strength=0.5, parent_id=None, text="nothing", **span)
            memory.write(EventBundle(event=event, observations=(line,)))
        first, *others = memory.recall(Query(text=ASKED, choices=choices, passage_s=30.0, k=3))
    assert first.text == "between"
    assert first.similarity == pytest.approx(1.0, abs=1e-3)
    assert all(other.score < first.score for other in others)
