"""`egomem`: multiple choice about day-long first-person videos, in two tracks (VideoLucy, Zuo et al., NeurIPS 2025).

PATH is the published folder (`jlongzuo/EgoMem`): `EgoMem.json`, a list of

    {"videoID": "A1_JAKE_DAY1", "question_id": "0", "type": "Detail", "question": "…",
     "options": ["A. …", "B. …", "C. …", "D. …"], "answer": "B"}

and `videos/A1_JAKE_DAY1.mp4`, … (or, with `--questions`, one file of `annos/`). Every video has a memory of its own.
Accuracy is given for Detail and Event and, within Event, for each type named. The records hold no evidence times.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from streammem.app.evaluation.dataset import Dataset, Question, Source, World
from streammem.app.evaluation.formats.reading import (
    Row,
    find_media,
    letter_index,
    read_json_list,
    the_file,
    without_letters,
)


class EgomemRow(Row):
    """One published record."""

    videoID: Annotated[str, Field(min_length=1)]
    question_id: str | int
    type: str
    question: Annotated[str, Field(min_length=1)]
    options: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=2, max_length=26)]
    answer: str


def read(path: Path, questions: Path | None) -> Dataset:
    """Raises InputError on the first bad record."""
    file = questions or the_file(path, "EgoMem.json", "*.json", what="the folder with EgoMem.json and videos/")
    found: list[Question] = []
    worlds: dict[str, World] = {}
    for where, row in read_json_list(file, EgomemRow):
        track = "Detail" if row.type.casefold().startswith("detail") else "Event"
        found.append(
            Question(
                question_id=f"{row.videoID}/{row.type}/{row.question_id}",
                world=row.videoID,
                text=row.question,
                choices=without_letters(row.options),
                answer=letter_index(row.answer, len(row.options), file, where, "answer"),
                types=tuple(dict.fromkeys((track, row.type))) if row.type.casefold() != track.casefold() else (track,),
            )
        )
        if row.videoID not in worlds:
            media = find_media(path if path.is_dir() else path.parent, row.videoID)
            worlds[row.videoID] = World(name=row.videoID, sources=(Source(name=row.videoID, path=media),))
    return Dataset(format="egomem", path=path, worlds=worlds, questions=tuple(found))
