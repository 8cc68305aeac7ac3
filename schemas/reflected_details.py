"""What a database says of its indexes, constraints and columns beyond the words of the schema language, for the notes of a reflection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_OF = "JOIN pg_class c ON c.oid = {} JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND c.relname = :table"
_PARTS = "SELECT relid FROM pg_partition_tree(format('%I.%I', CAST(:schema AS text), CAST(:table AS text))::regclass) WHERE level > 0"
_WORDS = "((?: DEFERRABLE| INITIALLY DEFERRED| NO INHERIT| NOT VALID)+)$"
_WORDS_OF_REFERENCES = "((?: NOT VALID| NOT ENFORCED)+)$"  # the others are told with each reference

# What PostgreSQL keeps with a table and the schema language does not say: a query for each kind of it.
POSTGRESQL_EXTRAS = (
    f"SELECT 'trigger ' || t.tgname FROM pg_trigger t {_OF.format('t.tgrelid')} AND NOT t.tgisinternal ORDER BY t.tgname",
    f"SELECT 'rule ' || r.rulename FROM pg_rewrite r {_OF.format('r.ev_class')} ORDER BY r.rulename",
    f"SELECT 'exclusion constraint ' || x.conname FROM pg_constraint x {_OF.format('x.conrelid')} AND x.contype = 'x' ORDER BY x.conname",
    "SELECT btrim(said) || ' of ' || conname FROM (SELECT x.conname, substring(pg_get_constraintdef(x.oid) FROM "
    f"CASE x.contype WHEN 'f' THEN '{_WORDS_OF_REFERENCES}' ELSE '{_WORDS}' END) AS said "
    f"FROM pg_constraint x {_OF.format('x.conrelid')} AND x.contype <> 'x') s WHERE said IS NOT NULL ORDER BY conname",
    "SELECT CASE x.contype WHEN 'f' THEN 'PERIOD' ELSE 'WITHOUT OVERLAPS' END || ' of ' || x.conname FROM pg_constraint x "
    f"{_OF.format('x.conrelid')} AND to_jsonb(x) ->> 'conperiod' = 'true' ORDER BY x.conname",
    "SELECT DISTINCT 'collation ' || l.collname || ' of index ' || d.relname FROM pg_index i JOIN pg_class d ON d.oid = i.indexrelid "
    "CROSS JOIN unnest(i.indkey, i.indcollation) AS k(number, ordered) JOIN pg_collation l ON l.oid = k.ordered "
    "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND a.attcollation <> k.ordered "
    f"{_OF.format('i.indrelid')} ORDER BY 1",
    f"SELECT 'inheritance from ' || i.inhparent::regclass::text FROM pg_inherits i {_OF.format('i.inhrelid')} ORDER BY i.inhseqno",
    f"SELECT 'row-level security of ' || c.relname FROM pg_class s {_OF.format('s.oid')} AND c.relrowsecurity",
    "SELECT 'policy ' || policyname FROM pg_policies WHERE schemaname = :schema AND tablename = :table ORDER BY policyname",
    f"SELECT 'UNLOGGED of ' || c.relname FROM pg_class s {_OF.format('s.oid')} AND c.relpersistence = 'u'",
    f"WITH parts AS ({_PARTS}) SELECT what || ' of its part ' || part::text FROM ("
    "SELECT 'check ' || conname, conrelid::regclass FROM pg_constraint WHERE contype = 'c' AND conislocal AND conrelid IN (TABLE parts) "
    "UNION SELECT 'trigger ' || tgname, tgrelid::regclass FROM pg_trigger "
    "WHERE NOT tgisinternal AND tgparentid = 0 AND tgrelid IN (TABLE parts) "
    "UNION SELECT 'index ' || indexrelid::regclass::text, indrelid::regclass FROM pg_index "
    "WHERE indrelid IN (TABLE parts) AND indexrelid NOT IN (SELECT inhrelid FROM pg_inherits)) AS o(what, part) ORDER BY 1",
)

_BY_ITSELF = {"start": 1, "increment": 1, "cache": 1, "cycle": False}


def index_details(index: Mapping[str, Any]) -> str:
    """Return how an index of SQLAlchemy's inspector differs from a plain one over its columns, "" where it does not."""
    return ", ".join((*_options(index), *_sorting(index)))


def unique_details(unique: Mapping[str, Any]) -> str:
    """Return how a unique constraint of SQLAlchemy's inspector differs from a plain one, "" where it does not."""
    return ", ".join(_options(unique))


def identity_details(identity: Mapping[str, Any]) -> str:
    """Return how an identity of SQLAlchemy's inspector numbers rows, "" where it counts from 1 by 1."""
    return ", ".join(
        f"{word} {identity[word]}" for word, usual in _BY_ITSELF.items() if identity.get(word) is not None and identity[word] != usual
    )


def _options(found: Mapping[str, Any]) -> Iterator[str]:
    """The options of a dialect, such as postgresql_using, in SQL's words."""
    for option, value in (found.get("dialect_options") or {}).items():
        word = option.partition("_")[2].replace("_", " ")
        if value is True:
            yield word
        elif isinstance(value, Mapping):
            yield from (f"{word} {column} {of}" for column, of in value.items())
        elif isinstance(value, (list, tuple)):
            if value:
                yield f"{word} ({', '.join(map(str, value))})"
        elif value:
            yield f"{word} {value}"


def _sorting(index: Mapping[str, Any]) -> Iterator[str]:
    for column, ways in (index.get("column_sorting") or {}).items():
        yield f"{column} {' '.join(way.replace('_', ' ') for way in ways)}"
