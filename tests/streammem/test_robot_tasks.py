"""Tasks with known answers: what they ask, and how they are judged by the world."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from perception.simulation.household import make_household
from streammem.app.robot.tasks import EVAL_CAMERA, KINDS, Task, Wanted, make_task, run_task, stage_budget
from streammem.spatial.spatial_memory import SpatialMemory


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_follow_from_their_seed_and_ask_for_what_is_there(kind: str) -> None:
    home = make_household(7)
    task = make_task(kind, home, seed=7)  # type: ignore[arg-type]
    assert task == make_task(kind, home, seed=7)  # type: ignore[arg-type]
    names = {one.label for one in home.items} | {one.name for one in home.furniture} | {one.name for one in home.rooms}
    for wanted in task.stages:
        assert wanted.to in names | {"me"}
        assert wanted.what is None or wanted.what in {one.label for one in home.items}
    assert len(task.stages) == {"composite": 2, "long": 4, "route": 4, "return": 4}.get(kind, 1)
    for thing, place in task.carried:
        assert home.item(thing).on != place
    assert bool(task.carried) == (kind == "moved")


def test_what_is_returned_for_lies_where_the_robot_was_sent_before() -> None:
    for seed in range(5):
        home = make_household(seed)
        first, second, fetch, put = make_task("return", home, seed=seed).stages
        on = {one.label: one.on for one in home.items}
        assert (first.what, second.what) == (None, None)
        assert (on[fetch.what or ""], on[put.what or ""]) == (first.to, second.to)
        assert home.piece(first.to).room != home.piece(second.to).room
        assert put.to != second.to


def test_a_stage_has_a_budget_of_an_experts_steps() -> None:
    assert stage_budget(10.0, patience=1) == 50  # forty steps of a quarter metre, and ten
    assert stage_budget(10.0, patience=2.5) == 125


def test_what_is_put_on_a_wide_bed_from_its_edge_is_put_down_once() -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    from perception.simulation.bullet import BulletHousehold
    from planners.acting import act
    from planners.acting.rules import RulePlanner
    from planners.acting.skills import Place
    from streammem.app.robot.body import SimulatedBody, spots_of

    with BulletHousehold(home=make_household(3)) as world:  # 320 x 240: what lies near is below the picture
        body = SimulatedBody(world, memory=None)
        report = act(
            "put the apple on the bed", body=body, spots=spots_of(world.home), memory=None,
            planner=RulePlanner(reach_m=body.reach_m),
        )  # fmt: skip
        assert report.is_done
        assert [one.problem for one in report.goals[0].tried if isinstance(one.call, Place)] == [None]
        assert world.home.item("apple 1").on == "bed"


def test_a_thing_that_was_seen_is_fetched_in_fewer_steps(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    from perception.simulation.bullet import BulletHousehold
    from perception.simulation.environment import Idle, look_of

    home = make_household(3)
    task = Task(kind="fetch", home_seed=3, instruction="fetch the bowl", stages=(Wanted(what="bowl", to="me"),))
    bowl = home.item("bowl 1").position_m
    with (
        BulletHousehold(EVAL_CAMERA, home=home) as world,
        SpatialMemory.open(tmp_path, write=True, create=True) as memory,
    ):
        stand = world.plan.stand_for((bowl[0], bowl[1]), start=world.position_m)
        assert stand is not None
        world.place_robot(stand, math.atan2(bowl[1] - stand[1], bowl[0] - stand[0]))
        for _ in range(3):
            world.step(Idle())
            memory.observe(look_of(world.sense()))
    without, _ = run_task(task, memory_folder=None)
    hurried, goals = run_task(task, memory_folder=None, patience=1.5)
    assert not hurried.is_done
    assert hurried.steps == stage_budget(hurried.shortest_m, patience=1.5) < without.steps
    assert goals[0].reason == "the budget of steps is spent"
    assert hurried.stages[0].error_m > 1
    with_memory, goals = run_task(task, memory_folder=tmp_path, patience=1.5)
    assert with_memory.is_done
    assert goals[0].is_reached
    assert with_memory.exploring_steps == 0
    assert without.exploring_steps > 20
    assert with_memory.steps < without.steps
    assert 0.5 < with_memory.stages[0].shortest_m / with_memory.travelled_m <= 1.02


def test_what_was_carried_away_is_missed_and_searched_for(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    from perception.simulation.bullet import BulletHousehold
    from perception.simulation.environment import Idle, look_of

    home = make_household(3)
    was_on = home.item("bowl 1").on
    assert was_on is not None
    near = next(one.name for one in home.furniture if one.room == home.piece(was_on).room and one.name != was_on)
    task = Task(
        kind="moved", home_seed=3, instruction="fetch the bowl", stages=(Wanted(what="bowl", to="me"),),
        carried=(("bowl 1", near),),
    )  # fmt: skip
    bowl = home.item("bowl 1").position_m
    with (
        BulletHousehold(EVAL_CAMERA, home=home) as world,
        SpatialMemory.open(tmp_path, write=True, create=True) as memory,
    ):
        stand = world.plan.stand_for((bowl[0], bowl[1]), start=world.position_m)
        assert stand is not None
        world.place_robot(stand, math.atan2(bowl[1] - stand[1], bowl[0] - stand[0]))
        for _ in range(3):
            world.step(Idle())
            memory.observe(look_of(world.sense()))
    trial, _ = run_task(task, memory_folder=tmp_path)
    assert trial.is_done
    with SpatialMemory.open(tmp_path) as memory:
        kinds = {one.kind for one in memory.changes() if one.label == "bowl"}
    assert kinds & {"missing", "moved"}
