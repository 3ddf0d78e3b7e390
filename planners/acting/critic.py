"""The critic: watches what was tried and what came of it, breaks loops, and says when to give up.

A call that failed is not repeated until something changed; the same situation with the same call a third time is a
loop, and the goal is left. Budgets of calls and steps are kept here. Knows no world beyond a state's few numbers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from planners.acting.body import BodyState
from planners.acting.planner import By
from planners.acting.skills import SkillCall, in_words

Advice = Literal["go on", "replan", "give up"]

MOST_FAILURES = 3
"""The same call fails so often for one goal until the goal is left."""
MOST_REPEATS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    advice: Advice
    reason: str = ""


class Critic:
    """Of one task; `new_goal` clears what it holds against calls."""

    def __init__(self, *, max_calls: int) -> None:
        self._max_steps = 0
        self._max_calls = max_calls
        self._calls = 0
        self._failures: Counter[str] = Counter()
        self._situations: Counter[tuple[str, ...]] = Counter()

    def new_goal(self, *, max_steps: int) -> None:
        """`max_steps`: the goal is left when the body has taken so many."""
        self._max_steps = max_steps
        self._failures.clear()
        self._situations.clear()

    def judge(self, call: SkillCall, problem: str | None, state: BodyState, *, by: By = "rules") -> Judgement:
        """After a call was checked, or done. Who takes over from another begins without that one's circles."""
        self._calls += 1
        if state.steps >= self._max_steps:
            return Judgement(advice="give up", reason="the budget of steps is spent")
        if self._calls >= self._max_calls:
            return Judgement(advice="give up", reason=f"the budget of {self._max_calls} calls is spent")
        words = in_words(call)
        x, y = state.position_m
        held = state.held.identity if state.held else ""
        situation = (by, words, f"{x:.1f}", f"{y:.1f}", held)
        self._situations[situation] += 1
        if self._situations[situation] >= MOST_REPEATS:
            return Judgement(advice="give up", reason=f"{words} was tried {MOST_REPEATS} times from here: a loop")
        if problem is None:
            return Judgement(advice="go on")
        self._failures[words] += 1
        if self._failures[words] >= MOST_FAILURES:
            return Judgement(advice="give up", reason=problem)
        return Judgement(advice="replan", reason=problem)
