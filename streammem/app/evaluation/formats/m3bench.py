"""`m3bench`: open questions about what a robot, or a web video, showed (M3-Bench of M3-Agent, Long et al., 2025).

PATH is `robot.json` or `web.json` of the published `data/annotations`, or a folder that holds one below:

    {"living_room_06": {"video_path": "data/videos/robot/living_room_06.mp4", "mem_path": "…",
      "qa_list": [{"question": "…", "answer": "Coffee.", "question_id": "living_room_06_Q01", "reasoning": "…",
                   "timestamp": "00:43", "type": ["Cross-Modal Reasoning"], "before_clip": 0}, …]}, …}

`timestamp` is the moment of asking (robot only); `before_clip`, its half minute in the published evaluation, is not
needed. Videos are found at `video_path` from PATH's folder or one above it, or by their name below it; each has a
memory of its own. The published score is a judgement by a large model; here an answer is right when it holds the
reference's words, which is harder on paraphrases: compare with care. There are no evidence times.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field

from streammem.app.evaluation.dataset import Dataset, Moment, Question, Source, World
from streammem.app.evaluation.formats.reading import Row, bad, checked, clock_s, find_media, read_json, the_file

Text = Annotated[str, Field(min_length=1)]


class M3Question(Row):
    """One entry of `qa_list`."""

    question: Text
    answer: Text
    question_id: Text
    timestamp: str | None = None
    type: list[str]


class M3Video(Row):
    """One video."""

    video_path: Text
    qa_list: list[M3Question]


def read(path: Path, questions: Path | None) -> Dataset:
    """Raises InputError on the first bad record."""
    patterns = ("robot.json", "web.json", "**/robot.json", "**/web.json")
    file = questions or the_file(path, *patterns, what="robot.json or web.json, or the folder with it")
    value = read_json(file)
    if not isinstance(value, dict):
        raise bad(file, "record 1", "video", "the file must be an object of videos")
    found: list[Question] = []
    worlds: dict[str, World] = {}
    for name, entry in cast(dict[str, Any], value).items():
        video = checked(entry, M3Video, file, f"video {name!r}")
        worlds[name] = World(name=name, sources=(Source(name=name, path=_media(path, file, video.video_path)),))
        for row in video.qa_list:
            found.append(
                Question(
                    question_id=row.question_id,
                    world=name,
                    text=row.question,
                    references=(row.answer,),
                    types=tuple(row.type),
                    asked_at=_asked_at(row, name, file),
                )
            )
    return Dataset(format="m3bench", path=path, worlds=worlds, questions=tuple(found))


def _asked_at(row: M3Question, video: str, file: Path) -> Moment | None:
    if row.timestamp is None:
        return None
    try:
        at_s = clock_s(row.timestamp)
    except ValueError as error:
        raise bad(file, f"question {row.question_id!r}", "timestamp", "must be MM:SS or HH:MM:SS") from error
    return Moment(source=video, start_s=at_s, end_s=at_s)


def _media(path: Path, file: Path, video_path: str) -> Path | None:
    for folder in (path if path.is_dir() else path.parent, *file.resolve().parents[:4]):
        if (folder / video_path).is_file():
            return folder / video_path
    return find_media(path if path.is_dir() else file.parent, Path(video_path).name)
