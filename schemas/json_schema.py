"""The published JSON Schema (draft 2020-12) of the schema language, for completion and hints in editors.

Made from `schemas.grammar` and the catalogue of generators; `python -m schemas.json_schema` writes it beside this module.
It accepts every file that `schemas.reader` accepts, and refuses what can be told without knowing the other tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from schemas import grammar
from schemas.grammar import LARGEST_SEED, MOST_ROWS
from schemas.json_schema_parts import BOOLEAN, DURATION, NAME, TEXT, Json, any_of, keyed, list_of, map_of, number, ref
from schemas.model import DATA_CLASSES
from schemas.recipes import COUNTS, DISTRIBUTIONS, GENERATORS, PARAMETER_KINDS, SEASON_NAMES, Generator, Parameter
from schemas.types import ALIASES, KINDS

PUBLISHED = Path(__file__).with_name("schema.schema.json")

_LOCALE = "^[a-z]{2,3}(_[A-Z]{2})?$"
_TYPES = (*(k for k in KINDS if k not in ("enum", "array")), *ALIASES, "numeric(12,2)", "varchar(40)", "text[]")

_COLUMN = any_of(NAME, {"type": "array", "items": NAME, "minItems": 1, "maxItems": 1})
_COLUMNS = any_of(NAME, {"type": "array", "items": NAME, "minItems": 1})
_LOCALES = any_of({"type": "string", "pattern": _LOCALE}, {**map_of(number(0)), "propertyNames": {"pattern": _LOCALE}})

_KINDS: dict[str, Json] = {
    "number": number(),
    "integer": number(kind="integer"),
    "text": TEXT,
    "boolean": BOOLEAN,
    "share": number(0, 1),
    "duration": DURATION,
    "moment": {"type": "string"},
    "limit": {"type": "string"},
    "measure": {"type": ["number", "string"]},
    "range": {"type": "array", "items": {"type": ["number", "string"]}, "minItems": 2, "maxItems": 2},
    "period": {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 2, "maxItems": 2},
    "path": NAME,
    "child": {"type": "string", "pattern": r"\."},
    "table": NAME,
    "distribution": ref("distribution"),
    "span": any_of(DURATION, ref("distribution")),
    "recipe": ref("generator"),
    "recipes": map_of(ref("generator")),
    "case": any_of(ref("generator"), number(0)),
    "cases": map_of(any_of(ref("generator"), number(0))),
    "weights": any_of(list_of({}), map_of(number(0))),
    "scalars": list_of({}),
    "numbers": list_of(number()),
    "measures": list_of({"type": ["number", "string"]}),
    "scalar": {},
    "states": map_of(any_of({"type": "null"}, map_of(number(0, 1), 0))),
    "dwell": any_of(DURATION, map_of(DURATION)),
    "rhythm": any_of(
        {"enum": ["office", "evening", "always"]},
        {
            "type": "object",
            "properties": {
                "days": {"type": "array", "items": number(0), "minItems": 7, "maxItems": 7},
                "hours": {"type": "array", "items": number(0), "minItems": 24, "maxItems": 24},
            },
            "additionalProperties": False,
            "minProperties": 1,
        },
    ),
    "season": any_of({"enum": list(SEASON_NAMES)}, {**list_of(number(0), 12), "maxItems": 12}),
    "zone": NAME,
    "grammar": {**map_of(any_of(TEXT, list_of(TEXT))), "required": ["start"]},
    "locale": _LOCALES,
    "arguments": {"type": "object"},
}


def _parameter(parameter: Parameter) -> Json:
    default = {} if parameter.default is None else {"default": parameter.default}
    return {"description": parameter.doc, **default, **ref(f"a-{parameter.kind}")}


def _generator_value(spec: Generator) -> Json:
    """What may stand behind a generator's name: its main parameter, a mapping of parameters, or nothing."""
    ways: list[Json] = []
    main = None if spec.main is None else spec.parameter(spec.main)
    if main is not None:
        ways.append(ref(f"a-{main.kind}"))
    if spec.parameters and (main is None or main.kind not in ("weights", "states", "grammar", "recipes", "scalar", "cases")):
        parameters = {p.name: _parameter(p) for p in spec.parameters}
        ways.append({"type": "object", "properties": parameters, "additionalProperties": False})
    if not any(p.required for p in spec.parameters):
        ways.append({"type": "null"})
    return {"description": f"{spec.doc} For example: {spec.example}", **(ways[0] if len(ways) == 1 else any_of(*ways))}


def _generators(specs: Iterable[Generator], what: str, *more: Json) -> Json:
    """A generator: its name, or a mapping from it to its main parameter, with the others beside."""
    listed = tuple(specs)
    names = [spec.name for spec in listed]
    alone = [_named(spec) for spec in listed if not any(p.required for p in spec.parameters)]
    mapping = {
        "type": "object",
        "minProperties": 1,
        "properties": {spec.name: ref(f"the-value-of-{spec.name}") for spec in listed if not _hosts(spec.name, listed)},
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
            spec.name: ref(f"the-value-of-{spec.name}"),
            **{p.name: _parameter(p) for p in spec.parameters if p.name != spec.name},
        },
        "additionalProperties": False,
    }
    hosts = _hosts(spec.name, specs)
    return own if not hosts else any_of(own, *({"required": [host]} for host in hosts))


