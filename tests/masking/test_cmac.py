"""AES-CMAC of whole columns: the codes that NIST and OpenSSL give, however the texts stand together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from masking.cmac import Cmac

KEY = bytes(range(32))
# NIST SP 800-38B, appendix D.3 (updated examples of 2016): AES-256
NIST_KEY = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
EXAMPLES = {
    0: "028962f61b7bf89efc6b551f4667d983",
    16: "28a7023f452e8f82bd4bf28d8c37c35c",
    40: "aaf3d8f1de5640c232f5b169b9c911e6",
    64: "e1992190549f6ed5696a2c056c315410",
}
LENGTHS = (0, 1, 15, 16, 17, 31, 32, 33, 48, 1023, 1024, 1025, 5000)


def codes(words: np.ndarray) -> list[str]:
    return ["".join(f"{word:016x}" for word in row) for row in words[:2].T.tolist()]


def openssl(text: str, key: bytes = KEY) -> str:
    code = CMAC(AES(key))
    code.update(text.encode())
    return code.finalize().hex()


def test_the_examples_of_the_standard_come_out() -> None:
    offsets = np.cumsum([0, *EXAMPLES], dtype=np.int32)
    data = b"".join(MESSAGE[:length] for length in EXAMPLES)
    texts = pa.StringArray.from_buffers(len(EXAMPLES), pa.py_buffer(offsets), pa.py_buffer(data))
    assert codes(Cmac(NIST_KEY).words(texts, 2)) == list(EXAMPLES.values())


@pytest.mark.parametrize("length", LENGTHS)
def test_texts_of_every_length_have_the_code_that_openssl_gives(length: int) -> None:
    texts = ["x" * length, "ä" * (length // 2), "漢" * length]
    assert codes(Cmac(KEY).words(pa.array(texts), 2)) == [openssl(text) for text in texts]


@given(st.lists(st.none() | st.text(max_size=40) | st.text("é", min_size=500, max_size=520), max_size=12))
def test_a_code_does_not_depend_on_what_stands_beside_it(texts: list[str | None]) -> None:
    found = codes(Cmac(KEY).words(pa.array(texts, pa.string()), 2))
    assert found == ["0" * 32 if text is None else openssl(text) for text in texts]


def test_columns_of_many_slices_and_parts_of_columns_have_the_same_codes() -> None:
    texts = pa.array([None if i % 97 == 0 else "person " * (i % 5) + str(i) for i in range(10_000)])
    whole = Cmac(KEY).words(texts, 4)
    assert (Cmac(KEY).words(texts.slice(4_090, 200), 4) == whole[:, 4_090:4_290]).all()
    assert codes(whole)[5_001] == openssl(texts[5_001].as_py())


def test_each_word_and_each_key_tells_something_else() -> None:
    texts = pa.array([str(i) for i in range(1_000)])
    words = np.concatenate([Cmac(KEY).words(texts, 4), Cmac(KEY[::-1]).words(texts, 4)])
    assert len(np.unique(words)) == words.size  # of 8,000 words of 64 bits two are alike once in 10^11 times
    assert (Cmac(KEY).words(texts) == words[:1]).all()


def test_the_key_is_not_shown() -> None:
    assert KEY.hex() not in repr(Cmac(KEY)) and str(KEY) not in repr(Cmac(KEY))
