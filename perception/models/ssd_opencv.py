"""The detector of `ssd` run by OpenCV's own network module, which also reads the weights.

The same boxes and scores, three times as slow (64-88 ms a picture on one thread). Kept as what the quick one is
compared with, and for machines on which ONNX Runtime is not wanted.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from perception.models.coco import COCO_LABELS
from perception.models.ssd import DEFAULT_THRESHOLD, NMS_IOU
from perception.models.ssd_network import INPUT_SIZE
from perception.models.threads import set_opencv_threads
from perception.models.weights import weight_path
from perception.protocols import ImageRGB
from streammem.errors import ModelError
from streammem.settings import ModelSettings
from streammem.types import Box, Detection

NAME = "ssd-mobilenet-v2-coco-opencv"


class SsdMobilenetOpenCv:
    """`ObjectDetector`. OpenCV's network holds its input, so calls take turns."""

    name = NAME
    labels = tuple(COCO_LABELS.values())

    def __init__(self, *, threshold: float, threads: int) -> None:
        import cv2

        graph, config = weight_path("ssd-mobilenet-v2/graph"), weight_path("ssd-mobilenet-v2/config")
        set_opencv_threads(threads)
        try:
            self._net = cv2.dnn.readNetFromTensorflow(str(graph), str(config))
        except cv2.error as error:
            raise ModelError(f"OpenCV {cv2.__version__} cannot read the weights {str(graph)!r}: {error.err}") from error
        self._threshold = threshold
        self._turn = threading.Lock()

    def detect(self, images: Sequence[ImageRGB]) -> list[tuple[Detection, ...]]:
        """Returns, per picture, what was found above the threshold, the surest first."""
        return [self._detect(image) for image in images]

    def _detect(self, image: ImageRGB) -> tuple[Detection, ...]:
        import cv2

        height, width = image.shape[:2]
        blob = cv2.dnn.blobFromImage(image, size=(INPUT_SIZE, INPUT_SIZE))  # the graph wants RGB and scales by itself
        with self._turn:
            self._net.setInput(blob)
            found = np.asarray(self._net.forward())[0, 0]  # (100, 7): -, class, score, x1, y1, x2, y2 in [0, 1]
        found = found[found[:, 2] >= self._threshold]
        found = found[[int(row[1]) in COCO_LABELS for row in found]]
        if not len(found):
            return ()
        corners = np.clip(found[:, 3:7], 0, 1)
        sizes = corners[:, 2:] - corners[:, :2]
        rectangles = np.hstack([corners[:, :2], sizes]) * (width, height, width, height)
        kept = cv2.dnn.NMSBoxesBatched(
            rectangles.tolist(), found[:, 2].tolist(), found[:, 1].astype(int).tolist(), self._threshold, NMS_IOU
        )
        order = sorted((int(index) for index in np.ravel(kept)), key=lambda index: (-found[index, 2], index))
        return tuple(
            Detection(
                label=COCO_LABELS[int(found[index, 1])],
                score=float(min(found[index, 2], 1.0)),
                box=_box(corners[index]),
            )
            for index in order
            if sizes[index].min() > 0
        )


def _box(corners: npt.NDArray[np.float32]) -> Box:
    x1, y1, x2, y2 = (float(value) for value in corners)
    return (x1, y1, x2, y2)


def load(settings: ModelSettings) -> SsdMobilenetOpenCv:
    threshold = DEFAULT_THRESHOLD if settings.threshold is None else settings.threshold
    return SsdMobilenetOpenCv(threshold=threshold, threads=settings.threads)
