"""A company's own rules in CEL: whether an expression is true of a case, within bounds of time and memory.

A rule that fails in any way counts as broken. `cel-python` evaluates by walking the tree of the expression; the walk is stopped where it
takes too long or makes something too large. CEL has no loops, but its macros nest.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from schemas.cel import ExpressionInvalid, compiled

if TYPE_CHECKING:
    from celpy.evaluation import Evaluator

MOST_SECONDS = 1.0
LARGEST = 100_000


class _Exceeded(Exception):
    """The evaluation takes too long, or makes something too large."""


def fault(expression: str, facts: Mapping[str, Any], seconds: float = MOST_SECONDS) -> str | None:
    """Return None where an expression is true of `facts`, an empty text where it is false, and else why it cannot be said.

    Raises InputError where `cel-python` is not installed.
    """
    try:
        program = compiled(expression)
    except ExpressionInvalid as error:
        return f"the rule cannot be read: {error}"
    from celpy.adapter import json_to_cel
    from celpy.celtypes import BoolType

    evaluator = _bounded(program.ast, program.new_activation(), time.monotonic() + seconds)
    try:
        value = evaluator.evaluate({name: json_to_cel(fact) for name, fact in facts.items()})
    except _Exceeded as error:
        return f"the rule could not be evaluated: {error}"
    except Exception as error:  # whatever it is, nothing has been found to be true
        return f"the rule could not be evaluated: {_first_line(error)}"
    if not isinstance(value, BoolType):
        return "the rule is neither true nor false"
    return None if value else ""


def _bounded(tree: Any, activation: Any, until: float) -> Evaluator:
    from celpy.evaluation import Evaluator

    class Bounded(Evaluator):
        """Stops at the end of its time, and at large values; so do the evaluators of what is nested in macros."""

        def sub_evaluator(self, ast: Any) -> Evaluator:
            return Bounded(ast, activation=self.activation)

        def visit_children(self, tree: Any) -> list[Any]:
            if time.monotonic() > until:
                raise _Exceeded("it takes too long")
            values: list[Any] = super().visit_children(tree)
            if any(isinstance(value, str | bytes | list | dict) and len(value) > LARGEST for value in values):
                raise _Exceeded(f"it makes something of more than {LARGEST:,} parts")
            return values

    return Bounded(tree, activation)


def _first_line(error: Exception) -> str:
    """What went wrong, without the values that `cel-python` prints behind it."""
    text = str(error.args[0] if error.args else error).partition(" (in activation")[0].partition(" applied to ")[0]
    return text.splitlines()[0][:120] if text else type(error).__name__
