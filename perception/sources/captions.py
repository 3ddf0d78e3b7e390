"""Caption tracks as a stream of lines in order of time: SubRip, WebVTT, JSON Lines (also gzipped).

Knows text files only. JSON Lines hold `{"start": seconds, "end": seconds, "kind": "caption"|"transcript"|"speech",
"text": ..., "speaker": optional}`. Reads line by line; lines up to `_REORDER_S` out of order are put in order, with at
most `_REORDER_LINES` held. Malformed lines are counted and named once in the log. 124,613 JSON lines take about 1 s.
"""

from __future__ import annotations

import gzip
import heapq
import html
import json
import logging
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Literal, TypeGuard, cast

from perception.protocols import TrackLine
from perception.sources.container import caption_suffix, check_file
from streammem.errors import SourceError
from streammem.types import NS_PER_S

logger = logging.getLogger(__name__)

_REORDER_S = 120.0
_REORDER_LINES = 4096

_KINDS: dict[str, Literal["speech", "caption"]] = {"caption": "caption", "transcript": "speech", "speech": "speech"}

_CUE_TIMES = re.compile(
    r"^\s*(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})\s*-->\s*(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})(?:\s.*)?$"
)
_MARKUP = re.compile(r"</?[A-Za-z0-9][^<>]*>|\{\\[^}]*\}")
_VOICE = re.compile(r"^<v(?:\.[^\s>]*)?\s+([^>]+)>")
_SPEAKER = re.compile(r"^([A-Z][\w'-]{0,19}(?: [A-Z][\w'-]{0,19}){0,2}): +(?=\S)")
"""One to three capitalised words and a colon. Conservative: `12:30` and `and then: ...` are no speakers."""
_NO_SPEAKERS = frozenset(
    {"Note", "Warning", "Question", "Answer", "Time", "Chapter", "Step", "Example", "Http", "Https"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bad:
    line_number: int
    why: str


class CaptionTrack:
    """A caption file, opened. Reading it twice is allowed; `malformed` counts the lines of the newest reading."""

    def __init__(self, path: Path) -> None:
        """Raises:
        SourceError: the file is missing, empty, not text, or holds no good line.
        """
        check_file(path)
        suffix = caption_suffix(path)
        if suffix is None:
            raise SourceError(f"{str(path)!r} is no caption track; use .srt, .vtt, .jsonl or .jsonl.gz.")
        self.path = path
        self.malformed = 0
        self._suffix = suffix
        first_bad: _Bad | None = None
        for entry in self._entries():
            if isinstance(entry, TrackLine):
                return
            first_bad = first_bad or entry
        reason = f"line {first_bad.line_number}: {first_bad.why}" if first_bad else "it has no lines"
        raise SourceError(f"Caption track {str(path)!r} has no usable line ({reason}); check its format.")

    def lines(self, *, from_ns: int = 0) -> Iterator[TrackLine]:
        """Lines that start at or after `from_ns`, in order of start.

        Raises:
            SourceError: the file can no longer be read.
        """
        held: list[tuple[int, int, TrackLine]] = []
        first_bad: _Bad | None = None
        malformed = 0
        for number, entry in enumerate(self._entries()):
            if isinstance(entry, _Bad):
                malformed += 1
                first_bad = first_bad or entry
                continue
            heapq.heappush(held, (entry.t_start_ns, number, entry))
            horizon = entry.t_start_ns - int(_REORDER_S * NS_PER_S)
            while held and (held[0][0] <= horizon or len(held) > _REORDER_LINES):
                line = heapq.heappop(held)[2]
                if line.t_start_ns >= from_ns:
                    yield line
        self.malformed = malformed
        if first_bad is not None:
            logger.warning(
                "%s: %d malformed lines were skipped; the first is line %d (%s)",
                self.path.name,
                malformed,
                first_bad.line_number,
                first_bad.why,
            )
        while held:
            line = heapq.heappop(held)[2]
            if line.t_start_ns >= from_ns:
                yield line

    def _entries(self) -> Iterator[TrackLine | _Bad]:
        try:
            with self._open() as file:
                yield from _json_lines(file, self.path.name) if "jsonl" in self._suffix else _cues(file, self.path.name)
        except (OSError, EOFError) as error:
            raise SourceError(f"Caption track {str(self.path)!r} cannot be read ({error}); copy it again.") from error

    def _open(self) -> IO[str]:
        if self._suffix.endswith(".gz"):
            return TextIOWrapper(gzip.open(self.path, "rb"), encoding="utf-8-sig", errors="replace")
        return self.path.open(encoding="utf-8-sig", errors="replace")


def _json_lines(file: IO[str], source: str) -> Iterator[TrackLine | _Bad]:
    for number, line in enumerate(file, start=1):
        if line.isspace():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            yield _Bad(line_number=number, why="not JSON")
            continue
        yield _track_line(row, number, source)


def _track_line(row: Any, number: int, source: str) -> TrackLine | _Bad:
    if not isinstance(row, dict):
        return _Bad(line_number=number, why="not an object")
    fields = cast(dict[str, Any], row)
    start, end, text = fields.get("start"), fields.get("end"), fields.get("text")
    kind, speaker = fields.get("kind", "caption"), fields.get("speaker")
    if end is None:
        end = start
    if not _is_time(start) or not _is_time(end) or end < start:
        return _Bad(line_number=number, why="start and end must be seconds, end not before start")
    if not isinstance(text, str) or not text.strip():
        return _Bad(line_number=number, why="no text")
    if kind not in _KINDS:
        return _Bad(line_number=number, why=f"kind {kind!r} is none of {', '.join(_KINDS)}")
    return _line(
        start_ns=round(start * NS_PER_S),
        end_ns=round(end * NS_PER_S),
        kind=_KINDS[kind],
        text=text.strip(),
        speaker=speaker if isinstance(speaker, str) and speaker else None,
        source=source,
    )


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value < 9e9


def _cues(file: IO[str], source: str) -> Iterator[TrackLine | _Bad]:
    """SubRip and WebVTT: blocks of lines between empty lines, one of them with an arrow."""
    block: list[str] = []
    first = 1
    for number, raw in enumerate(file, start=1):
        line = raw.rstrip("\r\n")
        if line.strip():
            if not block:
                first = number
            block.append(line)
        elif block:
            yield from _cue(block, first, source)
            block = []
    if block:
        yield from _cue(block, first, source)


def _cue(block: list[str], first: int, source: str) -> Iterator[TrackLine | _Bad]:
    if block[0].startswith(("WEBVTT", "NOTE", "STYLE", "REGION")):
        return
    arrow = next((index for index, line in enumerate(block[:2]) if "-->" in line), None)
    if arrow is None:
        yield _Bad(line_number=first, why="no line with times (00:00:01,000 --> 00:00:02,000)")
        return
    match = _CUE_TIMES.match(block[arrow])
    if match is None:
        yield _Bad(line_number=first + arrow, why=f"times {block[arrow].strip()[:60]!r}")
        return
    start_ns, end_ns = _cue_ns(match.groups()[:4]), _cue_ns(match.groups()[4:])
    words = " ".join(line.strip() for line in block[arrow + 1 :])
    voice = _VOICE.match(words)
    text = " ".join(_MARKUP.sub("", words).split())
    if source.lower().endswith(".vtt"):
        text = html.unescape(text)  # WebVTT escapes &, < and >; SubRip does not
    if end_ns < start_ns or not text:
        yield _Bad(line_number=first + arrow, why="no text" if end_ns >= start_ns else "ends before it starts")
        return
    yield _line(
        start_ns=start_ns,
        end_ns=end_ns,
        kind="speech",
        text=text,
        speaker=voice.group(1).strip() if voice else None,
        source=source,
    )


def _cue_ns(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole * NS_PER_S + int((fraction or "0").ljust(9, "0"))


def _line(
    *, start_ns: int, end_ns: int, kind: Literal["speech", "caption"], text: str, speaker: str | None, source: str
) -> TrackLine:
    if kind == "speech" and speaker is None:
        match = _SPEAKER.match(text)
        if match is not None and match.group(1) not in _NO_SPEAKERS:
            speaker, text = match.group(1), text[match.end() :]
    return TrackLine(t_start_ns=start_ns, t_end_ns=end_ns, kind=kind, text=text, speaker=speaker, source=source)
