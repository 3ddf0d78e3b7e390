"""From an image of object numbers to detections: what a simulator, or a tagged recording, knows for certain.

The numbers are the truth of whoever drew them, not something this program recognised; whoever shows what was remembered
from them says so. Where a thing is comes from its mask and the depth image, unless the table of things states it (as a
floor plan states where the furniture stands). Costs one pass over the image (0.3 ms for 320x240) and a mask per thing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streammem.spatial.observations import ObjectDetection, Vector3, box_from

MIN_PIXELS = 12
"""Fewer are an edge that peeps out: its depth is as likely that of what stands before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What a number in a label image stands for."""

    label: str
    identity: str
    position_m: Vector3 | None = None
    """Its centre in the map, where that is known beforehand."""
    size_m: Vector3 | None = None


def labelled_detections(
    numbers: npt.NDArray[np.integer], things: Mapping[int, Thing], *, min_pixels: int = MIN_PIXELS
) -> tuple[ObjectDetection, ...]:
    """Detections of everything in view that is a thing.

    Args:
        numbers: (H, W), one number per pixel, in the depth image's pixels.
        things: what the numbers stand for; other numbers are background.
    """
    found: list[ObjectDetection] = []
    present, counts = np.unique(numbers, return_counts=True)
    height, width = numbers.shape
    for number, count in zip(present.tolist(), counts.tolist(), strict=True):
        thing = things.get(number)
        if thing is None or count < min_pixels:
            continue
        mask = numbers == number
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        found.append(
            ObjectDetection(
                label=thing.label,
                mask=mask,
                box=(
                    float(columns[0] / width),
                    float(rows[0] / height),
                    float((columns[-1] + 1) / width),
                    float((rows[-1] + 1) / height),
                ),
                instance_id=thing.identity,
                position_m=thing.position_m,
                size_m=thing.size_m,
            )
        )
    return tuple(found)


def things_to_json(things: Mapping[int, Thing]) -> str:
    """The table as it is recorded."""
    return json.dumps({
        str(number): {
            "label": one.label, "identity": one.identity, "position_m": one.position_m, "size_m": one.size_m,
        }
        for number, one in things.items()
    })  # fmt: skip


def things_from_json(text: str) -> dict[int, Thing]:
    """The table of a recording; `{"7": "mug"}` is short for a thing without a known identity.

    Raises:
        ValueError: it is no such table.
    """
    try:
        table: dict[int, Thing] = {}
        for number, one in json.loads(text).items():
            if isinstance(one, str):
                table[int(number)] = Thing(label=one, identity=f"{one}-{number}")
                continue
            table[int(number)] = Thing(
                label=str(one["label"]),
                identity=str(one["identity"]),
                position_m=_vector(one.get("position_m")),
                size_m=_vector(one.get("size_m")),
            )
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise ValueError("the table of object numbers is not JSON of numbers and things") from error
    return table


def room_boxes_to_json(boxes: Mapping[str, tuple[Vector3, Vector3]]) -> str:
    """Corners (low, high) of rooms, as they are recorded."""
    return json.dumps({name: [low, high] for name, (low, high) in boxes.items()})


def room_boxes_from_json(text: str) -> dict[str, tuple[Vector3, Vector3]]:
    """The rooms of a recording.

    Raises:
        ValueError: they are none.
    """
    try:
        return {str(name): box_from(low, high, name=str(name)) for name, (low, high) in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError("it is not JSON of names and two corners each") from error


def _vector(values: object) -> Vector3 | None:
    if values is None:
        return None
    x, y, z = (float(one) for one in values)  # type: ignore[union-attr]
    return x, y, z
