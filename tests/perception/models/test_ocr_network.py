"""The rewritten network that finds text against the file it was rewritten from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from perception.models.onnx_graph import read_constants
from perception.models.ppocr_network import OUTPUT, build_network
from perception.models.registry import Models
from perception.models.threads import onnx_session
from perception.models.weights import weight_path
from streammem.errors import ModelError


def _page(height: int, width: int) -> np.ndarray:
    """Lines of print of several sizes on a gradient with noise, some at the border: (1, 3, H, W) in -1..1."""
    rows = np.linspace(90, 250, height)[:, None, None] + np.linspace(-40, 0, width)[None, :, None]
    image = (rows + np.random.default_rng(0).normal(0, 6, (height, width, 3))).clip(0, 255).astype(np.uint8)
    for place, scale, text in (((0, 12), 0.4, "at the edge"), ((40, 90), 0.9, "Platform 9"), ((10, 170), 1.6, "EXIT")):
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (20, 20, 60), 2, cv2.LINE_AA)
    return (image.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]


@pytest.mark.parametrize(("height", "width"), [(192, 320), (224, 288), (256, 96)])
def test_same_probabilities_as_the_file(models: Models, height: int, width: int) -> None:
    path = weight_path("ppocr-v4/detection")
    page = _page(height, width)
    wanted = np.asarray(onnx_session(str(path), threads=1).run(None, {"x": page})[0])
    found = np.asarray(onnx_session(build_network(read_constants(path)), threads=1).run([OUTPUT], {"x": page})[0])
    assert found.shape == wanted.shape == (1, 1, height, width)
    assert wanted.max() > 0.9
    assert wanted.min() < 0.01
    np.testing.assert_allclose(found, wanted, atol=2e-4)


@pytest.mark.parametrize("content", [b"\x3a\x7fshort", b"\xff" * 20, b"\x3a\x04\x0a\x02\x2a\x09"])
def test_bytes_that_are_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.onnx.*not an ONNX model"):
        read_constants(path)
