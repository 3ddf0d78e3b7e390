"""`locomo`: ten long conversations over months, questions with the turns that answer them (Maharana et al., ACL 2024).

PATH is the published `locomo10.json`, a list of `{"sample_id", "conversation": {…}, "qa": […]}`, or a folder with one
file per conversation in which the keys of `conversation` stand beside `qa`:

    {"speaker_a": "Caroline", "session_1_date_time": "1:56 pm on 8 May, 2023",
     "session_1": [{"speaker": "Caroline", "dia_id": "D1:1", "text": "…", "blip_caption": "…"}, …],
     "qa": [{"question": "…", "answer": "…", "evidence": ["D1:3"], "category": 2}, …]}

Categories: 1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop, 5 adversarial, which cannot be answered.

A conversation is one world; a session becomes a recording that starts at its date and time (taken as UTC), a turn one
spoken line of it. Turns take as long as their words would at 2.5 a second, so a span names its turns. A shared picture
is known by its published caption. Evidence is written in several ways (`D8:6; D9:17`, `D:11:26`, `D30:05`); what names
no turn of the conversation is left out, and said.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field

from streammem.app.evaluation.dataset import Dataset, Moment, Question, Source, World
from streammem.app.evaluation.formats.reading import Row, bad, checked, read_json
from streammem.errors import InputError
from streammem.types import NS_PER_S

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
UNANSWERABLE = 5
WORDS_PER_S = 2.5
SHORTEST_S, PAUSE_S = 2.0, 0.5
_SESSION = re.compile(r"^session_(\d+)$")
_TURN = re.compile(r"D:?(\d+):(\d+)")


class Turn(Row):
    """One turn of a session."""

    speaker: Annotated[str, Field(min_length=1)]
    dia_id: Annotated[str, Field(pattern=r"^D\d+:\d+$")]
    text: str
    blip_caption: str | None = None


class QaRow(Row):
    """One question."""

    question: Annotated[str, Field(min_length=1)]
    answer: str | int | float | None = None
    evidence: tuple[str, ...] = ()
    category: Annotated[int, Field(ge=1, le=5)]


def read(path: Path, questions: Path | None) -> Dataset:
    """Raises InputError on the first bad record."""
    if questions is not None:
        raise InputError("'locomo' has its questions inside the conversations; leave out --questions.")
    worlds: dict[str, World] = {}
    found: list[Question] = []
    lost: list[str] = []
    for file, name, conversation, qa in _conversations(path):
        world = worlds[name] = _world(file, name, conversation)
        turns = {turn.name: turn for turn in world.turns}
        for number, value in enumerate(qa, start=1):
            row = checked(value, QaRow, file, f"{name}, question {number}")
            named = [f"D{int(session)}:{int(turn)}" for text in row.evidence for session, turn in _TURN.findall(text)]
            lost += [f"{name} {each}" for each in named if each not in turns]
            if row.answer is None and row.category != UNANSWERABLE:
                raise bad(file, f"{name}, question {number}", "answer", "is missing")
            found.append(
                Question(
                    question_id=f"{name}/{number}",
                    world=name,
                    text=row.question,
                    references=(str(row.answer),) if row.category != UNANSWERABLE else (),
                    is_answerable=row.category != UNANSWERABLE,
                    types=(CATEGORIES[row.category],),
                    evidence=tuple(turns[each] for each in dict.fromkeys(named) if each in turns),
                )
            )
    notes = (f"Evidence that names no turn was left out: {', '.join(lost)}.",) if lost else ()
    return Dataset(format="locomo", path=path, worlds=worlds, questions=tuple(found), unit="turns", notes=notes)


def session_start(text: str) -> datetime:
    """`1:56 pm on 8 May, 2023`, taken as UTC.

    Raises:
        ValueError: written in another way.
    """
    return datetime.strptime(text.strip().upper(), "%I:%M %p ON %d %B, %Y").replace(tzinfo=UTC)


def _conversations(path: Path) -> list[tuple[Path, str, dict[str, Any], list[Any]]]:
    files = [path] if path.is_file() else sorted(path.glob("*.json"))
    if not files:
        raise InputError(f"Folder {str(path)!r} holds no .json file; give locomo10.json or the conversations' folder.")
    conversations: list[tuple[Path, str, dict[str, Any], list[Any]]] = []
    for file in files:
        value = read_json(file)
        samples = cast(list[Any], value) if isinstance(value, list) else [value]
        for number, sample in enumerate(samples, start=1):
            where = f"conversation {number}"
            if not isinstance(sample, dict):
                raise bad(file, where, "conversation", "is not an object")
            fields = cast(dict[str, Any], sample)
            inner = fields.get("conversation", fields)
            qa = fields.get("qa")
            if not isinstance(inner, dict) or not isinstance(qa, list):
                raise bad(file, where, "qa", "must be a list, beside the sessions")
            name = str(fields.get("sample_id", file.stem if len(samples) == 1 else f"{file.stem}-{number}"))
            conversations.append((file, name, cast(dict[str, Any], inner), cast(list[Any], qa)))
    return conversations


def _world(file: Path, name: str, conversation: dict[str, Any]) -> World:
    sources: list[Source] = []
    turns: list[Moment] = []
    sessions = sorted(int(match.group(1)) for key in conversation if (match := _SESSION.match(key)) is not None)
    for number in sessions:
        key = f"session_{number}"
        rows = conversation[key]
        if not isinstance(rows, list):
            raise bad(file, name, key, "must be a list of turns")
        try:
            start = session_start(str(conversation.get(f"{key}_date_time", "")))
        except ValueError as error:
            raise bad(file, name, f"{key}_date_time", "must be as in `1:56 pm on 8 May, 2023`") from error
        source = f"{name}-session-{number}"
        lines: list[dict[str, Any]] = []
        at_s = 0.0
        for place, value in enumerate(cast(list[Any], rows), start=1):
            turn = checked(value, Turn, file, f"{name}, {key}, turn {place}")
            text = f"{turn.text} [shares {turn.blip_caption}]" if turn.blip_caption else turn.text
            end_s = round(at_s + max(SHORTEST_S, len(text.split()) / WORDS_PER_S), 1)
            lines.append({"start": at_s, "end": end_s, "kind": "speech", "text": text or "…", "speaker": turn.speaker})
            turns.append(Moment(source=source, start_s=at_s, end_s=end_s, name=turn.dia_id))
            at_s = round(end_s + PAUSE_S, 1)
        if lines:
            sources.append(Source(name=source, lines=tuple(lines), start_ns=int(start.timestamp()) * NS_PER_S))
    if not sources:
        raise bad(file, name, "session_1", "is missing: there are no turns")
    return World(name=name, sources=tuple(sources), turns=tuple(turns))
