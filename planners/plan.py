"""The typed plan: what a question asks for, in the few terms that every reasoner and operator shares.

Knows no memory and no language: `planners.question` parses plain English into it, the chat reasoner emits it as
structured output.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from streammem.types import Modality

QuestionKind = Literal[
    "when", "where", "what", "who", "how_many", "how_long", "order", "said", "written", "yes_no", "why", "other"
]
OccurrenceKind = Literal["all", "first", "last", "nth", "any"]
AnchorRelation = Literal["before", "after", "during"]
TimeOrigin = Literal["start", "end", "now", "day", "first_day", "epoch", "calendar"]

COMPUTED_KINDS: frozenset[QuestionKind] = frozenset({"when", "how_many", "how_long", "order", "yes_no"})
"""Kinds whose answer is reckoned, so that options can be compared with it."""
ANY_SPEECH: tuple[Modality, ...] = ("speech", "caption")
ANY_SIGHT: tuple[Modality, ...] = ("object", "scene", "visual", "caption", "summary", "fact")
ANY_WRITING: tuple[Modality, ...] = ("text_in_view",)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TimeWindow(_Part):
    """A span of time that the question names. Seconds are counted from `origin`:

    `start`/`end` of the recording, `now` (the moment of asking), `day` (midnight of the day of asking, UTC),
    `first_day` (midnight of the memory's first day), `epoch`. None: open on that side. `calendar`: a date in words
    (`text`), which the moment of asking makes a span.
    """

    start_s: float | None = None
    end_s: float | None = None
    origin: TimeOrigin = "start"
    clock_parts: Literal[0, 2, 3] = 0
    """2 or 3 when written as a clock (`10:42`, `0:10:42`): a time of day where the recording has a wall clock and was
    running then, else an offset. Two parts count as minutes and seconds in `start_s`."""
    text: str = ""
    """The words it was read from."""

    @model_validator(mode="after")
    def _is_ordered(self) -> TimeWindow:
        if self.start_s is not None and self.end_s is not None and self.start_s > self.end_s:
            raise ValueError("a time window must not end before it starts")
        return self

    @property
    def is_point(self) -> bool:
        return self.start_s is not None and self.start_s == self.end_s


class Anchor(_Part):
    """Something else in the recording that the question is placed by: `after the man sat down`."""

    relation: AnchorRelation
    target: Annotated[str, Field(min_length=1, max_length=400)]


class Plan(_Part):
    """What to look for, where and when, and what to say about it."""

    question: Annotated[str, Field(min_length=1, max_length=4000)]
    kind: QuestionKind
    target: Annotated[str, Field(max_length=1000)] = ""
    """What to look for, without question words. Empty: whatever is there."""
    targets: tuple[str, ...] = ()
    """For `order`: the things to put in order."""
    occurrence: OccurrenceKind = "all"
    nth: Annotated[int, Field(ge=1, le=1000)] | None = None
    anchor: Anchor | None = None
    window: TimeWindow | None = None
    modalities: tuple[Modality, ...] = ()
    """Preferred kinds of evidence; empty: any."""
    speaker: str | None = None
    negated: bool = False
    is_thing: bool = False
    """Whether the target is a thing that is there or not (`is there a butterfly?`), rather than something that
    happened or was talked about: then what only resembles it is no evidence."""
    counts_times: bool = False
    """`how many times`: occurrences are counted, not things."""

    @model_validator(mode="after")
    def _is_whole(self) -> Plan:
        if (self.occurrence == "nth") != (self.nth is not None):
            raise ValueError("nth is given exactly when occurrence is 'nth'")
        return self

    @property
    def is_visual(self) -> bool:
        """Whether it asks for something seen."""
        return "object" in self.modalities
