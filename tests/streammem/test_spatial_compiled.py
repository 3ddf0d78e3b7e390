"""The compiled loops make the same map as numpy, bit for bit."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from streammem.errors import InputError, MissingDependencyError
from streammem.spatial import Intrinsics, Octree, OctreeSettings, queries, sensor_model
from tests.streammem.test_spatial_octree import BOX, CAMERA, HEIGHT, WIDTH, depth_of, pose, same

compiled = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")


def tilted(*, x: float, yaw: float, pitch: float, roll: float) -> np.ndarray:
    """A camera that is turned about all its axes."""
    found = pose(x=x, y=0.3, z=0.1, yaw=yaw)
    for angle, (a, b) in ((pitch, (1, 2)), (roll, (0, 1))):
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        found[:3, :3] = found[:3, :3] @ turn
    return found


def maps(setting: dict[str, float], looks: list[tuple[np.ndarray, np.ndarray, Intrinsics]]) -> tuple[Octree, Octree]:
    """Both engines' maps of the same looks; each look's counts are compared on the way."""
    numpy_map = Octree(OctreeSettings(engine="numpy", **setting))
    numba_map = Octree(OctreeSettings(engine="numba", **setting))
    for number, (depth, T, camera) in enumerate(looks):
        one, other = (
            tree.integrate(depth, camera=camera, T_map_camera=T, t_ns=number) for tree in (numpy_map, numba_map)
        )
        assert one == other
    return numpy_map, numba_map


@compiled
@pytest.mark.parametrize("voxel_m", [0.03, 0.1, 0.4])
def test_noisy_scans_from_all_sides_make_the_same_map(voxel_m: float) -> None:
    rng = np.random.default_rng(4)
    looks = []
    for _ in range(8):
        T = tilted(x=rng.uniform(-1, 1), yaw=rng.uniform(0, 6.28), pitch=rng.normal(0, 0.4), roll=rng.normal(0, 0.4))
        depth = depth_of(T, box=BOX) + rng.normal(0, 0.01, (HEIGHT, WIDTH)).astype(np.float32)
        looks.append((depth, T, CAMERA))
    one, other = maps({"voxel_m": voxel_m}, looks)
    assert len(one.blocks) > 10
    assert same(one, other)


@compiled
def test_holes_far_things_and_odd_sizes_make_the_same_map() -> None:
    rng = np.random.default_rng(5)
    camera = Intrinsics(fx=60.3, fy=71.9, cx=40.2, cy=33.3)
    looks = []
    for number in range(6):
        depth = rng.uniform(0.0, 14.0, (67, 91)).astype(np.float32)
        depth[rng.random(depth.shape) < 0.2] = [np.nan, np.inf, 0.0, -1.0, -np.inf, 30.0][number]
        looks.append((depth, tilted(x=-51_200.0 * number, yaw=number, pitch=0.3, roll=2.0), camera))
    looks.append((np.full((67, 91), np.inf), pose(), camera))
    looks.append((np.full((67, 91), 0.02), pose(), camera))
    one, other = maps({"voxel_m": 0.2, "max_depth_m": 12.0}, looks)
    assert same(one, other)


@compiled
def test_more_blocks_than_there_was_room_for() -> None:
    T = pose()
    looks = [(np.full((HEIGHT, WIDTH), 9.0, dtype=np.float32), T, CAMERA)] * 2
    one, other = maps({"voxel_m": 0.04}, looks)
    assert len(one.blocks) > 2048
    assert same(one, other)


@compiled
def test_views_too_wide_for_tables_go_the_other_way() -> None:
    T = pose()
    looks = [(np.full((HEIGHT, WIDTH), 60.0, dtype=np.float32), T, CAMERA)]
    one, other = maps({"voxel_m": 0.15, "max_depth_m": 100.0}, looks)
    assert same(one, other)


@compiled
def test_what_was_moved_is_cleared_alike() -> None:
    T = pose()
    seen, gone = (depth_of(T, box=BOX), T, CAMERA), (depth_of(T), T, CAMERA)
    one, other = maps({"voxel_m": 0.1}, [seen] * 5 + [gone] * 2 + [seen])
    assert same(one, other)


@compiled
def test_queries_find_the_same() -> None:
    rng = np.random.default_rng(6)
    looks = []
    for number in range(6):
        T = tilted(x=0.1 * number, yaw=number, pitch=0.2, roll=0.1)
        looks.append((depth_of(T, box=BOX), T, CAMERA))
    one, other = maps({"voxel_m": 0.1}, looks)
    points = np.concatenate([rng.uniform(-4, 4, (200, 3)), rng.uniform(-60, 60, (20, 3)), [[0.05, 0.05, 0.05]]])
    for within_m in (0.0, 0.3, 2.0, 200.0):
        (_, expected), (voxels, found) = (queries.nearest(tree, points, within_m=within_m) for tree in (one, other))
        assert np.allclose(found, expected, rtol=1e-12, atol=0)
        has = np.isfinite(found)
        assert (queries.occupancy(one, (voxels[has] + 0.5) * 0.1) > 0).all()
        assert np.allclose(np.linalg.norm((voxels[has] + 0.5) * 0.1 - points[has], axis=1), found[has])
    for radius_m, some in ((0.0, points), (0.35, points), (1.1, points[::20]), (90.0, points[::100])):
        first, second = (queries.within(tree, some, radius_m) for tree in (one, other))
        assert (first.first == second.first).all()
        for query in range(len(some)):
            part = slice(first.first[query], first.first[query + 1])
            left, right = (np.column_stack([each.voxels[part], each.distance_m[part]]) for each in (first, second))
            assert (left[np.lexsort(left.T)] == right[np.lexsort(right.T)]).all()
    ways = rng.normal(size=(len(points), 3))
    ways[:6] = [[1, 0, 0], [0, -1, 0], [0, 0, 1], [-1, 1, 0], [1, 1, 1], [0, 1e-9, 1]]
    for unknown_stops in (False, True):
        lengths = [queries.cast(tree, points, ways, range_m=9.0, unknown_stops=unknown_stops) for tree in (one, other)]
        assert (lengths[0] == lengths[1]).all()
        assert np.isfinite(lengths[0]).any()
    empty = Octree(OctreeSettings(engine="numba"))
    assert np.isinf(queries.nearest(empty, points, within_m=3.0)[1]).all()
    assert np.isinf(queries.cast(empty, points, ways, range_m=3.0)).all()
    with pytest.raises(InputError, match="radius"):
        queries.nearest(other, points, within_m=-1.0)


@compiled
def test_what_was_prepared_is_compiled_and_the_map_is_empty() -> None:
    from streammem.spatial import compiled as loops
    from streammem.spatial import compiled_carving

    tree = Octree(OctreeSettings(voxel_m=0.1))
    tree.prepare()
    assert len(tree.blocks) == 0
    kernels = (loops.mark_hits, compiled_carving.carve_blocks, loops.fuse, loops.keys_of, loops.slide_windows)
    before = [len(kernel.signatures) for kernel in kernels]
    assert min(before) > 0
    tree.integrate(depth_of(pose(), box=BOX), camera=CAMERA, T_map_camera=pose(), t_ns=0)
    depth = depth_of(pose())
    depth[::3] = np.nan
    tree.integrate(np.asfortranarray(depth.astype(np.float64)), camera=CAMERA, T_map_camera=pose(), t_ns=1)
    assert [len(kernel.signatures) for kernel in kernels] == before


def test_an_engine_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensor_model, "has_numba", lambda: False)
    depth = depth_of(pose())
    with pytest.raises(MissingDependencyError, match="numba"):
        Octree(OctreeSettings(engine="numba")).integrate(depth, camera=CAMERA, T_map_camera=pose(), t_ns=0)
    tree = Octree(OctreeSettings(voxel_m=0.2))
    tree.integrate(depth, camera=CAMERA, T_map_camera=pose(), t_ns=0)
    assert len(tree.blocks) > 0


WRONG = {
    "near-nan": (lambda tree: queries.nearest(tree, np.array([[np.nan, 0, 0]]), within_m=1.0), "must be finite"),
    "two-numbers": (lambda tree: queries.nearest(tree, np.array([1.0, 2.0]), within_m=1.0), "three numbers"),
    "four-numbers": (lambda tree: queries.within(tree, np.ones((3, 4)), 1.0), "three numbers"),
    "endless": (lambda tree: queries.nearest(tree, np.zeros((1, 3)), within_m=np.inf), "finite number of metres"),
    "no-number": (lambda tree: queries.nearest(tree, np.zeros((1, 3)), within_m=np.nan), "finite number of metres"),
    "negative": (lambda tree: queries.within(tree, np.zeros((1, 3)), -1.0), "0 or more, not -1.0"),
    "backwards": (lambda tree: cast(tree, range_m=-1.0), "0 or more, not -1.0"),
    "nowhere": (lambda tree: cast(tree, range_m=0.0), "more than 0 metres"),
    "endless-ray": (lambda tree: cast(tree, range_m=np.inf), "finite number of metres"),
    "level": (lambda tree: queries.occupancy(tree, np.zeros((1, 3)), level=-1), "from 0 to 24, not -1"),
    "high-level": (lambda tree: queries.occupancy(tree, np.zeros((1, 3)), level=99), "from 0 to 24, not 99"),
    "half-a-level": (lambda tree: queries.occupancy(tree, np.zeros((1, 3)), level=0.5), "a whole number"),
}


def cast(tree: Octree, *, range_m: float) -> np.ndarray:
    return queries.cast(tree, np.zeros((1, 3)), np.array([[1.0, 0.0, 0.0]]), range_m=range_m)


@pytest.mark.parametrize("engine", ["numpy", pytest.param("numba", marks=compiled)])
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_question_gets_the_same_sentence_of_both_engines(case: str, engine: Any) -> None:
    ask, words = WRONG[case]
    for looks in (0, 1):  # also of an empty map
        tree = Octree(OctreeSettings(engine=engine))
        for _ in range(looks):
            tree.integrate(depth_of(pose(), box=BOX), camera=CAMERA, T_map_camera=pose(), t_ns=0)
        with pytest.raises(InputError, match=words):
            ask(tree)
