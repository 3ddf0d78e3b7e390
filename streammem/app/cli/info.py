"""`streammem info`: which recordings a memory holds, what is missing from them, and how big it is."""

from __future__ import annotations

from streammem.app.cli.options import JsonOption, MemoryOption
from streammem.app.cli.output import bytes_text, counted, print_json, quoted, span, stdout_console, table


def info(memory: MemoryOption, as_json: JsonOption = False) -> None:
    """Say what a memory holds: recordings, gaps, rows, bytes, models."""
    from streammem.app import api
    from streammem.app.records import info_record
    from streammem.timeline import format_offset, format_time

    with api.open_memory(memory) as opened:
        recordings = opened.recordings()
        record = info_record(opened, memory)
    if as_json:
        print_json(record)
        return
    console = stdout_console()
    console.print(f"{memory}: {counted(len(recordings), 'recording')}, {bytes_text(record['bytes'])}", markup=False)
    if recordings:
        rows = table("recording", "status", "starts", "lasts>", "sees", "hears", "gaps>", "dropped>")
        for one, shown in zip(recordings, record["recordings"], strict=True):
            rows.add_row(
                quoted(one.recording),
                shown["status"],
                format_time(one.t_start_ns),
                format_offset(one.t_end_ns - one.t_start_ns),
                "yes" if one.has_video else "no",
                "yes" if one.has_audio else "no",
                str(len(one.gaps)),
                str(one.dropped),
            )
        console.print(rows)
        for one in record["recordings"]:
            for gap in one["gaps"]:
                where = f"gap in {one['recording']}, {span(gap['t_start_s'], gap['t_end_s'])}"
                console.print(quoted(f"{where}: {gap['reason']}"))
        models = {f"{role} {name}" for one in recordings for role, name in one.models.items() if role != "config"}
        console.print("models: " + ", ".join(sorted(models)), markup=False)
    console.print("rows: " + ", ".join(f"{n:,} {what}" for what, n in record["rows"].items()), markup=False)
