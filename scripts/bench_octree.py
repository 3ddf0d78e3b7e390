"""How fast a map grows, how exact it is, what it weighs and how fast it answers, on 20 depth scans of a made room.

    python scripts/bench_octree.py [--scans 20]

The workload: a 640x480 pinhole camera (f = 525 px) turns once in a room of 10 x 8 x 3 m with 25 drawn boxes, depth
noise 2 mm * z^2, voxels of 5 cm. Times are CPU time (OMP_NUM_THREADS=1 for one thread), median and least over scans.
pyoctomap and Open3D run on the same scans, in the same process, in turns, where they are installed; neither is needed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import platform
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from streammem.spatial import Intrinsics, Octree, OctreeSettings, camera, queries, ray_walk, rows

WIDTH, HEIGHT, FOCAL, VOXEL_M = 640, 480, 525.0, 0.05
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


def speed(scans: list[tuple[np.ndarray, np.ndarray]]) -> Octree:
    """Every engine on every scan, in turns."""
    tree = Octree(OctreeSettings(voxel_m=VOXEL_M))
    integrate(Octree(OctreeSettings(voxel_m=VOXEL_M)), scans[0], 0)
    spent: dict[str, list[float]] = {"streammem, numpy": []}
    others: dict[str, Callable[[np.ndarray, np.ndarray], Any]] = {}
    if importlib.util.find_spec("pyoctomap"):
        octomap = importlib.import_module("pyoctomap").OcTree(VOXEL_M)
        others["pyoctomap, discretised"] = lambda points, origin: octomap.insertPointCloud(
            points, origin, discretize=True
        )
    if importlib.util.find_spec("open3d"):
        o3d = importlib.import_module("open3d")
        others["open3d voxel_down_sample (hits only, one scan)"] = lambda points, _: o3d.t.geometry.PointCloud(
            o3d.core.Tensor(points.astype(np.float32))
        ).voxel_down_sample(VOXEL_M)
    for number, scan in enumerate(scans):
        spent["streammem, numpy"].append(cpu_ms(lambda scan=scan, number=number: integrate(tree, scan, number))[0])
        view = place(scan)
        points = (camera.points(view).astype(np.float64) + view.base_block * 8) * VOXEL_M
        for name, call in others.items():
            spent.setdefault(name, []).append(cpu_ms(lambda call=call, p=points, s=scan: call(p, s[1][:3, 3]))[0])
    ours = float(np.median(spent["streammem, numpy"]))
    for name, times in spent.items():
        median = float(np.median(times))
        print(f"{name:48} {median:7.1f} ms a scan (least {min(times):.1f})   {median / ours:5.1f} times ours")
    return tree


def place(scan: tuple[np.ndarray, np.ndarray]) -> camera.View:
    return camera.place_view(scan[0], camera=CAMERA, T_map_camera=scan[1], voxel_m=VOXEL_M, max_depth_m=20.0)


def exactness(scans: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Each scan alone against rays that are walked one by one."""
    overlap, wrong_hits, moved = [], 0, 0
    for scan in scans:
        tree = Octree(OctreeSettings(voxel_m=VOXEL_M))
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
    with tempfile.TemporaryDirectory() as folder:
        table = rows.open_table(importlib.import_module("lancedb").connect(folder))
        begin = time.perf_counter()
        rows.save(tree, table)
        middle = time.perf_counter()
        again = rows.load(table, tree.settings)
        end = time.perf_counter()
    one, other = tree.blocks, again.blocks
    is_same = np.array_equal(one.keys, other.keys) and np.array_equal(
        one.log_odds[one.rows], other.log_odds[other.rows]
    )
    print(f"save {(middle - begin) * 1e3:.0f} ms, load {(end - middle) * 1e3:.0f} ms, bit for bit: {is_same}")


def answers(tree: Octree) -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform([-5, -4, 0], [5, 4, 3], (1000, 3))
    ways = rng.normal(size=(1000, 3))
    questions: dict[str, Callable[[], Any]] = {
        "radius 0.5 m": lambda: queries.within(tree, points, 0.5),
        "nearest within 2 m": lambda: queries.nearest(tree, points, within_m=2.0),
        "occupancy": lambda: queries.occupancy(tree, points),
        "ray of 5 m": lambda: queries.cast(tree, points, ways, range_m=5.0),
    }
    for name, ask in questions.items():
        ask()
        times = [cpu_ms(ask)[0] for _ in range(5)]
        print(f"{name:20} {np.median(times):8.2f} us each, 1000 at once (least {min(times):.2f})")
    found = queries.within(tree, points, 0.5)
    print(f"                     {len(found.voxels) / len(points):.0f} voxels per radius query")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=20)
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}; CPU time, one thread")
    scans = room_scans(arguments.scans)
    tree = speed(scans)
    exactness(scans)
    weight(tree)
    answers(tree)


if __name__ == "__main__":
    main()
