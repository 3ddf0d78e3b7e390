"""What a loop closure costs: memories are re-expressed in the corrected map, and how well that takes drift out.

    python scripts/bench_frames.py [--memories 100000] [--submaps 300]

A robot walks twice around a block of 60 x 40 m. Its odometry is 1 % too long, turns by 2 degrees in 100 m, is noisy;
memories (points within 5 m) are noted in the map as it is believed. Then the second round is recognised as the first:
one edge per ten submaps. Times are CPU times, median and least of several corrections.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from streammem.memory import Memory
from streammem.spatial import rigid
from streammem.spatial.frames import SubmapFrames
from streammem.spatial.pose_graph import Edge, odometry_edges, solve

ROUNDS, REPEATS = 2, 15
CORNERS_M = np.array([[0, 0], [60, 0], [60, 40], [0, 40], [0, 0]], dtype=np.float64)


def walked(count: int) -> np.ndarray:
    """True poses (S, 4, 4): around the block, looking ahead."""
    sides = np.diff(CORNERS_M, axis=0)
    ends = np.concatenate([[0], np.cumsum(np.linalg.norm(sides, axis=1))])
    at = np.linspace(0, ROUNDS * ends[-1], count, endpoint=False) % ends[-1]
    side = np.minimum(ends.searchsorted(at, side="right") - 1, 3)
    ahead = sides[side] / np.linalg.norm(sides[side], axis=1, keepdims=True)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :2, 0], poses[:, 0, 1], poses[:, 1, 1] = ahead, -ahead[:, 1], ahead[:, 0]
    poses[:, :2, 3] = CORNERS_M[side] + ahead * (at - ends[side])[:, None]
    return poses


def drifted(true: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As odometry sees it."""
    found = [true[0]]
    for step in rigid.inverse(true[:-1]) @ true[1:]:
        length = float(np.linalg.norm(step[:3, 3]))
        error = np.concatenate([0.01 * step[:3, 3], [0, 0, np.radians(2) * length / 100]])
        error += 0.005 * length * rng.normal(size=6) * [1, 1, 1, 0.035, 0.035, 0.035]
        found.append(found[-1] @ step @ rigid.exp(error))
    return np.stack(found)


def moved(poses: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.einsum("nij,nj->ni", poses[:, :3, :3], points) + poses[:, :3, 3]


def cpu_ms(call: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.process_time()
    result = call()
    return (time.process_time() - begin) * 1e3, result


def told(name: str, times_ms: list[float]) -> None:
    print(f"{name:52} median {np.median(times_ms):7.2f} ms   least {min(times_ms):7.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memories", type=int, default=100_000)
    parser.add_argument("--submaps", type=int, default=300)
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}; CPU time")
    rng = np.random.default_rng(0)
    true = walked(arguments.submaps)
    believed = drifted(true, rng)
    frames = SubmapFrames()
    for number, pose in enumerate(believed):
        frames.begin(number * 10**10, pose)
    t_ns = np.sort(rng.integers(0, arguments.submaps * 10**10, arguments.memories))
    home = frames.submap_at(t_ns)
    inside = rng.uniform(-5, 5, (arguments.memories, 3))
    truth, noted = moved(true[home], inside), moved(believed[home], inside)

    half = arguments.submaps // ROUNDS
    loops = [
        Edge(source=n + half, target=n, T_source_target=rigid.inverse(true[n + half]) @ true[n], sigma_m=0.02,
             sigma_rad=2e-3)
        for n in range(0, half, 10)
    ]  # fmt: skip
    solving_ms, corrected = cpu_ms(lambda: solve(believed, [*odometry_edges(believed), *loops]))
    anchoring_ms, anchored = cpu_ms(lambda: frames.anchor(noted, t_ns))
    anchored.positions_m()

    correcting, reading, again = [], [], []
    for number in range(REPEATS):
        poses = corrected if number == REPEATS - 1 else corrected @ rigid.exp(rng.normal(0, 0.01, (len(corrected), 6)))
        at_ns = (arguments.submaps + 1 + number) * 10**10
        correcting.append(cpu_ms(lambda at_ns=at_ns, poses=poses: frames.correct(at_ns, poses))[0])
        reading.append(cpu_ms(anchored.positions_m)[0])
        again.append(cpu_ms(anchored.positions_m)[0])
    size = f"{arguments.memories} memories, {arguments.submaps} submaps"
    print(
        f"{size}; the pose graph is solved in {solving_ms:.0f} ms, memories are anchored once in {anchoring_ms:.1f} ms"
    )
    told("a correction", correcting)
    told("the first reading of all memories after it", reading)
    told("both", [one + other for one, other in zip(correcting, reading, strict=True)])
    told("reading again", again)
    told("any memories, unanchored (with the search by time)", [cpu_ms(lambda: frames.express(noted, t_ns))[0]])
    with tempfile.TemporaryDirectory() as folder, Memory.open(folder, write=True, create=True) as memory:
        memory.save_frames(frames, recording="walk")
        frames.correct(10**15, corrected)
        begin = time.perf_counter()
        rows = memory.save_frames(frames, recording="walk")
        print(f"committed: {rows} rows in {(time.perf_counter() - begin) * 1e3:.0f} ms, wall time")
        same = memory.load_frames(recording="walk").express(noted, t_ns)
    assert np.array_equal(same, anchored.positions_m())
    print("how far memories are from where they truly are, m      mean     p95     max")
    for name, found in (("before", noted), ("after", anchored.positions_m())):
        far = np.linalg.norm(found - truth, axis=1)
        print(f"  {name:50} {far.mean():7.3f} {np.percentile(far, 95):7.3f} {far.max():7.3f}")
    pose_error = np.linalg.norm(corrected[:, :3, 3] - true[:, :3, 3], axis=1)
    left = np.linalg.norm(anchored.positions_m() - moved(corrected[home], inside), axis=1).max()
    print(f"  poses of submaps, after {'':26} {pose_error.mean():7.3f} {np.percentile(pose_error, 95):7.3f} "
          f"{pose_error.max():7.3f}")  # fmt: skip
    print(f"  between a memory and its submap's pose, at most      {left:.1e} m")


if __name__ == "__main__":
    main()
