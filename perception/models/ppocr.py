"""Text in view: PP-OCRv4's two networks on ONNX Runtime, with our own code before, between and after them.

Knows no video. One network marks the pixels of text lines (differentiable binarisation: Liao et al., 2020), which are
boxed by `text_boxes`; the other reads each box, cut out and laid flat (a CTC decoder over 6,623 characters, Latin and
Chinese). A picture without text costs the first network only.
"""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt

from perception.models.onnx_graph import read_constants
from perception.models.ppocr_network import OUTPUT, STRIDE, build_network
from perception.models.text_boxes import Quad, cut_out, find_quads
from perception.models.threads import onnx_session
from perception.models.weights import weight_path
from perception.protocols import ImageRGB, TextInView
from streammem.errors import ModelError
from streammem.settings import ModelSettings
from streammem.types import Box

NAME = "ppocr-v4"
MAX_SIDE = 736
"""Longest side the first network sees; its time grows with the area. Of 30 lines of 14 and 16 pixels drawn into frames
of 720 lines it reads 20; at 800 25 in a fifth more time, at 960 25 in three quarters more. Larger text is read alike.
"""
THOROUGH_SIDE = 1280
"""For looking again: nine in ten of the lines of 12 pixels and two in three of 10, in two and a half times the time."""
READ_HEIGHT = 48
READ_MIN_WIDTH = 48
READ_MAX_WIDTH = 1600
READ_PADDED_WIDTH = 480
"""Short lines are padded to this, as in training: "EXIT" alone reads "Exit" (0.81), padded to 320 "EXIT" (0.79), to 480
"EXIT" (0.95)."""
MAX_LINES = 24
"""Lines read of one picture, the tallest first: rolling credits and pages in view would else cost seconds each."""
DEFAULT_THRESHOLD = 0.6
"""Mean probability of the characters. Below it, textures read as text outnumber text."""


class PaddleOcr:
    """`TextReader`. Stateless: may be called from several threads."""

    name = NAME

    def __init__(self, *, threshold: float, threads: int, max_side: int = MAX_SIDE) -> None:
        path = weight_path("ppocr-v4/detection")
        try:
            network = build_network(read_constants(path))
        except KeyError as error:
            raise ModelError(f"The weights {str(path)!r} have no {error.args[0]!r}.") from error
        self._detection = onnx_session(network, threads=threads, arena=True)
        self._recognition = onnx_session(str(weight_path("ppocr-v4/recognition")), threads=threads)
        characters = self._recognition.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._alphabet = ["", *characters, " "]  # class 0 is CTC's blank, the last one the space
        classes = self._recognition.get_outputs()[0].shape[-1]
        if len(self._alphabet) != classes:
            raise ModelError(f"The text reader has {classes} outputs for {len(self._alphabet)} characters.")
        self._threshold = threshold
        self._max_side = max_side
        self._max_lines = MAX_LINES

    @property
    def thorough(self) -> PaddleOcr:
        """The same reader, networks shared, for small print: slower, for pictures that are looked at again."""
        other = copy.copy(self)
        other._max_side = THOROUGH_SIDE
        other._max_lines = 10 * MAX_LINES
        return other

    def read(self, image_rgb: ImageRGB) -> list[TextInView]:
        """Lines of text, top to bottom and left to right."""
        height, width = image_rgb.shape[:2]
        quads = self._find(image_rgb)
        if not quads:
            return []
        bgr = np.ascontiguousarray(image_rgb[:, :, ::-1])  # the networks were trained on OpenCV's order
        found: list[TextInView] = []
        for quad in sorted(quads, key=_height, reverse=True)[: self._max_lines]:
            text, score = self._read_line(cut_out(bgr, quad))
            if score >= self._threshold and any(letter.isalnum() for letter in text):
                found.append(TextInView(text=text, score=score, box=_box(quad, width=width, height=height)))
        return _in_reading_order(found)

    def _find(self, image_rgb: ImageRGB) -> list[Quad]:
        import cv2

        height, width = image_rgb.shape[:2]
        scale = min(1.0, self._max_side / max(height, width))
        # Sides are whole multiples of the network's stride; the map is stretched back by as much.
        size = [max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in (width, height)]
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(image_rgb, (size[0], size[1]), interpolation=way)
        feed = {"x": cv2.dnn.blobFromImage(small, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)}
        probability = np.asarray(self._detection.run([OUTPUT], feed)[0])[0, 0]  # (H', W')
        return [quad * (width / size[0], height / size[1]) for quad in find_quads(probability)]

    def _read_line(self, line: npt.NDArray[np.uint8]) -> tuple[str, float]:
        """Reads one line picture at its own width: in a batch every line costs a third more, even without padding."""
        import cv2

        width = round(READ_HEIGHT * line.shape[1] / line.shape[0])
        width = int(np.clip(width, READ_MIN_WIDTH, READ_MAX_WIDTH))
        flat = np.asarray(cv2.resize(line, (width, READ_HEIGHT), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
        batch = np.zeros((1, 3, READ_HEIGHT, max(width, READ_PADDED_WIDTH)), dtype=np.float32)
        batch[0, :, :, :width] = _normalise(flat).transpose(2, 0, 1)
        feed = {"x": batch}
        return self._decode(np.asarray(self._recognition.run(None, feed)[0])[0])  # (T, 6625)

    def _decode(self, steps: npt.NDArray[np.float32]) -> tuple[str, float]:
        """Best path of CTC (Graves et al., 2006): repeats are one, blanks separate."""
        best = steps.argmax(axis=1)
        kept = (best != 0) & np.append(True, best[1:] != best[:-1])
        if not kept.any():
            return "", 0.0
        text = "".join(self._alphabet[index] for index in best[kept]).strip()
        return text, float(steps.max(axis=1)[kept].mean())


def _normalise(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return image.astype(np.float32) / 127.5 - 1.0


def _height(quad: Quad) -> float:
    """Length of the side that letters stand along, in pixels."""
    return float(min(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[1])))


def _box(quad: Quad, *, width: int, height: int) -> Box:
    low, high = quad.min(axis=0) / (width, height), quad.max(axis=0) / (width, height)
    x1, y1, x2, y2 = (float(value) for value in np.clip([*low, *high], 0, 1))
    return (x1, y1, x2, y2)


def _in_reading_order(found: list[TextInView]) -> list[TextInView]:
    """Boxes whose middles are within half a line's height stand on one line."""
    rows: list[list[TextInView]] = []
    for one in sorted(found, key=lambda one: one.box[1] + one.box[3]):
        first = rows[-1][0].box if rows else None
        if first is not None and one.box[1] + one.box[3] - first[1] - first[3] < first[3] - first[1]:
            rows[-1].append(one)
        else:
            rows.append([one])
    return [one for row in rows for one in sorted(row, key=lambda one: one.box[0])]


def load(settings: ModelSettings) -> PaddleOcr:
    threshold = DEFAULT_THRESHOLD if settings.threshold is None else settings.threshold
    return PaddleOcr(threshold=threshold, threads=settings.threads)
