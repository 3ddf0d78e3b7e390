"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MemoryOption = Annotated[
    Path,
    typer.Option(
        "--memory",
        "-m",
        envvar="STREAMMEM_MEMORY",
        show_envvar=True,
        metavar="DIR",
        help="The memory's folder.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else there.")]
ConfigOption = Annotated[
    str | None,
    typer.Option("--config", "-c", metavar="NAME|FILE", help="A shipped config, or a YAML file. [default: embedded]"),
]
RecordingOption = Annotated[
    str | None, typer.Option("--recording", "-r", metavar="NAME", help="Only this recording; see `streammem info`.")
]
TIME_HELP = "Seconds, H:MM:SS (both from where the recordings start), or ISO-8601."
AfterOption = Annotated[str | None, typer.Option("--after", metavar="TIME", help=f"Only what ends later. {TIME_HELP}")]
BeforeOption = Annotated[
    str | None, typer.Option("--before", metavar="TIME", help=f"Only what starts earlier. {TIME_HELP}")
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIME", help=f"Answer as at that moment: nothing later is used. {TIME_HELP}"),
]
