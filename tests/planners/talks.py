"""Memories of what people said on some days."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from planners import ask
from planners.reasoners.extractive import ExtractiveReasoner
from streammem.memory import Memory
from streammem.settings import PlannerSettings
from streammem.types import NS_PER_S, Answer, Event, EventBundle, Level, Observation, Recording, event_id_for, stable_id
from tests.planners.conftest import SentenceEncoder


def at_ns(day: str, hour: int = 14) -> int:
    year, month, number = (int(part) for part in day.split("-"))
    return round(datetime(year, month, number, hour, tzinfo=UTC).timestamp()) * NS_PER_S


def write_talk(
    memory: Memory, day: str, lines: tuple[tuple[str, str], ...], *, kind: Literal["speech", "caption"] = "speech"
) -> None:
    """A line every ten seconds from 14:00 on, of (speaker, text)."""
    start_ns, step_ns = at_ns(day), 10 * NS_PER_S
    memory.put_recording(
        Recording(
            recording=day, uri=day, fingerprint=day, status="complete", t_start_ns=start_ns,
            t_end_ns=start_ns + len(lines) * step_ns, models={"text": SentenceEncoder().text_model},
        )
    )  # fmt: skip
    for number, (speaker, text) in enumerate(lines):
        at = start_ns + number * step_ns
        event_id = event_id_for(day, Level.EVENT, at)
        event = Event(
            event_id=event_id, recording=day, level=Level.EVENT, t_start_ns=at, t_end_ns=at + step_ns, strength=0.5,
            parent_id=None,
            text=f"{speaker}: {text}", kinds=(kind,),
        )  # fmt: skip
        said = Observation(
            observation_id=stable_id(event_id, kind), event_id=event_id, recording=day, kind=kind,
            t_start_ns=at, t_end_ns=at + step_ns // 2, text=text, source="test", speaker=speaker or None,
        )  # fmt: skip
        memory.write(EventBundle(event=event, observations=(said,)))


def answer(folder: Path, question: str) -> Answer:
    with Memory.open(folder, encoder=SentenceEncoder()) as memory:
        return ask(memory, question, settings=PlannerSettings(), reasoner=ExtractiveReasoner())
