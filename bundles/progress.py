"""How far long work is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """`rows` of `total` rows (None where nobody knows) are done in this stage, which is now at `table`.

    The stages of a build are `reuse`, `build`, `keys`, `references` and `check`, those of a verification `hash`, `values`, `keys`,
    `references` and `checks`, that of a profile `profile`.
    """

    stage: str
    table: str
    rows: int
    total: int | None


OnProgress = Callable[[Progress], None]


def unseen(progress: Progress) -> None:
    """Nobody looks."""
