"""How far the masking of a database is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """`rows` of `total` rows of all tables are done in this stage (as `learn`, `mask` or `compare`), which is now at `table`."""

    stage: str
    table: str
    rows: int
    total: int | None


OnProgress = Callable[[Progress], None]


def unseen(progress: Progress) -> None:
    """Nobody looks."""
