"""What stands around a column: its table, its constraints, and whether the rows are persons or belong to some."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Surroundings:
    """What is known of a column beside its name and values.

    `persons` says that each row of the table is a person, `linked` that the rows belong to persons: the table references one of
    persons or holds what tells of one. `medical` says that the table holds matters of health, `things` that its name means things,
    `companies` that it means companies. `unique` and `key` are the column's own. `closed` is how many values a constraint allows,
    None where none does.
    """

    persons: bool = False
    linked: bool = False
    medical: bool = False
    things: bool = False
    companies: bool = False
    unique: bool = False
    key: bool = False
    closed: int | None = None

    @property
    def personal(self) -> bool:
        """Whether the rows are persons or belong to some."""
        return self.persons or self.linked
