"""SQL expressions in schemas (checks, computed columns, `expression`): PostgreSQL's dialect, over the columns of one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.times import format_moment

if TYPE_CHECKING:
    from sqlglot import exp

_MAX_DEPTH = 270


class NotAnExpression(ValueError):
    """SQL that is no expression over the columns of one row; the message says why."""


def parse_expression(sql: str, dialect: str = "postgres") -> exp.Expression:
    """Parse a SQL expression in one of sqlglot's dialects; raises NotAnExpression."""
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(sql, read=dialect, into=exp.Condition)
    except sqlglot.errors.ParseError as error:
        raise NotAnExpression(f"this is not a SQL expression: {_reason(error)}") from None
    except sqlglot.errors.SqlglotError:
        raise NotAnExpression("this is not a SQL expression: a quote or comment is not closed") from None
    except (ValueError, RecursionError, TypeError, AttributeError, LookupError):
        raise NotAnExpression("this is not a SQL expression that can be read here") from None
    if _is_too_deep(balanced(tree)):
        raise NotAnExpression("it is too long or too deep an expression to be read here; make it several")
    if not isinstance(tree, exp.Expression) or isinstance(tree, exp.Query) or tree.find(exp.Query, exp.Command):
        raise NotAnExpression("it must be an expression over the columns of one row, not a query")
    return tree


def balanced(tree: exp.Expr) -> exp.Expr:
    """Return `tree` with all that AND joins, or OR, joined in pairs and pairs of pairs: the same condition, of few levels."""
    from sqlglot import exp

    for node in list(tree.find_all(exp.And, exp.Or)):
        if isinstance(node.parent, type(node)) or not isinstance(node.left, type(node)) or not isinstance(node.left.left, type(node)):
            continue
        parts = [part.pop() for part in list(node.flatten(unnest=False))]
        while len(parts) > 2:
            pairs = [type(node)(this=one, expression=other) for one, other in zip(parts[::2], parts[1::2], strict=False)]
            parts = pairs + parts[len(pairs) * 2 :]
        node.set("this", parts[0])
        node.set("expression", parts[1])
    return tree


def _is_too_deep(tree: exp.Expr) -> bool:
    """Whether functions that call themselves for each part of a tree may not reach its end."""
    level = [tree]
    for _ in range(_MAX_DEPTH):
        level = [part for node in level for part in node.iter_expressions()]
    return bool(level)


def _reason(error: Exception) -> str:
    details = (getattr(error, "errors", None) or [{}])[0]
    token = str(details.get("highlight") or "").strip()[:40]
    if not token:
        return "it is empty" if not details else "something is missing"
    if "Unexpected token" in str(details.get("description")):
        return f"'{token}' is not expected at character {details.get('col')}"
    return f"something is missing at '{token}', character {details.get('col')}"


def columns_in(tree: exp.Expression) -> list[tuple[str, bool]]:
    """Return the dotted names of the columns in an expression, each once, and whether a name was quoted."""
    from sqlglot import exp

    found: dict[tuple[str, bool], None] = {}
    for column in tree.find_all(exp.Column):
        if isinstance(column.this, exp.Identifier):
            found[".".join(part.name for part in column.parts), bool(column.this.quoted)] = None
    return list(found)


def anchored(tree: exp.Expr, anchor: int) -> exp.Expr:
    """Return an expression with the data's now (microseconds since 1970) as a time stamp in the place of every `anchor()`."""
    from sqlglot import exp

    def now(node: exp.Expr) -> exp.Expr:
        return exp.cast(exp.Literal.string(format_moment(anchor)), exp.DataType.Type.TIMESTAMPTZ) if _is_anchor(node) else node

    return tree.transform(now)


def names_anchor(tree: exp.Expr) -> bool:
    """Whether `anchor()` stands in an expression."""
    return any(map(_is_anchor, tree.walk()))


def _is_anchor(node: exp.Expr) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.Anonymous) and node.name.lower() == "anchor" and not node.expressions


def with_like_escape(node: exp.Expr) -> exp.Expr:
    """Return `node`, or a LIKE with the backslash that PostgreSQL takes as its escape and DuckDB does not, for `transform`."""
    from sqlglot import exp

    if not isinstance(node, (exp.Like, exp.ILike)) or isinstance(node.parent, exp.Escape):
        return node
    pattern = node.expression
    if isinstance(pattern, exp.Literal) and "\\" not in pattern.name:
        return node
    return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))


def with_cut_texts(tree: exp.Expr) -> exp.Expr:
    """Return a copy of `tree` in which casts to a text of so many characters cut it, as PostgreSQL's do and DuckDB's do not."""
    from sqlglot import exp

    texts = (exp.DataType.Type.VARCHAR, exp.DataType.Type.CHAR, exp.DataType.Type.BPCHAR)
    tree = tree.copy()
    for cast in list(tree.find_all(exp.Cast)):
        length = next(iter(cast.args["to"].expressions), None)
        if cast.args["to"].this not in texts or length is None:
            continue
        cut = exp.Left(expression=exp.Literal.number(length.name))
        if cast is tree:
            tree = cut
        else:
            cast.replace(cut)
        cast.args["to"].set("expressions", [])
        cut.set("this", cast)
    return tree
