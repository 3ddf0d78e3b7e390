"""Tasks with known answers in a simulated household, and how one is tried: after a walk through the house, with or
without the memory of it.

Kinds: `fetch` (a thing to a person), `put` (a thing to a piece of furniture), `composite` (two of these), `long`
(four), `moved` (fetch what somebody carried elsewhere after the walk), `route` (go to a room, a thing, a piece of
furniture and another thing), `return` (go to two pieces of furniture, then fetch what lies on the first and put
elsewhere what lies on the second: things seen two stages before). A stage of a task of several may be given a budget,
as a multiple of what an expert needs for it, the same for every robot: what is not done by then is left for the next.
Whether a stage was done is judged by the world, not by the robot. Everything follows from seeds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from perception.simulation.bullet import HANDING_M, BulletHousehold, BulletSettings
from perception.simulation.environment import FORWARD_M
from perception.simulation.household import Household, Solid, free_spot, make_household
from planners.acting import ActingSettings, DriveTo, GoalReport, LookAround, act
from planners.acting.planner import ActionPlanner
from planners.acting.rules import RulePlanner
from streammem.app.robot.body import SimulatedBody, spots_of
from streammem.app.robot.metrics import Stage, Trial
from streammem.spatial.spatial_memory import SpatialMemory

Kind = Literal["fetch", "put", "composite", "long", "moved", "route", "return"]
KINDS: tuple[Kind, ...] = ("fetch", "put", "composite", "long", "moved", "route", "return")
OF_STAGES: tuple[Kind, ...] = ("composite", "long", "route", "return")

_CLOSE_M = 1.6
"""A robot this near to a thing is at it (the arm reaches 1 m; LH-VLN takes 1 m beside the goal)."""
_AWAY_S = 3600.0
"""Between the walk and the task."""
_TURNS = 10
"""Steps of a stage that turn, take and put: a robot that knows where everything is needs its way and 8 to 17 more."""
EVAL_CAMERA = BulletSettings(width=160, height=120)
"""Small pictures: a look costs 6 ms, and a mug two metres away is still 60 pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One stage: a thing to a place, or (`what` None) the robot to a place."""

    what: str | None
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    kind: Kind
    home_seed: int
    instruction: str
    stages: tuple[Wanted, ...]
    carried: tuple[tuple[str, str], ...] = ()
    """(thing, furniture): what somebody moves while the robot is away."""


def make_task(kind: Kind, home: Household, *, seed: int) -> Task:
    """A task in a home."""
    rng = np.random.default_rng((seed, KINDS.index(kind)))
    items = [one.label for one in home.items]
    rng.shuffle(items)
    pieces = [one.name for one in home.furniture]
    rooms = [one.name for one in home.rooms]

    def other_piece(label: str) -> str:
        item = next(one for one in home.items if one.label == label)
        order = [str(one) for one in rng.permutation(pieces) if one != item.on]
        return next(one for one in order if free_spot(home, one, item, np.random.default_rng(seed)) is not None)

    if kind in {"fetch", "moved"}:
        carried: tuple[tuple[str, str], ...] = ()
        if kind == "moved":
            carried = ((f"{items[0]} 1", other_piece(items[0])),)
        wanted = (Wanted(what=items[0], to="me"),)
        return _task(kind, home, wanted, carried)
    if kind == "put":
        return _task(kind, home, (Wanted(what=items[0], to=other_piece(items[0])),))
    if kind == "route":
        goals = [str(rng.choice(rooms)), items[0], str(rng.choice(pieces)), items[1]]
        return _task(kind, home, tuple(Wanted(what=None, to=one) for one in goals))
    if kind == "return":
        first = items[0]
        second = next(one for one in items if _lies_on(one, home).room != _lies_on(first, home).room)
        return _task(kind, home, (
            Wanted(what=None, to=_lies_on(first, home).name),
            Wanted(what=None, to=_lies_on(second, home).name),
            Wanted(what=first, to="me"),
            Wanted(what=second, to=other_piece(second)),
        ))  # fmt: skip
    count = 2 if kind == "composite" else 4
    stages = tuple(
        Wanted(what=label, to="me" if index % 2 == 0 else other_piece(label))
        for index, label in enumerate(items[:count])
    )
    return _task(kind, home, stages)


def walk_through(folder: Path, home_seed: int) -> int:
    """An earlier walk through the house, remembered in `folder`: into every room, once around, and past its furniture.

    Returns:
        How many steps it took.
    """
    with (
        BulletHousehold(EVAL_CAMERA, home=make_household(home_seed)) as world,
        SpatialMemory.open(folder, write=True, create=True) as memory,
    ):
        body = SimulatedBody(world, memory=memory, observe_every=2, look_every=2)
        for room in world.home.rooms:
            body.do(DriveTo(point=(*room.centre_m, 0.0), within_m=1.2))
            body.do(LookAround())
            for piece in (one for one in world.home.furniture if one.room == room.name):
                body.do(DriveTo(point=piece.centre_m, within_m=1.3))
                body.do(LookAround(span_rad=1.6))
        return body.sense().steps


def run_task(
    task: Task,
    *,
    memory_folder: Path | None,
    planner: ActionPlanner | None = None,
    max_steps: int = 1_500,
    patience: float | None = None,
) -> tuple[Trial, tuple[GoalReport, ...]]:
    """Tries a task.

    Args:
        memory_folder: the robot remembers what is in there, and goes on remembering; an empty one: what it sees during
            the task; None: no memory.
        patience: each stage may take so many times the steps of an expert; None: only the whole has a budget.
    """
    started = time.process_time()
    home = make_household(task.home_seed)
    with BulletHousehold(EVAL_CAMERA, home=home) as world:
        world.pass_time(_AWAY_S)
        for thing, place in task.carried:
            world.carry_away(thing, place, seed=task.home_seed)
        start = world.position_m
        world.person_m = start
        memory = SpatialMemory.open(memory_folder, write=True, create=True) if memory_folder is not None else None
        try:
            body = SimulatedBody(world, memory=memory, observe_every=2, look_every=2)
            truth = _shortest(task, world)
            budgets = tuple(stage_budget(length, patience=patience) for length in truth) if patience else ()
            report = act(
                task.instruction,
                body=body,
                spots=spots_of(world.home, person_m=start),
                memory=memory,
                planner=planner or RulePlanner(reach_m=body.reach_m),
                settings=ActingSettings(max_steps=max_steps, goal_steps=budgets, max_calls=200),
            )
        finally:
            if memory is not None:
                memory.close()
        stages = tuple(
            _judged(wanted, world, report.goals[index] if index < len(report.goals) else None, shortest)
            for index, (wanted, shortest) in enumerate(zip(task.stages, truth, strict=True))
        )
        trial = Trial(
            stages=stages,
            travelled_m=report.travelled_m,
            steps=report.steps,
            exploring_steps=sum(one.exploring_steps for one in report.goals),
            seconds=time.process_time() - started,
        )
        return trial, report.goals


def stage_budget(shortest_m: float, *, patience: float) -> int:
    """Steps that a stage may take."""
    return round(patience * (shortest_m / FORWARD_M + _TURNS))


def _lies_on(label: str, home: Household) -> Solid:
    item = next(one for one in home.items if one.label == label)
    assert item.on is not None
    return home.piece(item.on)


def _task(kind: Kind, home: Household, stages: Sequence[Wanted], carried: tuple[tuple[str, str], ...] = ()) -> Task:
    words: list[str] = []
    for one in stages:
        if one.what is None:
            words.append(f"go to the {one.to}")
        elif one.to == "me":
            words.append(f"fetch the {one.what}")
        else:
            words.append(f"put the {one.what} on the {one.to}")
    return Task(
        kind=kind, home_seed=home.seed, instruction=", then ".join(words), stages=tuple(stages), carried=carried
    )  # fmt: skip


def _shortest(task: Task, world: BulletHousehold) -> list[float]:
    """What somebody who knows everything would walk for each stage: to the thing, then where it belongs."""
    at = world.position_m
    lengths: list[float] = []
    for wanted in task.stages:
        length = 0.0
        for name in (wanted.what, wanted.to):
            if name is None:
                continue
            point = _point(name, world)
            if name == "me":
                stand = world.plan.stand_for(point, start=at, reach_m=HANDING_M) or point
            elif any(room.name == name for room in world.home.rooms):
                stand = world.plan.stand_for(point, start=at, reach_m=1.2) or point
            else:
                stand = world.plan.stand_for(point, start=at) or point
            length += world.plan.way_m(at, stand)
            at = stand
        lengths.append(length)
    return lengths


def _judged(wanted: Wanted, world: BulletHousehold, goal: GoalReport | None, shortest: float) -> Stage:
    """`goal` is None where the planner read fewer goals than there are stages: then the robot is judged where it is."""
    end = goal.end.position_m if goal is not None else world.position_m
    reached = goal is not None and goal.is_reached
    target = _point(wanted.to, world)
    if wanted.what is not None:
        item = next(one for one in world.home.items if one.label == wanted.what)
        done = item.on == wanted.to
        # What is to be brought is away, not the robot: it may stand where the thing belongs, with nothing in its hand.
        where = world.position_m if world.held == item.identity else (item.position_m[0], item.position_m[1])
        away = world.plan.distance_m(where, target)
        return Stage(is_done=done, shortest_m=shortest, error_m=0.0 if done else away)
    away = world.plan.distance_m(end, target)
    room = next((one.name for one in world.home.rooms if one.name == wanted.to), None)
    if room is not None:
        done = reached and world.home.room_at(*end) == room
        return Stage(is_done=done, shortest_m=shortest, error_m=0.0 if done else away)
    near = math.dist(end, target) <= _CLOSE_M or _is_beside(wanted.to, world, end)
    done = reached and near and world.home.room_at(*end) == world.home.room_at(*target)
    return Stage(is_done=done, shortest_m=shortest, error_m=0.0 if done else away)


def _is_beside(name: str, world: BulletHousehold, end: tuple[float, float]) -> bool:
    piece = next((one for one in world.home.furniture if one.name == name), None)
    if piece is None:
        return False
    dx = max(abs(end[0] - piece.centre_m[0]) - piece.size_m[0] / 2, 0.0)
    dy = max(abs(end[1] - piece.centre_m[1]) - piece.size_m[1] / 2, 0.0)
    return math.hypot(dx, dy) <= 1.0


def _point(name: str, world: BulletHousehold) -> tuple[float, float]:
    if name == "me":
        assert world.person_m is not None
        return world.person_m
    for room in world.home.rooms:
        if room.name == name:
            return room.centre_m
    for piece in world.home.furniture:
        if piece.name == name:
            return piece.centre_m[0], piece.centre_m[1]
    item = next(one for one in world.home.items if one.label == name)
    return item.position_m[0], item.position_m[1]
