"""What PostgreSQL means by forms that DuckDB, which works on the noisy outcome, reads in another way, or that neither can be held to."""

from __future__ import annotations

from sqlglot import expressions as exp

from dpsql.binding.mending import Mendable

PADDED = (exp.DType.CHAR, exp.DType.NCHAR, exp.DType.BPCHAR)


def hold_padded(root: exp.Expr) -> None:
    """Refuse casts to CHAR(n), which is filled with blanks that some functions see and others do not; VARCHAR(n) is offered."""
    for cast in root.find_all(exp.Cast):
        if isinstance(cast.to, exp.DataType) and cast.to.this in PADDED:
            size = cast.to.expressions[0].name if cast.to.expressions else "1"
            raise Mendable(
                f"a cast to CHAR fills a text with blanks, which is not understood here; cast to VARCHAR({size})",
                cast,
                lambda place: place.set("to", exp.DataType.build(f"VARCHAR({size})")),  # noqa: B023
            )


def as_in_postgres(outcome: exp.Expr) -> None:
    """Write out, in the SQL over noisy tables, casts to VARCHAR(n), which cut, and SUBSTRING from before the beginning, in place."""
    for cast in [one for one in outcome.find_all(exp.Cast) if isinstance(one.to, exp.DataType) and one.to.this == exp.DType.VARCHAR]:
        if cast.to.expressions:
            size = exp.Literal.number(cast.to.expressions[0].name)
            cast.to.set("expressions", None)
            cast.replace(exp.Left(this=cast.copy(), expression=size))
    for part in list(outcome.find_all(exp.Substring)):
        start, length = part.args.get("start"), part.args.get("length")
        if start is None or (isinstance(start, exp.Literal) and start.is_int and int(start.name) > 0):
            continue
        first = exp.Greatest(this=start, expressions=[exp.Literal.number(1)], ignore_nulls=False)
        part.set("start", first)
        if length is not None:
            end = exp.Add(this=exp.Paren(this=start.copy()), expression=exp.Paren(this=length))
            left = exp.Sub(this=end, expression=first.copy())
            part.set("length", exp.Greatest(this=left, expressions=[exp.Literal.number(0)], ignore_nulls=False))
