"""The typed plan of a written route: legs that end in turns, a stop, and the landmarks named on the way.

Knows no graph and no language: `planners.navigate.instructions` reads plain English into it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Direction = Literal["left", "right", "straight"]
Counting = Literal["counted", "next", "unsaid"]
"""How a leg's number of junctions is known: said as a number or passed one by one; "the next light"; not at all."""
StopKind = Literal["after_turn", "before_junction", "in_junction", "after_junction", "part_of_block", "landmark"]
Role = Literal["turn", "pass", "stop", "beyond", "near"]
"""Where a landmark is named: at a turn, on the way, at the stop, after it ("you have gone too far"), near the stop."""
Relation = Literal["at", "before", "after"]
"""Where the walker is when it counts: `after` a landmark that was passed, `before` one that lies ahead."""
Side = Literal["left", "right", "none"]
JunctionKind = Literal["light", "crossing"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Leg(_Part):
    """One stretch of street up to a turn; the last leg (`turn` None) ends at the stop."""

    turn: Direction | None
    junctions: int = Field(ge=0)
    """Junctions that the text counts on this leg, the turn's own with it. On the last leg: those passed through."""
    counting: Counting
    lights: int = Field(ge=0, default=0)
    """How many of them it calls lights."""
    is_slight: bool = False
    ends_street: bool = False
    """The street ends at the turn: a T, or "until you cannot go straight"."""
    turn_kind: JunctionKind | None = None
    """What the junction of the turn is called."""


class Landmark(_Part):
    """Something named that has a place: `Starbucks`, `bike rental`."""

    name: str
    """Lower case, as words."""
    said: str = ""
    """As it was written."""
    leg: int = Field(ge=0)
    junctions: int = Field(ge=0)
    """Junctions counted on that leg when it is named."""
    at_junction: bool = False
    """Whether the text stands at the last of them then, rather than behind it."""
    role: Role
    relation: Relation = "at"
    is_proper: bool = True
    """A name (`Starbucks`), not a kind (`bus stop`)."""
    side: Side = "none"
    at_corner: bool = False


class Stop(_Part):
    """Where to stop on the last leg."""

    kind: StopKind
    passed: int = Field(ge=0)
    """Junctions to pass on the last leg before the stop."""
    reaches: bool = False
    """Whether the text then goes up to one more ("go to the next light and stop before it")."""
    cues: tuple[str, ...] = ()
    """Short phrases that tell where on the block (`few steps`, `second building`), by name."""
    part: float | None = None
    """Share of the block walked, with `part_of_block`."""


class RoutePlan(_Part):
    """A written route as legs, a stop and landmarks."""

    legs: tuple[Leg, ...] = Field(min_length=1)
    stop: Stop
    landmarks: tuple[Landmark, ...] = ()

    @property
    def turns(self) -> tuple[Leg, ...]:
        return self.legs[:-1]
