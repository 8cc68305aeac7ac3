"""A whole schema file read from its nodes: the top-level keys, then the tables step by step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from schemas import grammar
from schemas.data_classes import with_inherited_classes
from schemas.errors import Mark
from schemas.grammar import LARGEST_SEED, names
from schemas.model import Schema
from schemas.privacy_reader import PrivacyReader
from schemas.recipe_reader import read_locale
from schemas.reference_reader import read_target
from schemas.scenario_reader import ScenarioReader
from schemas.scenarios import Scenario
from schemas.table_reader import TableReader, WrittenColumn
from schemas.times import parse_moment
from schemas.type_reader import is_type, read_enum
from schemas.types import SqlType
from schemas.yaml_nodes import Node, Parts, Reading, mark_of


@dataclass
class SchemaReader:
    """Reads a schema; `broken` holds (table, column) pairs, and (table,) for tables, whose problems are told already."""

    reading: Reading
    file: str
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tables: dict[str, TableReader] = field(default_factory=dict)
    broken: set[tuple[str, ...]] = field(default_factory=set)

    def read(self, root: Node) -> Schema | None:
        """Return the schema; None where there are no tables to speak of. Problems are noted in `reading`."""
        reading = self.reading
        before = len(reading.problems)
        top = reading.mapping(root, "a schema file", names(grammar.SCHEMA))
        if not isinstance(root, yaml.MappingNode):
            return None
        mistyped = len(reading.problems) > before
        for key in grammar.SCHEMA:
            if key.required and key.name not in top and not mistyped:
                reading.say(root, f"a schema file needs `{key.name}:`, for example `{key.example}`")
        if "types" in top:
            self._read_types(top["types"][1])
        values: dict[str, Any] = {"name": "schema", "places": {name: mark_of(key) for name, (key, _) in top.items()}, **self._values(top)}
        if "tables" in top:
            self._read_tables(top["tables"][1])
        self._resolve_references()
        for table in self.tables.values():
            for column in table.columns.values():
                self._inherit_type(table, column, ())
        if "privacy" in top:
            values["privacy"] = PrivacyReader(self.reading, self.tables).read(top["privacy"][1])
        schema = Schema(tables=tuple(t.finish() for t in self.tables.values()), enums=self.enums, file=self.file, **values)
        self.broken |= {(t.name, c) for t in self.tables.values() for c in t.broken}
        schema = with_inherited_classes(schema, {(t.name, c) for t in self.tables.values() for c in t.classed})
        return self._with_scenarios(top["scenarios"][1], schema) if "scenarios" in top else schema

    def _with_scenarios(self, node: Node, schema: Schema) -> Schema:
        reader = ScenarioReader(self.reading, schema, self.file, self.broken)
        found: dict[str, float | Scenario] = {}
        places: dict[str, Mark] = {}
        for name, (key, value) in self.reading.mapping(node, "scenarios").items():
            read: float | Scenario | None
            if isinstance(value, yaml.MappingNode):
                named = self.reading.name(key, "the name of a scenario")
                read = None if named is None else reader.read(named, value)
            else:
                read = self.reading.share(value, f"the share of '{name}'")
            if read is not None:
                found[name] = read
                places[name] = mark_of(key)
        return replace(schema, scenarios=found, scenario_places=places)

    def _values(self, top: Parts) -> dict[str, Any]:
        """The plain values among the top-level keys; those that are wrong are left out."""
        reading = self.reading
        values: dict[str, Any] = {}
        for key, (_, node) in top.items():
            if key == "schema":
                values["name"] = reading.name(node, "the name of a schema")
            elif key == "seed":
                values["seed"] = reading.integer(node, "seed", 0, LARGEST_SEED)
            elif key == "anchor":
                values["anchor"] = self._anchor(node)
            elif key == "locale":
                mix = read_locale(reading, node, "locale")
                values["locale"] = {mix: 1.0} if isinstance(mix, str) else mix and {k: float(v) for k, v in mix.items()}
                values["locale_at"] = mark_of(node)
            elif key == "comment":
                values["comment"] = reading.text(node, "comment")
        return {key: value for key, value in values.items() if value is not None}

    def _anchor(self, node: Node) -> int | None:
        text = self.reading.text(node, "anchor")
        try:
            return None if text is None else parse_moment(text)
        except ValueError as error:
            self.reading.say(node, f"anchor: {error}")
            return None

    def _read_types(self, node: Node) -> None:
        entries = self.reading.mapping(node, "types")
        self.reading.different_names([key for key, _ in entries.values()], "types")
        for name, (key, value) in entries.items():
            if self.reading.name(key, "the name of a type") is None:
                continue
            if is_type(name):
                self.reading.say(key, f"'{name}' is a type already; give the enum another name")
                continue
            found = read_enum(self.reading, value)
            self.enums[name] = found or ("",)
            if found is None:
                self.broken.add(("types", name))

    def _read_tables(self, node: Node) -> None:
        reading = self.reading
        entries = reading.mapping(node, "tables")
        if isinstance(node, yaml.MappingNode) and not node.value:
            reading.say(node, "a schema needs at least one table")
        reading.different_names([key for key, _ in entries.values()], "tables")
        for name, (key, value) in entries.items():
            if not self._is_table_name(key):
                self.broken.add((name,))
                continue
            table = TableReader(reading, name, key, value)
            self.tables[name] = table
            table.read_columns(self.enums)
            if not table.columns:
                self.broken.add((name,))

    def _is_table_name(self, node: Node) -> bool:
        """Whether both parts of a name such as `sales.orders` are names."""
        before = len(self.reading.problems)
        for part in node.value.split(".", 1):
            self.reading.name(yaml.ScalarNode(node.tag, part, node.start_mark, node.end_mark, '"'), "the name of a table")
        return len(self.reading.problems) == before

    # References and the types that come with them

    def _resolve_references(self) -> None:
        known = {t.name: tuple(t.columns) for t in self.tables.values()}
        unreadable = {name[0] for name in self.broken if len(name) == 1}
        known |= dict.fromkeys(unreadable - set(known), ())
        for table in self.tables.values():
            for reference in table.references:
                target = read_target(self.reading, reference.node, known, len(reference.columns), unreadable)
                if target is None or target[0] not in self.tables:
                    table.broken.update(reference.columns)
                    self.broken.add((table.name, "*references"))
                else:
                    table.foreign_keys.append(reference.to(target))

    def _inherit_type(self, table: TableReader, column: WrittenColumn, seen: tuple[tuple[str, str], ...]) -> SqlType | None:
        if column.type is not None or column.name in table.broken:
            return column.type
        here = (table.name, column.name)
        if here in seen:
            circle = " -> ".join(f"{t}.{c}" for t, c in (*seen[seen.index(here) :], here))
            self.reading.say(column.node, f"no type is given along these references: {circle}; give one of them `type:`")
            for name, broken in seen:
                self.tables[name].broken.add(broken)
            return None
        for key in table.foreign_keys:
            if column.name in key.columns:
                target = self.tables[key.table]
                found = target.columns[key.target[key.columns.index(column.name)]]
                column.type = self._inherit_type(target, found, (*seen, here))
                break
        else:
            self.reading.say(column.node, f"column '{column.name}' needs `type:`, or `references: table.column`")
        if column.type is None:
            table.broken.add(column.name)
        return column.type
