"""`streammem compact`: merge a memory's small files, refresh its indexes and drop its old versions."""

from __future__ import annotations

from streammem.app.cli.options import JsonOption, MemoryOption
from streammem.app.cli.output import bytes_text, print_json


def compact(memory: MemoryOption, as_json: JsonOption = False) -> None:
    """Make a memory smaller and quicker. What it holds stays the same."""
    from streammem.app import api

    with api.open_memory(memory, write=True) as opened:
        done = opened.compact()
    if as_json:
        print_json(done)
    else:
        print(f"{memory}: {bytes_text(done['bytes_before'])} before, {bytes_text(done['bytes_after'])} now.")
