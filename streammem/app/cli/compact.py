"""`streammem compact`: merge a memory's small files, refresh its indexes and drop its old versions."""

from __future__ import annotations

from streammem.app.cli.options import JsonOption, MemoryOption
from streammem.app.cli.output import bytes_text, print_json


def compact(memory: MemoryOption, as_json: JsonOption = False) -> None:
    """Make a memory smaller and quicker. What it holds stays the same, but for facts that a config lets fade."""
    from streammem.app import api
    from streammem.settings import load_settings

    forgetting = load_settings().forgetting
    with api.open_memory(memory, write=True) as opened:
        faded = opened.fade(forgetting) if forgetting.is_on else None
        done = opened.compact()
    if as_json:
        print_json(done if faded is None else done | {"faded": [one.why for one in faded.fading]})
    else:
        for one in faded.fading if faded is not None else ():
            print(f"forgotten: {one.why}")
        print(f"{memory}: {bytes_text(done['bytes_before'])} before, {bytes_text(done['bytes_after'])} now.")
