"""Whether things that were moved leave ghosts in the map, and whether what stands is left alone.

    python scripts/bench_ghosts.py [--moves 100] [--seed 0]

For each move a room of 6 x 5 x 2.5 m is drawn with eight boxes, and one thing (0.2 to 0.8 m) in the open. Eight looks
at it (160x120, f = 120 px, noise 2 mm * z^2, voxels of 5 cm) build the map; then the thing is gone, and four of the
looks are taken again. A ghost is a voxel of the thing that was occupied and still is, although its centre was looked
through, by 10 cm at least, in so many scans. A false removal is a voxel of what stands (well hit with and without the
thing) that was occupied and is not any more. pyoctomap with its defaults, where it is installed, takes the same scans.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import platform
from typing import Any

import numpy as np

from streammem.spatial import Intrinsics, Octree, OctreeSettings, camera, queries

WIDTH, HEIGHT, VOXEL_M, EYE_M = 160, 120, 0.05, 1.3
MAX_DEPTH_M = 20.0
CAMERA = Intrinsics(fx=120.0, fy=120.0, cx=79.5, cy=59.5)
ROOM = np.array([[-3.0, -2.5, 0.0], [3.0, 2.5, 2.5]])
LOOKS_AFTER = 4

Boxes = list[tuple[np.ndarray, np.ndarray]]


def looking(start: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Camera to map (4, 4): from a point towards another."""
    forward = (goal - start) / np.linalg.norm(goal - start)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = start
    return pose


def seen(pose: np.ndarray, boxes: Boxes, rng: np.random.Generator) -> np.ndarray:
    """Depth (H, W) of the room with these boxes."""
    u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    rays = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(u.shape)], axis=-1)
    rays = rays.reshape(-1, 3) @ pose[:3, :3].T
    with np.errstate(divide="ignore", invalid="ignore"):
        per_way = 1 / rays
        z = np.nanmin(np.maximum((ROOM[0] - pose[:3, 3]) * per_way, (ROOM[1] - pose[:3, 3]) * per_way), axis=1)
        for low, high in boxes:
            a, b = (low - pose[:3, 3]) * per_way, (high - pose[:3, 3]) * per_way
            near, far = np.minimum(a, b).max(axis=1), np.maximum(a, b).min(axis=1)
            hit = (near < far) & (near > 0.05) & (near < z)
            z[hit] = near[hit]
    return (z + rng.normal(0, 0.002, z.shape) * z**2).astype(np.float32).reshape(HEIGHT, WIDTH)


def scene(rng: np.random.Generator) -> tuple[Boxes, tuple[np.ndarray, np.ndarray], np.ndarray]:
    """(boxes that stand, the thing, where cameras may stand (N, 3))"""

    def box(least: float, most: float) -> tuple[np.ndarray, np.ndarray]:
        size = rng.uniform(least, most, 3)
        low = np.array([rng.uniform(-2.8, 2.8 - size[0]), rng.uniform(-2.3, 2.3 - size[1]), 0.0])
        return low, low + size

    thing = box(0.2, 0.8)
    middle = (thing[0] + thing[1]) / 2
    standing: Boxes = []
    while len(standing) < 8:
        one = box(0.3, 1.0)
        if np.linalg.norm(((one[0] + one[1]) / 2 - middle)[:2]) > 1.2:
            standing.append(one)
    spots = []
    while len(spots) < 8:
        spot = np.array([rng.uniform(-2.6, 2.6), rng.uniform(-2.1, 2.1), EYE_M])
        is_free = all((spot < low - 0.2).any() or (spot > high + 0.2).any() for low, high in [*standing, thing])
        if is_free and 0.9 < np.linalg.norm((spot - middle)[:2]) < 3.5:
            spots.append(spot)
    return standing, thing, np.array(spots)


class Ours:
    name = "streammem"

    def __init__(self) -> None:
        self.tree = Octree(OctreeSettings(voxel_m=VOXEL_M, max_depth_m=MAX_DEPTH_M))
        self.count = 0

    def add(self, depth: np.ndarray, pose: np.ndarray) -> None:
        self.count += 1
        self.tree.integrate(depth, camera=CAMERA, T_map_camera=pose, t_ns=self.count)

    def is_occupied(self, points: np.ndarray) -> np.ndarray:
        return queries.occupancy(self.tree, points) > 0


