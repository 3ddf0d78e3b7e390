"""What is remembered moves along with its submap: exactly, at once, and as it was believed at any time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from streammem.errors import InputError
from streammem.memory import Memory
from streammem.spatial import Octree, OctreeSettings, queries, rigid
from streammem.spatial.frames import SubmapFrames, SubmapSettings
from streammem.spatial.pose_graph import Edge, odometry_edges, solve
from streammem.spatial.submap_maps import SubmapMaps, frame_of
from tests.streammem.test_spatial_octree import BOX, CAMERA, depth_of, pose

twists = st.lists(st.floats(-2, 2), min_size=6, max_size=6).map(lambda one: np.array(one))


def motion(seed: int, *, far_m: float = 5.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found = np.eye(4)
    found[:3, :3] = Rotation.random(rng=rng).as_matrix()
    found[:3, 3] = rng.uniform(-far_m, far_m, 3)
    return found


@given(twists)
def test_motions_and_twists_are_each_others_inverse(twist: np.ndarray) -> None:
    made = rigid.exp(twist)
    assert np.allclose(made[:3, :3], Rotation.from_rotvec(twist[3:]).as_matrix(), atol=1e-12)
    if np.linalg.norm(twist[3:]) < 3.1:
        assert np.allclose(rigid.log(made), twist, atol=1e-7)
    assert np.allclose(rigid.inverse(made) @ made, np.eye(4), atol=1e-12)


@pytest.mark.parametrize("size", [0.0, 1e-9, 0.9e-3, 1.1e-3, 1.0])
def test_small_turns_lose_no_digits(size: float) -> None:
    twist = np.array([0.3, -2.0, 1.0, *(np.array([0.6, -0.64, 0.48]) * size)])
    assert np.allclose(rigid.log(rigid.exp(twist)), twist, atol=1e-12)


def test_an_adjoint_moves_a_twist_to_another_frame() -> None:
    T, twist = motion(1), np.array([0.1, 0.2, -0.3, 0.2, 0.1, 0.05])
    assert np.allclose(rigid.exp(rigid.adjoint(T) @ twist), T @ rigid.exp(twist) @ rigid.inverse(T), atol=1e-12)


# --- frames -----------------------------------------------------------------------------------------------------------


def grown(count: int) -> SubmapFrames:
    frames = SubmapFrames()
    for number in range(count):
        frames.begin(number * 1000, motion(number))
    return frames


@given(st.lists(st.tuples(st.integers(0, 9_999), st.integers(1, 10)), max_size=4), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_positions_are_where_they_were_in_their_submap(corrections: list[tuple[int, int]], seed: int) -> None:
    """By hand: a thing has a place in its submap for ever; the map's coordinates are noted as believed at the time."""
    rng = np.random.default_rng(seed)
    things = [(int(t), rng.uniform(-9, 9, 3)) for t in rng.integers(0, 10_000, 50)]
    moments = sorted(
        [(t, 1, "see", place) for t, place in things] + [(t, 0, "correct", n) for t, n in corrections]
        + [(number * 1000, -1, "begin", number) for number in range(10)],
        key=lambda one: one[:2],
    )  # fmt: skip
    frames, noted, homes = SubmapFrames(), [], []
    for t_ns, _, what, given_ in moments:
        if what == "begin":
            frames.begin(t_ns, motion(int(given_)))
        elif what == "correct":
            poses = np.stack([motion(one + seed + t_ns) for one in range(min(int(given_), len(frames)))])
            frames.correct(t_ns, poses)
        else:
            home = len(frames) - 1
            noted.append((t_ns, (frames.T_map_submap[home] @ [*given_, 1])[:3]))
            homes.append((home, given_))
    times, positions = np.array([t for t, _ in noted]), np.array([one for _, one in noted])
    now = np.array([(frames.T_map_submap[home] @ [*place, 1])[:3] for home, place in homes])
    assert np.allclose(frames.express(positions, times), now, atol=1e-9)
    for t_ns, position in noted:  # as of its own time it is where it was noted
        assert np.allclose(frames.express(position[None], np.array([t_ns]), as_of_ns=t_ns), position, atol=1e-9)


def test_what_is_anchored_is_moved_when_it_is_read() -> None:
    frames = grown(3)
    anchored = frames.anchor(np.array([[1.0, 2, 3], [4, 5, 6]]), np.array([500, 2500]))
    first = anchored.positions_m()
    assert np.allclose(first, [[1, 2, 3], [4, 5, 6]])
    assert anchored.positions_m() is first
    moved = frames.T_map_submap.copy()
    moved[2, :3, 3] += [10, 0, 0]
    frames.correct(3000, moved)
    assert np.allclose(anchored.positions_m(), [[1, 2, 3], [14, 5, 6]])
    assert np.allclose(anchored.positions_m(as_of_ns=2999), [[1, 2, 3], [4, 5, 6]])
    poses = np.stack([motion(7), motion(8)])
    again = frames.express_poses(poses, np.array([500, 2500]))
    assert np.allclose(again[1, :3, 3], poses[1, :3, 3] + [10, 0, 0])
    assert np.allclose(again[0], poses[0])


