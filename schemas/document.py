"""Schemas as plain JSON data, as the configs of bundles hold them, and back.

Whatever has an order (tables, columns, weights, states) is a list, for canonical JSON sorts the members of objects. Numbers
that JSON readers may round (whole numbers of more than 53 bits) become `{"$number": "..."}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.document_names import check_names
from schemas.document_shape import NUMBER, check_shape, to_number
from schemas.errors import InputError
from schemas.json_shapes import Misfit
from schemas.model import Check, Column, Correlation, ForeignKey, Index, Lives, Present, Recipe, Rows, Schema, Table, Unique
from schemas.privacy import Privacy
from schemas.privacy_values import declared_bounds, declared_values
from schemas.recipes import BY_NAME
from schemas.scenario_document import scenario_data, to_scenario
from schemas.scenarios import Scenario
from schemas.types import SqlType

FORMAT = 1

_SAFE = 2**53
_ANCHOR = Schema("", ()).anchor
_LOCALE = Schema("", ()).locale


def to_document(schema: Schema) -> dict[str, Any]:
    """Return `schema` as JSON data: complete, without defaults, places or the file's name, and the same on every machine."""
    return {
        "format": FORMAT,
        "name": schema.name,
        **_kept(
            seed=_number(schema.seed) if schema.seed else None,
            anchor=_number(schema.anchor) if schema.anchor != _ANCHOR else None,
            locale=_pairs(schema.locale) if schema.locale != _LOCALE else None,
            enums=[[name, list(values)] for name, values in schema.enums.items()],
            privacy_unit=schema.privacy_unit,
            privacy=None if schema.privacy is None else schema.privacy.to_document(),
            scenarios=[[name, _scenario(scenario)] for name, scenario in schema.scenarios.items()],
            comment=schema.comment,
        ),
        "tables": [_table(table) for table in schema.tables],
    }


def from_document(document: Mapping[str, Any]) -> Schema:
    """Return the schema that `to_document` wrote; raises InputError where the data is none of its making."""
    if document.get("format") != FORMAT:
        raise InputError(f"the schema is written in format {document.get('format')!r}, and this version reads format {FORMAT}")
    try:
        check_shape(document)
        check_names(document)
        schema = Schema(
            document["name"],
            tuple(_to_table(table) for table in document["tables"]),
            to_number(document.get("seed", 0)),
            to_number(document.get("anchor", _ANCHOR)),
            _to_mix(document["locale"]) if "locale" in document else _LOCALE,
            {name: tuple(values) for name, values in document.get("enums", [])},
            Privacy.from_document(document["privacy_unit"], document.get("privacy", {})) if "privacy_unit" in document else None,
            {name: _to_scenario(name, data) for name, data in document.get("scenarios", [])},
            document.get("comment"),
        )
        _check_declared(schema)
    except Misfit as misfit:
        raise InputError(f"its schema cannot be read: {misfit}") from None
    return schema


def _check_declared(schema: Schema) -> None:
    """Raise Misfit where bounds or values that are declared for privacy are none of their column's type."""
    for place, (path, said) in enumerate(schema.privacy.columns.items() if schema.privacy else ()):
        found = schema.at(path)
        for part, texts, read in (("bounds", said.bounds, declared_bounds), ("values", said.values, declared_values)):
            if texts is not None and found is not None:
                try:
                    read(texts, found[1].type)
                except ValueError:
                    raise Misfit(f"{part} of the type {found[1].type}", "privacy", "columns", place, 1, part) from None


def _kept(**members: Any) -> dict[str, Any]:
    """The members that say something: neither None nor False nor empty."""
    return {name: value for name, value in members.items() if value is not None and value is not False and value not in ([], {})}


def _pairs(mapping: Mapping[str, Any]) -> list[list[Any]]:
    return [[key, _number(value)] for key, value in mapping.items()]


def _to_mix(pairs: list[list[Any]]) -> dict[str, float]:
    return {key: float(to_number(value)) for key, value in pairs}


def _scenario(scenario: Scenario | float) -> Any:
    if not isinstance(scenario, Scenario):
        return _number(scenario)
    return scenario_data(scenario, _recipe, lambda value: _argument("distribution", value))


