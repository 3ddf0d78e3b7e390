"""Asks every question of every system, keeps each answer as it comes, and scores them.

Killed at any point, the same call goes on with the first question that has no record. What the answers depend on
(settings, code, questions, memory) is part of the records, so nothing is mixed. Knows no format and no figure.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from streammem.app import compose
from streammem.app.evaluation.baselines import BASELINES, make_baseline
from streammem.app.evaluation.dataset import Dataset, Place, Question, World
from streammem.app.evaluation.metrics import LONGEST_NS, Scored, summarise
from streammem.app.evaluation.records import Asked, Found, Header, RecordFile
from streammem.app.evaluation.systems import MemorySystem, System
from streammem.app.evaluation.worlds import Interrupted, memory_fingerprint, memory_folder, prepare
from streammem.errors import ConfigError, InputError, MemoryFullError, MemoryLockedError, ReasonerError
from streammem.memory import Memory
from streammem.settings import Settings
from streammem.store.lock import WriterLock
from streammem.types import NS_PER_S

if TYPE_CHECKING:
    from perception.pipeline import IngestProgress

logger = logging.getLogger(__name__)

OURS = "memory"
"""Name of StreamMem itself among the systems."""
ReasonerName = Literal["extractive", "chat", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalProgress:
    """Where a running evaluation is. `reused`: of `done`, answers that were there from an earlier run."""

    system: str
    done: int
    total: int
    reused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Figures and records of every system that was asked; `memory` is StreamMem, the others are baselines."""

    dataset: Dataset
    summaries: Mapping[str, dict[str, Any]]
    scored: Mapping[str, Sequence[Scored]]
    folder: Path
    memories: Mapping[str, Path]
    is_interrupted: bool = False

    @property
    def summary(self) -> dict[str, Any]:
        """StreamMem's figures, with those of the baselines under `baselines`."""
        others = {name: each for name, each in self.summaries.items() if name != OURS}
        return {**self.summaries[OURS], "baselines": others}


