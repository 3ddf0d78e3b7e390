"""Where something is from here: `2.1 m away, ahead to your left (north-west)`. Relative and absolute, always both.

A heading is the way the camera looks, on the ground: radians counter-clockwise from the map's x axis. Left is positive.
Absolute directions take the map's y axis for north unless told otherwise (`north_rad`, the heading of north). Knows no
map and no object.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NORTH_RAD = math.pi / 2
COMPASS = ("north", "north-west", "west", "south-west", "south", "south-east", "east", "north-east")
RELATIVE = (
    "ahead", "ahead to your left", "to your left", "behind you to the left", "behind you", "behind you to the right",
    "to your right", "ahead to your right",
)  # fmt: skip
"""Eighths of a turn, counter-clockwise."""
HERE_M = 0.25
"""Nearer than this there is no direction to speak of."""
LEVEL_M = 0.5
"""Less than this is neither above nor below."""
STRAIGHT_RAD, SLIGHT_RAD, BACK_RAD = math.radians(20), math.radians(50), math.radians(150)


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """From a pose to a point."""

    distance_m: float
    """On the ground."""
    bearing_rad: float
    """From the heading, in (-pi, pi], left positive."""
    heading_rad: float
    """Absolute: counter-clockwise from the map's x axis."""
    above_m: float
    north_rad: float = NORTH_RAD

    @property
    def relative(self) -> str:
        """`ahead to your left`"""
        return "here" if self.distance_m < HERE_M else RELATIVE[_eighth(self.bearing_rad)]

    @property
    def absolute(self) -> str:
        """`north-west`"""
        return "here" if self.distance_m < HERE_M else COMPASS[_eighth(self.heading_rad - self.north_rad)]

    @property
    def text(self) -> str:
        """Both, with distance and height."""
        high = (
            "" if abs(self.above_m) < LEVEL_M else f", {abs(self.above_m):.1f} m {'up' if self.above_m > 0 else 'down'}"
        )
        if self.distance_m < HERE_M:
            return f"right here{high}"
        return f"{self.distance_m:.1f} m away, {self.relative} ({self.absolute}){high}"


def heading_of(T_map_camera: Floats) -> float:
    """Radians of the way the camera looks, on the ground; of its upper edge where it looks straight up or down."""
    pose = np.asarray(T_map_camera, dtype=np.float64)
    forward = pose[:3, 2]
    if math.hypot(forward[0], forward[1]) < 1e-3:
        forward = math.copysign(1.0, forward[2]) * pose[:3, 1]
    return math.atan2(float(forward[1]), float(forward[0]))


def direction_from(T_map_camera: Floats, point_m: Floats, *, north_rad: float = NORTH_RAD) -> Direction:
    """From a camera's pose (4, 4) to a point (3,)."""
    away = np.asarray(point_m, dtype=np.float64) - np.asarray(T_map_camera, dtype=np.float64)[:3, 3]
    heading = math.atan2(float(away[1]), float(away[0]))
    return Direction(
        distance_m=math.hypot(float(away[0]), float(away[1])), bearing_rad=wrapped(heading - heading_of(T_map_camera)),
        heading_rad=heading, above_m=float(away[2]), north_rad=north_rad,
    )  # fmt: skip


def wrapped(angle_rad: float) -> float:
    """The same angle in (-pi, pi]."""
    turned = math.remainder(angle_rad, math.tau)
    return math.pi if turned == -math.pi else turned


def turn_words(turn_rad: float) -> str:
    """`turn left`, `bear right`, `go straight on`, `turn around`"""
    turn = wrapped(turn_rad)
    if abs(turn) < STRAIGHT_RAD:
        return "go straight on"
    if abs(turn) > BACK_RAD:
        return "turn around"
    side = "left" if turn > 0 else "right"
    return f"bear {side}" if abs(turn) < SLIGHT_RAD else f"turn {side}"


def _eighth(angle_rad: float) -> int:
    return round(angle_rad / (math.tau / 8)) % 8
