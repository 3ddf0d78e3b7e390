"""How long ways, next places and arrivals take in a large graph of places; how well revisits are recognised.

    python scripts/bench_places.py [--graph FOLDER]

FOLDER holds `nodes.txt` (id, yaw, latitude, longitude) and `links.txt` (id, heading, id): a street graph of 29,641
places. Without it, a grid of streets of 30,000 places is made. Three parts: ways between random places (a new goal each
time; a goal that was asked for before; right after the graph grew), arrivals in a graph of that size, and a robot that
walks a building again and again with a drifting pose: how many places there are for how many there should be. One
thread; CPU time.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from streammem.spatial.places import PlaceGraph
from streammem.spatial.routes import Router
from streammem.spatial.settings import PlaceSettings

EARTH_M = 6_371_000.0


def street_graph(folder: Path) -> PlaceGraph:
    """The graph in a folder, in metres around its middle."""
    rows = [line.split(",") for line in (folder / "nodes.txt").read_text(encoding="utf-8").split()]
    place = np.array([[float(row[2]), float(row[3])] for row in rows])
    middle = place.mean(axis=0)
    scale = np.radians(1.0) * EARTH_M * np.array([1.0, math.cos(math.radians(middle[0]))])
    metres = (place - middle) * scale
    graph = PlaceGraph(PlaceSettings(spacing_m=10.0))
    for row, (north, east) in zip(rows, metres.tolist(), strict=True):
        graph.add_place(row[0], (east, north, 0.0))
    for line in (folder / "links.txt").read_text(encoding="utf-8").split():
        first, _, second = line.split(",")
        graph.connect(first, second)
    return graph


def made_graph(count: int = 30_000) -> PlaceGraph:
    """Streets 100 m apart with a place every 10 m."""
    graph = PlaceGraph(PlaceSettings(spacing_m=10.0))
    side = math.isqrt(count * 100 // 19) // 10
    for row in range(side * 10 + 1):
        for column in range(side * 10 + 1):
            if row % 10 == 0 or column % 10 == 0:
                graph.add_place(f"{row}/{column}", (10.0 * column, 10.0 * row, 0.0))
                for other in (f"{row - 1}/{column}", f"{row}/{column - 1}"):
                    if other in graph:
                        graph.connect(f"{row}/{column}", other)
    return graph


def timed(what: str, run: Callable[[int], object], count: int) -> None:
    spent: list[float] = []
    for number in range(count):
        begun = time.thread_time()
        run(number)
        spent.append(1e3 * (time.thread_time() - begun))
    middle, late = np.percentile(spent, [50, 99])
    print(f"  {what:52} median {middle:8.3f} ms   p99 {late:8.3f} ms")


def ways(graph: PlaceGraph) -> None:
    chance = random.Random(0)
    ids = [graph.id_of(number) for number in range(len(graph))]
    pairs = [(chance.choice(ids), chance.choice(ids)) for _ in range(200)]
    router = Router(graph)
    begun = time.thread_time()
    router.path(*pairs[0])
    print(f"  the first way, with the matrix {1e3 * (time.thread_time() - begun):.1f} ms")
    timed("shortest path, a new goal each time", lambda n: router.path(*pairs[n]), len(pairs))
    goal = pairs[0][1]
    router.path(ids[0], goal)
    timed("shortest path, a goal asked for before", lambda n: router.path(pairs[n][0], goal), len(pairs))
    timed("next place, a goal asked for before", lambda n: router.next_place(pairs[n][0], goal), len(pairs))

    def grown(number: int) -> None:
        graph.add_place(f"new {number}", (float(number), -50.0, 0.0))
        graph.connect(f"new {number}", ids[number])

    def after_growth(number: int) -> None:
        router.path(*pairs[number])

    spent: list[float] = []
    for number in range(30):
        grown(number)
        begun = time.thread_time()
        after_growth(number)
        spent.append(1e3 * (time.thread_time() - begun))
    print(f"  {'shortest path right after the graph has grown':52} median {np.median(spent):8.3f} ms")


def arrivals(graph: PlaceGraph) -> None:
    chance = np.random.default_rng(0)
    numbers = chance.integers(0, len(graph), 500)
    points = [np.array(graph.place(graph.id_of(int(number))).position_m) for number in numbers]
    views = chance.standard_normal((500, 384)).astype(np.float32)
    timed("nearest place", lambda n: graph.nearest(points[n] + 3.0), 500)
    timed("an arrival with a view of 384 numbers", lambda n: graph.arrive(
        points[n], t_ns=n, recording="r", view=views[n]), 500)  # fmt: skip


def rounds() -> None:
    """A loop of 60 m, walked ten times, while the pose drifts by 1 % of the way and is set right at each start."""
    chance = np.random.default_rng(1)
    spots = 120  # a look every half metre
    looks = np.cumsum(chance.standard_normal((spots, 64)), axis=0) * 0.35 + chance.standard_normal((spots, 64))
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    for drift in (0.0, 0.01, 0.03):
        graph = PlaceGraph()
        counts: list[int] = []
        for lap in range(10):
            for spot in range(spots):
                angle = math.tau * spot / spots
                at = np.array([math.cos(angle), math.sin(angle), 0.0]) * 60.0 / math.tau
                at[:2] += drift * 0.5 * spot * np.array([0.7, 0.7])
                view = looks[spot] + 0.03 * chance.standard_normal(64)
                graph.arrive(at, t_ns=lap * spots + spot, recording="r", view=(view / np.linalg.norm(view)).astype(
                    np.float32))  # fmt: skip
            counts.append(len(graph))
        print(f"  drift {100 * drift:.0f} %: places after each lap {counts}, edges {len(graph.edges())}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--graph", type=Path)
    arguments = parser.parse_args()
    begun = time.thread_time()
    graph = street_graph(arguments.graph) if arguments.graph else made_graph()
    spent_s = time.thread_time() - begun
    print(f"{len(graph):,} places, {len(graph.edges()):,} edges, made in {spent_s:.1f} s")
    ways(graph)
    arrivals(graph)
    print("a loop walked ten times:")
    rounds()


if __name__ == "__main__":
    main()