def run(
    dataset: Dataset,
    *,
    memory: Path,
    folder: Path,
    settings: Settings,
    reasoner: ReasonerName,
    baselines: Sequence[str] = (),
    fresh: bool = False,
    notice: Callable[[str], None] | None = None,
    ingest_progress: Callable[[IngestProgress], None] | None = None,
    progress: Callable[[EvalProgress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Evaluation:
    """Asks and scores.

    Args:
        folder: where the records are kept.
        fresh: put earlier records aside and ask everything again.
        notice: told, in a sentence, when earlier records do not fit and are put aside.
        cancel: set it from elsewhere to stop after the question at hand; what was asked is kept and scored.

    Raises:
        InputError: an unknown baseline, or one that needs another reasoner; the records cannot be written.
        StreamMemError: what ingesting, opening the memory or the chat endpoint raises.
    """
    cancel = cancel or threading.Event()
    if reasoner != "none":
        settings = settings.model_copy(update={"reasoner": reasoner})
    names = (OURS, *dict.fromkeys(baselines))
    _check(names, reasoner, settings)
    memories: dict[str, Path] = {}
    is_interrupted = False
    with ExitStack() as stack:
        stack.callback(_locked(folder).release)
        records = {
            name: stack.enter_context(
                RecordFile(
                    folder / f"{name}.jsonl", _header(dataset, name, settings, reasoner), fresh=fresh, notice=notice
                )
            )
            for name in names
        }
        asking = _Asking(dataset, settings, reasoner, records, folder=folder, progress=progress, cancel=cancel)
        try:
            for world in dataset.worlds.values():
                where = memories[world.name] = memory_folder(dataset, world, memory)
                place = prepare(
                    dataset, world, where, settings, tracks=folder / "tracks", progress=ingest_progress, cancel=cancel
                )
                with compose.open_memory(where, settings) as opened:
                    asking.ask_all(world, opened, place)
        except Interrupted:
            is_interrupted = True
    return Evaluation(
        dataset=dataset,
        summaries={name: summarise(dataset, each, system=name) for name, each in asking.scored.items()},
        scored=asking.scored,
        folder=folder,
        memories=memories,
        is_interrupted=is_interrupted,
    )


class _Asking:
    """Every question of a world to every system; what is known already is not asked again."""

    def __init__(
        self,
        dataset: Dataset,
        settings: Settings,
        reasoner: ReasonerName,
        records: Mapping[str, RecordFile],
        *,
        folder: Path,
        progress: Callable[[EvalProgress], None] | None,
        cancel: threading.Event,
    ) -> None:
        self._dataset, self._settings, self._reasoner, self._records = dataset, settings, reasoner, records
        self._folder, self._progress, self._cancel = folder, progress, cancel
        self.scored: dict[str, list[Scored]] = {name: [] for name in records}
        self._reused = dict.fromkeys(records, 0)

    def ask_all(self, world: World, memory: Memory, place: Place) -> None:
        """Raises Interrupted after the question at hand, when that was asked for."""
        turns = tuple((place.span(turn), turn.name or "") for turn in world.turns)
        state = memory_fingerprint(memory)
        questions = [one for one in self._dataset.questions if one.world == world.name]
        for name, records in self._records.items():
            with ExitStack() as stack:
                system: System | None = None  # made for the first question that needs it: records load no model
                for question in questions:
                    fingerprint = question.fingerprint()
                    asked = records.known(question.question_id, question=fingerprint, memory=state)
                    self._reused[name] += asked is not None
                    if asked is None:
                        system = system or self._system(name, memory, state, stack)
                        asked = _asked(question, fingerprint, system, place=place, state=state)
                        records.add(asked)
                    self.scored[name].append(Scored(question=question, asked=asked, turns=turns))
                    self._show(name)
                    if self._cancel.is_set():
                        raise Interrupted

    def _system(self, name: str, memory: Memory, state: str, stack: ExitStack) -> System:
        if name == OURS:
            # Half minutes are what counts there; turns and moments have lengths of their own.
            passage_s = LONGEST_NS / NS_PER_S if self._dataset.unit == "spans" else None
            answers = self._reasoner != "none"
            return stack.enter_context(MemorySystem(memory, self._settings, answers=answers, passage_s=passage_s))
        vectors = self._folder / "cache" / f"{state}.npz"
        made = make_baseline(name, memory, self._settings, reasoner=self._reasoner, cache=vectors)
        return stack.enter_context(made)

    def _show(self, name: str) -> None:
        if self._progress is not None:
            done, total = len(self.scored[name]), len(self._dataset.questions)
            self._progress(EvalProgress(system=name, done=done, total=total, reused=self._reused[name]))


def _asked(question: Question, fingerprint: str, system: System, *, place: Place, state: str) -> Asked:
    as_of_ns = place.span(question.asked_at).t_end_ns if question.asked_at is not None else None
    recalled: list[Found] = []
    alone: list[Found] = []
    reply, error, milliseconds = None, None, 0.0
    try:
        began = time.perf_counter()
        recalled = system.recall(question.text, choices=question.choices, as_of_ns=as_of_ns, image=question.image)
        milliseconds = 1000 * (time.perf_counter() - began)
        alone = system.recall(question.text, choices=(), as_of_ns=as_of_ns) if question.choices else recalled
        if question.is_scored:
            reply = system.answer(question.text, choices=question.choices, as_of_ns=as_of_ns)
    except (ReasonerError, ConfigError):
        raise  # the endpoint is down: every other question would fail too
    except Exception as problem:  # must not cost the other thousand questions; it counts as wrong, and is shown
        logger.exception("Question %r failed.", question.question_id)
        error = f"{type(problem).__name__}: {problem}"
    spans = [(moment, place.span(moment)) for moment in question.evidence]
    return Asked(
        question_id=question.question_id,
        question=fingerprint,
        memory=state,
        as_of_ns=as_of_ns,
        evidence=tuple(
            Found(recording=span.recording, t_start_ns=span.t_start_ns, t_end_ns=span.t_end_ns, text=moment.name or "")
            for moment, span in spans
        ),
        recalled=tuple(recalled),
        recalled_question_only=tuple(alone),
        recall_milliseconds=round(milliseconds, 2),
        reply=reply,
        error=error,
    )


def _check(names: Sequence[str], reasoner: ReasonerName, settings: Settings) -> None:
    for name in names[1:]:
        if name not in BASELINES:
            raise InputError(f"There is no baseline {name!r}; known: {', '.join(BASELINES)}.")
        if name == "context" and reasoner != "chat":
            raise InputError("The baseline 'context' is read by a language model: give --reasoner chat as well.")
    if reasoner == "chat" and settings.chat.url is None:
        with ExitStack() as stack:
            compose.make_reasoner(settings, stack)  # says what to set


def _locked(folder: Path) -> WriterLock:
    """One evaluation at a time writes to a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return WriterLock(folder)
    except MemoryLockedError as error:
        raise InputError(
            f"Another evaluation is writing to {str(folder)!r}; wait for it, or name another folder with --report."
        ) from error
    except (OSError, MemoryFullError) as error:
        raise InputError(f"Cannot write records to {str(folder)!r}; name another folder with --report.") from error


def _header(dataset: Dataset, system: str, settings: Settings, reasoner: ReasonerName) -> Header:
    chat = settings.chat.model_dump(mode="json", include={"url", "model"}) if reasoner == "chat" else None
    return Header(
        format=dataset.format,
        system=system,
        settings={
            "reasoner": reasoner,
            "chat": chat,
            "models": settings.models.model_dump(mode="json"),
            "planner": settings.planner.model_dump(mode="json"),
            "code": _code_fingerprint(),
        },
    )


@cache
def _code_fingerprint() -> str:
    """Of everything that an answer depends on: a record of other code is not this code's answer."""
    import planners
    import streammem

    digest = hashlib.sha256(json.dumps(streammem.__version__).encode())
    roots = [Path(package.__path__[0]) for package in (streammem, planners)]
    roots.append(roots[0].parent / "perception")
    left_out = {"cli", "formats"}
    for root in roots:
        for path in sorted(root.rglob("*.py")):
            inner = path.relative_to(root).parts
            if not left_out & set(inner) and path.name not in {"report.py", "plots.py", "synth.py", "metrics.py"}:
                digest.update("/".join(inner).encode() + path.read_bytes())
    return digest.hexdigest()[:12]
