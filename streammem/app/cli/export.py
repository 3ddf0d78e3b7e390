"""`streammem export`: speech or events as SRT, WebVTT or JSON Lines, to stdout or a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from streammem.app.cli.options import MemoryOption, RecordingOption
from streammem.app.cli.output import counted, notice


def export(
    memory: MemoryOption,
    file_format: Annotated[
        Literal["srt", "vtt", "jsonl"], typer.Option("--format", "-f", help="SRT, WebVTT, or JSON Lines.")
    ] = "srt",
    what: Annotated[Literal["speech", "events"], typer.Option("--what", help="The words said, or every event.")] = (
        "speech"
    ),
    recording: RecordingOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write. [default: stdout]")
    ] = None,
) -> None:
    """Write speech or events as subtitles or JSON Lines. `streammem ingest` reads each of them back."""
    from streammem.app import api
    from streammem.app.subtitles import format_cues
    from streammem.errors import InputError

    with api.open_memory(memory) as opened:
        cues = api.cues(memory=opened, what=what, recording=recording, one_recording=file_format != "jsonl")
    text = format_cues(cues, file_format=file_format)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"Cannot write {str(output)!r}: {error.strerror}.") from error
    notice(f"wrote {counted(len(cues), 'line')} to {output}.")
