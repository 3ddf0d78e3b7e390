"""What chooses the next call, and what it is told: the Protocol that rules and chat models share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from planners.acting.body import BodyState
from planners.acting.goals import Goal
from planners.acting.knowledge import Knowledge
from planners.acting.skills import SkillCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A call that was checked or done, and what came of it."""

    call: SkillCall
    problem: str | None
    steps: int


@dataclass(slots=True, kw_only=True)
class Situation:
    """Where a task stands."""

    instruction: str
    goal: Goal | None
    """The one at hand; None where the planner reads the instruction itself."""
    knowledge: Knowledge
    state: BodyState
    tried: list[Tried] = field(default_factory=list[Tried])
    """For this goal, oldest first."""


class ActionPlanner(Protocol):
    def goals(self, instruction: str) -> Sequence[Goal | None]:
        """What is to be reached, one after another; `(None,)` for the instruction as a whole."""
        ...

    def next_call(self, situation: Situation) -> SkillCall | None:
        """The next call; None where the goal is reached."""
        ...
