"""AES-CMAC of a whole column (NIST SP 800-38B, RFC 4493, with keys of 256 bits), for what is picked or drawn by a value.

Like an HMAC it is a pseudo-random function that tells nothing without its key, but of 16 bytes, and a block takes a few nanoseconds.
The cipher is OpenSSL's, asked once for the blocks of all texts that stand at the same place in them; what is done here is to chain them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hmac import digest
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from masking.canonical import validity
from masking.keyed import UInt64
from masking.octets import Octets, Offsets, Places, octets_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext

_BLOCK = 16
_WORDS_OF_A_BLOCK = 2
_BYTES = f"V{_BLOCK}"
_MORE = _BLOCK + 1  # what is left of a text: a block and more behind it
_REDUCED = 0x87  # x^128 = x^7 + x^2 + x + 1 in the field of 2^128 elements
_SECOND = b"companyos/masking/second block"
_LONG = 1024  # bytes up to which texts are chained together
_SLICE = 2**12  # texts of which all that is reckoned with fits the processor's cache, and is no memory that the system has to give anew
_KEPT = np.array([[0xFF] * min(left, _BLOCK) + [0] * max(_BLOCK - left, 0) for left in range(_MORE + 1)], np.uint8).view("<u8")


@dataclass(frozen=True)
class Cmac:
    """AES-CMAC under one derived key of 32 bytes."""

    key: bytes = field(repr=False)

    def words(self, texts: pa.Array, count: int = 1) -> UInt64:
        """Return `count` (1 to 4) 64-bit words for every text (`string`), as rows of the result; zeros for nulls.

        The first two are the code, read from left to right, the others the code as AES enciphers it under a second key.
        """
        offsets, octets = octets_of(texts)
        starts, lengths = offsets[:-1].astype(np.int64), np.diff(offsets)
        # what is read at the place of a block may reach beyond the last text
        octets = np.concatenate([octets, np.zeros(_BLOCK, np.uint8)])
        cipher, second = block_cipher(self.key), block_cipher(self._second)
        words = np.empty((count, len(texts)), np.uint64)
        for first in range(0, len(texts), _SLICE):
            here = slice(first, first + _SLICE)
            blocks = [self._codes(cipher, octets, starts[here], lengths[here])]
            if count > _WORDS_OF_A_BLOCK:
                blocks.append(enciphered(second, blocks[0]))
            for i in range(count):
                words[i, here] = blocks[i // _WORDS_OF_A_BLOCK].view(">u8")[:, i % _WORDS_OF_A_BLOCK]
        valid = validity(texts)
        if valid is not None:
            words[:, ~valid] = 0
        return words

    def _codes(self, cipher: CipherContext, octets: Octets, starts: Places, lengths: Offsets) -> UInt64:
        """The codes of texts that begin at some places and have so many bytes, in rows of two words as they lie in memory."""
        short = np.minimum(lengths, _LONG)
        stretches = np.ndarray((len(octets) - _BLOCK + 1,), _BYTES, octets, strides=(1,))
        codes, some, done = np.zeros((len(starts), _WORDS_OF_A_BLOCK), "<u8"), np.arange(len(starts)), 0
        whole_codes = codes.view(_BYTES).ravel()
        while len(some):
            left = np.minimum(short.take(some) - done, _MORE)
            blocks = stretches[starts.take(some) + done].view("<u8").reshape(-1, _WORDS_OF_A_BLOCK)
            blocks &= _KEPT.take(left, axis=0)
            blocks ^= self._ends.take(left, axis=0)
            blocks ^= codes.take(some, axis=0)
            whole_codes[some] = enciphered(cipher, blocks).view(_BYTES).ravel()
            some, done = some[left == _MORE], done + _BLOCK
        for row in np.flatnonzero(lengths > _LONG).tolist():
            codes[row] = np.frombuffer(self._code(octets[starts[row] : starts[row] + lengths[row]]), "<u8")
        return codes

    def _code(self, text: npt.NDArray[np.uint8]) -> bytes:
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.cmac import CMAC

        code = CMAC(AES(self.key))
        code.update(text.tobytes())
        return code.finalize()

    @cached_property
    def _ends(self) -> UInt64:
        """By what is left of a text: the padding of the last block and its subkey; nothing where more is behind it."""
        first = _doubled(enciphered(block_cipher(self.key), np.zeros((1, _WORDS_OF_A_BLOCK), np.uint64)).tobytes())
        second = int.from_bytes(_doubled(first))
        padded = [(second ^ 0x80 << 8 * (_BLOCK - 1 - left)).to_bytes(_BLOCK) for left in range(_BLOCK)]
        return np.frombuffer(b"".join([*padded, first, bytes(_BLOCK)]), "<u8").reshape(-1, _WORDS_OF_A_BLOCK)

    @cached_property
    def _second(self) -> bytes:
        return digest(self.key, _SECOND, "sha256")


def _doubled(block: bytes) -> bytes:
    """Twice an element of the field of 2^128 elements (SP 800-38B, 6.1)."""
    number = int.from_bytes(block) << 1
    return (number & (1 << 8 * _BLOCK) - 1 ^ (_REDUCED if number >> 8 * _BLOCK else 0)).to_bytes(_BLOCK)


def enciphered(cipher: CipherContext, blocks: UInt64) -> UInt64:
    """Return blocks, in rows of two words as they lie in memory, enciphered one by one."""
    written = np.empty(blocks.nbytes + _BLOCK, np.uint8)  # the cipher asks for room for one more
    cipher.update_into(blocks.data.cast("B"), written.data)
    return written[: blocks.nbytes].view("<u8").reshape(-1, _WORDS_OF_A_BLOCK)


def block_cipher(key: bytes) -> CipherContext:
    """Return AES with a key of 32 bytes, of single blocks: only for codes and networks, which chain them."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    return Cipher(AES(key), ECB()).encryptor()
