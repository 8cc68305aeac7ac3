"""What a transformer is: parameters from the policy, bound to one column, then a function from values to values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import pyarrow as pa

from masking.keys import MaskingKey
from schemas.model import Column, Schema, Table


class KnownTexts(Protocol):
    """What finds in texts the values that the database itself knows of persons."""

    def find(self, texts: Sequence[str]) -> list[list[tuple[int, int, str]]]:
        """Return for each text the spans in characters, end exclusive, with the kind of entity; none overlap."""
        ...


@dataclass(frozen=True)
class Context:
    """What a transformer may know of the column that it is bound to.

    `domain` names the set of columns in which equal values must be masked alike: the key at the root of a family of references
    (`users.id`), or the kind of entity (`email`). `unique` says that different values must stay different, since this column or
    another of the domain is unique. `subject_domain` is the domain of the key by which `Rows.subject` names the person of a
    row, None where the table has no subject. `distinct` is the number of different values in the whole domain where it has been
    counted. `locale` is the policy's, such as `en_US`. `known` knows the personal values of the whole source from the moment on at
    which the first value is masked. `apart` has the domains in which different values must stay different, and `distinct` of each
    (0: not counted). `learned` is one for all columns of a source: what learners of several columns learn together.
    """

    schema: Schema
    table: Table
    column: Column
    key: MaskingKey
    domain: str
    unique: bool = False
    subject_domain: str | None = None
    distinct: int | None = None
    locale: str = "en_US"
    known: KnownTexts | None = None
    apart: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    learned: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Rows:
    """The rows of one batch as the source has them, for transformers that look beyond their own column.

    `columns` are the raw columns by name, all of `length` rows; `subject` names the person of each row (the raw values of the
    columns that the policy's `subject:` says, written as text), None where the table has no subject.
    """

    columns: Mapping[str, pa.Array]
    length: int
    subject: pa.Array | None = None

    def take(self, indices: pa.Array) -> Rows:
        """The rows at `indices` (int64, no nulls), in that order and as often as they stand there."""
        return Rows(_Taken(self.columns, indices), len(indices), None if self.subject is None else self.subject.take(indices))


class _Taken(Mapping[str, pa.Array]):
    """Columns at some rows; each is taken when it is first asked for, as few transformers look at any."""

    def __init__(self, columns: Mapping[str, pa.Array], indices: pa.Array) -> None:
        self._columns = columns
        self._indices = indices
        self._taken: dict[str, pa.Array] = {}

    def __getitem__(self, name: str) -> pa.Array:
        if name not in self._taken:
            self._taken[name] = self._columns[name].take(self._indices)
        return self._taken[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


@runtime_checkable
class Masker(Protocol):
    """A transformer bound to a column."""

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        """Mask `values`, one for each of `rows`; returns as many, of the column's Arrow type, and keeps nulls null.

        Pure: the same values and rows give the same result in any batch and order. Raises MaskingFailed, without the value.
        """
        ...


@runtime_checkable
class Learner(Masker, Protocol):
    """A masker that has to see all values of its column (or domain) before it masks the first."""

    def learn(self, values: pa.Array, rows: Rows) -> None:
        """Look at a batch; all batches are shown once, in order, before `finish`."""
        ...

    def finish(self) -> None:
        """All values have been seen; raises TransformerUnfit where they cannot be masked as asked."""
        ...


class Transformer(Protocol):
    """The parameters of a transformer: a frozen dataclass whose fields are what the policy may say under its name."""

    name: ClassVar[str]

    def bind(self, context: Context) -> Masker:
        """Return the masker for a column; raises TransformerUnfit where the column's type, length or constraints do not allow it."""
        ...
