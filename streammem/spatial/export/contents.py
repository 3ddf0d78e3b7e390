"""What an export shows: the map's surface, the path, places, things and changes of one recording, up to a time.

Knows no format. Holds all of it: some 40 bytes per occupied voxel and a few hundred per state.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError, MissingDependencyError
from streammem.spatial import queries
from streammem.spatial.octree import Octree
from streammem.spatial.place_log import Path
from streammem.spatial.places import PlaceGraph
from streammem.spatial.records import ObjectChange, ObjectState
from streammem.spatial.spatial_memory import SpatialMemory

Floats = NDArray[np.float64]
_EVERYWHERE_M = 1e7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contents:
    """Of one spatial recording."""

    recording: str
    surface_m: Floats
    """(N, 3) centres of occupied voxels, as they are now: the map keeps no past."""
    voxel_m: float
    places: PlaceGraph
    path: Path
    things: tuple[ObjectState, ...]
    """The newest state of each."""
    states: tuple[ObjectState, ...]
    """Every state, in the order that they became known."""
    changes: tuple[ObjectChange, ...]


def contents_of(space: SpatialMemory, *, as_of_ns: int | None = None) -> Contents:
    """
    Raises:
        InputError: nothing was observed under this recording.
    """
    path = space.path(as_of_ns=as_of_ns)
    things = space.objects(as_of_ns=as_of_ns)
    if not len(path) and not things:
        raise InputError(f"Nothing was observed in space under the recording {space.recording!r}.")
    return Contents(
        recording=space.recording, surface_m=surface_of(space.octree), voxel_m=space.settings.octree.voxel_m,
        places=space.places_as_of(as_of_ns), path=path, things=tuple(things),
        states=tuple(space.query().with_missing().as_of(as_of_ns).every()),
        changes=tuple(space.changes(as_of_ns=as_of_ns)),
    )  # fmt: skip


def surface_of(tree: Octree) -> Floats:
    """(N, 3) centres of the occupied voxels of a map, metres."""
    if not len(tree.blocks):
        return np.empty((0, 3))
    low, high = np.full(3, -_EVERYWHERE_M), np.full(3, _EVERYWHERE_M)
    voxels, odds = queries.in_box(tree, low, high)
    return (voxels[odds > 0].astype(np.float64) + 0.5) * tree.settings.voxel_m


def heights_as_colours(points_m: Floats) -> NDArray[np.uint8]:
    """(N, 3) RGB from blue (lowest) over green to red (highest)."""
    if not len(points_m):
        return np.empty((0, 3), dtype=np.uint8)
    z = points_m[:, 2]
    low, high = np.percentile(z, [1, 99])
    part = np.clip((z - low) / max(float(high - low), 1e-9), 0.0, 1.0)
    red, green, blue = np.clip(2 * part - 1, 0, 1), 1 - np.abs(2 * part - 1), np.clip(1 - 2 * part, 0, 1)
    return (np.stack([red, green, blue], axis=1) * 200 + 55).astype(np.uint8)


def optional(module: str) -> Any:
    """An optional package of the extra `spatial`.

    Raises:
        MissingDependencyError: it is not installed, or a system library that it needs is not.
    """
    try:
        found: ModuleType = importlib.import_module(module)
    except (ImportError, OSError) as error:
        raise MissingDependencyError(
            f'This needs the package {module!r}: pip install "streammem[spatial]" ({error}).'
        ) from error
    return found
