"""Numbers of the spatial memory, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from streammem.spatial.frames import SubmapSettings
from streammem.spatial.octree import OctreeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSettings:
    """How detections become objects, and when an object has moved or is missing."""

    gate_m: float = 0.4
    """A detection this near to where an object is (plus half the object's size) may be that object. Depth noise and
    half-seen sides shift centres by 0.1-0.2 m; two mugs on one table stand farther apart than they are wide."""
    moved_m: float = 0.35
    """From here on an object has moved; less is noise of its centre."""
    same_looks: float = 0.75
    """Cosine of embeddings from which on two things look alike."""
    absent_looks: int = 2
    """Looks in a row that find nothing where an object should be, in plain view, until it is missing."""
    clear_share: float = 0.7
    """Of an object's sample points that must be looked through for its place to be empty."""
    behind_m: float = 0.12
    """What is measured behind an object's far side by this much is behind it: noise of depth at 4 m is 0.03 m."""
    near_m: float = 0.6
    """Objects nearer than this (surface to surface) are near each other."""
    note_every_s: float = 10.0
    """An object that stays in view is noted this often."""
    min_score: float = 0.3
    """Detections below are not believed (ConceptGraphs takes 0.2, Hydra's segmenters about this)."""
    min_points: int = 12
    """Depth pixels that a detection needs to be placed (ConceptGraphs: 16)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSettings:
    """When a view is a new place."""

    spacing_m: float = 1.5
    """Farther than this from every place nearby is a new place, whatever it looks like."""
    new_view: float = 0.35
    """Cosine distance from which on a view is new although a place is near: a corner was turned."""
    least_m: float = 0.5
    """Places are never closer than this where they look alike."""
    revisit_view: float = 0.2
    """Cosine distance up to which a view far from where it should be is the same place: the loop is closed."""
    revisit_m: float = 4.0
    """How far off the pose may be for that: drift. Views alone do not close loops (two bathrooms look alike)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialSettings:
    """Of one spatial memory."""

    octree: OctreeSettings = field(default_factory=OctreeSettings)
    objects: ObjectSettings = field(default_factory=ObjectSettings)
    places: PlaceSettings = field(default_factory=PlaceSettings)
    submaps: SubmapSettings | None = None
    """Where poses are corrected later (loops are closed): how submaps are cut. None: poses are right for good."""
    short_term_objects: int = 20
    """Objects held at hand (see `object_memory`)."""
    flush_map_s: float = 60.0
    """The map's changed blocks are saved this often, and by `flush`."""