def test_later_submaps_move_along_with_the_last_corrected_one() -> None:
    frames = grown(4)
    shift = motion(20)
    frames.correct(9000, np.stack([frames.T_map_submap[0], shift @ frames.T_map_submap[1]]))
    found = frames.express(np.array([[1.0, 1, 1]] * 4), np.array([0, 1000, 2000, 3000]))
    assert np.allclose(found[0], 1)
    assert np.allclose(found[1:], (shift @ [1, 1, 1, 1])[:3])


def test_submaps_begin_by_way_and_by_time() -> None:
    frames = SubmapFrames(SubmapSettings(length_m=2.0, duration_s=5.0))
    numbers = []
    for second in range(10):
        T = np.eye(4)
        T[0, 3] = min(second, 4) * 0.9
        numbers.append(frames.follow(second * 10**9, T))
    assert numbers == [0, 0, 0, 1, 1, 1, 1, 1, 2, 2]


def test_bad_frames_are_refused_in_a_sentence() -> None:
    frames = grown(2)
    with pytest.raises(InputError, match="after the one before"):
        frames.begin(1000, np.eye(4))
    with pytest.raises(InputError, match="rigid motion"):
        frames.begin(5000, np.eye(4) * 2)
    with pytest.raises(InputError, match="1 to 2"):
        frames.correct(0, np.stack([np.eye(4)] * 3))
    frames.correct(5000, frames.T_map_submap)
    with pytest.raises(InputError, match="older"):
        frames.correct(4000, frames.T_map_submap)
    with pytest.raises(InputError, match="as many times"):
        frames.anchor(np.zeros((2, 3)), np.zeros(1))


