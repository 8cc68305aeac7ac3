"""What a token allows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from schemas.errors import InputError, followed, nearest

Scope = Literal["read", "write", "approve", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "write", "approve", "admin")


def scopes_of(words: Iterable[str]) -> tuple[Scope, ...]:
    """Return the scopes of these names, each once and in their order; InputError for an unknown one, and where there is none."""
    named = tuple(words)
    for word in named:
        if word not in SCOPES:
            hint = followed(nearest(word, SCOPES), f"there are {', '.join(SCOPES)}")
            raise InputError(f"there is no scope '{word[:40]}'{hint}")
    if not named:
        raise InputError(f"a token needs a scope: {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in named)
