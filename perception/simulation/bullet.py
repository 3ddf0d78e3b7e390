"""The household drawn and moved by pybullet: `Environment` with colour, depth and true object numbers, no display.

TinyRenderer draws on the processor alone. A look of 320x240 costs 12 ms, one of 160x120 4 ms (about 60 bodies, one
core). The base is kinematic: it drives where the floor plan lets it, as a navigation stack would see to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perception.labelled import Thing
from perception.simulation.environment import (
    FORWARD_M,
    TURN_RAD,
    Action,
    Grasp,
    Idle,
    Move,
    Outcome,
    Release,
    Sensed,
    camera_pose,
)
from perception.simulation.floor_plan import REACH_M, FloorPlan
from perception.simulation.household import COLUMNS, ROOM_M, ROWS, Household, Item, free_spot, make_household, put_item
from streammem.errors import MissingDependencyError
from streammem.spatial import Intrinsics
from streammem.spatial.observations import Vector3
from streammem.types import NS_PER_S

_NEAR_M, _FAR_M = 0.05, 12.0
HANDING_M = 1.6
"""How far away somebody may stand who is handed a thing."""
_UNSEEN_M = -20.0
"""Where a thing is while it is held: nowhere to be seen."""
_MESHES = {
    "mug": ("objects/mug.obj", False), "toy brick": ("lego/lego_vhacd.obj", False),
    "duck": ("duck_vhacd.obj", True), "teddy bear": ("teddy2_VHACD_CHs.obj", True),
}  # fmt: skip
"""Things that the data package has a light mesh for, and whether its y axis is up; the others are simple bodies."""
_ROUND = frozenset({"plate", "bowl", "bottle", "vase"})
_BALLS = frozenset({"apple", "ball"})
_COLOURS = {
    "wall": (0.86, 0.84, 0.80), "counter": (0.55, 0.45, 0.38), "sink": (0.75, 0.78, 0.80),
    "mug": (0.85, 0.15, 0.15), "plate": (0.95, 0.95, 0.98), "bowl": (0.20, 0.45, 0.85), "bottle": (0.10, 0.55, 0.25),
    "apple": (0.70, 0.85, 0.15), "book": (0.45, 0.15, 0.55), "laptop": (0.25, 0.25, 0.28), "phone": (0.05, 0.05, 0.08),
    "keys": (0.85, 0.70, 0.20), "remote control": (0.15, 0.15, 0.20), "towel": (0.30, 0.75, 0.80),
    "vase": (0.90, 0.45, 0.65), "teddy bear": (0.60, 0.40, 0.20), "duck": (0.98, 0.85, 0.10),
    "ball": (0.98, 0.98, 0.98), "toy brick": (0.95, 0.35, 0.10), "floor": (0.70, 0.62, 0.50),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BulletSettings:
    """The robot's camera and pace."""

    width: int = 320
    height: int = 240
    fov_deg: float = 60.0
    """Vertical."""
    camera_height_m: float = 1.25
    pitch_rad: float = math.radians(22)
    step_s: float = 0.5
    """Time that one step takes: 0.25 m at 0.5 m/s."""
    start_ns: int = 0


