"""The published JSON Schema (draft 2020-12) of the schema language, for completion and hints in editors.

Made from `schemas.grammar` and the catalogue of generators; `python -m schemas.json_schema` writes it beside this module.
It accepts every file that `schemas.reader` accepts, and refuses what can be told without knowing the other tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schemas import grammar
from schemas.grammar import LARGEST_SEED, MOST_ROWS, Key
from schemas.model import DATA_CLASSES
from schemas.recipes import COUNTS, DISTRIBUTIONS, GENERATORS, PARAMETER_KINDS, SEASON_NAMES, Generator, Parameter
from schemas.types import ALIASES, KINDS

Json = dict[str, Any]

PUBLISHED = Path(__file__).with_name("schema.schema.json")

_NUMBER_TEXT = r"^[+-]?[0-9._]+([eE][+-]?[0-9]+)?$"
_DURATION = r"^[+-]?([0-9]+(\.[0-9]+)?(us|ms|mo|[smhdwy]))+$"
_LOCALE = "^[a-z]{2,3}(_[A-Z]{2})?$"
_TYPES = (*(k for k in KINDS if k not in ("enum", "array")), *ALIASES, "numeric(12,2)", "varchar(40)", "text[]")


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def _any(*schemas: Json) -> Json:
    return {"anyOf": list(schemas)}


def _list(items: Json, least: int = 1) -> Json:
    return {"type": "array", "items": items, "minItems": least}


def _map(values: Json, least: int = 1) -> Json:
    return {"type": "object", "additionalProperties": values, "minProperties": least}


def _number(least: float | None = None, most: float | None = None, kind: str = "number") -> Json:
    bounds = {"minimum": least, "maximum": most}
    return {"type": [kind, "string"], "pattern": _NUMBER_TEXT, **{name: bound for name, bound in bounds.items() if bound is not None}}


_TEXT: Json = {"type": ["string", "number", "boolean", "null"]}
_NAME: Json = {"type": ["string", "number", "boolean", "null"], "minLength": 1}
_BOOLEAN: Json = {"enum": [True, False, "true", "false"]}
_COLUMN = _any(_NAME, {"type": "array", "items": _NAME, "minItems": 1, "maxItems": 1})
_COLUMNS = _any(_NAME, {"type": "array", "items": _NAME, "minItems": 1})
_LOCALES = _any({"type": "string", "pattern": _LOCALE}, {**_map(_number(0)), "propertyNames": {"pattern": _LOCALE}})
_TIME: Json = {"type": "string", "pattern": _DURATION}

_KINDS: dict[str, Json] = {
    "number": _number(),
    "integer": _number(kind="integer"),
    "text": _TEXT,
    "boolean": _BOOLEAN,
    "share": _number(0, 1),
    "duration": _TIME,
    "moment": {"type": "string"},
    "measure": {"type": ["number", "string"]},
    "range": {"type": "array", "items": {"type": ["number", "string"]}, "minItems": 2, "maxItems": 2},
    "period": {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 2, "maxItems": 2},
    "path": _NAME,
    "child": {"type": "string", "pattern": r"\."},
    "table": _NAME,
    "distribution": _ref("distribution"),
    "span": _any(_TIME, _ref("distribution")),
    "recipe": _ref("generator"),
    "recipes": _map(_ref("generator")),
    "case": _any(_ref("generator"), _number(0)),
    "cases": _map(_any(_ref("generator"), _number(0))),
    "weights": _any(_list({}), _map(_number(0))),
    "scalars": _list({}),
    "numbers": _list(_number()),
    "measures": _list({"type": ["number", "string"]}),
    "scalar": {},
    "states": _map(_any({"type": "null"}, _map(_number(0, 1), 0))),
    "dwell": _any(_TIME, _map(_TIME)),
    "rhythm": _any(
        {"enum": ["office", "evening", "always"]},
        {
            "type": "object",
            "properties": {
                "days": {"type": "array", "items": _number(0), "minItems": 7, "maxItems": 7},
                "hours": {"type": "array", "items": _number(0), "minItems": 24, "maxItems": 24},
            },
            "additionalProperties": False,
            "minProperties": 1,
        },
    ),
    "season": _any({"enum": list(SEASON_NAMES)}, {**_list(_number(0), 12), "maxItems": 12}),
    "zone": _NAME,
    "grammar": {**_map(_any(_TEXT, _list(_TEXT))), "required": ["start"]},
    "locale": _LOCALES,
    "arguments": {"type": "object"},
}


def _parameter(parameter: Parameter) -> Json:
    default = {} if parameter.default is None else {"default": parameter.default}
    return {"description": parameter.doc, **default, **_ref(f"a-{parameter.kind}")}


def _generator_value(spec: Generator) -> Json:
    """What may stand behind a generator's name: its main parameter, a mapping of parameters, or nothing."""
    ways: list[Json] = []
    main = None if spec.main is None else spec.parameter(spec.main)
    if main is not None:
        ways.append(_ref(f"a-{main.kind}"))
    if spec.parameters and (main is None or main.kind not in ("weights", "states", "grammar", "recipes", "scalar", "cases")):
        parameters = {p.name: _parameter(p) for p in spec.parameters}
        ways.append({"type": "object", "properties": parameters, "additionalProperties": False})
    if not any(p.required for p in spec.parameters):
        ways.append({"type": "null"})
    return {"description": f"{spec.doc} For example: {spec.example}", **(ways[0] if len(ways) == 1 else _any(*ways))}


