"""Types that hold what the rest of a table says of its columns, where a database holds no column to its type, as SQLite does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from sqlglot import exp

from schemas.check_facts import ColumnFacts, facts_of
from schemas.reference_rules import comparable
from schemas.sql_expressions import NotAnExpression, parse_expression
from schemas.table_proposals import Note, RawTable, is_roomy
from schemas.types import FLOATS, INTEGER_RANGE, INTEGERS, TEXTS, SqlType

_EXACT_DIGITS = 15  # which binary floating point holds, and so SQLite's own numbers
_USUAL_DIGITS, _USUAL_DECIMALS, _MOST_DECIMALS = 6, 4, 9


def fit_types(tables: Sequence[RawTable], note: Note) -> None:
    """Change types of columns to those that can hold what checks, defaults, keys and references of the tables say; tell it to `note`.

    Integers are taken as wide as the numbers that they are compared with, the columns that these are made from or compared with, and
    what they reference. Texts that must be JSON are taken as that, intervals that are used as numbers or texts as those, floats that must
    be unique as numerics, and what references a type of another kind as that kind.
    """
    known = {table.name: table for table in tables}
    for table in tables:
        _take_documents(table, note)
        _take_intervals_as_used(table, note)
        _make_floats_exact(table, note)
    for _ in tables:  # as long as the longest chain of references
        for table in tables:
            _follow_targets(table, known, note)
    while any(_widen(table, known) for table in tables):
        pass


def _retype(table: RawTable, column: str, type: SqlType) -> None:
    table.columns = [replace(c, type=type) if c.name == column else c for c in table.columns]


def _take_documents(table: RawTable, note: Note) -> None:
    """Texts that a check holds to be JSON; one that says nothing else refuses NULL too, before version 3.45 of SQLite."""
    for tree in (_parsed(check.sql) for check in table.checks):
        for name in (c.name for c in table.columns if facts_of([tree.sql(dialect="postgres")], [c.name]).of(c.name).document):
            _take_as_document(table, name, "a check holds to be JSON", note)
            if isinstance(tree.unnest(), exp.Anonymous):
                table.columns = [replace(c, null=0.0) if c.name == name and c.null is not None else c for c in table.columns]
    names = {c.name.casefold(): c.name for c in table.columns}
    for sql in [*(check.sql for check in table.checks), *filter(None, (column.computed for column in table.columns))]:
        for read in _parsed(sql).find_all(exp.JSONExtract, exp.JSONExtractScalar):
            if isinstance(read.this, exp.Column) and read.this.name.casefold() in names:
                _take_as_document(table, names[read.this.name.casefold()], "is read as JSON", note)


def _take_as_document(table: RawTable, column: str, why: str, note: Note) -> None:
    type = _type_of(table, column)
    if type.kind in TEXTS:
        note((table.name, column), f"{type} that {why}, taken as json")
        _retype(table, column, SqlType("json"))


def _take_intervals_as_used(table: RawTable, note: Note) -> None:
    facts = facts_of([c.sql for c in table.checks], [c.name for c in table.columns])
    whole = {c.name for c in table.columns if c.type.kind in INTEGERS}
    for column in (c for c in table.columns if c.type.kind == "interval"):
        numbers = [
            n for names, found in _met(table) if column.name in names for n in (*found, *(Decimal() for name in names if name in whole))
        ]
        default = _parsed(column.default or "")
        if _is_of_texts(facts.of(column.name)) or (isinstance(default, exp.Literal) and default.is_string):
            type, use = SqlType("text"), "a text"
        elif numbers:
            type, use = SqlType("bigint" if all(n == n.to_integral_value() for n in numbers) else "double"), "a number"
        else:
            continue
        note((table.name, column.name), f"{column.type} that is used as {use}, taken as {type}")
        _retype(table, column.name, type)


def _is_of_texts(facts: ColumnFacts) -> bool:
    """Whether checks speak of a column as of a text."""
    said = (facts.low_text, facts.high_text, facts.max_length, facts.pattern, facts.like)
    return facts.min_length > 0 or any(s is not None for s in said) or any(isinstance(v, str) for v in facts.values or ())


def _make_floats_exact(table: RawTable, note: Note) -> None:
    types = {c.name: c.type for c in table.columns}
    facts = facts_of([c.sql for c in table.checks], types)
    referencing = {c for key in table.foreign_keys for c in key.columns}
    for columns in table.unique_sets():
        floats = [c for c in columns if types[c].kind in FLOATS and c not in referencing]
        others = [c for c in columns if c not in floats]
        if not floats or any(c in referencing or is_roomy(types[c], facts.of(c)) for c in others):
            continue
        type = _exact(facts.of(floats[0]))
        note((table.name, floats[0]), f"unique, which {types[floats[0]]} cannot be, so taken as {type}")
        types[floats[0]] = type
        _retype(table, floats[0], type)


def _exact(facts: ColumnFacts) -> SqlType:
    """A numeric with room for the numbers that a column is compared with."""
    said = [*(facts.values or ()), *(bound for bound in (facts.low, facts.high) if bound is not None)]
    digits = max((n.adjusted() + 1 for n in said if isinstance(n, Decimal) and n), default=1)
    is_bounded = facts.values is not None or (facts.low is not None and facts.high is not None)
    before = max(digits, 1) if is_bounded else max(digits + 2, _USUAL_DIGITS)
    after = max(0, min(_MOST_DECIMALS if is_bounded else _USUAL_DECIMALS, _EXACT_DIGITS - before))
    return SqlType("numeric", min(before + after, 38), after)


def _follow_targets(table: RawTable, known: dict[str, RawTable], note: Note) -> None:
    for column, type, of in _targets(table, known):
        own = _type_of(table, column)
        if not comparable(own, type):
            note((table.name, column), f"{own}, taken as {type} as is {of}, which it references")
            _retype(table, column, type)


def _targets(table: RawTable, known: dict[str, RawTable]) -> Iterator[tuple[str, SqlType, str]]:
    """Columns that reference others, with the types of those and what they are called."""
    for key in table.foreign_keys:
        for column, target in zip(key.columns, key.target, strict=True):
            yield column, _type_of(known[key.table], target), f"{key.table}.{target}"


def _type_of(table: RawTable, column: str) -> SqlType:
    return next(c.type for c in table.columns if c.name == column)


def _widen(table: RawTable, known: dict[str, RawTable]) -> bool:
    """Whether integers of the table had to be made wider."""
    before = table.columns
    for column, type, _ in _targets(table, known):
        _make_room(table, [column], type.kind)
    for names, numbers in _met(table):
        wide = [_type_of(table, name).kind for name in names]
        for kind in (*(k for k in wide if k == "bigint"), *map(_kind_of, numbers)):
            _make_room(table, names, kind)
    return table.columns != before


def _make_room(table: RawTable, columns: Sequence[str], kind: str) -> None:
    for column in columns:
        own = _type_of(table, column).kind
        if own in INTEGERS and kind in INTEGERS and INTEGERS.index(own) < INTEGERS.index(kind):
            _retype(table, column, SqlType(kind))


def _kind_of(number: Decimal) -> str:
    return next((kind for kind in INTEGERS if -INTEGER_RANGE[kind] - 1 <= number <= INTEGER_RANGE[kind]), INTEGERS[-1])


def _met(table: RawTable) -> Iterator[tuple[list[str], list[Decimal]]]:
    """The columns and the numbers that come together: in a comparison of a check, a default or a formula."""
    names = {c.name.casefold(): c.name for c in table.columns}
    for check in table.checks:
        for comparison in _parsed(check.sql).find_all(exp.Predicate):
            yield _columns(comparison, names), _numbers(comparison)
    for column in table.columns:
        for sql in filter(None, (column.default, column.computed)):
            tree = _parsed(sql)
            yield [column.name, *_columns(tree, names)], _numbers(tree)


def _parsed(sql: str) -> exp.Expr:
    try:
        return parse_expression(sql)
    except NotAnExpression:
        return exp.Null()


def _columns(tree: exp.Expr, names: dict[str, str]) -> list[str]:
    return [names[found.name.casefold()] for found in tree.find_all(exp.Column) if found.name.casefold() in names]


def _numbers(tree: exp.Expr) -> list[Decimal]:
    found = (n for n in tree.find_all(exp.Literal) if not n.is_string)
    return [-Decimal(n.this) if isinstance(n.parent, exp.Neg) else Decimal(n.this) for n in found]
