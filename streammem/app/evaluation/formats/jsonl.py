"""`jsonl`: your own questions about your own recordings.

PATH is a folder with `questions.jsonl` and the recordings (video, sound, caption tracks; a caption track beside a video
of the same stem belongs to it), or the file of questions itself with the recordings in its folder. One question a line:

    {"question": "Where are the keys?",        the only field that must be there
     "id": "keys-1",                           default: the line's number
     "choices": ["in the car", "under the mat"],
     "answer": "B",                            with choices: a letter, or the choice itself; without: the words, or a
                                               list of right answers
     "answerable": true,                       false: the right answer is that it is not in memory
     "type": "where",                          or a list; accuracy is given for each
     "recording": "talk.mp4",                  which recording the times count from: a name or a stem. Needed where
                                               there are several
     "image": "pictures/1.jpg",                a picture, beside the questions, to find by its looks
     "asked_at": 60.0,                         seconds; nothing later may be used
     "evidence": [[5.0, 7.5]]}                 seconds; or {"recording": "talk.mp4", "start": 5.0, "end": 7.5}

A file `questions*.jsonl` is never taken for a caption track. All recordings share one memory. They start at 0 together,
unless the memory already has them from elsewhere (`streammem ingest --start …`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from streammem.app.evaluation.dataset import Dataset, Moment, Question, Source, World
from streammem.app.evaluation.formats.reading import bad, letter_index, read_json_lines, the_file
from streammem.errors import InputError

Seconds = Annotated[float, Field(ge=0, lt=9e9, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    """Your own file: a misspelt field is an error, not a field that is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Shown(_Strict):
    """Evidence in a named recording."""

    recording: Text
    start: Seconds
    end: Seconds


class JsonlRow(_Strict):
    """One question."""

    question: Text
    id: str | int | None = None
    choices: Annotated[list[Text], Field(min_length=2, max_length=26)] | None = None
    answer: str | list[Text] | None = None
    answerable: bool = True
    type: str | list[str] = []
    recording: str | None = None
    image: Text | None = None
    asked_at: Seconds | None = None
    evidence: list[tuple[Seconds, Seconds] | Shown] = []


def read(path: Path, questions: Path | None) -> Dataset:
    """Raises InputError on the first bad record."""
    file = questions or the_file(path, "questions.jsonl", what="the folder with questions.jsonl and the recordings")
    sources = _sources(path if path.is_dir() else path.parent, file)
    names: dict[str, str] = {}
    for source in sources:
        assert source.path is not None
        names |= {source.path.name: source.name, source.name: source.name}
    found = [_question(row, file, where, names) for where, row in read_json_lines(file, JsonlRow)]
    world = World(name="recordings", sources=tuple(sources))
    return Dataset(format="jsonl", path=path, worlds={"recordings": world}, questions=tuple(found), is_one_world=True)


def _sources(folder: Path, questions: Path) -> list[Source]:
    from perception.sources import expand_sources

    specs = [spec for spec in expand_sources(folder) if spec.error is None and not _asks(Path(spec.uri), questions)]
    if not specs:
        raise InputError(f"Folder {str(folder)!r} holds no recording beside the questions.")
    return [Source(name=spec.recording, path=Path(spec.uri)) for spec in specs]


def _asks(file: Path, questions: Path) -> bool:
    """Whether a JSON Lines file holds questions and is no caption track."""
    return file.resolve() == questions.resolve() or (file.name.startswith("questions") and file.suffix == ".jsonl")


def _question(row: JsonlRow, file: Path, where: str, names: dict[str, str]) -> Question:
    def source(name: str | None, field: str) -> str:
        if name is None:
            if len(set(names.values())) > 1:
                raise bad(file, where, "recording", "say which recording the times count from; there are several")
            return next(iter(names.values()))
        if name not in names:
            raise bad(file, where, field, f"{name!r} is none of the recordings {', '.join(sorted(names)[:8])}")
        return names[name]

    evidence: list[Moment] = []
    for span in row.evidence:
        name, start, end = (span.recording, span.start, span.end) if isinstance(span, Shown) else (row.recording, *span)
        if end < start:
            raise bad(file, where, "evidence", "a span ends before it starts")
        evidence.append(Moment(source=source(name, "evidence"), start_s=start, end_s=end))
    asked_at = None
    if row.asked_at is not None:
        asked_at = Moment(source=source(row.recording, "recording"), start_s=row.asked_at, end_s=row.asked_at)
    image = file.parent / row.image if row.image is not None else None
    if image is not None and not image.is_file():
        raise bad(file, where, "image", f"there is no file {str(image)!r}")
    return Question(
        image=str(image) if image is not None else None,
        question_id=str(row.id) if row.id is not None else where.removeprefix("line "),
        world="recordings",
        text=row.question,
        choices=tuple(row.choices or ()),
        is_answerable=row.answerable,
        types=(row.type,) if isinstance(row.type, str) else tuple(row.type),
        asked_at=asked_at,
        evidence=tuple(evidence),
        **_known_answer(row, file, where),
    )


def _known_answer(row: JsonlRow, file: Path, where: str) -> dict[str, Any]:
    if row.answer is None or not row.answerable:
        return {}
    if not row.choices:
        return {"references": (row.answer,) if isinstance(row.answer, str) else tuple(row.answer)}
    if not isinstance(row.answer, str):
        raise bad(file, where, "answer", "with choices it is one letter or one of the choices")
    if row.answer in row.choices:
        return {"answer": row.choices.index(row.answer)}
    return {"answer": letter_index(row.answer, len(row.choices), file, where, "answer")}
