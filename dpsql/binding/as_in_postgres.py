"""What PostgreSQL means by forms that DuckDB, which works on the noisy outcome, reads in another way, or that neither can be held to."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import expressions as exp

from dpsql.binding.lists import spelled_out
from dpsql.binding.mending import Mendable
from dpsql.binding.state import State
from dpsql.column_facts import KINDS
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions.date_formats import NAMES, NOT_WRITTEN, alike

COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
PADDED = (exp.DType.CHAR, exp.DType.NCHAR, exp.DType.BPCHAR)


def hold_forms(root: exp.Expr) -> None:
    """Raise QueryInvalid where PostgreSQL reads no such type, QueryRefused of casts and SUBSTRING that are not understood as it has them.

    CHAR(n) is filled with blanks that some functions see and others do not; VARCHAR(n) is offered.
    """
    for cast in root.find_all(exp.Cast):
        if isinstance(cast.to, exp.DataType) and cast.to.this in (*PADDED, exp.DType.VARCHAR):
            _hold_size(cast.to)
            if cast.to.this in PADDED:
                raise _padded(cast)
    hold_substrings(root)


def _hold_size(kind: exp.DataType) -> None:
    if kind.expressions and kind.expressions[0].name.isdecimal() and int(kind.expressions[0].name) < 1:
        raise QueryInvalid("the length of a type of text must be at least 1")


def _padded(cast: exp.Cast) -> Mendable:
    kind = cast.to
    size = f"({kind.expressions[0].name})" if kind.expressions else "" if kind.this == exp.DType.BPCHAR else "(1)"
    return Mendable(
        f"a cast to CHAR fills a text with blanks, which is not understood here; cast to VARCHAR{size}",
        cast,
        lambda place: place.set("to", exp.DataType.build(f"VARCHAR{size}")),
    )


def hold_substrings(root: exp.Expr, texts: Collection[str] = ()) -> None:
    """Raise QueryRefused of a SUBSTRING that PostgreSQL reads as a regular expression, or whose length it finds negative.

    `texts` are the names of columns that are known to hold text.
    """
    for part in root.find_all(exp.Substring):
        start, length = part.args.get("start"), part.args.get("length")
        if _is_text(start) or (isinstance(start, exp.Column) and start.name.lower() in texts):
            raise QueryRefused("SUBSTRING is understood from a number; a text is read as a regular expression, which is not understood")
        if isinstance(length, exp.Neg) and isinstance(length.this, exp.Literal) and length.this.name.strip("0."):
            raise QueryRefused("SUBSTRING has a negative length, which PostgreSQL gives an error for")


def _is_text(node: exp.Expr | None) -> bool:
    node = node.unnest() if node is not None else None
    if isinstance(node, exp.Cast):
        return node.is_type(*exp.DataType.TEXT_TYPES)
    return isinstance(node, exp.DPipe | exp.Concat) or (isinstance(node, exp.Literal) and node.is_string)


def text_columns(outcome: exp.Expr, state: State) -> set[str]:
    """The names that columns of text alone have in the SQL over noisy and public tables."""
    tables = [state.declaration.schema.table(name) for name in state.public]
    kinds = [(column.name.lower(), KINDS.get(column.type.kind)) for table in tables for column in table.columns]
    kinds += [(key.name, key.expression.facts.kind) for release in state.releases for key in release.keys]
    others = {name for name, kind in kinds if kind != "text"}
    others |= {one.alias.lower() for one in outcome.find_all(exp.Alias) if one.this.name.lower() != one.alias.lower()}
    others |= {name.name.lower() for alias in outcome.find_all(exp.TableAlias) for name in alias.columns}
    return {name for name, _ in kinds} - others


def as_in_postgres(outcome: exp.Expr, texts: Collection[str] = ()) -> None:
    """Write out, in the SQL over noisy tables, casts to VARCHAR(n), which cut, SUBSTRING from before the beginning, comparisons of rows
    of values, which are null where a null decides, and names of days and months, in place.
    """
    hold_substrings(outcome, texts)  # once more, with the values of parameters
    # from within to without, so that what stands inside of another is in its place already
    for cast in [one for one in outcome.find_all(exp.Cast) if isinstance(one.to, exp.DataType) and one.to.this == exp.DType.VARCHAR][::-1]:
        if cast.to.expressions:
            size = exp.Literal.number(cast.to.expressions[0].name)
            cast.to.set("expressions", None)
            cut = exp.Left(expression=size)
            cast.replace(cut)
            cut.set("this", cast)
    for one in [part for part in outcome.find_all(exp.In, *COMPARISONS) if isinstance(part.this, exp.Tuple)][::-1]:
        made = spelled_out(one, "postgres")
        if made is not one:
            one.replace(exp.Paren(this=made))
    if any(isinstance(part.this, exp.Tuple) for part in outcome.find_all(exp.Between)):
        raise QueryRefused("rows of values are compared by =, < and the like, or IN; write BETWEEN as a >= and a <=")
    for written in list(outcome.find_all(exp.TimeToStr)):
        _write_date(written)
    found = [part for part in outcome.find_all(exp.Substring) if _may_start_before(part)]
    _hold_nested(found)
    for part in found:
        start, length = part.args["start"], part.args.get("length")
        first = exp.Greatest(this=start, expressions=[exp.Literal.number(1)], ignore_nulls=False)
        part.set("start", first)
        if length is not None:
            end = exp.Add(this=exp.Paren(this=start.copy()), expression=exp.Paren(this=length))
            left = exp.Sub(this=end, expression=first.copy())
            part.set("length", exp.Greatest(this=left, expressions=[exp.Literal.number(0)], ignore_nulls=False))


def _write_date(written: exp.TimeToStr) -> None:
    """TO_CHAR of a date; QueryRefused of formats that are worked out, or that DuckDB would write otherwise."""
    text = written.args["format"]
    if not isinstance(text, exp.Literal) or (text.name not in NAMES and not alike(text.name)):
        raise QueryRefused(NOT_WRITTEN)
    if text.name in NAMES:
        letter, width = NAMES[text.name]
        text.replace(exp.Literal.string(letter))
        if width:
            filled = exp.Left(expression=exp.Literal.number(width))
            written.replace(filled)
            filled.set("this", exp.DPipe(this=written, expression=exp.Literal.string(" " * width)))


def _may_start_before(part: exp.Substring) -> bool:
    start = part.args.get("start")
    return start is not None and not (isinstance(start, exp.Literal) and start.is_int and int(start.name) > 0)


def _hold_nested(found: list[exp.Substring]) -> None:
    """Refuse one in the start or length of another, which are written several times: that grows by a power."""
    own = {id(part) for part in found}
    for part in found:
        for place in ("start", "length"):
            inside = part.args.get(place)
            if inside is not None and any(id(one) in own for one in inside.find_all(exp.Substring)):
                raise QueryRefused(
                    "the start and length of SUBSTRING are understood without another SUBSTRING whose start may be below 1;"
                    " work them out in a subquery, or write a constant for the start inside"
                )
