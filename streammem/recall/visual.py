"""Visual search over key frames: free text in the joint image-text space, and pictures that look like a picture.

Calibration. There is always a nearest picture, also for things that are nowhere: in a joint space made of class labels
the best cosine was 0.20 to 0.31 (quartiles) for 30 things that were not there, and 0.24 to 0.39 for 50 that were. So
nearness orders pictures and earns at most `NEAREST`; the rest is earned by names: a tag or a detection of the picture
that means what the query means, as sure as the model is of it. From 0.35 on a hit may be called found: of the absent
things five got there (dog, cat, horse, laptop, of which the detector is sure in animated films; a wedding dress), in
street footage none.

Nearness is judged against the other key frames in scope: how many standard deviations above their mean (1 gives 0.27,
3 gives 0.73), times an absolute gate (nothing below 0.15 counts). With fewer than eight key frames the gate alone
decides.

Convolutional features of unrelated pictures reach a cosine of 0.6; image-to-image is linear from 0.5 to 0.95.
"""

from __future__ import annotations

import math

import numpy as np

from streammem.recall.candidates import SEARCH_COLUMNS, Candidate, Pool
from streammem.recall.labels import LabelMatcher
from streammem.store.filters import Where
from streammem.store.reader import Reader
from streammem.store.tables import KEYFRAMES, OBSERVATIONS, find_vector_column, keyframe_of
from streammem.types import NS_PER_S, FloatVector, KeyFrame

JOINT_NOISE, JOINT_SURE = 0.15, 0.5
IMAGE_UNRELATED, IMAGE_SAME = 0.5, 0.95
ENOUGH_FOR_STATISTICS = 8
STATISTICS_FRAMES = 256
NEAREST = 0.45
"""Score of the nearest picture that nothing else speaks for; unrelated words in view score 0.1 to 0.2."""
NAMED = 0.9
"""Score of a picture that is surely called what is asked for; the rest tells such pictures apart by nearness."""
DETECTION_NOISE, DETECTION_SURE = 0.4, 0.9
"""A detector's scores: below the first it is as often wrong as right, from the second on it is taken at its word."""
BLINK_NS = NS_PER_S
BLINK = 0.6
"""What an object is worth that was seen for less than `BLINK_NS`: a thing that is there stays in view."""


def calibrate_joint(cosines: list[float]) -> list[float]:
    """[0, 1] for each cosine, best first, judged against the others."""
    gates = [min(max((cosine - JOINT_NOISE) / (JOINT_SURE - JOINT_NOISE), 0.0), 1.0) for cosine in cosines]
    if len(cosines) < ENOUGH_FOR_STATISTICS:
        return gates
    spread = max(float(np.std(cosines)), 1e-3)
    middle = float(np.median(cosines))
    return [
        gate**0.5 / (1.0 + math.exp(-((cosine - middle) / spread - 2.0)))
        for gate, cosine in zip(gates, cosines, strict=True)
    ]


def calibrate_image(cosine: float) -> float:
    """[0, 1]."""
    return min(max((cosine - IMAGE_UNRELATED) / (IMAGE_SAME - IMAGE_UNRELATED), 0.0), 1.0)


def detection_confidence(score: float) -> float:
    """[0, 1] of a detector's score."""
    return min(max((score - DETECTION_NOISE) / (DETECTION_SURE - DETECTION_NOISE), 0.0), 1.0)


def named_in_picture(frame: KeyFrame, matcher: LabelMatcher) -> float:
    """[0, 1]: how surely something in a picture is called what the query asks for.

    A tag's probability counts by its square root: over a thousand classes, a fifth is much.
    """
    tags = [matcher.closeness(tag.label) * math.sqrt(tag.probability) for tag in frame.tags]
    seen = [matcher.closeness(found.label) * detection_confidence(found.score) for found in frame.detections]
    return max([*tags, *seen], default=0.0)


def name_observations(candidates: list[Candidate], matcher: LabelMatcher) -> None:
    """Sets `named` of objects and scenes."""
    chosen = [(each, labels) for each in candidates if (labels := _labels_of(each))]
    matcher.learn(label for _, labels in chosen for label in labels)
    for candidate, labels in chosen:
        row = candidate.row
        close = max(matcher.closeness(label) for label in labels)
        if row["kind"] == "scene":
            candidate.named = close * math.sqrt(max(row["confidence"], 0.0))
        else:
            lasted = BLINK if row["t_end_ns"] - row["t_start_ns"] < BLINK_NS else 1.0
            candidate.named = close * lasted * detection_confidence(row["confidence"])


def _labels_in(frame: KeyFrame) -> list[str]:
    return [tag.label for tag in frame.tags] + [found.label for found in frame.detections]


def _labels_of(candidate: Candidate) -> tuple[str, ...]:
    row = candidate.row
    if candidate.table != OBSERVATIONS or row["kind"] not in ("object", "scene"):
        return ()
    if row["kind"] == "object":
        return (row["label"],) if row["label"] else ()
    return tuple((row["text"] or "").removeprefix("looks like ").split(", "))


def search_visual(
    pool: Pool,
    reader: Reader,
    *,
    matcher: LabelMatcher | None,
    joint: FloatVector | None,
    image: FloatVector | None,
    where: Where,
    limit: int,
) -> None:
    """Adds key frames to the pool. `matcher`, `joint` (Dj,): of the text; `image` (Df,): of an example picture."""
    names = reader.column_names(KEYFRAMES)
    if joint is not None:
        column = find_vector_column(names, "joint_vector", joint.shape[0], None)
        if column is not None:
            wide = max(limit, STATISTICS_FRAMES)
            rows = reader.nearest(KEYFRAMES, column, joint, where, columns=SEARCH_COLUMNS[KEYFRAMES], limit=wide)
            scores = calibrate_joint([row["similarity"] for row in rows])
            frames = [keyframe_of(row) for row in rows]
            named = [0.0] * len(frames)
            if matcher is not None:
                matcher.learn(label for frame in frames for label in _labels_in(frame))
                named = [named_in_picture(frame, matcher) for frame in frames]
            for candidate, name, score in zip(pool.add(KEYFRAMES, rows), named, scores, strict=True):
                candidate.visual = NAMED * name + (1.0 - NAMED * name) * NEAREST * score
    if image is not None:
        column = find_vector_column(names, "image_vector", image.shape[0], None)
        if column is not None:
            rows = reader.nearest(KEYFRAMES, column, image, where, columns=SEARCH_COLUMNS[KEYFRAMES], limit=limit)
            for candidate, row in zip(pool.add(KEYFRAMES, rows), rows, strict=True):
                candidate.visual = max(candidate.visual or 0.0, calibrate_image(row["similarity"]))
