"""WITH: what each name stands for, and what of it stays in the residual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlglot import expressions as exp

from dpsql.binding.from_clause import renamed
from dpsql.binding.public_rows import is_public
from dpsql.binding.scopes import folded
from dpsql.binding.sources import Kept
from dpsql.binding.state import Environment, Found, Named, Open, State
from dpsql.binding.understood import check
from dpsql.errors import QueryInvalid, QueryRefused


@dataclass
class CommonTables:
    """The names that a query sees, and the CTEs of its own that were used and see nothing private."""

    known: dict[str, Named]
    used: dict[str, exp.CTE] = field(default_factory=dict)

    def stay(self) -> list[exp.CTE]:
        """The CTEs that the residual needs, each after those it needs."""
        return list(self.used.values())


def with_tables(node: exp.Query, environment: Environment, state: State) -> CommonTables:
    """Return what WITH of a query names; what nothing uses is not bound, and costs nothing."""
    tables = CommonTables(dict(environment))
    clause = node.args.get("with_")
    if clause is None:
        return tables
    if clause.args.get("recursive") and _recursive(clause):
        raise QueryRefused("recursive queries are not answered")
    check(clause)
    named: set[str] = set()
    for cte in clause.expressions:
        check(cte)
        name = folded(cte.args["alias"].this)
        if name is None or not isinstance(cte.this, exp.Query):
            raise QueryRefused("WITH is understood of SELECT")
        if name in named:
            raise QueryInvalid(f"two queries of one WITH are called '{name}'; give each a name of its own")
        if any(name != other and name.lower() == other.lower() for other in tables.known):
            raise QueryRefused(f"the names of two queries of WITH differ in upper and lower case alone: '{name}'; give one another name")
        named.add(name)
        before = dict(tables.known)
        tables.known[name] = Named(_later(name, cte, before, tables, state), is_public(cte.this, before, state.declaration))
    return tables


def _recursive(clause: exp.With) -> bool:
    """Whether a CTE names itself, or one that comes after it."""
    names = [folded(cte.args["alias"].this) for cte in clause.expressions]
    return any(
        isinstance(table.this, exp.Identifier) and folded(table.this) in names[position:]
        for position, cte in enumerate(clause.expressions)
        for table in cte.this.find_all(exp.Table)
    )


def with_stay(found: Found, tables: CommonTables) -> Found:
    """Return a noisy outcome with the CTEs that it needs; rows have theirs in them."""
    stay = tables.stay()
    if isinstance(found, Open) and stay:
        found.node.set("with_", exp.With(expressions=stay))
    return found


def _later(name: str, cte: exp.CTE, known: Environment, tables: CommonTables, state: State) -> Callable[[], Found]:
    """What binds a CTE when it is used: rows anew each time, a noisy outcome once."""
    opened: list[Open] = []
    columns = [str(folded(c)) for c in cte.args["alias"].args.get("columns") or []]

    def found() -> Found:
        if opened and not state.public_as_rows:
            return opened[0]
        state.count_source()
        made = state.query(cte.this, known, state)
        if isinstance(made, Kept):
            return renamed(made, columns, state.dialect) if columns else made
        if columns and made.names and len(columns) > len(made.names):
            raise QueryInvalid("there are more names than columns")
        alias = exp.TableAlias(this=exp.to_identifier(name, quoted=True), columns=[exp.to_identifier(c, quoted=True) for c in columns])
        tables.used[name] = exp.CTE(this=made.node, alias=alias)
        opened.append(replace(made, names=(*columns, *made.names[len(columns) :]) if made.names else ()))
        return opened[0]

    return found
