"""`streammem timeline`: what a memory holds, in order of time, at one level of detail."""

from __future__ import annotations

from typing import Annotated

import typer

from streammem.app.cli.options import AfterOption, BeforeOption, JsonOption, MemoryOption, RecordingOption
from streammem.app.cli.output import print_json, quoted, span, stdout_console, table
from streammem.types import Level


def timeline(
    memory: MemoryOption,
    level: Annotated[Level, typer.Option("--level", "-l", help="How fine.")] = Level.EVENT,
    after: AfterOption = None,
    before: BeforeOption = None,
    recording: RecordingOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what happened, in order of time, at one level of detail."""
    from streammem.app import api
    from streammem.app.records import event_record, recording_starts
    from streammem.timeline import format_time

    with api.open_memory(memory) as opened:
        events = api.timeline(memory=opened, level=level, after=after, before=before, recording=recording)
        starts = recording_starts(opened)
    records = [event_record(event, starts) for event in events]
    if as_json:
        print_json(records)
        return
    console = stdout_console()
    if not records:
        console.print(f"No {level.value} there.")
        return
    rows = table("when", "what")
    shown: str | None = None
    for record in records:
        if record["recording"] != shown:
            shown = record["recording"]
            rows.add_row("", quoted(f"{shown}, from {format_time(starts[shown])}"), style="bold")
        rows.add_row(span(record["t_start_s"], record["t_end_s"]), quoted(record["text"], limit=400))
    console.print(rows)
