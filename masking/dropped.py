"""What a policy drops without a word on what it is: the classification tells, so that its values are looked for all the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pyarrow as pa

from masking.classify import Finding, classify
from masking.errors import SourceFailure
from masking.policy.model import DROP, UNDECIDED, Policy, Step, TablePolicy, Treatment
from masking.sampling import sample
from masking.source.base import Source
from schemas.model import Column, Table

_ROWS = 2000
_UNSURE = 0.5


def with_dropped(source: Source, policy: Policy) -> Policy:
    """Return `policy` with a class for every column that it drops, or whose table it drops, and says no class of.

    What is dropped may stand elsewhere: in texts, in logs. Columns that are not surely personal, and free texts, are public then: they
    are no values to look for. Raises SourceFailure, and InputError where the extra `pii` is missing.
    """
    if not any(table.drop or any(c.klass == UNDECIDED for c in table.columns.values()) for table in policy.tables.values()):
        return policy
    schema = source.schema
    unreadable: set[tuple[str, str]] = set()
    found = dict(classify(schema, lambda table: _sampled(source, schema.table(table), unreadable), deep=False))
    found |= dict.fromkeys(unreadable, Finding("public", None, 0.0, ("it holds values that cannot be read",)))
    tables = {name: _decided(name, table, schema.table(name).stored_columns, found) for name, table in policy.tables.items()}
    return replace(policy, tables=tables)


def _sampled(source: Source, table: Table, unreadable: set[tuple[str, str]]) -> pa.Table:
    try:
        return sample(source, table.name, _ROWS)
    except SourceFailure:  # a value that no type here can carry, which may be why its column is dropped
        columns: dict[str, pa.ChunkedArray] = {}
        for column in table.stored_columns:
            try:
                columns[column.name] = sample(source, table.name, _ROWS, [column.name]).column(0)
            except SourceFailure:
                unreadable.add((table.name, column.name))
        rows = max(map(len, columns.values()), default=0)
        whole = [columns[c.name] if c.name in columns else pa.nulls(rows, c.type.arrow) for c in table.stored_columns]
        return pa.table(whole, names=[c.name for c in table.stored_columns])


def _decided(name: str, table: TablePolicy, columns: Iterable[Column], found: Mapping[tuple[str, str], Finding]) -> TablePolicy:
    if table.drop:
        return replace(table, columns={c.name: _treatment(found[name, c.name]) for c in columns})
    known = {c: _treatment(found[name, c]) if t.klass == UNDECIDED else t for c, t in table.columns.items()}
    return replace(table, columns=known)


def _treatment(finding: Finding) -> Treatment:
    sought = finding.klass not in ("public", "free_text") and finding.confidence >= _UNSURE
    paths = {path: _treatment(inner) for path, inner in finding.paths.items()}
    klass, entity = (finding.klass, finding.entity) if sought and not paths else ("public", None)
    return Treatment(klass, Step(DROP), entity, paths=paths, confidence=finding.confidence, evidence=finding.evidence)
