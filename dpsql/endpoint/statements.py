"""What a client's text asks for: statements taken apart, and each told by its first words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import sqlglot
from sqlglot.errors import SqlglotError

from dpsql.endpoint.sqlstates import Fault

Kind = Literal["query", "explain", "set", "show", "reset", "discard", "begin", "commit", "rollback", "savepoint", "harmless"]

MOST_CHARACTERS = 100_000
QUERIES = ("SELECT", "WITH", "VALUES", "TABLE", "(")
KINDS: dict[str, Kind] = {
    "EXPLAIN": "explain", "SET": "set", "SHOW": "show", "RESET": "reset", "DISCARD": "discard", "BEGIN": "begin", "START": "begin",
    "COMMIT": "commit", "END": "commit", "ROLLBACK": "rollback", "ABORT": "rollback", "SAVEPOINT": "savepoint", "RELEASE": "savepoint",
    "DEALLOCATE": "discard", "CLOSE": "harmless", "UNLISTEN": "harmless",
}  # fmt: skip
_WORD = re.compile(r"'[^']*'|\"[^\"]*\"|\w+|\S")
_OPTIONS = r"\(\s*(?:ANALY|VERBOSE|COSTS|FORMAT|BUFFERS|SETTINGS|SUMMARY|TIMING)[^()]*\)"
_EXPLAIN = re.compile(rf"(?is)\s*EXPLAIN\b\s*((?:{_OPTIONS})?(?:\s*ANALY[SZ]E\b)?(?:\s*VERBOSE\b)?)\s*")
WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "COMMENT", "REFRESH", "IMPORT")
REFUSED = (
    "ANALYZE", "ATTACH", "CALL", "CHECKPOINT", "CLUSTER", "COPY", "DECLARE", "DESCRIBE", "DETACH", "DO", "EXECUTE", "EXPORT", "FETCH",
    "INSTALL", "LISTEN", "LOAD", "LOCK", "MOVE", "NOTIFY", "PRAGMA", "PREPARE", "REASSIGN", "REINDEX", "SECURITY", "SUMMARIZE", "USE",
    "VACUUM",
)  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """One statement: its `kind`, its text, and its words (names in lower case as PostgreSQL folds them, texts without quotes)."""

    kind: Kind
    sql: str
    words: tuple[str, ...]

    @property
    def tag(self) -> str:
        """What CommandComplete says of it."""
        first = self.words[0].upper()
        match self.kind:
            case "begin":
                return "BEGIN"
            case "commit":
                return "COMMIT"
            case "rollback":
                return "ROLLBACK"
            case "discard" if "ALL" in (w.upper() for w in self.words):
                return f"{first} ALL"
            case "harmless" if first == "CLOSE":
                return "CLOSE CURSOR"
            case _:
                return first


def statements(sql: str) -> list[Statement]:
    """Return the statements of `sql` in their order, none for an empty text.

    Raises Fault: 42601 for what cannot be read, 0A000 and 42501 for what the endpoint does not do.
    """
    if len(sql) > MOST_CHARACTERS:
        raise Fault("54000", f"the text has {len(sql):,} characters; at most {MOST_CHARACTERS:,} are read")
    try:
        tokens = sqlglot.tokenize(sql, read="postgres")
    except SqlglotError as error:
        raise Fault("42601", "the text cannot be read: a quote or a comment is open") from error
    found: list[Statement] = []
    words: list[str] = []
    start = end = 0
    before = tokens[0] if tokens else None
    for token in tokens:
        if token.token_type == sqlglot.TokenType.SEMICOLON:
            if words:
                found.append(_statement(sql[start:end], words))
            words = []
            continue
        if not words:
            start, before = token.start, token
        rest = len(words) == 1 and _is_rest(sql, before, token)
        words += _WORD.findall(token.text) if rest else [token.text]
        before = token
        end = token.end + 1
    if words:
        found.append(_statement(sql[start:end], words))
    return found


def _is_rest(sql: str, before: sqlglot.Token | None, token: sqlglot.Token) -> bool:
    """Whether the tokenizer handed over the rest of a statement as one text, as it does after SHOW, EXPLAIN and others."""
    if before is None or token.token_type != sqlglot.TokenType.STRING:
        return False
    return bool(sql[before.end + 1 : token.start].strip()) or sql[token.start : token.end + 1] == token.text


def explained(statement: Statement) -> str:
    """Return the query within EXPLAIN.

    Raises Fault 0A000 for EXPLAIN ANALYZE, which would run it.
    """
    found = _EXPLAIN.match(statement.sql)
    if found is None:
        raise Fault("42601", "EXPLAIN needs a query")
    if "ANALY" in found[1].upper():
        raise Fault("0A000", "EXPLAIN ANALYZE would run the query, and be charged", hint="EXPLAIN alone touches neither data nor budget.")
    return statement.sql[found.end() :]


def _statement(sql: str, words: list[str]) -> Statement:
    first = words[0].upper()
    if first.startswith(QUERIES):
        return Statement("query", sql, tuple(words))
    if first in KINDS:
        kind = KINDS[first]
        if kind == "rollback" and len(words) > 1 and "TO" in (w.upper() for w in words[1:4]):
            kind = "savepoint"
        return Statement(kind, sql, tuple(words))
    if first in WRITES:
        raise Fault("42501", f"{first} is refused: nothing can be changed here", hint="Ask with SELECT.")
    known = first if first.isalpha() and len(first) < 20 else "this statement"
    hint = "Ask with SELECT."
    if first == "COPY":  # what polars and others send who read by ADBC, whatever SELECT they were given
        hint = "Ask with SELECT, by psycopg or SQLAlchemy: drivers of ADBC turn it into COPY."
    if first in REFUSED:
        raise Fault("0A000", f"{known} is not served here", hint=hint)
    raise Fault("42601", f"no statement begins with {known}", hint=hint)
