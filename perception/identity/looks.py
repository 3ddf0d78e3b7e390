"""What a thing looks like, as a key for the visual memory: the colours of its box in stripes from top to bottom.

A look is a vector of length 1: for each stripe the square roots of a histogram in L*a*b*, so that the product of two
looks is the mean of their stripes' Bhattacharyya coefficients. The sides of the box are left out: they show the
background.

Measured on nine people cut out of a street film, 765 looks of varied size, light and pose, against looks at other
visits: the right person comes first for 96 %, and above the best of the wrong ones for 90.5 % of pairs. Finer lightness
(8 levels for 4): 88.2 %; of a picture brought to one brightness: 84.4 %, though the right person comes first for 98 %.
EfficientNet-Lite0's stride-16 map alone, normalised by its batch statistics: 71 %; a fifth of it beside the finer
colours: 90.4 % for their 88.2 %, at 5 ms a look instead of 0.2, so it is not used.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from perception.protocols import ImageRGB
from streammem.types import Box

Look = npt.NDArray[np.float32]
"""(LOOK_DIM,), of length 1."""

_STRIPES = 4
_BINS = (4, 8, 8)
_AB_RANGE = (96, 160)
"""Of a* and b*: what lies outside is so vivid that it hardly occurs, and counts as the outermost."""
_SIDE = 0.2
_SIZE = (32, 96)
LOOK_DIM = _STRIPES * _BINS[0] * _BINS[1] * _BINS[2]


def look_at(image_rgb: ImageRGB, boxes: Sequence[Box]) -> list[Look]:
    """Looks of the things in `boxes`."""
    return [_colours(_crop(image_rgb, box)) for box in boxes]


def _crop(image_rgb: ImageRGB, box: Box) -> ImageRGB:
    height, width = image_rgb.shape[:2]
    x1, x2 = (int(np.clip(x * width, 0, width - 1)) for x in (box[0], box[2]))
    y1, y2 = (int(np.clip(y * height, 0, height - 1)) for y in (box[1], box[3]))
    return image_rgb[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]


def _colours(crop: ImageRGB) -> Look:
    small = cv2.cvtColor(cv2.resize(crop, _SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    small[..., 1:] = np.clip(small[..., 1:], _AB_RANGE[0], _AB_RANGE[1] - 1)
    side = int(_SIZE[0] * _SIDE)
    rows: list[npt.NDArray[np.float32]] = []
    for stripe in np.split(small[:, side : _SIZE[0] - side], _STRIPES):
        counts = cv2.calcHist([np.ascontiguousarray(stripe)], [0, 1, 2], None, [*_BINS], [0, 256, *_AB_RANGE * 2])
        rows.append(np.sqrt(counts.ravel() / (max(1.0, float(counts.sum())) * _STRIPES)))
    return np.concatenate(rows).astype(np.float32)
