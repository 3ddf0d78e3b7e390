"""A made-up home: rooms with doors, furniture along the walls, things on the furniture. Numbers only, drawn by others.

Everything follows from a seed. Six rooms of four by four metres, joined by doors so that every room can be reached;
each has its own furniture, whose tops things lie on. Knows no simulator. Costs a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from streammem.spatial.observations import Vector3

ROOM_M = 4.0
WALL_M = 0.1
WALL_HEIGHT_M = 2.2
FLOOR_M = 0.2
"""What lies on the floor, or is measured a little below it, is in its room, too."""
DOOR_M = 1.2
COLUMNS, ROWS = 3, 2
_DOOR_CLEAR_M = 0.65
_APART_M = 0.5
_SPACING_M = 0.28
"""Things stand this far apart, so that a hand fits between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    name: str
    low_m: tuple[float, float]
    high_m: tuple[float, float]

    @property
    def centre_m(self) -> tuple[float, float]:
        return (self.low_m[0] + self.high_m[0]) / 2, (self.low_m[1] + self.high_m[1]) / 2

    def holds(self, x: float, y: float) -> bool:
        return self.low_m[0] <= x < self.high_m[0] and self.low_m[1] <= y < self.high_m[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solid:
    """A box that stands still: wall or furniture."""

    name: str
    centre_m: Vector3
    size_m: Vector3
    room: str | None = None

    @property
    def top_m(self) -> float:
        return self.centre_m[2] + self.size_m[2] / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A thing that can be taken."""

    identity: str
    label: str
    size_m: Vector3
    position_m: Vector3
    """Its centre."""
    on: str | None
    """Name of the furniture that it lies on; None: it is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A home at one moment."""

    seed: int
    rooms: tuple[Room, ...]
    doors: tuple[tuple[str, str, tuple[float, float]], ...]
    """(room, room, middle of the door)."""
    walls: tuple[Solid, ...]
    furniture: tuple[Solid, ...]
    items: tuple[Item, ...]

    def room_at(self, x: float, y: float) -> str | None:
        return next((room.name for room in self.rooms if room.holds(x, y)), None)

    def room_boxes(self) -> dict[str, tuple[Vector3, Vector3]]:
        """Corners (low, high) of each room."""
        return {room.name: ((*room.low_m, -FLOOR_M), (*room.high_m, WALL_HEIGHT_M + FLOOR_M)) for room in self.rooms}

    def piece(self, name: str) -> Solid:
        return next(one for one in self.furniture if one.name == name)

    def item(self, identity: str) -> Item:
        return next(one for one in self.items if one.identity == identity)


FURNITURE: dict[str, tuple[tuple[str, Vector3], ...]] = {
    "kitchen": (("counter", (1.6, 0.6, 0.9)), ("sink", (0.8, 0.6, 0.85)), ("dining table", (1.2, 0.8, 0.75))),
    "living room": (("sofa", (1.8, 0.8, 0.45)), ("coffee table", (1.0, 0.6, 0.45)), ("sideboard", (1.2, 0.45, 0.8))),
    "bedroom": (("bed", (1.9, 1.3, 0.5)), ("nightstand", (0.5, 0.45, 0.55)), ("dresser", (1.2, 0.5, 0.9))),
    "bathroom": (("washbasin", (0.7, 0.5, 0.85)), ("washing machine", (0.6, 0.6, 0.85)), ("stool", (0.45, 0.45, 0.5))),
    "study": (("desk", (1.4, 0.7, 0.75)), ("bookcase", (1.0, 0.4, 0.95)), ("armchair", (0.8, 0.8, 0.45))),
    "hall": (("shoe rack", (1.0, 0.4, 0.5)), ("console table", (1.0, 0.4, 0.8)), ("bench", (1.0, 0.4, 0.45))),
}

ITEMS: dict[str, tuple[Vector3, tuple[str, ...]]] = {
    "mug": ((0.10, 0.10, 0.12), ("counter", "dining table", "desk", "coffee table")),
    "plate": ((0.22, 0.22, 0.04), ("dining table", "counter", "sink")),
    "bowl": ((0.16, 0.16, 0.08), ("counter", "sink", "dining table")),
    "bottle": ((0.09, 0.09, 0.26), ("counter", "dining table", "nightstand")),
    "apple": ((0.09, 0.09, 0.09), ("dining table", "counter", "coffee table")),
    "book": ((0.22, 0.16, 0.05), ("bookcase", "desk", "nightstand", "armchair")),
    "laptop": ((0.32, 0.24, 0.04), ("desk", "dining table", "bed")),
    "phone": ((0.16, 0.09, 0.03), ("nightstand", "desk", "sofa", "console table")),
    "keys": ((0.11, 0.09, 0.03), ("console table", "sideboard", "desk")),
    "remote control": ((0.20, 0.07, 0.04), ("sofa", "coffee table", "bed")),
    "towel": ((0.30, 0.22, 0.06), ("washing machine", "stool", "washbasin")),
    "vase": ((0.14, 0.14, 0.28), ("sideboard", "coffee table", "console table")),
    "teddy bear": ((0.20, 0.20, 0.24), ("bed", "armchair", "sofa")),
    "duck": ((0.14, 0.12, 0.14), ("washbasin", "stool", "dresser")),
    "ball": ((0.20, 0.20, 0.20), ("shoe rack", "bench", "bed")),
    "toy brick": ((0.16, 0.10, 0.10), ("coffee table", "bed", "dresser")),
}
"""Size, and where such a thing usually lies."""


def make_household(seed: int, *, unusual: float = 0.3) -> Household:
    """A home.

    Args:
        unusual: share of things that lie somewhere else than they usually do.
    """
    rng = np.random.default_rng(seed)
    names = list(rng.permutation(list(FURNITURE)))
    rooms = tuple(
        Room(
            name=str(name),
            low_m=((index % COLUMNS) * ROOM_M, (index // COLUMNS) * ROOM_M),
            high_m=((index % COLUMNS + 1) * ROOM_M, (index // COLUMNS + 1) * ROOM_M),
        )
        for index, name in enumerate(names)
    )
    doors = _doors(rooms, rng)
    furniture: list[Solid] = []
    for room in rooms:
        gates = [middle for one, other, middle in doors if room.name in (one, other)]
        furniture += _furnished(room, gates, rng)
    home = Household(
        seed=seed, rooms=rooms, doors=doors, walls=_walls(doors), furniture=tuple(furniture), items=()
    )  # fmt: skip
    for label, (size, usual) in ITEMS.items():
        places = [one.name for one in furniture] if rng.random() < unusual else list(usual)
        home = put_item(home, Item(identity=f"{label} 1", label=label, size_m=size, position_m=(0, 0, 0), on=None),
                        [str(one) for one in rng.permutation(places)], rng)  # fmt: skip
    return home


def put_item(home: Household, item: Item, places: Sequence[str], rng: np.random.Generator) -> Household:
    """The home with a thing on the first of these pieces of furniture that has room for it.

    Raises:
        ValueError: none has.
    """
    others = tuple(one for one in home.items if one.identity != item.identity)
    for place in places:
        position = free_spot(home, place, item, rng)
        if position is not None:
            return replace(home, items=(*others, replace(item, position_m=position, on=place)))
    raise ValueError(f"there is no room for the {item.label} on {', '.join(places)}")


def free_spot(home: Household, place: str, item: Item, rng: np.random.Generator) -> Vector3 | None:
    """Where a thing could lie on a piece of furniture, near its front edge; None where it is full."""
    piece = home.piece(place)
    others = [one for one in home.items if one.on == place and one.identity != item.identity]
    room = next(one for one in home.rooms if one.name == piece.room)
    reach = np.array(piece.size_m[:2]) / 2 - np.array(item.size_m[:2]) / 2 - 0.02
    to_middle = np.array(room.centre_m) - np.array(piece.centre_m[:2])
    for _ in range(60):
        spot = np.array(piece.centre_m[:2]) + rng.uniform(-1, 1, 2) * np.maximum(reach, 0)
        if float((spot - np.array(piece.centre_m[:2])) @ to_middle) < 0:
            continue  # the half that is farther from the middle of the room is out of reach
        if all(np.hypot(*(spot - np.array(one.position_m[:2]))) >= _SPACING_M for one in others):
            return float(spot[0]), float(spot[1]), piece.top_m + item.size_m[2] / 2
    return None


def moved(home: Household, identity: str, place: str, rng: np.random.Generator) -> Household:
    """The home after somebody carried a thing elsewhere."""
    return put_item(home, home.item(identity), [place], rng)


def _doors(rooms: Sequence[Room], rng: np.random.Generator) -> tuple[tuple[str, str, tuple[float, float]], ...]:
    """A random tree over the grid of rooms, and one more door."""
    edges: list[tuple[int, int, tuple[float, float]]] = []
    for index in range(len(rooms)):
        column, row = index % COLUMNS, index // COLUMNS
        if column + 1 < COLUMNS:
            edges.append((index, index + 1, ((column + 1) * ROOM_M, (row + 0.5) * ROOM_M + float(rng.uniform(-1, 1)))))
        if row + 1 < ROWS:
            edges.append((index, index + COLUMNS, ((column + 0.5) * ROOM_M + float(rng.uniform(-1, 1)), ROOM_M)))
    order = rng.permutation(len(edges))
    group = list(range(len(rooms)))
    chosen: list[int] = []
    spare: list[int] = []
    for edge in order.tolist():
        one, other, _ = edges[edge]
        if group[one] != group[other]:
            old, new = group[other], group[one]
            group = [new if g == old else g for g in group]
            chosen.append(edge)
        else:
            spare.append(edge)
    chosen += spare[:1]
    return tuple((rooms[edges[e][0]].name, rooms[edges[e][1]].name, edges[e][2]) for e in sorted(chosen))


def _walls(doors: Sequence[tuple[str, str, tuple[float, float]]]) -> tuple[Solid, ...]:
    """Outer and inner walls, with holes where the doors are."""
    found: list[Solid] = []
    height = WALL_HEIGHT_M
    for axis, lines, spans in ((0, ROWS, COLUMNS), (1, COLUMNS, ROWS)):
        for line in range(lines + 1):
            at = line * ROOM_M
            for span in range(spans):
                start, end = span * ROOM_M, (span + 1) * ROOM_M
                gap = next(
                    (middle[axis] for _, _, middle in doors
                     if abs(middle[1 - axis] - at) < 1e-6 and start < middle[axis] < end), None,
                )  # fmt: skip
                parts = [(start, end)] if gap is None else [(start, gap - DOOR_M / 2), (gap + DOOR_M / 2, end)]
                for first, last in parts:
                    middle, length = (first + last) / 2, last - first + (WALL_M if gap is None else 0)
                    centre = (middle, at) if axis == 0 else (at, middle)
                    size = (length, WALL_M) if axis == 0 else (WALL_M, length)
                    found.append(Solid(name="wall", centre_m=(*centre, height / 2), size_m=(*size, height)))
    return tuple(found)


def _furnished(room: Room, gates: Sequence[tuple[float, float]], rng: np.random.Generator) -> list[Solid]:
    """The room's furniture; begun anew where the last piece finds no wall."""
    for _ in range(200):
        placed: list[Solid] = []
        for name, size in FURNITURE[room.name]:
            piece = _against_a_wall(name, size, room, gates, placed, rng)
            if piece is None:
                break
            placed.append(piece)
        else:
            return placed
    raise ValueError(f"the {room.name} is too full")


def _against_a_wall(
    name: str, size: Vector3, room: Room, gates: Sequence[tuple[float, float]], others: Sequence[Solid],
    rng: np.random.Generator,
) -> Solid | None:  # fmt: skip
    for _ in range(40):
        side = int(rng.integers(4))
        width, depth = (size[0], size[1]) if side % 2 == 0 else (size[1], size[0])
        margin = WALL_M / 2 + 0.02
        x = float(rng.uniform(room.low_m[0] + width / 2 + margin, room.high_m[0] - width / 2 - margin))
        y = float(rng.uniform(room.low_m[1] + depth / 2 + margin, room.high_m[1] - depth / 2 - margin))
        if side == 0:
            y = room.low_m[1] + depth / 2 + margin
        elif side == 2:
            y = room.high_m[1] - depth / 2 - margin
        elif side == 1:
            x = room.low_m[0] + width / 2 + margin
        else:
            x = room.high_m[0] - width / 2 - margin
        clear = all(
            abs(x - gx) > width / 2 + _DOOR_CLEAR_M or abs(y - gy) > depth / 2 + _DOOR_CLEAR_M for gx, gy in gates
        )
        apart = all(
            abs(x - one.centre_m[0]) > (width + one.size_m[0]) / 2 + _APART_M
            or abs(y - one.centre_m[1]) > (depth + one.size_m[1]) / 2 + _APART_M
            for one in others
        )
        if clear and apart:
            return Solid(name=name, centre_m=(x, y, size[2] / 2), size_m=(width, depth, size[2]), room=room.name)
    return None
