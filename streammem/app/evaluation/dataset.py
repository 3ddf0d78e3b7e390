"""What an evaluation asks and of what: questions with known answers, and the recordings they are about.

Readers in `formats/` turn a published layout into a `Dataset`; everything after them knows this module only. Times are
seconds from the start of a source, as the published files have them; they become nanoseconds on a memory's timeline
when the memory is open (`Place`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from streammem.types import Recording, stable_id

Unit = Literal["spans", "turns", "windows"]
"""What evidence recall counts: spans of at most half a minute; turns of a conversation; moments of any length, which
are scored by their overlap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A span of one source, in seconds from its start; without a source, of the clock that all sources of its world
    share. `name`: what the dataset calls it, such as a turn's `D3:1`."""

    source: str | None
    start_s: float
    end_s: float
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question with what is known about its answer.

    `answer` is the index of the right choice; `references` are right answers in words, where there are no choices.
    `is_answerable` False: the right thing to say is that it is not in memory; `abstention` is the index of a choice
    that says so, where there is one. `only_whether`: asked is only whether it can be answered by then. `asked_at`: the
    moment of asking (its end); nothing later may be used.
    """

    question_id: str
    world: str
    text: str
    choices: tuple[str, ...] = ()
    answer: int | None = None
    references: tuple[str, ...] = ()
    is_answerable: bool = True
    abstention: int | None = None
    only_whether: bool = False
    types: tuple[str, ...] = ()
    asked_at: Moment | None = None
    evidence: tuple[Moment, ...] = ()
    image: str | None = None
    """Path of a picture that the question shows: recalled by it, not answered in words."""

    @property
    def is_scored(self) -> bool:
        """Whether it is known what a right answer is."""
        return self.answer is not None or bool(self.references) or not self.is_answerable or self.only_whether

    def fingerprint(self) -> str:
        """Changes with anything about the question: records of another wording are not mixed in."""
        return stable_id(json.dumps(asdict(self), sort_keys=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A recording to be in memory before the questions are asked: a media file, a caption track, or lines given here.

    `lines` are `{"start", "end", "kind", "text", "speaker"}` as in a caption track of JSON Lines. `start_ns`: when it
    began, where the dataset knows it.
    """

    name: str
    path: Path | None = None
    lines: tuple[Mapping[str, Any], ...] = ()
    start_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Recordings that share one memory. Most datasets ask about one video at a time: one world each."""

    name: str
    sources: tuple[Source, ...]
    turns: tuple[Moment, ...] = ()
    """Of a conversation: every turn, for turn recall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A benchmark, read and checked."""

    format: str
    path: Path
    worlds: Mapping[str, World]
    questions: tuple[Question, ...]
    unit: Unit = "spans"
    notes: tuple[str, ...] = field(default=())
    """What the reader left out or the format cannot tell, in sentences for the report."""

    is_one_world: bool = False
    """Whether all of its recordings always share one memory. Else every world has a memory of its own."""

    def fingerprint(self) -> str:
        """Of the worlds; questions have their own."""
        digest = hashlib.sha256()
        for world in self.worlds.values():
            for source in world.sources:
                size = source.path.stat().st_size if source.path is not None and source.path.exists() else 0
                digest.update(f"{world.name}\x1f{source.name}\x1f{source.path}\x1f{size}\x1f".encode())
                digest.update(json.dumps(source.lines, sort_keys=True).encode())
        return digest.hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of a recording on a memory's timeline."""

    recording: str
    t_start_ns: int
    t_end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a world's sources lie in a memory: source name -> recording."""

    recordings: Mapping[str, Recording]

    def span(self, moment: Moment) -> Span:
        """A moment on the memory's timeline; of the common clock, with no name: it means every recording."""
        if moment.source is None:
            start_ns, end_ns = round(moment.start_s * 1e9), round(moment.end_s * 1e9)
            return Span(recording="", t_start_ns=start_ns, t_end_ns=end_ns)
        recording = self.recordings[moment.source]
        return Span(
            recording=recording.recording,
            t_start_ns=recording.t_start_ns + round(moment.start_s * 1e9),
            t_end_ns=recording.t_start_ns + round(moment.end_s * 1e9),
        )
