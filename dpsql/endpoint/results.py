"""What a statement gives: columns and rows as they travel, and what is said beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from dpsql.answers import Answer
from dpsql.endpoint.catalog import Found
from dpsql.endpoint.catalog.rewriting import VECTORS
from dpsql.endpoint.wire_types import FLOAT8, INT2VECTOR, TEXT, WireType, wire_type


@dataclass(frozen=True)
class Shape:
    """The columns of a result, by name and type."""

    names: tuple[str, ...]
    types: tuple[WireType, ...]


@dataclass(frozen=True)
class Result:
    """`shape` is None where a statement gives no rows; `columns` has the values column by column; `tag` ends it."""

    tag: str
    shape: Shape | None = None
    columns: Sequence[Sequence[Any]] = ()
    notices: tuple[str, ...] = ()
    told: tuple[tuple[str, str], ...] = field(default=())

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.columns[0]) if self.columns else 0


def of_texts(tag: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Result:
    """Rows of text."""
    return Result(tag, Shape(tuple(names), (TEXT,) * len(names)), [[row[n] for row in rows] for n in range(len(names))])


def of_found(found: Found) -> Result:
    """What the catalogs gave."""
    types = [wire_type(t) for t in found.table.schema.types]
    types = [INT2VECTOR if n in VECTORS and t.item is not None else t for n, t in zip(found.names, types, strict=True)]
    shape = Shape(found.names, tuple(types))
    return Result(f"SELECT {found.table.num_rows}", shape, [c.to_pylist() for c in found.table.columns])


def with_error_columns(names: Sequence[str], types: Sequence[pa.DataType], noisy: Sequence[int]) -> Shape:
    """The shape of an answer with a column for the 95 % error after each noisy one."""
    shown: list[tuple[str, WireType]] = []
    for n, (name, kind) in enumerate(zip(names, types, strict=True)):
        shown.append((name, wire_type(kind)))
        if n in noisy:
            shown.append((f"{name}_error", FLOAT8))
    return Shape(tuple(n for n, _ in shown), tuple(t for _, t in shown))


def of_answer(answer: Answer, errors: bool) -> Result:
    """An answer, with a column for its errors after each noisy one where `errors` says so."""
    noisy = sorted(answer.errors) if errors else []
    shape = with_error_columns(answer.table.column_names, answer.table.schema.types, noisy)
    columns: list[Sequence[Any]] = []
    for n, column in enumerate(answer.table.columns):
        columns.append(column.to_pylist())
        if n in noisy:
            columns.append([None if e is None else float(e) for e in answer.errors[n]])
    return Result(f"SELECT {answer.table.num_rows}", shape, columns, tuple(_notices(answer)))


def _notices(answer: Answer) -> list[str]:
    cost = f"epsilon {answer.spend.epsilon:.6g}" + (f", delta {answer.spend.delta:.3g}" if answer.spend.delta else "")
    found = [f"source {answer.source}; {cost if answer.source == 'private' else 'free'}"]
    for n, errors in sorted(answer.errors.items()):
        known = [float(e) for e in errors if e is not None]
        name = answer.table.column_names[n]
        if not known:
            found += [f"{name}: the 95 % error is not known"] if errors else []
        elif min(known) == max(known):
            found.append(f"{name}: +- {known[0]:.3g} (95 %)")
        else:
            found.append(f"{name}: +- {min(known):.3g} to {max(known):.3g} (95 %)")
    return [*found, *answer.notes]
