"""The nearest accepted query beside a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import expressions as exp

from dpsql.errors import QueryRefused

Mend = Callable[[exp.Expr], object]
Name = Callable[[exp.Expr], str]
Path = list[tuple[str, int | None]]


class Mendable(QueryRefused):
    """A refusal that knows how the query could be mended: `mend` changes a copy of `node`, in its place in a copy of the query.

    With `equal` the mended query asks for the same, and is answered in place of the one that was written.
    """

    def __init__(self, reason: str, node: exp.Expr | None = None, mend: Mend | None = None, *, equal: bool = False) -> None:
        super().__init__(reason)
        self.node, self.mend, self.equal = node, mend, equal


def mended(root: exp.Query, refusal: QueryRefused, name: Name | None = None) -> exp.Query | None:
    """Return a copy of `root` with what was refused mended, or None where that is not known or `root` does not hold it.

    With `name`, a column of a select list that is mended keeps the name which that gives it.
    """
    if not isinstance(refusal, Mendable) or refusal.node is None or refusal.mend is None:
        return None
    path = _path(refusal.node, root)
    if path is None:
        return None
    made = exp.Subquery(this=root.copy())
    node: exp.Expr = made.this
    for part, index in path:
        value = node.args[part]
        node = value if index is None else value[index]
    if name is not None:
        _keep_names(node, name)
    refusal.mend(node)
    return made.this if isinstance(made.this, exp.Query) else None


def in_equal_form(root: exp.Query, refusal: QueryRefused, name: Name) -> exp.Query | None:
    """Return another form of `root` that asks for the same, or None where the refusal knows none."""
    made = mended(root, refusal, name) if isinstance(refusal, Mendable) and refusal.equal else None
    return None if made == root else made


def _keep_names(node: exp.Expr, name: Name) -> None:
    """Write out the names of the columns that `node` is in, which follow from what stands there."""
    while (parent := node.parent) is not None:
        if isinstance(parent, exp.Select) and node.arg_key == "expressions" and not isinstance(node, exp.Alias):
            named = exp.Alias(this=exp.Null(), alias=exp.to_identifier(name(node), quoted=True))
            node.replace(named)
            named.set("this", node)
        node = parent


def nearest(root: exp.Query) -> Iterator[exp.Query]:
    """Yield ever plainer queries about the same rows: their count with the conditions, then without, then of each table."""
    for select in [root, *root.find_all(exp.Select)]:
        if isinstance(select, exp.Select) and select.args.get("from_") is not None:
            counted = count_of(select)
            outer = root.args.get("with_") if select is not root else None
            if outer is not None:
                counted.set("with_", outer.copy())
            yield counted
            plain = counted.copy()
            plain.set("where", None)
            yield plain
    for table in root.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier):
            named = exp.Table(this=table.this.copy(), db=table.args["db"].copy() if table.args.get("db") else None)
            yield exp.Select(expressions=[exp.Count(this=exp.Star())]).from_(named)


def count_of(select: exp.Select) -> exp.Select:
    """Return the query that counts the rows which `select` shows."""
    made = select.copy()
    for part in list(made.args):
        if part not in ("with_", "from_", "joins", "where"):
            made.set(part, None)
    made.set("expressions", [exp.Count(this=exp.Star())])
    return made


def _path(node: exp.Expr, root: exp.Expr) -> Path | None:
    path: Path = []
    while node is not root:
        parent, part = node.parent, node.arg_key
        if parent is None or part is None:
            return None
        path.append((part, node.index))
        node = parent
    return path[::-1]
