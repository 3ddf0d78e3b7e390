"""What a simulated world gives a robot and takes from it: one small Protocol, in the manner of Gymnasium.

An adapter for another simulator implements `Environment`; everything behind it (perception, memory, planner) stays.
Lengths in metres, angles in radians counter-clockwise, map z up, times int64 nanoseconds of the world's own clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from perception.labelled import Thing, labelled_detections
from perception.protocols import ImageRGB, Look
from streammem.spatial import Intrinsics
from streammem.spatial.observations import Pose, Vector3

FORWARD_M = 0.25
"""The longest way that one step drives."""
TURN_RAD = np.pi / 6
"""The furthest that one step turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Turn (at most `TURN_RAD`, left positive), then drive ahead (at most `FORWARD_M`)."""

    forward_m: float = 0.0
    turn_rad: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grasp:
    """Take the thing of this identity."""

    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Put what is held down at a point."""

    position_m: Vector3


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Let a step's time pass."""


Action = Move | Grasp | Release | Idle


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an action. `problem` is None where it was done."""

    problem: str | None = None

    @property
    def is_done(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sensed:
    """One look, and what the base knows of itself."""

    t_ns: int
    image_rgb: ImageRGB
    depth_m: npt.NDArray[np.float32]
    """(H, W) z-depth; +inf is nothing within range."""
    numbers: npt.NDArray[np.int32]
    """(H, W) the simulator's number of the object at every pixel."""
    things: Mapping[int, Thing]
    camera: Intrinsics
    T_map_camera: Pose
    position_m: tuple[float, float]
    yaw_rad: float
    room: str | None = None
    held: str | None = None
    """Identity of what is held."""
    facts: Mapping[str, float] = field(default_factory=dict[str, float])
    """What else the world tells, e.g. health."""


class Environment(Protocol):
    """A world with one robot in it. `close()` is idempotent."""

    def reset(self, *, seed: int) -> None: ...
    def step(self, action: Action) -> Outcome:
        """Does one step's worth; time goes on."""
        ...

    def sense(self) -> Sensed:
        """What is seen now. Time stands still."""
        ...

    def close(self) -> None: ...


def look_of(sensed: Sensed) -> Look:
    """What a look gives the memory: the true numbers become detections, placed by depth."""
    return Look(
        t_ns=sensed.t_ns,
        T_map_camera=sensed.T_map_camera,
        depth_m=sensed.depth_m,
        camera=sensed.camera,
        detections=labelled_detections(sensed.numbers, sensed.things),
        room=sensed.room,
    )


def camera_pose(position_m: tuple[float, float], yaw_rad: float, *, height_m: float, pitch_rad: float) -> Pose:
    """(4, 4) camera (x right, y down, z ahead) to map, for a camera that looks `pitch_rad` below the horizon."""
    ahead = np.array([np.cos(yaw_rad) * np.cos(pitch_rad), np.sin(yaw_rad) * np.cos(pitch_rad), -np.sin(pitch_rad)])
    right = np.array([np.sin(yaw_rad), -np.cos(yaw_rad), 0.0])
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2] = right, np.cross(ahead, right), ahead
    pose[:3, 3] = (*position_m, height_m)
    return pose
