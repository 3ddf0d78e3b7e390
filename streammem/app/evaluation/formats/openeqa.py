"""`openeqa`: open questions about rooms that were walked through (OpenEQA, Majumdar et al., CVPR 2024).

PATH is a folder with `open-eqa-v0.json` (or that file), a list of

    {"question": "…", "answer": "Air conditioning unit", "category": "object recognition", "question_id": "f2e8…",
     "episode_history": "hm3d-v0/000-hm3d-BFRyYbPCCPE", "extra_answers": ["…"]}

and each episode history as one video, `videos/hm3d-v0/000-hm3d-BFRyYbPCCPE-0.mp4` as the published
`data/frames2videos.py` makes them, or without the `-0`; each has a memory of its own. The published score is a
judgement by a large model from 1 to 5; here an answer is right when it holds the words of one of the answers, which is
harder on paraphrases. There are no evidence times.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from streammem.app.evaluation.dataset import Dataset, Question, Source, World
from streammem.app.evaluation.formats.reading import Row, find_media, read_json_list, the_file

Text = Annotated[str, Field(min_length=1)]


class OpenEqaRow(Row):
    """One published record."""

    question: Text
    answer: Text
    category: str
    question_id: Text
    episode_history: Text
    extra_answers: list[str] | None = None


def read(path: Path, questions: Path | None) -> Dataset:
    """Raises InputError on the first bad record."""
    patterns = ("open-eqa-v*.json", "data/open-eqa-v*.json")
    file = questions or the_file(path, *patterns, what="open-eqa-v0.json, or the folder with it")
    folder = path if path.is_dir() else path.parent
    found: list[Question] = []
    worlds: dict[str, World] = {}
    for _, row in read_json_list(file, OpenEqaRow):
        history = row.episode_history
        found.append(
            Question(
                question_id=row.question_id,
                world=history,
                text=row.question,
                references=tuple(dict.fromkeys((row.answer, *(row.extra_answers or ())))),
                types=(row.category,),
            )
        )
        if history not in worlds:
            names = [name for base in (f"{history}-0", history) for name in (base, Path(base).name)]
            media = next((place for name in names if (place := find_media(folder, name)) is not None), None)
            source = Source(name=history, path=media)
            worlds[history] = World(name=history, sources=(source,))
    return Dataset(format="openeqa", path=path, worlds=worlds, questions=tuple(found))