def _generators(specs: Iterable[Generator], what: str, *more: Json) -> Json:
    """A generator: its name, or a mapping from it to its main parameter, with the others beside."""
    listed = tuple(specs)
    names = [spec.name for spec in listed]
    alone = [_named(spec) for spec in listed if not any(p.required for p in spec.parameters)]
    mapping = {
        "type": "object",
        "minProperties": 1,
        "properties": {spec.name: _ref(f"the-value-of-{spec.name}") for spec in listed if not _hosts(spec.name, listed)},
        "anyOf": [{"required": [name]} for name in names],
        "dependentSchemas": {spec.name: _beside(spec, listed) for spec in listed},
    }
    return {"description": what, "anyOf": [*alone, mapping, *more]}


def _named(spec: Generator) -> Json:
    return {"const": spec.name, "description": spec.doc}


def _hosts(name: str, specs: tuple[Generator, ...]) -> list[str]:
    """The other generators that have a parameter of this name, beside which it is no generator."""
    return [spec.name for spec in specs if spec.parameter(name) is not None and spec.name != name]


def _beside(spec: Generator, specs: tuple[Generator, ...]) -> Json:
    own: Json = {
        "properties": {
            spec.name: _ref(f"the-value-of-{spec.name}"),
            **{p.name: _parameter(p) for p in spec.parameters if p.name != spec.name},
        },
        "additionalProperties": False,
    }
    hosts = _hosts(spec.name, specs)
    return own if not hosts else _any(own, *({"required": [host]} for host in hosts))


