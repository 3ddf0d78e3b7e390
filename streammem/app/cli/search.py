"""`streammem search`: spans of recordings that match a text or a picture, best first."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from streammem.app.cli.options import (
    AfterOption,
    BeforeOption,
    ConfigOption,
    JsonOption,
    MemoryOption,
    RecordingOption,
)
from streammem.app.cli.output import print_json, quoted, span, stdout_console, table


class Spans(StrEnum):
    AUTO = "auto"
    LINES = "lines"
    PASSAGES = "passages"


def search(
    memory: MemoryOption,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", show_default=False)] = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, max=1000, help="How many results at most.")] = 10,
    image: Annotated[
        Path | None, typer.Option("--image", metavar="FILE", help="A picture: find moments that look like it.")
    ] = None,
    after: AfterOption = None,
    before: BeforeOption = None,
    recording: RecordingOption = None,
    spans: Annotated[
        Spans, typer.Option("--spans", help="Single lines, or half minutes. auto: half minutes where lines are dense.")
    ] = Spans.AUTO,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find moments by what was said, seen or written in them, or by how they look."""
    from streammem.app import api
    from streammem.app.records import hit_record, recording_starts
    from streammem.types import attributed

    with api.open_memory(memory, config=config) as opened:
        hits = api.search(
            text,
            memory=opened,
            k=k,
            image=image,
            after=after,
            before=before,
            recording=recording,
            spans=spans.value,
            config=config,
        )
        starts = recording_starts(opened)
    records = [hit_record(hit, starts) for hit in hits]
    if as_json:
        print_json(records)
        return
    if not records:
        stdout_console().print("Nothing found.")
        return
    rows = table("when", "recording", "from", "score>", "text")
    for hit, record in zip(hits, records, strict=True):
        cells = [
            span(record["t_start_s"], record["t_end_s"]),
            quoted(record["recording"]),
            record["modality"].replace("_", " "),
            f"{record['score']:.2f}",
        ]
        rows.add_row(*cells, quoted(attributed(hit.text, hit.speaker)))
    stdout_console().print(rows)
