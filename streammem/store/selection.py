"""What is to be forgotten, and which rows that is.

Every condition that is given must hold. By words: a phrase, wherever it was said, read or written; or the name of a
person or an object, as a whole word, as a speaker, as a label or as a track. Knows column names, no table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from streammem.errors import InputError
from streammem.store.filters import Where
from streammem.store.tables import (
    EVENTS,
    FACTS,
    KEYFRAMES,
    LANDMARKS,
    NAMED_ROOMS,
    OBJECT_STATES,
    OBSERVATIONS,
    PLACE_LOG,
    Row,
)

_WORDS = re.compile(r"[^\W_]+")
_SAID_COLUMNS: dict[str, tuple[str, ...]] = {
    EVENTS: ("text", "moment_text"),
    OBSERVATIONS: ("text", "label", "speaker", "track_id"),
    KEYFRAMES: ("tags", "detections"),
    FACTS: ("subject", "object", "text", "stated_by"),
    OBJECT_STATES: ("label", "instance_id", "state", "room"),
    PLACE_LOG: ("room",),
    NAMED_ROOMS: ("room",),
    LANDMARKS: ("label", "said", "walk"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """`after_ns`, `before_ns`: what happened between them; `about`: a person or an object; `text`: a phrase."""

    recordings: tuple[str, ...] | None = None
    after_ns: int | None = None
    before_ns: int | None = None
    about: str | None = None
    text: str | None = None

    def check(self) -> None:
        """
        Raises:
            InputError: it selects nothing in particular, or nothing at all.
        """
        if self.recordings is None and not self.has_span and not self.has_words:
            raise InputError("Say what to forget: a recording, a span of time, a person or an object, or a text.")
        for value, what in ((self.about, "person or object"), (self.text, "text")):
            if value is not None and not _WORDS.search(value):
                raise InputError(f"The {what} to forget has no letter or number in it: {value!r}.")
        if self.after_ns is not None and self.before_ns is not None and self.after_ns >= self.before_ns:
            raise InputError("The span to forget ends before it starts.")

    @property
    def has_span(self) -> bool:
        return self.after_ns is not None or self.before_ns is not None

    @property
    def has_words(self) -> bool:
        return self.about is not None or self.text is not None

    @property
    def is_whole(self) -> bool:
        """Whole recordings."""
        return self.recordings is not None and not self.has_span and not self.has_words

    def where(self, table: str) -> Where:
        """Rows that may be concerned: all that are, and some more."""
        where = Where().among("recording", self.recordings).overlaps(self.after_ns, self.before_ns, None)
        for phrase in (self.about, self.text):
            if phrase is not None and table in _SAID_COLUMNS:
                where.add(" OR ".join(_has_words(column, phrase) for column in _SAID_COLUMNS[table]))
        return where

    def says(self, text: str) -> bool:
        """Whether a text says it. False where nothing but time and recording is asked for."""
        if self.about is not None and not _name(self.about).search(text):
            return False
        if self.text is not None and _plain(self.text) not in _plain(text):
            return False
        return self.has_words

    def concerns(self, table: str, row: Row) -> bool:
        """Whether a row of `where` is one."""
        if not self.has_words:
            return True
        return any(self.says(said) for said in _said(table, row))

    def covers(self, t_start_ns: int, t_end_ns: int) -> bool:
        """Whether all of a span is selected."""
        return (self.after_ns is None or t_start_ns >= self.after_ns) and (
            self.before_ns is None or t_end_ns <= self.before_ns
        )


def labels_of(row: Row) -> list[str]:
    """What a key frame's pictures are called: tags and detections."""
    named: list[str] = []
    for column in ("tags", "detections"):
        named += [str(one[0]) for one in cast(list[Any], json.loads(row[column] or "[]"))]
    return named


def _said(table: str, row: Row) -> Sequence[str]:
    if table == KEYFRAMES:
        return labels_of(row)
    return [row[column] for column in _SAID_COLUMNS[table] if row.get(column)]


def _has_words(column: str, phrase: str) -> str:
    """SQL that holds wherever the phrase is in the column; words have no quote and no backslash in them."""
    return " AND ".join(f"contains(lower({column}), '{word}')" for word in _WORDS.findall(phrase.lower()))


def _name(name: str) -> re.Pattern[str]:
    words = r"\W+".join(re.escape(word) for word in _WORDS.findall(name))
    return re.compile(rf"(?<![^\W_]){words}(?:['’]?s|es)?(?![^\W_])", re.IGNORECASE)  # noqa: RUF001


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
