"""What CHECK constraints say about single columns: closed lists, bounds, lengths, patterns, order between columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlglot import exp

from schemas.sql_expressions import NotAnExpression, parse_expression

_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT,
    exp.LT: exp.GT,
    exp.GTE: exp.LTE,
    exp.LTE: exp.GTE,
    exp.EQ: exp.EQ,
}


@dataclass
class ColumnFacts:
    """What the checks of a table say about one column.

    Bounds are inclusive unless in `open_low` or `open_high`; `after` and `at_most` name columns that this one must follow, or
    stay below, with whether it must do so strictly. `equals` is the SQL of which this column is the result, over `sources`.
    `pattern` is a regular expression and `like` a pattern of LIKE; `document` says that it is JSON, `present`
    that it is never NULL, and `said` holds the checks (or parts of them) that say all the rest.
    """

    values: list[Any] | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    open_low: bool = False
    open_high: bool = False
    low_text: str | None = None
    high_text: str | None = None
    min_length: int = 0
    max_length: int | None = None
    pattern: str | None = None
    like: str | None = None
    document: bool = False
    present: bool = False
    after: list[tuple[str, bool]] = field(default_factory=list)
    equals: str | None = None
    sources: tuple[str, ...] = ()
    at_most: list[tuple[str, bool]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@dataclass
class TableFacts:
    """The facts of all columns of a table, the pairs of columns that must be equal, those that must differ by the checks (or parts of
    them) that say so, and the checks that say more than is understood."""

    columns: dict[str, ColumnFacts]
    unclear: list[str] = field(default_factory=list)
    same: list[tuple[str, str]] = field(default_factory=list)
    different: dict[str, tuple[str, str]] = field(default_factory=dict)

    def of(self, column: str) -> ColumnFacts:
        return self.columns.setdefault(column, ColumnFacts())


def facts_of(checks: Iterable[str], columns: Iterable[str]) -> TableFacts:
    """Read the checks of a table whose columns are `columns`."""
    names = {c.casefold(): c for c in columns}
    facts = TableFacts({})
    for sql in checks:
        try:
            tree = parse_expression(sql)
        except NotAnExpression:
            facts.unclear.append(sql)
            continue
        for part in _conjuncts(tree):
            before = deepcopy(facts.columns)
            if not _read(part, names, facts):
                facts.unclear.append(part.sql(dialect="postgres"))
                continue
            for column, found in facts.columns.items():
                if replace(found, present=False) != replace(before.get(column, ColumnFacts()), present=False):
                    found.said.append(part.sql(dialect="postgres"))
    return facts


def _conjuncts(tree: exp.Expr) -> Iterator[exp.Expr]:
    tree = tree.unnest()
    if isinstance(tree, exp.And):
        yield from _conjuncts(tree.left)
        yield from _conjuncts(tree.right)
    else:
        yield tree


def _disjuncts(tree: exp.Expr) -> Iterator[exp.Expr]:
    tree = tree.unnest()
    if isinstance(tree, exp.Or):
        yield from _disjuncts(tree.left)
        yield from _disjuncts(tree.right)
    else:
        yield tree


def _read(part: exp.Expr, names: dict[str, str], facts: TableFacts) -> bool:
    part = part.unnest()
    if isinstance(part, exp.Or):
        return _read_or(part, names, facts)
    if isinstance(part, exp.Not):
        return _read_not(part, names, facts)
    if isinstance(part, exp.Anonymous):
        return _document(part, names, facts)
    if isinstance(part, exp.Column):
        return _values(part, [exp.true()], names, facts)
    if isinstance(part, exp.Is):
        if isinstance(part.expression, exp.Boolean):
            return _is_truth(part, bool(part.args.get("negate")), names, facts)
        return bool(part.args.get("negate")) and _present(part, names, facts)
    if isinstance(part, exp.Between) and not part.args.get("symmetric"):
        low = exp.GTE(this=part.this.copy(), expression=part.args["low"].copy())
        high = exp.LTE(this=part.this.copy(), expression=part.args["high"].copy())
        return _read(low, names, facts) and _read(high, names, facts)
    if isinstance(part, exp.In):
        return _values(part.this, part.expressions, names, facts)
    if isinstance(part, (exp.Like, exp.ILike)):
        return _like(part, names, facts)
    if isinstance(part, (exp.RegexpLike, exp.RegexpILike)):
        column, pattern = _column(part.this, names), _literal(part.expression)
        if column is None or not isinstance(pattern, str) or not (pattern.startswith("^") and pattern.endswith("$")):
            return False
        if isinstance(part, exp.RegexpILike) or facts.of(column).pattern not in (None, pattern):
            return False
        facts.of(column).pattern = pattern
        return True
    if isinstance(part, exp.NEQ):
        return _read_neq(part, names, facts)
    if isinstance(part, (exp.EQ, exp.NullSafeEQ)) and _same(part.left, part.right, names, facts):
        return True
    if isinstance(part, exp.EQ) and (_equation(part.left, part.right, names, facts) or _equation(part.right, part.left, names, facts)):
        return True
    if isinstance(part, (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ)):
        return _comparison(type(part), part.left, part.right, names, facts)
    return False


def _read_or(part: exp.Expr, names: dict[str, str], facts: TableFacts) -> bool:
    """`x IS NULL OR ...` says what the rest says; equalities with one column are a closed list."""
    options = [o for o in _disjuncts(part) if not _is_null(o)]
    if len(options) == 1:
        read = [_read(p, names, facts) for p in _conjuncts(options[0])]
        return all(read)
    found: list[exp.Expr] = []
    columns = set()
    for option in options:
        if isinstance(option, exp.EQ):
            columns.add(_column(option.left, names))
            found.append(option.right)
        elif isinstance(option, exp.In):
            columns.add(_column(option.this, names))
            found += option.expressions
        else:
            return False
    return len(columns) == 1 and _values(options[0].this, found, names, facts)


def _is_null(option: exp.Expr) -> bool:
    return isinstance(option, exp.Is) and isinstance(option.expression, exp.Null) and not option.args.get("negate")


def _read_not(part: exp.Not, names: dict[str, str], facts: TableFacts) -> bool:
    inner = part.this.unnest()
    if isinstance(inner, exp.EQ):
        return _different(inner, part, names, facts)
    if isinstance(inner, exp.Column):
        return _values(inner, [exp.false()], names, facts)
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Boolean):
        return _is_truth(inner, not inner.args.get("negate"), names, facts)
    return isinstance(inner, exp.Is) and not inner.args.get("negate") and _present(inner, names, facts)


def _is_truth(part: exp.Is, negated: bool, names: dict[str, str], facts: TableFacts) -> bool:
    """`column IS TRUE`, which NULL is not; negated it is the other value or NULL."""
    column = _column(part.this, names)
    if column is None:
        return False
    facts.of(column).present |= not negated
    return _values(part.this, [exp.Boolean(this=bool(part.expression.this) != negated)], names, facts)


def _present(part: exp.Is, names: dict[str, str], facts: TableFacts) -> bool:
    """`column IS NOT NULL`."""
    column = _column(part.this, names)
    if column is None or not isinstance(part.expression, exp.Null):
        return False
    facts.of(column).present = True
    return True


def _document(part: exp.Anonymous, names: dict[str, str], facts: TableFacts) -> bool:
    """`json_valid(column)`."""
    column = _column(part.expressions[0], names) if part.name.upper() == "JSON_VALID" and len(part.expressions) == 1 else None
    if column is None:
        return False
    facts.of(column).document = True
    return True


def _different(pair: exp.Binary, part: exp.Expr, names: dict[str, str], facts: TableFacts) -> bool:
    """`column <> column`, which `part` says; PostgreSQL compares varchars as texts."""
    sides = [side.unnest() for side in (pair.left, pair.right)]
    sides = [side.this.unnest() if isinstance(side, exp.Cast) and side.to.sql() == "TEXT" else side for side in sides]
    one, other = (_column(s, names) if isinstance(s, exp.Column) else None for s in sides)
    if one is None or other is None or one == other:
        return False
    facts.different[part.sql(dialect="postgres")] = one, other
    return True


def _read_neq(part: exp.NEQ, names: dict[str, str], facts: TableFacts) -> bool:
    if _different(part, part, names, facts):
        return True
    column, value = _column(part.left, names), _literal(part.right)
    if isinstance(part.left, exp.Trim) and column is None:
        column = _column(part.left.this, names)
    if column is None or value != "":
        return False
    facts.of(column).min_length = max(facts.of(column).min_length, 1)
    return True


def _values(of: exp.Expr, items: list[exp.Expr], names: dict[str, str], facts: TableFacts) -> bool:
    column = _column(of, names)
    values = [_literal(i) for i in items]
    if column is None or not values or any(v is None for v in values):
        return False
    known = facts.of(column).values
    facts.of(column).values = values if known is None else [v for v in known if v in values]
    return True


def _like(part: exp.Expr, names: dict[str, str], facts: TableFacts) -> bool:
    column, pattern = _column(part.this, names), _literal(part.expression)
    if column is None or not isinstance(pattern, str) or part.args.get("negate") or "\\" in pattern:
        return False
    if facts.of(column).like not in (None, pattern):
        return False
    facts.of(column).like = pattern
    return True


def _comparison(kind: type[exp.Expr], left: exp.Expr, right: exp.Expr, names: dict[str, str], facts: TableFacts) -> bool:
    if kind is exp.EQ and isinstance(right, exp.Any):
        array = right.this.unnest()
        while isinstance(array, exp.Cast):  # as PostgreSQL writes lists of varchar
            array = array.this.unnest()
        items = array.expressions if isinstance(array, exp.Array) else None
        return items is not None and _values(left, items, names, facts)
    if _literal(left) is not None:
        return _comparison(_FLIPPED[kind], right, left, names, facts)
    length = _length_of(left, names)
    if length is not None:
        return _length(kind, length, _literal(right), facts)
    if kind is exp.EQ and isinstance(left, (exp.Upper, exp.Lower)):
        left, right = right, left
    if kind is exp.EQ and isinstance(right, (exp.Upper, exp.Lower)) and _column(left, names) == _column(right.this, names) is not None:
        return False
    column = _column(left, names)
    if column is None:
        return False
    other = _column(right, names)
    if other is not None:
        return _order(kind, column, other, facts)
    value = _literal(right)
    if value is None:
        return False
    return _bound(kind, facts.of(column), value)


def _same(left: exp.Expr, right: exp.Expr, names: dict[str, str], facts: TableFacts) -> bool:
    """`column = column`."""
    if not (isinstance(left.unnest(), exp.Column) and isinstance(right.unnest(), exp.Column)):
        return False
    one, other = _column(left, names), _column(right, names)
    if one is None or other is None or one == other:
        return False
    facts.same.append((one, other))
    return True


def _equation(left: exp.Expr, right: exp.Expr, names: dict[str, str], facts: TableFacts) -> bool:
    """`column = expression over other columns`: the column is computed from them."""
    column = _column(left, names)
    inner = right.copy()
    sources = [names.get(c.name.casefold()) for c in inner.find_all(exp.Column)]
    if column is None or not sources or None in sources or column in sources or facts.of(column).equals is not None:
        return False
    if any(facts.of(s).equals is not None and column in facts.of(s).sources for s in sources if s):
        return False
    if isinstance(right.unnest(), (exp.Upper, exp.Lower, exp.Any)):
        return False
    for found in list(inner.find_all(exp.Column)):
        found.set("this", exp.to_identifier(names[found.name.casefold()], quoted=True))
    facts.of(column).equals = inner.sql(dialect="postgres")
    facts.of(column).sources = tuple(s for s in sources if s)
    return True


def _order(kind: type[exp.Expr], column: str, other: str, facts: TableFacts) -> bool:
    if kind in (exp.GT, exp.GTE):
        facts.of(column).after.append((other, kind is exp.GT))
    elif kind in (exp.LT, exp.LTE):
        facts.of(other).after.append((column, kind is exp.LT))
    else:
        return False
    return True


def _bound(kind: type[exp.Expr], found: ColumnFacts, value: Any) -> bool:
    if kind is exp.EQ:
        found.values = [value] if found.values is None else [v for v in found.values if v == value]
        return True
    upper = kind in (exp.LT, exp.LTE)
    if isinstance(value, str):
        if upper and (found.high_text is None or value <= found.high_text):
            found.high_text, found.open_high = value, kind is exp.LT
        if not upper and (found.low_text is None or value >= found.low_text):
            found.low_text, found.open_low = value, kind is exp.GT
        return True
    if not isinstance(value, Decimal):
        return False
    is_open = kind in (exp.GT, exp.LT)
    if upper and (found.high is None or value <= found.high):
        found.high, found.open_high = value, is_open
    if not upper and (found.low is None or value >= found.low):
        found.low, found.open_low = value, is_open
    return True


def _length_of(node: exp.Expr, names: dict[str, str]) -> str | None:
    return _column(node.this, names) if isinstance(node.unnest(), exp.Length) else None


def _length(kind: type[exp.Expr], column: str, value: Any, facts: TableFacts) -> bool:
    if not isinstance(value, Decimal):
        return False
    found, number = facts.of(column), int(value)
    if kind in (exp.EQ, exp.GT, exp.GTE):
        found.min_length = max(found.min_length, number + (1 if kind is exp.GT else 0))
    if kind in (exp.EQ, exp.LT, exp.LTE):
        most = number - (1 if kind is exp.LT else 0)
        found.max_length = most if found.max_length is None else min(found.max_length, most)
    return True


def _column(node: exp.Expr, names: dict[str, str]) -> str | None:
    node = node.unnest()
    while isinstance(node, exp.Cast):
        node = node.this.unnest()
    return names.get(node.name.casefold()) if isinstance(node, exp.Column) else None


def _literal(node: exp.Expr) -> Any:
    """The value of a literal: Decimal, str or bool; None for anything else."""
    node = node.unnest()
    number = False
    while isinstance(node, exp.Cast):
        number = number or node.to.this in exp.DataType.NUMERIC_TYPES
        node = node.this.unnest()
    if isinstance(node, exp.Neg):
        inner = _literal(node.this)
        return -inner if isinstance(inner, Decimal) else None
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Literal):
        if node.is_string and not number:  # PostgreSQL writes -5 as '-5'::integer
            return str(node.this)
        try:
            return Decimal(node.this)
        except InvalidOperation:
            return None
    return None