def _definitions() -> Json:
    options = {"within": NAME, "acyclic": BOOLEAN, "depth": number(1, MOST_ROWS, "integer"), "skew": number(), "weight": NAME}
    options["other_than"] = options["greater_than"] = NAME
    options["present"] = keyed(grammar.PRESENT, {"at": NAME, "from": NAME, "until": NAME})
    reference = any_of({"type": "string", "pattern": r"[.(]"}, keyed(grammar.TARGET, {"table": NAME, "columns": _COLUMNS}))
    count = number(0, MOST_ROWS, "integer")
    rows = keyed(grammar.ROWS, {"fixed": count, "per": NAME, "count": ref("count"), "total": count, "mean": number(0, MOST_ROWS)})
    unique = keyed(grammar.UNIQUE, {"columns": _COLUMNS, "name": NAME})
    index = keyed(grammar.INDEX, {"columns": _COLUMNS, "name": NAME, "unique": BOOLEAN})
    foreign_key = keyed(grammar.FOREIGN_KEY, {"columns": _COLUMNS, "references": reference, "name": NAME, **options})
    checks = any_of(list_of(any_of(TEXT, map_of(TEXT)), 0), map_of(TEXT, 0))
    row = {"type": "array", "items": number(-1, 1), "minItems": 2}
    correlation = keyed(grammar.CORRELATION, {"columns": list_of(NAME, 2), "matrix": list_of(row, 2)})
    semantic = [_named(spec) for spec in GENERATORS if spec.semantic]
    return {
        "type": any_of({"enum": list(_TYPES)}, {"type": "string"}, keyed(grammar.TYPE, {"enum": list_of(TEXT), "array": ref("type")})),
        "table": keyed(
            grammar.TABLE,
            {
                "rows": any_of(count, {**rows, "minProperties": 1}),
                "columns": map_of(ref("column")),
                "key": _COLUMNS,
                "unique": list_of(any_of(_COLUMNS, unique), 0),
                "foreign_keys": list_of(foreign_key, 0),
                "checks": checks,
                "rules": checks,
                "correlate": any_of(correlation, list_of(correlation, 0)),
                "indexes": list_of(any_of(_COLUMNS, index), 0),
                "comment": TEXT,
                "locale": any_of(_LOCALES, NAME),
                "lives": any_of({"const": "always"}, {**keyed(grammar.LIVES, {"from": _COLUMN, "until": _COLUMN}), "minProperties": 1}),
            },
        ),
        **_scenario_definitions(),
        "column": keyed(
            grammar.COLUMN,
            {
                "type": ref("type"),
                "key": BOOLEAN,
                "null": number(0, 1),
                "unique": BOOLEAN,
                "check": any_of(TEXT, list_of(TEXT, 0)),
                "default": TEXT,
                "identity": BOOLEAN,
                "hidden": BOOLEAN,
                "ever": BOOLEAN,
                "computed": TEXT,
                "generate": ref("generator"),
                "references": reference,
                **options,
                "class": {"enum": list(DATA_CLASSES)},
                "semantic": {"anyOf": semantic},
                "comment": TEXT,
            },
        ),
        "generator": _generators(GENERATORS, "How values are made."),
        "count": _generators(COUNTS, "How many rows a parent has.", number(0)),
        "distribution": _generators(DISTRIBUTIONS, PARAMETER_KINDS["distribution"], number(0)),
        **{f"a-{kind}": {"description": PARAMETER_KINDS[kind], **schema} for kind, schema in _KINDS.items()},
        **{f"the-value-of-{spec.name}": _generator_value(spec) for spec in GENERATORS},
    }


def _scenario_definitions() -> Json:
    picking = {"where": TEXT, "pick": number(1, MOST_ROWS, "integer"), "phase": TEXT, "columns": map_of(ref("generator"))}
    setting = keyed(grammar.SCENARIO_SET, picking)
    adding = keyed(grammar.SCENARIO_ADD, {"per": NAME, "count": ref("distribution"), **picking})
    part = {"set": map_of(any_of(setting, list_of(setting))), "add": map_of(any_of(adding, list_of(adding)))}
    near = {**keyed(grammar.SCENARIO_PART, part), "minProperties": 1}
    own = {"comment": TEXT, "subjects": NAME, "where": TEXT, "share": number(0, 1), "near_miss": number(0, 1)}
    ways = {"anyOf": [{"required": ["set"]}, {"required": ["add"]}]}
    return {"scenario": {**keyed(grammar.SCENARIO, {**own, "at": ref("generator"), **part, "near": near}), **ways}}


def _privacy() -> Json:
    plain = {"type": ["string", "number", "boolean"]}
    column = keyed(grammar.PRIVACY_COLUMN, {"bounds": {**list_of(plain), "minItems": 2, "maxItems": 2}, "values": list_of(plain)})
    spent = {"epsilon": {"type": "number", "exclusiveMinimum": 0}, "delta": number(0, 1)}
    each = keyed(tuple(key for key in grammar.BUDGET if key.name != "analyst"), spent)
    parts = {
        "unit": {"type": "string", "pattern": r"\."},
        "public": list_of(TEXT),
        "through": map_of(TEXT, 0),
        "columns": map_of(column, 0),
        "contributions": map_of(number(1, MOST_ROWS, "integer"), 0),
        "groups": number(1, MOST_ROWS, "integer"),
        "budget": keyed(grammar.BUDGET, {**spent, "analyst": each}),
    }
    return keyed(grammar.PRIVACY, parts)


def json_schema() -> Json:
    """Return the JSON Schema of schema files."""
    top = keyed(
        grammar.SCHEMA,
        {
            "schema": NAME,
            "seed": number(0, LARGEST_SEED, "integer"),
            "anchor": {"type": "string"},
            "locale": _LOCALES,
            "types": map_of(list_of(TEXT), 0),
            "tables": map_of(ref("table")),
            "privacy": _privacy(),
            "scenarios": map_of(any_of(number(0, 1), ref("scenario")), 0),
            "comment": TEXT,
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
