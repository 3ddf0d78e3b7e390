"""`egolife`: a week seen and heard by one person, as a caption track, with questions that say where their evidence is.

PATH is a folder: `stream.jsonl.gz` (a caption track: `{"start", "end", "kind": "caption"|"transcript", "text"}` in
seconds since day 1, 00:00) and `questions_dev.jsonl` (or `--questions`), one per line:

    {"id": "1", "type": "EntityLog", "asked_at": 40862, "question": "Who used the screwdriver first?",
     "choices": ["Tasha", "Alice", "Shure", "Lucia"], "answer": "B", "evidence": [[40524, 40524]]}

`answer` is the letter of a choice; `asked_at` and `evidence` are seconds on the same clock. Made from EgoLifeQA of
EgoLife (Yang et al., CVPR 2025), whose published records the format `egolifeqa` reads.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from streammem.app.evaluation.dataset import Dataset, Moment, Question, Source, World
from streammem.app.evaluation.formats.reading import Row, bad, letter_index, read_json_lines, the_file
from streammem.errors import InputError

Seconds = Annotated[float, Field(ge=0, lt=9e9, allow_inf_nan=False)]


class EgolifeRow(Row):
    """One line of the questions."""

    id: str
    type: str
    asked_at: Seconds
    question: Annotated[str, Field(min_length=1)]
    choices: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=2, max_length=26)]
    answer: str
    evidence: list[tuple[Seconds, Seconds]]


def read(path: Path, questions: Path | None) -> Dataset:
    """Raises InputError on the first bad record."""
    if not path.is_dir():
        raise InputError(f"{str(path)!r} is not a folder; give the one with stream.jsonl.gz and questions_dev.jsonl.")
    stream = the_file(path, "stream.jsonl.gz", "stream.jsonl", what="the folder with the stream")
    file = questions or the_file(path, "questions_dev.jsonl", "questions*.jsonl", what="the folder with the questions")
    source = stream.name.split(".")[0]
    found: list[Question] = []
    for where, row in read_json_lines(file, EgolifeRow):
        if any(end < start for start, end in row.evidence):
            raise bad(file, where, "evidence", "a span ends before it starts")
        found.append(
            Question(
                question_id=row.id,
                world="stream",
                text=row.question,
                choices=tuple(row.choices),
                answer=letter_index(row.answer, len(row.choices), file, where, "answer"),
                types=(row.type,),
                asked_at=Moment(source=source, start_s=row.asked_at, end_s=row.asked_at),
                evidence=tuple(Moment(source=source, start_s=start, end_s=end) for start, end in row.evidence),
            )
        )
    world = World(name="stream", sources=(Source(name=source, path=stream),))
    return Dataset(format="egolife", path=path, worlds={"stream": world}, questions=tuple(found), is_one_world=True)
