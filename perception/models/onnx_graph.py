"""Writes a network as an ONNX model in memory, so that ONNX Runtime can run weights that come in another format.

Knows the few fields of `onnx.proto` a convolutional network needs; no network of its own. Why: on one core ONNX Runtime
runs mobile networks two to three times as fast as OpenCV and torch do (it fuses convolution, clipping and shortcut, and
keeps channels in blocks), and takes a model as bytes; the `onnx` package would be a dependency for these hundred lines.
Also reads the weights of an ONNX file, for a network that is written anew. Fields: github.com/onnx/onnx, onnx.proto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perception.models.wire_format import bytes_field, fields, float_field, number_field
from streammem.errors import ModelError

Attribute = int | float | str | Sequence[int]
Value = str
"""Name of a tensor in the graph."""

_IR_VERSION, _OPERATOR_SET = 8, 17
_MODEL_IR, _MODEL_GRAPH, _MODEL_OPERATORS = 1, 7, 8
_OPERATORS_VERSION = 2
_GRAPH_NODE, _GRAPH_NAME, _GRAPH_CONSTANT, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 2, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_TEXT, _ATTRIBUTE_TENSOR, _ATTRIBUTE_INTS = (
    1,
    2,
    3,
    4,
    5,
    8,
)
_ATTRIBUTE_TYPE = 20
_TYPE_FLOAT, _TYPE_INT, _TYPE_TEXT, _TYPE_INTS = 1, 2, 3, 7
_TENSOR_DIM, _TENSOR_DTYPE, _TENSOR_FLOATS, _TENSOR_NAME, _TENSOR_BYTES = 1, 2, 4, 8, 9
_DTYPES = {np.dtype(np.float32): 1, np.dtype(np.int64): 7}


class OnnxGraph:
    """A graph that grows node by node; every method that adds one returns the name of its result.

    Example:
        graph = OnnxGraph()
        x = graph.input("image", (1, 3, 300, 300))
        graph.output("features", graph.convolution(x, kernel, bias, stride=2))
        session = onnx_session(graph.to_bytes(), threads=1)
    """

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []
        self._count = 0

    def input(self, name: str, shape: Sequence[int | str]) -> Value:
        """A float32 input; a size that is a word stands for any number."""
        self._inputs.append(bytes_field(_GRAPH_INPUT, _declaration(name, shape)))
        return name

    def output(self, name: str, value: Value) -> None:
        """Makes `value` a float32 output under `name`. Its shape is left to the runtime, which infers it."""
        self._nodes.append(_node("Identity", [value], name, {}))
        self._outputs.append(bytes_field(_GRAPH_OUTPUT, _declaration(name, None)))

    def constant(self, array: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> Value:
        name = self._fresh_name()
        dims = b"".join(number_field(_TENSOR_DIM, size) for size in array.shape)
        head = dims + number_field(_TENSOR_DTYPE, _DTYPES[array.dtype]) + bytes_field(_TENSOR_NAME, name.encode())
        self._constants.append(bytes_field(_GRAPH_CONSTANT, head + bytes_field(_TENSOR_BYTES, array.tobytes())))
        return name

    def node(self, op: str, *inputs: Value, **attributes: Attribute) -> Value:
        """Any operator of ONNX's operator set 17 with one result."""
        name = self._fresh_name()
        self._nodes.append(_node(op, inputs, name, attributes))
        return name

    def convolution(
        self,
        x: Value,
        kernel: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32] | None,
        *,
        stride: int = 1,
        groups: int = 1,
        clip_at: float | None = None,
        centred: bool = False,
    ) -> Value:
        """Convolution, padded with zeros so that only the stride makes the result smaller.

        With TensorFlow's SAME padding the odd pixel goes right and below; `centred` puts the same number on every
        side, which differs where an even side meets a stride of 2.

        Args:
            kernel: (C out, C in / groups, H, W).
            bias: (C out,); None for none.
            clip_at: the result is clipped to [0, `clip_at`].
        """
        constants = [self.constant(kernel), *([] if bias is None else [self.constant(bias)])]
        padding: dict[str, Attribute] = {"auto_pad": "SAME_UPPER"}
        if centred:
            padding = {"pads": [kernel.shape[-2] // 2, kernel.shape[-1] // 2] * 2}
        strides = (stride, stride)
        x = self.node("Conv", x, *constants, kernel_shape=kernel.shape[2:], strides=strides, group=groups, **padding)
        if clip_at is None:
            return x
        return self.node("Clip", x, self.constant(_scalar(0)), self.constant(_scalar(clip_at)))

    def to_bytes(self) -> bytes:
        """The model, as a file would hold it."""
        graph = b"".join(
            [*self._nodes, bytes_field(_GRAPH_NAME, b"graph"), *self._constants, *self._inputs, *self._outputs]
        )
        operators = bytes_field(_MODEL_OPERATORS, number_field(_OPERATORS_VERSION, _OPERATOR_SET))
        return number_field(_MODEL_IR, _IR_VERSION) + operators + bytes_field(_MODEL_GRAPH, graph)

    def _fresh_name(self) -> str:
        self._count += 1
        return f"value_{self._count}"


def _scalar(value: float) -> npt.NDArray[np.float32]:
    return np.array(value, dtype=np.float32)


def _node(op: str, inputs: Sequence[Value], output: Value, attributes: Mapping[str, Attribute]) -> bytes:
    parts = [bytes_field(_NODE_INPUT, name.encode()) for name in inputs]
    parts += [bytes_field(_NODE_OUTPUT, output.encode()), bytes_field(_NODE_OP, op.encode())]
    for name, value in attributes.items():
        if isinstance(value, int):
            content = number_field(_ATTRIBUTE_INT, value) + number_field(_ATTRIBUTE_TYPE, _TYPE_INT)
        elif isinstance(value, float):
            content = float_field(_ATTRIBUTE_FLOAT, value) + number_field(_ATTRIBUTE_TYPE, _TYPE_FLOAT)
        elif isinstance(value, str):
            content = bytes_field(_ATTRIBUTE_TEXT, value.encode()) + number_field(_ATTRIBUTE_TYPE, _TYPE_TEXT)
        else:
            numbers = b"".join(number_field(_ATTRIBUTE_INTS, number) for number in value)
            content = numbers + number_field(_ATTRIBUTE_TYPE, _TYPE_INTS)
        parts.append(bytes_field(_NODE_ATTRIBUTE, bytes_field(_ATTRIBUTE_NAME, name.encode()) + content))
    return bytes_field(_GRAPH_NODE, b"".join(parts))


def _declaration(name: str, shape: Sequence[int | str] | None) -> bytes:
    """A `ValueInfoProto`: name = 1, type = 2; inside tensor_type = 1 with elem_type = 1, shape = 2 of dim = 1, which
    is a number (1) or a word (2)."""
    tensor = number_field(1, _DTYPES[np.dtype(np.float32)])
    if shape is not None:
        dims = [number_field(1, size) if isinstance(size, int) else bytes_field(2, size.encode()) for size in shape]
        tensor += bytes_field(2, b"".join(bytes_field(1, dim) for dim in dims))
    return bytes_field(1, name.encode()) + bytes_field(2, bytes_field(1, tensor))


def read_constants(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Returns the float32 constants of an ONNX file's nodes by name, each in its own shape, read-only.

    Raises:
        ModelError: the bytes are not an ONNX model.
    """
    found: dict[str, npt.NDArray[np.float32]] = {}
    try:
        for graph in _parts(memoryview(path.read_bytes()), _MODEL_GRAPH):
            for node in _parts(graph, _GRAPH_NODE):
                for attribute in _parts(node, _NODE_ATTRIBUTE):
                    for tensor in _parts(attribute, _ATTRIBUTE_TENSOR):
                        if (array := _float_tensor(tensor)) is not None:
                            found[str(_parts(node, _NODE_OUTPUT)[0], "utf-8")] = array
    except (ValueError, IndexError) as error:
        raise ModelError(f"The file {str(path)!r} is not an ONNX model: {error}.") from error
    return found


def _parts(message: memoryview, number: int) -> list[memoryview]:
    return [value for field, value in fields(message) if field == number and isinstance(value, memoryview)]


def _float_tensor(message: memoryview) -> npt.NDArray[np.float32] | None:
    """The array of a `TensorProto`, None if it is not of 32-bit floats."""
    if (_TENSOR_DTYPE, _DTYPES[np.dtype(np.float32)]) not in list(fields(message)):
        return None
    shape = [size for field, size in fields(message) if field == _TENSOR_DIM and isinstance(size, int)]
    content = [*_parts(message, _TENSOR_BYTES), *_parts(message, _TENSOR_FLOATS)]
    return np.frombuffer(content[0] if content else b"", dtype="<f4").reshape(shape)
