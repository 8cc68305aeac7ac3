"""Binding scalar expressions."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from fractions import Fraction

from sqlglot import expressions as exp

from dpsql.binding import lists, moments, texts
from dpsql.binding.constants import (
    MOMENTS,
    NULL,
    TEXTUAL,
    as_kind,
    as_number,
    case,
    constant,
    folded,
    folded_sign,
    given,
    hold_repeated,
    is_null,
    matched,
    moment,
    unified,
    written,
)
from dpsql.binding.division import is_whole
from dpsql.binding.mending import Mendable
from dpsql.binding.refining import Outcome, learned
from dpsql.binding.scopes import Scope
from dpsql.binding.understood import called, check, excerpt
from dpsql.binding.unnesting import refused_comparison, refused_subquery
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import call
from dpsql.sql_text import sql_of
from dpsql.tree import Expression, Facts, Kind, Literal, Value

COMPARISONS: dict[type[exp.Expr], str] = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "add", exp.Sub: "subtract", exp.Mul: "multiply", exp.Mod: "modulo"}
NUMERIC: dict[type[exp.Expr], str] = {
    exp.Abs: "abs", exp.Neg: "negate", exp.Sign: "sign", exp.Floor: "floor", exp.Ceil: "ceil", exp.Sqrt: "sqrt", exp.Ln: "ln",
    exp.Exp: "exp", exp.Cbrt: "cbrt", exp.Sin: "sin", exp.Cos: "cos", exp.Atan: "atan",
}  # fmt: skip
CASTS: dict[str, Kind] = {
    "INT": "integer", "BIGINT": "integer", "SMALLINT": "integer", "TINYINT": "integer", "INT128": "integer", "DECIMAL": "decimal",
    "DOUBLE": "double", "FLOAT": "double", "TEXT": "text", "VARCHAR": "text", "CHAR": "text", "NCHAR": "text", "BPCHAR": "text",
    "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "timestamp", "TIMESTAMPNTZ": "timestamp", "TIMESTAMPTZ": "timestamptz",
    "UUID": "uuid",
}  # fmt: skip
REGULAR = (
    exp.RegexpLike, exp.RegexpILike, exp.SimilarTo, exp.RegexpReplace, exp.RegexpExtract, exp.RegexpExtractAll, exp.RegexpSubstr,
    exp.RegexpCount, exp.RegexpInstr, exp.RegexpSplit,
)  # fmt: skip
NESTED = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar, exp.JSONBContainsTopKey)
UNSUITABLE = (
    exp.AggFunc, exp.WithinGroup, exp.Filter, exp.Subquery, exp.Exists, exp.Select, exp.Window, exp.Star, *REGULAR, *NESTED,
)  # fmt: skip
DAY = "2026-01-01"  # stands in what is offered for a day that the analyst writes
# values of subqueries by the ids of their places, which are held so that no other node gets the same id
Scalars = dict[int, tuple[exp.Expr, Expression]]
NONE: Scalars = {}
MOST_TERMS = 1_000  # of a list after IN
MOST_DIGITS = 18
PI, DEGREES, RADIANS = Fraction("3.141592653589793"), Fraction("57.29577951308232"), Fraction("0.017453292519943295")


class Expressions:
    """Binds expressions of one scope.

    `parameters` are the values of $1, $2 and so on; `dialect` decides what / means. `by_unit` are the names of fields that are sums
    or counts of one unit's rows, whose bound may be chosen privately. `scalars` are the values of public subqueries, by their place.
    """

    def __init__(
        self,
        scope: Scope,
        dialect: str,
        parameters: Sequence[Value] = (),
        by_unit: Collection[str] = (),
        scalars: Scalars = NONE,
    ) -> None:
        self.scope = scope
        self.dialect = dialect
        self.by_unit = by_unit
        self._parameters = parameters
        self._scalars = scalars

    def bind(self, node: exp.Expr | None) -> Expression:
        """Return the bound expression; QueryInvalid or QueryRefused where it is not understood, or where there is none."""
        if node is None:
            raise QueryInvalid("something is missing between the brackets of a function")
        if id(node) in self._scalars:
            return self._scalars[id(node)][1]
        if isinstance(node, UNSUITABLE):
            raise self._refusal(node)
        spelled = lists.spelled_out(node, self.dialect)
        if self.dialect == "duckdb" and lists.compares_order(node):
            self._hold_nulls_of_rows(node)
        node = spelled
        check(node, self.dialect)
        match node:
            case exp.Paren() | exp.Alias():
                return self.bind(node.this)
            case exp.Column():
                if isinstance(node.this, exp.Star):
                    raise QueryRefused("* stands for whole rows, which are never shown; name what is to be aggregated")
                return self.scope.resolve(node).column
            case exp.Literal() | exp.Boolean() | exp.Null():
                return written(node)
            case exp.Parameter() | exp.Placeholder():
                return self._parameter(node)
            case exp.And() | exp.Or():
                return self._joined(node)
            case exp.Not():
                return call("not", self.condition(node.this))
            case exp.Is():
                return self._is(node)
            case exp.Between():
                return self._between(node)
            case exp.In():
                return self._in(node)
            case exp.Case() | exp.If():
                return self._case(node)
            case exp.Cast() | exp.TryCast():
                return self._cast(node)
            case exp.Coalesce() | exp.Least() | exp.Greatest():
                values = unified([self.bind(n) for n in (node.this, *node.expressions)])
                return call(node.key, *([one for one in values if not is_null(one)] or values))  # nulls are passed over
            case exp.Nullif():
                return call("nullif", *unified([self.bind(node.this), self.bind(node.expression)]))
            case exp.NullSafeNEQ() | exp.NullSafeEQ():
                told = call("is_distinct", *matched(self.bind(node.this), self.bind(node.expression)))
                return told if isinstance(node, exp.NullSafeNEQ) else call("not", told)
            case _ if type(node) in COMPARISONS:
                sides = moments.compared_with_interval(self, node) or (self.bind(node.this), self.bind(node.expression))
                return self._compared(COMPARISONS[type(node)], *sides)
        found = moments.bound(self, node) or self._number(node) or texts.bound(self, node)
        if found is None:
            raise self._refusal(node)
        return found

    def condition(self, node: exp.Expr) -> Expression:
        """Return a bound condition; QueryInvalid where it is not true or false."""
        bound = self.bind(node)
        if bound.facts.kind != "boolean" and not is_null(bound):
            raise QueryInvalid(f"a condition must be true or false, not of type {bound.facts.kind}: {excerpt(node)}")
        return bound

    def constant(self, node: exp.Expr | None) -> Expression:
        """Return an expression, which is a constant where it works a whole number out of constants."""
        return folded(self.bind(node))

    def whole(self, node: exp.Expr | None) -> Literal:
        """Return a constant whole number."""
        bound = self.constant(node)
        if not isinstance(bound, Literal) or not isinstance(bound.value, int) or isinstance(bound.value, bool):
            raise QueryInvalid("a constant whole number is needed here" + (f", not {excerpt(node)}" if node is not None else ""))
        return bound

    def number(self, node: exp.Expr) -> Expression:
        """Return a bound number."""
        return self._held_number(self.bind(node), node)

    def _held_number(self, bound: Expression, node: exp.Expr) -> Expression:
        bound = as_number(bound)
        if not bound.facts.is_number and not is_null(bound):
            raise QueryInvalid(f"a number is needed here, not a value of type {bound.facts.kind}: {excerpt(node)}")
        return bound

    def knowing(self, condition: Expression, outcome: Outcome) -> Expressions:
        """Return what binds expressions where `condition` has had that outcome."""
        scope = self.scope.knowing(learned(condition, outcome, self.scope.known))
        return Expressions(scope, self.dialect, self._parameters, self.by_unit, self._scalars)

    def _joined(self, node: exp.And | exp.Or) -> Expression:
        parts: list[exp.Expr] = []
        waiting: list[exp.Expr] = [node]
        while waiting:  # a long chain of AND is deep on one side
            part = waiting.pop()
            if type(part) is type(node):
                check(part)
                waiting += [part.expression, part.this]
            else:
                parts.append(part)
        bound = [self.condition(part) for part in parts]
        return call("and" if isinstance(node, exp.And) else "or", *bound)

    def _compared(self, sign: str, a: Expression, b: Expression) -> Expression:
        return call(sign, *matched(folded_sign(a), folded_sign(b)))

    def _hold_nulls_of_rows(self, node: exp.Expr) -> None:
        """Raise QueryRefused where rows of values with nulls are ordered, which DuckDB does as if null were the greatest value."""
        if any(self.bind(value).facts.nullable for value in (*node.this.expressions, *node.expression.expressions)):
            raise QueryRefused("rows of values are ordered where none can be null; write (a, b) < (c, d) as a < c OR (a = c AND b < d)")

    def _between(self, node: exp.Between) -> Expression:
        value, low, high = (self.bind(node.args[part]) for part in ("this", "low", "high"))
        hold_repeated(4 if node.args.get("symmetric") else 2, value)
        within = call("and", self._compared(">=", value, low), self._compared("<=", value, high))
        if not node.args.get("symmetric"):
            return within
        return call("or", within, call("and", self._compared(">=", value, high), self._compared("<=", value, low)))

    def _is(self, node: exp.Is) -> Expression:
        negated = bool(node.args.get("negate"))
        target = node.expression
        if isinstance(target, exp.Not):
            negated, target = not negated, target.this
        if isinstance(target, exp.Null):
            return call("is_not_null" if negated else "is_null", self.bind(node.this))
        if isinstance(target, exp.Boolean):
            name = "true" if target.this else "false"
            return call(f"is_not_{name}" if negated else f"is_{name}", self.condition(node.this))
        raise QueryRefused("IS is understood with NULL, TRUE and FALSE")

    def _in(self, node: exp.In) -> Expression:
        if node.args.get("query") is not None:
            raise refused_subquery(node)
        if len(node.expressions) > MOST_TERMS:
            raise QueryRefused(f"a list after IN has at most {MOST_TERMS:,} values")
        value = self.bind(node.this)
        pairs = [matched(value, folded_sign(self.bind(e))) for e in node.expressions]
        if not pairs:
            raise QueryInvalid("IN needs a list of values")
        if all(same == value for same, _ in pairs):
            return call("in", value, *(other for _, other in pairs))
        # days beside times: a database would cast some of its own accord, which fails for those that are too far away
        hold_repeated(len(pairs), value)
        return call("or", *(call("=", a, b) for a, b in pairs)) if len(pairs) > 1 else call("=", *pairs[0])

    def _case(self, node: exp.Case | exp.If) -> Expression:
        branches: list[tuple[Expression, Expression]] = []
        binder = self
        operand = self.bind(node.this) if isinstance(node, exp.Case) and node.this is not None else None
        if operand is not None:
            hold_repeated(len(node.args["ifs"]), operand)
        for one in node.args["ifs"] if isinstance(node, exp.Case) else [node]:
            check(one)
            if operand is not None:
                condition = self._compared("=", operand, self.bind(one.this))
            else:
                condition = self.condition(one.this)
            branches.append((condition, binder.knowing(condition, "true").bind(one.args["true"])))
            binder = binder.knowing(condition, "not true")
        last = node.args.get("default") if isinstance(node, exp.Case) else node.args.get("false")
        return case(branches, NULL if last is None else binder.bind(last))

    def _cast(self, node: exp.Cast) -> Expression:
        wanted = node.to
        name = getattr(wanted.this, "name", "") if isinstance(wanted, exp.DataType) else ""
        kind = CASTS.get(name)
        if kind is None or wanted.args.get("nested"):
            raise QueryRefused(f"a cast to {excerpt(wanted).lower()} is not understood here")
        value = folded_sign(self.bind(node.this))
        if isinstance(value, Literal) and isinstance(value.value, str) and kind in MOMENTS:
            return moment(value.value, kind)
        if kind == "uuid":
            if value.facts.kind == "uuid":
                return value
            if value.facts.kind in TEXTUAL and isinstance(value, Literal):
                return matched(Literal(None, Facts("uuid")), value)[1]
            raise QueryRefused("a cast to uuid is understood of a constant alone")
        sizes = [int(p.name) for p in wanted.expressions if p.name.isdigit()]
        if kind == "text" and sizes and name in ("VARCHAR", "TEXT"):
            return call("left", call("cast_text", value), constant(sizes[0])) if self.dialect == "postgres" else call("cast_text", value)
        if kind == "decimal":
            digits = sizes[1] if len(sizes) > 1 else 0 if sizes else None
            if digits is not None:
                return call("cast_decimal", value, constant(min(digits, MOST_DIGITS)))
        if kind in ("integer", "decimal", "double") and value.facts.kind in (*MOMENTS, "uuid"):
            raise QueryInvalid(f"a value of type {value.facts.kind} cannot be cast to a number")
        if kind in MOMENTS and isinstance(value, Literal) and value.facts.kind in MOMENTS:
            return as_kind(value, kind)
        if kind in MOMENTS and value.facts.kind not in (*MOMENTS, "text"):
            raise QueryInvalid(f"a value of type {value.facts.kind} cannot be cast to a {kind}")
        return call(f"cast_{kind}", value)

    def _number(self, node: exp.Expr) -> Expression | None:
        if type(node) in ARITHMETIC:
            # each side is bound once: a chain of sums would be bound two times, four times and so on
            a, b = self.bind(node.this), self.bind(node.expression)
            moved = moments.combined(node, a, b)
            if moved is not None:
                return moved
            return call(ARITHMETIC[type(node)], self._held_number(a, node.this), self._held_number(b, node.expression))
        if type(node) in NUMERIC:
            bound = self.number(node.this)
            return folded_sign(call(NUMERIC[type(node)], bound))
        match node:
            case exp.Pi():
                return constant(PI)
            case exp.Degrees() | exp.Radians():
                by = constant(DEGREES if isinstance(node, exp.Degrees) else RADIANS)
                return call("cast_double", call("multiply", self.number(node.this), by))
            case exp.Div() | exp.IntDiv():
                a, b = self.number(node.this), self.number(node.expression)
                # DIV of PostgreSQL is whole of any numbers, DuckDB's // of whole ones
                whole = (
                    all(is_whole(x, self.dialect) for x in (a, b)) if isinstance(node, exp.IntDiv) == (self.dialect == "duckdb") else None
                )
                return call("divide_whole" if whole or (whole is None and isinstance(node, exp.IntDiv)) else "divide", a, b)
            case exp.Round() | exp.Trunc():
                digits = [self.whole(node.args["decimals"])] if node.args.get("decimals") is not None else []
                return call("round" if isinstance(node, exp.Round) else "trunc", self.number(node.this), *digits)
            case exp.Pow():
                exponent = folded_sign(self.number(node.expression))
                if not isinstance(exponent, Literal) or (not isinstance(exponent.value, int | float) and exponent.facts.kind != "decimal"):
                    raise QueryRefused("the exponent of POWER must be a constant, so that its values have bounds")
                if abs(float(exponent.value)) > 16:  # type: ignore[arg-type]
                    raise QueryRefused("the exponent of POWER must be from -16 to 16")
                return call("power", self.number(node.this), exponent)
            case exp.Log():
                base, value = (None, node.this) if node.expression is None else (self.bind(node.this), node.expression)
                if base is not None and not (isinstance(base, Literal) and base.value in (2, 10)):
                    raise QueryRefused("LOG is understood to the bases 2 and 10")
                return call("log2" if base is not None and isinstance(base, Literal) and base.value == 2 else "log10", self.number(value))
        return None

    def _parameter(self, node: exp.Expr) -> Expression:
        text = node.name or sql_of(node)
        number = re.sub(r"\D", "", text)[:9]
        if not number or not 1 <= int(number) <= len(self._parameters):
            raise QueryInvalid(f"there is no value for the parameter {text[:20] or '?'}")
        return given(self._parameters[int(number) - 1])

    def _refusal(self, node: exp.Expr) -> QueryRefused:
        match node:
            case exp.AggFunc() | exp.WithinGroup() | exp.Filter():
                return QueryRefused(f"the aggregate {excerpt(node)} stands where only values of single rows can be used")
            case exp.Subquery() | exp.Exists() | exp.Select():
                return refused_subquery(node)
            case exp.Window():
                return QueryRefused(
                    "window functions would show single rows; they can be used on the noisy outcome, in an outer query, and the first or "
                    "last of each unit's rows is found by MIN or MAX in a subquery that is grouped by its id"
                )
            case exp.Interval():
                return QueryRefused("an interval can be added to or taken from a date or time, with a constant number of units")
            case exp.CurrentDate() | exp.CurrentTimestamp() | exp.Localtimestamp() | exp.CurrentTime() | exp.Rand():
                return self._changing(node)
            case exp.BitwiseAnd() | exp.BitwiseOr() | exp.BitwiseXor() | exp.BitwiseLeftShift() | exp.BitwiseRightShift():
                return QueryRefused("operations on bits are not understood; use division and %")
            case _ if isinstance(node, NESTED):
                return QueryRefused("what is inside of JSON is not looked at here; it needs a column of its own in the schema")
            case exp.Any() | exp.All():
                return refused_comparison(node)
            case exp.WidthBucket():
                return Mendable("WIDTH_BUCKET is not understood; write its buckets as a CASE", node, _buckets, equal=True)
            case exp.Tuple() | exp.Array():
                return QueryRefused("a list of values is understood where it is compared with another by =, < and the like, or IN")
            case exp.Star():
                return QueryRefused("* stands for whole rows, which are never shown; name what is to be aggregated")
        name = called(node, self.dialect)
        if isinstance(node, REGULAR) or name.startswith("regexp_"):
            return QueryRefused("regular expressions are not understood, since they can run without end; use LIKE")
        if name in ("now", "random", "gen_random_uuid", "clock_timestamp", "today"):
            return self._changing(node)
        if name == "age":
            return QueryRefused(moments.AGES)
        reason = f"'{name}' is not known as a function whose outcome can be shown private"
        if isinstance(node, exp.Func) and isinstance(node.args.get("this"), exp.Expr) and isinstance(node.parent, exp.Select | exp.Alias):
            reason += "; show what it is of, and work it out where the answer is read"
            return Mendable(reason, node, lambda place: place.replace(place.this))
        return QueryRefused(reason)

    def _changing(self, node: exp.Expr) -> Mendable:
        name = called(node, self.dialect)
        kind = "date" if name in ("current_date", "today") else "timestamp" if name == "now" or name.endswith("timestamp") else None

        def constant_day(place: exp.Expr) -> None:
            if kind is not None:
                place.replace(exp.cast(exp.Literal.string(DAY), kind))

        reason = f"{name} changes from one moment to the next, so that no answer could be kept; write a constant"
        return Mendable(reason, node, constant_day)


def _buckets(place: exp.Expr) -> None:
    """WIDTH_BUCKET as a CASE of the same outcome."""
    value, low, high, count = (place.args.get(part) for part in ("this", "min_value", "max_value", "num_buckets"))
    if value is not None and low is not None and high is not None and count is not None:
        parts = (part if isinstance(part, exp.Column | exp.Literal) else exp.paren(part) for part in (value, low, high, count))
        x, lo, hi, n = (sql_of(part, "duckdb") for part in parts)
        within = f"CAST(FLOOR(({x} - {lo}) * {n} / ({hi} - {lo})) AS INTEGER) + 1"
        place.replace(exp.maybe_parse(f"CASE WHEN {x} < {lo} THEN 0 WHEN {x} >= {hi} THEN {n} + 1 ELSE {within} END", dialect="duckdb"))
