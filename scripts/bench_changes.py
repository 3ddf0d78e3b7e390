"""How surely things are told apart, found moved and found missing, and what a look costs.

    python scripts/bench_changes.py [--moves 100] [--looks-alike] [--seed 0]

A kitchen of boxes with five pieces of furniture and fourteen small things of six kinds, seen by depth (noise of 2 mm
times the square of metres), masks without ids, and a pose that is off by a centimetre and a third of a degree. While
nobody looks, a thing is carried elsewhere or taken away; then the robot looks at every piece of furniture, three looks
each, in random order. Prints: how many moves and removals were told, of the right thing and to the right place; what
was told although it did not happen; how many things are known for how many there are; CPU per look. Embeddings of
things differ, with noise; with `--looks-alike` there are none, and things of a kind cannot be told apart by looks.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streammem.spatial.observations import Observation
from streammem.spatial.records import ObjectChange
from streammem.spatial.spatial_memory import SpatialMemory
from tests.spatial_world import Box, World, looking_at

FURNITURE = {
    "table": ((1.5, 1.0, 0.375), (1.2, 0.9, 0.75)),
    "counter": ((1.5, -2.2, 0.45), (1.8, 0.7, 0.9)),
    "desk": ((-2.2, -1.8, 0.36), (1.2, 0.8, 0.72)),
    "chest": ((-2.4, 1.8, 0.4), (1.0, 0.7, 0.8)),
    "bench": ((3.2, -0.6, 0.25), (0.6, 1.2, 0.5)),
}
KINDS = {"mug": 3, "plate": 2, "book": 3, "bottle": 2, "bowl": 2, "box": 2}
SIZES = {
    "mug": (0.09, 0.09, 0.10), "plate": (0.22, 0.22, 0.04), "book": (0.2, 0.15, 0.05), "bottle": (0.08, 0.08, 0.26),
    "bowl": (0.18, 0.18, 0.08), "box": (0.25, 0.2, 0.15),
}  # fmt: skip
APART_M = 0.32
LOOKS = 3


class House:
    """The world, where things may stand, and what is true of it."""

    def __init__(self, chance: np.random.Generator, *, looks_alike: bool) -> None:
        self.chance, self.looks_alike = chance, looks_alike
        self.world = World(noise_m=0.002, seed=int(chance.integers(1 << 30)))
        self.on: dict[str, str] = {}
        for name, (centre, size) in FURNITURE.items():
            self.world.boxes[name] = Box(name, centre, size)
        for kind, count in KINDS.items():
            for number in range(count):
                name = f"{kind} {number}"
                looks = chance.standard_normal(64).astype(np.float32)
                self.world.boxes[name] = Box(
                    kind, (0, 0, -5), SIZES[kind], embedding=None if looks_alike else looks / np.linalg.norm(looks)
                )
                self.put(name, str(chance.choice(list(FURNITURE))))

    def put(self, name: str, furniture: str) -> bool:
        """Puts a thing somewhere on a piece of furniture where there is room."""
        centre, size = FURNITURE[furniture]
        own = self.world.boxes[name].size
        for _ in range(200):
            x, y = (
                centre[axis] + float(self.chance.uniform(-1, 1)) * (size[axis] / 2 - own[axis] / 2 - 0.03)
                for axis in range(2)
            )
            others = [box.centre for other, box in self.world.boxes.items() if other != name and other in self.on]
            if all(math.hypot(x - other[0], y - other[1]) >= APART_M for other in others):
                self.world.boxes[name].centre = (x, y, centre[2] + size[2] / 2 + own[2] / 2)
                self.on[name] = furniture
                return True
        return False

    def look(self, furniture: str, t_s: float) -> Observation:
        """From in front of it, with a pose that is a little off."""
        centre, size = FURNITURE[furniture]
        away = 1.7 + float(self.chance.uniform(-0.1, 0.1))
        length = math.hypot(centre[0], centre[1])
        spot = (centre[0] * (1 - away / length), centre[1] * (1 - away / length))
        pose = looking_at(*spot, (centre[0], centre[1], centre[2] + size[2] / 2), z=1.45)
        look = self.world.look(pose, t_s, room="kitchen")
        off = np.eye(4)
        turn = math.radians(float(self.chance.normal(0, 0.33)))
        off[:2, :2] = [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
        wrong = pose.copy()
        wrong[:3, :3] = off[:3, :3] @ pose[:3, :3]
        wrong[:3, 3] += self.chance.normal(0, 0.01, 3)
        found = tuple(
            one if one.embedding is None else replace(one, embedding=self.noisy(one.embedding))
            for one in look.detections
        )
        return replace(look, T_map_camera=wrong, detections=found)

    def noisy(self, looks: np.ndarray) -> np.ndarray:
        """The same thing from another side: a cosine of about 0.9."""
        seen = looks + 0.06 * self.chance.standard_normal(64).astype(np.float32)
        return seen / np.linalg.norm(seen)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--moves", type=int, default=100)
    parser.add_argument("--looks-alike", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = np.random.default_rng(arguments.seed)
    house = House(chance, looks_alike=arguments.looks_alike)
    told, spent_ms, t_s = Counter[str](), list[float](), 0.0
    with (
        tempfile.TemporaryDirectory() as folder,
        SpatialMemory.open(Path(folder) / "m", write=True, create=True) as space,
    ):

        def round_trip() -> list[ObjectChange]:
            nonlocal t_s
            changes: list[ObjectChange] = []
            for furniture in chance.permutation(list(FURNITURE)).tolist():
                for _ in range(LOOKS):
                    t_s += 0.5
                    look = house.look(furniture, t_s)
                    begun = time.thread_time()
                    changes += space.observe(look).changes
                    spent_ms.append(1e3 * (time.thread_time() - begun))
            return changes

        round_trip()
        round_trip()
        away: list[str] = []
        for number in range(arguments.moves):
            if away and number % 10 == 9:
                name = away.pop()
                house.put(name, str(chance.choice(list(FURNITURE))))
                round_trip()  # what comes back is not counted: nothing says that it is the same
                continue
            name = str(chance.choice(sorted(house.on)))
            before, label = house.on[name], house.world.boxes[name].label
            known = near(space, label, house.world.boxes[name].centre)
            is_removed = number % 10 == 4
            if is_removed:
                del house.on[name]
                house.world.boxes[name].centre = (0.0, 0.0, -5.0)
                away.append(name)
            else:
                after = str(chance.choice([one for one in FURNITURE if one != before]))
                if not house.put(name, after):
                    continue
            changes = [one for one in round_trip() if one.kind in {"moved", "missing", "found again"}]
            told["removals" if is_removed else "moves"] += 1
            wanted = "missing" if is_removed else "moved"
            right = [one for one in changes if one.kind == wanted and one.object_id == known]
            place = house.world.boxes[name].centre
            if right and (is_removed or math.dist(right[-1].after.object_position, place) < 0.15):
                told["removals told" if is_removed else "moves told"] += 1
            passing = {"missing"} if not is_removed else set[str]()  # missing first, found after: true as well
            told["told wrongly"] += sum(one.object_id != known or one.kind not in {wanted, *passing} for one in changes)
        present = [one for one in space.objects(include_missing=False) if one.label not in FURNITURE]
    print(
        f"{told['moves told']} of {told['moves']} moves, {told['removals told']} of {told['removals']} removals told of"
    )
    print(f"the right thing, within one round; {told['told wrongly']} changes told that did not happen, or later")
    print(f"{len(present)} small things are known to be there, {len(house.on)} are")
    middle, late = np.percentile(spent_ms[20:], [50, 99])
    print(f"CPU per look (160x120, {len(spent_ms)} looks): median {middle:.1f} ms, p99 {late:.1f} ms")


def near(space: SpatialMemory, label: str, centre: tuple[float, float, float]) -> str:
    found = space.query().label(label).near(centre, radius_m=0.3).nearest_first().run()
    return found[0].object_id if found else ""


if __name__ == "__main__":
    main()
