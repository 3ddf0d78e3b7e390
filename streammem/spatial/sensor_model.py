"""How sure a map is of a voxel, and what a scan changes about it: numbers only."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from streammem.errors import ConfigError, MissingDependencyError

STEPS_PER_NAT = 24
"""Log-odds are kept in these steps: the clamp of 3.5 is 84, and 84 plus a hit of 20 still fits in a byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OctreeSettings:
    """The sensor model. Log-odds are OctoMap's defaults, rounded to 1/24."""

    voxel_m: float = 0.05
    max_depth_m: float = 10.0
    """Depth beyond is no hit, but what lies before is free. RGB-D cameras measure so far; a view over a wall at 20 m
    costs three times as much."""
    hit: int = 20
    """Steps for a hit: 0.83, a probability of 0.70."""
    miss: int = -10
    """Steps for being seen through: -0.42, 0.40."""
    clear: int = -42
    """Steps for an occupied voxel that is plainly looked through: two of them undo any number of hits."""
    clear_margin_m: float = 0.05
    """How far beyond a voxel's centre it must be empty for that; never less than a voxel."""
    lowest: int = -48
    highest: int = 84
    decay_s: float = 0.0
    """Seconds in which a voxel that is not seen loses one step of what is known about it; 0 for never."""
    engine: Literal["auto", "numpy", "numba"] = "auto"
    """What carves and fuses; the map is the same. `auto` is numba where it is installed (extra `spatial`)."""

    @property
    def clear_margin_voxels(self) -> float:
        return max(1.0, self.clear_margin_m / self.voxel_m)

    def __post_init__(self) -> None:
        if not (0 < self.voxel_m < np.inf and 0 < self.max_depth_m < np.inf):
            raise ConfigError("Octree: voxel_m and max_depth_m must be positive.")
        if not (self.clear <= self.miss < 0 < self.hit and self.lowest < 0 < self.highest and self.decay_s >= 0):
            raise ConfigError("Octree: clear <= miss < 0 < hit, lowest < 0 < highest and decay_s >= 0 are needed.")
        if self.highest + self.hit > 127 or self.lowest + self.clear < -128:
            raise ConfigError("Octree: highest + hit and lowest + clear must fit in a signed byte.")


@cache
def has_numba() -> bool:
    """Whether it is installed, and fits the numpy that is."""
    try:
        importlib.import_module("numba")
    except ImportError:
        return False
    return True


def is_compiled(settings: OctreeSettings) -> bool:
    """Whether numba does the work.

    Raises:
        MissingDependencyError: numba is asked for and not installed.
    """
    is_there = has_numba()
    if settings.engine == "numba" and not is_there:
        raise MissingDependencyError(
            'The map\'s compiled engine needs numba; run: pip install "streammem[spatial]", or set engine to "numpy".'
        )
    return is_there and settings.engine != "numpy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What one scan did."""

    hits: int
    free: int
    cleared: int
    """Voxels that were occupied and are free now."""
    new_blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanCounts:
    """Of voxels."""

    hits: int
    free: int
    cleared: int
