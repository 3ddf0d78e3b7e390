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
    chosen = dataset.questions[:limit]
    worlds = {name: dataset.worlds[name] for name in dict.fromkeys(question.world for question in chosen)}
    return replace(dataset, questions=chosen, worlds=worlds)
