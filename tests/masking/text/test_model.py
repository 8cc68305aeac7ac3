"""The model in whole numbers: as good as it came, and each text read as if it were alone."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks._pii_texts import texts as made_texts
from masking.text import model, onnx_graph, quantization
from schemas.errors import InputError

FOLDER = model.require_installed()
FILE = (FOLDER / "onnx" / "model_q4.onnx").read_bytes()
TEXTS = [text["full_text"] for text in made_texts(60, seed=5)]


@pytest.fixture(scope="module")
def loaded() -> model.Model:
    return model.load()


def test_the_ranges_were_measured_on_the_model_that_is_installed() -> None:
    assert quantization.quantized(FILE) != FILE
    assert b"MatMulNBits" not in {n.operator.encode() for n in onnx_graph.read(quantization.quantized(FILE)).nodes}


def test_another_model_is_run_as_it_is() -> None:
    other = FILE + b"\x12\x01x"  # one more field: the producer's name
    assert quantization.quantized(other) == other


def test_rewriting_nothing_gives_the_same_bytes() -> None:
    assert onnx_graph.rewrite(FILE, {}, (), ()) == FILE


def test_whole_numbers_decide_as_floating_point_does(loaded: model.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantization, "quantized", lambda file: file)
    exact = model.Model(FOLDER)
    ours = np.concatenate([t.scores for t in loaded.read(TEXTS)])
    theirs = np.concatenate([t.scores for t in exact.read(TEXTS)])
    agree = ((ours >= 0.05) == (theirs >= 0.05)).mean()
    assert agree >= 0.97 and np.abs(ours - theirs).mean() <= 0.02, agree


def test_a_text_is_read_alike_alone_and_in_a_batch(loaded: model.Model) -> None:
    together = loaded.read(TEXTS[:20], threads=2)
    for text, tokens in zip(TEXTS[:20], together):
        [alone] = loaded.read([text])
        assert alone.starts.tolist() == tokens.starts.tolist()
        assert alone.labels[alone.scores > 0.01].tolist() == tokens.labels[tokens.scores > 0.01].tolist()
        assert np.abs(alone.scores - tokens.scores).max(initial=0) < 1e-4


def test_tokens_of_a_long_text_come_once_each_and_in_order(loaded: model.Model) -> None:
    text = "Ann Lee lives in Springfield. " * 300
    [tokens] = loaded.read([text])
    assert (np.diff(tokens.starts) > 0).all() and text[tokens.starts[-1] :].strip() == "."


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "find_spec", lambda name: None if name == "onnxruntime" else find_spec(name))
    with pytest.raises(InputError, match=r"pip install 'companyos-data\[pii\]'"):
        model.require_installed()


def test_all_labels_of_the_model_are_entities(loaded: model.Model) -> None:
    from masking.classes import ENTITIES

    labels = {n.partition("-")[2] for n in json.loads((FOLDER / "config.json").read_text())["id2label"].values()} - {""}
    assert labels == set(model.ENTITY_OF_LABEL)
    assert set(loaded.entities) <= set(ENTITIES)
