"""`streammem forget`: remove a recording, a span, a person or object, or what says a text, from everything."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from streammem.app.cli.options import AfterOption, BeforeOption, ConfigOption, JsonOption, MemoryOption, RecordingOption
from streammem.app.cli.output import counted, notice, print_json, quoted, span, stdout_console

if TYPE_CHECKING:
    from streammem.app.records import ForgottenRecord

_SPANS_SHOWN = 10


def forget(
    memory: MemoryOption,
    recording: RecordingOption = None,
    after: AfterOption = None,
    before: BeforeOption = None,
    about: Annotated[
        str | None,
        typer.Option("--about", metavar="NAME", help="A person or an object: labelled, speaking, or named."),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", metavar="WORDS", help="What was said or read.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget: gone from every table, picture, index and old version. It cannot be undone.

    Everything given must hold: `--recording NAME` alone forgets all of it, with `--text` only what says that. What was
    forgotten does not come back when the same file is ingested again, unless `ingest --again` asks for it.
    """
    from streammem.app import api
    from streammem.app.records import forgotten_record, recording_starts
    from streammem.errors import InputError

    with api.open_memory(memory, write=not dry_run, config=config) as opened:

        def run(*, dry_run: bool) -> ForgottenRecord:
            starts = recording_starts(opened)
            done = api.forget(
                memory=opened, recording=recording, after=after, before=before, about=about, text=text, dry_run=dry_run
            )
            return forgotten_record(done, starts)

        if not dry_run and not yes:
            if not sys.stdin.isatty():
                raise InputError("Forgetting cannot be undone: add --yes to do it, or --dry-run to see what would go.")
            planned = run(dry_run=True)
            if not _is_nothing(planned):
                _show(planned, "Would forget")
                if not typer.confirm("Forget this for good?", err=True):
                    notice("nothing was forgotten.")
                    raise typer.Exit(1)
        record = run(dry_run=dry_run)
    if as_json:
        print_json(record)
    else:
        _show(record, "Would forget" if dry_run else "Forgot")


def _is_nothing(record: ForgottenRecord) -> bool:
    return not any(record["rows"].values()) and not record["retold"]


def _show(record: ForgottenRecord, verb: str) -> None:
    console = stdout_console()
    if _is_nothing(record):
        console.print("Nothing in memory fits.")
        return
    rows = ", ".join(counted(count, name.removesuffix("s")) for name, count in record["rows"].items() if count)
    told = f"; {counted(record['retold'], 'text')} told anew without it" if record["retold"] else ""
    console.print(f"{verb} {rows or 'no row'}{told}.", soft_wrap=True)
    for name, spans in record["spans"].items():
        shown = ", ".join(span(one["t_start_s"], one["t_end_s"]) for one in spans[:_SPANS_SHOWN])
        more = f" and {len(spans) - _SPANS_SHOWN:,} more" if len(spans) > _SPANS_SHOWN else ""
        console.print(quoted(f"  {name}: {shown}{more}"), soft_wrap=True)
