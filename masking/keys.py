"""The masking key: where it comes from, the keys derived from it, and a commitment to it.

The key itself is never shown, written or logged. Every use derives a key of its own (HKDF-SHA-256, RFC 5869), so that equal
values of different domains have nothing in common.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from masking.errors import KeyInvalid
from schemas.errors import InputError

MIN_BYTES = 32
_MAX_BYTES = 65_536


@dataclass(frozen=True)
class MaskingKey:
    """A secret of at least 32 bytes; `origin` is `env`, `file` or `ephemeral`, and never says more."""

    secret: bytes = field(repr=False)
    origin: str

    def __post_init__(self) -> None:
        if len(self.secret) < MIN_BYTES:
            raise KeyInvalid(f"the masking key has {len(self.secret)} bytes and needs at least {MIN_BYTES}; try `openssl rand -hex 32`")
        if len(set(self.secret)) < MIN_BYTES // 4:
            raise KeyInvalid(
                "the masking key repeats a few bytes over and over; take one from a random source, as `openssl rand -hex 32` does"
            )

    def derive(self, purpose: str) -> bytes:
        """Return the 32 bytes that belong to `purpose`; different purposes share nothing that can be told without the key."""
        try:
            from cryptography.hazmat.primitives.hashes import SHA256
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        except ModuleNotFoundError:
            raise InputError("masking needs cryptography; `pip install 'companyos-data[pii]'` brings it") from None
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"companyos/masking/{purpose}".encode()).derive(self.secret)

    @property
    def another(self) -> MaskingKey:
        """A key that follows from this one, to compare what the two give."""
        return MaskingKey(self.derive("another"), self.origin)

    @property
    def commitment(self) -> str:
        """Hexadecimal text by which two bundles can be told to share a key; it says nothing else of the key."""
        return self.derive("commitment").hex()


def read_key(reference: str) -> MaskingKey:
    """Return the key that `env:NAME`, `file:PATH` or `ephemeral` stands for.

    An ephemeral key comes from the operating system and is in memory alone. Raises KeyInvalid, whose message names the place and
    never the key, where it is missing, cannot be read or is too short.
    """
    if reference == "ephemeral":
        return MaskingKey(os.urandom(MIN_BYTES), "ephemeral")
    origin, _, place = reference.partition(":")
    if origin not in ("env", "file") or not place:
        raise KeyInvalid("the key must be `ephemeral`, `env:NAME` or `file:PATH`; the key itself never stands in a policy or an option")
    if origin == "env":
        text = os.environ.get(place, "")
        if not text.strip():
            raise KeyInvalid(f"the environment variable {place}, which should hold the masking key, is not set or empty")
        return MaskingKey(os.fsencode(text.strip()), "env")
    try:
        with Path(place).open("rb") as file:
            secret = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise KeyInvalid(f"{place!a}: the masking key cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(secret) > _MAX_BYTES:
        raise KeyInvalid(f"{place}: a masking key of more than {_MAX_BYTES:,} bytes is none; is this the right file?")
    if secret.isascii():  # written by a person or a tool; of random bytes, one like a space is a part of the key
        secret = secret.strip()
    if not secret:
        raise KeyInvalid(f"{place}: the file, which should hold the masking key, is empty")
    return MaskingKey(secret, "file")
