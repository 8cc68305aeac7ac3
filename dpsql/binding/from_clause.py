"""The sources of FROM: stored tables, subqueries, and joins in brackets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import expressions as exp

from dpsql.binding.joins import Step, join
from dpsql.binding.mending import Mendable
from dpsql.binding.public_rows import is_public
from dpsql.binding.qualified import other_database
from dpsql.binding.scopes import SEVERAL, Scope, Visible, folded, hold_one, told_apart
from dpsql.binding.semi_joins import as_exists
from dpsql.binding.sources import Kept, equal, find_table, stored
from dpsql.binding.state import MIXED, Environment, Found, Open, State
from dpsql.binding.understood import check, excerpt
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.tree import Expression, Field


@dataclass(frozen=True)
class Public:
    """A subquery or CTE of public tables, which is bound to rows where rows are joined to it, and else is SQL for the outcome."""

    rows: Callable[[], Kept]


@dataclass(frozen=True)
class Source:
    """A source of FROM: how it is joined ('first' for the first one), what it is, and under which names its columns are seen."""

    kind: str
    found: Kept | Open | Public
    visible: tuple[Visible, ...]
    node: exp.Join | None


def sources(node: exp.Select, known: Environment, state: State) -> list[Source]:
    """Return the sources of a SELECT in their order."""
    clause = node.args.get("from_")
    if clause is None:
        return []
    found = [_source("first", clause.this, None, known, state)]
    return found + [_joined(one, known, state) for one in node.args.get("joins") or []]


def _joined(node: exp.Join, known: Environment, state: State) -> Source:
    check(node)
    side, kind, method = (str(node.args.get(part) or "").lower() for part in ("side", "kind", "method"))
    if kind in ("semi", "anti") and not side and not method:
        raise Mendable(f"{kind.upper()} JOIN is understood as a condition with EXISTS", node, as_exists, equal=True)
    if kind not in ("", "inner", "outer", "cross") or method not in ("", "natural") or side not in ("", "left", "right", "full"):
        raise QueryRefused(f"a {(kind or method or side).upper()} JOIN is not understood here")
    plain = not node.args.get("on") and not node.args.get("using") and not method
    return _source(side or ("cross" if plain else "inner"), node.this, node, known, state)


def _inner(place: exp.Expr) -> None:
    place.set("side", None)
    place.set("kind", None)


def _source(kind: str, node: exp.Expr, joined: exp.Join | None, known: Environment, state: State) -> Source:
    if isinstance(node, exp.Lateral):
        raise QueryRefused(
            "FROM is understood of tables and subqueries, not of LATERAL ones, which are worked out for each row: group the subquery by "
            "the column that holds it to the row outside, and join it by that"
        )
    if not isinstance(node, exp.Subquery | exp.Table):
        raise QueryRefused(f"FROM is understood of tables and subqueries, not of {excerpt(node)}")
    if isinstance(node, exp.Table) and node.args.get("catalog"):
        raise other_database(node, state.declaration.schema.name)
    check(node)
    state.count_source()
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
        return _brackets(kind, node, joined, known, state)
    if isinstance(node, exp.Subquery):
        if node.args.get("with_") is not None:
            raise QueryRefused("WITH is understood at the beginning of a SELECT")
        alias = node.args.get("alias")
        name = str(folded(alias.this)) if alias is not None and alias.this is not None else f"subquery{id(node)}"
        if is_public(node.this, known, state.declaration):
            return _of_public(kind, lambda: state.query(node.this, known, state), alias, name, joined, state)
        found = _named(state.query(node.this, known, state), alias, state.dialect)
    elif isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        if node.args.get("joins"):
            return _brackets(kind, exp.Subquery(this=node), joined, known, state)
        alias = node.args.get("alias")
        table = str(folded(node.this))
        name = str(folded(alias.this)) if alias is not None and alias.this is not None else table
        if not node.args.get("db") and table in known and known[table].public:
            return _of_public(kind, known[table].found, alias, name, joined, state)
        found = _named(_table(node, table, known, state), alias, state.dialect)
    else:
        raise QueryRefused(f"FROM is understood of tables and subqueries, not of {excerpt(node)}")
    columns = found.columns if isinstance(found, Kept) else {}
    return Source(kind, found, (Visible(name, columns),), joined)


def _of_public(
    kind: str, bind: Callable[[], Found], alias: exp.TableAlias | None, name: str, joined: exp.Join | None, state: State
) -> Source:
    def rows() -> Kept:
        kept = _named(state.as_rows(bind), alias, state.dialect)
        assert isinstance(kept, Kept)
        return kept

    return Source(kind, Public(rows), (Visible(name, {}),), joined)


def _table(node: exp.Table, name: str, known: Environment, state: State) -> Kept | Open:
    if not node.args.get("db") and name in known:
        return known[name].found()
    schema = folded(node.args.get("db")) if node.args.get("db") else None
    table = find_table(f"{schema}.{name}" if schema not in (None, "public", "main") else name, state.declaration)
    return stored(table, state.declaration, state.names)


def _named(found: Kept | Open, alias: exp.TableAlias | None, dialect: str) -> Kept | Open:
    """What `AS t(a, b)` makes of the columns' names."""
    columns = [] if alias is None else [str(folded(c)) for c in alias.args.get("columns") or []]
    if alias is not None:
        check(alias)
    if not columns or isinstance(found, Open):
        return found
    return renamed(found, columns, dialect)


