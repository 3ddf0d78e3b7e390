"""The household as a body sees it that does not own it: steps and looks go to the node that does, in this process or
another; the floor plan is at hand.

Knows no topics. Costs a call per step and per look.
"""

from __future__ import annotations

from typing import Protocol

from perception.simulation.environment import Action, Outcome, Sensed
from perception.simulation.floor_plan import FloorPlan
from perception.simulation.household import Household


class WorldAccess(Protocol):
    """What `perception.nodes.WorldNode` offers to other threads and processes."""

    def step(self, action: Action) -> Outcome: ...
    def sense(self) -> Sensed: ...


class SharedWorld:
    """Looks like the household to `SimulatedBody`."""

    def __init__(self, access: WorldAccess, *, home: Household, step_s: float) -> None:
        """`home`: its rooms and furniture are used; where things are is not."""
        self._access = access
        self.home = home
        self.plan = FloorPlan(home)
        self.step_s = step_s
        self._steps = 0
        self._sensed = access.sense()

    @property
    def position_m(self) -> tuple[float, float]:
        return self._sensed.position_m

    @property
    def yaw_rad(self) -> float:
        return self._sensed.yaw_rad

    @property
    def held(self) -> str | None:
        return self._sensed.held

    @property
    def t_ns(self) -> int:
        return self._sensed.t_ns

    @property
    def steps(self) -> int:
        return self._steps

    def step(self, action: Action) -> Outcome:
        self._steps += 1
        outcome = self._access.step(action)
        self._sensed = self._access.sense()
        return outcome

    def sense(self) -> Sensed:
        """What was seen after the last step."""
        return self._sensed
