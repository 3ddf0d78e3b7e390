"""`egolifeqa`: the published questions on a week of one person's life (EgoLife, Yang et al., CVPR 2025).

PATH is a folder with `EgoLifeQA*.json` (or `QA.json`), a list of records as in the README of EgoRAG:

    {"ID": "1", "query_time": {"date": "DAY1", "time": "11210217"}, "type": "EntityLog", "need_audio": false,
     "need_name": true, "last_time": false, "trigger": "…", "question": "…", "choice_a": "…", …, "choice_d": "…",
     "answer": "B", "target_time": {"date": "DAY1", "time": "11152408"}, "keywords": "…", "reason": "…"}

Times are HHMMSSFF, FF a frame. `target_time` also comes as `{"date", "time": "t1DAY2_t2"}` (each DAY holds for the
times after it) and `{"date", "time_list": […]}`; every time is one mark. Trigger, keywords and reason tell the answer
and are not used. The recordings are the published clips, `DAY1/DAY1_A1_JAKE_11094208.mp4` anywhere below PATH, each
placed on the week's clock by its name, or else one caption track `stream.jsonl[.gz]` in seconds since day 1, 00:00.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from streammem.app.evaluation.dataset import Dataset, Moment, Question, Source, World
from streammem.app.evaluation.formats.reading import MEDIA, Row, bad, letter_index, read_json_list, the_file
from streammem.errors import InputError
from streammem.types import NS_PER_S

_DAY_S = 86_400
_CLIP = re.compile(r"^DAY(\d+)_.*_(\d{8})$")
_TOKEN = re.compile(r"DAY_?(\d+)|(\d{7,8})", re.IGNORECASE)

Text = Annotated[str, Field(min_length=1)]


class Clock(Row):
    """A time on the week's clock, or several."""

    date: Annotated[str, Field(pattern=r"(?i)^day\s*\d+$")]
    time: str | None = None
    time_list: list[str] | None = None


class EgolifeqaRow(Row):
    """One published record."""

    ID: str | int
    query_time: Clock
    type: str
    question: Text
    choice_a: Text
    choice_b: Text
    choice_c: Text
    choice_d: Text
    answer: str
    target_time: Clock | list[Clock] | None = None


def read(path: Path, questions: Path | None) -> Dataset:
    """Raises InputError on the first bad record."""
    if not path.is_dir():
        raise InputError(f"{str(path)!r} is not a folder; give the one with EgoLifeQA*.json and the videos.")
    file = questions or the_file(path, "EgoLifeQA*.json", "EgoLifeQA/*.json", "QA*.json", what="the published folder")
    found: list[Question] = []
    for where, row in read_json_list(file, EgolifeqaRow):
        choices = (row.choice_a, row.choice_b, row.choice_c, row.choice_d)
        asked = _marks(row.query_time, file, where, "query_time")[-1]
        clocks = row.target_time if isinstance(row.target_time, list) else [row.target_time] if row.target_time else []
        targets = [mark for clock in clocks for mark in _marks(clock, file, where, "target_time")]
        found.append(
            Question(
                question_id=str(row.ID),
                world="week",
                text=row.question,
                choices=choices,
                answer=letter_index(row.answer, 4, file, where, "answer"),
                types=(row.type,),
                asked_at=Moment(source=None, start_s=asked, end_s=asked),
                evidence=tuple(Moment(source=None, start_s=mark, end_s=mark) for mark in targets),
            )
        )
    world = World(name="week", sources=_sources(path))
    return Dataset(format="egolifeqa", path=path, worlds={"week": world}, questions=tuple(found), is_one_world=True)


def week_s(day: int, time: str) -> float:
    """Seconds since day 1, 00:00 of HHMMSSFF; the frame is dropped.

    Raises:
        ValueError: not a time of day.
    """
    digits = time.zfill(8)
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(time)
    return (day - 1) * _DAY_S + hours * 3600 + minutes * 60 + seconds


def _marks(clock: Clock, file: Path, where: str, field: str) -> list[float]:
    day = int(re.sub(r"\D", "", clock.date))
    marks: list[float] = []
    for text in clock.time_list or [clock.time or ""]:
        for match in _TOKEN.finditer(text):
            if match.group(1):
                day = int(match.group(1))
                continue
            try:
                marks.append(week_s(day, match.group(2)))
            except ValueError as error:
                raise bad(file, where, field, f"{match.group(2)!r} is no time of day (HHMMSSFF)") from error
    if not marks:
        raise bad(file, where, field, "holds no time (HHMMSSFF)")
    return marks


def _sources(path: Path) -> tuple[Source, ...]:
    for name in ("stream.jsonl.gz", "stream.jsonl"):
        if (path / name).is_file():
            return (Source(name="stream", path=path / name),)
    clips: list[Source] = []
    for file in sorted(path.rglob("DAY*")):
        match = _CLIP.match(file.stem)
        if match is not None and file.suffix.lower() in MEDIA:
            start_ns = round(week_s(int(match.group(1)), match.group(2)) * NS_PER_S)
            clips.append(Source(name=file.stem, path=file, start_ns=start_ns))
    if not clips:
        raise InputError(f"Folder {str(path)!r} holds no clips such as DAY1_A1_JAKE_11094208.mp4, and no stream.jsonl.")
    return tuple(clips)
