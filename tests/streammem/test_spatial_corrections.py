"""A loop is closed: things, places, the path and the map move along, and what was believed before is still told."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from streammem.errors import InputError
from streammem.spatial import queries
from streammem.spatial.frames import SubmapSettings
from streammem.spatial.observations import ObjectDetection, Observation
from streammem.spatial.settings import SpatialSettings
from streammem.spatial.spatial_memory import SpatialMemory
from streammem.types import NS_PER_S
from tests.spatial_world import T0_NS, Box, World, pose_at

SETTINGS = SpatialSettings(submaps=SubmapSettings(length_m=1.5, duration_s=1e6))


def drifted(pose: np.ndarray, step: int) -> np.ndarray:
    """What odometry says: off by 2 degrees and 16 cm more with every step."""
    angle = math.radians(2.0 * step)
    off = np.eye(4)
    off[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    off[:2, 3] = (0.12 * step, -0.10 * step)
    return off @ pose


def test_everything_moves_with_the_submaps(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    world = World(
        boxes={
            "mug": Box("mug", (-0.6, 1.0, 1.2), (0.2, 0.2, 0.2)),
            "lamp": Box("lamp", (2.6, 1.0, 1.2), (0.3, 0.3, 0.5)),
        },
        knows_names=True,
    )
    true, believed = {}, {}
    with SpatialMemory.open(folder, write=True, create=True, settings=SETTINGS) as space:
        for step in range(10):
            pose = pose_at(-2.0 + 0.5 * step, -0.8, 0.9)
            look = world.look(pose, float(step), room="hall")
            wrong = drifted(pose, step)
            true[step], believed[step] = pose, wrong
            space.observe(
                type(look)(
                    t_ns=look.t_ns, T_map_camera=wrong, depth_m=look.depth_m, camera=look.camera,
                    detections=look.detections, room="hall",
                )
            )  # fmt: skip
        before = {one.label: one.object_position for one in space.objects()}
        off = {name: np.linalg.norm(np.subtract(before[name], world.boxes[name].centre)) for name in before}
        assert off["lamp"] > 0.3
        steps = [round((start - T0_NS) / NS_PER_S) for start in space.frames.t_start_ns.tolist()]
        assert len(steps) >= 3
        t_before = T0_NS + 9 * NS_PER_S
        space.correct(np.stack([true[step] for step in steps]))
        after = {one.label: one.object_position for one in space.objects()}
        for name, at in after.items():  # what is left is the drift within a submap
            assert np.linalg.norm(np.subtract(at, world.boxes[name].centre)) < 0.3, name
        check(space, world, true, before, int(t_before))
        told = space.observe(world.look(pose_at(0.5, -0.8, 0.9), 20.0, room="hall"))
        assert not told.of_kind("moved")  # the lamp did not move, the map did
    with SpatialMemory.open(folder) as space:
        check(space, world, true, before, int(t_before))
    with SpatialMemory.open(folder, write=True, settings=SETTINGS) as space:  # gone on with
        check(space, world, true, before, int(t_before))
        assert space.frames.version == 1


def check(
    space: SpatialMemory,
    world: World,
    true: dict[int, np.ndarray],
    before: dict[str, tuple[float, float, float]],
    then: int,
) -> None:
    lamp = world.boxes["lamp"].centre
    (found,) = space.query().near(lamp, radius_m=0.3).label("lamp").run()
    assert found.object_position != before["lamp"]
    (same,) = space.query().near(lamp, radius_m=0.3).label("lamp").between(T0_NS, then).run()
    assert same.object_id == found.object_id
    path = space.path()
    for t_ns, position in zip(path.t_ns.tolist(), path.positions_m, strict=True):
        step = round((t_ns - T0_NS) / NS_PER_S)
        if step in true:
            assert np.linalg.norm(position - true[step][:3, 3]) < 0.5  # of 1.4
    for place in space.places:
        assert abs(place.position_m[1] + 0.8) < 0.5  # all on the line that was walked
    old = {one.label: one.object_position for one in space.objects(as_of_ns=then)}
    for name, at in before.items():  # what was believed then
        assert np.linalg.norm(np.subtract(old[name], at)) < 1e-6
    assert np.linalg.norm(space.path(as_of_ns=then).positions_m[-1] - drifted(true[9], 9)[:3, 3]) < 0.6
    front = np.array([lamp]) - (0.1, 0.15, 0.0)
    _, apart = queries.nearest(space.octree, front, within_m=0.5)
    assert apart[0] < 0.35


def test_a_room_that_was_said_moves_with_the_submap_it_was_said_in(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    drift = np.eye(4)  # of the second submap: by a quarter of a turn, and metres
    drift[:3, :3], drift[:3, 3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]], (20.0, 5.0, 0.0)

    def see(space: SpatialMemory, second: float, x: float, off: np.ndarray, **things: tuple[float, float]) -> None:
        """From (x, 0), as it is believed to be."""
        at = {name: off[:3, :3] @ (*place, 1.0) + off[:3, 3] for name, place in things.items()}
        space.observe(
            Observation(
                t_ns=T0_NS + round(second * NS_PER_S), T_map_camera=off @ pose_at(x, 0.0, 0.0), room="hall",
                detections=tuple(
                    ObjectDetection(label=name, instance_id=name, position_m=(float(p[0]), float(p[1]), float(p[2])))
                    for name, p in at.items()
                ),
            )
        )  # fmt: skip

    def in_kitchen(space: SpatialMemory) -> set[str]:
        return {one.label for one in space.query().within("kitchen").run()}

    now = np.eye(4)
    with SpatialMemory.open(folder, write=True, create=True, settings=SETTINGS) as space:
        space.name_rooms({"den": ((-2, -2, 0), (2, 2, 3))})  # in the first submap, which is right
        see(space, 0, 0.0, now, chair=(1.0, 0.0))
        see(space, 1, 6.0, drift)
        assert len(space.frames) == 2
        low, high = drift[:3, :3] @ (5, -1, 0) + drift[:3, 3], drift[:3, :3] @ (9, 2, 3) + drift[:3, 3]
        space.name_rooms({"kitchen": (tuple(np.minimum(low, high)), tuple(np.maximum(low, high)))})
        see(space, 2, 6.5, drift, mug=(7.0, 1.5))
        assert in_kitchen(space) == {"mug"}
        space.correct(space.frames.T_map_submap)  # nothing moves yet
        space.correct(np.stack([space.frames.T_map_submap[0], pose_at(6.0, 0.0, 0.0)]))  # the loop is closed
        see(space, 10, 6.5, now, mug=(7.0, 1.5), plate=(8.8, -0.8), pan=(9.5, 0.0))
        see(space, 11, 7.0, now, vase=tuple(drift[:2, :2] @ (7, 0) + drift[:2, 3]))  # where the kitchen was believed
        see(space, 12, 1.0, now, stool=(-1.5, 1.5))
        assert in_kitchen(space) == {"mug", "plate"}
        assert {one.label for one in space.query().within("den").run()} == {"chair", "stool"}
    with SpatialMemory.open(folder, write=True, settings=SETTINGS) as space:  # gone on with
        see(space, 20, 6.5, now, bowl=(5.2, 1.8), pan=(9.5, 0.0))
        assert in_kitchen(space) == {"mug", "plate", "bowl"}
        space.name_rooms({"kitchen": (tuple(np.minimum(low, high)), tuple(np.maximum(low, high)))})
        see(space, 21, 6.5, now, cup=(5.2, 1.0))  # those numbers mean somewhere else by now
        assert in_kitchen(space) == {"mug", "plate", "bowl"}


def test_without_submaps_nothing_can_be_corrected(tmp_path: Path) -> None:
    with SpatialMemory.open(tmp_path / "m", write=True, create=True) as space:
        with pytest.raises(InputError, match="Nothing was observed"):
            space.correct(np.eye(4)[None])
        space.observe(World().look(pose_at(0, 0, 0), 0.0))
        with pytest.raises(InputError, match="where there are submaps"):
            space.correct(np.eye(4)[None])
        assert len(space.frames) == 0
