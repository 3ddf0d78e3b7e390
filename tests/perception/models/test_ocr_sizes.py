"""What the text reader reads of small print: at once, and when it looks again thoroughly."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from perception.models.ppocr import PaddleOcr
from perception.models.registry import Models


@pytest.fixture(scope="module")
def reader(models: Models) -> PaddleOcr:
    assert isinstance(models.ocr, PaddleOcr)
    return models.ocr


def _film_with_print(path: Path, *, scale: float, thickness: int) -> np.ndarray:
    """A frame of the film at 1280 x 720 with a line of print in a pale box."""
    with av.open(str(path)) as container:
        container.seek(36_000_000)
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    frame = np.asarray(cv2.resize(frame, (1280, 720)), dtype=np.uint8)
    frame[380:430, 180:760] = 240
    cv2.putText(
        frame, "Order 58213 is ready", (200, 412), cv2.FONT_HERSHEY_SIMPLEX, scale, (15, 15, 15), thickness, cv2.LINE_AA
    )
    return frame


def test_print_of_a_fiftieth_of_the_height_is_read_at_once(reader: PaddleOcr, evaluation_data: Path) -> None:
    frame = _film_with_print(evaluation_data / "media" / "trailer_bbb.mp4", scale=0.7, thickness=2)  # capitals 15 px
    found = reader.read(frame)
    assert [one.text for one in found] == ["Order 58213 is ready"]
    x1, y1, x2, y2 = found[0].box
    assert x1 * 1280 == pytest.approx(200, abs=12)
    assert 385 < y1 * 720 < 400 < 410 < y2 * 720 < 430
    assert x2 < 0.5


def test_looking_thoroughly_reads_smaller_print(reader: PaddleOcr, evaluation_data: Path) -> None:
    frame = _film_with_print(evaluation_data / "media" / "trailer_bbb.mp4", scale=0.35, thickness=1)  # capitals 8 px
    assert "58213" not in " ".join(one.text for one in reader.read(frame))
    assert "58213" in " ".join(one.text for one in reader.thorough.read(frame))
    assert reader.thorough.name == reader.name
