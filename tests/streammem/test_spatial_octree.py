"""The map against plain Python, against exact rays, and against LanceDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import lancedb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streammem.errors import ConfigError, InputError, MemoryStoreError
from streammem.memory import Memory
from streammem.spatial import Intrinsics, Octree, OctreeSettings, camera, keys, queries, ray_walk
from streammem.types import Recording

SIZE = 0.1
CAMERA = Intrinsics(fx=100.0, fy=100.0, cx=79.5, cy=59.5)
HEIGHT, WIDTH = 120, 160


def pose(*, x: float = 0.0, y: float = 0.0, z: float = 0.0, yaw: float = 0.0) -> np.ndarray:
    """A level camera: z forward."""
    forward = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
    found = np.eye(4)
    found[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    found[:3, 3] = x, y, z
    return found


def depth_of(T: np.ndarray, *, box: tuple[list[float], list[float]] | None = None) -> np.ndarray:
    """z-depth (H, W) in a room of 6 x 6 x 2.4 m around its own frame's origin, with one box in it."""
    u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    rays = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones_like(u)], axis=-1) @ T[:3, :3].T
    origin = T[:3, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (np.array([-3.03, -3.03, -1.23]) - origin) / rays, (np.array([3.03, 3.03, 1.23]) - origin) / rays
        t = np.nanmin(np.maximum(low, high), axis=-1)
        if box is not None:
            a, b = (np.array(box[0]) - origin) / rays, (np.array(box[1]) - origin) / rays
            near, far = np.minimum(a, b).max(axis=-1), np.maximum(a, b).min(axis=-1)
            t = np.where((near < far) & (near > 0), np.minimum(t, near), t)
    return t.astype(np.float32)


BOX = ([1.0, -0.3, -1.23], [1.5, 0.3, 0.4])


def voxels_of(tree: Octree, sign: int) -> set[tuple[int, int, int]]:
    found, values = queries.in_box(tree, np.full(3, -1e4), np.full(3, 1e4))
    return {tuple(one) for one in found[np.sign(values) == sign].tolist()}


def mapped(count: int = 4) -> Octree:
    tree = Octree(OctreeSettings(voxel_m=SIZE))
    for number in range(count):
        T = pose(yaw=number * 2 * np.pi / count)
        tree.integrate(depth_of(T, box=BOX), camera=CAMERA, T_map_camera=T, t_ns=number)
    return tree


coordinates = st.integers(-keys.REACH_BLOCKS, keys.REACH_BLOCKS - 1)


@given(st.lists(st.tuples(coordinates, coordinates, coordinates), min_size=1, max_size=50), st.integers(0, 20))
def test_keys_are_reversible_unique_and_shift_to_coarser_blocks(blocks: list[tuple[int, int, int]], level: int) -> None:
    given_blocks = np.array(blocks, dtype=np.int64)
    found = keys.encode(given_blocks)
    assert (found >= 0).all()
    assert (keys.decode(found) == given_blocks).all()
    # A shifted key is the key of the coarser block: equal exactly where the coarser coordinates are.
    coarse = (given_blocks + keys.REACH_BLOCKS) >> level
    same = (coarse[:, None] == coarse[None]).all(axis=-1)
    assert (((found >> 3 * level)[:, None] == (found >> 3 * level)[None]) == same).all()


def test_places_in_a_block_are_morton_ordered() -> None:
    assert (keys.places(keys.OFFSETS.astype(np.int64)) == np.arange(512)).all()
    assert (keys.OFFSETS[:8].max(axis=0) == 1).all()
    assert (keys.OFFSETS[:64].max(axis=0) == 3).all()


@pytest.mark.parametrize("bad", [[np.nan, 0, 0], [np.inf, 0, 0], [1e9, 0, 0]])
def test_points_beyond_reach_are_refused(bad: list[float]) -> None:
    with pytest.raises(InputError, match="finite and within"):
        keys.voxels_at(np.array([bad]), SIZE)


@pytest.mark.parametrize("far", [[0.0, 0.0, 0.0], [-51_200.0, 12_800.0, -25_600.0]])
@pytest.mark.parametrize("yaw", [0.0, 0.4, 2.1])
def test_hits_are_exact_and_free_space_agrees_with_rays(far: list[float], yaw: float) -> None:
    T = pose(x=0.21, y=-0.13, z=0.07, yaw=yaw)
    depth = depth_of(T, box=BOX)
    moved = T.copy()
    moved[:3, 3] += far
    tree = Octree(OctreeSettings(voxel_m=SIZE))
    tree.integrate(depth, camera=CAMERA, T_map_camera=moved, t_ns=0)
    view = camera.place_view(depth, camera=CAMERA, T_map_camera=moved, voxel_m=SIZE, max_depth_m=20.0)
    free, hit = ray_walk.free_and_hit(view.start, camera.points(view).astype(np.float64))
    base = view.base_block * 8
    assert voxels_of_all(tree, 1) == {tuple(one) for one in (hit + base).tolist()}
    ours, exact = voxels_of_all(tree, -1), {tuple(one) for one in (free + base).tolist()}
    # A small image of large voxels: a tenth of them lie at an edge. `scripts/bench_octree.py` has real sizes.
    assert len(ours & exact) / len(ours | exact) >= 0.9
    assert len(ours - exact) <= 0.02 * len(exact)


def voxels_of_all(tree: Octree, sign: int) -> set[tuple[int, int, int]]:
    found, values = queries.in_box(tree, np.full(3, -1e6), np.full(3, 1e6))
    return {tuple(one) for one in found[np.sign(values) == sign].tolist()}


def test_a_ray_walk_visits_what_small_steps_visit() -> None:
    rng = np.random.default_rng(3)
    starts, ends = rng.uniform(-6, 6, (12, 3)), rng.uniform(-6, 6, (12, 3))
    visited: list[set[tuple[int, ...]]] = [set() for _ in starts]
    for rays, voxels, _ in ray_walk.walk(starts, ends):
        for ray, voxel in zip(rays.tolist(), voxels.tolist(), strict=True):
            assert tuple(voxel) not in visited[ray]
            visited[ray].add(tuple(voxel))
    for start, end, found in zip(starts, ends, visited, strict=True):
        fine = np.floor(start + np.linspace(0, 1, 20_000)[:, None] * (end - start)).astype(int)
        assert {tuple(one) for one in fine.tolist()} <= found
        assert len(found) == np.abs(np.floor(end) - np.floor(start)).sum() + 1


def test_bad_depth_is_no_evidence_and_infinity_is_free_space() -> None:
    T = pose()
    nothing = np.full((HEIGHT, WIDTH), np.nan, dtype=np.float32)
    nothing[0], nothing[1], nothing[2] = 0.0, -1.0, -np.inf
    tree = Octree(OctreeSettings(voxel_m=SIZE, max_depth_m=3.0))
    assert tree.integrate(nothing, camera=CAMERA, T_map_camera=T, t_ns=0).free == 0
    assert len(tree.blocks) == 0
    result = tree.integrate(np.full((HEIGHT, WIDTH), np.inf), camera=CAMERA, T_map_camera=T, t_ns=0)
    assert result.hits == 0
    assert result.free > 1000
    half = depth_of(T)
    half[:, ::2] = np.nan
    assert 0 < tree.integrate(half, camera=CAMERA, T_map_camera=T, t_ns=0).hits < half.size


@pytest.mark.parametrize(
    ("depth", "T", "words"),
    [
        (np.ones(5), np.eye(4), "two axes"),
        (np.full((4, 4), 2000, dtype=np.uint16), np.eye(4), "16-bit depth is millimetres"),
        (np.ones((4, 4)), np.eye(3), "matrix"),
        (np.ones((4, 4)), np.eye(4) * np.nan, "finite"),
        (np.ones((4, 4)), np.eye(4) * 2, "rotation"),
        (np.ones((4, 4)), pose(x=1e9), "origin"),
    ],
)
def test_bad_input_is_one_sentence(depth: np.ndarray, T: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Octree().integrate(depth, camera=CAMERA, T_map_camera=T, t_ns=0)


def test_settings_that_cannot_hold_are_refused() -> None:
    with pytest.raises(ConfigError, match="byte"):
        OctreeSettings(highest=120)
    with pytest.raises(ConfigError, match="positive"):
        OctreeSettings(voxel_m=0.0)


def test_a_moved_box_leaves_no_ghost_and_what_stands_stays() -> None:
    T = pose()
    tree = Octree(OctreeSettings(voxel_m=SIZE))
    for number in range(20):
        tree.integrate(depth_of(T, box=BOX), camera=CAMERA, T_map_camera=T, t_ns=number)
    before = voxels_of(tree, 1)
    empty = Octree(OctreeSettings(voxel_m=SIZE))
    empty.integrate(depth_of(T), camera=CAMERA, T_map_camera=T, t_ns=0)
    background = voxels_of(empty, 1)
    for number in range(2):
        tree.integrate(depth_of(T), camera=CAMERA, T_map_camera=T, t_ns=30 + number)
    ghosts = (before - background) & voxels_of(tree, 1)
    assert len(before - background) > 50
    assert len(ghosts) <= 0.01 * len(before - background)
    assert before & background <= voxels_of(tree, 1)


def test_standing_still_adds_nothing() -> None:
    rng = np.random.default_rng(0)
    tree, T = Octree(OctreeSettings(voxel_m=SIZE)), pose()
    sizes = []
    for number in range(60):
        depth = depth_of(T, box=BOX) + rng.normal(0, 0.002, (HEIGHT, WIDTH))
        tree.integrate(depth, camera=CAMERA, T_map_camera=T, t_ns=number)
        sizes.append((len(tree.blocks), tree.memory_bytes))
    assert sizes[19] == sizes[-1]


def test_labels_follow_most_pixels_and_go_with_the_object() -> None:
    T = pose()
    depth = depth_of(T, box=BOX)
    labels = np.where(depth < 1.4, 7, 0).astype(np.uint16)
    tree = Octree(OctreeSettings(voxel_m=SIZE))
    tree.integrate(depth, camera=CAMERA, T_map_camera=T, t_ns=0, labels=labels)

    def label_at(x: float, y: float, z: float) -> int:
        voxel = keys.voxels_at(np.array([[x, y, z]]), SIZE)
        return int(tree.blocks.label_at(tree.blocks.find(keys.encode(voxel >> 3)), keys.places(voxel))[0])

    assert label_at(1.01, 0.05, 0.05) == 7
    assert label_at(3.04, 1.55, 0.05) == 0
    for number in range(2):
        tree.integrate(depth_of(T), camera=CAMERA, T_map_camera=T, t_ns=1 + number)
    assert label_at(1.01, 0.05, 0.05) == 0


def test_times_are_the_newest_observation_also_out_of_order() -> None:
    tree, T = Octree(OctreeSettings(voxel_m=SIZE)), pose()
    tree.integrate(depth_of(T), camera=CAMERA, T_map_camera=T, t_ns=1_000)
    tree.integrate(depth_of(T), camera=CAMERA, T_map_camera=T, t_ns=10)
    seen = tree.blocks.seen_ns[tree.blocks.rows]
    assert set(np.unique(seen)) <= {1_000, np.iinfo(np.int64).min}
    assert (seen == 1_000).any()


@given(st.lists(st.integers(0, 400), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None)
def test_decay_often_or_seldom_comes_to_the_same(times_s: list[int]) -> None:
    def faded(moments: list[int]) -> np.ndarray:
        tree, T = Octree(OctreeSettings(voxel_m=0.4, decay_s=20.0)), pose()
        tree.integrate(depth_of(T), camera=CAMERA, T_map_camera=T, t_ns=0)
        for moment in moments:
            tree.decay(moment * 10**9)
        return np.sort(tree.blocks.log_odds[tree.blocks.rows].ravel())

    assert (faded(sorted(times_s)) == faded([max(times_s)])).all()


def test_what_is_never_seen_again_is_forgotten() -> None:
    tree, T = Octree(OctreeSettings(voxel_m=SIZE, decay_s=1.0)), pose()
    tree.integrate(depth_of(T), camera=CAMERA, T_map_camera=T, t_ns=0)
    count = len(tree.blocks)
    assert count > 0
    assert tree.decay(200 * 10**9) == count
    assert len(tree.blocks) == 0
    assert tree.known_voxels() == 0


# --- queries against brute force --------------------------------------------------------------------------------------


def test_queries_agree_with_brute_force() -> None:
    tree = mapped()
    rng = np.random.default_rng(1)
    points = rng.uniform(-3.2, 3.2, (60, 3)) * [1, 1, 0.4]
    occupied = np.array(sorted(voxels_of(tree, 1)))
    centres = (occupied + 0.5) * SIZE
    distance = np.linalg.norm(points[:, None] - centres[None], axis=-1)
    for radius in (0.0, 0.17, 0.5, 2.3):
        found = queries.within(tree, points, radius)
        for number in range(len(points)):
            part = slice(found.first[number], found.first[number + 1])
            expected = occupied[distance[number] <= radius]
            assert sorted(found.voxels[part].tolist()) == sorted(expected.tolist())
    voxels, nearest = queries.nearest(tree, points, within_m=10.0)
    assert np.allclose(nearest, distance.min(axis=1))
    assert np.allclose(np.linalg.norm((voxels + 0.5) * SIZE - points, axis=1), nearest)
    assert np.isinf(queries.nearest(tree, np.array([[50.0, 0, 0]]), within_m=1.0)[1]).all()
    low, high = np.array([-1.0, -2.0, -0.5]), np.array([2.9, 3.1, 0.6])
    boxed, values = queries.in_box(tree, low, high)
    inside = ((centres >= low) & (centres <= high)).all(axis=1)
    assert sorted(boxed[values > 0].tolist()) == sorted(occupied[inside].tolist())


@pytest.mark.parametrize("level", [0, 1, 2, 3, 4, 6])
def test_levels_hold_the_greatest_known_value(level: int) -> None:
    tree = mapped()
    voxels, values = queries.in_box(tree, np.full(3, -1e4), np.full(3, 1e4))
    expected: dict[tuple[int, ...], int] = {}
    for cell, value in zip((voxels >> level).tolist(), values.tolist(), strict=True):
        expected[tuple(cell)] = max(expected.get(tuple(cell), -128), value)
    points = np.random.default_rng(2).uniform(-4, 4, (300, 3))
    cells = (np.floor(points / SIZE).astype(int) >> level).tolist()
    assert queries.occupancy(tree, points, level=level).tolist() == [expected.get(tuple(cell), 0) for cell in cells]


def test_rays_meet_walls_and_stop_at_the_unknown() -> None:
    tree = mapped(8)
    ways = np.array([[1.0, 0, 0], [0, 2.0, 0], [0, 0, 1.0]])
    found = queries.cast(tree, np.zeros((3, 3)) + 0.05, ways, range_m=5.0)
    assert abs(found[0] - 0.95) <= SIZE
    assert abs(found[1] - 2.98) <= SIZE
    assert np.isinf(found[2])  # no scan looked up
    assert np.isfinite(queries.cast(tree, np.zeros((3, 3)) + 0.05, ways, range_m=5.0, unknown_stops=True)).all()


def test_an_empty_map_answers() -> None:
    tree, points = Octree(), np.zeros((2, 3))
    assert (queries.occupancy(tree, points) == 0).all()
    assert (queries.occupancy(tree, points, level=5) == 0).all()
    assert len(queries.within(tree, points, 1.0).voxels) == 0
    assert np.isinf(queries.nearest(tree, points, within_m=1.0)[1]).all()
    assert np.isinf(queries.cast(tree, points, np.ones((2, 3)), range_m=1.0)).all()
    assert len(queries.in_box(tree, -np.ones(3), np.ones(3))[0]) == 0


# --- rows -------------------------------------------------------------------------------------------------------------


def same(one: Octree, other: Octree) -> bool:
    a, b = one.blocks, other.blocks
    labels = all(
        np.array_equal(a.labels_of(int(row)), b.labels_of(int(twin)))
        if a.labels_of(int(row)) is not None
        else b.labels_of(int(twin)) is None
        for row, twin in zip(a.rows, b.rows, strict=True)
    )
    return (
        np.array_equal(a.keys, b.keys)
        and np.array_equal(a.log_odds[a.rows], b.log_odds[b.rows])
        and np.array_equal(a.seen_ns[a.rows], b.seen_ns[b.rows])
        and labels
    )


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path / "m", write=True, create=True) as opened:
        yield opened


def blocks_in(folder: Path) -> int:
    return int(lancedb.connect(str(folder)).open_table("voxel_blocks").count_rows())


def test_a_map_is_saved_and_read_bit_for_bit_and_only_changes_are_written(memory: Memory) -> None:
    T = pose()
    setting = OctreeSettings(voxel_m=SIZE, decay_s=1.0)
    tree = Octree(setting)
    labels = np.where(depth_of(T, box=BOX) < 1.4, 65_535, 0).astype(np.uint16)
    assert len(memory.load_map(setting, recording="walk").blocks) == 0
    tree.integrate(depth_of(T, box=BOX), camera=CAMERA, T_map_camera=T, t_ns=2**62, labels=labels)
    assert memory.save_map(tree, recording="walk") == len(tree.blocks)
    assert same(tree, memory.load_map(setting, recording="walk"))
    assert memory.save_map(tree, recording="walk") == 0
    other = pose(yaw=2.5)
    before = len(tree.blocks)
    tree.integrate(depth_of(other), camera=CAMERA, T_map_camera=other, t_ns=2**62 + 1)
    written = memory.save_map(tree, recording="walk")
    assert len(tree.blocks) - before <= written < len(tree.blocks)
    assert same(tree, memory.load_map(setting, recording="walk"))
    assert blocks_in(memory.folder) == len(tree.blocks)
    assert len(memory.load_map(setting, recording="another").blocks) == 0
    assert tree.decay(2**62 + 200 * 10**9) > 0
    assert memory.save_map(tree, recording="walk") > 0
    assert len(memory.load_map(setting, recording="walk").blocks) == 0
    assert blocks_in(memory.folder) == 0


def test_a_map_of_other_voxels_is_refused(memory: Memory) -> None:
    memory.save_map(mapped(), recording="walk")
    with pytest.raises(MemoryStoreError, match="voxels of"):
        memory.load_map(OctreeSettings(voxel_m=0.3), recording="walk")


@pytest.mark.parametrize("reloaded_after", [[0], [1], [2], [0, 1, 2]])
def test_a_map_that_is_read_back_fades_as_if_it_had_stayed_open(memory: Memory, reloaded_after: list[int]) -> None:
    setting = OctreeSettings(voxel_m=SIZE, decay_s=10.0)
    kept, other = Octree(setting), Octree(setting)
    for tree in (kept, other):
        tree.integrate(depth_of(pose()), camera=CAMERA, T_map_camera=pose(), t_ns=0)
    for number, second in enumerate((35, 44, 85)):
        for tree in (kept, other):
            tree.decay(second * 10**9)
        if number in reloaded_after:
            memory.save_map(other, recording="walk")
            other = memory.load_map(setting, recording="walk")
    assert len(kept.blocks) > 0
    assert same(kept, other)


def test_blocks_that_a_crash_left_empty_are_not_read(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = OctreeSettings(voxel_m=SIZE, decay_s=1.0)
    tree = Octree(setting)
    tree.integrate(depth_of(pose()), camera=CAMERA, T_map_camera=pose(), t_ns=0)
    memory.save_map(tree, recording="walk")
    tree.decay(200 * 10**9)
    # Between the two commits of an upsert: the blocks are marked as empty, and not deleted.
    monkeypatch.setattr("streammem.store.writer._retry", FirstOnly())
    with pytest.raises(KeyboardInterrupt):
        memory.save_map(tree, recording="walk")
    monkeypatch.undo()
    assert blocks_in(memory.folder) > 0
    assert len(memory.load_map(setting, recording="walk").blocks) == 0


class FirstOnly:
    """Lets one commit through."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, commit: Callable[[], object]) -> None:
        self.calls += 1
        if self.calls > 1:
            raise KeyboardInterrupt
        commit()


def test_a_forgotten_span_leaves_the_map_and_its_bytes_and_a_recording_goes_whole(memory: Memory) -> None:
    setting = OctreeSettings(voxel_m=SIZE)

    def holds_labels(folder: Path) -> bool:
        return any(b"\xfe\xca\xfe\xca" in path.read_bytes() for path in folder.rglob("*") if path.is_file())

    tree, other = Octree(setting), Octree(setting)
    there, away = pose(), pose(yaw=np.pi)
    labels = np.full((HEIGHT, WIDTH), 51_966, dtype=np.uint16)
    tree.integrate(depth_of(away), camera=CAMERA, T_map_camera=away, t_ns=1_000)
    other.integrate(depth_of(away), camera=CAMERA, T_map_camera=away, t_ns=1_000)
    tree.integrate(depth_of(there, box=BOX), camera=CAMERA, T_map_camera=there, t_ns=2_000, labels=labels)
    for recording in ("walk", "stroll"):
        memory.save_map(tree, recording=recording)
        tree.blocks.write(
            tree.blocks.rows, tree.blocks.log_odds[tree.blocks.rows], tree.blocks.seen_ns[tree.blocks.rows]
        )
    assert memory.forget(recordings=None, after_ns=1_500, before_ns=2_001, dry_run=True).rows["voxel_blocks"] > 0
    assert len(voxels_of(memory.load_map(setting, recording="walk"), 1) - voxels_of(other, 1)) > 50
    assert holds_labels(memory.folder)
    memory.forget(after_ns=1_500, before_ns=2_001)
    for recording in ("walk", "stroll"):
        left = memory.load_map(setting, recording=recording)
        tree.forget_seen(1_500, 2_001)
        assert same(left, tree)
        assert len(left.blocks) > 0
        assert voxels_of(left, 1) <= voxels_of(other, 1)
    assert not holds_labels(memory.folder)
    memory.forget(recordings=["walk"])
    assert len(memory.load_map(setting, recording="walk").blocks) == 0
    assert len(memory.load_map(setting, recording="stroll").blocks) > 0


def test_a_map_that_is_still_open_does_not_bring_back_what_was_forgotten(memory: Memory) -> None:
    setting = OctreeSettings(voxel_m=SIZE)
    tree = Octree(setting)
    for t_ns, yaw in ((1_000, 0.0), (2_000, np.pi)):
        T = pose(yaw=yaw)
        tree.integrate(depth_of(T), camera=CAMERA, T_map_camera=T, t_ns=t_ns)
    memory.put_recording(recording_of("walk"))
    memory.save_map(tree, recording="walk")
    memory.forget(recordings=["walk"], after_ns=1_500, before_ns=3_000)
    T = pose(yaw=np.pi)
    tree.integrate(depth_of(T), camera=CAMERA, T_map_camera=T, t_ns=2_500)  # the same file, read again
    memory.save_map(tree, recording="walk")
    left = memory.load_map(setting, recording="walk")
    assert same(left, tree)
    assert set(np.unique(left.blocks.seen_ns[left.blocks.rows])) == {np.iinfo(np.int64).min, 1_000}


def recording_of(name: str) -> Recording:
    return Recording(
        recording=name, uri=name, fingerprint="live-1", t_start_ns=0, t_end_ns=9_000, status="complete",
        has_video=True, has_audio=False,
    )  # fmt: skip
