"""Which parts of each piece of SQL are understood: whatever else a piece carries is refused by name, so that nothing is overlooked."""

from __future__ import annotations

import re

from sqlglot import expressions as exp

from dpsql.errors import QueryRefused
from dpsql.sql_text import sql_of

# what sqlglot notes of its own accord, and what both databases do anyway
MARKS = frozenset(("typed", "safe", "big_int", "date_part_boundary", "ignore_nulls", "coalesce", "is_nvl", "is_null", "nulls_first"))
MARKS_OF: dict[type[exp.Expr], frozenset[str]] = {
    exp.Length: frozenset({"binary", "encoding"}),
    exp.Boolean: frozenset({"this"}),
}
PARTS: dict[type[exp.Expr], frozenset[str]] = {
    kind: frozenset(parts.split())
    for kind, parts in {
        exp.Select: "with_ expressions distinct from_ joins where group having qualify windows order limit offset operation_modifiers",
        exp.Union: "with_ this expression distinct order limit offset side kind",
        exp.Intersect: "with_ this expression distinct order limit offset side kind",
        exp.Except: "with_ this expression distinct order limit offset side kind",
        exp.Join: "this on side kind using method",
        exp.Table: "this alias db joins",
        exp.Subquery: "this alias with_",
        exp.TableAlias: "this columns",
        exp.Group: "expressions all rollup cube grouping_sets",
        exp.With: "expressions recursive",
        exp.CTE: "this alias materialized",
        exp.Ordered: "this desc",
        exp.Column: "this table db",
        exp.Literal: "this is_string",
        exp.Parameter: "this",
        exp.Placeholder: "this jdbc",
        exp.Between: "this low high symmetric",
        exp.In: "this expressions query",
        exp.Is: "this expression negate",
        exp.Like: "this expression negate",
        exp.ILike: "this expression negate",
        exp.Cast: "this to",
        exp.TryCast: "this to",
        exp.Case: "this ifs default",
        exp.If: "this true false",
        exp.Round: "this decimals",
        exp.Trunc: "this decimals",
        exp.Substring: "this start length",
        exp.Trim: "this expression position",
        exp.Replace: "this expression replacement",
        exp.StrPosition: "this substr",
        exp.SplitPart: "this delimiter part_index",
        exp.TimestampTrunc: "this unit",
        exp.DateTrunc: "this unit",
        exp.DateDiff: "this expression unit",
        exp.DateAdd: "this expression unit",
        exp.DateBin: "this expression unit",
        exp.TimeToStr: "this format",
        exp.ToChar: "this format",
        exp.DateFromParts: "year month day",
        exp.TimestampFromParts: "year month day hour min sec",
        exp.StrToTime: "this format",
        exp.StrToDate: "this format",
        exp.AtTimeZone: "this zone",
        exp.Interval: "this unit",
        exp.Quantile: "this quantile",
        exp.ApproxQuantile: "this quantile",
        exp.WidthBucket: "this min_value max_value num_buckets",
        exp.Alias: "this alias",
        exp.Translate: "this from_ to",
        exp.Repeat: "this times",
        exp.Overlay: "this expression from_ for_",
        exp.Pad: "this expression fill_pattern is_left",
    }.items()
}
_CALLED = re.compile(r"[A-Za-z_]\w*(?=\(|$)")
PLAIN = frozenset({"this", "expression", "expressions"})


def check(node: exp.Expr, dialect: str = "") -> None:
    """Refuse a piece of SQL that says more than is understood of it."""
    known = PARTS.get(type(node), PLAIN) | MARKS | MARKS_OF.get(type(node), frozenset())
    for part, value in node.args.items():
        if part not in known and value is not None and value is not False and value != []:
            if isinstance(node, exp.Func) and not isinstance(node, exp.AggFunc) and type(node) not in PARTS:
                raise QueryRefused(f"'{called(node, dialect)}' is not known as a function whose outcome can be shown private")
            word = part.strip("_").upper().replace("_", " ")
            raise QueryRefused(f"{word} is not understood here, in: {excerpt(node)}")


def called(node: exp.Expr, dialect: str) -> str:
    """The name of a function, for a message: as the dialect has it, which is most often as it was written."""
    if isinstance(node, exp.Anonymous):
        return str(node.name)[:60].lower()
    try:
        found = _CALLED.match(sql_of(node, dialect))
    except QueryRefused:
        found = None
    own = node.sql_name() if isinstance(node, exp.Func) else node.key
    return str(found.group() if found is not None and found.group().upper() not in ("CASE", "CAST") else own)[:60].lower()


def excerpt(node: exp.Expr, dialect: str = "") -> str:
    """The beginning of a piece of SQL, for a message."""
    text = " ".join(sql_of(node, dialect).split())
    return text if len(text) <= 60 else text[:57] + "..."
