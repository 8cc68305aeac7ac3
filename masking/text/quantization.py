"""The model in whole numbers: its 4-bit weights multiplied as 7-bit integers, which runs more than twice as fast.

As the file has it, every product first turns the weights into floating point. Here the activations are divided by the range of
their channel to the power of 0.85, so that no channel drowns the others, and rounded to 8 bits; the weights take the divisor in and
are rounded to 7 bits per column (7, for instruction sets without dot products of bytes add two products in 16 bits). The ranges come from
texts once and for all (`activation_ranges.npz`), so a token's result depends on its text alone and never on the batch.
Sources: SmoothQuant (Xiao et al., 2023); Jacob et al., Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference (2018).

`python -m masking.text.quantization MODEL.onnx TOKENIZER.json TEXTS.jsonl` measures the ranges anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masking.text import onnx_graph
from masking.text.onnx_graph import Graph, Node

_RANGES = "activation_ranges.npz"
_POWER = 0.85
_WEIGHT_LIMIT = 63
_ACTIVATION_LIMIT = 127
_ZERO = 128
_FLOOR = 1e-3
_OPERATOR = "MatMulNBits"


def quantized(model: bytes) -> bytes:
    """Return the model with its products in whole numbers, or as it is where the ranges were measured on another one."""
    ranges = _ranges()
    if ranges.get("digest") is None or str(ranges["digest"]) != hashlib.sha256(model).hexdigest():
        return model
    graph = onnx_graph.read(model)
    products = [n for n in graph.nodes if n.operator == _OPERATOR]
    sources = list(dict.fromkeys(n.inputs[0] for n in products))
    widest = {source: ranges[f"r{i}"].astype(np.float64) for i, source in enumerate(sources)}
    added = [onnx_graph.tensor("/one", np.array(1, np.float32)), onnx_graph.tensor("/zero", np.array(_ZERO, np.uint8))]
    replacements: dict[str, list[bytes]] = {}
    rounded: set[str] = set()
    for product in products:
        source, result = product.inputs[0], product.outputs[0]
        divisor, step = _scales(widest[source])
        nodes = replacements.setdefault(result, [])
        if source not in rounded:
            rounded.add(source)
            added.append(onnx_graph.tensor(f"{source}/factor", (1 / (divisor * step)).astype(np.float32)))
            nodes.append(onnx_graph.node("Mul", [source, f"{source}/factor"], f"{source}/even"))
            nodes.append(onnx_graph.node("QuantizeLinear", [f"{source}/even", "/one", "/zero"], f"{source}/rounded"))
        weights = _weights(graph, product) * divisor[:, None]
        steps = np.maximum(np.abs(weights).max(0), np.finfo(np.float32).tiny) / _WEIGHT_LIMIT
        added.append(onnx_graph.tensor(f"{result}/weights", np.rint(weights / steps).astype(np.int8)))
        added.append(onnx_graph.tensor(f"{result}/steps", (steps * step).astype(np.float32)))
        inputs = [f"{source}/rounded", f"{result}/weights", "/one", f"{result}/steps", "/zero"]
        nodes.append(onnx_graph.node("MatMulIntegerToFloat", inputs, result, "com.microsoft"))
    return onnx_graph.rewrite(model, replacements, {name for n in products for name in n.inputs[1:]}, added)


def _scales(widest: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    widest = np.maximum(widest, widest.max() * _FLOOR)
    divisor = widest**_POWER
    return divisor, float((widest / divisor).max() / _ACTIVATION_LIMIT)


def _weights(graph: Graph, product: Node) -> NDArray[np.float64]:
    """The weights of a product, inputs by outputs: 4-bit numbers around 8, two in a byte, in blocks with a scale each."""
    outputs, inputs, block = product.attributes["N"], product.attributes["K"], product.attributes["block_size"]
    packed = np.frombuffer(graph.tensors[product.inputs[1]], np.uint8).reshape(outputs, inputs // block, block // 2)
    scales = np.frombuffer(graph.tensors[product.inputs[2]], np.float32).reshape(outputs, inputs // block, 1)
    numbers = np.stack([packed & 15, packed >> 4], axis=-1).reshape(outputs, inputs // block, block).astype(np.float64)
    return ((numbers - 8) * scales).reshape(outputs, inputs).T


def _ranges() -> Mapping[str, Any]:
    content = (files("masking.text") / _RANGES).read_bytes()
    with np.load(io.BytesIO(content)) as stored:
        return {name: stored[name] for name in stored.files}


def measured(model: bytes, tokenizer: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return the greatest size of each channel of what enters the products of a model, over all tokens of some texts."""
    import onnxruntime
    from tokenizers import Tokenizer

    sources = list(dict.fromkeys(n.inputs[0] for n in onnx_graph.read(model).nodes if n.operator == _OPERATOR))
    whole = onnx_graph.rewrite(model, {}, (), [onnx_graph.output(name) for name in sources])
    session = onnxruntime.InferenceSession(whole, providers=["CPUExecutionProvider"])
    widest: list[Any] = [0.0] * len(sources)
    for encoding in Tokenizer.from_file(tokenizer).encode_batch(list(texts)):
        ids = np.array([encoding.ids], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        for i, values in enumerate(session.run(sources, feed)):
            widest[i] = np.maximum(widest[i], np.abs(values[0]).max(0))
    ranges = {f"r{i}": values.astype(np.float16) for i, values in enumerate(widest)}
    return {"digest": np.array(hashlib.sha256(model).hexdigest()), **ranges}


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file, open(sys.argv[3], encoding="utf-8") as lines:
        np.savez_compressed(_RANGES, **measured(file.read(), sys.argv[2], [json.loads(line) for line in lines]))
