"""What a policy drops without a word on what it is: the classification tells, so that its values are looked for all the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from masking.classify import Finding, classify
from masking.policy.model import DROP, UNDECIDED, Policy, Step, TablePolicy, Treatment
from masking.sampling import readable_sample
from masking.source.base import Source
from schemas.model import Column

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
    unreadable: dict[tuple[str, str], Finding] = {}
    found = dict(classify(schema, lambda table: readable_sample(source, table, _ROWS, unreadable), deep=False)) | unreadable
    tables = {name: _decided(name, table, schema.table(name).stored_columns, found) for name, table in policy.tables.items()}
    return replace(policy, tables=tables)


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
