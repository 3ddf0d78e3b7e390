"""A body for acting in a simulated household: drives by the floor plan, looks as it goes, and remembers what it sees.

Implements `planners.acting.Body` over `perception.simulation.bullet.BulletHousehold`. Every look goes to the memory, if
there is one, as `Observation`; without a memory the same looks only feed the present view. One step is at most 0.25 m
and 30 degrees. Costs a look per step (4 ms at 128x96) and an observation every `observe_every` steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from perception.simulation.bullet import BulletHousehold
from perception.simulation.environment import FORWARD_M, TURN_RAD, Grasp, Idle, Move, Release, Sensed, look_of
from perception.simulation.floor_plan import REACH_M
from perception.simulation.household import Household
from planners.acting.body import BodyState, Command, Done, DriveTo, LookAround, Put, Rest, Seen, Spot, StepBack, Take
from planners.acting.knowledge import same_thing
from streammem.spatial.observations import Observation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streammem.app.robot.shared_world import SharedWorld
    from streammem.spatial.spatial_memory import SpatialMemory

_FACING_RAD = 0.2
"""Turned towards something within this is facing it."""
_THERE_M = 0.02
_RECOGNISED_M = 4.5
"""Farther away a thing of ten centimetres is a few pixels, and not told from another."""
_MOST_STEPS = 400
"""Of one drive: twice through the house."""


class BodyStopped(Exception):
    """The budget of steps is spent in the middle of a drive. Never leaves the body."""


class SimulatedBody:
    """One robot in one household.

    Args:
        memory: what is seen goes in there; None for a robot without one.
        observe_every: every so many steps a look is remembered.
        look_every: every so many steps ahead there is a look at all; turning, it looks at every step.
        watch: is given every look, e.g. to record it.
    """

    def __init__(
        self,
        world: BulletHousehold | SharedWorld,
        *,
        memory: SpatialMemory | None,
        observe_every: int = 1,
        look_every: int = 1,
        watch: Callable[[Sensed], None] | None = None,
    ) -> None:
        self._world = world
        self._memory = memory
        self._observe_every = max(1, observe_every)
        self._look_every = max(1, look_every)
        self._watch = watch
        self._until_step: int | None = None
        self._first_step = world.steps
        self._travelled_m = 0.0
        self._remembered_ns = -1
        self._view: tuple[Seen, ...] = ()
        self._labels = {one.identity: one.label for one in world.home.items}
        self._look(remember=True)

    @property
    def reach_m(self) -> float:
        return REACH_M

    def sense(self) -> BodyState:
        world = self._world
        held = world.held
        x, y = world.position_m
        return BodyState(
            t_ns=world.t_ns,
            position_m=world.position_m,
            yaw_rad=world.yaw_rad,
            room=world.home.room_at(x, y),
            held=Seen(identity=held, label=self._labels[held], position_m=(x, y, 1.0)) if held else None,
            in_view=self._view,
            steps=world.steps - self._first_step,
            travelled_m=self._travelled_m,
        )

    def do(self, command: Command, *, until_step: int | None = None) -> Done:
        self._until_step = until_step
        try:
            match command:
                case DriveTo():
                    return self._drive(command)
                case Take(identity=identity):
                    return self._hand(Grasp(identity=identity))
                case Put(point=point):
                    return self._hand(Release(position_m=point))
                case LookAround(until_seen=label):
                    for turn in _turns(command.span_rad):
                        if self._sees(label):
                            break
                        self._step(Move(turn_rad=turn))
                    return Done()
                case StepBack():
                    self._step_back(command)
                    return Done()
                case Rest(seconds=seconds):
                    for _ in range(max(1, round(seconds / self._world.step_s))):
                        self._step(Idle(), look=False)
                    self._look(remember=True)
                    return Done()
        except BodyStopped:
            return Done(problem="the budget of steps is spent")

    # --- driving ------------------------------------------------------------------------------------------------------

    def _drive(self, command: DriveTo) -> Done:
        world = self._world
        target = (command.point[0], command.point[1])
        reach = command.within_m or REACH_M
        if self._sees(command.until_seen):
            return Done()
        if not self._is_within(target, reach):
            stand = world.plan.stand_for(target, start=world.position_m, reach_m=reach)
            if stand is None:
                return Done(problem="there is nowhere to stand near it")
            way = world.plan.way(world.position_m, stand)
            if not way and math.dist(world.position_m, stand) > 0.15:
                return Done(problem="there is no way to it")
            is_stuck = False
            for _ in range(_MOST_STEPS):
                while way and math.dist(way[0], world.position_m) < _THERE_M:
                    way.pop(0)
                if not way:
                    break
                if not self._towards(way[0]):
                    if is_stuck:
                        return Done(problem="something is in the way")
                    is_stuck = True  # a corner was cut too closely
                    way = world.plan.way(world.position_m, stand, cut_corners=False)
                if self._sees(command.until_seen):
                    return Done()
        for _ in range(12):
            turn = self._bearing(target)
            if abs(turn) <= _FACING_RAD:
                break
            self._step(Move(turn_rad=turn))
            if self._sees(command.until_seen):
                return Done()
        self._look(remember=True)
        return Done()

    def _step_back(self, command: StepBack) -> None:
        for _ in range(math.ceil(command.distance_m / FORWARD_M)):
            if self._sees(command.until_seen) or not self._step(Move(forward_m=-FORWARD_M)):
                return
        self._look(remember=True)

    def _towards(self, point: tuple[float, float]) -> bool:
        """One step: turn, and drive if that faces it."""
        turn = self._bearing(point)
        if abs(turn) >= TURN_RAD - 1e-6:
            return self._step(Move(turn_rad=turn))
        away = math.dist(point, self._world.position_m)
        return self._step(Move(forward_m=min(FORWARD_M, away), turn_rad=turn))

    def _bearing(self, point: tuple[float, float]) -> float:
        x, y = self._world.position_m
        angle = math.atan2(point[1] - y, point[0] - x) - self._world.yaw_rad
        turn = (angle + math.pi) % (2 * math.pi) - math.pi
        return float(np.clip(turn, -TURN_RAD, TURN_RAD))

    def _is_within(self, target: tuple[float, float], reach: float) -> bool:
        here = self._world.position_m
        room = self._world.home.room_at
        return math.dist(target, here) <= reach and room(*here) == room(*target)

    # --- looking ------------------------------------------------------------------------------------------------------

    def _hand(self, action: Grasp | Release) -> Done:
        self._check_budget()
        outcome = self._world.step(action)
        self._look(remember=True)
        return Done(problem=outcome.problem)

    def _step(self, action: Move | Idle, *, look: bool = True) -> bool:
        self._check_budget()
        before = self._world.position_m
        outcome = self._world.step(action)
        self._travelled_m += math.dist(before, self._world.position_m)
        is_turn = isinstance(action, Move) and action.forward_m == 0
        if look and (is_turn or self._world.steps % self._look_every == 0):
            self._look(remember=(self._world.steps % self._observe_every) == 0)
        return outcome.is_done

    def _check_budget(self) -> None:
        if self._until_step is not None and self._world.steps - self._first_step >= self._until_step:
            raise BodyStopped

    def _look(self, *, remember: bool) -> None:
        sensed = self._world.sense()
        look = look_of(sensed)
        self._view = self._seen_in(look)
        if self._watch is not None:
            self._watch(sensed)
        if remember and self._memory is not None and sensed.t_ns > self._remembered_ns:
            self._remembered_ns = sensed.t_ns
            self._memory.observe(look)

    def _seen_in(self, look: Observation) -> tuple[Seen, ...]:
        """Things in view that are near enough to be told apart, placed by depth."""
        found: list[Seen] = []
        depth, camera = look.depth_m, look.camera
        assert depth is not None
        assert camera is not None
        for one in look.detections:
            if one.position_m is not None or one.mask is None or one.instance_id is None:
                continue  # furniture, which is on the floor plan
            rows, columns = np.nonzero(one.mask)
            z = float(np.median(depth[rows, columns]))
            if not z < _RECOGNISED_M:
                continue
            u, v = float(columns.mean()), float(rows.mean())
            ray = np.array([(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z])
            x, y, height = (look.T_map_camera[:3, :3] @ ray + look.T_map_camera[:3, 3]).tolist()
            found.append(Seen(identity=one.instance_id, label=one.label, position_m=(x, y, height)))
        return tuple(found)

    def _sees(self, label: str | None) -> bool:
        return label is not None and any(same_thing(one.label, label) for one in self._view)


def _turns(span_rad: float) -> list[float]:
    """Steps of a circle, or to the left, to the right over all of the span, and back to the middle."""
    if span_rad >= 2 * math.pi - TURN_RAD:
        return [TURN_RAD] * round(2 * math.pi / TURN_RAD)
    side = max(1, round(span_rad / 2 / TURN_RAD))
    return [TURN_RAD] * side + [-TURN_RAD] * (2 * side)


def spots_of(home: Household, *, person_m: tuple[float, float] | None = None) -> Mapping[str, Spot]:
    """The names on the floor plan: rooms, furniture, and `me` where somebody stands."""
    spots = {
        room.name: Spot(name=room.name, kind="room", position_m=(*room.centre_m, 0.0), room=room.name)
        for room in home.rooms
    }
    for piece in home.furniture:
        x, y, _ = piece.centre_m
        spots[piece.name] = Spot(name=piece.name, kind="furniture", position_m=(x, y, piece.top_m), room=piece.room)
    if person_m is not None:
        spots["me"] = Spot(name="me", kind="person", position_m=(*person_m, 0.0), room=home.room_at(*person_m))
    return spots
