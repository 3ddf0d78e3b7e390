"""`hippovlog`: multiple choice about 25 vlogs, what was seen, heard and both (HippoMM, Lin et al., 2025).

PATH is the published folder: `questions.jsonl`, one record a line as in its README,

    {"question_text": "…", "options": {"A": "…", "B": "…", "C": "…", "D": "…"}, "correct_answer": "A",
     "explanation": "…", "video_id": "HLDPA3FTUJ4", "category": "audio_visual"}

and the videos, `HLDPA3FTUJ4.mp4` or another suffix, there or in a folder below. Every video has a memory of its own.
The records hold no times (though the README promises them), so there is no evidence recall. The explanation tells the
answer and is not used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from streammem.app.evaluation.dataset import Dataset, Question, Source, World
from streammem.app.evaluation.formats.reading import Row, bad, find_media, read_json_lines, the_file

Text = Annotated[str, Field(min_length=1)]


class HippovlogRow(Row):
    """One published record."""

    question_text: Text
    options: Annotated[dict[str, Text], Field(min_length=2, max_length=26)]
    correct_answer: Text
    video_id: Text
    category: str


def read(path: Path, questions: Path | None) -> Dataset:
    """Raises InputError on the first bad record."""
    file = questions or the_file(path, "questions.jsonl", what="the folder with questions.jsonl and the videos")
    folder = path if path.is_dir() else path.parent
    found: list[Question] = []
    worlds: dict[str, World] = {}
    for where, row in read_json_lines(file, HippovlogRow):
        letters = sorted(row.options)
        if row.correct_answer not in letters:
            raise bad(file, where, "correct_answer", f"{row.correct_answer!r} is none of {', '.join(letters)}")
        found.append(
            Question(
                question_id=f"{row.video_id}/{where.removeprefix('line ')}",
                world=row.video_id,
                text=row.question_text,
                choices=tuple(row.options[letter] for letter in letters),
                answer=letters.index(row.correct_answer),
                types=(row.category,),
            )
        )
        if row.video_id not in worlds:
            source = Source(name=row.video_id, path=find_media(folder, row.video_id))
            worlds[row.video_id] = World(name=row.video_id, sources=(source,))
    return Dataset(format="hippovlog", path=path, worlds=worlds, questions=tuple(found))
