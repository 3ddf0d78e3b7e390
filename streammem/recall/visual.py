"""Visual search over key frames: free text in the joint image-text space, and pictures that look like a picture.

Calibration. Both cosines live on scales of their own, never mixed raw with a sentence encoder's. A joint space built
from class labels (ConSE) is narrow, and where its noise lies depends on the query, so a text-to-image cosine is judged
against the other key frames in scope: how many standard deviations above their mean (2 gives 0.27, 4 gives 0.73), times
an absolute gate (nothing below 0.2 counts). With fewer than eight key frames the gate alone decides. Convolutional
features of unrelated pictures reach 0.6; image-to-image is linear from 0.5 to 0.95.
"""

from __future__ import annotations

import math

import numpy as np

from streammem.recall.candidates import SEARCH_COLUMNS, Pool
from streammem.store.filters import Where
from streammem.store.reader import Reader
from streammem.store.tables import KEYFRAMES, find_vector_column
from streammem.types import FloatVector

JOINT_NOISE, JOINT_SURE = 0.15, 0.5
IMAGE_UNRELATED, IMAGE_SAME = 0.5, 0.95
ENOUGH_FOR_STATISTICS = 8
STATISTICS_FRAMES = 256


def calibrate_joint(cosines: list[float]) -> list[float]:
    """[0, 1] for each cosine, best first, judged against the others."""
    gates = [min(max((cosine - JOINT_NOISE) / (JOINT_SURE - JOINT_NOISE), 0.0), 1.0) for cosine in cosines]
    if len(cosines) < ENOUGH_FOR_STATISTICS:
        return gates
    spread = max(float(np.std(cosines)), 1e-3)
    middle = float(np.median(cosines))
    return [
        gate**0.5 / (1.0 + math.exp(-((cosine - middle) / spread - 3.0)))
        for gate, cosine in zip(gates, cosines, strict=True)
    ]


def calibrate_image(cosine: float) -> float:
    """[0, 1]."""
    return min(max((cosine - IMAGE_UNRELATED) / (IMAGE_SAME - IMAGE_UNRELATED), 0.0), 1.0)


def search_visual(
    pool: Pool, reader: Reader, *, joint: FloatVector | None, image: FloatVector | None, where: Where, limit: int
) -> None:
    """Adds key frames to the pool. `joint`: (Dj,) of the text; `image`: (Df,) of an example picture."""
    names = reader.column_names(KEYFRAMES)
    if joint is not None:
        column = find_vector_column(names, "joint_vector", joint.shape[0], None)
        if column is not None:
            wide = max(limit, STATISTICS_FRAMES)
            rows = reader.nearest(KEYFRAMES, column, joint, where, columns=SEARCH_COLUMNS[KEYFRAMES], limit=wide)
            scores = calibrate_joint([row["similarity"] for row in rows])
            for candidate, score in zip(pool.add(KEYFRAMES, rows[:limit]), scores, strict=False):
                candidate.visual = score
    if image is not None:
        column = find_vector_column(names, "image_vector", image.shape[0], None)
        if column is not None:
            rows = reader.nearest(KEYFRAMES, column, image, where, columns=SEARCH_COLUMNS[KEYFRAMES], limit=limit)
            for candidate, row in zip(pool.add(KEYFRAMES, rows), rows, strict=True):
                candidate.visual = max(candidate.visual or 0.0, calibrate_image(row["similarity"]))
