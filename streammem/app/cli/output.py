"""What reaches the terminal: JSON or rich tables on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from streammem.timeline import format_offset, seconds_to_ns

_PIPED_WIDTH = 120
"""Columns where there is no terminal to ask."""


def stdout_console() -> Console:
    """For answers and tables. Colours only on a terminal."""
    return Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH, highlight=False, soft_wrap=False)


def stderr_console() -> Console:
    """For progress and notices."""
    return Console(stderr=True, highlight=False)


def print_json(value: object) -> None:
    """One JSON value and a newline on stdout. Letters outside ASCII are written as they are where stdout can."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(value, ensure_ascii=not is_unicode, indent=1, allow_nan=False) + "\n")


def notice(sentence: str) -> None:
    """One line on stderr."""
    print(f"streammem: {sentence}", file=sys.stderr)


def table(*columns: str) -> Table:
    """An unframed table; columns whose name ends in `>` are right-aligned."""
    made = Table(box=None, pad_edge=False, header_style="dim", show_edge=False)
    for column in columns:
        name = column.removesuffix(">")
        made.add_column(name, justify="right" if name != column else "left", no_wrap=name in {"when", "recording"})
    return made


def quoted(text: str, *, limit: int = 200) -> Text:
    """What was seen or heard, as it is: never read as markup, control characters made visible, long text cut."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    return Text(clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…")


def span(t_start_s: float, t_end_s: float) -> str:
    """`0:00:06` to `0:00:09`, with an en dash between."""
    return "\N{EN DASH}".join(format_offset(seconds_to_ns(t_s)) for t_s in (t_start_s, t_end_s))


def counted(number: int, noun: str) -> str:
    """`1 event`, `2 events`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def bytes_text(size: float) -> str:
    """`12.3 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
