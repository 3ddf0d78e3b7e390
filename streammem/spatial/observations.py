"""What a robot (or anything with a camera and a pose) gives the spatial memory: one look at the world at a time.

An `Observation` is a moment, a pose, and whatever else there is: a depth image, detections, an embedding of the view,
the name of the room. Every part but time and pose may be missing. Checked by `problems_of` and `usable`, not by
raising: one bad frame must not cost the recording. Knows no sensor, no detector, no table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.spatial.camera import Intrinsics, metres_of
from streammem.types import Box, FloatVector

Vector3 = tuple[float, float, float]
Pose = NDArray[np.float64]
"""(4, 4) rigid motion from camera (x right, y down, z forward) to map (z up)."""


def point_from(values: object, *, name: str) -> Vector3:
    """A point of the map that somebody gave.

    Raises:
        InputError: it is not three finite numbers.
    """
    try:
        point = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        point = np.empty(0)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise InputError(f"{name} is three finite numbers in metres, (x, y, z) of the map, not {values!r}.")
    x, y, z = point.tolist()
    return x, y, z


def box_from(low: object, high: object, *, name: str) -> tuple[Vector3, Vector3]:
    """The corners of a box that somebody gave.

    Raises:
        InputError: they are no points, or the wrong way round.
    """
    corners = point_from(low, name=f"A corner of {name!r}"), point_from(high, name=f"A corner of {name!r}")
    if any(first > last for first, last in zip(*corners, strict=True)):
        raise InputError(f"The first corner of {name!r} is the low one, on every axis: {corners[0]} and {corners[1]}.")
    return corners


def metres_from(value: object, *, name: str) -> float:
    """A distance that somebody gave.

    Raises:
        InputError: it is not a finite number, 0 or more.
    """
    if not isinstance(value, Real) or not 0 <= float(value) < np.inf:
        raise InputError(f"{name} is a finite number of metres, 0 or more, not {value!r}.")
    return float(value)


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
    try:
        pose = np.asarray(observation.T_map_camera, dtype=np.float64)
    except (TypeError, ValueError):
        return ["The pose is not a matrix (4, 4) of numbers from camera to map."]
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        return ["The pose is not a finite matrix (4, 4) from camera to map."]
    turn = pose[:3, :3]
    if np.abs(turn @ turn.T - np.eye(3)).max() > 1e-3 or np.linalg.det(turn) < 0:
        return ["The pose's upper left (3, 3) is not a rotation; give camera to map, without scale."]
    if observation.depth_m is None:
        return []
    try:
        metres_of(observation.depth_m)
    except InputError as error:
        return [str(error)]
    if observation.camera is None:
        return ["The depth image has no intrinsics: give `camera` with it."]
    return []


def usable(observation: Observation) -> tuple[Observation, list[str]]:
    """The observation without what is of the wrong kind, and a sentence for each such part. Rows of a session are
    written together: one number where text belongs would cost them all."""
    problems: list[str] = []
    room, view = cast(Any, observation.room), None  # what came may be anything
    if room is not None and not isinstance(room, str):
        problems.append(f"The room is given as text, not as {room!r}; it is left out.")
        room = None
    try:
        view = _vector(observation.view_embedding)
    except (TypeError, ValueError):
        problems.append("The view's embedding is not one row of finite numbers; it is left out.")
    detections: list[ObjectDetection] = []
    for detection in observation.detections:
        found = usable_detection(detection)
        if isinstance(found, str):
            problems.append(found)
        else:
            detections.append(found)
    return replace(observation, room=room, view_embedding=view, detections=tuple(detections)), problems


def usable_detection(detection: ObjectDetection) -> ObjectDetection | str:
    """The detection with its parts in the kinds that are stored, ids as text; or a sentence that says what is wrong."""
    given = cast(Any, detection)  # what came may be anything
    label, identity, state = given.label, given.instance_id, given.state
    if not isinstance(label, str):
        return f"A detection's label is text, not {label!r}; it is left out."
    what = f"The detection {label!r}"
    if not isinstance(identity, bool) and isinstance(identity, Integral):
        identity = str(int(identity))
    if identity is not None and not isinstance(identity, str):
        return f"{what} has the id {identity!r}, which is neither text nor a whole number; it is left out."
    if state is not None and not isinstance(state, str):
        return f"{what} has the state {state!r}; give a word or two of text. It is left out."
    part = "score"
    try:
        score = float(given.score)
        part = "embedding"
        embedding = _vector(given.embedding)
        part = "mask"
        mask = None if given.mask is None else np.asarray(given.mask, dtype=np.bool_)
        part = "box"
        box = None if given.box is None else tuple(float(edge) for edge in given.box)
        part = "position"
        position = None if given.position_m is None else tuple(float(one) for one in given.position_m)
        part = "size"
        size = None if given.size_m is None else tuple(float(one) for one in given.size_m)
    except (TypeError, ValueError):
        return f"{what} has a {part} that is not made of numbers; it is left out."
    if box is not None and len(box) != 4:
        return f"{what} has a box of {len(box)} numbers, not of 4; it is left out."
    if any(one is not None and len(one) != 3 for one in (position, size)):
        return f"{what} has a position or a size that is not three finite numbers; it is left out."
    return replace(
        detection, instance_id=identity, score=score, embedding=embedding, mask=mask, box=box,
        position_m=cast("Vector3 | None", position), size_m=cast("Vector3 | None", size),
    )  # fmt: skip


def _vector(values: object) -> FloatVector | None:
    """Raises:
    TypeError, ValueError: it is not (D,) of finite numbers.
    """
    if values is None:
        return None
    vector = np.asarray(values, dtype=np.float32)
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise ValueError("not one row of finite numbers")
    return vector
