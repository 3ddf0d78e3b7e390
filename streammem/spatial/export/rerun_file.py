"""A Rerun recording (`.rrd`): map, path, places, things and changes, with a timeline to drag through.

On the timeline `time`: the camera moves along its path, things appear where they were seen and go where they went, what
changed is told line by line. The map and the graph of places are there at all times: they are kept as they are now.
Opened with `rerun FILE`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from streammem.errors import InputError
from streammem.spatial.export.contents import Contents, heights_as_colours, optional
from streammem.timeline import WALL_CLOCK_FROM_NS
from streammem.types import stable_id

TIMELINE = "time"
_PLACE, _WAY, _CAMERA, _THING, _MISSING = (70, 130, 230), (120, 150, 190), (250, 180, 60), (90, 200, 120), (220, 80, 80)


def write_rrd(contents: Contents, path: Path) -> int:
    """Writes the recording, and returns how many moments of the timeline it has.

    Raises:
        MissingDependencyError: rerun-sdk is not installed.
        InputError: the file cannot be written.
    """
    rr = optional("rerun")
    stream = rr.RecordingStream("streammem", recording_id=stable_id("rrd", contents.recording, len(contents.states)))
    try:
        stream.save(path)
    except Exception as error:
        raise InputError(f"Cannot write {str(path)!r}: {error}.") from error
    stream.send_recording_name(contents.recording)
    stream.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    _still(rr, stream, contents)
    moments = {*_camera(rr, stream, contents), *_things(rr, stream, contents), *_changes(rr, stream, contents)}
    stream.flush()
    stream.disconnect()
    return len(moments)


def _at(stream: Any, t_ns: int) -> int:
    """Wall-clock times as such, others as durations from the recording's start."""
    when = np.datetime64(t_ns, "ns") if t_ns >= WALL_CLOCK_FROM_NS else None
    if when is not None:
        stream.set_time(TIMELINE, timestamp=when)
    else:
        stream.set_time(TIMELINE, duration=np.timedelta64(t_ns, "ns"))
    return t_ns


def _still(rr: Any, stream: Any, contents: Contents) -> None:
    if len(contents.surface_m):
        colours = heights_as_colours(contents.surface_m)
        stream.log(
            "world/map", rr.Points3D(contents.surface_m, radii=contents.voxel_m / 2, colors=colours), static=True
        )
    places = list(contents.places)
    if places:
        positions = np.array([place.position_m for place in places])
        named = [place.room or "" for place in places]
        stream.log(
            "world/places", rr.Points3D(positions, radii=0.08, colors=_PLACE, labels=named, show_labels=False),
            static=True,
        )  # fmt: skip
        number = {place.place_id: row for row, place in enumerate(places)}
        strips = [[positions[number[one.from_id]], positions[number[one.to_id]]] for one in contents.places.edges()]
        if strips:
            stream.log("world/ways", rr.LineStrips3D(strips, radii=0.02, colors=_WAY), static=True)
    if len(contents.path) > 1:
        line = rr.LineStrips3D([contents.path.positions_m], radii=0.015, colors=_CAMERA)
        stream.log("world/path", line, static=True)


def _camera(rr: Any, stream: Any, contents: Contents) -> list[int]:
    moments: list[int] = []
    for t_ns, pose, room in zip(contents.path.t_ns.tolist(), contents.path.poses, contents.path.rooms, strict=True):
        moments.append(_at(stream, t_ns))
        stream.log("world/camera", rr.Transform3D(translation=pose[:3, 3], mat3x3=pose[:3, :3]))
        tip = pose[:3, 2] * 0.4
        stream.log("world/camera_looks", rr.Arrows3D(origins=[pose[:3, 3]], vectors=[tip], colors=_CAMERA,
                                                     labels=[room or ""], show_labels=False))  # fmt: skip
    return moments


def _things(rr: Any, stream: Any, contents: Contents) -> list[int]:
    moments: list[int] = []
    for state in sorted(contents.states, key=lambda one: (one.t_known_ns, one.object_id)):
        moments.append(_at(stream, state.t_known_ns))
        label = f"{state.label}{' (missing)' if state.is_missing else ''}{f', {state.state}' if state.state else ''}"
        box = rr.Boxes3D(
            centers=[state.object_position], half_sizes=[np.maximum(np.array(state.size_m) / 2, 0.02)],
            colors=_MISSING if state.is_missing else _THING, labels=[label],
        )  # fmt: skip
        stream.log(f"world/things/{_name(state.label)}/{state.object_id}", box)
    joined = [one for one in contents.changes if one.kind == "same as"]
    for change in joined:  # what turned out to be another thing is shown no longer
        moments.append(_at(stream, change.t_ns))
        stream.log(f"world/things/{_name(change.label)}/{change.object_id}", rr.Clear(recursive=True))
    return moments


def _changes(rr: Any, stream: Any, contents: Contents) -> list[int]:
    moments: list[int] = []
    for change in contents.changes:
        if change.kind != "same as":
            moments.append(_at(stream, change.t_ns))
            level = "INFO" if change.kind in {"first seen", "appeared"} else "WARN"
            stream.log("changes", rr.TextLog(change.text, level=level))
    return moments


def _name(label: str) -> str:
    """A label as part of a path."""
    return "".join(letter if letter.isalnum() else "_" for letter in label) or "_"
