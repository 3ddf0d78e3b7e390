"""Readers of published benchmarks: one module per format, each with its schema in its docstring.

A reader is a function `(path, questions) -> Dataset`; it checks every record and raises one sentence for the first bad
one. `FORMATS` is what the command line offers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from streammem.app.evaluation.dataset import Dataset
from streammem.errors import InputError

FORMATS: dict[str, str] = {
    "egolife": "A week of one person's life as a caption track, questions with evidence times.",
    "egolifeqa": "EgoLifeQA as published: records with query and target times, clips of a week.",
    "egomem": "EgoMem: event and detail questions about day-long first-person videos.",
    "hippovlog": "HippoVlog: what was seen, heard and both in 25 vlogs.",
    "jsonl": "Your own questions about your own recordings.",
    "locomo": "LoCoMo: conversations over months, evidence turns, questions that cannot be answered.",
    "m3bench": "M3-Bench: open questions about robot and web videos.",
    "openeqa": "OpenEQA: open questions about rooms that were walked through.",
    "ovobench": "OVO-Bench: questions asked while a video runs: before, now, and too early.",
    "qvhighlights": "QVHighlights: find the moments that fit a sentence (R1 at IoU, mAP).",
}
"""Name -> what it is, in one line. The reader is the module of that name here."""


def read_dataset(name: str, path: Path, *, questions: Path | None = None, limit: int | None = None) -> Dataset:
    """Reads and checks a benchmark.

    Args:
        questions: another file of questions than the one found in `path`.
        limit: only the first so many questions.

    Raises:
        InputError: an unknown format, a missing file, or a bad record.
    """
    if name not in FORMATS:
        raise InputError(f"There is no evaluation format {name!r}; known: {', '.join(FORMATS)}.")
    if limit is not None and limit < 1:
        raise InputError(f"A limit of {limit} leaves nothing to ask; give at least 1.")
    if not path.exists():
        raise InputError(f"{str(path)!r} does not exist.")
    reader: Callable[[Path, Path | None], Dataset] = import_module(f"{__name__}.{name}").read
    dataset = reader(path, questions)
    ids = [question.question_id for question in dataset.questions]
    if len(set(ids)) < len(ids):
        twice = next(one for one in ids if ids.count(one) > 1)
        raise InputError(f"{str(questions or path)!r}: two questions have the id {twice!r}.")
    if not ids:
        raise InputError(f"{str(questions or path)!r} holds no questions.")
    if twice := [name for name, each in dataset.worlds.items() if not each.sources]:
        raise InputError(f"{str(path)!r}: {twice[0]!r} has no recording.")
    chosen = dataset.questions[:limit]
    worlds = {name: dataset.worlds[name] for name in dict.fromkeys(question.world for question in chosen)}
    return replace(dataset, questions=chosen, worlds=worlds)
