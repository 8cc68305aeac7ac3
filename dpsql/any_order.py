"""One order of what may stand in any: questions that are spelled in another order come to the same tree.

The tree asks for the same rows as the one before. Changed are alone the operands of AND, OR, `=`, `<>`, IS DISTINCT FROM, `+` and `*`,
the list of IN, `a > b` against `b < a`, and the sides of inner joins with the conditions on and above them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256

from dpsql.tree import (
    Call,
    Case,
    Column,
    DistinctRows,
    Expression,
    Facts,
    Filter,
    FirstRows,
    Join,
    Literal,
    PerUnit,
    Project,
    PublicGroups,
    Relation,
    Union,
    all_fields,
)

MANY = ("and", "or")
TWO = ("=", "<>", "is_distinct")
TWO_NUMBERS = ("add", "multiply")
MIRRORED = {">": "<", ">=": "<="}
SAME_WHERE_EQUAL = ("integer", "uuid")  # equal values of other kinds may still be written differently
TRUTH = Facts("boolean", False)
ALWAYS = Literal(True, TRUTH)
Written = Callable[[Relation], str]


def in_one_order(relation: Relation, written: Written) -> Relation:
    """Return the relation that all spellings of `relation` come to; `written` is what the sides of a join are ordered by."""
    match relation:
        case Filter() | Join(kind="inner"):
            return _joined(relation, written)
        case Join():
            left, right = in_one_order(relation.left, written), in_one_order(relation.right, written)
            units = {relation.left.unit: left.unit, relation.right.unit: right.unit}
            made = replace(relation, left=left, right=right, unit=units.get(relation.unit, relation.unit))
            return replace(made, condition=expression_in_one_order(relation.condition, numbered(made)))
        case Union():
            return replace(relation, inputs=tuple(_with_its_fields(one, written) for one in relation.inputs))
        case FirstRows():
            below = _with_its_fields(relation.input, written)  # whose order of fields decides which rows are the first
            names = numbered(below)
            order = tuple(replace(one, expression=expression_in_one_order(one.expression, names)) for one in relation.order)
            return replace(relation, input=below, order=order)
        case Project():
            below = in_one_order(relation.input, written)
            names = numbered(below)
            return replace(relation, input=below, expressions=tuple(expression_in_one_order(e, names) for e in relation.expressions))
        case PerUnit() | PublicGroups():
            below = in_one_order(relation.input, written)
            names = numbered(below)
            aggregates = tuple(
                one if one.argument is None else replace(one, argument=expression_in_one_order(one.argument, names))
                for one in relation.aggregates
            )
            keys = tuple(expression_in_one_order(key, names) for key in relation.keys)
            return replace(relation, input=below, keys=keys, aggregates=aggregates)
        case DistinctRows():
            return replace(relation, input=in_one_order(relation.input, written))
        case _:
            return relation


def numbered(relation: Relation) -> dict[str, str]:
    """The fields of a relation and of all below it with names by their places, which no spelling changes."""
    names: dict[str, str] = {}
    for field in all_fields(relation):
        names.setdefault(field.name, f"#{len(names)}")
    return names


def expression_in_one_order(expression: Expression, names: Mapping[str, str]) -> Expression:
    """Return the expression that all spellings of `expression` come to; `names` is what columns are ordered by."""
    return _ordered(expression, names)[0]


def _joined(relation: Relation, written: Written) -> Relation:
    """Filters and inner joins on top of each other: all that is joined, in order, under all that is asked of it."""
    sides: list[Relation] = []
    conditions: list[Expression] = []
    waiting = [relation]
    while waiting:
        match waiting.pop():
            case Filter() as one:
                conditions.append(one.condition)
                waiting.append(one.input)
            case Join(kind="inner") as one:
                conditions.append(one.condition)
                waiting += [one.right, one.left]
            case one:
                sides.append(in_one_order(one, written))
    if len(sides) > 1:
        sides.sort(key=written)
    made, *others = sides
    for side in others:
        made = Join(made, side, "inner", ALWAYS, relation.unit)
    names = numbered(made)
    condition = expression_in_one_order(Call("and", tuple(conditions), TRUTH), names)
    if isinstance(made, Join) and others and made.unit is not None:
        made = replace(made, unit=min(_equal_to(made.unit, condition), key=lambda name: int(names[name][1:])))
    return Filter(made, condition)


def _with_its_fields(relation: Relation, written: Written) -> Relation:
    """`relation` in one order, with its fields where they were."""
    made = in_one_order(relation, written)
    if [f.name for f in made.fields] == [f.name for f in relation.fields]:
        return made
    return Project(made, relation.fields, tuple(f.column for f in relation.fields), made.unit)


def _equal_to(name: str, condition: Expression) -> set[str]:
    """The columns whose values are the same as those of `name` wherever `condition` is true."""
    pairs = [
        {a.name for a in one.arguments if isinstance(a, Column)}
        for one in _operands(condition, "and")
        if isinstance(one, Call) and one.function == "=" and one.arguments[0].facts.kind == one.arguments[1].facts.kind
        and one.arguments[0].facts.kind in SAME_WHERE_EQUAL and all(isinstance(a, Column) for a in one.arguments)
    ]  # fmt: skip
    known = {name}
    while more := {n for pair in pairs if pair & known for n in pair} - known:
        known |= more
    return known


def _operands(expression: Expression, function: str) -> list[Expression]:
    """What `function` joins in an expression, however it is bracketed."""
    found, waiting = [], [expression]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Call) and one.function == function:
            waiting += reversed(one.arguments)
        else:
            found.append(one)
    return found


def _ordered(expression: Expression, names: Mapping[str, str]) -> tuple[Expression, str]:
    """An expression in one order, and what it is ordered by itself."""
    match expression:
        case Column(name):
            return expression, names.get(name, name)
        case Literal(value, facts):
            return expression, f"{type(value).__name__} {facts.kind} {value!r}"
        case Case(branches, otherwise):
            made = [(_ordered(condition, names), _ordered(value, names)) for condition, value in branches]
            last = _ordered(otherwise, names)
            by = _digest("case", *(text for (_, c), (_, v) in made for text in (c, v)), last[1])
            return replace(expression, branches=tuple((c, v) for (c, _), (v, _) in made), otherwise=last[0]), by
    function, arguments = expression.function, expression.arguments
    if function in MIRRORED:
        function, arguments = MIRRORED[function], arguments[::-1]
    if function in MANY:
        arguments = tuple(_operands(expression, function))
    ordered = [_ordered(one, names) for one in arguments]
    if function in MANY or (len(arguments) == 2 and (function in TWO or (function in TWO_NUMBERS and _are_numbers(arguments)))):
        ordered.sort(key=_by)
    elif function == "in":
        ordered[1:] = sorted(ordered[1:], key=_by)
    made_of = tuple(one for one, _ in ordered)
    if function in MANY and len(made_of) == 1:
        return ordered[0]
    return replace(expression, function=function, arguments=made_of), _digest(function, *(by for _, by in ordered))


def _are_numbers(arguments: tuple[Expression, ...]) -> bool:
    return all(one.facts.is_number for one in arguments)


def _by(ordered: tuple[Expression, str]) -> str:
    return ordered[1]


def _digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()
