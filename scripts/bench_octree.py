"""How fast a map grows, how exact it is, what it weighs and how fast it answers, on 20 depth scans of a made room.

    python scripts/bench_octree.py [--scans 20] [--exact 4]

The workload: a 640x480 pinhole camera (f = 525 px) turns once in a room of 10 x 8 x 3 m with 25 drawn boxes, depth
noise 2 mm * z^2, voxels of 5 cm. Times are CPU time (OMP_NUM_THREADS=1 for one thread), median and least over scans.
pyoctomap and Open3D run on the same scans, in the same process, in turns, where they are installed; neither is needed.
Each scan is taken in three times by ours, on three maps, and the least counts: other work on the machine only adds.
The exact walk, in numpy, takes seconds a scan: `--exact` says for how many.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import platform
import tempfile
import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from streammem.memory import Memory
from streammem.spatial import Intrinsics, Octree, OctreeSettings, camera, queries, ray_walk

WIDTH, HEIGHT, FOCAL, VOXEL_M = 640, 480, 525.0, 0.05
MAX_DEPTH_M = 20.0
REPEATS = 3
CAMERA = Intrinsics(fx=FOCAL, fy=FOCAL, cx=319.5, cy=239.5)


def room_scans(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(depth (480, 640) float32 m, camera to map (4, 4)) for each scan; always the same."""
    rng = np.random.default_rng(0)
    room = np.array([[-5, -4, 0], [5, 4, 3.0]])
    boxes = []
    for _ in range(25):
        centre = np.array([rng.uniform(-4.5, 4.5), rng.uniform(-3.5, 3.5)])
        size = rng.uniform([0.2, 0.2, 0.3], [1.0, 1.0, 1.6])
        if np.linalg.norm(centre) > 1.6:
            boxes.append((np.r_[centre - size[:2] / 2, 0], np.r_[centre + size[:2] / 2, size[2]]))
    u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    pixel_rays = np.stack([(u - CAMERA.cx) / FOCAL, (v - CAMERA.cy) / FOCAL, np.ones(u.shape)], -1).reshape(-1, 3)
    scans = []
    for number in range(count):
        yaw, pitch = 2 * np.pi * number / count, -0.15
        pose = np.eye(4)
        pose[:3, 3] = np.cos(yaw), np.sin(yaw), 1.3
        forward = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
        right = np.cross(forward, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
        rays = pixel_rays @ pose[:3, :3].T
        with np.errstate(divide="ignore", invalid="ignore"):
            per_way = 1 / rays
            z = np.nanmin(np.maximum((room[0] - pose[:3, 3]) * per_way, (room[1] - pose[:3, 3]) * per_way), axis=1)
            for low, high in boxes:
                a, b = (low - pose[:3, 3]) * per_way, (high - pose[:3, 3]) * per_way
                near, far = np.minimum(a, b).max(axis=1), np.maximum(a, b).min(axis=1)
                hit = (near < far) & (near > 0.05) & (near < z)
                z[hit] = near[hit]
        z = z.astype(np.float32)
        z = (z + rng.normal(0, 0.002, z.shape) * z**2).astype(np.float32)
        scans.append((z.reshape(HEIGHT, WIDTH), pose))
    return scans


def cpu_ms(call: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.process_time()
    result = call()
    return (time.process_time() - begin) * 1e3, result


def integrate(tree: Octree, scan: tuple[np.ndarray, np.ndarray], number: int) -> Any:
    return tree.integrate(scan[0], camera=CAMERA, T_map_camera=scan[1], t_ns=number)


def speed(scans: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, Octree]:
    """Every engine on every scan, in turns. Returns a map of each of ours."""
    engines: list[Literal["numpy", "numba"]] = ["numpy"]
    if importlib.util.find_spec("numba"):
        engines.append("numba")
    maps = {
        name: [Octree(OctreeSettings(voxel_m=VOXEL_M, max_depth_m=MAX_DEPTH_M, engine=name)) for _ in range(REPEATS)]
        for name in engines
    }
    for name in engines:  # compiles, or reads the cache
        integrate(Octree(OctreeSettings(voxel_m=VOXEL_M, max_depth_m=MAX_DEPTH_M, engine=name)), scans[0], 0)
    others: dict[str, Callable[[np.ndarray, np.ndarray], Any]] = {}
    if importlib.util.find_spec("pyoctomap"):
        octomap = importlib.import_module("pyoctomap").OcTree(VOXEL_M)
        others["pyoctomap, discretised"] = lambda points, origin: octomap.insertPointCloud(
            points, origin, discretize=True
        )
    if importlib.util.find_spec("open3d"):
        o3d = importlib.import_module("open3d")
        others["open3d voxel_down_sample (hits of one scan alone)"] = lambda points, _: o3d.t.geometry.PointCloud(
            o3d.core.Tensor(points.astype(np.float32))
        ).voxel_down_sample(VOXEL_M)
        legacy = o3d.geometry.PointCloud()

        def octree(points: np.ndarray, _: np.ndarray) -> None:
            legacy.points = o3d.utility.Vector3dVector(points)
            o3d.geometry.Octree(max_depth=8).convert_from_point_cloud(legacy)

        others["open3d Octree (hits of one scan alone)"] = octree
    spent: dict[str, list[float]] = {}
    for number, scan in enumerate(scans):
        for name in engines:
            times = [
                cpu_ms(lambda tree=tree, scan=scan, number=number: integrate(tree, scan, number))[0]
                for tree in maps[name]
            ]
            spent.setdefault(f"streammem, {name}", []).append(min(times))
        view = place(scan)
        points = (camera.points(view).astype(np.float64) + view.base_block * 8) * VOXEL_M
        for name, call in others.items():
            spent.setdefault(name, []).append(cpu_ms(lambda call=call, p=points, s=scan: call(p, s[1][:3, 3]))[0])
    head = "".join(f"{name + ' is':>12}" for name in engines)
    print(f"{'ms a scan':50}{'median':>8}{'least':>8}{head}  times faster")
    for name, times in spent.items():
        ratios = "".join(f"{np.median(times) / np.median(spent['streammem, ' + one]):12.1f}" for one in engines)
        print(f"{name:50}{np.median(times):8.1f}{min(times):8.1f}{ratios}")
    print(f"all engines made the same map: {all(is_same(maps['numpy'][0], maps[name][0]) for name in engines)}")
    return {name: trees[0] for name, trees in maps.items()}


def is_same(one: Octree, other: Octree) -> bool:
    """Bit for bit."""
    a, b = one.blocks, other.blocks
    return all(
        np.array_equal(left, right)
        for left, right in (
            (a.keys, b.keys), (a.log_odds[a.rows], b.log_odds[b.rows]), (a.seen_ns[a.rows], b.seen_ns[b.rows]),
        )
    )  # fmt: skip


def place(scan: tuple[np.ndarray, np.ndarray]) -> camera.View:
    return camera.place_view(scan[0], camera=CAMERA, T_map_camera=scan[1], voxel_m=VOXEL_M, max_depth_m=MAX_DEPTH_M)


def exactness(scans: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Each scan alone against rays that are walked one by one."""
    if not scans:
        return
    overlap, wrong_hits, moved = [], 0, 0
    for scan in scans:
        tree = Octree(OctreeSettings(voxel_m=VOXEL_M, max_depth_m=MAX_DEPTH_M))
        integrate(tree, scan, 0)
        view = place(scan)
        points = camera.points(view)
        free, hit = (one + view.base_block * 8 for one in ray_walk.free_and_hit(view.start, points.astype(np.float64)))
        voxels, values = queries.in_box(tree, np.full(3, -1e3), np.full(3, 1e3))
        ours = {sign: {tuple(one) for one in voxels[np.sign(values) == sign].tolist()} for sign in (-1, 1)}
        walked = {tuple(one) for one in free.tolist()}
        wrong_hits += len(ours[1] ^ {tuple(one) for one in hit.tolist()})
        overlap.append(len(ours[-1] & walked) / len(ours[-1] | walked))
        u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
        rays = np.stack([(u - CAMERA.cx) / FOCAL, (v - CAMERA.cy) / FOCAL, np.ones(u.shape)], -1).reshape(-1, 3)
        double = rays @ view.rotation.T * (scan[0].reshape(-1, 1).astype(np.float64) / VOXEL_M) + view.start
        moved += int((np.floor(points) != np.floor(double)).any(axis=1).sum())
    print(
        f"hits: {wrong_hits} voxels differ from the exact walk; {moved} of {len(scans) * WIDTH * HEIGHT} points lie in"
    )
    print("      another voxel in float64")
    print(f"free: intersection over union with the exact walk {np.mean(overlap):.4f} (least {min(overlap):.4f})")


def weight(tree: Octree) -> None:
    known = tree.known_voxels()
    print(f"memory: {tree.memory_bytes / 1e6:.2f} MB for {known} known voxels in {len(tree.blocks)} blocks: "
          f"{tree.memory_bytes / known:.2f} MB per million")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, Memory.open(folder, write=True, create=True) as memory:
        begin = time.perf_counter()
        memory.save_map(tree, recording="bench")
        middle = time.perf_counter()
        again = memory.load_map(tree.settings, recording="bench")
        end = time.perf_counter()
    print(f"save {(middle - begin) * 1e3:.0f} ms, load {(end - middle) * 1e3:.0f} ms, wall time; "
          f"read back bit for bit: {is_same(tree, again)}")  # fmt: skip


def answers(maps: dict[str, Octree]) -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform([-5, -4, 0], [5, 4, 3], (1000, 3))
    ways = rng.normal(size=(1000, 3))
    questions: dict[str, Callable[[Octree], Any]] = {
        "radius 0.5 m": lambda tree: queries.within(tree, points, 0.5),
        "nearest within 2 m": lambda tree: queries.nearest(tree, points, within_m=2.0),
        "occupancy": lambda tree: queries.occupancy(tree, points),
        "ray of 5 m": lambda tree: queries.cast(tree, points, ways, range_m=5.0),
    }
    print(f"{'us a question, 1000 at once':30}" + "".join(f"{name:>10}   (least)" for name in maps))
    for name, ask in questions.items():
        columns = ""
        for tree in maps.values():
            ask(tree)
            times = [cpu_ms(lambda ask=ask, tree=tree: ask(tree))[0] for _ in range(7)]
            columns += f"{np.median(times):10.2f} {min(times):9.2f}"
        print(f"{name:30}{columns}")
    found = queries.within(maps["numpy"], points, 0.5)
    print(f"{len(found.voxels) / len(points):.0f} voxels per radius query")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=20)
    parser.add_argument("--exact", type=int, default=4, help="scans that are compared with an exact walk of all rays")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}; CPU time, one thread")
    scans = room_scans(arguments.scans)
    maps = speed(scans)
    exactness(scans[:: max(1, len(scans) // max(1, arguments.exact))][: arguments.exact])
    weight(maps["numpy"])
    answers(maps)


if __name__ == "__main__":
    main()
