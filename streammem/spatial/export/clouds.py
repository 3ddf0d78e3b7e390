"""Point clouds for Open3D, and the alignment of two of them (ICP): how far a pose is off, from what was measured.

Open3D is loaded when used; it needs the system's libusb-1.0-0 and libgl1. `align` finds the motion that lays one cloud
on another (point to plane), for a start that is off by less than `reach_m`. Costs some 50 ms for 20,000 points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.spatial.camera import Intrinsics
from streammem.spatial.export.contents import heights_as_colours, optional

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alignment:
    """What lays the moving cloud on the fixed one."""

    T_fixed_moving: Floats
    """(4, 4)"""
    overlap: float
    """Share of the moving points that found a partner, in [0, 1]."""
    error_m: float
    """Root mean square distance of those."""


def cloud_of(points_m: Floats) -> Any:
    """An `open3d.geometry.PointCloud` of points (N, 3), coloured by height.

    Raises:
        MissingDependencyError: Open3D is not installed.
    """
    o3d = optional("open3d")
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(np.asarray(points_m, dtype=np.float64)))
    cloud.colors = o3d.utility.Vector3dVector(heights_as_colours(np.asarray(points_m)) / 255.0)
    return cloud


def points_of_depth(depth_m: NDArray[np.floating], camera: Intrinsics, T_map_camera: Floats) -> Floats:
    """(N, 3) points in the map of every pixel that measured something."""
    rows, columns = np.nonzero(np.isfinite(depth_m) & (depth_m > 0))
    z = depth_m[rows, columns].astype(np.float64)
    ends = np.stack([(columns - camera.cx) / camera.fx * z, (rows - camera.cy) / camera.fy * z, z], axis=-1)
    return ends @ T_map_camera[:3, :3].T + T_map_camera[:3, 3]


def align(
    moving_m: Floats, fixed_m: Floats, *, reach_m: float = 0.3, voxel_m: float = 0.05, T_start: Floats | None = None
) -> Alignment:
    """The rigid motion that lays one cloud on another.

    Raises:
        MissingDependencyError: Open3D is not installed.
        InputError: a cloud has fewer than 10 points.
    """
    o3d = optional("open3d")
    if min(len(moving_m), len(fixed_m)) < 10:
        raise InputError("Clouds need at least 10 points each to be aligned.")
    moving, fixed = (cloud_of(one).voxel_down_sample(voxel_m) for one in (moving_m, fixed_m))
    fixed.estimate_normals(o3d.geometry.KDTreeSearchParamHybrid(radius=4 * voxel_m, max_nn=30))
    registration = o3d.pipelines.registration
    found = registration.registration_icp(
        moving, fixed, reach_m, np.eye(4) if T_start is None else T_start,
        registration.TransformationEstimationPointToPlane(),
        registration.ICPConvergenceCriteria(max_iteration=60),
    )  # fmt: skip
    return Alignment(
        T_fixed_moving=np.asarray(found.transformation), overlap=float(found.fitness), error_m=float(found.inlier_rmse)
    )
