"""What checks, defaults and formulas of SQLite say that other databases say too, told from what only SQLite has words for."""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

_CURRENT: dict[str, type[exp.Expr]] = {"DATETIME": exp.CurrentTimestamp, "DATE": exp.CurrentDate}
_OWN = (exp.Typeof, exp.Glob, exp.Match, exp.Collate, exp.TimeToStr, exp.JSONType)
_KNOWN_ELSEWHERE = ("JSON_VALID",)


def portable(tree: exp.Expr) -> exp.Expr | None:
    """Return an expression of SQLite without its own spelling of the present; None where other databases lack the words, or mean others."""
    tree = tree.transform(_present)
    functions = {found.name.upper() for found in tree.find_all(exp.Anonymous)}
    return None if tree.find(*_OWN) or functions - {*_KNOWN_ELSEWHERE} else tree


def in_quotes(default: str) -> str:
    """Return a default of SQLite with quotes where it is a single word, bare or in double quotes, which SQLite takes for a text."""
    try:
        tree = parse_one(default, read="sqlite")
    except SqlglotError:
        return default
    is_word = isinstance(tree, exp.Column) and len(tree.parts) == 1
    return exp.Literal.string(tree.name).sql(dialect="sqlite") if is_word else default


def _present(node: exp.Expr) -> exp.Expr:
    """`datetime('now')` and `date('now')`."""
    name = node.name.upper() if isinstance(node, exp.Anonymous) else "DATE" if isinstance(node, exp.Date) else ""
    said = node.expressions if isinstance(node, exp.Anonymous) else [node.this]
    is_now = len(said) == 1 and isinstance(said[0], exp.Literal) and said[0].name.lower() == "now"
    return _CURRENT[name]() if is_now and name in _CURRENT else node
