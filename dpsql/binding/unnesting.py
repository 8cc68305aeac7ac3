"""A subquery among the values of a row: why it is refused, and the same as a join, which is accepted where the unit joins both."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import expressions as exp

from dpsql.binding.mending import Mendable
from dpsql.binding.scopes import folded

ALIAS, KEY, VALUE, COMPARED = "by_unit", "key", "value", "compared"


def refused_subquery(node: exp.Expr) -> Mendable:
    """Return the refusal of a scalar subquery, EXISTS or IN (SELECT ...) that stands among the values of single rows."""
    inner = _inside(node)
    if inner is None:
        return Mendable("a subquery is not understood here; join the table, or use IN or EXISTS as a condition of WHERE")
    if isinstance(node, exp.Exists | exp.In):
        what = "EXISTS" if isinstance(node, exp.Exists) else "IN (SELECT ...)"
        return Mendable(
            f"{what} is understood as a condition of WHERE that AND joins to the others; elsewhere join the rows it looks for, once for "
            "each unit",
            node,
            _join,
            equal=isinstance(node, exp.Exists) or _truth_alone(node),
        )
    if outer_columns(inner):
        return Mendable(
            "a subquery for each row is understood as a join: group it by the column that holds it to the row outside, and join it by that",
            node,
            _join,
            equal=True,
        )
    if inner.expressions[0].find(exp.AggFunc) is not None:
        return Mendable(
            "a subquery over many units cannot decide on single rows, since rows are chosen before noise is added; ask for it by itself, "
            "and write its answer as a constant",
            node,
            _alone,
        )
    return Mendable("a subquery is not understood here; join the table, or use IN or EXISTS as a condition of WHERE")


def refused_comparison(node: exp.Any | exp.All) -> Mendable:
    """Return the refusal of ANY or ALL of what is no list."""
    return Mendable(
        "ANY and ALL are understood of lists: = ANY(ARRAY[...]), and in a condition of WHERE of subqueries, where columns from outside are "
        "written with their table; else join the table, or use IN or EXISTS",
        node.parent,
        _found,
        equal=node.parent is not None and _truth_alone(node.parent),
    )


def refused_exists(node: exp.Exists, inner: exp.Select) -> Mendable | None:
    """Return the refusal of an EXISTS that does more than choose the rows it looks for, None where it looks at no row outside."""
    if not outer_columns(inner):
        return None
    return Mendable(
        "EXISTS is understood without GROUP BY, HAVING, aggregates, LIMIT, OFFSET and WITH where it looks at the row outside; look for the "
        "column that joins both in a grouped subquery after IN",
        node,
        _grouped,
        equal=True,
    )


def refused_beside(node: exp.Subquery, inner: exp.Expr) -> Mendable | None:
    """Return the refusal of a subquery beside aggregates that looks at the query around it, None where it does not."""
    if not isinstance(inner, exp.Select) or not outer_columns(inner):
        return None
    return Mendable(
        "a subquery beside aggregates is understood without columns of the query around it; group both by the same key, each in a subquery "
        "of its own, and join the outcomes",
        node,
        _left_out,
    )


def outer_columns(inner: exp.Select) -> list[exp.Column]:
    """The columns inside of a subquery that name a table of the query around it."""
    around = inner.parent_select
    if around is None:
        return []
    own = {source_name(one) for one in inner.find_all(exp.Table, exp.Subquery)}
    outside = {source_name(one) for one in _sources(around)} - own
    return [column for column in inner.find_all(exp.Column) if folded(column.args.get("table")) in outside - {None}]


def _sources(select: exp.Select) -> list[exp.Expr]:
    clause = select.args.get("from_")
    return [] if clause is None else [clause.this, *(one.this for one in select.args.get("joins") or [])]


def source_name(source: exp.Expr) -> str | None:
    """The name by which a source of FROM is seen, None where it has none."""
    alias = source.args.get("alias")
    if alias is not None:
        return folded(alias.this)
    return folded(source.this) if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier) else None


def _inside(node: exp.Expr) -> exp.Select | None:
    inner = node.args.get("query") if isinstance(node, exp.In) else node.this if isinstance(node, exp.Exists) else node
    while isinstance(inner, exp.Subquery | exp.Paren):
        inner = inner.this
    return inner if isinstance(inner, exp.Select) and len(inner.expressions) == 1 else None


def _found(place: exp.Expr) -> None:
    """A comparison with ANY or ALL of a subquery as EXISTS: that one of its values compares so, or none that does not."""
    several = place.expression
    inner = several.this.this if isinstance(several, exp.Any | exp.All) and isinstance(several.this, exp.Subquery) else None
    if not isinstance(inner, exp.Query) or len(inner.selects) != 1 or _is_star(inner.selects[0]) or isinstance(place.this, exp.Tuple):
        return

    def among(value: exp.Expr) -> exp.Expr:
        compared = type(place)(this=place.this.copy(), expression=value)
        return compared if isinstance(several, exp.Any) else exp.Not(this=exp.Is(this=exp.Paren(this=compared), expression=exp.true()))

    if isinstance(inner, exp.Select) and outer_columns(inner):
        own = {source_name(one) for one in inner.find_all(exp.Table, exp.Subquery)}
        seen = all(folded(column.args.get("table")) not in own | {None} for column in place.this.find_all(exp.Column))
        if not seen or _does_more(inner):
            return
        found = inner.copy().where(among(exp.Paren(this=inner.expressions[0].unalias().copy())))
    else:
        words = {str(i.name).lower() for i in place.root().find_all(exp.Identifier)}
        name, value = _unlike(words, COMPARED), _unlike(words, VALUE)
        alias = exp.TableAlias(this=exp.to_identifier(name), columns=[exp.to_identifier(value)])
        found = exp.Select(expressions=[exp.Literal.number(1)]).from_(exp.Subquery(this=inner.copy(), alias=alias))
        found = found.where(among(exp.column(value, name)))
    made: exp.Expr = exp.Exists(this=found)
    place.replace(made if isinstance(several, exp.Any) else exp.Paren(this=exp.Not(this=made)))


def _does_more(inner: exp.Select) -> bool:
    """Whether a SELECT does more with rows than to choose them."""
    parts = ("with_", "distinct", "group", "having", "qualify", "windows", "limit", "offset")
    return any(inner.args.get(part) is not None for part in parts) or inner.find(exp.AggFunc, exp.Window) is not None


def _alone(place: exp.Expr) -> None:
    inner = _inside(place)
    if inner is not None:
        place.root().set("this", inner.copy())


def _left_out(place: exp.Expr) -> None:
    shown = place.parent if isinstance(place.parent, exp.Alias) else place
    if isinstance(shown.parent, exp.Select) and shown.arg_key == "expressions" and len(shown.parent.expressions) > 1:
        shown.pop()


def _links(inner: exp.Select) -> tuple[list[tuple[exp.Expr, exp.Expr]], list[exp.Expr]] | None:
    """The pairs of columns, inside and outside, that WHERE holds equal, and its other conditions; None where those look outside, too."""
    outside = outer_columns(inner)
    where = inner.args.get("where")
    links: list[tuple[exp.Expr, exp.Expr]] = []
    rest: list[exp.Expr] = []
    for one in [] if where is None else where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        sides = [one.this, one.expression] if isinstance(one, exp.EQ) else []
        here = [any(side is column for column in outside) for side in sides]
        if sum(here) == 1 and isinstance(sides[here.index(False)], exp.Column):
            links.append((sides[here.index(False)], sides[here.index(True)]))
        else:
            rest.append(one)
    linked = {id(outer) for _, outer in links}
    return None if any(id(column) not in linked for column in outside) else (links, rest)


def _truth_alone(node: exp.Expr) -> bool:
    """Whether it alone matters that a condition is true, so that false and null are the same."""
    while isinstance(node.parent, exp.And | exp.Or | exp.Paren):
        node = node.parent
    around = node.parent
    if isinstance(around, exp.If):
        case = around.parent
        return node.arg_key == "this" and not (isinstance(case, exp.Case) and case.this is not None)
    return isinstance(around, exp.Where | exp.CountIf)


def _join(place: exp.Expr) -> None:
    """Put a left join with what the subquery finds for each value of the columns that join it, and what it found in its place."""
    inner, select = _inside(place), place.parent_select
    found = None if inner is None else _links(inner)
    if inner is None or found is None or not isinstance(select, exp.Select) or any(map(_is_star, select.expressions)):
        return
    if isinstance(place.find_ancestor(exp.Join, exp.Select), exp.Join):
        return  # what is joined later is not seen there
    links, rest = found
    shown = inner.expressions[0].unalias()
    if isinstance(place, exp.In):
        links = [*links, (shown, place.this)]
    if not links:
        return
    words = {str(i.name).lower() for i in place.root().find_all(exp.Identifier)}
    name, key, result = (_unlike(words, word) for word in (ALIAS, KEY, VALUE))
    made = inner.copy()
    made.set("where", exp.Where(this=exp.and_(*(one.copy() for one in rest))) if rest else None)
    keys = [exp.alias_(own.copy(), f"{key}{n}") for n, (own, _) in enumerate(links)]
    if isinstance(place, exp.Subquery):
        if shown.find(exp.AggFunc) is None:
            shown = exp.Min(this=shown)  # there is one row at most, else both databases refuse the query
        over_nothing = _over_nothing(shown)
        if over_nothing is None or any(inner.args.get(part) is not None for part in ("group", "having", "distinct", "limit", "offset")):
            return
        made.set("expressions", [*keys, exp.alias_(shown.copy(), result)])
        made.set("group", exp.Group(expressions=[own.copy() for own, _ in links]))
        value: exp.Expr = exp.column(result, name)
        if over_nothing:
            value = exp.Coalesce(this=value, expressions=[one.copy() for one in over_nothing])
    else:
        made.set("expressions", keys)
        made.set("group", exp.Group(expressions=[own.copy() for own, _ in links]))
        value = exp.Is(this=exp.column(f"{key}0", name), expression=exp.Null()).not_()
    on = exp.and_(*(exp.EQ(this=exp.column(f"{key}{n}", name), expression=outer.copy()) for n, (_, outer) in enumerate(links)))
    joined = exp.Subquery(this=made, alias=exp.TableAlias(this=exp.to_identifier(name)))
    for one in [one for one in select.find_all(type(place)) if one == place and one.parent_select is select]:
        one.replace(value.copy())
    select.append("joins", exp.Join(this=joined, side="LEFT", on=on))


def _is_star(node: exp.Expr) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _unlike(words: Collection[str], word: str) -> str:
    """`word`, or a longer one, with which none of `words` begins."""
    while any(one.startswith(word) for one in words):
        word += "_"
    return word


def _over_nothing(shown: exp.Expr) -> list[exp.Expr] | None:
    """What an aggregate over no rows gives in place of null, which a left join gives: nothing else for most, None where it is not plain."""
    if isinstance(shown, exp.Count):
        return [exp.Literal.number(0)]
    if isinstance(shown, exp.Coalesce) and all(isinstance(one, exp.Literal) for one in shown.expressions):
        return list(shown.expressions) if _over_nothing(shown.this) == [] else None
    return None if shown.find(exp.Count, exp.Coalesce, exp.Case, exp.If, exp.Is) is not None else []


def _grouped(place: exp.Expr) -> None:
    """IN with what is grouped by the column that joins both, in place of EXISTS."""
    inner = _inside(place)
    found = None if inner is None else _links(inner)
    if inner is None or found is None or len(found[0]) != 1:
        return
    ((own, outer),), rest = found
    group = inner.args.get("group")
    if group is None or group.expressions != [own] or any(inner.args.get(part) is not None for part in ("limit", "offset", "with_")):
        return  # another question
    made = inner.copy()
    made.set("expressions", [own.copy()])
    made.set("where", exp.Where(this=exp.and_(*(one.copy() for one in rest))) if rest else None)
    made.set("group", exp.Group(expressions=[own.copy()]))
    place.replace(exp.In(this=outer.copy(), query=exp.Subquery(this=made)))
