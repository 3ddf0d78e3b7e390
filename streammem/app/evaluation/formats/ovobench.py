"""`ovobench`: questions asked while a video runs: back in time, about now, and too early (OVO-Bench, Li et al., 2025).

PATH is `ovo_bench_new.json`, or the folder with it, and the source videos (`Ego4D/clips/….mp4`, …) in `src_videos/`,
there, or in a folder below. A list of records of three shapes:

* backward (EPM, ASI, HLD) and real-time (STU, OJR, ATR, ACR, OCR, FPD) tasks: `{"id", "task", "video", "realtime",
  "question", "options", "answer", "gt"}`; asked at `realtime`, `gt` is the index of the right option. The option
  "Unable to answer" (HLD) counts as saying that it is not in memory.
* REC `{"activity", "start_times", "end_times", "test_info": [{"realtime", "count"}]}` asks how often so far; SSR
  `{"all_steps", "start_time", "end_time", "test_info": [{"realtime", "step", "type"}]}` whether a step is under way
  (1: yes); CRR `{"question", "answer", "ask_time", "clue_time", "test_info": [{"realtime", "type"}]}` whether the
  question can be answered yet (1: yes). Each entry of `test_info` is one question at its `realtime`.

Where the clue's time is published (`clue_time`, the spans of steps and repetitions) it is the evidence. Every video has
a memory of its own: the published evaluation cuts the video at the asking, here the memory is cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from streammem.app.evaluation.dataset import Dataset, Moment, Question, Source, World
from streammem.app.evaluation.formats.reading import Row, bad, checked, find_media, read_json_list, the_file

BACKWARD, REAL_TIME = ("EPM", "ASI", "HLD"), ("STU", "OJR", "ATR", "ACR", "OCR", "FPD")
UNABLE = "unable to answer"

Seconds = Annotated[float, Field(ge=0, lt=9e9)]
Text = Annotated[str, Field(min_length=1)]


class OvoRow(Row):
    """What every record has; the rest depends on the task."""

    model_config = Row.model_config | {"extra": "allow"}

    id: int | str
    task: Annotated[str, Field(pattern=f"^({'|'.join((*BACKWARD, *REAL_TIME, 'REC', 'SSR', 'CRR'))})$")]
    video: Text


class Choosing(Row):
    """A backward or real-time task."""

    question: Text
    options: Annotated[list[Text], Field(min_length=2, max_length=26)]
    gt: Annotated[int, Field(ge=0)]
    realtime: Seconds


class Counted(Row):
    realtime: Seconds
    count: Annotated[int, Field(ge=0)]


class Repetition(Row):
    """REC."""

    activity: Text
    start_times: list[Seconds]
    end_times: list[Seconds]
    test_info: list[Counted]


class AtStep(Row):
    realtime: Seconds
    step: Text
    type: Annotated[int, Field(ge=0, le=1)]


class Steps(Row):
    """SSR."""

    all_steps: list[str]
    start_time: list[Seconds]
    end_time: list[Seconds]
    test_info: list[AtStep]


class Yet(Row):
    realtime: Seconds
    type: Annotated[int, Field(ge=0, le=1)]


class Clue(Row):
    """CRR."""

    question: Text
    ask_time: Seconds
    clue_time: Seconds
    test_info: list[Yet]


def read(path: Path, questions: Path | None) -> Dataset:
    """Raises InputError on the first bad record."""
    file = questions or the_file(path, "ovo_bench*.json", "data/ovo_bench*.json", what="ovo_bench_new.json's folder")
    folder = path if path.is_dir() else path.parent
    found: list[Question] = []
    worlds: dict[str, World] = {}
    for where, row in read_json_list(file, OvoRow):
        found += _questions(row, file, f"{where} (id {row.id})")
        if row.video not in worlds:
            media = next(
                (place for top in (folder / "src_videos", folder) if (place := top / row.video).is_file()), None
            )
            source = Source(name=row.video, path=media or find_media(folder, Path(row.video).name))
            worlds[row.video] = World(name=row.video, sources=(source,))
    return Dataset(format="ovobench", path=path, worlds=worlds, questions=tuple(found))


def _questions(row: OvoRow, file: Path, where: str) -> Iterator[Question]:
    fields: dict[str, Any] = row.model_extra or {}
    group = "Backward" if row.task in BACKWARD else "Real-time" if row.task in REAL_TIME else "Forward"

    def at(start_s: float, end_s: float) -> Moment:
        return Moment(source=row.video, start_s=start_s, end_s=end_s)

    def question(number: int | None, text: str, realtime: float, **known: Any) -> Question:
        name = str(row.id) if number is None else f"{row.id}/{number}"
        asked_at = at(realtime, realtime)
        return Question(
            question_id=name, world=row.video, text=text, types=(row.task, group), asked_at=asked_at, **known
        )

    if group != "Forward":
        one = checked(fields, Choosing, file, where)
        if one.gt >= len(one.options):
            raise bad(file, where, "gt", f"{one.gt} is none of the {len(one.options)} options")
        unable = next((n for n, option in enumerate(one.options) if option.casefold().strip(" .") == UNABLE), None)
        yield question(
            None,
            one.question,
            one.realtime,
            choices=tuple(one.options),
            answer=one.gt,
            is_answerable=one.gt != unable,
            abstention=unable,
        )
    elif row.task == "REC":
        times = checked(fields, Repetition, file, where)
        spans = list(zip(times.start_times, times.end_times, strict=False))
        for number, test in enumerate(times.test_info):
            evidence = tuple(at(start, end) for start, end in spans if end <= test.realtime)
            text = f"How many times did they {times.activity}?"
            yield question(number, text, test.realtime, references=(str(test.count),), evidence=evidence)
    elif row.task == "SSR":
        steps = checked(fields, Steps, file, where)
        spans_of = dict(zip(steps.all_steps, zip(steps.start_time, steps.end_time, strict=False), strict=False))
        for number, test in enumerate(steps.test_info):
            span = spans_of.get(test.step)
            is_under_way = test.type == 1 and span is not None and span[0] <= test.realtime
            evidence = (at(span[0], min(span[1], test.realtime)),) if is_under_way and span is not None else ()
            text = f"Is the person currently performing this step: {test.step}?"
            answer = 0 if test.type == 1 else 1
            yield question(number, text, test.realtime, choices=("Yes", "No"), answer=answer, evidence=evidence)
    else:
        clue = checked(fields, Clue, file, where)
        for number, test in enumerate(clue.test_info):
            is_there = test.type == 1
            evidence = (at(clue.clue_time, clue.clue_time),) if is_there and clue.clue_time <= test.realtime else ()
            yield question(
                number, clue.question, test.realtime, is_answerable=is_there, only_whether=True, evidence=evidence
            )
