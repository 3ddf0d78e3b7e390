"""Names of recordings in a memory: a file's stem, made unique when another recording has it already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import PurePath
from typing import TYPE_CHECKING

from streammem.types import NS_PER_S, Recording

if TYPE_CHECKING:
    from perception.protocols import Source, SourceInfo, SourceItem


def recording_name(info: SourceInfo, known: Sequence[Recording], *, now_ns: int = 0) -> str:
    """The name under which to remember a source.

    The same content keeps its name, wherever its file lies now. Other content whose stem is taken is told apart by its
    folder, `monday/cam1`, or else by a number. A live stream is never the same twice: its name ends in `now_ns` (UTC).
    """
    if info.is_live:
        moment = datetime.fromtimestamp(now_ns // NS_PER_S, UTC)
        stem = f"{info.recording} {moment:%Y-%m-%dT%H:%M:%SZ}"
    else:
        for recording in known:
            if recording.fingerprint == info.fingerprint:
                return recording.recording
        stem = info.recording
    taken = {recording.recording for recording in known}
    if stem not in taken:
        return stem
    parent = PurePath(info.uri).parent.name
    if parent and not info.is_live and (qualified := f"{parent}/{stem}") not in taken:
        return qualified
    return next(name for number in count(2) if (name := f"{stem} ({number})") not in taken)


class NamedSource:
    """A source under another name; everything else is the source's own."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._info = replace(source.info, recording=name)

    @property
    def info(self) -> SourceInfo:
        return self._info

    def stream(self, *, from_ns: int = 0) -> Iterator[SourceItem]:
        return self._source.stream(from_ns=from_ns)

    @property
    def dropped(self) -> int:
        return self._source.dropped

    def close(self) -> None:
        self._source.close()
