"""`PlaceGraph`: the topological map. Places are spots that look like no other; edges are ways that were walked.

A new place is made when the view is new: farther than `spacing_m` from every known place, or nearer than that but
showing what no view from there has shown. Coming back to a place is a visit, not a new place; where the pose has
drifted, a place that looks the same and is nearly where it should be is taken for the one it was (a loop is closed).
Every place keeps a few views, since a spot looks different in every direction. Places and edges are only ever added or
counted up, so a graph as of any time is its log up to then, replayed (`replay`). Finding the place of a pose costs some
20 µs beside the comparing of views; routes are in `routes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streammem.spatial.records import Place, PlaceEdge
from streammem.spatial.settings import PlaceSettings
from streammem.types import FloatVector, stable_id

Floats = NDArray[np.float64]

MOST_VIEWS = 8
"""Views kept of a place: eighths of a turn."""
LOOP_SPACINGS = 3.0
"""A place left fewer spacings of walking ago is not come back to from afar: the one next to it looks alike."""
UNLIKE = 2.0
"""Cosine distance where there is nothing to compare."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Node:
    place_id: str
    position_m: Floats
    room: str | None
    t_first_ns: int
    t_last_ns: int
    visits: int = 0
    walked_m: float = 0.0
    """Reading of the odometer when it was last left or visited."""
    views: list[FloatVector] = field(default_factory=list[FloatVector])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrival:
    """What taking a look at a pose did to the graph."""

    place_id: str
    is_new: bool
    is_visit: bool
    """It was somewhere else before."""
    from_id: str | None = None
    distance_m: float = 0.0
    new_view: bool = False


