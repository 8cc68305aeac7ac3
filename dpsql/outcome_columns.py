"""What the columns of an outcome are over the release that they come from, through the subqueries and CTEs between.

Two columns that a subquery shows may be of the same noise, so that how far an expression over both is off follows from what they are
made of: each SELECT over rows of a release brings that along. What LAG and LEAD find in another row has a noise of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlglot import expressions as exp

DEVIATION, ERROR = "__deviation", "__error95"
OUTSIDE = "__"  # begins the names of what a subquery brings along
LARGEST = 200  # nodes that columns of a subquery may put into one expression
DEEPEST = 50
NULL_OF_NULL = (
    exp.Column, exp.Identifier, exp.Literal, exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Nullif, exp.Cast,
    exp.DataType, exp.Round,
)  # fmt: skip


class NotKnown(Exception):
    """How a value follows from noisy columns is not known."""


@dataclass(frozen=True)
class _Source:
    """What FROM is: its `columns` by name over noisy and exact ones, None where not known; those of a release itself are what they are.

    `noisy` has the column of a release that each is, and `elsewhere` those of another row, with the window that finds it.
    """

    noisy: Mapping[str, str]
    columns: Mapping[str, exp.Expr | None] | None
    elsewhere: Mapping[str, str]


class OutcomeRows:
    """A SELECT of rows of one release, as it is or through such SELECTs, which then stand in its FROM; NotKnown where it is another.

    `noisy` has the column of the release for each one with a deviation and an error beside it. What `meaning` reads of other rows is
    there after `place`.
    """

    def __init__(
        self, select: exp.Select, releases: Mapping[str, Collection[str]], ctes: Mapping[str, exp.Expr] | None = None, depth: int = 0
    ) -> None:
        self._releases, self._depth = releases, depth
        self._ctes = {cte.alias.lower(): cte for cte in select.ctes} if ctes is None else ctes
        if depth > DEEPEST or any(select.args.get(part) for part in ("joins", "group", "distinct", "laterals")) or (depth and select.ctes):
            raise NotKnown
        self._source = self._read(select)
        self._where = select.args.get("where")
        self._elsewhere = dict(self._source.elsewhere)
        self.noisy = dict(self._source.noisy)
        self._other_rows: dict[str, exp.Expr] = {}
        self.shown = self._all_shown(select)

    def meaning(self, value: exp.Expr) -> exp.Expr:
        """Return `value` over `noisy` columns and exact ones; NotKnown where that cannot be said."""
        while isinstance(value, exp.Paren):
            value = value.this
        if self._is_exact(value):
            return value
        placed = 0

        def over(node: exp.Expr) -> exp.Expr:
            nonlocal placed
            if isinstance(node, exp.Window):
                return exp.Paren(this=self._other_row(node))
            if isinstance(node, exp.AggFunc | exp.Query):
                raise NotKnown
            if not isinstance(node, exp.Column) or self._source.columns is None:
                return node
            column = self._column(node)
            placed += sum(1 for _ in column.walk())
            if placed > LARGEST:
                raise NotKnown
            return exp.Paren(this=column.copy())

        made = value.transform(over)
        if len({self._elsewhere[c.name] for c in made.find_all(exp.Column) if c.name in self._elsewhere}) > 1:
            raise NotKnown  # two windows may find one row
        return _bare(made)

    def touched(self, meaning: exp.Expr) -> list[str]:
        """The noisy columns in what `meaning` returned."""
        return sorted({c.name for c in meaning.find_all(exp.Column) if c.name in self.noisy})

    def place(self, select: exp.Select) -> None:
        """Put what is read of other rows into FROM, and WHERE with it, since it is read of those rows alone: TRY holds no windows."""
        if not self._other_rows:
            return
        source, where = select.args["from_"].this, select.args.get("where")
        made = exp.Select(expressions=[exp.Star(), *(exp.alias_(one, name, quoted=True) for name, one in self._other_rows.items())])
        made.set("from_", exp.From(this=source.copy()))
        if where is not None:
            made.set("where", where.pop())
        source.replace(exp.Subquery(this=made, alias=exp.TableAlias(this=exp.to_identifier(source.alias_or_name, quoted=True))))

    def _read(self, select: exp.Select) -> _Source:
        clause = select.args.get("from_")
        source = None if clause is None else clause.this
        alias = None if source is None else source.args.get("alias")
        if source is None or source.args.get("joins") or (alias is not None and alias.args.get("columns")):
            raise NotKnown
        if isinstance(source, exp.Table) and source.name in self._releases:
            return _Source({name: name for name in self._releases[source.name]}, None, {})
        names = list(self._ctes)
        before: Mapping[str, exp.Expr] = self._ctes
        if isinstance(source, exp.Table) and source.name.lower() in names:
            cte = self._ctes[source.name.lower()]
            before = {name: self._ctes[name] for name in names[: names.index(source.name.lower())]}
            if cte.args["alias"].args.get("columns"):
                raise NotKnown
            inner, alias = cte.this.copy(), alias or exp.TableAlias(this=source.this.copy())
        elif isinstance(source, exp.Subquery):
            inner = source.this
        else:
            raise NotKnown
        if self._are_groupings(inner):
            return _Source({name: name for columns in self._releases.values() for name in columns}, None, {})
        if not isinstance(inner, exp.Select):
            raise NotKnown
        found = OutcomeRows(inner, self._releases, before, self._depth + 1)._bringing(inner)
        source.replace(exp.Subquery(this=inner, alias=alias))
        return found

    def _are_groupings(self, inner: exp.Expr) -> bool:
        """Whether a subquery shows rows of releases one above the other, all with their errors."""
        wanted = {name + ending for columns in self._releases.values() for name in columns for ending in ("", DEVIATION, ERROR)}
        shown = {e.output_name for e in inner.selects} if isinstance(inner, exp.Query) else set()
        return isinstance(inner, exp.Query) and wanted <= shown and all(t.name in self._releases for t in inner.find_all(exp.Table))

    def _all_shown(self, select: exp.Select) -> list[exp.Expr]:
        """The select list, with the names that * stands for."""
        shown: list[exp.Expr] = []
        for expression in select.expressions:
            star = expression.this if isinstance(expression, exp.Column) else expression
            if not isinstance(star, exp.Star):
                shown.append(expression)
            elif self._source.columns is None or any(star.args.values()):
                raise NotKnown
            else:
                shown += [exp.column(name, quoted=True) for name in self._source.columns]
        return shown

    def _bringing(self, select: exp.Select) -> _Source:
        """What the columns of `select` are to the SELECT around it; what they are made of is shown, too, under names of its own."""
        names = [expression.output_name.lower() for expression in self.shown]
        if len(set(names)) < len(names) or not all(names) or any(name.startswith(OUTSIDE) for name in names):
            raise NotKnown
        columns: dict[str, exp.Expr | None] = {}
        brought: set[str] = set()
        for name, expression in zip(names, self.shown, strict=True):
            if any(one.find_ancestor(exp.Window, exp.Query) in (None, select) for one in expression.find_all(exp.AggFunc)):
                raise NotKnown  # all rows become one
            try:
                meant = self.meaning(expression.unalias())
            except NotKnown:
                columns[name] = None
                continue
            if not self.touched(meant):
                columns[name] = exp.column(name, quoted=True)
                continue
            columns[name] = meant.transform(_named_outside)
            brought |= {column.name for column in meant.find_all(exp.Column)}
        self.place(select)
        made = [*self.shown]
        for name in sorted(brought):
            endings = ("", DEVIATION, ERROR) if name in self.noisy else ("",)
            made += [exp.alias_(exp.column(name + end, quoted=True), OUTSIDE + name + end, quoted=True) for end in endings]
        select.set("expressions", made)
        noisy = {OUTSIDE + name: self.noisy[name] for name in brought if name in self.noisy}
        return _Source(noisy, columns, {OUTSIDE + name: window for name, window in self._elsewhere.items()})

    def _column(self, node: exp.Column) -> exp.Expr:
        if self._source.columns is None:
            return node
        found = self._source.columns.get(node.name.lower())
        if found is None:
            raise NotKnown
        return found

    def _is_exact(self, value: exp.Expr) -> bool:
        """Whether nothing noisy is in a value: aggregates of an outcome's rows depend on which rows there are, too."""
        if any(table.name in self._releases or table.name.lower() in self._ctes for table in value.find_all(exp.Table)):
            return False
        own = value.find_ancestor(exp.Query)
        if any(one.find_ancestor(exp.Window, exp.Query) in (None, own) for one in value.find_all(exp.AggFunc)):
            return False
        return not any(self.touched(self._column(column)) for column in value.find_all(exp.Column))

    def _other_row(self, window: exp.Window) -> exp.Expr:
        """LAG or LEAD of noisy columns over exact ones, as columns of their own."""
        function, order = window.this, window.args.get("order")
        by = [*(window.args.get("partition_by") or ()), *(() if order is None else [one.this for one in order.expressions])]
        offset = function.args.get("offset") if isinstance(function, exp.Lag | exp.Lead) else None
        if (
            not isinstance(function, exp.Lag | exp.Lead)
            or function.args.get("default") is not None
            or not (offset is None or (isinstance(offset, exp.Literal) and offset.name.isdigit() and int(offset.name) > 0))
            or any(window.args.get(part) for part in ("spec", "alias"))
            or not all(self._is_exact(one) for one in by)
        ):
            raise NotKnown
        if self._where is not None:
            for column in self._where.find_all(exp.Column):
                self._column(column)  # none that SELECT alone names
        argument = self.meaning(function.this)
        if not all(isinstance(part, NULL_OF_NULL) for part in argument.walk()):
            raise NotKnown
        over = window.copy()
        over.set("this", exp.Null())
        return argument.transform(lambda node: self._read_there(node, window, over.sql()) if isinstance(node, exp.Column) else node)

    def _read_there(self, column: exp.Column, window: exp.Window, over: str) -> exp.Expr:
        if column.name in self._elsewhere:
            raise NotKnown
        noisy, found = column.name in self.noisy, {}
        for ending in ("", DEVIATION, ERROR) if noisy else ("",):
            one = window.copy()
            one.this.set("this", exp.column(column.name + ending, quoted=True))
            found[ending] = one
        known = [name for name, value in self._other_rows.items() if value == found[""]]
        name = known[0] if known else f"w{len(self._other_rows)}"
        if not known:
            self._other_rows |= {name + ending: one for ending, one in found.items()}
            self._elsewhere[name] = f"{self._depth} {over}"
            self.noisy |= {name: self.noisy[column.name]} if noisy else {}
        return exp.column(name, quoted=True)


def _bare(value: exp.Expr) -> exp.Expr:
    while isinstance(value, exp.Paren):
        value = value.this
    return value


def _named_outside(node: exp.Expr) -> exp.Expr:
    return exp.column(OUTSIDE + node.name, quoted=True) if isinstance(node, exp.Column) else node
