"""Writes schemas as YAML in the house style; `schemas.reader` reads the same schema back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.data_classes import stated_classes
from schemas.model import Check, Column, ForeignKey, Rows, Schema, Table
from schemas.privacy import Privacy
from schemas.recipe_writer import written_distribution, written_recipe
from schemas.recipes import BY_NAME
from schemas.reference_reader import targets
from schemas.scenario_writer import written_scenario
from schemas.scenarios import Scenario
from schemas.table_reader import usual_recipe
from schemas.times import format_moment
from schemas.types import SqlType
from schemas.yaml_text import Written, flow, text, visible

Notes = Mapping[tuple[str, ...], Sequence[str]]

_WIDTH = 140
_PLAIN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}|true|false")


def to_yaml(schema: Schema, notes: Notes | None = None) -> str:
    """Return `schema` as a schema file.

    `notes` become comment lines: those of () at the head of the file, of (table,) above the table, of (table, column)
    above the column.
    """
    return "\n".join(_Writer(schema, notes or {}).lines()) + "\n"


class _Writer:
    def __init__(self, schema: Schema, notes: Notes) -> None:
        self._schema = schema
        self._notes = notes
        self._columns = {t.name: tuple(c.name for c in t.columns) for t in schema.tables}
        self._stated = stated_classes(schema)

    def lines(self) -> Iterator[str]:
        schema = self._schema
        yield from self._comment((), "")
        yield f"schema: {text(schema.name)}"
        if schema.comment is not None:
            yield f"comment: {text(schema.comment)}"
        if schema.seed:
            yield f"seed: {schema.seed}"
        yield f"anchor: {format_moment(schema.anchor)}"
        yield f"locale: {flow(schema.locale)}"
        if schema.enums:
            yield "types:"
            for name, values in schema.enums.items():
                yield f"  {text(name)}: {flow(values)}"
        yield "tables:"
        for table in schema.tables:
            yield from self._table(table)
        if schema.privacy is not None:
            yield from privacy_lines(schema.privacy)
        if schema.scenarios:
            yield from _scenarios(schema)

    def _comment(self, place: tuple[str, ...], indent: str) -> Iterator[str]:
        for note in self._notes.get(place, ()):
            for line in note.splitlines() or [""]:
                yield f"{indent}# {visible(line)}".rstrip()

    def _table(self, table: Table) -> Iterator[str]:
        yield from self._comment((table.name,), "  ")
        yield f"  {text(table.name)}:"
        if table.comment is not None:
            yield f"    comment: {text(table.comment)}"
        yield f"    rows: {flow(_rows(table.rows))}"
        if table.locale is not None:
            yield f"    locale: {flow(table.locale)}"
        unique = _shorthands(table, [(u.columns, u.name) for u in table.unique])
        references = _shorthands(table, [(f.columns, f.name) for f in table.foreign_keys])
        shorthand = {f.columns[0]: f for f in table.foreign_keys[:references]}
        yield "    columns:"
        for column in table.columns:
            yield from self._comment((table.name, column.name), "      ")
            alone = any(u.columns == (column.name,) for u in table.unique[:unique])
            yield from _column_lines(column.name, self._column(table, column, shorthand.get(column.name), alone))
        if len(table.key) > 1:
            yield f"    key: {flow(table.key)}"
        if table.unique[unique:]:
            yield from _listed("unique", [_columns(u.columns, u.name) for u in table.unique[unique:]])
        if table.foreign_keys[references:]:
            yield from _listed("foreign_keys", [self._foreign_key(f) for f in table.foreign_keys[references:]])
        if table.checks:
            yield from _checks("checks", table.checks)
        if table.rules:
            yield from _checks("rules", table.rules)
        if table.correlate:
            written = [{"columns": c.columns, "matrix": c.matrix} for c in table.correlate]
            yield f"    correlate: {flow(written[0])}" if len(written) == 1 else f"    correlate: {flow(written)}"
        if table.lives is not None:
            lives = {name: column for name, column in (("from", table.lives.begins), ("until", table.lives.ends)) if column is not None}
            yield f"    lives: {flow(lives) if lives else 'always'}"
        if table.indexes:
            yield from _listed("indexes", [_columns(i.columns, i.name, i.unique) for i in table.indexes])

    def _column(self, table: Table, column: Column, reference: ForeignKey | None, unique: bool) -> dict[str, Any]:
        parts: dict[str, Any] = {}
        if not self._inherits_type(table, column):
            parts["type"] = self._type(column.type)
        if table.key == (column.name,):
            parts["key"] = True
        if column.identity:
            parts["identity"] = True
        if reference is not None:
            parts["references"] = self._target(reference)
            parts.update(_reference_options(reference))
        if column.null is not None:
            parts[Written("null")] = column.null
        if column.computed is not None:
            parts["computed"] = column.computed
        if column.hidden:
            parts["hidden"] = True
        if column.ever:
            parts["ever"] = True
        parts.update(self._generate(table, column, unique))
        if unique:
            parts["unique"] = True
        if column.default is not None:
            parts["default"] = column.default
        if (table.name, column.name) in self._stated:
            parts["class"] = column.data_class
        usual = column.generate.name if column.generate is not None and BY_NAME[column.generate.name].semantic else None
        if column.semantic is not None and column.semantic != usual:
            parts["semantic"] = column.semantic
        if column.comment is not None:
            parts["comment"] = column.comment
        return parts

    def _generate(self, table: Table, column: Column, unique: bool) -> dict[str, Any]:
        if column.generate is None:
            return {}
        if table.foreign_key_of(column.name) is None and column.computed is None:
            usual = usual_recipe(column.type, column.name, table.key, unique=unique, identity=column.identity)
            if column.generate == usual:
                return {}
        return {"generate": written_recipe(column.generate, column.type)}

    def _inherits_type(self, table: Table, column: Column) -> bool:
        """Whether the type can be left out: a reference leads, in the end, to a column that says the same type."""
        seen: set[tuple[str, str]] = set()
        here, name = table, column.name
        while (here.name, name) not in seen:
            seen.add((here.name, name))
            key = next((f for f in here.foreign_keys if name in f.columns), None)
            if key is None:
                return len(seen) > 1
            here, name = self._schema.table(key.table), key.target[key.columns.index(name)]
            if len(seen) == 1 and here.column(name).type != column.type:
                return False
        return False

    def _type(self, type: SqlType) -> Any:
        if type.kind == "enum":
            return type.name if self._schema.enums.get(type.name or "") == type.values else {"enum": type.values}
        if type.kind == "array":
            assert type.item is not None
            item = self._type(type.item)
            return f"{item}[]" if isinstance(item, str) and f"{item}[]" not in self._schema.enums else {"array": item}
        return str(type)

    def _target(self, key: ForeignKey) -> Any:
        short = f"{key.table}.{key.target[0]}" if len(key.target) == 1 else f"{key.table}({', '.join(key.target)})"
        if targets(short, self._columns) == [(key.table, key.target)]:
            return short
        return {"table": key.table, "columns": key.target}

    def _foreign_key(self, key: ForeignKey) -> dict[str, Any]:
        name = {} if key.name is None else {"name": key.name}
        return {"columns": key.columns, "references": self._target(key), **name, **_reference_options(key)}


def _shorthands(table: Table, listed: list[tuple[tuple[str, ...], str | None]]) -> int:
    """How many constraints, from the first, can stand at their columns without changing their order."""
    places = {column.name: place for place, column in enumerate(table.columns)}
    last = -1
    for count, (columns, name) in enumerate(listed):
        if len(columns) > 1 or name is not None or places[columns[0]] <= last:
            return count
        last = places[columns[0]]
    return len(listed)


def _reference_options(key: ForeignKey) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if key.within is not None:
        options["within"] = key.within
    if key.acyclic:
        options["acyclic"] = True
    if key.depth is not None:
        options["depth"] = key.depth
    if key.skew is not None:
        options["skew"] = key.skew
    if key.weight is not None:
        options["weight"] = key.weight
    if key.present is not None:
        present = {"at": key.present.at, "from": key.present.begins, "until": key.present.ends}
        options["present"] = {name: column for name, column in present.items() if column is not None}
    if key.other_than is not None:
        options["other_than"] = key.other_than
    if key.greater_than is not None:
        options["greater_than"] = key.greater_than
    return options


def _columns(columns: tuple[str, ...], name: str | None, unique: bool = False) -> Any:
    if name is None and not unique:
        return columns
    return {"columns": columns, **({} if name is None else {"name": name}), **({"unique": True} if unique else {})}


def _rows(rows: Rows) -> Any:
    if rows.per is not None:
        each = written_distribution(0 if rows.each is None else rows.each)
        sums = {"total": rows.total, "mean": rows.mean}
        return {"per": rows.per, "count": each, **{name: value for name, value in sums.items() if value is not None}}
    return {"fixed": rows.count or 0} if rows.fixed else rows.count or 0


def _column_lines(name: str, parts: Mapping[str, Any]) -> Iterator[str]:
    line = f"      {text(name)}: {flow(parts)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"      {text(name)}:"
    for key, value in parts.items():
        yield f"        {key}: {flow(value)}"


def _listed(key: str, items: Sequence[Any]) -> Iterator[str]:
    line = f"    {key}: {flow(items)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"    {key}:"
    for item in items:
        yield f"      - {flow(item)}"


def _scenarios(schema: Schema) -> Iterator[str]:
    shares = {name: scenario for name, scenario in schema.scenarios.items() if not isinstance(scenario, Scenario)}
    if len(shares) == len(schema.scenarios):
        yield f"scenarios: {flow(shares)}"
        return
    yield "scenarios:"
    for name, scenario in schema.scenarios.items():
        written = written_scenario(scenario, schema)
        line = f"  {text(name)}: {flow(written)}"
        if len(line) <= _WIDTH or not isinstance(written, dict):
            yield line
            continue
        yield f"  {text(name)}:"
        for key, value in written.items():
            yield f"    {key}: {flow(value)}"


def _checks(key: str, checks: Sequence[Check]) -> Iterator[str]:
    named = [check for check in checks if check.name is not None]
    if len(named) < len(checks):
        yield from _listed(key, [c.sql if c.name is None else {Written(text(c.name)): c.sql} for c in checks])
        return
    yield f"    {key}:"
    for check in named:
        yield f"      {text(str(check.name))}: {text(check.sql)}"


def privacy_lines(privacy: Privacy) -> Iterator[str]:
    """Yield the lines of a `privacy:` section."""
    said = _privacy_parts(privacy)
    if list(said) == ["unit"]:
        yield f"privacy: {flow(said)}"
        return
    yield "privacy:"
    for key, value in said.items():
        if key == "columns":
            yield "  columns:"
            for name, column in value.items():
                yield f"    {text(name)}: {flow(column)}"
        else:
            yield f"  {key}: {flow(value)}"


def _privacy_parts(privacy: Privacy) -> dict[str, Any]:
    """What a `privacy:` section says, key by key, without what is not said."""
    budget = privacy.budget
    own = {"epsilon": budget.analyst_epsilon, "delta": budget.analyst_delta} if budget and budget.analyst_epsilon is not None else None
    said: dict[str, Any] = {
        "unit": privacy.unit,
        "public": list(privacy.public),
        "through": dict(privacy.through),
        "contributions": dict(privacy.contributions),
        "groups": privacy.groups,
        "budget": {"epsilon": budget.epsilon, "delta": budget.delta, **({"analyst": own} if own else {})} if budget else None,
        "columns": {
            name: {k: [_said(x) for x in v] for k, v in (("bounds", c.bounds), ("values", c.values)) if v is not None}
            for name, c in privacy.columns.items()
        },
    }
    return {key: value for key, value in said.items() if value not in (None, [], {})}


def _said(value: object) -> Written:
    """A declared value: plain numbers, dates and truths need no quotes, since the reader takes each by its column's type."""
    return Written(str(value)) if _PLAIN.fullmatch(str(value)) else text(str(value))
