"""What a public row without a private partner adds to an aggregate: nothing, where a left join that leaves it out means the same."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from dpsql.binding.constants import NULL, is_null
from dpsql.tree import Aggregate, Call, Case, Column, Expression, Literal

# functions that may be something where an argument is null, and not by the rules below
LENIENT = frozenset(("is_null", "is_not_null", "is_true", "is_false", "is_not_true", "is_not_false", "is_distinct", "and", "or"))


def adds_nothing(aggregate: Aggregate, fields: Collection[str]) -> bool:
    """Whether a row whose `fields` are null adds nothing to an aggregate, for certain."""
    value = None if aggregate.argument is None else _without(aggregate.argument, fields)
    return value is not None and (is_null(value) or (aggregate.function == "sum" and value.value == 0))


def _without(expression: Expression, fields: Collection[str]) -> Literal | None:
    """The constant that an expression is where the fields are null; None where it need not be one."""
    match expression:
        case Column():
            return NULL if expression.name in fields else None
        case Literal():
            return expression
        case Call():
            return _called(expression.function, [_without(a, fields) for a in expression.arguments])
        case Case():
            values = [v for c, v in expression.branches if not _never(c, fields)]
            first, *others = [_without(v, fields) for v in (*values, expression.otherwise)]
            return first if first is not None and all(o is not None and o.value == first.value for o in others) else None


def _never(condition: Expression, fields: Collection[str]) -> bool:
    """Whether a condition is not true where the fields are null, for certain."""
    if isinstance(condition, Call) and condition.function == "and":
        return any(_never(a, fields) for a in condition.arguments)
    found = _without(condition, fields)
    return found is not None and is_null(found)


def _called(function: str, arguments: Sequence[Literal | None]) -> Literal | None:
    present = [a for a in arguments if a is None or not is_null(a)]
    match function:
        case "coalesce":
            return present[0] if present else NULL
        case "least" | "greatest":
            if len(present) < 2:
                return present[0] if present else NULL
            known = [a for a in present if a is not None and a.facts.is_number]
            return (min if function == "least" else max)(known, key=_number) if len(known) == len(present) else None
        case "nullif" | "in":
            return NULL if arguments[0] is not None and is_null(arguments[0]) else None
        case _:
            return NULL if len(present) < len(arguments) and function not in LENIENT else None


def _number(constant: Literal) -> Any:
    return constant.value
