"""The household: its plan, its pictures, what can be done in it; and an adapter for another simulator."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from perception.simulation.environment import FORWARD_M, TURN_RAD, Grasp, Move, Release, camera_pose, look_of
from perception.simulation.floor_plan import FloorPlan
from perception.simulation.household import ITEMS, make_household, moved


@pytest.mark.parametrize("seed", range(12))
def test_every_home_is_whole(seed: int) -> None:
    home = make_household(seed)
    plan = FloorPlan(home)
    assert len(home.rooms) == 6
    assert {one.label for one in home.items} == set(ITEMS)
    start = plan.stand_for(home.rooms[0].centre_m, start=home.rooms[0].centre_m, reach_m=2.0)
    assert start is not None
    for room in home.rooms:
        assert plan.distance_m(start, room.centre_m) < 40, f"{room.name} cannot be reached"
    for item in home.items:
        assert item.on is not None
        piece = home.piece(item.on)
        assert abs(item.position_m[0] - piece.centre_m[0]) <= piece.size_m[0] / 2
        assert item.position_m[2] == pytest.approx(piece.top_m + item.size_m[2] / 2)
        stand = plan.stand_for((item.position_m[0], item.position_m[1]), start=start)
        assert stand is not None, f"the {item.label} is out of every reach"
        assert home.room_at(*stand) == piece.room
    assert make_household(seed) == home


def test_ways_are_free_and_as_long_as_the_distance_says() -> None:
    home = make_household(5)
    plan = FloorPlan(home)
    stand = [plan.stand_for(room.centre_m, start=room.centre_m, reach_m=2.0) for room in home.rooms]
    for one in stand:
        for other in stand:
            assert one is not None
            assert other is not None
            way = [one, *plan.way(one, other)]
            length = sum(math.dist(a, b) for a, b in pairwise(way))
            assert all(plan.can_stand(point) for point in way)
            assert length <= plan.distance_m(one, other) + 0.2
            assert math.dist(way[-1], other) < 0.2


def test_a_thing_can_be_carried_elsewhere() -> None:
    home = make_household(1)
    other = next(one.name for one in home.furniture if one.name != home.item("mug 1").on)
    after = moved(home, "mug 1", other, np.random.default_rng(0))
    assert after.item("mug 1").on == other
    assert {one.identity for one in after.items} == {one.identity for one in home.items}


def test_the_camera_looks_where_the_base_faces() -> None:
    pose = camera_pose((1.0, 2.0), math.pi / 2, height_m=1.25, pitch_rad=0.0)
    assert np.allclose(pose[:3, 2], (0, 1, 0), atol=1e-12)  # ahead
    assert np.allclose(pose[:3, 0], (1, 0, 0), atol=1e-12)  # right
    assert np.allclose(pose[:3, 1], (0, 0, -1), atol=1e-12)  # down
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)


def test_depth_and_numbers_place_things_where_they_are() -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    from perception.simulation.bullet import BulletHousehold, BulletSettings

    with BulletHousehold(BulletSettings(width=160, height=120), home=make_household(3)) as world:
        errors: list[float] = []
        for _ in range(12):
            world.step(Move(turn_rad=TURN_RAD))
            sensed = world.sense()
            look = look_of(sensed)
            for one in look.detections:
                if one.position_m is not None or one.mask is None or one.instance_id is None:
                    continue
                v, u = np.nonzero(one.mask)
                z, camera = sensed.depth_m[v, u], sensed.camera
                rays = np.stack([(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z], axis=-1)
                points = rays @ sensed.T_map_camera[:3, :3].T + sensed.T_map_camera[:3, 3]
                true = np.array(world.home.item(one.instance_id).position_m)
                errors.append(float(np.linalg.norm(points.mean(axis=0) - true)))
        assert len(errors) >= 6
        assert max(errors) < 0.2  # the side that is seen is nearer than the middle
        assert np.median(errors) < 0.1


def test_doing_things_changes_the_world_and_the_impossible_is_refused() -> None:
    pytest.importorskip("pybullet", reason="a wheel for Python 3.11 only")
    from perception.simulation.bullet import BulletHousehold, BulletSettings

    with BulletHousehold(BulletSettings(width=160, height=120), home=make_household(3)) as world:
        mug = world.home.item("mug 1")
        assert world.step(Grasp(identity="mug 1")).problem == "it is out of reach"
        stand = world.plan.stand_for((mug.position_m[0], mug.position_m[1]), start=world.position_m)
        assert stand is not None
        facing = math.atan2(mug.position_m[1] - stand[1], mug.position_m[0] - stand[0])
        world.place_robot(stand, facing)
        before = world.sense()
        assert any(one.instance_id == "mug 1" for one in look_of(before).detections)
        assert world.step(Grasp(identity="mug 1")).is_done
        assert world.held == "mug 1"
        assert not any(one.instance_id == "mug 1" for one in look_of(world.sense()).detections)
        assert world.step(Grasp(identity="plate 1")).problem == "the hand holds the mug 1"
        assert mug.on is not None
        piece = world.home.piece(mug.on)
        assert world.step(Release(position_m=(*piece.centre_m[:2], piece.top_m))).is_done
        assert world.held is None
        assert world.home.item("mug 1").on == piece.name
        assert world.step(Release(position_m=piece.centre_m)).problem == "nothing is held"
        assert world.t_ns == 5 * 500_000_000

        world.place_robot((world.home.rooms[0].low_m[0] + 0.3, world.home.rooms[0].low_m[1] + 0.3), math.pi)
        at = world.position_m
        assert world.step(Move(forward_m=FORWARD_M)).problem == "something is in the way"
        assert world.position_m == at


def test_vizdoom_is_a_world_too() -> None:
    pytest.importorskip("vizdoom")
    from perception.simulation.doom import DoomWorld

    with DoomWorld(width=160, height=120) as world:
        world.reset(seed=3)
        first = world.sense()
        assert first.image_rgb.shape == (120, 160, 3)
        assert np.isfinite(first.depth_m).any()
        for _ in range(6):
            world.step(Move(turn_rad=TURN_RAD))
        turned = world.sense()
        assert turned.t_ns > first.t_ns
        difference = (turned.yaw_rad - first.yaw_rad + math.pi) % (2 * math.pi) - math.pi
        assert abs(abs(difference) - math.pi) < 0.3
        assert {one.label for one in look_of(turned).detections} <= {"medikit"}
        found = {one.instance_id for one in look_of(first).detections}
        for _ in range(11):
            world.step(Move(turn_rad=TURN_RAD))
            found |= {one.instance_id for one in look_of(world.sense()).detections}
        assert any(found)
        at = world.sense().position_m
        for _ in range(4):
            world.step(Move(forward_m=FORWARD_M))
        assert 0.5 < math.dist(world.sense().position_m, at) < 2.5
        assert world.step(Grasp(identity="x")).problem is not None
