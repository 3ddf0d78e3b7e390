"""Looking again finds, in the sample clip, what the question asks for, and says where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from perception.look_again import SecondLook
from perception.models.registry import load_models
from perception.pipeline import Pipeline
from perception.sources import open_source
from streammem.memory import Memory
from streammem.settings import load_settings
from streammem.types import Recording

SAMPLE = Path(__file__).parents[2] / "demos" / "sample" / "street_talk.mp4"
TRUTH = json.loads(SAMPLE.with_suffix(".json").read_text())
SETTINGS = load_settings()
MODELS = load_models(SETTINGS.models)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """Events of the sample, ingested without detector, reader and recogniser: there is everything to find."""
    blind = SETTINGS.models.model_copy(update=dict.fromkeys(("detector", "ocr", "speech", "image"), None))
    path = tmp_path_factory.mktemp("memory")
    with (
        Memory.open(path, write=True, create=True) as opened,
        open_source(SAMPLE, settings=SETTINGS.source) as source,
    ):
        Pipeline(SETTINGS.model_copy(update={"models": blind}), load_models(blind), opened).run(source)
        yield opened


def look(memory: Memory, question: str, start_s: float, end_s: float) -> list[tuple[str, str | None, str]]:
    found = SecondLook(MODELS, memory).look(
        recording="street_talk",
        t_start_ns=round(start_s * 1e9),
        t_end_ns=round(end_s * 1e9),
        question=question,
        deadline_s=60.0,
    )
    events = {event.event_id: event for event in memory.events()}
    for one in found:
        assert start_s * 1e9 <= one.t_start_ns <= end_s * 1e9
        assert events[one.event_id].t_start_ns <= one.t_start_ns < events[one.event_id].t_end_ns
        assert one.vector is not None
    return [(one.kind, one.label, one.text) for one in found]


def test_it_reads_what_stands_in_view(memory: Memory) -> None:
    found = look(memory, "What is written on the card?", 0.5, 2.5)
    card = TRUTH["shots"][0]["written"][0]
    assert any(kind == "text_in_view" and card.split()[-1] in text.upper() for kind, _, text in found)


def test_it_finds_people_when_they_are_asked_for_and_hears_what_was_not_heard(memory: Memory) -> None:
    speech = TRUTH["speech"][0]
    found = look(memory, "How many people walk there?", speech["start_s"] - 0.5, speech["end_s"] + 0.5)
    assert sum(label == "person" for _, label, _ in found) >= 2
    assert any(kind == "speech" and "young man" in text for kind, _, text in found)


def test_a_missing_source_is_no_error(memory: Memory) -> None:
    known = memory.recording("street_talk")
    assert known is not None
    gone = Recording(
        recording="gone",
        uri="/nowhere/gone.mp4",
        fingerprint="x",
        t_start_ns=0,
        t_end_ns=10**9,
        status="complete",
        has_video=True,
        models=known.models,
    )
    memory.put_recording(gone)
    looked = SecondLook(MODELS, memory).look(
        recording="gone", t_start_ns=0, t_end_ns=10**9, question="who?", deadline_s=5.0
    )
    assert looked == ()
