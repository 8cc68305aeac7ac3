"""Reading what a schema file says of privacy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import yaml

from schemas import grammar
from schemas.errors import nearest
from schemas.privacy import Budget, ColumnPrivacy, Privacy
from schemas.privacy_values import declared_bounds, declared_values
from schemas.types import SqlType
from schemas.yaml_nodes import Node, Reading

if TYPE_CHECKING:
    from schemas.table_reader import TableReader

MOST = 2**53


class PrivacyReader:
    """Reads the `privacy:` section of a schema whose tables are `tables`."""

    def __init__(self, reading: Reading, tables: Mapping[str, TableReader]) -> None:
        self._reading = reading
        self._tables = tables
        self._columns = {f"{t.name}.{c}": column.type for t in tables.values() for c, column in t.columns.items()}

    def read(self, node: Node) -> Privacy | None:
        """Return the section; None, and problems, where it names no unit. What else is wrong in it is left out."""
        reading = self._reading
        parts = reading.mapping(node, "privacy", [key.name for key in grammar.PRIVACY])
        if "unit" not in parts:
            if isinstance(node, yaml.MappingNode):
                reading.say(node, "privacy needs `unit: table.column`")
            return None
        unit = reading.text(parts["unit"][1], "unit")
        if unit is not None and unit not in self._columns:
            near = nearest(unit, self._columns)
            reading.say(parts["unit"][1], f"the privacy unit must be a column, as table.column, not '{unit[:80]}'{near}")
            return None
        if unit is None:
            return None
        public = reading.names(parts["public"][1], "public") if "public" in parts else None
        for name in public or ():
            self._table(parts["public"][1], name)
        groups = reading.integer(parts["groups"][1], "groups", 1, MOST) if "groups" in parts else None
        return Privacy(
            unit,
            public or (),
            self._through(parts["through"][1]) if "through" in parts else {},
            self._declared(parts["columns"][1]) if "columns" in parts else {},
            self._contributions(parts["contributions"][1]) if "contributions" in parts else {},
            groups,
            self._budget(parts["budget"][1]) if "budget" in parts else None,
        )

    def _table(self, node: Node, name: str) -> bool:
        if name not in self._tables:
            self._reading.say(node, f"privacy names a table that there is not: '{name[:80]}'{nearest(name, self._tables)}")
        return name in self._tables

    def _through(self, node: Node) -> dict[str, str]:
        found = {}
        for table, (key, value) in self._reading.mapping(node, "through").items():
            column = self._reading.text(value, f"the way of '{table}'")
            if self._table(key, table) and column is not None:
                if column not in self._tables[table].columns:
                    near = nearest(column, self._tables[table].columns)
                    self._reading.say(value, f"table '{table}' has no column '{column[:80]}'{near}")
                else:
                    found[table] = column
        return found

    def _contributions(self, node: Node) -> dict[str, int]:
        found = {}
        for table, (key, value) in self._reading.mapping(node, "contributions").items():
            rows = self._reading.integer(value, f"the rows of '{table}'", 1, grammar.MOST_ROWS)
            if self._table(key, table) and rows is not None:
                found[table] = rows
        return found

    def _declared(self, node: Node) -> dict[str, ColumnPrivacy]:
        found = {}
        for name, (key, value) in self._reading.mapping(node, "columns of privacy").items():
            if name not in self._columns:
                self._reading.say(key, f"privacy names a column that there is not: '{name[:80]}'{nearest(name, self._columns)}")
                continue
            parts = self._reading.mapping(value, f"the privacy of '{name}'", [k.name for k in grammar.PRIVACY_COLUMN])
            if not parts:
                if isinstance(value, yaml.MappingNode) and not value.value:
                    self._reading.say(value, f"the privacy of '{name}' is `bounds` or `values`")
                continue
            kind = self._columns[name]
            if len(parts) > 1:
                self._reading.say(value, f"'{name}' has either bounds or a closed list of values, not both")
            elif "bounds" in parts:
                bounds = self._checked(parts["bounds"][1], f"bounds of '{name}'", kind, declared_bounds)
                found[name] = ColumnPrivacy(bounds=None if bounds is None else (bounds[0], bounds[1]))
            else:
                found[name] = ColumnPrivacy(values=self._checked(parts["values"][1], f"values of '{name}'", kind, declared_values))
        return found

    def _checked(self, node: Node, what: str, kind: SqlType | None, read: Callable[..., object]) -> tuple[str, ...] | None:
        texts = [self._reading.text(inner, what) for inner in self._reading.items(node, what)]
        if not isinstance(node, yaml.SequenceNode) or kind is None or None in texts:
            return None
        try:
            read(texts, kind)
        except ValueError as error:
            self._reading.say(node, f"{what}: {error}")
            return None
        return tuple(text for text in texts if text is not None)

    def _budget(self, node: Node) -> Budget | None:
        parts = self._reading.mapping(node, "budget", [k.name for k in grammar.BUDGET])
        epsilon, delta = self._spent(node, parts, "budget")
        if epsilon is None:
            return None
        if "analyst" not in parts:
            return Budget(epsilon, delta)
        inner = self._reading.mapping(parts["analyst"][1], "analyst", ["epsilon", "delta"])
        own, own_delta = self._spent(parts["analyst"][1], inner, "analyst")
        return Budget(epsilon, delta, own, own_delta if "delta" in inner else delta) if own is not None else Budget(epsilon, delta)

    def _spent(self, node: Node, parts: Mapping[str, tuple[Node, Node]], what: str) -> tuple[float | None, float]:
        epsilon = self._reading.number(parts["epsilon"][1], "epsilon") if "epsilon" in parts else None
        delta = self._reading.number(parts["delta"][1], "delta") if "delta" in parts else 0.0
        if epsilon is None or not 0 < epsilon < 1e12 or delta is None or not 0 <= delta < 1:
            self._reading.say(node, f"{what} needs an epsilon above 0, and a delta from 0 to below 1")
            return None, 0.0
        return float(epsilon), float(delta)