class PlaceGraph:
    """Grows by `arrive`; `add_place` and `connect` take what is known from elsewhere."""

    def __init__(self, settings: PlaceSettings | None = None) -> None:
        self.settings = settings or PlaceSettings()
        self.current: str | None = None
        """The place that the camera is at."""
        self.version = 0
        """Goes up with every place and every new or shorter edge: what routes are cached by."""
        self._nodes: list[_Node] = []
        self._index: dict[str, int] = {}
        self._edges: dict[tuple[int, int], int] = {}
        """Row of each edge in the arrays below, which grow by doubling: routes take them without copying."""
        self._pairs = np.empty((64, 2), dtype=np.int64)
        self._metres = np.empty(64)
        self._counts = np.empty(64, dtype=np.int64)
        self._cells: dict[tuple[int, int], list[int]] = {}
        self._corners = np.zeros((2, 2), dtype=np.int64)
        """Least and greatest cell."""
        self._walked_m = 0.0
        self._left_m = 0.0
        self._last_m: Floats | None = None

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, place_id: object) -> bool:
        return place_id in self._index

    def __iter__(self) -> Iterator[Place]:
        return (self.place(node.place_id) for node in self._nodes)

    # --- reading ------------------------------------------------------------------------------------------------------

    def place(self, place_id: str) -> Place:
        """
        Raises:
            KeyError: there is no such place.
        """
        node = self._nodes[self._index[place_id]]
        x, y, z = (float(one) for one in node.position_m)
        return Place(
            place_id=place_id, position_m=(x, y, z), room=node.room, t_first_ns=node.t_first_ns,
            t_last_ns=node.t_last_ns, visits=node.visits,
        )  # fmt: skip

    def edges(self) -> list[PlaceEdge]:
        """Each once, in the order that they were first walked."""
        return [self._edge(a, b, row) for (a, b), row in self._edges.items()]

    def neighbours(self, place_id: str) -> list[PlaceEdge]:
        """Edges from a place, as walked away from it."""
        at = self._index[place_id]
        pairs = self._pairs[: len(self._edges)]
        rows = np.flatnonzero((pairs == at).any(axis=1)).tolist()
        return [self._edge(at, int(pairs[row].sum()) - at, row) for row in rows]

    def nearest(self, position_m: Sequence[float] | Floats, *, room: str | None = None) -> Place | None:
        """The place nearest to a point; in a room, where one is named and known."""
        found = self.nearest_index(np.asarray(position_m, dtype=np.float64), room=room)
        return None if found is None else self.place(self._nodes[found].place_id)

    def nearest_index(self, position_m: Floats, *, room: str | None = None) -> int | None:
        """Number of the nearest place: rings of cells around the point, until no nearer one is possible."""
        if not self._nodes:
            return None
        if room is not None:
            inside = [index for index, node in enumerate(self._nodes) if node.room == room]
            if inside:
                apart = np.linalg.norm(np.stack([self._nodes[one].position_m for one in inside]) - position_m, axis=1)
                return inside[int(apart.argmin())]
        x, y = self._cell(position_m)
        best, least = -1, np.inf
        for ring in range(self._farthest_ring(x, y) + 1):
            if (ring - 1) * self.settings.spacing_m > least:
                break
            for index in self._ring(x, y, ring):
                apart = float(np.linalg.norm(self._nodes[index].position_m - position_m))
                if apart < least:
                    best, least = index, apart
        return best if best >= 0 else None

    def in_room(self, room: str) -> list[Place]:
        """Places of a room, most visited first."""
        found = [self.place(node.place_id) for node in self._nodes if node.room == room]
        return sorted(found, key=lambda place: (-place.visits, place.t_first_ns))

    @property
    def rooms(self) -> list[str]:
        """Names of rooms, sorted."""
        return sorted({node.room for node in self._nodes if node.room})

    def arrays(self) -> tuple[NDArray[np.int64], Floats]:
        """(edges (E, 2) of numbers of places, metres (E,)), for routes; views, not to be changed."""
        count = len(self._edges)
        return self._pairs[:count], self._metres[:count]

    def position_of(self, number: int) -> Floats:
        """(3,) of the place with a number."""
        return self._nodes[number].position_m

    def number_of(self, place_id: str) -> int:
        """Its place in `arrays`."""
        return self._index[place_id]

    def id_of(self, number: int) -> str:
        """The place with a number."""
        return self._nodes[number].place_id

    # --- growing ------------------------------------------------------------------------------------------------------

    def arrive(
        self, position_m: Floats, *, t_ns: int, recording: str, view: FloatVector | None = None, room: str | None = None
    ) -> Arrival:
        """Takes in a pose: finds the place it is at, or makes one, and counts the way there."""
        if self._last_m is not None:
            self._walked_m += float(np.linalg.norm(position_m - self._last_m))
        self._last_m = position_m.copy()
        at = self._recognised(position_m, view, room)
        is_new = at is None
        if at is None:
            at = self._make(stable_id("place", recording, t_ns), position_m, room, t_ns)
        node = self._nodes[at]
        new_view = view is not None and self._add_view(node, view)
        before = None if self.current is None else self._index[self.current]
        is_visit = before != at
        metres = 0.0
        if is_visit:
            node.visits += 1
            if before is not None:
                apart = float(np.linalg.norm(node.position_m - self._nodes[before].position_m))
                metres = max(self._walked_m - self._left_m, apart)
                self._walk(before, at, metres)
            self._left_m = self._walked_m
            self.current = node.place_id
        node.t_last_ns, node.walked_m = t_ns, self._walked_m
        node.room = node.room or room
        return Arrival(
            place_id=node.place_id, is_new=is_new, is_visit=is_visit, distance_m=metres, new_view=new_view,
            from_id=None if before is None or not is_visit else self._nodes[before].place_id,
        )  # fmt: skip

    def jump(self) -> None:
        """The camera is somewhere else now, and did not walk there: no way leads from where it was."""
        self.current, self._last_m = None, None

    def add_place(
        self, place_id: str, position_m: Sequence[float] | Floats, *, room: str | None = None, t_ns: int = 0
    ) -> None:
        """A place that is known; nothing where it is there already."""
        if place_id not in self._index:
            self._make(place_id, np.asarray(position_m, dtype=np.float64), room, t_ns)

    def connect(self, from_id: str, to_id: str, *, distance_m: float | None = None) -> None:
        """A way between two places; as long as they are apart where no length is given."""
        a, b = self._index[from_id], self._index[to_id]
        apart = float(np.linalg.norm(self._nodes[a].position_m - self._nodes[b].position_m))
        self._walk(a, b, apart if distance_m is None else distance_m)

    def replay(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Takes up a log (rows of `place_log` in order of time; `view` holds the vector, where there is one)."""
        for row in rows:
            place_id, t_ns = row["place_id"], row["t_end_ns"]
            position = np.array([row["x_m"], row["y_m"], row["z_m"]])
            if place_id not in self._index:
                self._make(place_id, position, row["room"], row["t_start_ns"])
            node = self._nodes[self._index[place_id]]
            if row.get("view") is not None:
                self._add_view(node, np.asarray(row["view"], dtype=np.float32))
            if row["kind"] == "visit":
                node.visits += 1
                self.current = place_id
                if row["from_id"] is not None and row["from_id"] in self._index:
                    self._walk(self._index[row["from_id"]], self._index[place_id], row["distance_m"])
            node.t_last_ns = max(node.t_last_ns, t_ns)
            node.room = node.room or row["room"]

    # --- inside -------------------------------------------------------------------------------------------------------

    def _recognised(self, position_m: Floats, view: FloatVector | None, room: str | None) -> int | None:
        """Number of the known place that a pose is at."""
        settings = self.settings
        best, least = None, np.inf
        for index, apart in self._around(position_m, max(settings.spacing_m, settings.revisit_m)):
            node = self._nodes[index]
            if room is not None and node.room is not None and node.room != room:
                continue
            unlike = _unlike(node.views, view)
            if apart <= settings.spacing_m:
                is_here = apart <= settings.least_m or view is None or not node.views or unlike <= settings.new_view
                cost = apart / settings.spacing_m
            else:
                walked = self._walked_m - node.walked_m
                is_far_back = walked > LOOP_SPACINGS * settings.spacing_m and node.place_id != self.current
                is_here = unlike <= settings.revisit_view and is_far_back
                cost = 1.0 + apart / settings.revisit_m
            if is_here and cost < least:
                best, least = index, cost
        return best

    def _around(self, position_m: Floats, radius_m: float) -> list[tuple[int, float]]:
        x, y = self._cell(position_m)
        reach = int(np.ceil(radius_m / self.settings.spacing_m))
        numbers = [
            index
            for i in range(x - reach, x + reach + 1)
            for j in range(y - reach, y + reach + 1)
            for index in self._cells.get((i, j), ())
        ]
        if not numbers:
            return []
        apart = np.linalg.norm(np.stack([self._nodes[one].position_m for one in numbers]) - position_m, axis=1)
        return [(one, far) for one, far in zip(numbers, apart.tolist(), strict=True) if far <= radius_m]

    def _make(self, place_id: str, position_m: Floats, room: str | None, t_ns: int) -> int:
        number = len(self._nodes)
        self._nodes.append(
            _Node(place_id=place_id, position_m=position_m.copy(), room=room, t_first_ns=t_ns, t_last_ns=t_ns)
        )
        self._index[place_id] = number
        cell = self._cell(position_m)
        self._cells.setdefault(cell, []).append(number)
        self._corners = np.stack([np.minimum(self._corners[0], cell), np.maximum(self._corners[1], cell)])
        self.version += 1
        return number

    def _walk(self, a: int, b: int, metres: float) -> None:
        if a == b:
            return
        key = (min(a, b), max(a, b))
        row = self._edges.get(key)
        if row is None:
            row = len(self._edges)
            if row == len(self._metres):
                self._pairs = np.concatenate([self._pairs, np.empty_like(self._pairs)])
                self._metres = np.concatenate([self._metres, np.empty_like(self._metres)])
                self._counts = np.concatenate([self._counts, np.empty_like(self._counts)])
            self._edges[key] = row
            self._pairs[row], self._metres[row], self._counts[row] = key, np.inf, 0
        self._counts[row] += 1
        if metres < self._metres[row]:
            self._metres[row] = metres
            self.version += 1

    def _edge(self, a: int, b: int, row: int) -> PlaceEdge:
        return PlaceEdge(
            from_id=self._nodes[a].place_id, to_id=self._nodes[b].place_id, distance_m=float(self._metres[row]),
            traversals=int(self._counts[row]),
        )  # fmt: skip

    def _add_view(self, node: _Node, view: FloatVector) -> bool:
        """Keeps a view that the place has not shown. Returns whether it did."""
        if len(node.views) >= MOST_VIEWS or _unlike(node.views, view) <= self.settings.new_view:
            return False
        node.views.append(np.asarray(view, dtype=np.float32))
        return True

    def _cell(self, position_m: Floats) -> tuple[int, int]:
        spacing = self.settings.spacing_m
        return int(position_m[0] // spacing), int(position_m[1] // spacing)

    def _ring(self, x: int, y: int, ring: int) -> Iterator[int]:
        for i in range(x - ring, x + ring + 1):
            step = 1 if abs(i - x) == ring else max(2 * ring, 1)
            for j in range(y - ring, y + ring + 1, step):
                yield from self._cells.get((i, j), ())

    def _farthest_ring(self, x: int, y: int) -> int:
        return int(np.abs(self._corners - (x, y)).max())


def _unlike(views: Sequence[FloatVector], view: FloatVector | None) -> float:
    """Cosine distance to the most similar view."""
    if view is None or not views:
        return UNLIKE
    alike = [one for one in views if one.shape == view.shape]
    if not alike:
        return UNLIKE
    known = np.stack(alike)
    lengths = np.linalg.norm(known, axis=1) * max(float(np.linalg.norm(view)), 1e-9)
    return 1.0 - float(((known @ view) / np.maximum(lengths, 1e-9)).max())
