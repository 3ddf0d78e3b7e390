"""SSD MobileNet v2 as a network for ONNX Runtime: its layers, its anchors, and what its numbers mean.

Knows no threshold and no picture. Built from the frozen TensorFlow graph's constants; batch normalisation is folded
into the convolutions, and the outputs of the eleven classes without a label are left out (every class has a sigmoid of
its own, so nothing else changes).

Sandler et al., "MobileNetV2" (2018); Liu et al., "SSD: Single Shot MultiBox Detector" (2016), with six boxes at each
place of six maps (three of the finest). 1.7 billion multiplications a picture, 1.1 of them in the class outputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perception.models.coco import COCO_CLASSES, COCO_LABELS
from perception.models.onnx_graph import OnnxGraph, Value

INPUT_SIZE = 300
MAP_SIZES = (19, 10, 5, 3, 2, 1)
"""Side of each map of boxes."""

_Constants = Mapping[str, npt.NDArray[np.float32]]
_Folded = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]

_RELU6 = 6.0
_NORM_EPSILON = 1e-3
_STRIDES = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)
"""Of the 17 inverted bottlenecks."""
_FINEST_MAP_BLOCK = 13
"""Its widened input is the first map of boxes: the last layer at a sixteenth of the picture's side."""
_EXTRA_LAYERS = ((2, 256, 512), (3, 128, 256), (4, 128, 256), (5, 64, 128))
"""Number, channels between and channels after, of the layers that shrink the last map down to 1 x 1."""

# Anchors: sides as a share of the picture's side, from 0.2 to 0.95 over the six maps.
_SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
_FINEST_SCALE = 0.1
_RATIOS = (1.0, 2.0, 0.5, 3.0, 0.333)
_LEAST_SCORE = 0.01
"""Of the original's own last step: below it there are thousands."""
_CENTRE_SCALE, _SIZE_SCALE = 10.0, 5.0
"""The network's offsets are this many times the anchor's size, and its logarithms this many times larger."""


def build_network(constants: _Constants) -> bytes:
    """The network as an ONNX model.

    Input `image` (1, 3, 300, 300): RGB, float32 in 0..255. Outputs `map_0` .. `map_5`, each
    (1, A x (4 + 80), S, S) for S of `MAP_SIZES` and A anchors: the 4 x A numbers of the boxes, then 80 x A logits.
    """
    graph = OnnxGraph()
    x = graph.input("image", (1, 3, INPUT_SIZE, INPUT_SIZE))
    # The first layer pads with zeros after scaling to -1..1, so the scaling cannot move into its weights.
    x = graph.node("Mul", x, graph.constant(np.array(2 / 255, dtype=np.float32)))
    x = graph.node("Sub", x, graph.constant(np.array(1, dtype=np.float32)))
    maps: list[Value] = []

    def convolve(x: Value, folded: _Folded, *, stride: int = 1, depthwise: bool = False, clip: bool = True) -> Value:
        groups = folded[0].shape[0] if depthwise else 1
        return graph.convolution(x, *folded, stride=stride, groups=groups, clip_at=_RELU6 if clip else None)

    x, channels = convolve(x, _folded(constants, "Conv"), stride=2), 32
    for index, stride in enumerate(_STRIDES):
        block = f"expanded_conv_{index}" if index else "expanded_conv"
        inside = x if index == 0 else convolve(x, _folded(constants, f"{block}/expand"))
        if index == _FINEST_MAP_BLOCK:
            maps.append(inside)
        inside = convolve(inside, _folded_depthwise(constants, f"{block}/depthwise"), stride=stride, depthwise=True)
        kernel, bias = _folded(constants, f"{block}/project")
        shortcut = stride == 1 and kernel.shape[0] == channels
        inside = convolve(inside, (kernel, bias), clip=False)
        x, channels = graph.node("Add", x, inside) if shortcut else inside, kernel.shape[0]
    x = convolve(x, _folded(constants, "Conv_1"))
    maps.append(x)
    for number, between, after in _EXTRA_LAYERS:
        x = convolve(x, _folded(constants, f"layer_19_1_Conv2d_{number}_1x1_{between}"))
        name = f"layer_19_2_Conv2d_{number}_3x3_s2_{after}"
        x = convolve(x, _folded_depthwise(constants, f"{name}_depthwise"), stride=2, depthwise=True)
        x = convolve(x, _folded(constants, name))
        maps.append(x)
    for index, features in enumerate(maps):
        graph.output(f"map_{index}", convolve(features, _predictor(constants, index), clip=False))
    return graph.to_bytes()


def _folded(constants: _Constants, layer: str) -> _Folded:
    return _fold(constants, layer, constants[f"FeatureExtractor/MobilenetV2/{layer}/weights"].transpose(3, 2, 0, 1))


