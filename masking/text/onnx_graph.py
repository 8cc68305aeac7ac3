"""Reading and rewriting an ONNX file: just enough of Protocol Buffers to exchange nodes of its graph.

The `onnx` package would do it and weighs more than the model. Numbers of fields: onnx.proto3 of ONNX 1.17.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GRAPH, _NODE, _INITIALIZER = 7, 1, 5
_INPUT, _OUTPUT, _NODE_NAME, _OPERATOR, _ATTRIBUTE, _DOMAIN = 1, 2, 3, 4, 5, 7
_ATTRIBUTE_NAME, _ATTRIBUTE_INTEGER = 1, 3
_DIMENSIONS, _DATA_TYPE, _TENSOR_NAME, _RAW = 1, 2, 8, 9
_GRAPH_OUTPUT = 12
_TYPES = {"float32": 1, "uint8": 2, "int8": 3}


@dataclass(frozen=True)
class Node:
    """An operator of the graph, with its inputs, outputs and integer attributes."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, int]


@dataclass(frozen=True)
class Graph:
    """What an ONNX file holds: its nodes in order, and its initializers as raw bytes by name."""

    nodes: tuple[Node, ...]
    tensors: Mapping[str, bytes]


def read(model: bytes) -> Graph:
    """Return the graph of an ONNX file; ValueError where it is none."""
    nodes, tensors = [], {}
    for number, _, content in _fields(_only(model, _GRAPH)):
        if number == _NODE:
            nodes.append(_node(content))
        elif number == _INITIALIZER:
            tensors[_name(content)] = next((bytes(c) for n, _, c in _fields(content) if n == _RAW), b"")
    return Graph(tuple(nodes), tensors)


def rewrite(model: bytes, replacements: Mapping[str, Iterable[bytes]], dropped: Iterable[str], added: Iterable[bytes]) -> bytes:
    """Return the file with nodes exchanged (by their first output), initializers dropped by name, and further parts added."""
    gone, out = set(dropped), []
    for number, whole, content in _fields(model):
        if number != _GRAPH:
            out.append(whole)
            continue
        parts: list[bytes] = []
        for inner, raw, body in _fields(content):
            if inner == _NODE and (first := _node(body).outputs[0]) in replacements:
                parts.extend(replacements[first])
            elif inner != _INITIALIZER or _name(body) not in gone:
                parts.append(raw)
        out.append(_block(_GRAPH, b"".join([*parts, *added])))
    return b"".join(out)


def node(operator: str, inputs: Iterable[str], output: str, domain: str = "") -> bytes:
    """A node to put into a graph."""
    parts = [_block(_INPUT, name.encode()) for name in inputs] + [_block(_OUTPUT, output.encode())]
    parts += [_block(_NODE_NAME, f"{output}/node".encode()), _block(_OPERATOR, operator.encode())]
    return _block(_NODE, b"".join(parts) + (_block(_DOMAIN, domain.encode()) if domain else b""))


def tensor(name: str, values: NDArray[Any]) -> bytes:
    """An initializer to put into a graph; float32, uint8 or int8."""
    shape = b"".join(_number(_DIMENSIONS, n) for n in values.shape)
    kind = _number(_DATA_TYPE, _TYPES[str(values.dtype)])
    return _block(_INITIALIZER, shape + kind + _block(_TENSOR_NAME, name.encode()) + _block(_RAW, np.ascontiguousarray(values).tobytes()))


def output(name: str) -> bytes:
    """A further output of a graph."""
    return _block(_GRAPH_OUTPUT, _block(1, name.encode()))


def _node(content: bytes) -> Node:
    inputs, outputs, attributes, operator = [], [], {}, ""
    for number, _, body in _fields(content):
        if number == _INPUT:
            inputs.append(body.decode())
        elif number == _OUTPUT:
            outputs.append(body.decode())
        elif number == _OPERATOR:
            operator = body.decode()
        elif number == _ATTRIBUTE:
            parts = {n: (raw, c) for n, raw, c in _fields(body)}
            if _ATTRIBUTE_INTEGER in parts:
                raw = parts[_ATTRIBUTE_INTEGER][0]
                attributes[parts[_ATTRIBUTE_NAME][1].decode()] = _varint(raw, _varint(raw, 0)[1])[0]
    return Node(operator, tuple(inputs), tuple(outputs), attributes)


def _name(content: bytes) -> str:
    return next((c.decode() for n, _, c in _fields(content) if n == _TENSOR_NAME), "")


def _only(content: bytes, wanted: int) -> bytes:
    for number, _, body in _fields(content):
        if number == wanted:
            return body
    raise ValueError("the file holds no graph")


def _fields(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The fields of a message: number, the whole field as written, and what is in it where it has a length."""
    at = 0
    while at < len(content):
        start = at
        key, at = _varint(content, at)
        kind = key & 7
        if kind == 2:
            length, at = _varint(content, at)
            yield key >> 3, content[start : at + length], content[at : at + length]
            at += length
            continue
        at = _varint(content, at)[1] if kind == 0 else at + (8 if kind == 1 else 4)
        yield key >> 3, content[start:at], b""


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _encoded(field << 3) + _encoded(value)


def _block(field: int, content: bytes) -> bytes:
    return _encoded(field << 3 | 2) + _encoded(len(content)) + content
