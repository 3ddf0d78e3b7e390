"""What was asked and what came back: one JSON line per question and system, appended as it happens.

The first line of a file says what the answers depend on (`Header`). A file of other settings is put aside under another
name, never mixed in; a record counts only for the question and the memory it was made with. A line that a killed
process left half written is dropped.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from streammem.errors import InputError
from streammem.types import stable_id

logger = logging.getLogger(__name__)


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Found(_Line):
    """A span that was returned, on the memory's timeline, uncut."""

    recording: str
    t_start_ns: int
    t_end_ns: int
    score: float = 0.0
    modality: str = ""
    text: str = ""
    keyframe_id: str | None = None


class Replied(_Line):
    """An answer, and what it cost."""

    text: str
    choice: int | None
    answerable: bool
    confidence: float
    evidence: tuple[Found, ...]
    stopped: str
    model_calls: int = 0
    tokens: int = 0
    looked_again_s: float = 0.0
    milliseconds: float = 0.0


class Asked(_Line):
    """One question, asked of one system. `recalled` with the choices in the query, `recalled_question_only` without."""

    question_id: str
    question: str
    """Fingerprint of the question."""
    memory: str
    """Fingerprint of the memory's content."""
    as_of_ns: int | None
    evidence: tuple[Found, ...]
    """The true spans, on the memory's timeline."""
    recalled: tuple[Found, ...]
    recalled_question_only: tuple[Found, ...]
    recall_milliseconds: float
    reply: Replied | None = None
    error: str | None = None


class Header(_Line):
    """What every answer in a file depends on besides the question and the memory."""

    format: str
    system: str
    settings: dict[str, Any]
    version: int = 1

    def key(self) -> str:
        return stable_id(self.model_dump_json())[:12]


class RecordFile:
    """The records of one system, for reading what is there and adding to it. A context manager."""

    def __init__(
        self, path: Path, header: Header, *, fresh: bool = False, notice: Callable[[str], None] | None = None
    ) -> None:
        """Raises:
        InputError: the folder cannot be written to.
        """
        self._path, self._header = path, header
        self._notice: Callable[[str], None] = notice or logger.warning
        self.asked: dict[str, Asked] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._read(fresh=fresh)
            self._file: IO[str] = path.open("a", encoding="utf-8")
            if self._file.tell() == 0:
                self._write(header)
        except OSError as error:
            raise InputError(f"Cannot write records to {str(path)!r}: {error.strerror}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def known(self, question_id: str, *, question: str, memory: str) -> Asked | None:
        """The record of this very question, asked of this very memory; not one that failed."""
        asked = self.asked.get(question_id)
        if asked is None or asked.error is not None or (asked.question, asked.memory) != (question, memory):
            return None
        return asked

    def add(self, asked: Asked) -> None:
        """Appends a record. A later one for the same question replaces an earlier one."""
        self.asked[asked.question_id] = asked
        self._write(asked)

    def _write(self, line: BaseModel) -> None:
        self._file.write(line.model_dump_json() + "\n")
        self._file.flush()

    def _read(self, *, fresh: bool) -> None:
        if not self._path.exists():
            return
        lines = self._path.read_text(encoding="utf-8", errors="replace").split("\n")
        there = _header_in(lines[0])
        if fresh or there != self._header:
            aside = self._aside("unknown" if there is None else there.key())
            if not fresh:
                why = self._difference(there)
                self._notice(f"{why}; {self._path.name!r} begins anew, the old records are in {aside.name!r}.")
            return
        if lines[-1]:  # torn by a kill: that question is asked again
            with self._path.open("r+b") as file:
                file.truncate(self._path.read_bytes().rindex(b"\n") + 1)
        for line in lines[1:-1]:
            try:
                asked = Asked.model_validate_json(line)
            except ValidationError:
                continue  # of an older version, which left torn lines in
            self.asked[asked.question_id] = asked

    def _difference(self, there: Header | None) -> str:
        if there is None:
            return f"{str(self._path)!r} holds no evaluation records of this version"
        before, now = there.settings, self._header.settings
        names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        parts = [_change(name, before.get(name), now.get(name)) for name in names] or ["what is evaluated"]
        return f"Changed since the last run: {', '.join(parts)}"

    def _aside(self, name: str) -> Path:
        aside = self._path.with_name(f"{self._path.stem}.{name}.jsonl")
        number = 2
        while aside.exists():
            aside = self._path.with_name(f"{self._path.stem}.{name}-{number}.jsonl")
            number += 1
        self._path.replace(aside)
        return aside


def _header_in(line: str) -> Header | None:
    try:
        return Header.model_validate_json(line)
    except ValidationError:
        return None


def _change(name: str, before: object, now: object) -> str:
    texts = [json.dumps(value, sort_keys=True) for value in (before, now)]
    return f"{name} ({texts[0]} -> {texts[1]})" if all(len(text) <= 60 for text in texts) else name
