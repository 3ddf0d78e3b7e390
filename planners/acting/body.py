"""What acting asks of a robot's body: two verbs, and what it tells of itself.

Knows no simulator, no motors. A body perceives while it moves: what it sees goes into the memory by itself. Metres,
radians, map frame with z up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Somewhere that has a name on the floor plan."""

    name: str
    kind: Literal["room", "furniture", "person"]
    position_m: Point
    """Middle of a room's floor or of a piece's top."""
    room: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A thing in view."""

    identity: str
    label: str
    position_m: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyState:
    """The body and its view, now."""

    t_ns: int
    position_m: tuple[float, float]
    yaw_rad: float
    room: str | None
    held: Seen | None
    in_view: tuple[Seen, ...]
    steps: int
    """Steps taken so far, over all tasks."""
    travelled_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveTo:
    """Go where `point` is within reach and face it; stop on the way when a thing called `until_seen` is in view."""

    point: Point
    until_seen: str | None = None
    within_m: float | None = None
    """How near is near enough; None: the arm's reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Put down what is held, on what is at the point."""

    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAround:
    """Turn to and fro, `span_rad` in all (a full circle: once around); stop when a thing called `until_seen` is in
    view."""

    until_seen: str | None = None
    span_rad: float = 6.28


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBack:
    """Drive backwards, as far as there is room; stop when a thing called `until_seen` is in view. From close by, what
    lies on a piece of furniture is below the picture."""

    until_seen: str
    distance_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    seconds: float


Command = DriveTo | Take | Put | LookAround | StepBack | Rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a command; `problem` is None where it was done as told."""

    problem: str | None = None


class Body(Protocol):
    """A mobile base with a camera and a hand."""

    @property
    def reach_m(self) -> float: ...

    def sense(self) -> BodyState: ...

    def do(self, command: Command, *, until_step: int | None = None) -> Done:
        """Blocks until it is done or cannot be, or until so many steps were taken over all tasks."""
        ...
