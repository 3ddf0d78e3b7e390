"""What chooses the next call, and what it is told: the Protocol that rules and chat models share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from planners.acting.body import BodyState
from planners.acting.goals import Goal
from planners.acting.knowledge import Knowledge
from planners.acting.skills import SkillCall

By = Literal["rules", "chat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The next call, and who chose it."""

    call: SkillCall
    by: By = "rules"
    refused: tuple[str, ...] = ()
    """Why what a model wrote before was not taken, an entry for each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A call that was checked or done, and what came of it."""

    call: SkillCall
    problem: str | None
    steps: int
    held: str | None = None
    """What was in the hand before."""
    by: By = "rules"
    refused: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Situation:
    """Where a task stands."""

    goal: Goal
    knowledge: Knowledge
    state: BodyState
    tried: list[Tried] = field(default_factory=list[Tried])
    """For this goal, oldest first."""


class ActionPlanner(Protocol):
    def goals(self, instruction: str, knowledge: Knowledge) -> Sequence[Goal]:
        """What is to be reached, one after another.

        Raises:
            InputError: the instruction cannot be read.
        """
        ...

    def next_call(self, situation: Situation) -> Choice:
        """The next call towards a goal that is not reached yet."""
        ...
