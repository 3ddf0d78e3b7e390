"""Cues as SRT, WebVTT and JSON Lines: text formats that players show, and that StreamMem reads back as a caption track.

Knows no memory. WebVTT: https://www.w3.org/TR/webvtt1/ (cue text escapes `&`, `<` and `>`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

CueFormat = Literal["srt", "vtt", "jsonl"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """A line of text shown from `start_s` until `end_s`, seconds from the start of its recording."""

    recording: str
    start_s: float
    end_s: float
    kind: Literal["speech", "caption"]
    text: str
    speaker: str | None = None


def format_cues(cues: Iterable[Cue], *, file_format: CueFormat) -> str:
    """The whole file as text. Cues should come in order of time."""
    if file_format == "jsonl":
        return "".join(_json_line(cue) for cue in cues)
    mark = "," if file_format == "srt" else "."
    blocks = ["WEBVTT\n"] if file_format == "vtt" else []
    for number, cue in enumerate(cues, start=1):
        text = _lines(cue.text)
        if file_format == "vtt":
            text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            if cue.speaker:
                text = f"<v {_one_line(cue.speaker)}>{text}"
        elif cue.speaker:
            text = f"{_one_line(cue.speaker)}: {text}"
        blocks.append(f"{number}\n{_clock(cue.start_s, mark)} --> {_clock(cue.end_s, mark)}\n{text}\n")
    return "\n".join(blocks)


def _json_line(cue: Cue) -> str:
    record: dict[str, object] = {"start": cue.start_s, "end": cue.end_s, "kind": cue.kind, "text": cue.text}
    if cue.speaker:
        record["speaker"] = cue.speaker
    return json.dumps(record | {"recording": cue.recording}, ensure_ascii=False) + "\n"


def _lines(text: str) -> str:
    """A blank line would end the cue, and `-->` would begin another."""
    return "\n".join(line for line in text.replace("-->", "→").splitlines() if line.strip())


def _one_line(text: str) -> str:
    return " ".join(text.replace("<", "").replace(">", "").split())


def _clock(seconds: float, mark: str) -> str:
    """`HH:MM:SS,mmm`; what lies before the start is shown at the start."""
    milliseconds = max(0, round(seconds * 1000))
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{mark}{rest % 1000:03d}"