def test_frames_are_kept_bit_for_bit_and_forgotten(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        frames = grown(3)
        assert memory.save_frames(frames, recording="walk") == 3
        assert memory.save_frames(frames, recording="walk") == 0
        frames.correct(2500, np.stack([motion(n + 50) for n in range(3)]))
        memory.save_frames(frames, recording="walk")
        frames.begin(3000, motion(9))
        frames.begin(4000, motion(10))
        memory.save_frames(frames, recording="walk")
        again = memory.load_frames(recording="walk")
        points, times = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) * 125
        assert (again.express(points, times) == frames.express(points, times)).all()
        then = times <= 2499
        assert (again.express(points[then], times[then], as_of_ns=2499) == points[then]).all()
        assert again.t_start_ns.tolist() == [0, 1000, 2000, 3000, 4000]
        assert len(memory.load_frames(recording="other")) == 0
        again.correct(4500, again.T_map_submap)
        memory.save_frames(again, recording="walk")
        # Where it was in a span that is forgotten, it was in no submap; those that reach out of it stay.
        memory.forget(after_ns=1500, before_ns=3500)
        left = memory.load_frames(recording="walk")
        assert left.t_start_ns.tolist() == [0, 1000, 3000, 4000]
        assert [len(one.T_map_submap) for one in left.beliefs()] == [2, 4, 4]
        secret = frames.T_map_submap[2].astype("<f8").tobytes()
        assert not any(secret in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


# --- drift ------------------------------------------------------------------------------------------------------------


def loop(count: int, *, radius_m: float = 20.0) -> np.ndarray:
    """True poses (S, 4, 4) of a walk around a block and back to its start."""
    angles = np.linspace(0, 2 * np.pi, count)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = Rotation.from_rotvec(np.outer(angles + np.pi / 2, [0, 0, 1])).as_matrix()
    poses[:, 0, 3], poses[:, 1, 3] = radius_m * np.cos(angles), radius_m * np.sin(angles)
    return poses


def drifted(true: np.ndarray, *, seed: int) -> np.ndarray:
    """As odometry sees it: 1 % too long, turned by 2 degrees in 100 m, with noise of half of that."""
    rng = np.random.default_rng(seed)
    found = [true[0]]
    for step in rigid.inverse(true[:-1]) @ true[1:]:
        length = np.linalg.norm(step[:3, 3])
        error = np.concatenate([0.01 * step[:3, 3], [0, 0, np.radians(2) * length / 100]])
        error += 0.005 * length * rng.normal(size=6) * [1, 1, 1, 0.035, 0.035, 0.035]
        found.append(found[-1] @ step @ rigid.exp(error))
    return np.stack(found)


@pytest.mark.parametrize("seed", range(4))
def test_a_closed_loop_takes_the_drift_out_of_what_is_remembered(seed: int) -> None:
    true = loop(40)
    believed = drifted(true, seed=seed)
    rng = np.random.default_rng(seed)
    frames = SubmapFrames()
    t_ns = np.sort(rng.integers(0, 40_000, 2000))
    for number in range(40):
        frames.begin(number * 1000, believed[number])
    home = frames.submap_at(t_ns)
    inside = rng.uniform(-3, 3, (2000, 3))
    truth = np.einsum("nij,nj->ni", true[home, :3, :3], inside) + true[home, :3, 3]
    noted = np.einsum("nij,nj->ni", believed[home, :3, :3], inside) + believed[home, :3, 3]
    before = np.linalg.norm(noted - truth, axis=1)
    closing = Edge(source=39, target=0, T_source_target=rigid.inverse(true[39]) @ true[0], sigma_m=0.01, sigma_rad=1e-3)
    frames.correct(40_000, solve(believed, [*odometry_edges(believed), closing]))
    after = np.linalg.norm(frames.express(noted, t_ns) - truth, axis=1)
    gap = frames.T_map_submap[39, :3, 3] - true[39, :3, 3]
    assert before[home == 39].mean() > 0.5
    assert np.linalg.norm(gap) < 0.05
    assert after.mean() < 0.65 * before.mean()  # that all was 1 % too long, no loop can tell
    assert after[home == 39].mean() < 0.05
    # And nothing but its submap's pose stands between a memory and where it truly is.
    left = np.einsum("nij,nj->ni", frames.T_map_submap[home, :3, :3], inside) + frames.T_map_submap[home, :3, 3]
    assert np.allclose(frames.express(noted, t_ns), left, atol=1e-9)


def test_a_graph_that_fits_is_found_exactly_from_far_off() -> None:
    true = np.stack([motion(n) for n in range(12)])
    rng = np.random.default_rng(3)
    pairs = [(n, n + 1) for n in range(11)] + [(0, 5), (3, 11), (7, 2)]
    edges = [Edge(source=i, target=j, T_source_target=rigid.inverse(true[i]) @ true[j]) for i, j in pairs]
    start = true @ rigid.exp(rng.normal(0, 0.3, (12, 6)))
    start[0] = true[0]
    assert np.abs(solve(start, edges) - true).max() < 1e-6


def test_a_graph_that_cannot_be_solved_is_said() -> None:
    poses = np.stack([np.eye(4)] * 3)
    edge = Edge(source=0, target=1, T_source_target=np.eye(4))
    with pytest.raises(InputError, match="hangs on no edge"):
        solve(poses, [edge])
    with pytest.raises(InputError, match="two different submaps"):
        solve(poses, [Edge(source=1, target=7, T_source_target=np.eye(4))])
    with pytest.raises(InputError, match="rigid"):
        solve(poses, [edge, Edge(source=1, target=2, T_source_target=np.zeros((4, 4)))])
    assert (solve(poses, []) == poses).all()


# --- the map of voxels ------------------------------------------------------------------------------------------------


def test_a_map_in_submaps_moves_with_them_and_is_the_same_map(tmp_path: Path) -> None:
    setting = OctreeSettings(voxel_m=0.1)
    frames = SubmapFrames()
    maps = SubmapMaps(frames, setting)
    drift = rigid.exp(np.array([0.4, -0.3, 0.1, 0, 0, 0.2]))
    whole = Octree(setting)
    for number in range(4):
        T = pose(x=0.2 * number, yaw=number * np.pi / 2)
        depth = depth_of(T, box=BOX)
        whole.integrate(depth, camera=CAMERA, T_map_camera=T, t_ns=number * 1000)
        believed = T if number < 2 else drift @ T
        if number in (0, 2):
            frames.begin(number * 1000, believed)
        maps.integrate(depth, camera=CAMERA, T_map_camera=believed, t_ns=number * 1000)
    assert sorted(maps.maps) == [0, 1]
    surface, values = queries.in_box(whole, np.full(3, -9.0), np.full(3, 9.0))
    walls, air = ((surface[np.sign(values) == sign] + 0.5) * 0.1 for sign in (1, -1))
    before = maps.nearest(walls, within_m=1.0)[1]
    frames.correct(5000, np.stack([frames.T_map_submap[0], rigid.inverse(drift) @ frames.T_map_submap[1]]))
    places, after = maps.nearest(walls, within_m=1.0)
    assert np.percentile(before, 90) > 0.2
    assert after.max() < 0.2
    assert np.allclose(np.linalg.norm(places - walls, axis=1), after)
    merged = maps.merged()
    for points, sign in ((walls, 1), (air, -1)):
        told = np.sign(queries.occupancy(merged, points).astype(int)) * sign
        assert (told >= 0).mean() > 0.8  # sampled anew: a voxel's width of the walls' faces goes either way
    assert (queries.occupancy(merged, air) == maps.occupancy(air)).mean() > 0.99
    assert merged.known_voxels() > 0.95 * whole.known_voxels()
    with Memory.open(tmp_path / "m", write=True, create=True) as memory:
        for number, tree in maps.maps.items():
            memory.save_map(tree, recording="walk", frame=frame_of(int(frames.t_start_ns[number])))
        again = SubmapMaps(frames, setting)
        again.maps = {
            number: memory.load_map(setting, recording="walk", frame=frame_of(int(t_ns)))
            for number, t_ns in enumerate(frames.t_start_ns)
        }
        assert (again.occupancy(walls) == maps.occupancy(walls)).all()
