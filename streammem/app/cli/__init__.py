"""The command line: `streammem ingest | ask | search | facts | timeline | info | compact | export |
forget | eval`. A file per command.

Holds no logic that a test of the library would want: parses, calls `streammem.app.api`, prints. Importing it costs
typer and rich; models and tables are imported inside the commands.

Exit codes: 0 done; 1 a bug (`--debug` shows where); 2 a StreamMemError or a wrong command line, said in one sentence,
also where one of several sources failed (the others are kept); 130 interrupted (143 by SIGTERM), with everything
committed kept. A live stream that is stopped with Ctrl-C has come to its end: 0.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from typing import Annotated

import typer

from streammem import __version__
from streammem.app.cli import ask, compact, eval, export, facts, forget, info, ingest, search, timeline
from streammem.app.cli.output import notice
from streammem.errors import StreamMemError

_INTERRUPTED = 130
_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]
"""Typer's own base of everything that is wrong with a command line; it has no public name."""

app = typer.Typer(
    name="streammem",
    help="Watches recordings, remembers them, and answers about them with evidence.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for command in (
    *(ingest.ingest, ask.ask, search.search, facts.facts, timeline.timeline, info.info, compact.compact),
    *(export.export, forget.forget),
):
    app.command()(command)
app.add_typer(eval.app)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"streammem {__version__}")
        raise typer.Exit


@app.callback()
def streammem(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and the log (or STREAMMEM_DEBUG=1).")] = False,
) -> None:
    """Watches recordings, remembers them, and answers about them with evidence."""
    del version, debug  # `run` has read them


def main() -> None:
    """The `streammem` program."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `streammem timeline | head` ends quietly
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code."""
    # Spinning OpenMP threads starve each other on small machines; it has to be set before any of them starts.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    debug = "--debug" in arguments or os.environ.get("STREAMMEM_DEBUG", "") not in {"", "0"}
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.ERROR,
        format="%(levelname)s %(name)s: %(message)s" if debug else "streammem: %(message)s.",
    )
    if not debug:
        logging.getLogger("perception.sources").setLevel(logging.WARNING)  # what was skipped in a recording, and why
        warnings.simplefilter("ignore")
    try:
        # --debug may stand anywhere on the line.
        code = app(args=[word for word in arguments if word != "--debug"], prog_name="streammem", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        notice("interrupted; everything committed so far is kept.")
        return _INTERRUPTED
    except typer.Exit as error:
        return error.exit_code
    except _USAGE_ERROR as error:
        notice(_usage_sentence(error))
        return 2
    except StreamMemError as error:
        if debug:
            logging.getLogger(__name__).exception("The command failed.")
        notice(str(error))
        return 2
    except Exception as error:
        if debug:
            raise
        first_line = (str(error).splitlines() or [""])[0]
        notice(f"stopped by an unexpected {type(error).__name__}: {first_line} (run again with --debug to see where).")
        return 1


def _usage_sentence(error: Exception) -> str:
    sentence = " ".join(getattr(error, "format_message", lambda: str(error))().split())
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", None) or "streammem"
    return f"{sentence.rstrip('.')}; see '{command} --help'."
