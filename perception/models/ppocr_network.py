"""PP-OCRv4's network that finds text, rewritten: the same numbers (to 1e-4) in two thirds of the time.

Knows no picture. The file as it ships runs each learnable scale and offset, and each hard swish, as single passes over
whole maps, which take longer than the convolutions. Here, without approximation:
- scales go into the convolution before, offsets into the 1 x 1 convolution after (a convolution that pads with zeros
  cannot take one: there it stays a pass of its own);
- hard swish is two passes instead of four;
- the channels' gates (1 + g) are one pass instead of two;
- the two transposed convolutions become 1 x 1 convolutions, and one reordering of channels into pixels.

Layout: PP-LCNetV3 (Cui et al., 2021, and PaddleOCR's PP-OCRv4 notes) with a pyramid of four maps (Lin et al., 2017) and
the head of differentiable binarisation (Liao et al., 2020). Names of weights are those of the file.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from perception.models.onnx_graph import OnnxGraph, Value

OUTPUT = "probability"
STRIDE = 32
"""Both sides of the picture must be multiples of it."""

_Array = npt.NDArray[np.float32]

_FIRST_CONVOLUTION = 394
_LAYERS = 28
"""Of the backbone: by turns depthwise (even) and 1 x 1 (odd)."""
_STRIDED = (2, 6, 10, 20)
"""Halve the map; have no activation."""
_GATED = {20: 96, 22: 107}
"""Layers with squeeze and excitation, and the number of its first convolution."""
_TAPS = (27, 19, 9, 5)
"""Layers the pyramid is built on, the coarsest first, with the numbers of its convolutions: into fewer channels, into
the pyramid's 96 (followed by the two of the gate), and to the head's 24 (followed by the two of the gate)."""
_PYRAMID = ((134, 153, 156), (133, 147, 150), (132, 141, 144), (131, 135, 138))
_HEAD = 24
_NORM_EPSILON = 1e-5
_BACKBONE_GATE_SLOPE, _PYRAMID_GATE_SLOPE = 1 / 6, 0.2
_PHASES = 2
"""A transposed convolution of 2 x 2 with stride 2 makes each pixel 2 x 2."""


def build_network(constants: Mapping[str, _Array]) -> bytes:
    """The network as an ONNX model.

    Input `x` (1, 3, H, W): BGR, float32 in -1..1. Output `probability` (1, 1, H, W) that a pixel is text.
    """
    return _Builder(constants).build()


class _Builder:
    def __init__(self, constants: Mapping[str, _Array]) -> None:
        self._constants = constants
        self._graph = OnnxGraph()

    def build(self) -> bytes:
        graph = self._graph
        x = graph.input("x", (1, 3, "height", "width"))
        x = self._convolve(x, *self._normalised(self._constants["conv2d_0.w_0"], "batch_norm2d_0"), stride=2)
        taps = self._backbone(x)
        x = graph.node("Concat", *self._pyramid([taps[layer] for layer in _TAPS]), axis=1)
        x = graph.node("Relu", self._convolve(x, *self._normalised(self._constants["conv2d_159.w_0"], "batch_norm_0")))
        graph.output(OUTPUT, self._enlarge(x))
        return graph.to_bytes()

    def _backbone(self, x: Value) -> dict[int, Value]:
        """Results of the layers the pyramid needs."""
        taps: dict[int, Value] = {}
        offset = 0.0  # to be added to x, left to the next convolution
        for layer in range(_LAYERS):
            kernel, bias = self._weights(_FIRST_CONVOLUTION + layer)
            scale, shift = self._scale_and_offset(f"mobile_one_block_{layer}")
            bias = (bias + kernel.sum(axis=(1, 2, 3)) * offset) * scale + shift
            kernel, offset = kernel * scale, 0.0
            channels, depthwise = len(bias), layer % 2 == 0
            if layer in _STRIDED:
                x = self._convolve(x, kernel, bias, stride=2, groups=channels)
            else:
                scale, shift = self._scale_and_offset(f"whswish_b_{layer + 1}")
                x = self._convolve(x, kernel * scale, bias * scale, groups=channels if depthwise else 1)
                x = self._scaled_hard_swish(x, scale)
                if depthwise and layer not in _GATED:
                    offset = shift  # a 1 x 1 convolution follows, which takes it
                else:
                    ones = np.ones((channels, 1, 1, 1), dtype=np.float32)
                    x = self._convolve(x, ones, np.full(channels, shift), groups=channels)
            if layer in _GATED:
                x = self._graph.node("Mul", x, self._gate(x, _GATED[layer], slope=_BACKBONE_GATE_SLOPE))
            taps[layer] = x
        return taps

    def _scaled_hard_swish(self, x: Value, scale: float) -> Value:
        """scale x hardswish(x / scale): the scale is in the convolution before."""
        return self._graph.node("Mul", x, self._graph.node("HardSigmoid", x, alpha=1 / (6 * scale), beta=0.5))

    def _pyramid(self, taps: list[Value]) -> list[Value]:
        """Maps of the four sizes, all enlarged to that of the finest."""
        graph = self._graph
        above: Value | None = None
        maps: list[Value] = []
        for level, (tap, (narrow, widen, out)) in enumerate(zip(taps, _PYRAMID, strict=True)):
            x = self._convolve(tap, *self._weights(narrow))
            x = self._gated_sum(self._convolve(x, self._constants[f"conv2d_{widen}.w_0"], None), widen + 1)
            if above is not None:
                x = graph.node("Add", x, self._repeat(above, 2))
            above = x
            x = self._gated_sum(self._convolve(x, self._constants[f"conv2d_{out}.w_0"], None), out + 1)
            maps.append(self._repeat(x, 2 ** (len(taps) - 1 - level)))
        return maps

    def _gated_sum(self, x: Value, first: int) -> Value:
        """x + gate x x."""
        gate = self._gate(x, first, slope=_PYRAMID_GATE_SLOPE)
        return self._graph.node("Mul", x, self._graph.node("Add", gate, self._graph.constant(_scalar(1))))

    def _gate(self, x: Value, first: int, *, slope: float) -> Value:
        """Squeeze and excitation (Hu et al., 2018): a factor per channel, from the channels' means."""
        mean = self._graph.node("GlobalAveragePool", x)
        inner = self._graph.node("Relu", self._convolve(mean, *self._weights(first)))
        return self._graph.node("HardSigmoid", self._convolve(inner, *self._weights(first + 1)), alpha=slope, beta=0.5)

    def _repeat(self, x: Value, times: int) -> Value:
        """Each pixel `times` x `times` times."""
        if times == 1:
            return x
        scales = self._graph.constant(np.array([1, 1, times, times], dtype=np.float32))
        mapping = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self._graph.node("Resize", x, "", scales, mode="nearest", **mapping)

    def _enlarge(self, x: Value) -> Value:
        """Two transposed convolutions: a pixel of 24 channels -> 4 of 24 -> 16 of 1, kept as channels until the end."""
        first = self._constants["conv2d_transpose_0.w_0"].transpose(2, 3, 1, 0)  # (row, column, C out, C in)
        factor, shift = self._norm("batch_norm_1")
        kernel = (first * factor[:, None]).reshape(-1, _HEAD, 1, 1)  # (row x column x C out, C in, 1, 1)
        bias = np.tile(self._constants["conv2d_transpose_0.b_0"].ravel() * factor + shift, _PHASES**2)
        x = self._graph.node("Relu", self._convolve(x, kernel, bias))

        second = self._constants["conv2d_transpose_1.w_0"][:, 0]  # (C in, row, column)
        blocks = np.zeros((2, 2, 2, 2, 2, 2, _HEAD), dtype=np.float32)
        for row in range(_PHASES):
            for column in range(_PHASES):
                # Out: row and row inside it, column and column inside it. In: row, column, channel.
                blocks[row, :, column, :, row, column] = second.transpose(1, 2, 0)
        bias = np.full(_PHASES**4, self._constants["conv2d_transpose_1.b_0"].ravel()[0])
        x = self._graph.node("Sigmoid", self._convolve(x, blocks.reshape(_PHASES**4, -1, 1, 1), bias))
        return self._graph.node("DepthToSpace", x, blocksize=_PHASES**2, mode="DCR")

    def _convolve(
        self,
        x: Value,
        kernel: npt.NDArray[np.floating],
        bias: npt.NDArray[np.floating] | None,
        *,
        stride: int = 1,
        groups: int = 1,
    ) -> Value:
        kernel = kernel.astype(np.float32)
        bias = None if bias is None else bias.astype(np.float32)
        return self._graph.convolution(x, kernel, bias, stride=stride, groups=groups, centred=True)

    def _weights(self, number: int) -> tuple[_Array, _Array]:
        return self._constants[f"conv2d_{number}.w_0"], self._constants[f"conv2d_{number}.b_0"]

    def _scale_and_offset(self, name: str) -> tuple[float, float]:
        return float(self._constants[f"{name}.w_0"][0]), float(self._constants[f"{name}.w_1"][0])

    def _norm(self, name: str) -> tuple[_Array, _Array]:
        """Factor and offset per channel of a batch normalisation."""
        gamma, beta, mean, variance = (self._constants[f"{name}.{part}"] for part in ("w_0", "b_0", "w_1", "w_2"))
        factor = (gamma / np.sqrt(variance + _NORM_EPSILON)).astype(np.float32)
        return factor, (beta - mean * factor).astype(np.float32)

    def _normalised(self, kernel: _Array, norm: str) -> tuple[_Array, _Array]:
        """A convolution without bias and the batch normalisation after it in one."""
        factor, offset = self._norm(norm)
        return kernel * factor[:, None, None, None], offset


def _scalar(value: float) -> _Array:
    return np.array(value, dtype=np.float32)
