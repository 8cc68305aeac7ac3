"""Feistel networks on pairs: what a network reckoned pair by pair gives, forth and back, by tables and without."""

from __future__ import annotations

from hmac import digest

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from masking.feistel import Feistel
from masking.keyed import KeyedHash

KEY = KeyedHash(bytes(range(32)))
ROUNDS = 10
SIZES = [(1, 7), (300, 77), (46_341, 46_341), (90_000, 2**33), (2**33, 90_000), (2**40 + 7, 3), (2**52, 2**52)]


def pair_by_pair(left: int, right: int, sizes: tuple[int, int]) -> tuple[int, int]:
    cipher = Cipher(AES(digest(KEY.key, b"feistel|p", "sha256")), ECB()).encryptor()
    halves = [left, right]
    for i in range(ROUNDS):
        changed, read = i % 2, 1 - i % 2
        block = cipher.update(halves[read].to_bytes(8, "little") + i.to_bytes(8, "little"))
        low, high = int.from_bytes(block[:8], "little"), int.from_bytes(block[8:], "little")
        added = low if sizes[changed] <= 2**32 else high << 64 | low
        halves[changed] = (halves[changed] + added) % sizes[changed]
    return halves[0], halves[1]


@pytest.mark.parametrize("sizes", SIZES)
def test_a_column_is_mapped_as_its_pairs_are_and_back(sizes: tuple[int, int]) -> None:
    bits = np.random.default_rng(5)
    left, right = (bits.integers(0, size, 5_000).astype(np.uint64) for size in sizes)
    network = Feistel(KEY, "p", *sizes, ROUNDS)
    mapped = network.encrypt(left, right)
    some = [tuple(map(int, pair)) for pair in zip(*mapped)][::50]
    assert some == [pair_by_pair(int(one), int(other), sizes) for one, other in zip(left[::50], right[::50])]
    back = network.decrypt(*mapped)
    assert (back[0] == left).all() and (back[1] == right).all()


def test_tables_change_nothing() -> None:
    bits = np.random.default_rng(6)
    left, right = (bits.integers(0, 50_000, 60_000).astype(np.uint64) for _ in range(2))
    tabled = Feistel(KEY, "p", 50_000, 50_000, ROUNDS)
    by_tables = tabled.encrypt(left, right)
    assert len(tabled._tables) == 2, "the tables of both sides are to be used here"
    plain = [Feistel(KEY, "p", 50_000, 50_000, ROUNDS).encrypt(left[i : i + 100], right[i : i + 100]) for i in range(0, 1_000, 100)]
    for side in (0, 1):
        assert (np.concatenate([pair[side] for pair in plain]) == by_tables[side][:1_000]).all()
