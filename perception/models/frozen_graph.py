"""Reads the constant tensors out of a frozen TensorFlow graph, without TensorFlow.

Knows the fields of `GraphDef` that lead to a float constant; everything else is skipped unread. Nothing is executed
and nothing is unpickled. 70 MB take 0.1 s: tensors are views into the file's bytes.
Fields: tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape}.proto.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from perception.models.wire_format import fields
from streammem.errors import ModelError

_GRAPH_NODE = 1
_NODE_NAME, _NODE_OP, _NODE_ATTRIBUTE = 1, 2, 5
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_VALUE_TENSOR = 8
_TENSOR_DTYPE, _TENSOR_SHAPE, _TENSOR_CONTENT, _TENSOR_FLOATS = 1, 2, 4, 5
_SHAPE_DIM, _DIM_SIZE = 2, 1
_DT_FLOAT = 1


def read_constants(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Returns every float constant of a `GraphDef` file by its node's name, each in its own shape, read-only.

    Raises:
        ModelError: the bytes are not a `GraphDef`.
    """
    found: dict[str, npt.NDArray[np.float32]] = {}
    try:
        for field, node in fields(memoryview(path.read_bytes())):
            if field != _GRAPH_NODE or isinstance(node, int):
                continue
            name, op, tensor = _node(node)
            if op == "Const" and tensor is not None and (array := _float_tensor(tensor)) is not None:
                found[name] = array
    except ValueError as error:
        raise ModelError(f"The file {str(path)!r} is not a frozen TensorFlow graph: {error}.") from error
    return found


def _node(message: memoryview) -> tuple[str, str, memoryview | None]:
    """Name, operation and, of a constant, its tensor."""
    name, op, tensor = "", "", None
    for field, value in fields(message):
        if isinstance(value, int):
            continue
        if field == _NODE_NAME:
            name = str(value, "utf-8")
        elif field == _NODE_OP:
            op = str(value, "utf-8")
        elif field == _NODE_ATTRIBUTE:
            entry = dict(fields(value))
            key, attribute = entry.get(_ENTRY_KEY), entry.get(_ENTRY_VALUE)
            if isinstance(key, memoryview) and key == b"value" and isinstance(attribute, memoryview):
                found = dict(fields(attribute)).get(_VALUE_TENSOR)
                tensor = found if isinstance(found, memoryview) else None
    return name, op, tensor


def _float_tensor(message: memoryview) -> npt.NDArray[np.float32] | None:
    """The array of a `TensorProto`, None if it is not of 32-bit floats. A single value stands for a whole tensor."""
    dtype, shape = 0, ()
    content = np.zeros(0, dtype="<f4")
    for field, value in fields(message):
        if isinstance(value, int):
            dtype = value if field == _TENSOR_DTYPE else dtype
        elif field == _TENSOR_SHAPE:
            shape = tuple(_dimension(dim) for part, dim in fields(value) if part == _SHAPE_DIM)
        elif field in (_TENSOR_CONTENT, _TENSOR_FLOATS) and len(value):
            content = np.frombuffer(value, dtype="<f4")
    if dtype != _DT_FLOAT:
        return None
    return np.broadcast_to(content[0], shape) if content.size == 1 else content.reshape(shape)


def _dimension(message: int | memoryview) -> int:
    size = 0 if isinstance(message, int) else dict(fields(message)).get(_DIM_SIZE, 0)
    return size if isinstance(size, int) else 0