class Octomap:
    name = "pyoctomap, defaults"

    def __init__(self) -> None:
        self.tree: Any = importlib.import_module("pyoctomap").OcTree(VOXEL_M)

    def add(self, depth: np.ndarray, pose: np.ndarray) -> None:
        view = camera.place_view(depth, camera=CAMERA, T_map_camera=pose, voxel_m=VOXEL_M, max_depth_m=MAX_DEPTH_M)
        points = (camera.points(view).astype(np.float64) + view.base_block * 8) * VOXEL_M
        self.tree.insertPointCloud(points, pose[:3, 3], discretize=True)

    def is_occupied(self, points: np.ndarray) -> np.ndarray:
        nodes = [self.tree.search(point.tolist()) for point in points]
        return np.array([node is not None and self.tree.isNodeOccupied(node) for node in nodes])


def evidence(scans: list[tuple[np.ndarray, np.ndarray]]) -> Ours:
    engine = Ours()
    for depth, pose in scans:
        engine.add(depth, pose)
    return engine


def is_looked_through(depth: np.ndarray, pose: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,) whether the pixel of each point (N, 3) measured something well behind it."""
    x, y, z = ((points - pose[:3, 3]) @ pose[:3, :3]).T
    with np.errstate(divide="ignore", invalid="ignore"):
        u, v = np.rint(x / z * CAMERA.fx + CAMERA.cx), np.rint(y / z * CAMERA.fy + CAMERA.cy)
    inside = (z > 0.1) & (u >= 0) & (v >= 0) & (u < WIDTH) & (v < HEIGHT)
    found = np.zeros(len(points), dtype=bool)
    found[inside] = depth[v[inside].astype(int), u[inside].astype(int)] > z[inside] + 2 * VOXEL_M
    return found


def move(seed: int, engines: list[type[Ours] | type[Octomap]]) -> dict[str, np.ndarray]:
    """By engine: rows of (ghosts, voxels of the thing) for those looked through once, twice, ...; then (removed, voxels
    that stand) after each look. (2 * LOOKS_AFTER, 2)"""
    rng = np.random.default_rng(seed)
    standing, thing, spots = scene(rng)
    middle = (thing[0] + thing[1]) / 2
    looks = [looking(spot, middle + rng.normal(0, 0.2, 3)) for spot in spots]
    before = [(seen(pose, [*standing, thing], rng), pose) for pose in looks]
    after = [(seen(looks[number], standing, rng), looks[number]) for number in rng.permutation(8)[:LOOKS_AFTER]]
    without = evidence([(seen(pose, standing, rng), pose) for pose in looks]).tree
    with_thing = evidence(before).tree
    voxels, values = queries.in_box(with_thing, np.full(3, -9.0), np.full(3, 9.0))
    places = (voxels[values > 0] + 0.5) * VOXEL_M
    bare = queries.occupancy(without, places).astype(int)
    inside = ((places > thing[0] - VOXEL_M) & (places < thing[1] + VOXEL_M)).all(axis=1)
    of_thing, stands = places[inside & (bare <= 0)], places[(bare >= 40) & (values[values > 0] >= 40)]
    found: dict[str, np.ndarray] = {}
    for make in engines:
        engine = make()
        for depth, pose in before:
            engine.add(depth, pose)
        thing_before, stands_before = engine.is_occupied(of_thing), engine.is_occupied(stands)
        through = np.zeros(len(of_thing), dtype=int)
        rows = np.zeros((2 * LOOKS_AFTER, 2), dtype=int)
        for number, (depth, pose) in enumerate(after):
            engine.add(depth, pose)
            is_new = is_looked_through(depth, pose, of_thing)
            through += is_new
            left = engine.is_occupied(of_thing) & thing_before
            for times in range(1, LOOKS_AFTER + 1):
                just = is_new & thing_before & (through == times)
                rows[times - 1] += (left & just).sum(), just.sum()
            gone = stands_before & ~engine.is_occupied(stands)
            rows[LOOKS_AFTER + number] = gone.sum(), stands_before.sum()
        found[engine.name] = rows
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the first move; each has its own")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}; {arguments.moves} moves")
    engines: list[type[Ours] | type[Octomap]] = [Ours]
    if importlib.util.find_spec("pyoctomap"):
        engines.append(Octomap)
    total: dict[str, np.ndarray] = {}
    for seed in range(arguments.seed, arguments.seed + arguments.moves):
        for name, rows in move(seed, engines).items():
            total[name] = total.get(name, 0) + rows
    for name, rows in total.items():
        print(name)
        for number in range(LOOKS_AFTER):
            (ghosts, of_thing), (removed, stands) = rows[number], rows[LOOKS_AFTER + number]
            print(
                f"  looked through {number + 1}x: {100 * ghosts / max(of_thing, 1):6.2f} % of {of_thing} voxels are "
                f"ghosts;  look {number + 1}: {100 * removed / max(stands, 1):6.3f} % of {stands} that stand are gone"
            )


if __name__ == "__main__":
    main()
