"""What a load did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.ddl import NotEnforced


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a load did: rows by table, the content digest of what the database holds, and how long it took.

    `not_enforced` names what the database does not enforce by itself; its `query`s found no row. `shifted_weeks` is how far
    all times were moved.
    """

    tables: Mapping[str, int]
    content_digest: str
    seconds: float
    not_enforced: tuple[NotEnforced, ...] = ()
    shifted_weeks: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the receipt as plain JSON values."""
        return {
            "tables": dict(self.tables),
            "content_digest": self.content_digest,
            "seconds": round(self.seconds, 3),
            "shifted_weeks": self.shifted_weeks,
            "not_enforced": [
                {"table": n.table, "what": n.what, "reason": n.reason, "verified": n.query is not None} for n in self.not_enforced
            ],
        }
