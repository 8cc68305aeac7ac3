"""Values of persons in what people wrote, which stands in the bundle: constants in SQL and in a policy, names and labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from masking.errors import Survivors
from masking.known import KnownValues
from masking.policy.model import Policy, Treatment
from schemas.model import Schema
from schemas.privacy import ColumnPrivacy

# quoted as any database does it, and numbers long enough to be of one person: limits and ranges are shorter
_LITERAL = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$.*?\$\1\$|(?<![\w.])\d{10,}""", re.DOTALL)

_WORD = re.compile(r"[a-z]+")  # words of the policy's own language, such as `given`, which somebody may be called


def holds_a_person(known: KnownValues, sql: str) -> bool:
    """Whether a constant of a SQL expression holds a value by which `known` knows a person."""
    constants = [match.group() for match in _LITERAL.finditer(sql)]
    return bool(constants) and any(known.find(constants, identifying=True))


def declares_a_person(known: KnownValues, said: ColumnPrivacy) -> bool:
    """Whether a value that a schema's `privacy:` lists of a column is one by which `known` knows a person, or a bound of ten digits is."""
    texts = _declared(said)
    return bool(texts) and any(known.find(texts, identifying=True))


def require_no_person(known: KnownValues, policy: Policy, schema: Schema) -> None:
    """Raise Survivors, with places and without values, where more of what a policy and a schema say holds a person's value than allowed.

    Of the schema the names of tables, columns and types, and the labels of enumerations: its SQL, and names of constraints and
    indexes, are left out where they hold one.
    """
    said = [*_said(policy), *_named(schema)]
    constants = [(place, match.group()) for place, text, sql in said if sql for match in _LITERAL.finditer(text)]
    constants += [(place, text) for place, text, sql in said if not sql and not _WORD.fullmatch(text)]
    found = known.find([text for _, text in constants], identifying=True)
    places = [place for (place, _), spans in zip(constants, found, strict=True) if spans]
    if len(places) > policy.proof.survivors:
        listed = "\n  ".join(dict.fromkeys(places))
        raise Survivors(
            f"{policy.file}: what it and the schema say holds values of persons of the source, and would stand in the bundle; say it by "
            f"other columns or values, drop such tables and columns, or allow it (`proof: {{survivors: {len(places)}}}`):\n  {listed}"
        )


def places_of_persons(known: KnownValues, schema: Schema, certificate: Mapping[str, Any]) -> list[str]:
    """Where a finished bundle's schema, or what people wrote into its certificate, holds a value by which `known` knows a person."""
    written = [(place, text) for place, text, _ in _named(schema) if not _WORD.fullmatch(text)]
    for table in schema.tables:
        sql = [(c.name, text) for c in table.columns for text in (c.default, c.computed) if text is not None]
        sql += [("its checks", check.sql) for check in table.checks]
        written += [(f"{table.name}: {where}", match.group()) for where, text in sql for match in _LITERAL.finditer(text)]
        comments = [(table.name, table.comment), *((f"{table.name}.{c.name}", c.comment) for c in table.columns)]
        written += [(f"the comment of {where}", text) for where, text in comments if text is not None]
        named = [u.name for u in table.unique] + [k.name for k in table.foreign_keys]
        named += [c.name for c in table.checks] + [i.name for i in table.indexes]
        written += [(f"{table.name}: the name of a constraint or index", name) for name in named if name is not None]
    if schema.privacy is not None:
        written += [(f"privacy: {path}", text) for path, said in schema.privacy.columns.items() for text in _declared(said)]
    for column in certificate.get("columns", ()):
        where = f"the certificate: {column['table']}.{column['column']}"
        written += [(where, text) for text in _texts(column["parameters"]) if not _WORD.fullmatch(text)]
        written += [(where, match.group()) for text in (column["when"] or "", *column["evidence"]) for match in _LITERAL.finditer(text)]
    found = known.find([text for _, text in written], identifying=True)
    return list(dict.fromkeys(place for (place, _), spans in zip(written, found, strict=True) if spans))


def _said(policy: Policy) -> Iterator[tuple[str, str, bool]]:
    """The place of every text of a policy that people write, the text, and whether it is SQL."""
    yield "policy", policy.name, False
    for name, table in policy.tables.items():
        for column, treatment in table.columns.items():
            yield from _of_treatment(f"{name}.{column}", treatment)
    for r in policy.references:
        if r.when is not None:
            yield f"references from {r.table}.{', '.join(r.columns)}", r.when, True
    for word, value in (policy.subset or {}).items():
        yield from ((f"subset: {word}", text, True) for text in _texts(value))
    for item in policy.anonymity:
        yield from (("anonymity", text, False) for text in _texts(item))


def _named(schema: Schema) -> Iterator[tuple[str, str, bool]]:
    for number, table in enumerate(schema.tables, 1):
        yield f"the name of table {number}", table.name, False
        for place, column in enumerate(table.columns, 1):
            yield f"the name of column {place} of table {number}", column.name, False
            for label in (column.type.item or column.type).values:
                yield f"{table.name}.{column.name}, a label of its type", label, False
    for number, (name, labels) in enumerate(schema.enums.items(), 1):
        yield f"the name of type {number}", name, False
        yield from ((f"{name}, a label of the type", label, False) for label in labels)


def _declared(said: ColumnPrivacy) -> list[str]:
    bounds = [str(bound) for bound in said.bounds or () if _LITERAL.search(str(bound))]
    return bounds + [str(value) for value in said.values or () if not _WORD.fullmatch(str(value))]


def _of_treatment(place: str, treatment: Treatment) -> Iterator[tuple[str, str, bool]]:
    for word, step in (("mask", treatment.mask), ("else", treatment.otherwise), ("rest", treatment.rest)):
        yield from ((f"{place}, {word}", text, False) for text in _texts(None if step is None else step.parameters))
    if treatment.when is not None:
        yield f"{place}, when", treatment.when, True
    yield from ((f"{place}, evidence", text, True) for text in treatment.evidence)
    for inner in treatment.paths.values():
        yield from _of_treatment(f"{place}, paths", inner)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, int) and abs(value) >= 10**9:
        yield str(value)
