"""`streammem.evaluate`: read a benchmark, remember its recordings, ask, score, report. What `streammem eval` calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from streammem.app.evaluation.formats import read_dataset
from streammem.app.evaluation.run import EvalProgress, Evaluation, run
from streammem.errors import InputError
from streammem.settings import Settings, load_settings

if TYPE_CHECKING:
    from perception.pipeline import IngestProgress


def evaluate(
    format: str,
    path: str | Path,
    *,
    memory: str | Path,
    questions: str | Path | None = None,
    limit: int | None = None,
    reasoner: Literal["extractive", "chat", "none"] | None = None,
    baselines: Sequence[str] = (),
    report: str | Path | None = None,
    config: str | Path | Settings | None = None,
    fresh: bool = False,
    notice: Callable[[str], None] | None = None,
    ingest_progress: Callable[[IngestProgress], None] | None = None,
    progress: Callable[[EvalProgress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Evaluation:
    """Asks a benchmark's questions of a memory, each as of its own moment, and scores recall and answers.

    What is not in memory yet is ingested first. Interrupted at any point, the same call goes on; records of other
    settings, code, questions or memory content are put aside, not mixed in.

    Args:
        format: one of `streammem.app.evaluation.formats.FORMATS`; the module of that name says what `path` must hold.
        memory: a memory's folder. Formats that ask about one video at a time get a folder of memories, one each.
        questions: another file of questions than the one in `path`.
        limit: only the first so many questions.
        reasoner: `none` measures recall alone; None takes the config's.
        baselines: names of `streammem.app.evaluation.baselines.BASELINES`, asked the same questions.
        report: folder for the records, `summary.json` and `report.html`. None: records and summary go to a folder
            beside the memory, and no page is made.
        fresh: put earlier records aside.

    Raises:
        InputError: an unknown format or baseline, a missing file, a bad record (one sentence with file, line, field).
        SourceError: a recording that is not in memory cannot be opened.
        ChatEndpointError: the chat reasoner's endpoint cannot be used.

    Example:
        >>> import json, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> line = {"start": 5, "end": 7, "kind": "speech", "text": "The keys are under the mat."}
        >>> _ = (folder / "stream.jsonl").write_text(json.dumps(line))
        >>> question = {"id": "1", "type": "where", "asked_at": 60, "question": "Where are the keys?",
        ...             "choices": ["in the car", "under the mat"], "answer": "B", "evidence": [[5, 7]]}
        >>> _ = (folder / "questions_dev.jsonl").write_text(json.dumps(question))
        >>> done = evaluate("egolife", folder, memory=folder / "memory")
        >>> done.summary["accuracy"], done.summary["evidence_recall"]["1"], done.summary["leakage"]
        (100.0, 100.0, 0)
    """
    settings = config if isinstance(config, Settings) else load_settings(config)
    dataset = read_dataset(
        format, Path(path), questions=Path(questions) if questions is not None else None, limit=limit
    )
    place = Path(memory)
    folder = Path(report) if report is not None else place.parent / f"{place.name}-eval" / format
    done = run(
        dataset,
        memory=place,
        folder=folder,
        settings=settings,
        reasoner=reasoner or settings.reasoner,
        baselines=baselines,
        fresh=fresh,
        notice=notice,
        ingest_progress=ingest_progress,
        progress=progress,
        cancel=cancel,
    )
    try:
        (folder / "summary.json").write_text(json.dumps(done.summary, indent=1) + "\n", encoding="utf-8")
        if report is not None:
            from streammem.app.evaluation.report import write_report

            write_report(done, folder / "report.html")
    except OSError as error:
        raise InputError(f"Cannot write the report to {str(folder)!r}: {error.strerror}.") from error
    return done
