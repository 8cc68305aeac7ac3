"""What a policy says, as frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import Mark

KEEP, REFERENCE, DROP = "keep", "reference", "drop"
UNDECIDED = "undecided"  # the class of a column of which a policy says `drop` and no more


@dataclass(frozen=True)
class Step:
    """A transformer by name and its parameters as plain values (None for none); `reference` and `drop` are the pipeline's own."""

    name: str
    parameters: Any = None
    at: Mark | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Treatment:
    """What the values of a column, or of a path into one, are and become.

    With `when` (SQL over the row) `mask` is for the rows that it accepts and `otherwise` for all others. `domain` names the set of
    columns in which equal values are masked alike, where the default is not meant; `subject` the columns that name the person.
    `paths` go into JSON and arrays; what no path names is masked by `rest`. `confidence` and `evidence` are for the reader.
    """

    klass: str
    mask: Step
    entity: str | None = None
    type: str | None = None
    when: str | None = None
    otherwise: Step | None = None
    domain: str | None = None
    subject: tuple[str, ...] = ()
    paths: Mapping[str, Treatment] = field(default_factory=dict)
    rest: Step | None = None
    confidence: float | None = None
    evidence: tuple[str, ...] = ()
    at: Mark | None = field(default=None, compare=False)

    @property
    def personal(self) -> bool:
        """Whether the values, or those of a path, tell something of a person."""
        return self.klass != "public" or any(inner.personal for inner in self.paths.values())


@dataclass(frozen=True)
class TablePolicy:
    """What becomes of a table; `drop` leaves it out. `subject` holds the columns that name the person of a row."""

    columns: Mapping[str, Treatment] = field(default_factory=dict)
    subject: tuple[str, ...] = ()
    drop: bool = False
    at: Mark | None = field(default=None, compare=False)


@dataclass(frozen=True)
class VirtualReference:
    """A reference that the database does not declare: from columns, or a path into one, to a key; `when` limits it to some rows."""

    table: str
    columns: tuple[str, ...]
    target_table: str
    target: tuple[str, ...]
    path: str | None = None
    when: str | None = None
    at: Mark | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Proof:
    """What the proof allows: so many different survivors beyond chance, and values that are common words."""

    survivors: int = 0
    common_words: bool = True


@dataclass(frozen=True)
class Policy:
    """A whole policy. `subset` and `anonymity` are as their own rooms read them: plain values and their places."""

    name: str
    tables: Mapping[str, TablePolicy]
    key: str = "ephemeral"
    locale: str = "en_US"
    references: tuple[VirtualReference, ...] = ()
    subset: Mapping[str, Any] | None = None
    anonymity: tuple[Mapping[str, Any], ...] = ()
    proof: Proof = Proof()
    file: str = field(default="policy", compare=False)
    places: Mapping[str, Mark] = field(default_factory=dict, compare=False, repr=False)

    @property
    def locales(self) -> frozenset[str]:
        """The locales that the policy names: its own, and those of single transformers."""
        columns = [c for table in self.tables.values() for c in table.columns.values()]
        treatments = [*columns, *(inner for c in columns for inner in c.paths.values())]
        steps = [step for t in treatments for step in (t.mask, t.otherwise, t.rest) if step is not None]
        return frozenset([self.locale, *(name for step in steps for name in _locales(step.parameters))])


def _locales(parameters: Any) -> Iterator[str]:
    if isinstance(parameters, Mapping):
        for name, value in parameters.items():
            if name == "locale" and isinstance(value, str):
                yield value
            else:
                yield from _locales(value)
    elif isinstance(parameters, (list, tuple)):
        for value in parameters:
            yield from _locales(value)
