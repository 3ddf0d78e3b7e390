"""A world of boxes, looked at by a pinhole camera: depth and masks by intersecting rays, exact and quick."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streammem.spatial.camera import Intrinsics
from streammem.spatial.observations import ObjectDetection, Observation
from streammem.types import NS_PER_S, FloatVector

CAMERA = Intrinsics(fx=110.0, fy=110.0, cx=79.5, cy=59.5)
SHAPE = (120, 160)
T0_NS = 1_790_000_000 * NS_PER_S


def pose_at(x: float, y: float, yaw_rad: float, *, z: float = 1.2, pitch_rad: float = 0.0) -> NDArray[np.float64]:
    """Camera to map: looks along `yaw_rad`, `pitch_rad` downwards."""
    ahead = np.array([np.cos(yaw_rad) * np.cos(pitch_rad), np.sin(yaw_rad) * np.cos(pitch_rad), -np.sin(pitch_rad)])
    right = np.array([np.sin(yaw_rad), -np.cos(yaw_rad), 0.0])
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = right, np.cross(ahead, right), ahead, (x, y, z)
    return pose


def looking_at(x: float, y: float, target: tuple[float, float, float], *, z: float = 1.2) -> NDArray[np.float64]:
    away = np.array(target) - (x, y, z)
    return pose_at(
        x,
        y,
        float(np.arctan2(away[1], away[0])),
        z=z,
        pitch_rad=float(np.arctan2(-away[2], np.hypot(away[0], away[1]))),
    )


@dataclass
class Box:
    label: str
    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    is_thing: bool = True
    state: str | None = None
    embedding: FloatVector | None = None


@dataclass
class World:
    """`boxes` by name. A room of 8 x 6 m around them, 2.6 m high."""

    boxes: dict[str, Box] = field(default_factory=dict[str, Box])
    knows_names: bool = False
    """Whether detections carry the names of boxes as ids."""
    noise_m: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._chance = np.random.default_rng(self.seed)

    def look(self, pose: NDArray[np.float64], t_s: float, **more: object) -> Observation:
        depth, owner, names = self.render(pose)
        if self.noise_m:
            depth = depth + self._chance.normal(0, self.noise_m, depth.shape).astype(np.float32) * depth**2
        found: list[ObjectDetection] = []
        for number, name in enumerate(names):
            box = self.boxes[name]
            mask = owner == number
            if box.is_thing and np.count_nonzero(mask) >= 12:
                found.append(
                    ObjectDetection(
                        label=box.label, score=0.9, mask=mask, state=box.state, embedding=box.embedding,
                        instance_id=name if self.knows_names else None,
                    )
                )  # fmt: skip
        return Observation(
            t_ns=T0_NS + round(t_s * NS_PER_S), T_map_camera=pose, depth_m=depth, camera=CAMERA,
            detections=tuple(found), **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def render(self, pose: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.int64], list[str]]:
        """(depth (H, W), number of the box that each pixel shows (H, W) or -1 for the room, names by number)."""
        rows, columns = np.indices(SHAPE)
        ways = np.stack(
            [(columns - CAMERA.cx) / CAMERA.fx, (rows - CAMERA.cy) / CAMERA.fy, np.ones(SHAPE)], axis=-1
        ) @ pose[:3, :3].T  # fmt: skip
        start = pose[:3, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            walls = np.stack([(np.array((-4.0, -3.0, 0.0)) - start) / ways, (np.array((4.0, 3.0, 2.6)) - start) / ways])
        best = np.where(walls > 1e-9, walls, np.inf).min(axis=(0, 3))
        owner = np.full(SHAPE, -1)
        names = list(self.boxes)
        for number, name in enumerate(names):
            box = self.boxes[name]
            half = np.array(box.size) / 2
            with np.errstate(divide="ignore", invalid="ignore"):
                low = (np.array(box.centre) - half - start) / ways
                high = (np.array(box.centre) + half - start) / ways
            near = np.fmin(low, high).max(axis=-1)
            far = np.fmax(low, high).min(axis=-1)
            hit = (near < far) & (near > 1e-9) & (near < best)
            best[hit], owner[hit] = near[hit], number
        return best.astype(np.float32), owner, names


def kitchen(**more: object) -> World:
    """A table with a mug and a plate, a counter with a sink, a shelf."""
    return World(
        boxes={
            "table": Box("table", (1.5, 1.0, 0.375), (1.0, 0.8, 0.75)),
            "mug": Box("mug", (1.4, 0.9, 0.80), (0.09, 0.09, 0.10)),
            "plate": Box("plate", (1.75, 1.1, 0.77), (0.22, 0.22, 0.04)),
            "counter": Box("counter", (1.5, -2.0, 0.45), (1.6, 0.6, 0.9)),
            "shelf": Box("shelf", (-2.5, 2.5, 0.9), (0.8, 0.3, 1.8)),
        },
        **more,  # type: ignore[arg-type]
    )
