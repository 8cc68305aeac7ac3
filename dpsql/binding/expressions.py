"""Binding scalar expressions."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction

from sqlglot import expressions as exp

from dpsql.binding.scopes import Scope
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import call, ranges
from dpsql.functions.dates import FIELDS, UNITS
from dpsql.tree import Call, Case, Expression, Facts, Kind, Literal, Value

BINARY: dict[type[exp.Expr], str] = {
    exp.Add: "add", exp.Sub: "subtract", exp.Mul: "multiply", exp.Mod: "modulo", exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=",
    exp.GT: ">", exp.GTE: ">=", exp.Like: "like", exp.ILike: "ilike",
}  # fmt: skip
NUMERIC = ("add", "subtract", "multiply", "modulo", "divide", "divide_whole", "abs", "negate", "sign", "round", "floor", "ceil", "sqrt")
ONE: dict[type[exp.Expr], str] = {
    exp.Abs: "abs", exp.Neg: "negate", exp.Sign: "sign", exp.Floor: "floor", exp.Ceil: "ceil", exp.Sqrt: "sqrt", exp.Upper: "upper",
    exp.Lower: "lower", exp.Length: "length",
}  # fmt: skip
CASTS: dict[str, Kind] = {
    "INT": "integer", "BIGINT": "integer", "SMALLINT": "integer", "TINYINT": "integer", "DECIMAL": "decimal", "DOUBLE": "double",
    "FLOAT": "double", "TEXT": "text", "VARCHAR": "text", "CHAR": "text", "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "timestamp",
    "TIMESTAMPTZ": "timestamptz", "UUID": "uuid",
}  # fmt: skip
TEXTUAL = ("text", "uuid")
MOMENTS = ("date", "timestamp", "timestamptz")
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


class Expressions:
    """Binds expressions of one scope.

    `parameters` are the values of $1, $2 and so on; `dialect` decides what / means. `by_unit` are the names of fields that are sums
    or counts of one unit's rows, whose bound may be chosen privately.
    """

    def __init__(self, scope: Scope, dialect: str, parameters: Sequence[Value] = (), by_unit: Collection[str] = ()) -> None:
        self.by_unit = by_unit
        self._scope = scope
        self._dialect = dialect
        self._parameters = parameters

    def bind(self, node: exp.Expr) -> Expression:
        """Return the bound expression; QueryInvalid or QueryRefused where it is not understood."""
        match node:
            case exp.Paren():
                return self.bind(node.this)
            case exp.Alias():
                return self.bind(node.this)
            case exp.Column():
                if isinstance(node.this, exp.Star):
                    raise QueryRefused("* stands for whole rows, which are never shown; name what is to be aggregated")
                return self._scope.resolve(node).column
            case exp.Literal() | exp.Boolean() | exp.Null():
                return _constant(node)
            case exp.Parameter() | exp.Placeholder():
                return self._parameter(node)
            case exp.And() | exp.Or():
                parts = [self._truth(p) for p in node.flatten()]
                return call("and" if isinstance(node, exp.And) else "or", *parts)
            case exp.Not():
                return call("not", self._truth(node.this))
            case exp.Is():
                return self._is(node)
            case exp.Between():
                value, low, high = (self.bind(node.args[part]) for part in ("this", "low", "high"))
                return call("and", self._compared(">=", value, low), self._compared("<=", value, high))
            case exp.In():
                return self._in(node)
            case exp.Div() | exp.IntDiv():
                return self._divided(node)
            case exp.Case() | exp.If():
                return self._case(node)
            case exp.Cast() | exp.TryCast():
                return self._cast(node)
            case exp.Interval():
                raise QueryRefused("an interval can be added to or taken from a date or time, with a constant number of units")
            case _:
                return self._function(node)

    def _function(self, node: exp.Expr) -> Expression:
        if type(node) in BINARY:
            bound = self._binary(BINARY[type(node)], node)
            return call("not", bound) if node.args.get("negate") else bound
        if type(node) in ONE:
            return self._call(ONE[type(node)], self.bind(node.this))
        match node:
            case exp.Coalesce():
                return self._alike("coalesce", [node.this, *node.expressions])
            case exp.Nullif():
                return self._alike("nullif", [node.this, node.expression])
            case exp.Least() | exp.Greatest():
                return self._alike(node.key, [node.this, *node.expressions])
            case exp.Round():
                digits = [self._whole(node.args["decimals"])] if node.args.get("decimals") is not None else []
                return self._call("round", self.bind(node.this), *digits)
            case exp.Extract() | exp.TimestampTrunc() | exp.DateTrunc():
                return self._of_moment(node)
            case (
                exp.Year()
                | exp.Month()
                | exp.Day()
                | exp.Quarter()
                | exp.Week()
                | exp.DayOfWeek()
                | exp.DayOfYear()
                | exp.Hour()
                | exp.Minute()
            ):
                name = {"day_of_week": "dow", "day_of_year": "doy", "dayofweek": "dow", "dayofyear": "doy"}.get(node.key, node.key)
                return self._extracted(name, self.bind(_inside(node.this)))
            case exp.Substring():
                rest = [node.args[part] for part in ("start", "length") if node.args.get(part) is not None]
                start = self.bind(rest[0]) if rest else Literal(1, _number_facts(1))
                return self._text_call("substring", self.bind(node.this), start, *(self.bind(r) for r in rest[1:]))
            case exp.Trim() if node.expression is None:
                name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
                return self._text_call(name, self.bind(node.this))
            case exp.Left() | exp.Right():
                return self._text_call(node.key, self.bind(node.this), self.bind(node.expression))
            case exp.Replace() if node.expression is not None and node.args.get("replacement") is not None:
                return self._text_call("replace", self.bind(node.this), self.bind(node.expression), self.bind(node.args["replacement"]))
            case exp.DPipe():
                return self._text_call("concat", self.bind(node.this), self.bind(node.expression))
            case exp.Concat():
                parts = [call("coalesce", self._as_text(p), Literal("", Facts("text", False, values=("",)))) for p in node.expressions]
                return call("concat", *parts) if len(parts) > 1 else parts[0]
            case exp.StartsWith():
                return self._text_call("starts_with", self.bind(node.this), self.bind(node.expression))
            case exp.StrPosition() if node.args.get("position") is None:
                return self._text_call("position", self.bind(node.this), self.bind(node.args["substr"]))
            case exp.SplitPart():
                return self._text_call(
                    "split_part", self.bind(node.this), self.bind(node.args["delimiter"]), self._whole(node.args["part_index"])
                )
            case exp.NullSafeNEQ() | exp.NullSafeEQ():
                told = call("is_distinct", self.bind(node.this), self.bind(node.expression))
                return told if isinstance(node, exp.NullSafeNEQ) else call("not", told)
            case exp.AggFunc():
                raise QueryRefused(f"the aggregate {node.sql()[:80]} stands where only values of single rows can be used")
            case exp.Subquery() | exp.Exists():
                raise QueryRefused("a subquery here is not understood; join the table instead")
            case exp.Window():
                raise QueryRefused("window functions would show single rows; they can be used on the noisy outcome, in an outer query")
        name = node.name if isinstance(node, exp.Anonymous) else node.key
        raise QueryRefused(f"'{str(name)[:60].lower()}' is not a function that can be shown private here")

    def _binary(self, name: str, node: exp.Expr) -> Expression:
        moved = self._moved(name, node)
        if moved is not None:
            return moved
        a, b = self.bind(node.this), self.bind(node.expression)
        if name in ("=", "<>", "<", "<=", ">", ">="):
            return self._compared(name, a, b)
        if name in ("like", "ilike"):
            return self._text_call(name, a, b)
        if name == "subtract" and a.facts.kind == b.facts.kind == "date":
            return call("days_between", a, b)
        return self._call(name, a, b)

    def _call(self, name: str, *arguments: Expression) -> Expression:
        if name in NUMERIC:
            arguments = tuple(_as_number(a) for a in arguments)
            for argument in arguments:
                if not argument.facts.is_number:
                    raise QueryInvalid(f"'{name}' needs numbers, not a value of type {argument.facts.kind}")
        elif name in ("upper", "lower", "length"):
            return self._text_call(name, *arguments)
        return call(name, *arguments)

    def _text_call(self, name: str, first: Expression, *rest: Expression) -> Expression:
        texts = {"like", "ilike", "replace", "concat", "starts_with", "position"}
        checked = (first, *rest) if name in texts else (first,)
        for argument in checked:
            if argument.facts.kind != "text" and not _is_null(argument):
                raise QueryInvalid(f"'{name}' needs text, not a value of type {argument.facts.kind}; cast it first")
        if name in ("like", "ilike"):
            pattern = rest[0]
            if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
                raise QueryRefused("a pattern of LIKE must be a constant text")
            if pattern.value.endswith("\\") and not pattern.value.endswith("\\\\"):
                raise QueryInvalid("the pattern of LIKE ends in a backslash")
        return call(name, first, *rest)

    def _as_text(self, node: exp.Expr) -> Expression:
        bound = self.bind(node)
        return bound if bound.facts.kind == "text" else call("cast_text", bound)

    def _truth(self, node: exp.Expr) -> Expression:
        bound = self.bind(node)
        if bound.facts.kind != "boolean" and not _is_null(bound):
            raise QueryInvalid(f"a condition must be true or false, not of type {bound.facts.kind}: {node.sql()[:80]}")
        return bound

    def condition(self, node: exp.Expr) -> Expression:
        """Return a bound condition."""
        return self._truth(node)

    def _compared(self, sign: str, a: Expression, b: Expression) -> Expression:
        a, b = _matched(a, b)
        return call(sign, a, b)

    def _is(self, node: exp.Is) -> Expression:
        negated = bool(node.args.get("negate"))
        target = node.expression
        if isinstance(target, exp.Not):
            negated, target = not negated, target.this
        if isinstance(target, exp.Null):
            return call("is_not_null" if negated else "is_null", self.bind(node.this))
        if isinstance(target, exp.Boolean):
            word = "true" if target.this else "false"
            return call(f"is_not_{word}" if negated else f"is_{word}", self._truth(node.this))
        raise QueryRefused("IS is understood with NULL, TRUE and FALSE")

    def _in(self, node: exp.In) -> Expression:
        if node.args.get("query") is not None:
            raise QueryRefused("IN (SELECT ...) is not understood here; join the table instead")
        value = self.bind(node.this)
        others = [_matched(value, self.bind(e))[1] for e in node.expressions]
        if not others:
            raise QueryInvalid("IN needs a list of values")
        return call("in", value, *others)

    def _divided(self, node: exp.Expr) -> Expression:
        a, b = _as_number(self.bind(node.this)), _as_number(self.bind(node.expression))
        for argument in (a, b):
            if not argument.facts.is_number:
                raise QueryInvalid(f"division needs numbers, not a value of type {argument.facts.kind}")
        whole = a.facts.kind == b.facts.kind == "integer" and (isinstance(node, exp.IntDiv) or self._dialect == "postgres")
        return call("divide_whole" if whole else "divide", a, b)

    def _case(self, node: exp.Case | exp.If) -> Expression:
        branches: list[tuple[Expression, Expression]] = []
        ifs = node.args["ifs"] if isinstance(node, exp.Case) else [node]
        for one in ifs:
            if isinstance(node, exp.Case) and node.this is not None:
                condition = self._compared("=", self.bind(node.this), self.bind(one.this))
            else:
                condition = self._truth(one.this)
            branches.append((condition, self.bind(one.args["true"])))
        last = node.args.get("default") if isinstance(node, exp.Case) else node.args.get("false")
        otherwise = self.bind(last) if last is not None else Literal(None, Facts("other"))
        return case(branches, otherwise)

    def _alike(self, name: str, nodes: Sequence[exp.Expr]) -> Expression:
        bound = _unified([self.bind(n) for n in nodes])
        return call(name, *bound)

    def _cast(self, node: exp.Cast) -> Expression:
        wanted = node.to
        kind = CASTS.get(wanted.this.name if isinstance(wanted, exp.DataType) and hasattr(wanted.this, "name") else "")
        if kind is None:
            raise QueryRefused(f"a cast to {wanted.sql()[:40].lower()} is not understood here")
        value = self.bind(node.this)
        if isinstance(value, Literal) and isinstance(value.value, str) and kind in MOMENTS:
            return _moment(value.value, kind)
        if kind == "uuid":
            if value.facts.kind in TEXTUAL and isinstance(value, Literal):
                return replace(value, facts=replace(value.facts, kind="uuid"))
            raise QueryRefused("a cast to uuid is understood of a constant alone")
        sizes = [int(p.name) for p in wanted.expressions if p.name.isdigit()]
        if kind == "decimal":
            digits = sizes[1] if len(sizes) > 1 else 0 if sizes else None
            if digits is not None:
                return call("cast_decimal", value, Literal(min(digits, 18), _number_facts(min(digits, 18))))
        return call(f"cast_{kind}", value)

    def _of_moment(self, node: exp.Expr) -> Expression:
        if isinstance(node, exp.Extract):
            return self._extracted(node.this.name.lower(), self.bind(node.expression))
        unit = str(node.args["unit"].name if hasattr(node.args["unit"], "name") else node.args["unit"]).lower()
        if unit not in UNITS:
            raise QueryRefused(f"DATE_TRUNC to '{unit[:40]}' is not understood; units are {', '.join(UNITS)}")
        moment = self._as_moment(self.bind(node.this))
        return call("date_trunc", _word(unit), moment)

    def _extracted(self, name: str, moment: Expression) -> Expression:
        name = {"dayofweek": "dow", "dayofyear": "doy", "isodow": "isodow"}.get(name, name)
        if name not in FIELDS:
            raise QueryRefused(f"the field '{name[:40]}' is not understood; fields are {', '.join(FIELDS)}")
        return call("extract", _word(name), self._as_moment(moment))

    def _as_moment(self, bound: Expression) -> Expression:
        if isinstance(bound, Literal) and isinstance(bound.value, str):
            return _moment(bound.value, "timestamp")
        if bound.facts.kind not in MOMENTS:
            raise QueryInvalid(f"a date or time is needed, not a value of type {bound.facts.kind}")
        return bound

    def _moved(self, name: str, node: exp.Expr) -> Expression | None:
        """A date or time plus or minus an interval, or a date plus or minus days."""
        if name not in ("add", "subtract"):
            return None
        interval = (
            node.expression if isinstance(node.expression, exp.Interval) else node.this if isinstance(node.this, exp.Interval) else None
        )
        if interval is not None:
            moment = self._as_moment(self.bind(node.this if interval is node.expression else node.expression))
            seconds = _seconds(interval)
            if name == "subtract":
                seconds = -seconds
            if moment.facts.kind == "date":
                moment = call("cast_timestamp", moment)
            return call("move", moment, Literal(seconds, _number_facts(seconds)))
        a, b = self.bind(node.this), self.bind(node.expression)
        if a.facts.kind == "date" and isinstance(b, Literal) and isinstance(b.value, int) and not isinstance(b.value, bool):
            days = b.value if name == "add" else -b.value
            return call("move", a, Literal(days, _number_facts(days)))
        return None

    def _whole(self, node: exp.Expr) -> Literal:
        bound = _folded(self.bind(node))
        if not isinstance(bound, Literal) or not isinstance(bound.value, int) or isinstance(bound.value, bool):
            raise QueryInvalid(f"a constant whole number is needed here, not {node.sql()[:40]}")
        return bound

    def _parameter(self, node: exp.Expr) -> Expression:
        text = node.name or node.sql()
        number = re.sub(r"\D", "", text)
        if not number or not 1 <= int(number) <= len(self._parameters):
            raise QueryInvalid(f"there is no value for the parameter {text[:20] or '?'}")
        return constant(self._parameters[int(number) - 1])


def case(branches: Sequence[tuple[Expression, Expression]], otherwise: Expression) -> Case:
    """Return CASE with its facts."""
    unified = _unified([*(value for _, value in branches), otherwise])
    facts = ranges.merged([u.facts for u in unified if not _is_null(u)] or [Facts("other")], any(u.facts.nullable for u in unified))
    return Case(tuple((c, u) for (c, _), u in zip(branches, unified, strict=False)), unified[-1], facts)


def constant(value: Value) -> Literal:
    """Return a constant with its facts."""
    match value:
        case None:
            return Literal(None, Facts("other", True, values=(None,)))
        case bool():
            return Literal(value, Facts("boolean", False, values=(value,)))
        case int():
            return Literal(value, _number_facts(value))
        case float():
            exact = Fraction(value).limit_denominator(10**12)
            return Literal(value, Facts("double", False, exact, exact, Fraction(1, exact.denominator), (value,)))
        case str():
            return Literal(value, Facts("text", False, values=(value,)))
        case datetime.datetime():
            kind: Kind = "timestamptz" if value.tzinfo else "timestamp"
            return Literal(value, Facts(kind, False, value, value, values=(value,)))
        case datetime.date():
            return Literal(value, Facts("date", False, value, value, values=(value,)))
        case _:
            exact = Fraction(value)
            return Literal(exact, Facts("decimal", False, exact, exact, Fraction(1, exact.denominator), (exact,)))


def _constant(node: exp.Expr) -> Literal:
    if isinstance(node, exp.Null):
        return constant(None)
    if isinstance(node, exp.Boolean):
        return constant(bool(node.this))
    if node.args.get("is_string"):
        return constant(str(node.this))
    text = str(node.this)
    if re.fullmatch(r"\d{1,30}", text):
        return constant(int(text))
    try:
        exact = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise QueryInvalid(f"'{text[:40]}' is not a number") from None
    if abs(exact) > 10**30 or exact.denominator > 10**18:
        raise QueryInvalid(f"the number {text[:40]} has too many digits")
    return constant(exact)


def _number_facts(value: int) -> Facts:
    return Facts("integer", False, value, value, Fraction(1), (value,))


def _word(word: str) -> Literal:
    return Literal(word, Facts("text", False, values=(word,)))


def _is_null(expression: Expression) -> bool:
    return isinstance(expression, Literal) and expression.value is None


def _folded(expression: Expression) -> Expression:
    """A negated constant as a constant."""
    if isinstance(expression, Call) and expression.function == "negate" and isinstance(expression.arguments[0], Literal):
        value = expression.arguments[0].value
        if isinstance(value, int | Fraction):
            return constant(-value)
    return expression


def _as_number(expression: Expression) -> Expression:
    if isinstance(expression, Literal) and isinstance(expression.value, str):
        try:
            return constant(Fraction(expression.value))
        except (ValueError, ZeroDivisionError):
            return expression
    return expression


def _moment(text: str, kind: Kind) -> Literal:
    try:
        if kind == "date":
            return constant(datetime.date.fromisoformat(text.strip()))
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        raise QueryInvalid(f"'{text[:40]}' is not a {kind}; write it like 2026-01-31 or 2026-01-31 23:59:59") from None
    if kind == "timestamptz" and moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return constant(moment.replace(tzinfo=None) if kind == "timestamp" else moment)


def _matched(a: Expression, b: Expression) -> tuple[Expression, Expression]:
    """Two expressions that can be compared: a constant text takes the kind of the other side."""
    if isinstance(a, Literal) and not isinstance(b, Literal):
        y, x = _matched(b, a)
        return x, y
    if isinstance(b, Literal) and isinstance(b.value, str):
        kind = a.facts.kind
        if kind in MOMENTS:
            return a, _moment(b.value, kind)
        if a.facts.is_number:
            b = _as_number(b)
        if kind == "uuid":
            if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", b.value if isinstance(b.value, str) else ""):
                raise QueryInvalid("a uuid is compared with a text that is none")
            return a, replace(b, facts=replace(b.facts, kind="uuid"))
    both = {a.facts.kind, b.facts.kind}
    alike = _is_null(a) or _is_null(b) or len(both) == 1 or (a.facts.is_number and b.facts.is_number) or both <= set(MOMENTS)
    if not alike:
        raise QueryInvalid(f"a value of type {a.facts.kind} cannot be compared with one of type {b.facts.kind}; cast one of them")
    return a, b


def _unified(bound: list[Expression]) -> list[Expression]:
    kinds = [b.facts.kind for b in bound if not _is_null(b)]
    first = next((b for b in bound if not isinstance(b, Literal)), bound[0])
    made = [b if _is_null(b) else _matched(first, b)[1] if b is not first else b for b in bound]
    kind = kinds[0] if kinds else "other"
    return [replace(b, facts=replace(b.facts, kind=kind)) if isinstance(b, Literal) and _is_null(b) else b for b in made]


def _seconds(interval: exp.Interval) -> int:
    value, unit = interval.this, interval.args.get("unit")
    text = str(value.this) if isinstance(value, exp.Literal) else ""
    name = (unit.name if unit is not None else "").lower().rstrip("s")
    found = re.fullmatch(r"\s*(-?\d{1,9})\s*([a-z]*)\s*", text.lower())
    if not found:
        raise QueryRefused("an interval needs a constant whole number of units")
    name = found.group(2).rstrip("s") or name
    if name not in SECONDS:
        raise QueryRefused(f"an interval of '{name[:20]}' is not understood here; use days, hours, minutes or seconds")
    return int(found.group(1)) * SECONDS[name]


def _inside(node: exp.Expr) -> exp.Expr:
    """What sqlglot has put into a cast to a date of its own accord."""
    return node.this if isinstance(node, exp.TsOrDsToDate | exp.TsOrDsToTimestamp) else node
