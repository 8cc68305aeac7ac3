"""VALUES in FROM, written out as SELECTs; UNNEST of a list of constants is VALUES of one column."""

from __future__ import annotations

from sqlglot import expressions as exp

from dpsql.errors import QueryInvalid, QueryRefused

MOST_ROWS = 1_000


def written_as_selects(root: exp.Expr, dialect: str) -> None:
    """Replace each (VALUES (1, 'a'), (2, 'b')) of a FROM by (SELECT 1, 'a' UNION ALL SELECT 2, 'b'), with the dialect's names of columns.

    Raises QueryInvalid where rows have not the same length, QueryRefused where there are more than MOST_ROWS.
    """
    for unnest in list(root.find_all(exp.Unnest)):
        if isinstance(unnest.parent, exp.From | exp.Join) and unnest.arg_key == "this":
            _as_values(unnest)
    for node in list(root.find_all(exp.Values)):
        if not isinstance(node.parent, exp.From | exp.Join) or node.arg_key != "this":
            continue
        rows = [one.expressions if isinstance(one, exp.Tuple) else [one] for one in node.expressions]
        if not rows or any(len(row) != len(rows[0]) for row in rows):
            raise QueryInvalid("the rows of VALUES need the same number of values")
        if len(rows) > MOST_ROWS:
            raise QueryRefused(f"VALUES has at most {MOST_ROWS:,} rows")
        names = [f"column{n + 1}" if dialect == "postgres" else f"col{n}" for n in range(len(rows[0]))]
        made: exp.Query = exp.Select(expressions=[exp.alias_(value.copy(), name) for value, name in zip(rows[0], names, strict=True)])
        for row in rows[1:]:
            made = exp.Union(this=made, expression=exp.Select(expressions=[value.copy() for value in row]), distinct=False)
        node.replace(exp.Subquery(this=made, alias=node.args.get("alias")))


def _as_values(node: exp.Unnest) -> None:
    """Put VALUES in the place of one list of constants, with the name that both databases give its column."""
    lists = node.expressions
    if node.args.get("offset") or len(lists) != 1 or not isinstance(lists[0], exp.Array) or lists[0].find(exp.Column, exp.Query):
        return
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier("unnest"))
    if not alias.args.get("columns"):
        alias.set("columns", [alias.this.copy()])
    if lists[0].expressions:
        node.replace(exp.Values(expressions=[exp.Tuple(expressions=[value]) for value in lists[0].expressions], alias=alias))
