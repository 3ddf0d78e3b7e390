"""`streammem ingest`: watch recordings and remember them, with a progress bar on a terminal."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from streammem.app.cli.options import ConfigOption, JsonOption, MemoryOption
from streammem.app.cli.output import counted, notice, print_json, quoted, stderr_console, stdout_console

if TYPE_CHECKING:
    from rich.progress import TaskID

    from perception.pipeline import IngestProgress, IngestReport


def ingest(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Video, sound or caption files, folders of them, a camera's number, or an rtsp:// or http:// address.",
        ),
    ],
    memory: MemoryOption,
    config: ConfigOption = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            metavar="ISO-8601",
            help="When the recording began. `recorded` takes it from the file. [default: times count from 0]",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Remember anew what was forgotten of these recordings.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Watch recordings and remember them. Run again after an interruption, it goes on where it stopped."""
    from streammem.app import api
    from streammem.app.records import ingested_record

    with _cancel_on_signals() as stop, IngestBars() as progress:
        done = api.ingest(
            sources,
            memory=memory,
            config=config,
            start=start,
            again=again,
            progress=progress.show,
            cancel=stop.cancel,
        )
    if as_json:
        print_json(ingested_record(done, memory=memory))
    else:
        for report in done.recordings:
            stdout_console().print(_sentence(report), soft_wrap=True)
    for failure in done.failed:
        notice(failure.problem)
    for report in done.recordings:
        if report.problem is not None:
            notice(report.problem)
    if done.is_interrupted:
        notice("interrupted; everything committed so far is kept. Run the same command again to go on.")
        raise typer.Exit(128 + stop.number)
    if done.failed or any(report.problem for report in done.recordings):
        raise typer.Exit(2)


def _sentence(report: IngestReport) -> str:
    name = quoted(report.recording).plain
    if report.status == "already in memory":
        return f"{name}: already in memory ({report.duration_s:.0f} s)."
    rate = report.duration_s / report.seconds if report.seconds > 0 else 0.0
    text = (
        f"{name}: {report.status}, {report.duration_s:.0f} s in {report.seconds:.1f} s ({rate:.1f}x real time), "
        f"{counted(report.events, 'event')}, {counted(report.observations, 'observation')}, "
        f"{counted(report.keyframes, 'key frame')}."
    )
    if report.gaps:
        text += f" {counted(len(report.gaps), 'gap')}: " + "; ".join(gap.reason for gap in report.gaps[:3]) + "."
    if report.dropped:
        text += f" {counted(report.dropped, 'item')} dropped because perception was too slow."
    return text


class IngestBars:
    """One bar per recording, with rate and time left; silent where stderr is not a terminal."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[position]}"),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[events]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=stderr_console(),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> IngestBars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, at: IngestProgress) -> None:
        """Moves the recording's bar; makes it when it is new."""
        if self._bars.disable:
            return
        from rich.markup import escape

        task = self._tasks.get(at.recording)
        if task is None:
            task = self._bars.add_task(escape(at.recording), total=at.duration_s, position="", rate="", events="")
            self._tasks[at.recording] = task
        speed = self._bars.tasks[self._bars.task_ids.index(task)].speed
        self._bars.update(
            task,
            completed=at.position_s,
            position=f"{at.position_s:.0f} s" + (f" of {at.duration_s:.0f} s" if at.duration_s else ""),
            rate=f"{speed:.1f}x real time" if speed else "",
            events=counted(at.events, "event"),
        )


class _Stop:
    """Which signal asked to stop, if one did."""

    def __init__(self) -> None:
        self.cancel = threading.Event()
        self.number = 0

    def ask(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        del frame
        if self.cancel.is_set():
            raise KeyboardInterrupt
        self.number = number
        self.cancel.set()


@contextmanager
def _cancel_on_signals() -> Generator[_Stop]:
    """The first Ctrl-C (or SIGTERM) asks the pipeline to stop at a clean point; the second stops at once."""
    stop = _Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
