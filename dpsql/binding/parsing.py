"""Reading one statement."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import cache
from itertools import islice

import sqlglot
from sqlglot import Token, TokenType
from sqlglot import expressions as exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError

from dpsql.binding.bracketed import without_brackets
from dpsql.binding.one_spelling import in_one_spelling
from dpsql.binding.qualified import without_database, without_schemas
from dpsql.binding.repeating import hold_repeating
from dpsql.binding.value_rows import written_as_selects
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions.date_formats import NOT_WRITTEN

# it would write what it does not understand of a query, with all that stands in it, into the log
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
_MISSING = re.compile(r"Required keyword: '\w+' missing for <class '[\w.]*?(?P<kind>\w+)'>(?P<place>.*)")
_MORE = re.compile(r"The number of provided arguments \((?P<given>\d+)\) is greater than .* \((?P<most>\d+)\)(?P<place>.*)")
LONGEST = 100_000  # characters of a query
DEEPEST = 150  # brackets inside one another
LARGEST = 20_000  # nodes of a query
EXPRESSIONS = (exp.Condition, exp.Star, exp.Alias)


def parse(sql: str, dialect: str, database: str) -> exp.Query:
    """Return the one SELECT that `sql` is; QueryInvalid where it cannot be read, QueryRefused where it is something else.

    `database` is the name that may stand before schemas.
    """
    if len(sql) > LONGEST:
        raise QueryInvalid(f"the query has {len(sql):,} characters; at most {LONGEST:,} are read")
    if "\x00" in sql:
        raise QueryInvalid("the query holds a zero byte")
    _hold_depth(sql)
    try:
        tokens = _dialect(dialect).tokenize(sql)
        if dialect == "postgres":
            _hold_numbers(tokens, sql)
        parsed = _dialect(dialect).parser().parse(tokens, sql)
        statements = [s for s in parsed if s is not None and not isinstance(s, exp.Semicolon)]
    except (SqlglotError, RecursionError, ValueError, IndexError, AttributeError, TypeError) as error:
        raise QueryInvalid(f"the query cannot be read: {_first_line(error)}") from None
    if not statements:
        raise QueryInvalid("there is no query")
    if len(statements) > 1:
        raise QueryRefused("one query at a time: there are several statements in this text")
    statement = without_brackets(statements[0], dialect)
    if isinstance(statement, EXPRESSIONS):
        raise QueryInvalid("this is an expression and no query; write SELECT before it, and FROM with a table behind")
    if not isinstance(statement, exp.Query) or isinstance(statement, exp.Table):
        raise QueryRefused(f"only SELECT is answered here, not {_kind(statement)}")
    parts = list(islice(statement.walk(), LARGEST + 1))
    if len(parts) > LARGEST:
        raise QueryInvalid("the query has too many parts")
    if any(isinstance(part, exp.Literal | exp.ByteString) and "\x00" in part.name for part in parts):  # that an escape stands for
        raise QueryInvalid("the query holds a zero byte")
    if any(isinstance(part, exp.Select) and not part.expressions and part.find_ancestor(exp.Exists) is None for part in parts):
        raise QueryInvalid("SELECT is of at least one column, as in SELECT COUNT(*) FROM a_table")
    without_database(parts, database)
    without_schemas(parts)
    if dialect == "postgres":
        _hexadecimal(statement, sql)
        _hold_formats(parts)
    in_one_spelling(statement, dialect)
    try:
        hold_repeating(statement)
    except RecursionError:
        raise QueryInvalid("the query is nested too deeply") from None
    written_as_selects(statement, dialect)
    for limit in [
        one for one in statement.find_all(exp.Limit) if isinstance(one.expression, exp.Var) and one.expression.name.upper() == "ALL"
    ]:
        limit.pop()
    return statement


@cache
def _dialect(name: str) -> sqlglot.Dialect:
    """The dialect of that name, which sqlglot would make anew several times for each text."""
    return _Postgres() if name == "postgres" else sqlglot.Dialect.get_or_raise(name)


class _Postgres(Postgres):
    """PostgreSQL's SQL, in whose formats % is a sign like others; sqlglot would take it for the beginning of a letter of strftime."""

    TIME_MAPPING = Postgres.TIME_MAPPING | {"%": "%%"}


def _hold_formats(parts: Sequence[exp.Expr]) -> None:
    """Raise QueryRefused of formats of dates with %, and of those that are worked out, or parameters, and so were not read."""
    for node in parts:
        if isinstance(node, exp.TimeToStr | exp.StrToTime | exp.StrToDate):
            text = node.args.get("format")
            if not isinstance(text, exp.Literal) or "%%" in text.name:
                raise QueryRefused(NOT_WRITTEN)


def _hexadecimal(statement: exp.Expr, sql: str) -> None:
    """Write 0x1F and 0b11 as the numbers that they are, in place. Raises QueryRefused of X'1F' and B'11', which are texts of bits."""
    for node in list(statement.find_all(exp.HexString, exp.BitString)):
        if not sql[node.meta.get("start", 0) :].startswith("0"):
            raise QueryRefused("texts of bits are not understood; write a number as 0x1F or 0b11")
        node.replace(exp.Literal.number(int(node.name, 16 if isinstance(node, exp.HexString) else 2)))


def _hold_numbers(tokens: Sequence[Token], sql: str) -> None:
    """Raise QueryInvalid of 1_000 and 0o17, which would be read as a number with an alias behind it."""
    for token in tokens:
        behind = sql[token.end + 1 : token.end + 2]
        if token.token_type == TokenType.NUMBER and (behind.isalpha() or behind == "_"):
            raise QueryInvalid(
                f"what starts with {token.text[:40]!r} is no number that is understood; write its digits alone, and a blank behind"
            )


def _hold_depth(sql: str) -> None:
    depth = deepest = 0
    for character in sql:
        if character == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif character == ")":
            depth -= 1
    if deepest > DEEPEST:
        raise QueryInvalid(f"the query has more than {DEEPEST} brackets inside one another")


def _kind(statement: exp.Expr) -> str:
    if isinstance(statement, exp.Command):
        return str(statement.this).upper()
    return statement.key.upper()


def _first_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    line = str(error).split("\n")[0].replace("\x1b[4m", "").replace("\x1b[0m", "")
    if (missing := _MISSING.match(line)) is not None:
        kind = getattr(exp, missing["kind"], None)
        if isinstance(kind, type) and issubclass(kind, exp.Func):
            return f"{kind.sql_name()} needs another argument{missing['place']}"
    if (more := _MORE.match(line)) is not None:
        return f"a function has {more['given']} arguments, where it takes at most {more['most']}{more['place']}"
    return line
