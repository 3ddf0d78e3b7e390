"""The floor plan that a base drives by: where it can stand, how far it is to anywhere, where to stand to reach a thing.

Walls and furniture are known, as a navigation stack has its map; where the things are is not in it. A grid of ten
centimetres; distances to a goal are computed once and kept (20 ms, 80 kB each).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from perception.simulation.household import COLUMNS, ROOM_M, ROWS, Household

CELL_M = 0.1
RADIUS_M = 0.22
"""Of the base; doors are 1.2 m wide."""
REACH_M = 1.0
"""How far the arm reaches from the middle of the base."""
_DIAGONAL = float(np.sqrt(2.0))

Point = tuple[float, float]
Floats = npt.NDArray[np.float64]


class FloorPlan:
    """Of one household; furniture does not move."""

    def __init__(self, home: Household) -> None:
        self._home = home
        self.shape = (round(COLUMNS * ROOM_M / CELL_M), round(ROWS * ROOM_M / CELL_M))
        x = (np.arange(self.shape[0]) + 0.5) * CELL_M
        y = (np.arange(self.shape[1]) + 0.5) * CELL_M
        blocked = np.zeros(self.shape, dtype=np.bool_)
        for one in (*home.walls, *home.furniture):
            dx = np.maximum(np.abs(x - one.centre_m[0]) - one.size_m[0] / 2, 0)
            dy = np.maximum(np.abs(y - one.centre_m[1]) - one.size_m[1] / 2, 0)
            blocked |= np.hypot(dx[:, None], dy[None, :]) < RADIUS_M
        self.is_free: npt.NDArray[np.bool_] = ~blocked
        self._fields = lru_cache(maxsize=256)(self._field)
        self._rooms = np.array([[self._room_index(px, py) for py in y] for px in x], dtype=np.int8)
        self._x, self._y = x, y

    def can_stand(self, point: Point) -> bool:
        column, row = self._cell(point)
        return bool(0 <= column < self.shape[0] and 0 <= row < self.shape[1] and self.is_free[column, row])

    def distance_m(self, start: Point, goal: Point) -> float:
        """Along the shortest way from cell to cell (up to a tenth longer than it is driven); inf where none is."""
        return float(self._fields(self._nearest_free(goal))[self._nearest_free(start)])

    def way(self, start: Point, goal: Point, *, cut_corners: bool = True) -> list[Point]:
        """Where to turn on the shortest way from start to goal, the goal last; empty where there is no way. Without
        cutting corners, cell by cell: for a base that got stuck at one."""
        field = self._fields(self._nearest_free(goal))
        at = self._nearest_free(start)
        if not np.isfinite(field[at]):
            return []
        points: list[Point] = []
        while field[at] > 0:
            column, row = at
            best = min(
                (
                    (column + dc, row + dr)
                    for dc in (-1, 0, 1)
                    for dr in (-1, 0, 1)
                    if 0 <= column + dc < self.shape[0] and 0 <= row + dr < self.shape[1]
                ),
                key=lambda cell: field[cell],
            )
            if field[best] >= field[at]:
                break
            at = best
            points.append((float(self._x[at[0]]), float(self._y[at[1]])))
        return self._straightened(start, points) if cut_corners else points

    def _straightened(self, start: Point, points: list[Point]) -> list[Point]:
        """Corners only: from each the farthest point that is reached in a straight line."""
        corners: list[Point] = []
        at, index = start, 0
        while index < len(points):
            farthest = index
            for candidate in range(index + 1, len(points)):
                if not self._is_open(at, points[candidate]):
                    break
                farthest = candidate
            corners.append(points[farthest])
            at, index = points[farthest], farthest + 1
        return corners

    def _is_open(self, one: Point, other: Point) -> bool:
        """Whether the base can drive straight from one point to another."""
        count = max(2, int(np.hypot(other[0] - one[0], other[1] - one[1]) / (CELL_M / 4)))
        share = np.linspace(0, 1, count)
        columns = ((one[0] + share * (other[0] - one[0])) // CELL_M).astype(np.int64)
        rows = ((one[1] + share * (other[1] - one[1])) // CELL_M).astype(np.int64)
        return bool(self.is_free[columns, rows].all())

    def way_m(self, start: Point, goal: Point) -> float:
        """Length of the way as it is driven, corners cut; inf where there is none."""
        if not np.isfinite(self.distance_m(start, goal)):
            return float("inf")
        points = [start, *self.way(start, goal)]
        return sum(float(np.hypot(b[0] - a[0], b[1] - a[1])) for a, b in pairwise(points))

    def stand_for(self, point: Point, *, start: Point, reach_m: float = REACH_M) -> Point | None:
        """Where to stand so that a point is within reach, in the same room, nearest to `start`; None where nowhere.

        Standing close is worth a detour of the same length: the arm likes it, and what is near is seen better."""
        room = self._room_index(*point)
        away = np.hypot(self._x[:, None] - point[0], self._y[None, :] - point[1])
        field = self._fields(self._nearest_free(start))
        cost = np.where(self.is_free & (away <= reach_m) & (self._rooms == room), field + away, np.inf)
        best = np.unravel_index(int(cost.argmin()), self.shape)
        if not np.isfinite(cost[best]):
            return None
        return float(self._x[best[0]]), float(self._y[best[1]])

    def _room_index(self, x: float, y: float) -> int:
        return next((index for index, room in enumerate(self._home.rooms) if room.holds(x, y)), -1)

    def _cell(self, point: Point) -> tuple[int, int]:
        return int(point[0] // CELL_M), int(point[1] // CELL_M)

    def _nearest_free(self, point: Point) -> tuple[int, int]:
        cell = self._cell(point)
        if self.can_stand(point):
            return cell
        away = np.hypot(self._x[:, None] - point[0], self._y[None, :] - point[1])
        best = np.unravel_index(int(np.where(self.is_free, away, np.inf).argmin()), self.shape)
        return int(best[0]), int(best[1])

    def _field(self, goal: tuple[int, int]) -> Floats:
        """Metres to a goal from every cell: waves of shortest steps until nothing gets nearer."""
        field = np.full((self.shape[0] + 2, self.shape[1] + 2), np.inf)
        free = np.zeros_like(field, dtype=np.bool_)
        free[1:-1, 1:-1] = self.is_free
        field[goal[0] + 1, goal[1] + 1] = 0.0
        inner = field[1:-1, 1:-1]
        while True:
            before = inner.copy()
            for dc in (-1, 0, 1):
                for dr in (-1, 0, 1):
                    if dc == dr == 0:
                        continue
                    step = CELL_M * (_DIAGONAL if dc and dr else 1.0)
                    near = field[1 + dc : field.shape[0] - 1 + dc, 1 + dr : field.shape[1] - 1 + dr]
                    np.minimum(inner, near + step, out=inner)
                    inner[~self.is_free] = np.inf
            if np.array_equal(inner, before):
                return inner.copy()
