"""Values of a source that the type of their column cannot carry: reading stops, since a sanitized copy is to be a true one."""

from __future__ import annotations

from masking.errors import ValueNotCarried
from schemas.model import Column


class NotCarried(ValueError):
    """A value that the column's type cannot carry; the message says what kind of value it is, and never the value."""


def loss(table: str, column: Column, error: NotCarried) -> ValueNotCarried:
    """The error of a value that cannot be carried, with what to do."""
    return ValueNotCarried(
        f"table '{table}', column '{column.name}': the source holds {error}, which a column of type {column.type} cannot carry; "
        "mend it there, or let the policy drop the column (`{class: public, mask: drop}`)"
    )
