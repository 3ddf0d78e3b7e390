"""The quick detector against OpenCV's own run of the same weights, and the parts it is made of."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from perception.models.frozen_graph import read_constants
from perception.models.onnx_graph import OnnxGraph
from perception.models.registry import Models, load_models
from perception.models.ssd import SsdMobilenet
from perception.models.ssd_network import MAP_SIZES, candidates
from perception.models.threads import onnx_session
from perception.models.weights import weight_path
from streammem.errors import ModelError
from streammem.settings import ModelSettings
from streammem.types import Detection


def _frames(path: Path, *, every_s: float) -> list[np.ndarray]:
    frames: list[np.ndarray] = []
    with av.open(str(path)) as container:
        for t_s in np.arange(1, float(container.duration or 0) / 1e6 - 1, every_s):
            container.seek(int(t_s * 1e6))
            frames.append(next(container.decode(video=0)).to_ndarray(format="rgb24"))
    return frames


def _difference(one: Detection, other: Detection) -> float:
    return max(abs(a - b) for a, b in zip(one.box, other.box, strict=True))


def test_same_boxes_as_opencv_on_films(models: Models, evaluation_data: Path) -> None:
    settings = models.settings.model_copy(update={"detector": ModelSettings(name="ssd-mobilenet-v2-coco-opencv")})
    reference, quick = load_models(settings).detector, models.detector
    assert reference is not None
    assert quick is not None
    assert reference.labels == quick.labels
    frames = [
        frame
        for name in ("street_talk.mp4", "trailer_bbb.mp4")
        for frame in _frames(evaluation_data / "media" / name, every_s=9)
    ]
    assert len(frames) >= 10
    wanted, found = reference.detect(frames), quick.detect(frames)
    assert sum(map(len, wanted)) > 50
    for these, those in zip(wanted, found, strict=True):
        assert [one.label for one in these] == [one.label for one in those]
        for one, other in zip(these, those, strict=True):
            assert other.score == pytest.approx(one.score, abs=1e-4)
            assert _difference(one, other) < 1e-4


def test_threshold_is_kept_at_both_ends(models: Models, evaluation_data: Path) -> None:
    (frame,) = _frames(evaluation_data / "media" / "street_talk.mp4", every_s=1000)
    many = SsdMobilenet(threshold=0.0, threads=1).detect([frame])[0]
    some = SsdMobilenet(threshold=0.5, threads=1).detect([frame])[0]
    assert SsdMobilenet(threshold=1.0, threads=1).detect([frame]) == [()]
    assert len(many) == 100
    assert 0 < len(some) < 50
    assert some == tuple(one for one in many if one.score >= 0.5)


def _maps() -> list[np.ndarray]:
    anchors = [3, 6, 6, 6, 6, 6]
    maps = [np.zeros((1, a * 84, size, size), np.float32) for a, size in zip(anchors, MAP_SIZES, strict=True)]
    for a, one in zip(anchors, maps, strict=True):
        one[0, a * 4 :] = -20
    return maps


def test_a_box_without_offset_is_its_anchor() -> None:
    maps = _maps()
    maps[2][0, 6 * 4 + 1 * 80 + 2, 3, 1] = 2.0  # third class, second anchor (twice as wide as high), row 3, column 1
    found = candidates(maps, threshold=0.5)
    assert found.classes.tolist() == [2]
    assert found.scores[0] == pytest.approx(1 / (1 + np.exp(-2)))
    x1, y1, x2, y2 = found.corners[0]
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((1.5 / 5, 3.5 / 5), abs=1e-6)
    assert (x2 - x1, y2 - y1) == pytest.approx((0.5 * 2**0.5, 0.5 / 2**0.5), abs=1e-6)


def test_offsets_move_and_stretch_the_anchor() -> None:
    maps = _maps()
    maps[5][0, 6 * 4 + 0, 0, 0] = 2.0  # first class, first anchor: 0.95 x 0.95 round the middle
    maps[5][0, :4, 0, 0] = (1.0, -2.0, 5 * np.log(0.5), 5 * np.log(0.25))  # dy, dx, log height, log width
    x1, y1, x2, y2 = candidates(maps, threshold=0.5).corners[0]
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((0.5 - 0.2 * 0.95, 0.5 + 0.1 * 0.95), abs=1e-6)
    assert (x2 - x1, y2 - y1) == pytest.approx((0.95 / 4, 0.95 / 2), abs=1e-6)


def test_a_graph_convolves_as_tensorflow_pads() -> None:
    """Stride 2 on an even side pads right and below alone: the first window starts at the first pixel."""
    graph = OnnxGraph()
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    kernel[0, 0, 0, 0] = 1.0
    x = graph.input("x", (1, 1, 4, 4))
    graph.output("y", graph.convolution(x, kernel, np.array([-2], np.float32), stride=2, clip_at=6.0))
    picture = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    (found,) = onnx_session(graph.to_bytes(), threads=1).run(["y"], {"x": picture})
    np.testing.assert_array_equal(np.asarray(found)[0, 0], [[0, 0], [6, 6]])  # 0 2 8 10, less 2, within 0..6


def test_constants_of_a_frozen_graph(models: Models) -> None:
    constants = read_constants(weight_path("ssd-mobilenet-v2/graph"))
    assert constants["FeatureExtractor/MobilenetV2/Conv/weights"].shape == (3, 3, 3, 32)
    assert constants["BoxPredictor_1/ClassPredictor/biases"].shape == (546,)
    assert float(constants["Preprocessor/mul/x"]) == pytest.approx(2 / 255)
    assert float(constants["Preprocessor/sub/y"]) == 1.0


@pytest.mark.parametrize("content", [b"\x0a\x7fshort", b"\xff" * 20, b"\x0b\x00", b"\x0a\x05\x0a\x09name"])
def test_bytes_that_are_no_graph(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.pb"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.pb.*not a frozen TensorFlow graph"):
        read_constants(path)