def renamed(kept: Kept, columns: Sequence[str], dialect: str) -> Kept:
    """Return rows whose first columns have new names."""
    fields = list(kept.columns.values())
    if len(columns) > len(fields):
        raise QueryInvalid("there are more names than columns")
    return replace(kept, columns=told_apart(zip([*columns, *list(kept.columns)[len(columns) :]], fields, strict=True), dialect))


def _brackets(kind: str, node: exp.Subquery, joined: exp.Join | None, known: Environment, state: State) -> Source:
    """Joins in brackets are joined first; their tables are seen outside under their own names."""
    table = node.this
    if node.args.get("alias") is not None:
        raise QueryRefused("joins in brackets with an alias are not understood; use a subquery")
    first = table.copy()
    first.set("joins", None)
    inside = [_source("first", first, None, known, state)] + [_joined(one, known, state) for one in table.args.get("joins") or []]
    scope = Scope()
    made = steps(inside, scope, state)
    whole = join(made, None, state.declaration, state.names)
    if whole.dropped:
        raise QueryRefused("a left join that keeps public rows is not understood in brackets")
    kept = Kept(whole.relation, {}, whole.private, whole.determined, whole.uniques, units=whole.units, padded=whole.padded)
    return Source(kind, kept, tuple(scope.sources), joined)


def steps(found: Sequence[Source], scope: Scope, state: State) -> list[Step]:
    """Return the steps of joining sources, whose columns are put into `scope`."""
    made: list[Step] = []
    for source in found:
        if isinstance(source.found, Open):
            raise QueryRefused(MIXED)
        if source.kind == "full" and (
            len(found) != 2 or source.node is None or source.node.args.get("using") or source.node.args.get("method")
        ):
            raise Mendable("a FULL JOIN of rows is understood of two tables, with ON; use an inner or a left join", source.node, _inner)
        if isinstance(source.found, Public):
            kept = source.found.rows()
            source = replace(source, found=kept, visible=(Visible(source.visible[0].alias, kept.columns),))
        assert isinstance(source.found, Kept)
        left = list(scope.sources)
        if source.kind in ("right", "full"):
            scope.sources = [replace(s, columns=_padded(s.columns)) for s in left]
            scope.merged = _padded(scope.merged)
        for visible in source.visible:
            scope.add(replace(visible, columns=_padded(visible.columns)) if source.kind in ("left", "full") else visible)
        condition = _on(source, left, scope, state)
        made.append(Step(source.visible[0].alias, source.found, source.kind, condition, source.node))
    return made


def _padded(columns: Mapping[str, Field]) -> dict[str, Field]:
    """Columns of a side that a join fills with nulls."""
    return {name: replace(field, facts=replace(field.facts, nullable=True)) for name, field in columns.items()}


def _on(source: Source, left: Sequence[Visible], scope: Scope, state: State) -> Expression | None:
    """The condition of a join; USING and NATURAL merge their columns."""
    node = source.node
    if node is None:
        return None
    names = [str(folded(i)) for i in node.args.get("using") or []]
    natural = str(node.args.get("method") or "").lower() == "natural"
    if not names and not natural:
        on = node.args.get("on")
        return None if on is None else state.expressions(scope).condition(on)
    if len(source.visible) != 1:
        raise QueryRefused("USING is not understood beside joins in brackets; use ON")
    right = scope.sources[-1]
    if natural:
        everywhere = [*right.columns, *(n for s in left for n in s.columns)]
        for name in {n.partition(SEVERAL)[0] for n in right.columns} & {n.partition(SEVERAL)[0] for s in left for n in s.columns}:
            hold_one(name, everywhere)
        names = [n for n in right.columns if n in scope.merged or any(n in s.columns for s in left)]
        if not names:
            return None
    pairs = []
    for name in names:
        holders = [s for s in left if name in s.columns]
        if name not in right.columns or not holders:
            raise QueryInvalid(f"there is no column '{name}' on both sides of USING")
        if len(holders) > 1 and name not in scope.merged:
            raise QueryInvalid(f"the column '{name}' of USING is in several tables before the join")
        kept = scope.merged.get(name, holders[0].columns[name])
        pairs.append((kept, right.columns[name]))
        scope.merged[name] = right.columns[name] if source.kind == "right" else kept
    return equal(pairs)
