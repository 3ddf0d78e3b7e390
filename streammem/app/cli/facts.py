"""`streammem facts`: what is known of people and things, since when, until when, and who said so."""

from __future__ import annotations

from typing import Annotated

import typer

from streammem.app.cli.options import TIME_HELP, JsonOption, MemoryOption, RecordingOption
from streammem.app.cli.output import print_json, quoted, stdout_console, table


def facts(
    memory: MemoryOption,
    subject: Annotated[
        str | None, typer.Argument(metavar="SUBJECT", show_default=False, help="Only of this person or thing.")
    ] = None,
    predicate: Annotated[
        str | None, typer.Option("--predicate", "-p", metavar="WORDS", help='For example "lives in".')
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="TIME",
            help=f"Only what held then, as it was known then. {TIME_HELP}",
        ),
    ] = None,
    recording: RecordingOption = None,
    as_json: JsonOption = False,
) -> None:
    """List facts, also those that no longer hold, with who said so."""
    from streammem.app import api
    from streammem.app.records import fact_record
    from streammem.timeline import format_time

    with api.open_memory(memory) as opened:
        found = api.facts(subject, memory=opened, predicate=predicate, as_of=as_of, recording=recording)
        starts = {one.recording: one.t_start_ns for one in opened.recordings()}
    if as_json:
        print_json([fact_record(one, starts) for one in found])
        return
    if not found:
        stdout_console().print("No facts there.")
        return
    rows = table("since", "until", "what", "said by", "times>", "sure>")
    for one in found:
        rows.add_row(
            format_time(one.t_from_ns),
            "" if one.t_to_ns is None else format_time(one.t_to_ns),
            quoted(f"{one.subject} {one.predicate} {one.object}"),
            quoted(", ".join(one.stated_by)),
            str(one.count),
            f"{one.confidence:.2f}",
        )
    stdout_console().print(rows)
