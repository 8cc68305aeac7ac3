"""Reads schema files: YAML in, a checked Schema out, or every problem of the file at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from schemas.consistency import problems_of
from schemas.errors import InputError, Mark, Problem, SchemaError, nearest
from schemas.model import DATA_CLASSES, Check, Column, ForeignKey, Index, Recipe, Rows, Schema, Table, Unique
from schemas.recipe_reader import RecipeReader, read_locale
from schemas.recipes import BY_NAME, GENERATORS
from schemas.times import parse_moment
from schemas.type_reader import read_enum, read_type
from schemas.types import INTEGERS, SqlType
from schemas.yaml_nodes import Node, Reading, mark_of

SCHEMA_KEYS = ("schema", "seed", "anchor", "locale", "types", "tables", "privacy", "scenarios", "comment")
TABLE_KEYS = ("comment", "rows", "columns", "key", "unique", "foreign_keys", "checks", "indexes", "locale")
COLUMN_KEYS = (
    "type", "key", "null", "unique", "check", "default", "identity", "computed", "generate", "references", "within", "acyclic",
    "skew", "class", "semantic", "comment",
)  # fmt: skip
ROWS_KEYS = ("fixed", "per", "count", "total")
REFERENCE_KEYS = ("columns", "references", "name", "within", "acyclic", "skew")

_TARGET = re.compile(r"(.+?)\s*\(([^()]+)\)$", re.DOTALL)
_MAX_NAME = 63
_MAX_BYTES = 20_000_000


def builtin_names() -> tuple[str, ...]:
    """The names of the schemas that come with the project."""
    folder = resources.files("schemas") / "builtin"
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")))


def schema_text(name_or_path: str | os.PathLike[str]) -> tuple[str, str]:
    """Return the text of a schema file or built-in schema, and the name to use in messages; raises InputError."""
    name = os.fspath(name_or_path)
    if name in builtin_names() and not Path(name).is_file():
        return (resources.files("schemas") / "builtin" / f"{name}.yaml").read_text("utf-8"), f"{name}.yaml"
    path = Path(name)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{name}: a schema file of more than {_MAX_BYTES // 1_000_000} MB is not read")
        return path.read_bytes().decode("utf-8-sig"), name
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: this is not UTF-8 text (byte {error.start}); save the schema file as UTF-8") from None
    except FileNotFoundError:
        hint = nearest(name, builtin_names()) or f"; built in: {', '.join(builtin_names())}"
        raise InputError(f"{name}: there is no such schema file, and no built-in schema of that name{hint}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: the schema file cannot be read: {getattr(error, 'strerror', None) or error}") from None


def read_schema(name_or_path: str | os.PathLike[str], *, warnings: list[Problem] | None = None) -> Schema:
    """Read a schema file, or the built-in schema of that name; raises SchemaError with every problem, or InputError."""
    text, file = schema_text(name_or_path)
    return parse_schema(text, file, warnings=warnings)


def parse_schema(text: str, file: str = "schema.yaml", *, warnings: list[Problem] | None = None) -> Schema:
    """Read a schema from YAML text; raises SchemaError with every problem. Doubts are added to `warnings`."""
    reading = Reading()
    root = reading.compose(text)
    schema = None if root is None else _SchemaReader(reading, file).read(root)
    if reading.problems or schema is None:
        raise SchemaError(file, reading.problems)
    problems = list(problems_of(schema))
    if problems:
        raise SchemaError(file, problems)
    if warnings is not None and schema.scenarios:
        warnings.append(Problem(f"scenarios ({', '.join(schema.scenarios)}) are read and kept, and this generator does not apply them"))
    return schema


@dataclass
class _Reference:
    """A foreign key as written, before names are resolved."""

    columns: tuple[str, ...]
    target: str
    node: Node
    name: str | None = None
    within: str | None = None
    acyclic: bool = False
    skew: float | None = None


@dataclass
class _Column:
    """A column as written, before types are inherited."""

    name: str
    node: Node
    parts: dict[str, tuple[Node, Node]]
    type: SqlType | None = None
    null: float | None = None


@dataclass
class _Table:
    """A table as written."""

    name: str
    node: Node
    parts: dict[str, tuple[Node, Node]]
    columns: dict[str, _Column] = field(default_factory=dict)
    references: list[_Reference] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)


class _SchemaReader:
    def __init__(self, reading: Reading, file: str) -> None:
        self._reading = reading
        self._file = file
        self._enums: dict[str, tuple[str, ...]] = {}
        self._tables: dict[str, _Table] = {}

    def read(self, root: Node) -> Schema | None:
        reading = self._reading
        top = reading.mapping(root, "a schema file", SCHEMA_KEYS)
        if not isinstance(root, yaml.MappingNode):
            return None
        for needed in ("schema", "tables"):
            if needed not in top:
                reading.say(root, f"a schema file needs `{needed}:`")
        values: dict[str, Any] = {"name": "schema", "file": self._file}
        for key, (key_node, node) in top.items():
            self._top(key, key_node, node, values)
        if "tables" in top:
            self._read_tables(top["tables"][1])
        self._resolve()
        tables = [self._finish(table) for table in self._tables.values()]
        if "privacy" in top:
            values["privacy_unit"] = self._privacy(top["privacy"][1])
        if reading.problems or any(t is None for t in tables):
            return None
        return Schema(tables=tuple(t for t in tables if t is not None), enums=self._enums, **values)

    def _top(self, key: str, key_node: Node, node: Node, values: dict[str, Any]) -> None:
        reading = self._reading
        if key == "schema":
            values["name"] = self._name(node, "the name of a schema") or "schema"
        elif key == "seed":
            values["seed"] = reading.integer(node, "seed", 0, 2**63 - 1) or 0
        elif key == "anchor":
            text = reading.text(node, "anchor")
            try:
                values["anchor"] = parse_moment(text) if text is not None else 0
            except ValueError as error:
                reading.say(node, f"anchor: {error}")
        elif key == "locale":
            mix = read_locale(reading, node, "locale")
            if mix is not None:
                values["locale"] = {mix: 1.0} if isinstance(mix, str) else {k: float(v) for k, v in mix.items()}
        elif key == "types":
            for name, (_, value) in reading.mapping(node, "types").items():
                parts = reading.mapping(value, f"type {name}", ("enum",)) if isinstance(value, yaml.MappingNode) else None
                found = read_enum(reading, parts["enum"][1] if parts and "enum" in parts else value) if parts != {} else None
                if found is not None:
                    self._enums[name] = found
        elif key == "scenarios":
            shares = {n: reading.share(v, f"the share of {n}") for n, (_, v) in reading.mapping(node, "scenarios").items()}
            values["scenarios"] = {n: s for n, s in shares.items() if s is not None}
        elif key == "comment":
            values["comment"] = reading.text(node, "comment")

    def _name(self, node: Node, what: str) -> str | None:
        name = self._reading.text(node, what)
        if name is None:
            return None
        if not name.strip():
            self._reading.say(node, f"{what} must not be empty")
        elif len(name.encode()) > _MAX_NAME:
            self._reading.say(node, f"{what} has {len(name.encode())} bytes, and databases keep at most {_MAX_NAME}")
        elif any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in name):
            self._reading.say(node, f"{what} contains a control character")
        else:
            return name
        return None

    # Tables and columns as written

    def _read_tables(self, node: Node) -> None:
        entries = self._reading.mapping(node, "tables")
        if isinstance(node, yaml.MappingNode) and not node.value:
            self._reading.say(node, "a schema needs at least one table")
        folded: dict[str, str] = {}
        for name, (key_node, value) in entries.items():
            if self._name(key_node, "the name of a table") is None:
                continue
            if name.casefold() in folded:
                self._reading.say(key_node, f"tables '{name}' and '{folded[name.casefold()]}' differ only in case")
            folded[name.casefold()] = name
            parts = self._reading.mapping(value, f"table {name}", TABLE_KEYS)
            table = _Table(name, key_node, parts)
            self._tables[name] = table
            if isinstance(value, yaml.MappingNode):
                self._read_columns(table)
                self._read_foreign_keys(table)

    def _read_columns(self, table: _Table) -> None:
        reading = self._reading
        if "columns" not in table.parts:
            reading.say(table.node, f"table {table.name} needs `columns:`")
            return
        node = table.parts["columns"][1]
        if isinstance(node, yaml.MappingNode) and not node.value:
            reading.say(node, f"table {table.name} needs at least one column")
        folded: dict[str, str] = {}
        for name, (key_node, value) in reading.mapping(node, f"the columns of {table.name}").items():
            if self._name(key_node, "the name of a column") is None:
                continue
            if name.casefold() in folded:
                reading.say(key_node, f"columns '{name}' and '{folded[name.casefold()]}' differ only in case")
            folded[name.casefold()] = name
            parts = reading.mapping(value, f"column {name}", COLUMN_KEYS)
            column = _Column(name, key_node, parts)
            table.columns[name] = column
            if "type" in parts:
                column.type = read_type(reading, parts["type"][1], self._enums)
            if "null" in parts:
                column.null = reading.share(parts["null"][1], "null")
            if "references" in parts:
                target = reading.text(parts["references"][1], "references")
                if target is not None:
                    table.references.append(self._column_reference(name, target, parts))
            else:
                for option in ("within", "acyclic", "skew"):
                    if option in parts:
                        reading.say(parts[option][0], f"{option} belongs to a column with `references:`")

    def _column_reference(self, name: str, target: str, parts: dict[str, tuple[Node, Node]]) -> _Reference:
        return _Reference((name,), target, parts["references"][1], None, *self._reference_options(parts))

    def _reference_options(self, parts: dict[str, tuple[Node, Node]]) -> tuple[str | None, bool, float | None]:
        reading = self._reading
        within = reading.text(parts["within"][1], "within") if "within" in parts else None
        acyclic = bool(reading.boolean(parts["acyclic"][1], "acyclic")) if "acyclic" in parts else False
        skew: float | None = None
        if "skew" in parts:
            node = parts["skew"][1]
            if isinstance(node, yaml.MappingNode):
                inner = reading.mapping(node, "skew", ("zipf",))
                node = inner["zipf"][1] if "zipf" in inner else node
            found = reading.number(node, "skew")
            if found is not None and not 0 < found <= 10:
                reading.say(node, f"skew must be above 0 and at most 10, not {found}")
            elif found is not None:
                skew = float(found)
        return within, acyclic, skew

    def _read_foreign_keys(self, table: _Table) -> None:
        if "foreign_keys" not in table.parts:
            return
        reading = self._reading
        for node in reading.items(table.parts["foreign_keys"][1], "foreign_keys"):
            parts = reading.mapping(node, "a foreign key", REFERENCE_KEYS)
            if not {"columns", "references"} <= set(parts):
                if isinstance(node, yaml.MappingNode):
                    reading.say(node, "a foreign key needs `columns:` and `references: table(column, ...)`")
                continue
            columns = reading.names(parts["columns"][1], "columns")
            target = reading.text(parts["references"][1], "references")
            name = reading.text(parts["name"][1], "name") if "name" in parts else None
            if columns and target is not None:
                table.references.append(_Reference(columns, target, node, name, *self._reference_options(parts)))

    # Names resolved, types inherited

    def _resolve(self) -> None:
        for table in self._tables.values():
            for reference in table.references:
                found = self._target(reference)
                if found is not None:
                    table.foreign_keys.append(
                        ForeignKey(
                            reference.columns, *found, reference.name, reference.within, reference.acyclic, reference.skew,
                            mark_of(reference.node),
                        )
                    )  # fmt: skip
        for table in self._tables.values():
            for column in table.columns.values():
                self._inherit(table, column, [])

    def _target(self, reference: _Reference) -> tuple[str, tuple[str, ...]] | None:
        text = reference.target.strip()
        found = _TARGET.match(text)
        if found and found[1] in self._tables:
            name, columns = found[1], tuple(c.strip() for c in found[2].split(","))
        else:
            name = max((t for t in self._tables if text.startswith(t + ".")), key=len, default="")
            if not name:
                word = text.partition("(")[0].rpartition(".")[0] or text
                self._reading.say(reference.node, f"unknown table in references: {text}; write table.column{nearest(word, self._tables)}")
                return None
            columns = (text[len(name) + 1 :],)
        known = self._tables[name].columns
        for column in columns:
            if column not in known:
                self._reading.say(reference.node, f"table {name} has no column '{column}'{nearest(column, known)}")
                return None
        if len(columns) != len(reference.columns):
            self._reading.say(reference.node, f"{len(reference.columns)} columns cannot reference {len(columns)}")
            return None
        return name, columns

    def _inherit(self, table: _Table, column: _Column, seen: list[tuple[str, str]]) -> SqlType | None:
        if column.type is not None or "type" in column.parts:
            return column.type
        if (table.name, column.name) in seen:
            self._reading.say(column.node, f"the type of {column.name} goes in a circle of references; give it `type:`")
            column.type = SqlType("bigint")
            return column.type
        for key in table.foreign_keys:
            if column.name in key.columns:
                target = self._tables[key.table]
                found = target.columns[key.target[key.columns.index(column.name)]]
                column.type = self._inherit(target, found, [*seen, (table.name, column.name)])
                return column.type
        if not any(column.name in r.columns for r in table.references):
            self._reading.say(column.node, f"column {column.name} needs `type:` or `references:`")
        return None

    # Finished values

    def _finish(self, table: _Table) -> Table | None:
        reading, parts = self._reading, table.parts
        constraints: dict[str, list[Any]] = {"key": [], "unique": [], "checks": []}
        columns = [self._column(table, column, constraints) for column in table.columns.values()]
        key = tuple(constraints["key"])
        if "key" in parts:
            if key:
                reading.say(parts["key"][0], "a key stands either at its column (`key: true`) or here, not both")
            key = reading.names(parts["key"][1], "key") or ()
        unique, checks, indexes = constraints["unique"], constraints["checks"], []
        if "unique" in parts:
            unique += [Unique(c, n, a) for c, n, _, a in self._column_sets(parts["unique"][1], "unique", ("columns", "name"))]
        if "indexes" in parts:
            found = self._column_sets(parts["indexes"][1], "indexes", ("columns", "name", "unique"))
            indexes = [Index(c, n, u, a) for c, n, u, a in found]
        if "checks" in parts:
            checks += self._checks(parts["checks"][1])
        comment = reading.text(parts["comment"][1], "comment") if "comment" in parts else None
        locale = self._table_locale(table)
        rows = self._rows(table)
        if rows is None or any(c is None for c in columns):
            return None
        return Table(
            table.name, tuple(c for c in columns if c is not None), rows, key, tuple(unique), tuple(table.foreign_keys),
            tuple(checks), tuple(indexes), comment, locale, mark_of(table.node),
        )  # fmt: skip

    def _table_locale(self, table: _Table) -> Mapping[str, float] | str | None:
        if "locale" not in table.parts:
            return None
        node = table.parts["locale"][1]
        if isinstance(node, yaml.ScalarNode) and node.value in table.columns:
            return str(node.value)
        found = read_locale(self._reading, node, "locale (a locale, a mix, or a column that is a reference)")
        return {found: 1.0} if isinstance(found, str) else found

    def _column(self, table: _Table, column: _Column, constraints: dict[str, list[Any]]) -> Column | None:
        reading, parts, type = self._reading, column.parts, column.type
        if type is None:
            return None
        at = mark_of(column.node)

        def flag(name: str) -> bool:
            return bool(reading.boolean(parts[name][1], name)) if name in parts else False

        def text(name: str) -> str | None:
            return reading.text(parts[name][1], name) if name in parts else None

        if flag("key"):
            constraints["key"].append(column.name)
        if flag("unique"):
            constraints["unique"].append(Unique((column.name,), None, at))
        if "check" in parts:
            node = parts["check"][1]
            for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
                sql = reading.text(item, "check")
                if sql is not None:
                    constraints["checks"].append(Check(sql, None, mark_of(item)))
        recipe = RecipeReader(reading, type).read(parts["generate"][1]) if "generate" in parts else None
        computed = text("computed")
        if recipe is None and "generate" not in parts and computed is None:
            recipe = self._usual_recipe(table, column, type)
        return Column(
            column.name, type, column.null, flag("identity"), computed, text("default"), recipe,
            self._data_class(parts, recipe), self._semantic(parts, recipe), text("comment"), at,
        )  # fmt: skip

    def _usual_recipe(self, table: _Table, column: _Column, type: SqlType) -> Recipe | None:
        """A key without a generator is a sequence or a random uuid; any other column must say how it is made."""
        if any(column.name in r.columns for r in table.references):
            return None
        parts = column.parts
        marked = "key" in parts or "unique" in parts or "identity" in parts or self._in_key(table, column.name)
        if marked and type.kind in INTEGERS:
            return Recipe("sequence", {}, mark_of(column.node))
        if marked and type.kind == "uuid":
            return Recipe("uuid4", {}, mark_of(column.node))
        able = [g.name for g in GENERATORS if type.kind in g.fits and not g.semantic][:6]
        self._reading.say(column.node, f"column {column.name} ({type}) needs `generate:`, for example {', '.join(able)}")
        return None

    def _in_key(self, table: _Table, column: str) -> bool:
        if "key" not in table.parts:
            return False
        node = table.parts["key"][1]
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        return any(isinstance(i, yaml.ScalarNode) and i.value == column for i in items)

    def _data_class(self, parts: dict[str, tuple[Node, Node]], recipe: Recipe | None) -> str:
        if "class" in parts:
            word = self._reading.text(parts["class"][1], "class")
            if word in DATA_CLASSES:
                return str(word)
            self._reading.say(parts["class"][1], f"class must be one of {', '.join(DATA_CLASSES)}{nearest(word or '', DATA_CLASSES)}")
        return "internal" if recipe is None else BY_NAME[recipe.name].data_class

    def _semantic(self, parts: dict[str, tuple[Node, Node]], recipe: Recipe | None) -> str | None:
        if "semantic" not in parts:
            return recipe.name if recipe is not None and BY_NAME[recipe.name].semantic else None
        word = self._reading.text(parts["semantic"][1], "semantic")
        known = [g.name for g in GENERATORS if g.semantic]
        if word is not None and word not in known:
            self._reading.say(parts["semantic"][1], f"unknown semantic type '{word[:60]}'{nearest(word, known)}")
        return word

    def _column_sets(self, node: Node, what: str, known: tuple[str, ...]) -> list[tuple[tuple[str, ...], str | None, bool, Mark]]:  # fmt: skip
        reading, found = self._reading, []
        for item in reading.items(node, what):
            name, unique, columns_node = None, False, item
            if isinstance(item, yaml.MappingNode):
                parts = reading.mapping(item, f"an item of {what}", known)
                if "columns" not in parts:
                    reading.say(item, f"an item of {what} needs `columns:`")
                    continue
                columns_node = parts["columns"][1]
                name = reading.text(parts["name"][1], "name") if "name" in parts else None
                unique = bool(reading.boolean(parts["unique"][1], "unique")) if "unique" in parts else False
            columns = reading.names(columns_node, f"an item of {what}")
            if columns:
                found.append((columns, name, unique, mark_of(item)))
        return found

    def _checks(self, node: Node) -> list[Check]:
        reading = self._reading
        if isinstance(node, yaml.MappingNode):
            named = [(name, reading.text(value, "a check"), value) for name, (_, value) in reading.mapping(node, "checks").items()]
        else:
            named = [(None, reading.text(item, "a check"), item) for item in reading.items(node, "checks")]  # type: ignore[misc]
        return [Check(sql, name, mark_of(at)) for name, sql, at in named if sql is not None]

    def _rows(self, table: _Table) -> Rows | None:
        reading = self._reading
        if "rows" not in table.parts:
            reading.say(table.node, f"table {table.name} needs `rows:`, a number or {{per: table, count: ...}}")
            return None
        node = table.parts["rows"][1]
        at = mark_of(node)
        if isinstance(node, yaml.ScalarNode):
            count = reading.integer(node, "rows", 0)
            return None if count is None else Rows(count, at=at)
        parts = reading.mapping(node, "rows", ROWS_KEYS)
        if not parts:
            if isinstance(node, yaml.MappingNode) and not node.value:
                reading.say(node, "rows must be a number, {fixed: number}, or {per: table, count: ...}")
            return None
        if "fixed" in parts:
            if len(parts) > 1:
                reading.say(node, "rows with `fixed:` take nothing else")
            count = reading.integer(parts["fixed"][1], "fixed", 0)
            return None if count is None else Rows(count, fixed=True, at=at)
        if not {"per", "count"} <= set(parts):
            reading.say(node, "rows need `per:` and `count:` together")
            return None
        per = reading.text(parts["per"][1], "per")
        each = RecipeReader(reading, SqlType("bigint")).distribution(parts["count"][1], "count")
        total = reading.integer(parts["total"][1], "total", 0) if "total" in parts else None
        if per is None or each is None:
            return None
        if per not in self._tables:
            reading.say(parts["per"][1], f"unknown table '{per[:60]}' in rows{nearest(per, self._tables)}")
            return None
        recipe = each if isinstance(each, Recipe) else Recipe("uniform", {"range": (int(each), int(each))}, at)
        return Rows(per=per, each=recipe, total=total, at=at)

    def _privacy(self, node: Node) -> str | None:
        parts = self._reading.mapping(node, "privacy", ("unit",))
        if "unit" not in parts:
            if isinstance(node, yaml.MappingNode):
                self._reading.say(node, "privacy needs `unit: table.column`")
            return None
        unit = self._reading.text(parts["unit"][1], "unit")
        known = [f"{t.name}.{c}" for t in self._tables.values() for c in t.columns]
        if unit is not None and unit not in known:
            self._reading.say(parts["unit"][1], f"unknown column '{unit[:60]}'; write table.column{nearest(unit, known)}")
        return unit


