"""Noisy parts as they are kept: what was once released is answered again from here, the same and free of charge."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

from dpsql.any_order import expression_in_one_order, in_one_order, numbered
from dpsql.binding.pruning import pruned
from dpsql.compiling.dialects import Dialect
from dpsql.compiling.relations import Relations
from dpsql.planning.model import Part, Plan, Threshold
from dpsql.tree import Expression, Key, Relation, Release, all_fields

GroupKey = tuple[Hashable, ...]
Law = Literal["laplace", "gaussian", "noisy max"]
_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)  # two groups whose keys are rounded to one would take each other's place
_NAME = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")  # or a text, which may hold anything and is left as it is


@dataclass(frozen=True)
class KeptPart:
    """A measured part: groups and their noisy values in steps, and the noise that was added.

    A kept threshold has one group without keys, and its bound as the value.
    """

    groups: tuple[GroupKey, ...]
    values: tuple[int, ...]
    mechanism: Law
    scale: float
    epsilon: float

    def encode(self) -> bytes:
        """Return the part as canonical JSON."""
        groups = [[_plain(v) for v in g] for g in self.groups]
        document = [groups, list(self.values), self.mechanism, self.scale, self.epsilon]
        return json.dumps(document, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> KeptPart:
        """Return the part that `encode` wrote."""
        groups, values, mechanism, scale, epsilon = json.loads(data)
        return cls(tuple(tuple(_typed(v) for v in g) for g in groups), tuple(values), mechanism, scale, epsilon)


class Digests:
    """Digests of what a plan measures: the same for one question under other aliases, orders of rows and operands, and outer arithmetic.

    `domains` are the values of its public keys, since a part is measured for the groups of these alone; none where keys are private.
    """

    def __init__(self, plan: Plan, relations: Relations, dialect: Dialect, domains: Sequence[Sequence[Hashable]] = ()) -> None:
        self._plan = plan
        self._dialect = dialect
        self._relations = relations
        self._names = {field.name for field in all_fields(plan.release.rows)}
        groups = [plan.groups, plan.groups_threshold]
        self._about = [len(plan.release.keys), groups, plan.settings.min_units if plan.private_keys else None]
        self._groups = [sha256(json.dumps(sorted(map(str, map(_plain, values)))).encode()).hexdigest() for values in domains]
        self._rows: dict[Expression | None, str] = {}

    def part(self, part: Part) -> str:
        """The digest of a part."""
        threshold = None
        if part.threshold is not None:
            threshold = self.threshold(next(t for t in self._plan.thresholds if t.name == part.threshold))
        bounds = [[b.lo, b.hi] if b else None for b in (part.row, part.unit)]
        details = [part.kind, str(part.step), part.centre, bounds, threshold, part.scaled, str(part.fraction), part.bins]
        if self._groups:
            return self._digest(part.argument, [*details, ["groups", *self._groups]])
        return self._digest(part.argument, details)

    def threshold(self, threshold: Threshold) -> str:
        """The digest of a threshold."""
        of = source = None
        if threshold.of is not None:
            part = self._plan.part(threshold.of)
            source = part.argument
            of = [part.kind, str(part.step), part.centre]
        about = ["threshold", of, threshold.rows, threshold.highest, threshold.of_means]
        return self._digest(source, [*about, "total"] if threshold.total else about)

    def _digest(self, argument: Expression | None, details: Sequence[Any]) -> str:
        """The digest of what is made of `argument`: the rows count as far as it needs them, whatever else is asked of them."""
        if argument not in self._rows:
            self._rows[argument] = self._spelled(argument)
        text = "\n".join(str(item) for item in (self._rows[argument], int(argument is not None), *self._about, details))
        return sha256(text.encode()).hexdigest()

    def _spelled(self, argument: Expression | None) -> str:
        """The rows, the keys and the argument in SQL, the same for all spellings that differ in an order without a meaning."""
        keys = [key.expression for key in self._plan.release.keys]
        rows = in_one_order(pruned(self._plan.release.rows, (*keys, argument)), self._written)
        names = numbered(rows)
        above = [expression_in_one_order(one, names) for one in (*keys, *([] if argument is None else [argument]))]
        return renamed("\n".join((self._relations.sql(rows), *map(self._dialect.expression, above))), self._names)

    def _written(self, relation: Relation) -> str:
        return renamed(self._relations.sql(relation), self._names)


def place(digest: str, before: int) -> str:
    """Where the part of a digest is kept that was paid with more epsilon than those `before` it, or released with other groups."""
    return f"{digest}+{before}" if before else digest


def in_order(release: Release, dialect: Dialect) -> Release:
    """Return `release` with its keys in an order that does not depend on the query's."""
    fields = {field.name: field.name.partition("_")[2] for field in all_fields(release.rows)}

    def by_columns(key: Key) -> str:
        return _with_names(dialect.expression(expression_in_one_order(key.expression, fields)), lambda name: fields.get(name, name))

    return replace(release, keys=tuple(sorted(release.keys, key=by_columns)))


def renamed(text: str, names: Collection[str]) -> str:
    """Return SQL with the inner `names` numbered anew, in the order of their first appearance."""
    numbers: dict[str, str] = {}
    return _with_names(text, lambda name: numbers.setdefault(name, f"#{len(numbers)}") if name in names else name)


def _with_names(text: str, change: Callable[[str], str]) -> str:
    """Return SQL with its quoted names changed."""
    return _NAME.sub(lambda found: f'"{change(found.group()[1:-1])}"' if found.group()[0] == '"' else found.group(), text)


def _plain(value: Hashable) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return {"float": repr(value)}
        case datetime.datetime():
            return {"datetime": value.isoformat()}
        case datetime.date():
            return {"date": value.isoformat()}
        case Decimal():
            return {"decimal": str(value)}
        case _:
            return str(value)


def _typed(value: Any) -> Hashable:
    if not isinstance(value, dict):
        return value  # type: ignore[no-any-return]
    ((kind, text),) = value.items()
    match kind:
        case "float":
            return float(text)
        case "datetime":
            return datetime.datetime.fromisoformat(text)
        case "date":
            return datetime.date.fromisoformat(text)
        case _:
            return Decimal(text)


def group_key(values: Sequence[Any]) -> GroupKey:
    """The values of a group's keys as they are compared and kept."""
    return tuple(_comparable(v) for v in values)


def _comparable(value: Any) -> Hashable:
    match value:
        case UUID():
            return str(value)
        case Decimal():
            return int(value) if value == value.to_integral_value() else value.normalize(_EXACT)
        case float() if value.is_integer():
            return int(value)
        case _:
            return value  # type: ignore[no-any-return]
