"""One SELECT over rows: what it sees, and what its columns are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import expressions as exp

from dpsql.binding.expressions import Expressions
from dpsql.binding.joins import Joined
from dpsql.binding.mending import Mendable
from dpsql.binding.naming import output_name
from dpsql.binding.scopes import Scope, folded, told_apart
from dpsql.binding.state import Environment, State
from dpsql.binding.understood import check
from dpsql.tree import Column, Expression


@dataclass(frozen=True)
class Selecting:
    """One SELECT over rows: its place in the query, what it sees, its joined and filtered rows, and the names of WITH."""

    node: exp.Select
    scope: Scope
    joined: Joined
    state: State
    known: Environment

    @property
    def expressions(self) -> Expressions:
        return self.state.expressions(self.scope)

    def is_unit(self, expression: Expression) -> bool:
        """Whether an expression is the id of the row's own unit."""
        return isinstance(expression, Column) and (expression.name == self.joined.relation.unit or expression.name in self.joined.units)

    def tells_unit(self, expression: Expression) -> bool:
        """Whether a value belongs to one unit alone: the unit's id, or a key of a row that is one unit's."""
        if self.is_unit(expression):
            return True
        if not isinstance(expression, Column) or expression.name not in self.state.names.origins:
            return False
        name, column, _ = self.state.names.origins[expression.name]
        declaration = self.state.declaration
        reach = declaration.reach(name)
        if reach is None or expression.name not in self.joined.private_fields - self.joined.padded:
            return False
        key = reach.path[0] if reach.path else None
        return declaration.schema.table(name).is_unique(column) or (key is not None and key.columns == (column,))

    def no_limit(self) -> None:
        """Refuse LIMIT of rows."""
        for part in ("limit", "offset"):
            if self.node.args.get(part) is not None:

                def without(place: exp.Expr) -> None:
                    for name in ("limit", "offset", "order"):
                        place.set(name, None)

                raise Mendable("LIMIT of rows depends on other units' rows; aggregate first", self.node, without)

    def outputs(self) -> dict[str, Expression]:
        """The select list as expressions by their names."""
        columns = [one for position, expression in enumerate(self.node.expressions) for one in self._output(expression, position)]
        return told_apart(columns, self.state.dialect)

    def _output(self, expression: exp.Expr, position: int) -> list[tuple[str, Expression]]:
        if isinstance(expression, exp.Star):
            check(expression)
            return [(n, f.column) for n, f in self.scope.star()]
        if isinstance(expression, exp.Column) and isinstance(expression.this, exp.Star):
            check(expression.this)
            return [(n, f.column) for n, f in self.scope.star(folded(expression.args.get("table")))]
        name = output_name(expression, self.state.sql, self.state.dialect)
        return [(name if name != "?column?" else f"?column?{position}", self.expressions.bind(expression))]
