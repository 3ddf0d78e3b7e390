"""`streammem export`: speech or events as SRT, WebVTT or JSON Lines, to stdout or a file; the spatial memory as a Rerun
recording, a scene graph or a point cloud, to a file."""

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
        Literal["srt", "vtt", "jsonl", "rrd", "dsg", "ply"],
        typer.Option(
            "--format",
            "-f",
            help="SRT, WebVTT, or JSON Lines. Of a robot: rrd (Rerun: map, path, places, things and changes on a "
            "timeline), dsg (scene graph as spark_dsg JSON), ply (the map's surface).",
        ),
    ] = "srt",
    what: Annotated[Literal["speech", "events"], typer.Option("--what", help="The words said, or every event.")] = (
        "speech"
    ),
    recording: RecordingOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write. [default: stdout]")
    ] = None,
) -> None:
    """Write speech or events as subtitles or JSON Lines, which `streammem ingest` reads back; or what a robot knows of
    space, for other programs."""
    from streammem.app import api
    from streammem.app.subtitles import format_cues
    from streammem.errors import InputError

    if file_format in ("rrd", "dsg", "ply"):
        if output is None:
            raise InputError(f"A file of format {file_format!r} is not for the terminal; say where with --output FILE.")
        count, what_it_is = api.export_space(memory=memory, file_format=file_format, output=output, recording=recording)
        notice(f"wrote {counted(count, what_it_is)} to {output}.")
        return
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
