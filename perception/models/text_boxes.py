"""From a map of text probability to boxes of text lines, and from a box to the line laid flat. Geometry only.

Post-processing of differentiable binarisation (Liao et al., "Real-time Scene Text Detection with Differentiable
Binarization", 2020, section 3.5): the network marks the shrunken core of a line, so a core is grown by
`area x ratio / perimeter` on every side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Quad = npt.NDArray[np.float32]
"""(4, 2) corners x, y in pixels: top left, top right, bottom right, bottom left of the line as it is read."""

PIXEL_THRESHOLD = 0.3
BOX_THRESHOLD = 0.5
GROW_RATIO = 1.6
MIN_SIDE = 3
MAX_BOXES = 200
"""A page of print has fewer lines; a texture taken for text can have thousands."""
UPRIGHT_RATIO = 1.5
"""A box this much taller than wide holds a line that runs upwards or downwards."""


def find_quads(probability: npt.NDArray[np.float32]) -> list[Quad]:
    """Boxes of the lines in a map (H, W) of probabilities, in the map's pixels, the largest first."""
    import cv2

    marked = (probability > PIXEL_THRESHOLD).astype(np.uint8)
    if not marked.any():
        return []
    marked = cv2.dilate(marked, np.ones((2, 2), dtype=np.uint8))  # thin strokes of one line grow together
    contours, _ = cv2.findContours(marked, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    quads: list[Quad] = []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:MAX_BOXES]:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < MIN_SIDE:
            continue
        core = _in_order(_corners(centre, (width, height), angle))
        if _mean_inside(probability, core) < BOX_THRESHOLD:
            continue
        # Growing a rotated rectangle by a distance leaves a rectangle: no polygon library is needed.
        grow = width * height * GROW_RATIO / (width + height)  # both sides: 2 x area x ratio / perimeter
        quads.append(_in_order(_corners(centre, (width + grow, height + grow), angle)))
    return quads


def cut_out(image: npt.NDArray[np.uint8], quad: Quad) -> npt.NDArray[np.uint8]:
    """The line in `quad`, laid flat; turned left by a quarter where it is much taller than wide."""
    import cv2

    width = max(1, round(float(max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3])))))
    height = max(1, round(float(max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1])))))
    flat_corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    transform = cv2.getPerspectiveTransform(quad.astype(np.float32), flat_corners)
    flat = cv2.warpPerspective(
        image, transform, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(np.rot90(flat) if height >= UPRIGHT_RATIO * width else flat, dtype=np.uint8)


def _corners(centre: Sequence[float], size: tuple[float, float], angle: float) -> npt.NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.boxPoints((centre, size, angle)), dtype=np.float32)


def _in_order(corners: npt.NDArray[np.float32]) -> Quad:
    """Corners from the top left, clockwise: the two leftmost are the left side."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    top_left, bottom_left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    top_right, bottom_right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.array([top_left, top_right, bottom_right, bottom_left], dtype=np.float32)


def _mean_inside(probability: npt.NDArray[np.float32], quad: Quad) -> float:
    import cv2

    low = np.maximum(np.floor(quad.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + 1, probability.shape[::-1])
    part = probability[low[1] : high[1], low[0] : high[0]]
    inside = np.zeros(part.shape, dtype=np.uint8)
    cv2.fillPoly(inside, [np.round(quad - low).astype(np.int32)], 1)
    return float(part[inside > 0].mean()) if inside.any() else 0.0
