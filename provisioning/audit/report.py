"""What a verification found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from provisioning.errors import AuditBroken
from schemas.hash_chain import START, Mark

MOST = 20

Kind = Literal["altered", "removed", "added", "reordered", "rewritten", "truncated", "signature", "unguarded"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and at which row: 0 where it is no row's, such as a guard that is gone.

    `altered`: a row is not what its hash says, or the next does not follow it; `removed`: rows are missing between others; `added`: a row
    before the first; `reordered`: a row that had another number; `rewritten`: the chain is whole, but not the one that was signed;
    `truncated`: the newest rows are missing; `signature`: a checkpoint that no given key signed, or more rows without one than there may
    be; `unguarded`: the database does not refuse changes any more.
    """

    number: int
    kind: Kind
    message: str


@dataclass(slots=True)
class Report:
    """The problems, 20 of them at most and `more` beyond, in the order of their rows; how many rows there are, and the last of them.

    `checkpoints` were read beside the rows, and the chain is signed by a given key up to row `signed`, so that no signature covers
    `unsigned` rows; None where no key was given.
    """

    events: int = 0
    last: Mark = START
    checkpoints: int = 0
    signed: int = 0
    unsigned: int | None = None
    more: int = 0
    problems: list[Problem] = field(default_factory=list)

    def tell(self, number: int, kind: Kind, message: str) -> None:
        """Add a problem, or count it where there are enough."""
        if len(self.problems) < MOST:
            self.problems.append(Problem(number, kind, message))
        else:
            self.more += 1

    @property
    def warnings(self) -> list[str]:
        """What is no problem yet, and no comfort either."""
        if self.signed or not self.unsigned:
            return []
        of = "the only event" if self.unsigned == 1 else f"any of the {self.unsigned:,} events"
        return [f"no signature covers {of}, so that all could have been made anew; `companyos audit checkpoint` signs them"]

    def require(self) -> None:
        """Raise AuditBroken where there are problems."""
        if self.problems:
            said = [f"{p.kind}: {p.message}" for p in self.problems]
            raise AuditBroken("\n".join(said + ([f"and {self.more:,} more"] if self.more else [])))

    def to_json(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "verified": not self.problems,
            "events": self.events,
            "last": asdict(self.last),
            "checkpoints": self.checkpoints,
            "signed": self.signed,
            "unsigned": self.unsigned,
            "warnings": self.warnings,
            "problems": [asdict(p) for p in self.problems],
            "more": self.more,
        }
