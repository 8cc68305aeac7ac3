"""A table as the schema language writes it, read in steps: columns, references, inherited types, then the whole.

Each step looks at all tables before the next begins, so that tables may stand in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from schemas import grammar
from schemas.correlation_reader import read_correlations
from schemas.errors import Mark, nearest
from schemas.grammar import MOST_ROWS, names
from schemas.lives import beginning_of
from schemas.model import DATA_CLASSES, Check, Column, ForeignKey, Index, Lives, Recipe, Rows, Table, Unique
from schemas.recipe_reader import RecipeReader, read_locale
from schemas.recipes import BY_NAME, GENERATORS
from schemas.reference_reader import Reference, read_reference
from schemas.type_reader import read_type
from schemas.types import INTEGERS, SqlType
from schemas.yaml_nodes import Node, Parts, Reading, as_number, kind_of, mark_of

_ELSEWHERE = {
    "primary_key": "`key: true`",
    "pk": "`key: true`",
    "foreign_key": "`references: table.column`",
    "not_null": "nothing: a column is NOT NULL unless `null:` says otherwise",
    "required": "nothing: a column is NOT NULL unless `null:` says otherwise",
    "nullable": "`null:` with the share of the values that are null, such as 0.1",
    "faker": "`generate: {faker: ...}`",
    "values": "`generate: {choice: [first, second]}`",
}
_SOME_ROWS = 1000  # that a proposed generator is to suffice for
ColumnList = tuple[tuple[str, ...], str | None, bool, Mark]

_BIGINT = SqlType("bigint")
_SEMANTIC = tuple(g.name for g in GENERATORS if g.semantic)


@dataclass
class WrittenColumn:
    """A column as written; `type` stays None until it is read or inherited."""

    name: str
    node: Node
    parts: Parts
    type: SqlType | None = None


@dataclass
class TableReader:
    """Reads one table; `broken` names the columns whose problems are told already, `sound` says that no key is mistyped."""

    reading: Reading
    name: str
    node: Node
    value: Node
    parts: Parts = field(default_factory=dict)
    columns: dict[str, WrittenColumn] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    sound: bool = True
    broken: set[str] = field(default_factory=set)
    classed: set[str] = field(default_factory=set)

    def read_columns(self, enums: Mapping[str, tuple[str, ...]]) -> None:
        """Read the names, types and references of all columns."""
        reading = self.reading
        before = len(reading.problems)
        self.parts = reading.mapping(self.value, f"table '{self.name}'", names(grammar.TABLE))
        self.sound = len(reading.problems) == before
        if "columns" not in self.parts:
            if self.sound:
                reading.say(self.node, f"table '{self.name}' needs `columns:`")
            return
        node = self.parts["columns"][1]
        entries = reading.mapping(node, f"the columns of '{self.name}'")
        if isinstance(node, yaml.MappingNode) and not node.value:
            reading.say(node, f"table '{self.name}' needs at least one column")
        reading.different_names([key for key, _ in entries.values()], "columns")
        for name, (key, value) in entries.items():
            if reading.name(key, "the name of a column") is None:
                continue
            before = len(reading.problems)
            column = WrittenColumn(name, key, reading.mapping(value, f"column '{name}'", names(grammar.COLUMN), _ELSEWHERE))
            self.columns[name] = column
            if len(reading.problems) > before:
                # What a mistyped key was meant to say is not missed a second time.
                self.broken |= {name} if "references" in column.parts else {name, "*references"}
            self._read_type(column, enums)
        self._read_foreign_keys()

    def _read_type(self, column: WrittenColumn, enums: Mapping[str, tuple[str, ...]]) -> None:
        parts = column.parts
        if "type" in parts:
            column.type = read_type(self.reading, parts["type"][1], enums)
            if column.type is None:
                self.broken.add(column.name)
        if "references" in parts:
            self.references.append(read_reference(self.reading, (column.name,), parts, mark_of(parts["references"][1])))
            return
        for option in names(grammar.REFERENCE_OPTIONS):
            if option in parts:
                self.reading.say(parts[option][0], f"{option} belongs beside `references:`")

    def _read_foreign_keys(self) -> None:
        if "foreign_keys" not in self.parts:
            return
        for node in self.reading.items(self.parts["foreign_keys"][1], "foreign_keys"):
            parts = self.reading.mapping(node, "a foreign key", names(grammar.FOREIGN_KEY))
            if not {"columns", "references"} <= set(parts):
                if isinstance(node, yaml.MappingNode):
                    self.reading.say(node, "a foreign key needs `columns:` and `references: table(column, ...)`")
                continue
            columns = self._own_columns(parts["columns"][1], "a foreign key")
            if columns is not None:
                self.references.append(read_reference(self.reading, columns, parts, mark_of(node)))

    def _own_columns(self, node: Node, what: str) -> tuple[str, ...] | None:
        """Return the columns of this table that a node names; unknown and repeated ones are problems."""
        listed = self.reading.names(node, what)
        if listed is None:
            return None
        sound = True
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for place, name in enumerate(listed):
            if name not in self.columns:
                self.reading.say(items[place], f"{what}: table '{self.name}' has no column '{name[:60]}'{nearest(name, self.columns)}")
                sound = False
            elif name in listed[:place]:
                self.reading.say(items[place], f"{what}: column '{name}' stands twice")
                sound = False
        return listed if sound else None

    # The whole, when types are known

    def finish(self) -> Table:
        """Return the table; where a part is wrong, something harmless stands in its place."""
        reading, parts = self.reading, self.parts
        shorthand_key: list[str] = []
        unique: list[Unique] = []
        checks: list[Check] = []
        columns = tuple(self._column(c, shorthand_key, unique, checks) for c in self.columns.values())
        key = tuple(shorthand_key)
        if "key" in parts:
            if key:
                reading.say(parts["key"][0], "a key stands either at its columns (`key: true`) or here, not both")
            key = self._own_columns(parts["key"][1], "key") or ()
        if "unique" in parts:
            unique += [Unique(c, n, at) for c, n, _, at in self._column_lists("unique", "a unique constraint", names(grammar.UNIQUE))]
        indexes: tuple[Index, ...] = ()
        if "indexes" in parts:
            indexes = tuple(Index(*found) for found in self._column_lists("indexes", "an index", names(grammar.INDEX)))
        if "checks" in parts:
            checks += self._checks(parts["checks"][1], "check")
        rules = tuple(self._checks(parts["rules"][1], "rule")) if "rules" in parts else ()
        before = len(reading.problems)
        correlate = read_correlations(reading, parts["correlate"][1]) if "correlate" in parts else ()
        if len(reading.problems) > before:
            self.broken.add("*correlate")
        comment = reading.text(parts["comment"][1], "comment") if "comment" in parts else None
        return Table(
            self.name, columns, self._rows(), key, tuple(unique), tuple(self.foreign_keys), tuple(checks), indexes, comment,
            self._locale(), mark_of(self.node), correlate, rules, self._lives(columns),
            mark_of(parts["locale"][1]) if "locale" in parts else None, {name: mark_of(key) for name, (key, _) in parts.items()},
        )  # fmt: skip

    def _lives(self, columns: tuple[Column, ...]) -> Lives | None:
        if "lives" not in self.parts:
            return None
        reading, node = self.reading, self.parts["lives"][1]
        if isinstance(node, yaml.ScalarNode) and node.value == "always":
            return Lives(at=mark_of(node))
        parts = reading.mapping(node, "lives", names(grammar.LIVES))
        found: dict[str, str] = {}
        for key, (_, value) in parts.items():
            named = self._own_columns(value, f"{key} of lives")
            if named is not None and len(named) > 1:
                reading.say(value, f"{key} of lives is one column, not {len(named)}")
            elif named is not None:
                found[key] = named[0]
        if isinstance(node, yaml.MappingNode) and not node.value:
            reading.say(node, "lives needs `from: <column>`, `until: <column>` or both, or is `always`")
        begins = found.get("from") if "from" in parts else beginning_of(columns)
        return Lives(begins, found.get("until"), mark_of(node))

    def _locale(self) -> Mapping[str, float] | str | None:
        if "locale" not in self.parts:
            return None
        node = self.parts["locale"][1]
        if isinstance(node, yaml.ScalarNode) and node.value in self.columns:
            return str(node.value)
        found = read_locale(self.reading, node, "locale")
        return {found: 1.0} if isinstance(found, str) else found

    def _column(self, column: WrittenColumn, key: list[str], unique: list[Unique], checks: list[Check]) -> Column:
        reading, parts = self.reading, column.parts
        at = mark_of(column.node)

        def flag(name: str) -> bool:
            return bool(reading.boolean(parts[name][1], name)) if name in parts else False

        def text(name: str) -> str | None:
            return reading.text(parts[name][1], name) if name in parts else None

        before = len(reading.problems)
        if flag("key"):
            key.append(column.name)
        if flag("unique"):
            unique.append(Unique((column.name,), None, at))
        if len(reading.problems) > before:
            self.broken.add(column.name)
        if "check" in parts:
            node = parts["check"][1]
            for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
                sql = reading.text(item, "check")
                if sql is not None:
                    checks.append(Check(sql, None, mark_of(item)))
        type = column.type or SqlType("text")
        identity, computed = flag("identity"), text("computed")
        recipe = self._recipe(column, identity)
        semantic = reading.word(parts["semantic"][1], "semantic", _SEMANTIC) if "semantic" in parts else None
        if semantic is None and recipe is not None and BY_NAME[recipe.name].semantic:
            semantic = recipe.name
        if "class" in parts:
            self.classed.add(column.name)
        data_class = reading.word(parts["class"][1], "class", DATA_CLASSES) if "class" in parts else None
        null = self._null(parts["null"][1]) if "null" in parts else None
        return Column(
            column.name, type, null, identity, computed, text("default"), recipe, data_class or "internal", semantic, text("comment"), at,
            flag("hidden"), flag("ever"), {name: mark_of(value) for name, (_, value) in parts.items()},
        )  # fmt: skip

    def _null(self, node: Node) -> float | None:
        if as_number(node) is None:
            self.reading.say(node, f"null is the share of the values that are null, such as 0.1, or 0 for none yet, not {kind_of(node)}")
            return None
        return self.reading.share(node, "null")

    def _recipe(self, column: WrittenColumn, identity: bool) -> Recipe | None:
        parts, type = column.parts, column.type
        if type is None:
            return None
        if "generate" in parts:
            recipe = RecipeReader(self.reading, type).read(parts["generate"][1])
            if recipe is None:
                self.broken.add(column.name)
            return recipe
        if "computed" in parts or any(column.name in r.columns for r in self.references):
            return None
        usual = usual_recipe(type, column.name, self._key(), unique="unique" in parts, identity=identity)
        if usual is None and column.name not in self.broken:
            self.broken.add(column.name)
            example = _proposed(self.name, column.name, type, "unique" in parts)
            self.reading.say(column.node, f"column '{column.name}' ({type}) needs `generate:`, for example `generate: {example}`")
        return None if usual is None else Recipe(usual.name, usual.args, mark_of(column.node))

    def _key(self) -> tuple[str, ...]:
        if "key" in self.parts:
            node = self.parts["key"][1]
            return tuple(str(item.value) for item in (node.value if isinstance(node, yaml.SequenceNode) else [node]))
        return tuple(c.name for c in self.columns.values() if "key" in c.parts)

    def _column_lists(self, key: str, what: str, known: tuple[str, ...]) -> list[ColumnList]:
        reading, found = self.reading, []
        for item in reading.items(self.parts[key][1], key):
            name, unique, listed = None, False, item
            if isinstance(item, yaml.MappingNode):
                parts = reading.mapping(item, what, known)
                if "columns" not in parts:
                    reading.say(item, f"{what} needs `columns:`")
                    continue
                listed = parts["columns"][1]
                name = reading.name(parts["name"][1], f"the name of {what}") if "name" in parts else None
                unique = bool(reading.boolean(parts["unique"][1], "unique")) if "unique" in parts else False
            columns = self._own_columns(listed, what)
            if columns is not None:
                found.append((columns, name, unique, mark_of(item)))
        return found

    def _checks(self, node: Node, what: str) -> list[Check]:
        found = []
        for item in [node] if isinstance(node, yaml.MappingNode) else self.reading.items(node, f"{what}s"):
            if not isinstance(item, yaml.MappingNode):
                sql = self.reading.text(item, f"a {what}")
                if sql is not None:
                    found.append(Check(sql, None, mark_of(item)))
                continue
            for name, (key, value) in self.reading.mapping(item, f"{what}s").items():
                sql = self.reading.text(value, f"{what} '{name}'")
                if sql is not None and self.reading.name(key, f"the name of a {what}") is not None:
                    found.append(Check(sql, name, mark_of(value)))
        return found

    def _rows(self) -> Rows:
        reading = self.reading
        if "rows" not in self.parts:
            if self.sound:
                reading.say(self.node, f"table '{self.name}' needs `rows:`, a number or {{per: <table>, count: <distribution>}}")
            return Rows(0)
        node = self.parts["rows"][1]
        at = mark_of(node)
        if not isinstance(node, yaml.MappingNode):
            return Rows(reading.integer(node, "rows", 0, MOST_ROWS) or 0, at=at)
        parts = reading.mapping(node, "rows", names(grammar.ROWS))
        if "fixed" in parts:
            if len(parts) > 1:
                reading.say(node, "`fixed:` stands alone, without per, count, total or mean")
            return Rows(reading.integer(parts["fixed"][1], "fixed", 0, MOST_ROWS) or 0, fixed=True, at=at)
        if not {"per", "count"} <= set(parts):
            if len(parts) == len(node.value):
                reading.say(node, "rows must be a number, {fixed: <number>}, or {per: <table>, count: <distribution>}")
            return Rows(0, at=at)
        per = reading.text(parts["per"][1], "per")
        each = RecipeReader(reading, _BIGINT).count(parts["count"][1], "count")
        total = reading.integer(parts["total"][1], "total", 0, MOST_ROWS) if "total" in parts else None
        mean = reading.number(parts["mean"][1], "mean") if "mean" in parts else None
        if mean is not None and not 0 <= mean <= MOST_ROWS:
            reading.say(parts["mean"][1], f"mean must lie between 0 and {MOST_ROWS:,}, not {mean}")
        if {"total", "mean"} <= set(parts):
            reading.say(parts["mean"][0], "`total` and `mean` both say what the counts sum to; give one of them")
        if per is None:
            return Rows(0, at=at)
        return Rows(per=per, each=0 if each is None else each, total=total, mean=mean, at=mark_of(parts["per"][1]))


def usual_recipe(type: SqlType, column: str, key: tuple[str, ...], *, unique: bool, identity: bool) -> Recipe | None:
    """Return the recipe of a column that says none: keys and identities count, uuid keys are random; None for any other."""
    if type.kind in INTEGERS and (key == (column,) or identity):
        return Recipe("sequence")
    return Recipe("uuid4") if type.kind == "uuid" and (column in key or unique) else None


def _proposed(table: str, column: str, type: SqlType, unique: bool) -> str:
    """A generator that may suit a column, as it is written."""
    from schemas.check_facts import ColumnFacts  # reads all of sqlglot, which a sound schema may need nothing of
    from schemas.proposals import propose
    from schemas.recipe_writer import written_recipe
    from schemas.wanted import Wanted
    from schemas.yaml_text import flow

    return flow(written_recipe(propose(Wanted(table, column, type, _SOME_ROWS, unique, False, ColumnFacts())).recipe, type))
