"""What a robot (or anything with a camera and a pose) gives the spatial memory: one look at the world at a time.

An `Observation` is a moment, a pose, and whatever else there is: a depth image, detections, an embedding of the view,
the name of the room. Every part but time and pose may be missing. Checked by `problems_of`, not by raising: one bad
frame must not cost the recording. Knows no sensor, no detector, no table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streammem.spatial.camera import Intrinsics
from streammem.types import Box, FloatVector

Vector3 = tuple[float, float, float]
Pose = NDArray[np.float64]
"""(4, 4) rigid motion from camera (x right, y down, z forward) to map (z up)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectDetection:
    """One object in one image. It is placed by `position_m` where that is given, else by its mask or box and the depth
    image of its observation."""

    label: str
    score: float = 1.0
    mask: NDArray[np.bool_] | None = None
    """(H, W), in the depth image's pixels."""
    box: Box | None = None
    """`(x1, y1, x2, y2)` as fractions of width and height."""
    instance_id: str | None = None
    """Its identity, where the source knows it (a simulator, a tracker, a tag); None: it is found out."""
    embedding: FloatVector | None = None
    """(D,) of its looks; compared by cosine."""
    position_m: Vector3 | None = None
    """Its centre in the map."""
    size_m: Vector3 | None = None
    """Extent along the map's axes."""
    state: str | None = None
    """What it is like, in a word or two: `open`, `dirty`, `switched on`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
    """One look at the world."""

    t_ns: int
    T_map_camera: Pose
    depth_m: NDArray[np.float32] | None = None
    """(H, W) z-depth; NaN, 0 and negative are no measurement, +inf is nothing within range. Needs `camera`."""
    camera: Intrinsics | None = None
    detections: tuple[ObjectDetection, ...] = ()
    view_embedding: FloatVector | None = None
    """(D,) of the whole view: places are told apart by it."""
    room: str | None = None
    """Name of the room that the camera is in, where it is known."""


def problems_of(observation: Observation) -> list[str]:
    """What is wrong with an observation as a whole, one sentence each; empty: it can be used."""
    pose = np.asarray(observation.T_map_camera, dtype=np.float64)
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        return ["The pose is not a finite matrix (4, 4) from camera to map."]
    turn = pose[:3, :3]
    if np.abs(turn @ turn.T - np.eye(3)).max() > 1e-3 or np.linalg.det(turn) < 0:
        return ["The pose's upper left (3, 3) is not a rotation; give camera to map, without scale."]
    depth = observation.depth_m
    if depth is None:
        return []
    if depth.ndim != 2 or min(depth.shape) < 2:
        return [f"A depth image has two axes of at least 2 pixels, not the shape {depth.shape}."]
    if observation.camera is None:
        return ["The depth image has no intrinsics: give `camera` with it."]
    return []
