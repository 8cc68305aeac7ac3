"""SEMI JOIN and ANTI JOIN of DuckDB, as EXISTS among the conditions of WHERE."""

from __future__ import annotations

from sqlglot import expressions as exp

from dpsql.binding.unnesting import source_name


def as_exists(place: exp.Expr) -> None:
    """Put EXISTS, or NOT EXISTS, in place of a semi or anti join; leave alone what a later join may put beside rows that it took out."""
    select = place.parent
    if not isinstance(select, exp.Select) or any(one.args.get("side") in ("RIGHT", "FULL") for one in select.args["joins"]):
        return
    condition = _condition(place, select)
    if condition is None:
        return
    found = exp.Exists(this=exp.Select(expressions=[exp.Literal.number(1)]).from_(place.this.copy()).where(condition))
    where = select.args.get("where")
    wanted: list[exp.Expr] = [] if where is None else [where.this.copy()]
    wanted.append(exp.Not(this=found) if place.args.get("kind") == "ANTI" else found)
    place.pop()
    select.set("where", exp.Where(this=exp.and_(*wanted)))


def _condition(join: exp.Expr, select: exp.Select) -> exp.Expr | None:
    """The condition of ON, or that of USING where there is one table before; None where it is not plain."""
    on, using = join.args.get("on"), join.args.get("using")
    if on is not None or not using:
        return None if on is None else on.copy()
    left, right = source_name(select.args["from_"].this), source_name(join.this)
    if join.index != 0 or left is None or right is None:
        return None
    return exp.and_(*(exp.EQ(this=exp.column(one.copy(), right), expression=exp.column(one.copy(), left)) for one in using))
