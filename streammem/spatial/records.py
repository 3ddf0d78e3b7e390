"""What the spatial memory gives back: objects with their states, what changed, places, routes.

Plain frozen records; `T_map_camera` and positions are in the map's frame (metres, z up), times int64 nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streammem.spatial.observations import Pose, Vector3
from streammem.spatial.octree import ScanResult

RelationKind = Literal["on", "in", "near", "part of"]
ChangeKind = Literal["first seen", "appeared", "moved", "missing", "found again", "state", "same as"]
"""`first seen`: where nobody had looked before; `appeared`: where nothing was before. `missing`: where it was is in
plain view, and it is not there. `found again`: it is back where it was. `same as`: it turned out to be an object that
was known before, which moved; `other_id` says which."""

IN_THE_HAND, HANDED_OVER = "in the robot's hand", "in somebody's hands"
CARRIED = frozenset({IN_THE_HAND, HANDED_OVER})
"""States of things that the robot took itself: they lie nowhere, and their old place being empty is no news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """`on` the table, `in` the sink, `near` the lamp, `part of` a room (then `object_id` is None)."""

    kind: RelationKind
    label: str
    object_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectState:
    """An object as it was known at some time: where it was last seen, and from where."""

    state_id: str
    object_id: str
    recording: str
    label: str
    t_first_ns: int
    """When it was first seen in this state (here, like this)."""
    t_ns: int
    """When it was last seen in this state."""
    object_position: Vector3
    """Its centre, in the map, metres."""
    observer_pose: Pose
    """(4, 4) the camera that saw it last, camera to map."""
    size_m: Vector3 = (0.0, 0.0, 0.0)
    room: str | None = None
    """The room that the object is in."""
    place_id: str | None = None
    """The place that it was seen from."""
    relations: tuple[Relation, ...] = ()
    state: str | None = None
    is_missing: bool = False
    """It is not where it was, and has not been seen since."""
    t_known_ns: int = 0
    """When the memory came to know this: no question asked earlier sees it."""
    confidence: float = 1.0
    sightings: int = 1
    """How often it was seen, ever."""
    instance_id: str | None = None
    event_id: str | None = None
    """The journal's event of the change that led to this state, where there was one."""

    @property
    def observer_position(self) -> Vector3:
        """Where the camera stood."""
        x, y, z = (float(one) for one in self.observer_pose[:3, 3])
        return (x, y, z)

    def whereabouts(self) -> str:
        """`on the table in the kitchen`, `in the hall`, `at (1.2, 0.4, 0.8) m`: the best words there are for it."""
        if self.state is not None and self.state in CARRIED:
            return self.state
        held = next((one for one in self.relations if one.kind in {"on", "in"}), None)
        beside = next((one for one in self.relations if one.kind == "near"), None)
        near = held or beside
        words = f"{near.kind} the {near.label}" if near is not None else ""
        if self.room and not (near is not None and near.label == self.room):
            words = f"{words} in the {self.room}".strip()
        return words or "at ({:.1f}, {:.1f}, {:.1f}) m".format(*self.object_position)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectChange:
    """Something about an object changed; `before` is None for what appeared."""

    kind: ChangeKind
    t_ns: int
    """When it was noticed."""
    object_id: str
    label: str
    text: str
    """`the mug moved from the table to the sink`"""
    after: ObjectState
    before: ObjectState | None = None
    event_id: str | None = None
    other_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A node of the topological graph: somewhere that looks like nowhere else."""

    place_id: str
    position_m: Vector3
    """Mean of where the camera stood."""
    room: str | None
    t_first_ns: int
    t_last_ns: int
    visits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceEdge:
    """Places that were walked between, either way."""

    from_id: str
    to_id: str
    distance_m: float
    """The shortest that it was walked in."""
    traversals: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Route:
    """A way from place to place. `directions`: a sentence per leg."""

    places: tuple[Place, ...]
    distance_m: float
    positions_m: NDArray[np.float64]
    """(N, 3), where the way leads through: the places, and the goal where it is beside the last."""
    directions: tuple[str, ...] = ()

    @property
    def next_place(self) -> Place | None:
        """Where to go first; None: already there."""
        return self.places[1] if len(self.places) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObservedChanges:
    """What one observation did to the memory."""

    t_ns: int
    place: Place | None = None
    is_new_place: bool = False
    seen: tuple[ObjectState, ...] = ()
    """Objects in this view, as they are known now."""
    changes: tuple[ObjectChange, ...] = ()
    scan: ScanResult | None = None
    problems: tuple[str, ...] = ()
    """What could not be used, and why; the rest was."""

    @property
    def is_refused(self) -> bool:
        """Nothing of the observation could be used: it is as if it had not been made."""
        return self.place is None

    def of_kind(self, kind: ChangeKind) -> tuple[ObjectChange, ...]:
        """Changes of one kind."""
        return tuple(one for one in self.changes if one.kind == kind)
