"""`streammem ask`: answer a question from a memory, with the evidence it rests on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from streammem.app.cli.options import AsOfOption, ConfigOption, JsonOption, MemoryOption
from streammem.app.cli.output import counted, print_json, quoted, span, stdout_console, table


def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION")],
    memory: MemoryOption,
    as_of: AsOfOption = None,
    choice: Annotated[
        list[str] | None, typer.Option("--choice", metavar="TEXT", help="A possible answer; give several.")
    ] = None,
    reasoner: Annotated[
        Literal["extractive", "chat"] | None,
        typer.Option(
            "--reasoner", help="`chat` asks the endpoint in STREAMMEM_CHAT_URL. [default: the config's, extractive]"
        ),
    ] = None,
    frames: Annotated[
        Path | None,
        typer.Option("--frames", metavar="DIR", help="Write the evidence's pictures there; `frame` is their path."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from what was remembered, or say that it is not in memory."""
    from rich.panel import Panel

    from streammem.app import api
    from streammem.app.records import answer_record

    with api.open_memory(memory, config=config) as opened:
        answer = api.ask(
            question, memory=opened, choices=tuple(choice or ()), as_of=as_of, reasoner=reasoner, config=config
        )
        record = answer_record(answer, opened, frames_folder=frames)
    if as_json:
        print_json(record)
        return
    console = stdout_console()
    console.print(Panel(quoted(answer.text, limit=2000), title=None if answer.answerable else "not in memory"))
    if answer.choice is not None and choice:
        console.print(f"choice {answer.choice}: {choice[answer.choice]}", markup=False)
    spent = answer.spent
    console.print(
        f"confidence {answer.confidence:.2f} · {answer.stopped} · {spent.seconds:.1f} s"
        + (f" · {counted(spent.model_calls, 'model call')}, {spent.tokens:,} tokens" if spent.model_calls else "")
        + (f" · looked again at {spent.looked_again_s:.0f} s of the recording" if spent.looked_again_s else ""),
        style="dim",
        markup=False,
    )
    if not record["evidence"]:
        return
    rows = table("when", "recording", "from", "score>", "evidence", *(["frame"] if frames else []))
    for item in record["evidence"]:
        cells = [
            span(item["t_start_s"], item["t_end_s"]),
            quoted(item["recording"]),
            item["modality"].replace("_", " "),
            f"{item['score']:.2f}",
        ]
        rows.add_row(*cells, quoted(item["text"]), *([item["frame"] or ""] if frames else []))
    console.print(rows)
