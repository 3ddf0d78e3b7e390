"""A thing as it is known now: `Known`, what `objects` keeps of each, and how its box and looks follow what is seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streammem.spatial.observations import Pose
from streammem.spatial.records import ObjectState, Relation
from streammem.types import FloatVector

Floats = NDArray[np.float64]

GROWS, SHRINKS = 0.3, 0.05
"""Share by which a box's side follows a sighting that reaches farther, or less far: most views show a part."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hand:
    """Where what was taken is: as far as is known, where the robot is."""

    position_m: Floats
    room: str | None
    place_id: str | None


@dataclass(slots=True, kw_only=True, eq=False)
class Known:
    """A thing as it is known now."""

    object_id: str
    label: str
    instance_id: str | None
    low_m: Floats
    high_m: Floats
    embedding: FloatVector | None
    t_created_ns: int
    t_first_ns: int
    t_seen_ns: int
    observer_pose: Pose
    sightings: int = 1
    confidence: float = 0.5
    room: str | None = None
    place_id: str | None = None
    state: str | None = None
    relations: tuple[Relation, ...] = ()
    is_missing: bool = False
    in_view: bool = True
    absent_looks: int = 0
    settled: int = 0
    moving_from: ObjectState | None = None
    """The state before it began to move; None while it is at rest."""
    hand: Hand | None = None
    """Where it is carried, or was handed over; None where it lies in its box."""
    new_state: str | None = None
    noted: ObjectState | None = None
    """The newest state that was handed out."""

    @property
    def centre_m(self) -> Floats:
        return (self.low_m + self.high_m) / 2

    @property
    def size_m(self) -> Floats:
        return self.high_m - self.low_m


def moved(state: ObjectState, motion: Floats) -> ObjectState:
    """A state as it is told in a frame that is moved by (4, 4)."""
    x, y, z = (float(one) for one in motion[:3, :3] @ np.asarray(state.object_position) + motion[:3, 3])
    return replace(state, object_position=(x, y, z), observer_pose=motion @ state.observer_pose)


def mean_looks(mean: FloatVector | None, new: FloatVector, count: int) -> FloatVector:
    if mean is None or mean.shape != new.shape:
        return new
    weight = 1.0 / min(count, 20)
    mixed = (1.0 - weight) * mean + weight * new
    return (mixed / max(float(np.linalg.norm(mixed)), 1e-9)).astype(np.float32)


def widen(side_m: Floats, seen_m: Floats, *, outward: float) -> None:
    """Moves a side of a box, in place, towards where it was seen."""
    change = seen_m - side_m
    side_m += np.where(change * outward > 0, GROWS, SHRINKS) * change
