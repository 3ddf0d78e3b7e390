"""Objects in a picture: SSD MobileNet v2 trained on COCO, on ONNX Runtime.

Knows no tracking and no memory. 27 ms a picture on one thread, where OpenCV's network module takes 88 ms for the same
weights and the same boxes (`ssd_opencv`). Small objects (below about 1/15 of the picture's height) are missed: the
network sees 300 x 300 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from perception.models.coco import COCO_LABELS
from perception.models.frozen_graph import read_constants
from perception.models.ssd_network import INPUT_SIZE, MAP_SIZES, Candidates, build_network, candidates
from perception.models.threads import onnx_session, set_opencv_threads
from perception.models.weights import weight_path
from perception.protocols import ImageRGB
from streammem.errors import ModelError
from streammem.settings import ModelSettings
from streammem.types import Detection

NAME = "ssd-mobilenet-v2-coco"
DEFAULT_THRESHOLD = 0.4
"""Below it, one detection in three was wrong on the pictures looked at."""
NMS_IOU = 0.5
MAX_DETECTIONS = 100

_OUTPUTS = [f"map_{index}" for index in range(len(MAP_SIZES))]
_LABELS = tuple(COCO_LABELS.values())


class SsdMobilenet:
    """`ObjectDetector`. Stateless: may be called from several threads."""

    name = NAME
    labels = _LABELS

    def __init__(self, *, threshold: float, threads: int) -> None:
        path = weight_path("ssd-mobilenet-v2/graph")
        try:
            network = build_network(read_constants(path))
        except KeyError as error:
            raise ModelError(f"The weights {str(path)!r} have no {error.args[0]!r}.") from error
        set_opencv_threads(threads)
        self._session = onnx_session(network, threads=threads, arena=True)
        self._threshold = threshold

    def detect(self, images: Sequence[ImageRGB]) -> list[tuple[Detection, ...]]:
        """Returns, per picture, what was found above the threshold, the surest first."""
        return [self._detect(image) for image in images]

    def _detect(self, image: ImageRGB) -> tuple[Detection, ...]:
        import cv2

        blob = cv2.dnn.blobFromImage(image, size=(INPUT_SIZE, INPUT_SIZE))  # squeezed to a square; (1, 3, 300, 300)
        maps = [np.asarray(one, dtype=np.float32) for one in self._session.run(_OUTPUTS, {"image": blob})]
        found = candidates(maps, threshold=self._threshold)
        corners = np.clip(found.corners, 0, 1)
        kept = _surest(found, corners)[:MAX_DETECTIONS]
        return tuple(
            _detection(found, corners, index) for index in kept if (corners[index, 2:] > corners[index, :2]).all()
        )


def _surest(found: Candidates, corners: npt.NDArray[np.float32]) -> list[int]:
    """Of boxes of one class that overlap, the surest alone (non-maximum suppression); places, the surest first."""
    areas = np.prod(np.maximum(corners[:, 2:] - corners[:, :2], 0), axis=1)
    order = np.lexsort((np.arange(len(corners)), -found.scores))
    kept: list[int] = []
    while len(order):
        first, order = int(order[0]), order[1:]
        kept.append(first)
        low = np.maximum(corners[order, :2], corners[first, :2])
        high = np.minimum(corners[order, 2:], corners[first, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        same = (found.classes[order] == found.classes[first]) & (
            shared > NMS_IOU * (areas[order] + areas[first] - shared)
        )
        order = order[~same]
    return kept


def _detection(found: Candidates, corners: npt.NDArray[np.float32], index: int) -> Detection:
    x1, y1, x2, y2 = (float(value) for value in corners[index])
    return Detection(label=_LABELS[found.classes[index]], score=float(found.scores[index]), box=(x1, y1, x2, y2))


def load(settings: ModelSettings) -> SsdMobilenet:
    threshold = DEFAULT_THRESHOLD if settings.threshold is None else settings.threshold
    return SsdMobilenet(threshold=threshold, threads=settings.threads)
