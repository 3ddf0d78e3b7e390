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
from planners.acting.skills import SkillCall, Wait, in_words

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
        self._problem: str | None = None

    def new_goal(self, *, max_steps: int) -> None:
        """`max_steps`: the goal is left when the body has taken so many."""
        self._max_steps = max_steps
        self._failures.clear()
        self._situations.clear()
        self._problem = None

    def judge(self, call: SkillCall, problem: str | None, state: BodyState, *, by: By = "rules") -> Judgement:
        """After a call was checked, or done. Who takes over from another begins without that one's circles."""
        self._calls += 1
        self._problem = problem or self._problem
        if state.steps >= self._max_steps:
            return self._give_up("the budget of steps is spent")
        if self._calls >= self._max_calls:
            return self._give_up(f"the budget of {self._max_calls} calls is spent")
        words = in_words(call)
        if problem is not None:
            self._failures[words] += 1
            if self._failures[words] >= MOST_FAILURES:
                return self._give_up(problem)
        if problem is not None or not isinstance(call, Wait):  # time that passed makes it another situation
            x, y = state.position_m
            held = state.held.identity if state.held else ""
            situation = (by, words, f"{x:.1f}", f"{y:.1f}", held)
            self._situations[situation] += 1
            if self._situations[situation] >= MOST_REPEATS:
                return self._give_up(f"{words} was tried {MOST_REPEATS} times from here: a loop")
        return Judgement(advice="go on") if problem is None else Judgement(advice="replan", reason=problem)

    def _give_up(self, reason: str) -> Judgement:
        """With what went wrong last: a loop or a budget says when it ended, and not why."""
        if self._problem is not None and self._problem != reason:
            reason = f"{self._problem} ({reason})"
        return Judgement(advice="give up", reason=reason)
