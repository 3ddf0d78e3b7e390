"""The examples in the docstrings of the public names run, and the sample clip is remembered as it is described."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import Any

import pytest

from streammem import ask, load_settings, open_memory, search
from streammem.types import Level


@pytest.mark.parametrize(
    "name",
    ["streammem.app.api", "streammem.app.evaluation.evaluate", "streammem.memory", "streammem.settings", "streammem"],
)
def test_docstring_examples(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert failed == 0
    assert tried > 0


def test_every_sentence_of_the_sample_is_found_where_it_was_said(
    sample_memory: Path, sample_truth: dict[str, Any]
) -> None:
    with open_memory(sample_memory) as memory:
        for said in sample_truth["speech"]:
            hit = search(said["text"], memory=memory, k=1)[0]
            assert hit.modality == "speech"
            assert abs(hit.t_start_ns / 1e9 - said["start_s"]) < 2
            assert abs(hit.t_end_ns / 1e9 - said["end_s"]) < 2


def test_the_hard_cuts_of_the_sample_are_event_boundaries(sample_memory: Path, sample_truth: dict[str, Any]) -> None:
    with open_memory(sample_memory) as memory:
        starts = [event.t_start_ns / 1e9 for event in memory.events(level=Level.EVENT)]
    for shot in sample_truth["shots"]:
        assert min(abs(start - shot["start_s"]) for start in starts) <= 0.5, shot
    assert len(starts) <= 4 * len(sample_truth["shots"])


def test_the_demo_questions(sample_memory: Path) -> None:
    said = ask("What was said about being cold hearted?", memory=sample_memory)
    assert "selfish" in said.text
    assert said.evidence[0].t_start_ns / 1e9 == pytest.approx(13.0, abs=1)
    seen = ask("When did a bird appear?", memory=sample_memory)
    assert seen.answerable
    assert any(29 < one.t_start_ns / 1e9 < 34 for one in seen.evidence)


def test_what_is_not_in_the_sample_is_not_answered(sample_memory: Path) -> None:
    settings = load_settings()
    planner = settings.planner.model_copy(update={"look_again": False})  # it would look at all of it, to no avail
    config = settings.model_copy(update={"planner": planner})
    answer = ask("When did an elephant appear?", memory=sample_memory, config=config)
    assert not answer.answerable
    assert answer.evidence == ()
    assert "not in memory" in answer.text.lower()


def test_what_is_written_in_the_sample(sample_memory: Path) -> None:
    answer = ask("What was written at the start?", memory=sample_memory)
    assert "MORNING" in answer.text
