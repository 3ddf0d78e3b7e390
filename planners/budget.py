"""What one question may cost, and what it has cost: model calls, tokens, seconds, seconds of recording read again.

Knows nothing of what the money is spent on. The clock is injected, so that tests do not wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from streammem.settings import PlannerSettings
from streammem.types import Spent


class BudgetExceeded(Exception):
    """A step would go over a limit; the planner stops with what it has. Never leaves the planner."""

    def __init__(self, *, deadline: bool) -> None:
        super().__init__("deadline" if deadline else "budget")
        self.deadline = deadline


class Budget:
    """Counts against the limits of `PlannerSettings` from the moment it is made."""

    def __init__(self, settings: PlannerSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._clock = clock
        self._started_s = clock()
        self.model_calls = 0
        self.tokens = 0
        self.looked_again_s = 0.0

    @property
    def seconds(self) -> float:
        return self._clock() - self._started_s

    @property
    def seconds_left(self) -> float:
        return max(self.settings.deadline_s - self.seconds, 0.0)

    @property
    def tokens_left(self) -> int:
        return max(self.settings.max_tokens - self.tokens, 0)

    @property
    def look_again_left_s(self) -> float:
        return max(self.settings.look_again_max_s - self.looked_again_s, 0.0) if self.settings.look_again else 0.0

    def check_deadline(self) -> None:
        """Raises BudgetExceeded when the deadline has passed."""
        if self.seconds_left <= 0:
            raise BudgetExceeded(deadline=True)

    def start_model_call(self, *, expected_tokens: int) -> None:
        """Counts a call before it is made.

        Raises:
            BudgetExceeded: no call or not enough tokens left, or the deadline has passed.
        """
        self.check_deadline()
        if self.model_calls >= self.settings.max_model_calls or expected_tokens > self.tokens_left:
            raise BudgetExceeded(deadline=False)
        self.model_calls += 1

    def spent(self) -> Spent:
        return Spent(
            model_calls=self.model_calls,
            tokens=self.tokens,
            looked_again_s=round(self.looked_again_s, 3),
            seconds=round(self.seconds, 3),
        )
