"""The map's surface as PLY (binary, little-endian), which all viewers of point clouds open; colours tell the height."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streammem.errors import InputError
from streammem.spatial.export.contents import Contents, heights_as_colours

_AXES, _CHANNELS = ("x", "y", "z"), ("red", "green", "blue")
_VERTEX = np.dtype([*((name, "<f4") for name in _AXES), *((name, "u1") for name in _CHANNELS)])


def write_ply(contents: Contents, path: Path) -> int:
    """Writes the occupied voxels' centres, and returns how many.

    Raises:
        InputError: there is no map, or the file cannot be written.
    """
    if not len(contents.surface_m):
        raise InputError(f"The recording {contents.recording!r} has no map: nothing was observed with depth.")
    return write_points(contents.surface_m, heights_as_colours(contents.surface_m), path)


def write_points(points_m: NDArray[np.floating], colours: NDArray[np.uint8], path: Path) -> int:
    """Writes points (N, 3) with RGB (N, 3)."""
    rows = np.empty(len(points_m), dtype=_VERTEX)
    for axis, name in enumerate(_AXES):
        rows[name] = points_m[:, axis]
    for channel, name in enumerate(_CHANNELS):
        rows[name] = colours[:, channel]
    properties = "".join(f"property float {name}\n" for name in _AXES)
    properties += "".join(f"property uchar {name}\n" for name in _CHANNELS)
    header = f"ply\nformat binary_little_endian 1.0\ncomment metres, z up\nelement vertex {len(rows)}\n{properties}"
    try:
        path.write_bytes(f"{header}end_header\n".encode("ascii") + rows.tobytes())
    except OSError as error:
        raise InputError(f"Cannot write {str(path)!r}: {error.strerror}.") from error
    return len(rows)


def read_points(path: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Reads back what `write_points` wrote: (points (N, 3), RGB (N, 3)).

    Raises:
        InputError: it is not such a file.
    """
    content = path.read_bytes()
    header, found, body = content.partition(b"end_header\n")
    count = next((int(line.split()[2]) for line in header.splitlines() if line.startswith(b"element vertex")), -1)
    if not found or count < 0 or len(body) != count * _VERTEX.itemsize:
        raise InputError(f"{str(path)!r} is not a point cloud of ours.")
    rows = np.frombuffer(body, dtype=_VERTEX)
    return (
        np.stack([rows[name] for name in _AXES], axis=1),
        np.stack([rows[name] for name in _CHANNELS], axis=1),
    )
