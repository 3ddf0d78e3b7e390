"""What nodes say to each other: eight topics, one message type each. Times are the world's, in nanoseconds.

Knows no node. Arrays are not copied between threads: who publishes one does not write to it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from streammem.spatial.camera import Intrinsics
from streammem.spatial.deeds import Deed
from streammem.spatial.observations import Observation, Pose


class Topic(StrEnum):
    CAMERA = "camera"
    DEPTH = "depth"
    POSE = "pose"
    PERCEPTION = "perception"
    MEMORY = "memory"
    PLANNER = "planner"
    BASE = "base"
    DEED = "deed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraImage:
    """A picture; where a simulator draws it, with the true number of the object at every pixel."""

    t_ns: int
    image_rgb: npt.NDArray[np.uint8]
    numbers: npt.NDArray[np.int32] | None = None
    things: Mapping[int, Any] | None = None
    """What the numbers stand for: `perception.labelled.Thing`."""
    topic = Topic.CAMERA


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DepthImage:
    t_ns: int
    depth_m: npt.NDArray[np.float32]
    camera: Intrinsics
    topic = Topic.DEPTH


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraPose:
    t_ns: int
    T_map_camera: Pose
    room: str | None = None
    topic = Topic.POSE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Perceived:
    """A look at the world, ready to be remembered."""

    t_ns: int
    observation: Observation
    topic = Topic.PERCEPTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a look did to the memory."""

    t_ns: int
    write_ms: float
    """How long the memory took, on the wall's clock."""
    cpu_ms: float
    """Of its own thread: what it took without waiting for others."""
    is_refused: bool = False
    """Nothing of it was kept; `problems` say why."""
    changes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    topic = Topic.MEMORY


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """Something to do, or (`is_report`) what became of it."""

    t_ns: int
    text: str
    is_report: bool = False
    is_done: bool = False
    topic = Topic.PLANNER


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseState:
    """Where the base is."""

    t_ns: int
    position_m: tuple[float, float]
    yaw_rad: float
    steps: int
    topic = Topic.BASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """The robot did something to a thing, and it worked."""

    t_ns: int
    deed: Deed
    topic = Topic.DEED


Message = CameraImage | DepthImage | CameraPose | Perceived | Remembered | Instruction | BaseState | Did
