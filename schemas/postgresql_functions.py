"""Functions that PostgreSQL has by itself, of 13 to 18, as its catalogue and grammar name them: what the SQL of a schema may call there."""

from __future__ import annotations

from functools import cache
from importlib import resources

_OF_TYPES = ("DCOLON", "ALIAS", "DOT")  # `x::name(3)`, `cast(x as name(3))` and `schema.name(x)`
# which brackets follow; the last becomes IS JSON
_OTHER_WORDS = frozenset({"symmetric", "asymmetric", "placing", "zone", "varying", "json_valid"})


def unknown_functions(sql: str) -> list[str]:
    """Return the functions that an expression calls and that no PostgreSQL has without an extension, each once, as written."""
    return [name for name in called_functions(sql) if not _is_known(name.lower())]


def called_functions(sql: str) -> list[str]:
    """Return the functions that an expression calls, and the words that brackets follow, each once, as written."""
    from sqlglot import TokenType, tokenize
    from sqlglot.errors import TokenError

    try:
        tokens = tokenize(sql, read="postgres")
    except TokenError:
        return []
    found = dict[str, None]()
    for before, token, after in zip([None, *tokens], tokens, tokens[1:], strict=False):
        called = token.token_type in (TokenType.VAR, TokenType.DATETIME, TokenType.FORMAT) and after.token_type is TokenType.L_PAREN
        if called and (before is None or before.token_type.name not in _OF_TYPES):
            found[token.text] = None
    return list(found)


@cache
def known_functions() -> frozenset[str]:
    """Return the names of all of them but those that begin with pg_."""
    return frozenset((resources.files("schemas") / "postgresql_functions.txt").read_text("utf-8").split())


def _is_known(name: str) -> bool:
    return name.startswith("pg_") or name in _OTHER_WORDS or name in known_functions()
