"""`streammem eval`: a benchmark's questions asked of a memory and scored, one command per format.

streammem eval egolife PATH --memory DIR [--report DIR]
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from streammem.app.cli.options import ConfigOption, JsonOption, MemoryOption
from streammem.app.cli.output import counted, notice, print_json, stderr_console, stdout_console, table
from streammem.app.evaluation.formats import FORMATS

if TYPE_CHECKING:
    from streammem.app.evaluation.run import EvalProgress, Evaluation

app = typer.Typer(
    name="eval",
    help="Ask a benchmark's questions of a memory, and score what it recalls and answers.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


def _command(name: str) -> Callable[..., None]:
    def evaluate(
        path: Annotated[Path, typer.Argument(metavar="PATH", help="The benchmark's folder or file.")],
        memory: MemoryOption,
        questions: Annotated[
            Path | None, typer.Option("--questions", metavar="FILE", help="Another file of questions than PATH's.")
        ] = None,
        limit: Annotated[int | None, typer.Option("--limit", metavar="N", help="Only the first N questions.")] = None,
        reasoner: Annotated[
            Literal["extractive", "chat", "none"] | None,
            typer.Option("--reasoner", help="`none` measures recall alone. [default: the config's, extractive]"),
        ] = None,
        baseline: Annotated[
            list[str] | None,
            typer.Option(
                "--baseline", metavar="NAME", help="Compare with `text`, `dense`, `uniform` or `context`; repeatable."
            ),
        ] = None,
        report: Annotated[
            Path | None,
            typer.Option("--report", metavar="DIR", help="Records, summary.json and report.html go there."),
        ] = None,
        fresh: Annotated[bool, typer.Option("--fresh", help="Ask again what was asked before.")] = False,
        config: ConfigOption = None,
        as_json: JsonOption = False,
    ) -> None:
        from streammem.app.cli.ingest import IngestBars  # the same bar as `streammem ingest`
        from streammem.app.evaluation.evaluate import evaluate as run_evaluation

        with _cancel_on_signals() as stop, IngestBars() as ingesting, _Bars() as bars:
            done = run_evaluation(
                name,
                path,
                memory=memory,
                questions=questions,
                limit=limit,
                reasoner=reasoner,
                baselines=tuple(baseline or ()),
                report=report,
                config=config,
                fresh=fresh,
                notice=notice,
                ingest_progress=ingesting.show,
                progress=bars.show,
                cancel=stop,
            )
        if as_json:
            print_json(done.summary)
        else:
            _show(done)
        if done.is_interrupted:
            notice("interrupted; what was asked is kept. Run the same command again to go on.")
            raise typer.Exit(130)

    evaluate.__doc__ = FORMATS[name]
    return evaluate


for _name in FORMATS:
    app.command(_name)(_command(_name))


_COLUMNS = (
    *("", "accuracy>", "recall@1>", "@5>", "@10>", "@50>", "±60 s @10>"),
    *("MRR>", "leaks>", "p50 ms>", "calls>"),
)


@app.command("synth")
def synth(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Background, and needles without --needle.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder for the test.")],
    hours: Annotated[float, typer.Option("--hours", metavar="H", help="How long the test is.")] = 1.0,
    needles: Annotated[int, typer.Option("--needles", metavar="N", help="How many clips are hidden in it.")] = 5,
    needle: Annotated[
        list[Path] | None,
        typer.Option("--needle", metavar="VIDEO", help="Cut the clips from this video instead; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="The same seed makes the same test.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Make a needle test: clips of 10 s at known moments of hours of background, and questions about them."""
    from dataclasses import asdict

    from streammem.app.evaluation.synth import synthesise

    with _Steps() as steps:
        made = synthesise(
            videos,
            out=out,
            hours=hours,
            needles=needles,
            seed=seed,
            needle_videos=tuple(needle or ()),
            progress=steps.show,
        )
    if as_json:
        print_json({**asdict(made), "folder": str(made.folder)})
        return
    stdout_console().print(
        f"{made.folder}: {made.hours:g} h, {counted(made.needles, 'needle')}, {counted(made.questions, 'question')}; "
        f"the background is played {made.background_repeated:g} times. Run `streammem eval jsonl {made.folder} "
        "--memory DIR`.",
        soft_wrap=True,
        markup=False,
    )


class _Steps:
    """One bar per step of making a test; silent where stderr is not a terminal."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=stderr_console(),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> _Steps:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, what: str, done: float, total: float) -> None:
        """Moves the bar of a step."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[what], completed=done)


def _show(done: Evaluation) -> None:
    console = stdout_console()
    rows = table(*_COLUMNS)
    for name, each in done.summaries.items():
        recall, near = each["evidence_recall"], each["evidence_recall_within_60s"]
        values = [each["accuracy"], recall["1"], recall["5"], recall["10"], recall["50"], near["10"], each["mrr"]]
        rows.add_row(
            "StreamMem" if name == "memory" else name,
            *(_figure(value) for value in values),
            str(each["leakage"]),
            _figure(each["latency_ms"]["p50"]),
            str(each["model_calls"]),
        )
    console.print(rows)
    console.print(
        f"{counted(done.summary['questions'], 'question')}; records in {done.folder}", style="dim", markup=False
    )


def _figure(value: Any) -> str:
    return "-" if value is None else f"{value:.1f}"


class _Bars:
    """One bar per system, with questions per second and time left; silent where stderr is not a terminal."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=stderr_console(),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, at: EvalProgress) -> None:
        """Moves the system's bar. Started late, so that it does not fight with the bar of an ingest."""
        if self._bars.disable:
            return
        self._bars.start()
        if at.system not in self._tasks:
            self._tasks[at.system] = self._bars.add_task(at.system, total=at.total, rate="")
        task = self._tasks[at.system]
        speed = self._bars.tasks[self._bars.task_ids.index(task)].speed
        self._bars.update(task, completed=at.done, rate=f"{speed:.1f} questions/s" if speed else "")


@contextmanager
def _cancel_on_signals() -> Generator[threading.Event]:
    """The first Ctrl-C (or SIGTERM) stops after the question at hand; the second at once."""
    cancel = threading.Event()

    def ask(number: int, frame: object) -> None:
        del number, frame
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
