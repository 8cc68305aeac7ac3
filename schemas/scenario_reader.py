"""Scenarios as the schema language writes them, in a schema or in a file of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import yaml

from schemas import grammar
from schemas.errors import nearest
from schemas.grammar import MOST_ROWS, names
from schemas.model import Recipe, Schema, Table
from schemas.recipe_reader import RecipeReader
from schemas.scenarios import Change, Scenario
from schemas.types import SqlType
from schemas.yaml_nodes import Node, Parts, Reading, mark_of

_BIGINT = SqlType("bigint")
_MOMENT = SqlType("timestamptz")
_FRESH = "new "
_DURING = Recipe("between", {"period": ("-90d", "now")})


class ScenarioReader:
    """Reads scenarios of `schema`; about its parts that are `broken` nothing more is said. `file` is where they stand."""

    def __init__(self, reading: Reading, schema: Schema, file: str, broken: Collection[tuple[str, ...]] = ()) -> None:
        self._reading, self._schema, self._file, self._broken = reading, schema, file, broken

    def read(self, name: str, node: Node) -> Scenario | None:
        """Return the scenario that a mapping writes; None, and problems, where it is not sound."""
        reading = self._reading
        before = len(reading.problems)
        parts = reading.mapping(node, f"scenario '{name}'", names(grammar.SCENARIO))
        if not isinstance(node, yaml.MappingNode):
            return None
        if "subjects" not in parts:
            if len(reading.problems) == before:
                reading.say(node, f"scenario '{name}' needs `subjects: <table>`")
            return None
        table = self._table(parts["subjects"][1], "subjects")
        changes = self._changes(parts)
        near: tuple[Change, ...] = ()
        if "near" in parts:
            inner = reading.mapping(parts["near"][1], "near", names(grammar.SCENARIO_PART))
            near = self._changes(inner)
            if not near and len(reading.problems) == before:
                reading.say(parts["near"][1], "near needs `set:` or `add:`")
        if not changes and len(reading.problems) == before:
            reading.say(node, f"scenario '{name}' changes nothing; it needs `set:` or `add:`")
        values: dict[str, Any] = {}
        for key in ("share", "near_miss"):
            if key in parts:
                values[key] = reading.share(parts[key][1], f"{key} of '{name}'")
        for key in ("where", "comment"):
            if key in parts:
                values[key] = reading.text(parts[key][1], key)
        moment: Recipe | None = _DURING
        if "at" in parts:
            moment = RecipeReader(reading, _MOMENT).read(parts["at"][1])
        if table is None or moment is None or len(reading.problems) > before:
            return None
        values = {key: value for key, value in values.items() if value is not None}
        return Scenario(name, table.name, moment, changes, near, at=mark_of(node), file=self._file, **values)

    def _table(self, node: Node, what: str) -> Table | None:
        name = self._reading.text(node, what)
        if name is None:
            return None
        if self._schema.has(name):
            return self._schema.table(name)
        if (name,) not in self._broken:
            self._reading.say(node, f"{what}: there is no table '{name[:60]}'{nearest(name, [t.name for t in self._schema.tables])}")
        return None

    def _changes(self, parts: Parts) -> tuple[Change, ...]:
        found: list[Change] = []
        for verb, keys in (("set", grammar.SCENARIO_SET), ("add", grammar.SCENARIO_ADD)):
            if verb not in parts:
                continue
            for _, (key, value) in self._reading.mapping(parts[verb][1], verb).items():
                table = self._table(key, verb)
                for node in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    change = self._change(table, node, verb, names(keys))
                    if change is not None:
                        found.append(change)
        return tuple(found)

    def _change(self, table: Table | None, node: Node, verb: str, known: tuple[str, ...]) -> Change | None:
        reading = self._reading
        what = f"{verb} of '{'?' if table is None else table.name}'"
        parts = reading.mapping(node, what, known)
        if table is None or not isinstance(node, yaml.MappingNode):
            return None
        columns = self._columns(table, parts["columns"][1]) if "columns" in parts else {}
        if verb == "set" and not columns:
            if "columns" not in parts:
                reading.say(node, f"{what} needs `columns:` with a generator for each")
            return None
        values: dict[str, Any] = {}
        for key in ("where", "phase"):
            if key in parts:
                values[key] = reading.text(parts[key][1], key)
        if "pick" in parts:
            values["pick"] = reading.integer(parts["pick"][1], "pick", 1, MOST_ROWS)
        if verb == "add":
            values["count"] = RecipeReader(reading, _BIGINT).distribution(parts["count"][1], "count") if "count" in parts else 1
            values.update(self._per(parts))
        return Change(table.name, columns, at=mark_of(node), **values)

    def _per(self, parts: Parts) -> dict[str, Any]:
        if "per" not in parts:
            return {}
        node = parts["per"][1]
        text = self._reading.text(node, "per")
        if text is None:
            return {}
        fresh = text.startswith(_FRESH) and not self._schema.has(text)
        written = yaml.ScalarNode(node.tag, text.removeprefix(_FRESH) if fresh else text, node.start_mark, node.end_mark)
        table = self._table(written, "per")
        return {} if table is None else {"per": table.name, "fresh": fresh}

    def _columns(self, table: Table, node: Node) -> Mapping[str, Recipe]:
        found: dict[str, Recipe] = {}
        for name, (key, value) in self._reading.mapping(node, f"the columns of '{table.name}'").items():
            if not table.has(name):
                if (table.name, name) not in self._broken:
                    known = [c.name for c in table.columns]
                    self._reading.say(key, f"table '{table.name}' has no column '{name[:60]}'{nearest(name, known)}")
                continue
            recipe = RecipeReader(self._reading, table.column(name).type).read(value)
            if recipe is not None:
                found[name] = recipe
        return found