def _folded_depthwise(constants: _Constants, layer: str) -> _Folded:
    kernel = constants[f"FeatureExtractor/MobilenetV2/{layer}/depthwise_weights"]
    return _fold(constants, layer, kernel.transpose(2, 3, 0, 1))


def _fold(constants: _Constants, layer: str, kernel: npt.NDArray[np.float32]) -> _Folded:
    """Kernel (C out, C in, H, W) and bias of a convolution and the batch normalisation after it."""
    norm = f"FeatureExtractor/MobilenetV2/{layer}/BatchNorm/"
    scale = constants[f"{norm}gamma"] / np.sqrt(constants[f"{norm}moving_variance"] + _NORM_EPSILON)
    bias = constants[f"{norm}beta"] - constants[f"{norm}moving_mean"] * scale
    return (kernel * scale[:, None, None, None]).astype(np.float32), bias.astype(np.float32)


def _predictor(constants: _Constants, index: int) -> _Folded:
    """Boxes and classes of one map in one convolution: they see the same features."""
    boxes, classes = f"BoxPredictor_{index}/BoxEncodingPredictor/", f"BoxPredictor_{index}/ClassPredictor/"
    kernel = constants[f"{classes}weights"].transpose(3, 2, 0, 1)  # (A x 91, C, 3, 3)
    bias = constants[f"{classes}biases"]
    labelled = [a * COCO_CLASSES + one for a in range(len(bias) // COCO_CLASSES) for one in COCO_LABELS]
    return (
        np.concatenate([constants[f"{boxes}weights"].transpose(3, 2, 0, 1), kernel[labelled]]),
        np.concatenate([constants[f"{boxes}biases"], bias[labelled]]),
    )


# --- what the outputs mean --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Every (box, class) whose score reaches a bar."""

    corners: npt.NDArray[np.float32]
    """(N, 4) x1, y1, x2, y2 as shares of the picture; may reach beyond it."""
    scores: npt.NDArray[np.float32]
    """(N,)."""
    classes: npt.NDArray[np.int64]
    """(N,) places in `COCO_LABELS`' order."""


def candidates(maps: list[npt.NDArray[np.float32]], *, threshold: float) -> Candidates:
    """Reads the outputs of the network for one picture; only what reaches the threshold is decoded."""
    threshold = min(max(threshold, _LEAST_SCORE), 1 - _LEAST_SCORE)
    bar = math.log(threshold / (1 - threshold))  # the sigmoid only grows, so logits are compared
    corners: list[npt.NDArray[np.float32]] = []
    scores: list[npt.NDArray[np.float32]] = []
    classes: list[npt.NDArray[np.int64]] = []
    for found, anchors in zip(maps, _ANCHORS, strict=True):
        count, size = len(anchors), found.shape[-1]
        boxes = found[0, : count * 4].reshape(count, 4, size, size)
        logits = found[0, count * 4 :].reshape(count, len(COCO_LABELS), size, size)
        a, label, row, column = np.nonzero(logits >= bar)
        scores.append((1 / (1 + np.exp(-logits[a, label, row, column]))).astype(np.float32))
        classes.append(label)
        corners.append(_decode(boxes[a, :, row, column], anchors[a], row=row, column=column, size=size))
    return Candidates(corners=np.concatenate(corners), scores=np.concatenate(scores), classes=np.concatenate(classes))


def _decode(
    code: npt.NDArray[np.float32],
    anchors: npt.NDArray[np.float32],
    *,
    row: npt.NDArray[np.int64],
    column: npt.NDArray[np.int64],
    size: int,
) -> npt.NDArray[np.float32]:
    """Codes (N, 4) dy, dx, log height, log width relative to anchors (N, 2) height, width -> corners (N, 4)."""
    place = (np.stack([row, column], axis=1) + 0.5) / size
    centre = place + code[:, :2] / _CENTRE_SCALE * anchors
    half = np.exp(code[:, 2:] / _SIZE_SCALE) * anchors / 2
    return np.concatenate([(centre - half)[:, ::-1], (centre + half)[:, ::-1]], axis=1).astype(np.float32)


def _anchor_sizes() -> list[npt.NDArray[np.float32]]:
    """Per map (A, 2) height, width as shares of the picture's side."""
    maps: list[npt.NDArray[np.float32]] = []
    for index in range(len(MAP_SIZES)):
        scale, following = _SCALES[index], _SCALES[index + 1]
        if index == 0:  # three boxes only: the finest map has most places
            shapes = [(_FINEST_SCALE, 1.0), (scale, 2.0), (scale, 0.5)]
        else:
            shapes = [*((scale, ratio) for ratio in _RATIOS), ((scale * following) ** 0.5, 1.0)]
        sizes = [(scale / ratio**0.5, scale * ratio**0.5) for scale, ratio in shapes]
        maps.append(np.array(sizes, dtype=np.float32))
    return maps


_ANCHORS = _anchor_sizes()
