"""The main job on the evaluation recordings: what was said is found by paraphrase, shots are events, and so on.

Needs the evaluation data folder; `tests/streammem/test_app_ingest.py` claims the same of the shipped sample.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streammem import ask, ingest
from streammem.app.api import open_memory
from streammem.types import Level, Query

Street = tuple[Path, dict[str, Any]]

PARAPHRASES = [
    (0, "Who had time to consider how much he could do for them?"),
    (1, "What is said about a man who was not bad?"),
    (2, "When does somebody talk about being cold-hearted and selfish?"),
    (3, "What would have happened if he had married a nicer woman?"),
    (4, "When is it said that he himself might have become lovable?"),
]
"""Index of the spoken sentence, and a question that does not quote it."""


def ingested(folder: Path, video: Path) -> Path:
    done = ingest(video, memory=folder / "memory")
    assert [report.status for report in done.recordings] == ["complete"]
    return folder / "memory"


@pytest.fixture(scope="module")
def street(evaluation_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Street:
    truth = json.loads((evaluation_data / "media" / "street_talk.json").read_text())
    return ingested(tmp_path_factory.mktemp("street"), evaluation_data / "media" / "street_talk.mp4"), truth


@pytest.fixture(scope="module")
def trailer(evaluation_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ingested(tmp_path_factory.mktemp("trailer"), evaluation_data / "media" / "trailer_bbb.mp4")


@pytest.mark.parametrize(("sentence", "question"), PARAPHRASES)
def test_each_sentence_is_found_by_paraphrase(street: Street, sentence: int, question: str) -> None:
    memory, truth = street
    said_at_s = truth["speech"][sentence]["start_s"]
    answer = ask(question, memory=memory)
    assert answer.answerable
    best = answer.evidence[0]
    assert best.modality == "speech"
    assert best.t_start_ns / 1e9 - 2 <= said_at_s + 1 <= best.t_end_ns / 1e9 + 2


def test_people_are_seen_and_roughly_counted(street: Street) -> None:
    memory, _ = street
    answer = ask("How many people are there?", memory=memory)
    assert answer.answerable
    numbers = [int(word) for word in answer.text.replace(",", " ").split() if word.isdigit()]
    # Counted by eye: some thirty walkers pass, up to nine at once.
    assert 15 <= numbers[0] <= 45
    assert any(4 <= number <= 12 for number in numbers[1:])


@pytest.mark.parametrize(
    "question", ["When did a dog appear?", "Where is the giraffe?", "What colour is the submarine?"]
)
def test_what_was_never_there_is_not_in_memory(street: Street, question: str) -> None:
    answer = ask(question, memory=street[0])
    assert not answer.answerable
    assert answer.evidence == ()
    assert "not in memory" in answer.text.lower()


def test_a_static_street_gives_neither_one_event_nor_one_per_second(street: Street) -> None:
    with open_memory(street[0]) as memory:
        events = memory.events()
    assert 4 <= len(events) <= 16
    assert all(event.t_end_ns - event.t_start_ns <= 30 * 10**9 for event in events)


CUTS_S = (10.0, 14.08, 24.71, 32.0, 36.0, 37.5, 41.17, 43.71)
"""Shot changes of the trailer by an independent detector on every frame (PySceneDetect 0.7, content mode), checked by
eye; the end card at 51.8 s fades in and is no cut."""


def test_shots_are_events(trailer: Path) -> None:
    with open_memory(trailer) as memory:
        starts_s = [event.t_start_ns / 1e9 for event in memory.events(level=Level.EVENT)]
    for cut_s in CUTS_S:
        assert min(abs(start_s - cut_s) for start_s in starts_s) <= 0.5, f"the cut at {cut_s} s was missed"
    assert len(starts_s) <= 2 * len(CUTS_S)


VISIBLE = [
    ("a bird on a branch", [(10.0, 14.1)]),
    ("a meadow", [(7.0, 10.0), (35.9, 37.7), (41.1, 43.8)]),
    ("trees", [(1.5, 10.0), (24.7, 32.0), (35.9, 47.3)]),
    ("a tree trunk", [(10.0, 14.1), (32.0, 47.3)]),
]
"""What can be seen in the trailer, and when (by eye)."""


@pytest.mark.parametrize(("query", "seen_s"), VISIBLE)
def test_free_text_finds_a_right_picture_first(trailer: Path, query: str, seen_s: list[tuple[float, float]]) -> None:
    with open_memory(trailer) as memory:
        best = memory.recall(Query(text=query, modalities=("visual",), k=1))[0]
        shown = memory.keyframes(keyframe_ids=[best.keyframe_id or ""])[0].t_ns / 1e9
    assert any(start_s <= shown <= end_s for start_s, end_s in seen_s)
