"""Keys of checkpoints: Ed25519 (RFC 8032) in PEM files, the private one for its owner's eyes alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from provisioning.errors import KeyInvalid

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_VARIABLE = "COMPANYOS_AUDIT_KEY"
PUBLIC = ".pub"  # what the name of a private key's file gets for the public one
_LONGEST = 10_000


def make_key(path: Path) -> Path:
    """Make a private key at `path` and its public key beside it, whose path is returned.

    Raises KeyInvalid where either file is there already: a key is never overwritten, since what it signed could not be checked any more.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    public = path.with_name(path.name + PUBLIC)
    key = Ed25519PrivateKey.generate()
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    try:
        _write(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    except BaseException:
        path.unlink()
        raise
    return public


def configured_key() -> Path | None:
    """Return the private key's file that $COMPANYOS_AUDIT_KEY names, None where it names none; KeyInvalid where it cannot be used."""
    said = os.environ.get(KEY_VARIABLE)
    if not said:
        return None
    path = Path(said).expanduser()
    try:
        _hold_modes(path, path.stat())
    except OSError as error:
        raise KeyInvalid(f"the key '{path}' of ${KEY_VARIABLE} cannot be read: {error.strerror}") from error
    return path


def private_key_of(path: Path | None = None) -> Ed25519PrivateKey:
    """Read the private key at `path`, else that of $COMPANYOS_AUDIT_KEY; KeyInvalid where neither is said."""
    found = path or configured_key()
    if found is None:
        raise KeyInvalid(f"no key was given to sign with: --key FILE or ${KEY_VARIABLE}; `companyos audit key FILE` makes one")
    return read_private_key(found)


def public_keys_of(paths: Sequence[Path] = ()) -> list[Ed25519PublicKey]:
    """Read public keys, else the one that belongs to $COMPANYOS_AUDIT_KEY, if that is set; KeyInvalid."""
    if paths:
        return [read_public_key(path) for path in paths]
    configured = configured_key()
    return [] if configured is None else [read_private_key(configured).public_key()]


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key; KeyInvalid where others may read it, where it has a passphrase, and where it is another kind of key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_read(path, private=True), None)
    except TypeError:
        raise KeyInvalid(f"the key '{path}' has a passphrase; checkpoints are signed unattended, with a key without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyInvalid(f"'{path}' holds no private key in PEM; `companyos audit key FILE` makes one") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyInvalid(f"the key '{path}' is no Ed25519 key; `companyos audit key FILE` makes one")
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key; KeyInvalid where it is another kind of key, or a private one."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    contents = _read(path, private=False)
    if b"PRIVATE KEY" in contents:
        raise KeyInvalid(f"'{path}' is a private key; give the public one, {path.name}{PUBLIC}")
    try:
        key = load_pem_public_key(contents)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyInvalid(f"'{path}' holds no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyInvalid(f"the key '{path}' is no Ed25519 key")
    return key


def name_of(key: Ed25519PublicKey) -> str:
    """Return the public key itself in 64 hexadecimal digits, which is how checkpoints name who signed them."""
    return key.public_bytes_raw().hex()


def _read(path: Path, *, private: bool) -> bytes:
    try:
        with path.open("rb") as file:
            if private:
                _hold_modes(path, os.fstat(file.fileno()))
            return file.read(_LONGEST)
    except OSError as error:
        raise KeyInvalid(f"the key '{path}' cannot be read: {error.strerror}") from error


def _hold_modes(path: Path, found: os.stat_result) -> None:
    # as PostgreSQL has it for its keys: one of root's may be read by its group, which is how secrets are mounted into containers
    kept_from = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO if found.st_uid == 0 else stat.S_IRWXG | stat.S_IRWXO
    if found.st_mode & kept_from:
        raise KeyInvalid(
            f"the private key '{path}' is open to others (mode {stat.S_IMODE(found.st_mode):04o}): `chmod 600` it, and make another one if "
            "anybody may have read it"
        )


def _write(path: Path, contents: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        raise KeyInvalid(f"'{path}' is there already, and a key is never overwritten: take another name") from None
    except OSError as error:
        raise KeyInvalid(f"the key '{path}' cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(contents)
        file.flush()
        os.fsync(descriptor)
