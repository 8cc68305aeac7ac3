"""CEL expressions of a company's own rules: what they may name, and whether they can be read.

Source: Common Expression Language specification, https://github.com/google/cel-spec; read by `cel-python`, the extra `policy`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from schemas.errors import InputError, nearest

if TYPE_CHECKING:
    import celpy

MOST_CHARACTERS = 4_000

VARIABLES = {
    "owner": "text: whose sandbox it is",
    "groups": "list of texts: the owner's groups",
    "actor": "text: who asks",
    "template": "text",
    "environment": "text",
    "kind": "text: `synthetic`, `sanitized` or `mirrored`",
    "seed": "text: the reference of the bundle, as asked for",
    "ttl_hours": "whole number: how long it would live from now on, in hours, rounded up",
    "flags": "list of texts: the feature flags asked for",
    "action": "text: `create`, `extend`, `reset` or `restore`",
    "age_hours": "whole number: how old the sandbox is, in hours, rounded up; 0 for one that is to be made",
    "live": "whole number: how many live sandboxes the owner has in the environment",
}

_MACROS = {"all", "exists", "exists_one", "filter", "map"}
_CALLED = {"has", "dyn"}


@dataclass(frozen=True, slots=True)
class ExpressionProblem:
    """What is wrong with an expression, and where in it, counting from 1."""

    message: str
    line: int | None = None
    column: int | None = None


class ExpressionInvalid(ValueError):
    """An expression that cannot be read."""

    def __init__(self, problem: ExpressionProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def problem_in(expression: str) -> ExpressionProblem | None:
    """Return what is wrong with an expression; None where nothing is, or where `cel-python` is not installed to tell."""
    if find_spec("celpy") is None:
        return None
    try:
        compiled(expression)
    except ExpressionInvalid as error:
        return error.problem
    return None


def compiled(expression: str) -> celpy.Runner:
    """Return the program of an expression; raises ExpressionInvalid, and InputError where `cel-python` is not installed."""
    try:
        import celpy
        from celpy.celparser import CELParseError
    except ModuleNotFoundError:
        raise InputError("rules in CEL need an extra; install it with: pip install 'companyos-data[policy]'") from None
    if len(expression) > MOST_CHARACTERS:
        raise ExpressionInvalid(ExpressionProblem(f"an expression has at most {MOST_CHARACTERS:,} characters"))
    limit = sys.getrecursionlimit()
    environment = celpy.Environment()  # sets the limit of recursion to what CEL needs, also where it was above that
    sys.setrecursionlimit(max(limit, sys.getrecursionlimit()))
    try:
        tree = environment.compile(expression)
    except CELParseError as error:
        raise ExpressionInvalid(_unreadable(expression, error.line, error.column)) from None
    for problem in _unknown_names(tree):
        raise ExpressionInvalid(problem)
    return environment.program(tree)


def _unreadable(expression: str, line: int | None, column: int | None) -> ExpressionProblem:
    if line is None or column is None or not 0 < line <= expression.count("\n") + 1:
        return ExpressionProblem("this is not CEL: it ends too early")
    rest = expression.split("\n")[line - 1][column - 1 :].strip()
    where = f"at '{rest[:20]}'" if rest else "at its end"
    return ExpressionProblem(f"this is not CEL: it cannot be understood {where}", line, column)


def _unknown_names(tree: Any) -> Iterator[ExpressionProblem]:
    """Names that are neither variables, nor bound by a macro, nor types or functions of CEL."""
    from celpy.evaluation import base_functions

    functions = {name for name in base_functions if name.isidentifier()}
    nodes = list(tree.iter_subtrees_topdown())
    bound = {name for node in nodes if node.data == "member_dot_arg" and node.children[1] in _MACROS for name in _bound(node)}
    for node in nodes:
        if node.data in ("ident", "dot_ident"):
            known = {*VARIABLES, *bound, *functions}
        elif node.data in ("ident_arg", "dot_ident_arg"):
            known = functions | _CALLED
        elif node.data == "member_dot_arg":
            known = functions | _MACROS
        else:
            continue
        token = node.children[1] if node.data == "member_dot_arg" else node.children[0]
        if str(token) not in known:
            what = "function" if node.data.endswith("_arg") else "name"
            hint = nearest(str(token), known) or (f"; known are {', '.join(VARIABLES)}" if what == "name" else "")
            yield ExpressionProblem(f"unknown {what} '{str(token)[:60]}'{hint}", token.line, token.column)


def _bound(call: Any) -> Iterator[str]:
    """The variable that a macro such as `groups.exists(g, ...)` binds."""
    arguments = call.children[2].children if len(call.children) > 2 else []
    if arguments:
        yield from (str(ident.children[0]) for ident in arguments[0].find_data("ident"))
