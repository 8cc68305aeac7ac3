"""Binding functions of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import expressions as exp

from dpsql.binding.constants import NULL, case, constant, folded, folded_sign, hold_repeated, is_null, word
from dpsql.binding.lists import MOST_COPIED, written_out
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import call
from dpsql.functions.lengths import GROWING, PUT_IN, REPLACED
from dpsql.functions.patterns import ANY, ONE, pattern_tokens, written_pattern
from dpsql.tree import Expression, Literal

if TYPE_CHECKING:
    from dpsql.binding.expressions import Expressions

PLAIN: dict[type[exp.Expr], str] = {
    exp.Upper: "upper", exp.Lower: "lower", exp.Length: "length", exp.Reverse: "reverse", exp.MD5: "md5", exp.Ascii: "ascii",
}  # fmt: skip
WIDEST = 1_000  # to which a text is filled up
MOST_TIMES = REPLACED // GROWING  # that a text is repeated
SIDES = {"LEADING": "ltrim", "TRAILING": "rtrim", "BOTH": "trim", "": "trim"}


def bound(binder: Expressions, node: exp.Expr) -> Expression | None:
    """Return a function of text bound, or None where `node` is none."""

    def text(part: str = "this") -> Expression:
        return _text(binder, node.args.get(part), node)

    if type(node) in PLAIN:
        return call(PLAIN[type(node)], text())
    match node:
        case exp.Like() | exp.ILike() if isinstance(node.expression, exp.Any | exp.All):
            return _like_several(binder, node)
        case exp.Like() | exp.ILike():
            return _like(binder, node, None)
        case exp.Glob():
            return _like(binder, exp.Like(this=node.this, expression=exp.Literal.string(_glob(binder, node))), "\\")
        case exp.Escape() if isinstance(node.this, exp.Like | exp.ILike):
            return _like(binder, node.this, _constant_text(binder, node.expression))
        case exp.Substring():
            return _substring(binder, node, text())
        case exp.Trim():
            name = SIDES[str(node.args.get("position") or "").upper()]
            letters = [constant(_constant_text(binder, node.expression))] if node.expression is not None else []
            return call(name, text(), *letters)
        case exp.Left() | exp.Right():
            return call(node.key, text(), binder.number(node.expression))
        case exp.Replace() if node.args.get("replacement") is not None:
            return call("replace", text(), text("expression"), _put_in(text("replacement")))
        case exp.DPipe():
            return call("concat", _as_text(binder.bind(node.this)), _as_text(binder.bind(node.expression)))
        case exp.ConcatWs():
            return _separated(binder, node)
        case exp.Concat():
            # CONCAT leaves nulls out
            parts = [_or_empty(_as_shown(binder, p)) for p in node.expressions]
            return call("concat", *parts) if len(parts) > 1 else parts[0]
        case exp.StartsWith():
            return call("starts_with", text(), text("expression"))
        case exp.EndsWith():
            end = _constant_text(binder, node.expression)
            return call("=", call("right", text(), constant(len(end))), word(end)) if end else call("is_not_null", text())
        case exp.Anonymous() if str(node.this).lower() in ("prefix", "suffix") and len(node.expressions) == 2:
            kind = exp.StartsWith if str(node.this).lower() == "prefix" else exp.EndsWith
            return bound(binder, kind(this=node.expressions[0], expression=node.expressions[1]))
        case exp.Contains():
            return call(">", call("position", text(), text("expression")), constant(0))
        case exp.Pad():
            width, pattern = binder.whole(node.expression), node.args.get("fill_pattern")
            fill = " " if pattern is None else _constant_text(binder, pattern)
            if not fill or not isinstance(width.value, int) or not 0 <= width.value <= WIDEST:
                raise QueryRefused(f"LPAD and RPAD are understood with a text to fill with, up to {WIDEST:,} characters")
            return call("lpad" if node.args.get("is_left") else "rpad", text(), width, word(fill))
        case exp.Translate():
            return call("translate", text(), *(word(_constant_text(binder, node.args[part])) for part in ("from_", "to")))
        case exp.Repeat():
            return _repeated(text(), binder.whole(node.args["times"]))
        case exp.Overlay():
            return _overlaid(binder, node, text())
        case exp.StrPosition():
            return call("position", text(), text("substr"))
        case exp.SplitPart():
            place = binder.whole(node.args.get("part_index"))
            if not isinstance(place.value, int) or place.value < 1:
                raise QueryRefused("the place of SPLIT_PART counts from 1")
            return call("split_part", text(), text("delimiter"), place)
    return None


def _substring(binder: Expressions, node: exp.Substring, text: Expression) -> Expression:
    start = folded_sign(binder.number(node.args["start"])) if node.args.get("start") is not None else constant(1)
    length = [folded_sign(binder.number(node.args["length"]))] if node.args.get("length") is not None else []
    if binder.dialect == "duckdb":
        if not is_null(start) and _may_be_negative(start):
            return _from_the_end(text, start, length)
        if length and not is_null(length[0]) and _may_be_negative(length[0]):
            return _either_way(text, start, length[0])
    return call("substring", text, start, *length)


def _repeated(text: Expression, times: Literal) -> Expression:
    """REPEAT as the text behind itself so many times, as far as a text may grow."""
    count = max(0, times.value) if isinstance(times.value, int) else 0
    if count > MOST_TIMES:
        raise QueryRefused(f"REPEAT is understood up to {MOST_TIMES} times")
    if count < 2:
        return call("left", text, constant(0)) if count == 0 else text
    hold_repeated(count, text)
    return call("concat", *[text] * count)


def _overlaid(binder: Expressions, node: exp.Overlay, text: Expression) -> Expression:
    new = _constant_text(binder, node.expression)
    start = binder.whole(node.args["from_"])
    length = constant(len(new)) if node.args.get("for_") is None else binder.whole(node.args["for_"])
    if not isinstance(start.value, int) or not isinstance(length.value, int) or start.value < 1 or length.value < 0:
        raise QueryRefused("OVERLAY is understood from a place from 1 on, for a length that is not below zero")
    hold_repeated(2, text)
    return call("overlay", text, word(new), start, length)


def _may_be_negative(number: Expression) -> bool:
    return number.facts.lo is None or number.facts.lo < 0  # type: ignore[operator]


def _either_way(text: Expression, start: Expression, length: Expression) -> Expression:
    """SUBSTRING as DuckDB has it with a length that may be below zero: that many characters before the start."""
    before = call("substring", text, folded(call("add", start, length)), folded(call("negate", length)))
    if isinstance(length, Literal):
        return before
    hold_repeated(2, text, start)
    hold_repeated(4, length)
    return case([(call("<", length, constant(0)), before)], call("substring", text, start, length))


def _from_the_end(text: Expression, start: Expression, length: list[Expression]) -> Expression:
    """SUBSTRING as DuckDB has it with a start below zero: that many characters before the end, and of these the first ones."""
    if not isinstance(start, Literal) or not isinstance(start.value, int):
        raise QueryRefused(
            "SUBSTRING counts from the end where its start is below zero; write a constant, or GREATEST(..., 1) for the start"
        )
    found = call("right", text, constant(-start.value))
    if not length or is_null(length[0]):
        return call("substring", text, constant(1), *length) if length else found
    if not isinstance(length[0], Literal) or not isinstance(length[0].value, int):
        raise QueryRefused("SUBSTRING from the end is understood with a constant length")
    if length[0].value < 0:
        return call("right", call("left", text, start), constant(-length[0].value))
    # without the rest behind it, also where the text is shorter than what is counted back
    return call("left", found, constant(length[0].value + start.value)) if length[0].value < -start.value else found


def _put_in(by: Expression) -> Expression:
    if isinstance(by, Literal) and isinstance(by.value, str) and len(by.value) > PUT_IN:
        raise QueryRefused(f"REPLACE puts in texts of at most {PUT_IN} characters, so that no row's text gets too long")
    return by


def _separated(binder: Expressions, node: exp.ConcatWs) -> Expression:
    """CONCAT_WS: what is not null, with a separator between; the one before the first is taken away again."""
    between, *parts = node.expressions
    separator = word(_constant_text(binder, between))
    if not parts:
        return word("")
    led = [_or_empty(call("concat", separator, _as_shown(binder, part))) for part in parts]
    return call("substring", call("concat", *led) if len(led) > 1 else led[0], constant(len(str(separator.value)) + 1))


def _or_empty(text: Expression) -> Expression:
    return call("coalesce", text, word("")) if text.facts.nullable else text


def _like_several(binder: Expressions, node: exp.Like | exp.ILike) -> Expression:
    """LIKE ANY and LIKE ALL of a list of patterns."""
    listed = node.expression.this.unnest()
    patterns = listed.expressions if isinstance(listed, exp.Array | exp.Tuple) else []
    if not patterns:
        raise QueryRefused("LIKE ANY and LIKE ALL are understood of a list of patterns: LIKE ANY (ARRAY['a%', 'b%'])")
    if len(patterns) * written_out(node.this) > MOST_COPIED:
        raise QueryRefused("LIKE ANY and LIKE ALL compare too long an expression too often")
    found = [_like(binder, type(node)(this=node.this, expression=one, negate=node.args.get("negate")), None) for one in patterns]
    return found[0] if len(found) == 1 else call("or" if isinstance(node.expression, exp.Any) else "and", *found)


def _glob(binder: Expressions, node: exp.Glob) -> str:
    """The pattern of LIKE that says the same as one of GLOB."""
    pattern = _constant_text(binder, node.expression)
    if any(letter in "[\\" for letter in pattern):
        raise QueryRefused("GLOB is understood with * and ? alone")
    return "".join({"*": "%", "?": "_", "%": "\\%", "_": "\\_"}.get(letter, letter) for letter in pattern)


def _text(binder: Expressions, node: exp.Expr | None, whole: exp.Expr) -> Expression:
    found = binder.bind(node)
    if found.facts.kind != "text" and not is_null(found):
        raise QueryInvalid(f"'{whole.key}' needs text, not a value of type {found.facts.kind}; cast it first")
    return found


def _as_text(found: Expression) -> Expression:
    return found if found.facts.kind == "text" or is_null(found) else call("cast_text", found)


def _as_shown(binder: Expressions, node: exp.Expr | None) -> Expression:
    """A part of CONCAT, which PostgreSQL shows as it shows a value, with t and f for truth values, and does not cast."""
    found = binder.bind(node)
    if found.facts.kind == "boolean" and binder.dialect == "postgres":
        hold_repeated(2, found)
        return case([(found, word("t")), (call("not", found), word("f"))], NULL)
    return _as_text(found)


def _constant_text(binder: Expressions, node: exp.Expr | None) -> str:
    found = binder.bind(node)
    if not isinstance(found, Literal) or not isinstance(found.value, str):
        raise QueryRefused("a pattern, and the letters that TRIM takes away, must be a constant text")
    return found.value


def _like(binder: Expressions, node: exp.Like | exp.ILike, escape: str | None) -> Expression:
    """LIKE with its pattern in one form: in PostgreSQL a backslash escapes unless another letter is said to, in DuckDB nothing does."""
    if escape is not None and len(escape) > 1:
        raise QueryInvalid("ESCAPE takes one letter")
    sign = escape if escape is not None else "\\" if binder.dialect == "postgres" else ""
    tokens = pattern_tokens(_constant_text(binder, node.expression), sign)
    if tokens is None:
        raise QueryInvalid("the pattern of LIKE ends in its escape letter")
    value = _text(binder, node.this, node)
    if all(token is not ANY and token is not ONE for token in tokens) and isinstance(node, exp.Like):
        found: Expression = call("=", value, word("".join(str(t) for t in tokens)))
    else:
        found = call(node.key, value, word(written_pattern(tokens)))
    return call("not", found) if node.args.get("negate") else found
