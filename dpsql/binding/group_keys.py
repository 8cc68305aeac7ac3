"""The keys of GROUP BY, and their groupings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import expressions as exp

from dpsql.binding.aggregates import has_aggregate
from dpsql.binding.grouping_sets import grouping_sets
from dpsql.binding.mending import Mendable
from dpsql.binding.scopes import Scope, folded
from dpsql.binding.selecting import Selecting
from dpsql.binding.understood import check
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.tree import Expression, Literal


@dataclass(frozen=True)
class GroupKeys:
    """The keys of a SELECT, each once and without constants, and their places in the query.

    `sets` has the places among `keys` of those of each grouping, None where all are in the one that there is.
    """

    keys: Sequence[Expression] = ()
    nodes: Sequence[exp.Expr] = ()
    sets: Sequence[tuple[int, ...]] | None = None


def group_keys(selecting: Selecting, group: exp.Group | None) -> GroupKeys:
    """Return the keys of GROUP BY; with GROUP BY DISTINCT each of several groupings once."""
    if group is None:
        return GroupKeys()
    if group.args.get("totals"):
        raise QueryRefused("TOTALS is not answered; use ROLLUP")
    check(group)
    sets = grouping_sets(group)
    nodes = [one for found in group.expressions for one in (found.expressions if isinstance(found, exp.Tuple) else [found])]
    if sets is None and ((group.args.get("all") and not nodes) or any(isinstance(n, exp.Var) and n.name.upper() == "ALL" for n in nodes)):
        nodes = [e.unalias() for e in selecting.node.expressions if not has_aggregate(e)]
    keys: list[Expression] = []
    places: list[exp.Expr] = []

    def places_of(found: Sequence[exp.Expr]) -> tuple[int, ...]:
        made: dict[int, None] = {}
        for one in found:
            node = key_node(selecting.node, selecting.scope, one)
            key = selecting.expressions.bind(node)
            if isinstance(key, Literal) or isinstance(node.unnest() if isinstance(node, exp.Paren) else node, exp.Subquery):
                continue  # one value for all rows
            if key not in keys:
                keys.append(key)
                places.append(node)
            made[keys.index(key)] = None
        return tuple(made)

    if sets is None:
        places_of(nodes)
        return GroupKeys(keys, places)
    found = [places_of(one) for one in sets]
    return GroupKeys(keys, places, list({frozenset(one): one for one in found}.values()) if group.args.get("all") is False else found)


def one_grouping(selecting: Selecting, found: GroupKeys) -> Sequence[Expression]:
    """Return the keys of the one grouping of rows that stay inside; QueryRefused where there are several."""
    if found.sets is None:
        return found.keys

    def plain(place: exp.Expr) -> None:
        columns = {c.sql(): c.copy() for c in place.args["group"].find_all(exp.Column)}
        place.set("group", exp.Group(expressions=list(columns.values())) if columns else None)

    raise Mendable(
        "ROLLUP, CUBE and GROUPING SETS are understood of the groups of many units, not inside of a subquery that is joined or that "
        "groups by the unit",
        selecting.node,
        plain,
    )


def key_node(select: exp.Select, scope: Scope, node: exp.Expr) -> exp.Expr:
    """Return what a key of GROUP BY is: an expression, or the place or alias of one."""
    shown = select.expressions
    if isinstance(node, exp.Literal) and not node.args.get("is_string"):
        place = int(node.this) if str(node.this).isdigit() and len(str(node.this)) < 9 else 0
        if not 1 <= place <= len(shown):
            raise QueryInvalid(f"GROUP BY {str(node.this)[:20]} is not the place of a column")
        node = shown[place - 1].unalias()
        if has_aggregate(node):
            raise QueryInvalid("GROUP BY cannot name an aggregate")
        return node
    if isinstance(node, exp.Column) and not node.args.get("table"):
        name = str(folded(node.this))
        if not scope.has(name):
            aliased = next((e.this for e in shown if isinstance(e, exp.Alias) and folded(e.args["alias"]) == name), None)
            if aliased is not None:
                if has_aggregate(aliased):
                    raise QueryInvalid("GROUP BY cannot name an aggregate")
                made: exp.Expr = aliased
                return made
    return node
