"""What is offered in place of a join whose rows could belong to two units: the rows of one unit, or pairs out of noisy counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlglot import expressions as exp

from dpsql.binding.mending import Mend

Side = tuple[str, str]  # the alias of a source, and its column with the unit

PAIRS: dict[type[exp.Expr], str] = {exp.NEQ: "n * (n - 1)", exp.LT: "n * (n - 1) / 2", exp.GT: "n * (n - 1) / 2"}


def within_one_unit(left: Side, right: Side) -> Mend:
    """Return what joins the two sides by the unit, without conditions that hold for different units alone."""

    def mend(place: exp.Expr) -> None:
        equal = exp.EQ(this=exp.column(left[1], left[0]), expression=exp.column(right[1], right[0]))
        select = place.parent
        for clause, owner in ((place.args.get("on"), place), (select.args.get("where") if select is not None else None, select)):
            if clause is not None and owner is not None:
                whole = clause.this if isinstance(clause, exp.Where) else clause
                kept = [one for one in _conjuncts(whole) if _unequal(one, left, right) is None]
                if len(kept) < len(_conjuncts(whole)):
                    made = exp.and_(*kept) if kept else None
                    part = "where" if isinstance(clause, exp.Where) else "on"
                    owner.set(part, made if made is None or part == "on" else exp.Where(this=made))
        on = place.args.get("on")
        place.set("on", equal if on is None else exp.and_(on.copy(), equal))
        place.set("kind", None if (place.args.get("kind") or "").upper() == "CROSS" else place.args.get("kind"))
        place.set("method", None)

    return mend


def pairs_of_units(left: Side, right: Side, groups: Collection[str]) -> Mend:
    """Return what counts the pairs of rows of a table with one row for each unit by the noisy counts of its groups.

    It changes a count of pairs that have the same values in some of the columns `groups`, and nothing else.
    """

    def mend(place: exp.Expr) -> None:
        select = place.parent
        if not isinstance(select, exp.Select) or not _counts(select) or not _plain(select):
            return
        where = select.args.get("where")
        conditions = [*_conjuncts(place.args.get("on")), *_conjuncts(where.this if where is not None else None)]
        unequal = [kind for one in conditions if (kind := _unequal(one, left, right)) is not None]
        same = [key for one in conditions if (key := _same_column(one, left[0], right[0])) is not None and key in groups]
        if len(unequal) > 1 or len(unequal) + len(same) < len(conditions):
            return
        keys = dict.fromkeys(same)
        table = place.this
        source = exp.Table(this=table.this.copy(), db=table.args["db"].copy() if table.args.get("db") else None)
        columns = [exp.column(key) for key in keys]
        inner = exp.Select(expressions=[*columns, exp.alias_(exp.Count(this=exp.Star()), "n")]).from_(source)
        for column in columns:
            inner = inner.where(exp.Not(this=exp.Is(this=column.copy(), expression=exp.Null()))).group_by(column.copy())
        pairs: exp.Expr = exp.maybe_parse(PAIRS[unequal[0]] if unequal else "n * n", dialect="postgres")
        shown: exp.Expr = exp.Sum(this=pairs) if keys else pairs
        if name := select.expressions[0].alias:
            shown = exp.alias_(shown, name, quoted=select.expressions[0].args["alias"].quoted)
        made = exp.Select(expressions=[shown]).from_(exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier("t"))))
        made.set("with_", select.args.get("with_"))
        select.replace(made)

    return mend


def _counts(select: exp.Select) -> bool:
    """Whether a SELECT counts rows and does no more."""
    shown = [one.unalias() for one in select.expressions]
    others = {name for name, part in select.args.items() if part} - {"expressions", "from_", "joins", "where", "with_"}
    return len(shown) == 1 and isinstance(shown[0], exp.Count) and isinstance(shown[0].this, exp.Star) and not others


def _plain(select: exp.Select) -> bool:
    """Whether a SELECT joins two tables by what it says in ON and WHERE alone, under the names that their columns have."""
    tables = [select.args["from_"].this, *(join.this for join in select.args["joins"])]
    (join, *others) = select.args["joins"]
    named = any(isinstance(table, exp.Table) and table.alias_column_names for table in tables)
    return not (others or named or join.side or join.method) and all(isinstance(table, exp.Table) for table in tables)


def _conjuncts(condition: exp.Expr | None) -> list[exp.Expr]:
    if condition is None:
        return []
    parts: Iterable[exp.Expr] = condition.flatten() if isinstance(condition, exp.And) else [condition]
    return [part.unnest() for part in parts]


def _sides(node: exp.Expr) -> tuple[Side, Side] | None:
    a, b = (node.this, node.expression) if isinstance(node, exp.Binary) else (None, None)
    if not isinstance(a, exp.Column) or not isinstance(b, exp.Column):
        return None
    return (a.table.lower(), a.name.lower()), (b.table.lower(), b.name.lower())


def _unequal(node: exp.Expr, left: Side, right: Side) -> type[exp.Expr] | None:
    """By what a condition tells the units of the two sides apart."""
    return type(node) if type(node) in PAIRS and _sides(node) in ((left, right), (right, left)) else None


def _same_column(node: exp.Expr, left: str, right: str) -> str | None:
    """The column that a condition holds equal on both sides."""
    sides = _sides(node) if isinstance(node, exp.EQ) else None
    if sides is None or {sides[0][0], sides[1][0]} != {left, right} or sides[0][1] != sides[1][1]:
        return None
    return sides[0][1]
