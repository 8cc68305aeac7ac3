"""References to bundles: `name`, `name:version` and `name@sha256:digest`, in the grammar of OCI.

Source: OCI Distribution Specification 1.1, "Pulling manifests" (names and tags); OCI Image Specification 1.1, "Digests".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bundles.errors import ReferenceInvalid

LATEST = "latest"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*")
_VERSION = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Reference:
    """A name with a version, or with a manifest's digest (`sha256:` and 64 hexadecimal digits)."""

    name: str
    version: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.version}"


def parse(text: str) -> Reference:
    """Read a reference; a bare name means its `latest` version. Raises ReferenceInvalid."""
    _must_be_text(text)
    name, at, digest = text.partition("@")
    if at:
        if not DIGEST.fullmatch(digest):
            raise ReferenceInvalid(f"'{text}' is no reference: '@' is followed by 'sha256:' and 64 hexadecimal digits (0-9, a-f)")
        return Reference(_checked_name(text, name), digest=digest)
    name, _, version = text.partition(":")
    if ":" in text and not _VERSION.fullmatch(version):
        raise ReferenceInvalid(
            f"'{text}' is no reference: the version after ':' has 1 to 128 letters, digits, '.', '_' or '-', "
            "and does not begin with '.' or '-'"
        )
    return Reference(_checked_name(text, name), version=version or LATEST)


def parse_tag(text: str) -> Reference:
    """Read a reference that is a tag, a name with a version. Raises ReferenceInvalid."""
    tag = parse(text)
    if tag.digest:
        raise ReferenceInvalid(f"'{text}' is no tag: a tag is a name and a version, such as 'synthetic:v1'")
    return tag


def _must_be_text(given: object) -> None:
    if not isinstance(given, str):
        raise ReferenceInvalid(f"a reference to a bundle is a text such as 'name:version', not {given!r}")


def _checked_name(text: str, name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise ReferenceInvalid(
            f"'{text}' is no reference: a name has lower-case letters and digits, with '.', '_', '-' or '/' only between "
            "them, such as 'synthetic:v1'"
        )
    return name