def _to_scenario(name: str, data: Any) -> Scenario | float:
    if not isinstance(data, Mapping) or NUMBER in data:
        return float(to_number(data))
    return to_scenario(name, data, _to_recipe, lambda value: _to_argument("distribution", value))


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return value if abs(value) < _SAFE else {NUMBER: repr(value)}


# Tables


def _table(table: Table) -> dict[str, Any]:
    locale = table.locale
    return {
        "name": table.name,
        "rows": _rows(table.rows),
        "columns": [_column(column) for column in table.columns],
        **_kept(
            key=list(table.key),
            unique=[_kept(columns=list(u.columns), name=u.name) for u in table.unique],
            foreign_keys=[_foreign_key(f) for f in table.foreign_keys],
            checks=[_kept(sql=c.sql, name=c.name) for c in table.checks],
            rules=[_kept(sql=r.sql, name=r.name) for r in table.rules],
            correlate=[{"columns": list(c.columns), "matrix": [list(row) for row in c.matrix]} for c in table.correlate],
            indexes=[_kept(columns=list(i.columns), name=i.name, unique=i.unique) for i in table.indexes],
            comment=table.comment,
            locale=_pairs(locale) if isinstance(locale, Mapping) else locale,
        ),
        **({} if table.lives is None else {"lives": _kept(**{"from": table.lives.begins, "until": table.lives.ends})}),
    }


def _to_table(data: Mapping[str, Any]) -> Table:
    locale = data.get("locale")
    return Table(
        data["name"],
        tuple(_to_column(column) for column in data["columns"]),
        _to_rows(data["rows"]),
        tuple(data.get("key", ())),
        tuple(Unique(tuple(u["columns"]), u.get("name")) for u in data.get("unique", ())),
        tuple(_to_foreign_key(f) for f in data.get("foreign_keys", ())),
        tuple(Check(c["sql"], c.get("name")) for c in data.get("checks", ())),
        tuple(Index(tuple(i["columns"]), i.get("name"), i.get("unique", False)) for i in data.get("indexes", ())),
        data.get("comment"),
        _to_mix(locale) if isinstance(locale, list) else locale,
        correlate=tuple(_to_correlation(c) for c in data.get("correlate", ())),
        rules=tuple(Check(r["sql"], r.get("name")) for r in data.get("rules", ())),
        lives=Lives(data["lives"].get("from"), data["lives"].get("until")) if "lives" in data else None,
    )


def _to_correlation(data: Mapping[str, Any]) -> Correlation:
    return Correlation(tuple(data["columns"]), tuple(tuple(float(value) for value in row) for row in data["matrix"]))


def _rows(rows: Rows) -> dict[str, Any]:
    return _kept(
        count=_number(rows.count), fixed=rows.fixed, per=rows.per, total=_number(rows.total),
        each=None if rows.each is None else _argument("distribution", rows.each), mean=None if rows.mean is None else _number(rows.mean),
    )  # fmt: skip


def _to_rows(data: Mapping[str, Any]) -> Rows:
    each = _to_argument("distribution", data["each"]) if "each" in data else None
    mean = to_number(data.get("mean"))
    return Rows(to_number(data.get("count")), data.get("fixed", False), data.get("per"), each, to_number(data.get("total")), mean)


def _foreign_key(key: ForeignKey) -> dict[str, Any]:
    return _kept(
        columns=list(key.columns), table=key.table, target=list(key.target), name=key.name, within=key.within,
        acyclic=key.acyclic, skew=key.skew, depth=key.depth, weight=key.weight,
        present=None if key.present is None else _kept(**{"at": key.present.at, "from": key.present.begins, "until": key.present.ends}),
        other_than=key.other_than, greater_than=key.greater_than,
    )  # fmt: skip


def _to_foreign_key(data: Mapping[str, Any]) -> ForeignKey:
    skew, present = data.get("skew"), data.get("present")
    return ForeignKey(
        tuple(data["columns"]), data["table"], tuple(data["target"]), data.get("name"), data.get("within"),
        data.get("acyclic", False), None if skew is None else float(skew), to_number(data.get("depth")), data.get("weight"),
        None if present is None else Present(present["at"], present.get("from"), present.get("until")), data.get("other_than"),
        data.get("greater_than"),
    )  # fmt: skip


# Columns


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": _type(column.type),
        **_kept(
            null=column.null,
            identity=column.identity,
            computed=column.computed,
            default=column.default,
            generate=None if column.generate is None else _recipe(column.generate),
            semantic=column.semantic,
            comment=column.comment,
            hidden=column.hidden,
            ever=column.ever,
        ),
        "class": column.data_class,
    }