class BulletHousehold:
    """A household with one robot. Deterministic: the same seed and actions give the same pictures."""

    def __init__(self, settings: BulletSettings = BulletSettings(), *, home: Household | None = None) -> None:
        """Raises:
        MissingDependencyError: pybullet is not installed.
        """
        try:
            import pybullet
            import pybullet_data
        except ImportError as error:
            raise MissingDependencyError(
                'The simulated household needs pybullet: pip install "streammem[robot]" (Python 3.11).'
            ) from error
        self.settings = settings
        self._bullet: Any = pybullet
        self._client: int | None = pybullet.connect(pybullet.DIRECT)
        self._data = pybullet_data.getDataPath()
        focal = settings.height / 2 / math.tan(math.radians(settings.fov_deg) / 2)
        self._camera = Intrinsics(
            fx=focal, fy=focal, cx=(settings.width - 1) / 2, cy=(settings.height - 1) / 2
        )  # fmt: skip
        self._projection = pybullet.computeProjectionMatrixFOV(
            settings.fov_deg, settings.width / settings.height, _NEAR_M, _FAR_M
        )
        self._bodies: dict[str, int] = {}
        self._things: dict[int, Thing] = {}
        self._steps = 0
        self.held: str | None = None
        self.person_m: tuple[float, float] | None = None
        """Where somebody stands who can be handed things."""
        self.home = home or make_household(0)
        self.reset(seed=self.home.seed, home=self.home)

    # --- Environment --------------------------------------------------------------------------------------------------

    def reset(self, *, seed: int, home: Household | None = None) -> None:
        """Builds the home of a seed anew; the robot stands in its first room."""
        self.home = home or make_household(seed)
        self.plan = FloorPlan(self.home)
        self._bullet.resetSimulation(physicsClientId=self._client)
        self._bodies.clear()
        self._things.clear()
        self._steps, self.held = 0, None
        width, depth = COLUMNS * ROOM_M, ROWS * ROOM_M
        self._box((width, depth, 0.02), (width / 2, depth / 2, -0.01), _COLOURS["floor"])
        for index, one in enumerate((*self.home.walls, *self.home.furniture)):
            shade = _COLOURS.get(one.name, _furniture_colour(index))
            body = self._box(one.size_m, one.centre_m, shade)
            if one.name != "wall":
                self._bodies[one.name] = body
                self._things[body] = Thing(
                    label=one.name, identity=one.name, position_m=one.centre_m, size_m=one.size_m
                )
        for item in self.home.items:
            body = self._item(item)
            self._bodies[item.identity] = body
            self._things[body] = Thing(label=item.label, identity=item.identity)
        self.position_m = self._start()
        self.yaw_rad = 0.0

    def step(self, action: Action) -> Outcome:
        """One step; a step that cannot be done takes its time too."""
        self._steps += 1
        if isinstance(action, Move):
            return self._move(action)
        if isinstance(action, Grasp):
            return self._grasp(action.identity)
        if isinstance(action, Release):
            return self._release(action.position_m)
        assert isinstance(action, Idle)
        return Outcome()

    def sense(self) -> Sensed:
        settings, bullet = self.settings, self._bullet
        pose = camera_pose(
            self.position_m, self.yaw_rad, height_m=settings.camera_height_m, pitch_rad=settings.pitch_rad
        )
        eye = pose[:3, 3]
        view = bullet.computeViewMatrix(eye.tolist(), (eye + pose[:3, 2]).tolist(), (-pose[:3, 1]).tolist())
        _, _, colour, buffer, numbers = bullet.getCameraImage(
            settings.width, settings.height, view, self._projection, renderer=bullet.ER_TINY_RENDERER,
            lightDirection=[3, 2, 8], shadow=0, physicsClientId=self._client,
        )  # fmt: skip
        shape = (settings.height, settings.width)
        raw = np.asarray(buffer, dtype=np.float32).reshape(shape)
        depth = (_FAR_M * _NEAR_M / (_FAR_M - (_FAR_M - _NEAR_M) * raw)).astype(np.float32)
        number_of = np.asarray(numbers, dtype=np.int32).reshape(shape)
        depth[number_of < 0] = np.inf
        return Sensed(
            t_ns=self.t_ns,
            image_rgb=np.ascontiguousarray(np.asarray(colour, dtype=np.uint8).reshape(*shape, 4)[:, :, :3]),
            depth_m=depth,
            numbers=number_of + 1,  # 0 is nothing
            things={body + 1: thing for body, thing in self._things.items()},
            camera=self._camera,
            T_map_camera=pose,
            position_m=self.position_m,
            yaw_rad=self.yaw_rad,
            room=self.home.room_at(*self.position_m),
            held=self.held,
        )

    def close(self) -> None:
        """Ends the simulation. Idempotent."""
        client, self._client = self._client, None
        if client is not None:
            self._bullet.disconnect(client)

    # --- what only a test or a stage director does --------------------------------------------------------------------

    @property
    def t_ns(self) -> int:
        """The world's clock."""
        return self.settings.start_ns + round(self._steps * self.settings.step_s * NS_PER_S)

    @property
    def step_s(self) -> float:
        """Seconds that a step takes."""
        return self.settings.step_s

    @property
    def steps(self) -> int:
        """How many steps were taken since `reset`."""
        return self._steps

    def pass_time(self, seconds: float) -> None:
        """Lets time go by while the robot is away from everything."""
        self._steps += max(0, round(seconds / self.settings.step_s))

    def carry_away(self, identity: str, place: str, *, seed: int) -> None:
        """Somebody puts a thing elsewhere.

        Raises:
            ValueError: there is no room for it.
        """
        self.home = put_item(self.home, self.home.item(identity), [place], np.random.default_rng(seed))
        self._put(identity, self.home.item(identity).position_m)

    def place_robot(self, position_m: tuple[float, float], yaw_rad: float = 0.0) -> None:
        """Sets the robot down somewhere."""
        self.position_m, self.yaw_rad = position_m, yaw_rad

    def __enter__(self) -> BulletHousehold:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- doing --------------------------------------------------------------------------------------------------------

    def _move(self, action: Move) -> Outcome:
        turn = float(np.clip(action.turn_rad, -TURN_RAD, TURN_RAD))
        self.yaw_rad = (self.yaw_rad + turn + math.pi) % (2 * math.pi) - math.pi
        forward = float(np.clip(action.forward_m, -FORWARD_M, FORWARD_M))
        if forward == 0:
            return Outcome()
        x = self.position_m[0] + forward * math.cos(self.yaw_rad)
        y = self.position_m[1] + forward * math.sin(self.yaw_rad)
        if not self.plan.can_stand((x, y)):
            return Outcome(problem="something is in the way")
        self.position_m = (x, y)
        return Outcome()

    def _grasp(self, identity: str) -> Outcome:
        if self.held is not None:
            return Outcome(problem=f"the hand holds the {self.held}")
        item = next((one for one in self.home.items if one.identity == identity), None)
        if item is None:
            return Outcome(problem=f"there is no {identity} that could be taken")
        if self._away(item.position_m) > REACH_M + 0.15:
            return Outcome(problem="it is out of reach")
        others = tuple(one for one in self.home.items if one.identity != identity)
        self.home = replace(self.home, items=(*others, replace(item, on=None)))
        self.held = identity
        self._put(identity, (0.0, 0.0, _UNSEEN_M))
        return Outcome()

    def _release(self, position_m: Vector3) -> Outcome:
        if self.held is None:
            return Outcome(problem="nothing is held")
        if self.person_m is not None and math.dist(position_m[:2], self.person_m) < 0.3:
            return self._hand_over()
        piece = next(
            (
                one
                for one in self.home.furniture
                if abs(position_m[0] - one.centre_m[0]) <= one.size_m[0] / 2 + 0.05
                and abs(position_m[1] - one.centre_m[1]) <= one.size_m[1] / 2 + 0.05
            ),
            None,
        )
        if piece is None:
            return Outcome(problem="there is nothing there to put it on")
        if self._edge_away(piece.centre_m, piece.size_m) > REACH_M:
            return Outcome(problem="it is out of reach")
        item = self.home.item(self.held)
        spot = free_spot(self.home, piece.name, item, np.random.default_rng(self._steps))
        if spot is None:
            return Outcome(problem=f"the {piece.name} is full")
        others = tuple(one for one in self.home.items if one.identity != item.identity)
        self.home = replace(self.home, items=(*others, replace(item, position_m=spot, on=piece.name)))
        self._put(item.identity, spot)
        self.held = None
        return Outcome()

    def _hand_over(self) -> Outcome:
        assert self.person_m is not None
        assert self.held is not None
        if self._away(self.person_m) > HANDING_M:
            return Outcome(problem="nobody is near enough to take it")
        item = self.home.item(self.held)
        others = tuple(one for one in self.home.items if one.identity != item.identity)
        self.home = replace(self.home, items=(*others, replace(item, on="me")))
        self.held = None
        return Outcome()

    def _away(self, point: Sequence[float]) -> float:
        return math.hypot(point[0] - self.position_m[0], point[1] - self.position_m[1])

    def _edge_away(self, centre: Vector3, size: Vector3) -> float:
        dx = max(abs(self.position_m[0] - centre[0]) - size[0] / 2, 0.0)
        dy = max(abs(self.position_m[1] - centre[1]) - size[1] / 2, 0.0)
        return math.hypot(dx, dy)

    # --- building -----------------------------------------------------------------------------------------------------

    def _start(self) -> tuple[float, float]:
        room = self.home.rooms[0]
        free = self.plan.stand_for(room.centre_m, start=room.centre_m, reach_m=2.0)
        assert free is not None  # a room of sixteen square metres is never full
        return free

    def _box(self, size: Vector3, centre: Vector3, colour: Sequence[float]) -> int:
        bullet = self._bullet
        shape = bullet.createVisualShape(
            bullet.GEOM_BOX, halfExtents=[one / 2 for one in size], rgbaColor=[*colour, 1], physicsClientId=self._client
        )
        return int(bullet.createMultiBody(0, -1, shape, list(centre), physicsClientId=self._client))

    def _item(self, item: Item) -> int:
        bullet, size = self._bullet, item.size_m
        colour = [*_COLOURS.get(item.label, (0.5, 0.5, 0.5)), 1]
        if item.label in _MESHES:
            shape = self._mesh(item, colour)
        elif item.label in _BALLS:
            shape = bullet.createVisualShape(
                bullet.GEOM_SPHERE, radius=size[0] / 2, rgbaColor=colour, physicsClientId=self._client
            )
        elif item.label in _ROUND:
            shape = bullet.createVisualShape(
                bullet.GEOM_CYLINDER, radius=size[0] / 2, length=size[2], rgbaColor=colour, physicsClientId=self._client
            )
        else:
            return self._box(size, item.position_m, colour[:3])
        return int(bullet.createMultiBody(0, -1, shape, list(item.position_m), physicsClientId=self._client))

    def _mesh(self, item: Item, colour: Sequence[float]) -> int:
        """A mesh of the data package, upright, as high as the thing, around its middle."""
        name, is_y_up = _MESHES[item.label]
        path = f"{self._data}/{name}"
        low, high = _bounds(path)
        scale = item.size_m[2] / float((high - low)[1 if is_y_up else 2])
        middle = (low + high) / 2 * scale
        offset = (-middle[0], middle[2], -middle[1]) if is_y_up else -middle
        turn = [math.sqrt(0.5), 0, 0, math.sqrt(0.5)] if is_y_up else [0, 0, 0, 1]
        return int(
            self._bullet.createVisualShape(
                self._bullet.GEOM_MESH, fileName=path, meshScale=[scale] * 3, rgbaColor=list(colour),
                visualFramePosition=[float(one) for one in offset], visualFrameOrientation=turn,
                physicsClientId=self._client,
            )
        )  # fmt: skip

    def _put(self, identity: str, position_m: Vector3) -> None:
        self._bullet.resetBasePositionAndOrientation(
            self._bodies[identity], list(position_m), [0, 0, 0, 1], physicsClientId=self._client
        )


@cache
def _bounds(path: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Least and greatest coordinates of a mesh's corners."""
    with Path(path).open(encoding="utf-8", errors="ignore") as file:
        corners = np.array([line.split()[1:4] for line in file if line.startswith("v ")], dtype=np.float64)
    return corners.min(axis=0), corners.max(axis=0)


def _furniture_colour(index: int) -> tuple[float, float, float]:
    """Woods and cloths: no two neighbours alike."""
    rng = np.random.default_rng(1000 + index)
    r, g, b = rng.uniform(0.25, 0.75, 3)
    return float(r), float(g), float(b)
