"""`qvhighlights`: find the moments of a video that fit a sentence (QVHighlights, Lei et al., NeurIPS 2021).

PATH is `highlight_val_release.jsonl`, or a folder with such a file, one record a line:

    {"qid": 8737, "query": "A family is playing basketball together on a green court outside.", "duration": 126,
     "vid": "bP5KfdFJzC4_660.0_810.0", "relevant_windows": [[0, 16]], "relevant_clip_ids": […], "saliency_scores": […]}

and the videos `bP5KfdFJzC4_660.0_810.0.mp4` there, in `videos/`, or below, each with a memory of its own. Scored by
R1 at an overlap of 0.5 and 0.7 and by mean average precision (`windows`); nothing is answered. The test split has no
windows and cannot be scored.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from streammem.app.evaluation.dataset import Dataset, Moment, Question, Source, World
from streammem.app.evaluation.formats.reading import Row, bad, find_media, read_json_lines, the_file

Seconds = Annotated[float, Field(ge=0, lt=9e9)]
Text = Annotated[str, Field(min_length=1)]


class QvRow(Row):
    """One published record."""

    qid: int | str
    query: Text
    vid: Text
    duration: Seconds
    relevant_windows: list[tuple[Seconds, Seconds]] | None = None


def read(path: Path, questions: Path | None) -> Dataset:
    """Raises InputError on the first bad record."""
    patterns = ("highlight_val_release.jsonl", "highlight_*.jsonl", "data/highlight_*.jsonl")
    file = questions or the_file(path, *patterns, what="highlight_val_release.jsonl, or the folder with it")
    folder = path if path.is_dir() else path.parent
    found: list[Question] = []
    worlds: dict[str, World] = {}
    for where, row in read_json_lines(file, QvRow):
        if any(end <= start for start, end in row.relevant_windows or ()):
            raise bad(file, where, "relevant_windows", "a window ends before it starts")
        found.append(
            Question(
                question_id=str(row.qid),
                world=row.vid,
                text=row.query,
                evidence=tuple(
                    Moment(source=row.vid, start_s=start, end_s=end) for start, end in row.relevant_windows or ()
                ),
            )
        )
        if row.vid not in worlds:
            worlds[row.vid] = World(name=row.vid, sources=(Source(name=row.vid, path=find_media(folder, row.vid)),))
    return Dataset(format="qvhighlights", path=path, worlds=worlds, questions=tuple(found), unit="windows")