def _to_column(data: Mapping[str, Any]) -> Column:
    null = data.get("null")
    return Column(
        data["name"], _to_type(data["type"]), None if null is None else float(null), data.get("identity", False),
        data.get("computed"), data.get("default"), _to_recipe(data["generate"]) if "generate" in data else None,
        data["class"], data.get("semantic"), data.get("comment"), hidden=data.get("hidden", False), ever=data.get("ever", False),
    )  # fmt: skip


def _type(type: SqlType) -> dict[str, Any]:
    members = _kept(precision=type.precision, scale=type.scale, length=type.length, values=list(type.values), name=type.name)
    return {"kind": type.kind, **members, **({} if type.item is None else {"item": _type(type.item)})}


def _to_type(data: Mapping[str, Any]) -> SqlType:
    return SqlType(
        data["kind"], data.get("precision"), data.get("scale"), data.get("length"), tuple(data.get("values", ())),
        data.get("name"), _to_type(data["item"]) if "item" in data else None,
    )  # fmt: skip


# Recipes


def _recipe(recipe: Recipe) -> dict[str, Any]:
    kinds = {p.name: p.kind for p in BY_NAME[recipe.name].parameters}
    arguments = {name: _argument(kinds[name], value) for name, value in sorted(recipe.args.items())}
    return {"generator": recipe.name, **({"args": arguments} if arguments else {})}


def _to_recipe(data: Mapping[str, Any]) -> Recipe:
    name = data["generator"]
    kinds = {p.name: p.kind for p in BY_NAME[name].parameters}
    return Recipe(name, {key: _to_argument(kinds[key], value) for key, value in data.get("args", {}).items()})


def _argument(kind: str, value: Any) -> Any:
    match kind:
        case "recipe" | "distribution" | "case" | "span":
            return _recipe(value) if isinstance(value, Recipe) else _number(value)
        case "cases":
            return [[case, _argument("case", inner)] for case, inner in value.items()]
        case "recipes":
            return [[name, _recipe(inner)] for name, inner in value.items()]
        case "weights":
            return [[_plain(item), _number(weight)] for item, weight in value]
        case "range" | "period" | "numbers" | "measures":
            return [_number(item) for item in value]
        case "season":
            return value if isinstance(value, str) else [_number(item) for item in value]
        case "states":
            return [[state, _pairs(chances)] for state, chances in value.items()]
        case "dwell" | "locale":
            return _pairs(value) if isinstance(value, Mapping) else _number(value)
        case "rhythm":
            return {name: list(weights) for name, weights in value.items()} if isinstance(value, Mapping) else value
        case "grammar":
            return [[symbol, list(phrases)] for symbol, phrases in value.items()]
        case "scalars":
            return [_plain(item) for item in value]
    return _plain(value)


def _to_argument(kind: str, value: Any) -> Any:
    match kind:
        case "cases":
            return {case: _to_argument("case", inner) for case, inner in value}
        case "recipe" | "distribution" | "case" | "span":
            return _to_recipe(value) if isinstance(value, Mapping) and "generator" in value else to_number(value)
        case "recipes":
            return {name: _to_recipe(inner) for name, inner in value}
        case "weights":
            return tuple((_to_plain(item), to_number(weight)) for item, weight in value)
        case "range" | "period" | "numbers" | "measures":
            return tuple(to_number(item) for item in value)
        case "season":
            return value if isinstance(value, str) else tuple(to_number(item) for item in value)
        case "states":
            return {state: {target: to_number(chance) for target, chance in chances} for state, chances in value}
        case "dwell" | "locale":
            return {key: to_number(item) for key, item in value} if isinstance(value, list) else to_number(value)
        case "rhythm":
            return {name: tuple(float(w) for w in weights) for name, weights in value.items()} if isinstance(value, Mapping) else value
        case "grammar":
            return {symbol: tuple(phrases) for symbol, phrases in value}
        case "scalars":
            return tuple(_to_plain(item) for item in value)
    return _to_plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {"$" + key if key.startswith("$") else key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return _number(value)


def _to_plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {NUMBER}:
            return to_number(value)
        return {key[1:] if key.startswith("$") else key: _to_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_plain(item) for item in value]
    return value