def _object(keys: tuple[Key, ...], values: dict[str, Json]) -> Json:
    required = [key.name for key in keys if key.required]
    return {
        "type": "object",
        "properties": {key.name: {"description": f"{key.doc} For example: {key.example}", **values[key.name]} for key in keys},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _definitions() -> Json:
    options = {"within": _NAME, "acyclic": _BOOLEAN, "depth": _number(1, MOST_ROWS, "integer"), "skew": _number(), "weight": _NAME}
    reference = _any({"type": "string", "pattern": r"[.(]"}, _object(grammar.TARGET, {"table": _NAME, "columns": _COLUMNS}))
    count = _number(0, MOST_ROWS, "integer")
    rows = _object(grammar.ROWS, {"fixed": count, "per": _NAME, "count": _ref("count"), "total": count, "mean": _number(0, MOST_ROWS)})
    unique = _object(grammar.UNIQUE, {"columns": _COLUMNS, "name": _NAME})
    index = _object(grammar.INDEX, {"columns": _COLUMNS, "name": _NAME, "unique": _BOOLEAN})
    foreign_key = _object(grammar.FOREIGN_KEY, {"columns": _COLUMNS, "references": reference, "name": _NAME, **options})
    checks = _any(_list(_any(_TEXT, _map(_TEXT)), 0), _map(_TEXT, 0))
    row = {"type": "array", "items": _number(-1, 1), "minItems": 2}
    correlation = _object(grammar.CORRELATION, {"columns": _list(_NAME, 2), "matrix": _list(row, 2)})
    semantic = [_named(spec) for spec in GENERATORS if spec.semantic]
    return {
        "type": _any({"enum": list(_TYPES)}, {"type": "string"}, _object(grammar.TYPE, {"enum": _list(_TEXT), "array": _ref("type")})),
        "table": _object(
            grammar.TABLE,
            {
                "rows": _any(count, {**rows, "minProperties": 1}),
                "columns": _map(_ref("column")),
                "key": _COLUMNS,
                "unique": _list(_any(_COLUMNS, unique), 0),
                "foreign_keys": _list(foreign_key, 0),
                "checks": checks,
                "rules": checks,
                "correlate": _any(correlation, _list(correlation, 0)),
                "indexes": _list(_any(_COLUMNS, index), 0),
                "comment": _TEXT,
                "locale": _any(_LOCALES, _NAME),
                "lives": _any({"const": "always"}, {**_object(grammar.LIVES, {"from": _COLUMN, "until": _COLUMN}), "minProperties": 1}),
            },
        ),
        **_scenario_definitions(),
        "column": _object(
            grammar.COLUMN,
            {
                "type": _ref("type"),
                "key": _BOOLEAN,
                "null": _number(0, 1),
                "unique": _BOOLEAN,
                "check": _any(_TEXT, _list(_TEXT, 0)),
                "default": _TEXT,
                "identity": _BOOLEAN,
                "hidden": _BOOLEAN,
                "ever": _BOOLEAN,
                "computed": _TEXT,
                "generate": _ref("generator"),
                "references": reference,
                **options,
                "class": {"enum": list(DATA_CLASSES)},
                "semantic": {"anyOf": semantic},
                "comment": _TEXT,
            },
        ),
        "generator": _generators(GENERATORS, "How values are made."),
        "count": _generators(COUNTS, "How many rows a parent has.", _number(0)),
        "distribution": _generators(DISTRIBUTIONS, PARAMETER_KINDS["distribution"], _number(0)),
        **{f"a-{kind}": {"description": PARAMETER_KINDS[kind], **schema} for kind, schema in _KINDS.items()},
        **{f"the-value-of-{spec.name}": _generator_value(spec) for spec in GENERATORS},
    }


def _scenario_definitions() -> Json:
    picking = {"where": _TEXT, "pick": _number(1, MOST_ROWS, "integer"), "phase": _TEXT, "columns": _map(_ref("generator"))}
    setting = _object(grammar.SCENARIO_SET, picking)
    adding = _object(grammar.SCENARIO_ADD, {"per": _NAME, "count": _ref("distribution"), **picking})
    part = {"set": _map(_any(setting, _list(setting))), "add": _map(_any(adding, _list(adding)))}
    near = {**_object(grammar.SCENARIO_PART, part), "minProperties": 1}
    own = {"comment": _TEXT, "subjects": _NAME, "where": _TEXT, "share": _number(0, 1), "near_miss": _number(0, 1)}
    ways = {"anyOf": [{"required": ["set"]}, {"required": ["add"]}]}
    return {"scenario": {**_object(grammar.SCENARIO, {**own, "at": _ref("generator"), **part, "near": near}), **ways}}


def _privacy() -> Json:
    plain = {"type": ["string", "number", "boolean"]}
    column = _object(grammar.PRIVACY_COLUMN, {"bounds": {**_list(plain), "minItems": 2, "maxItems": 2}, "values": _list(plain)})
    spent = {"epsilon": {"type": "number", "exclusiveMinimum": 0}, "delta": _number(0, 1)}
    each = _object(tuple(key for key in grammar.BUDGET if key.name != "analyst"), spent)
    parts = {
        "unit": {"type": "string", "pattern": r"\."},
        "public": _list(_TEXT),
        "through": _map(_TEXT, 0),
        "columns": _map(column, 0),
        "contributions": _map(_number(1, MOST_ROWS, "integer"), 0),
        "groups": _number(1, MOST_ROWS, "integer"),
        "budget": _object(grammar.BUDGET, {**spent, "analyst": each}),
    }
    return _object(grammar.PRIVACY, parts)


def json_schema() -> Json:
    """Return the JSON Schema of schema files."""
    top = _object(
        grammar.SCHEMA,
        {
            "schema": _NAME,
            "seed": _number(0, LARGEST_SEED, "integer"),
            "anchor": {"type": "string"},
            "locale": _LOCALES,
            "types": _map(_list(_TEXT), 0),
            "tables": _map(_ref("table")),
            "privacy": _privacy(),
            "scenarios": _map(_any(_number(0, 1), _ref("scenario")), 0),
            "comment": _TEXT,
        },
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A companyos schema",
        "description": "Tables, their columns and constraints, and how their rows are made.",
        **top,
        "$defs": _definitions(),
    }


def published_text() -> str:
    """Return the text of the published file."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PUBLISHED.write_text(published_text(), "utf-8")
