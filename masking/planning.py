"""From a live database to a policy that people review: what every column seems to hold, why, and what is proposed for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pyarrow as pa

from masking.binding import Binder
from masking.classify import Finding, classify
from masking.keys import read_key
from masking.policy.model import KEEP, REFERENCE, Policy, Step, TablePolicy, Treatment
from masking.proposals import candidates
from masking.references import Families, Place, families
from masking.source.base import Source
from schemas.model import Column, Schema, Table

SAMPLE_ROWS = 5000
Findings = Mapping[tuple[str, str], Finding]


def plan(source: Source, *, name: str | None = None, locale: str = "en_US", rows: int = SAMPLE_ROWS) -> Policy:
    """Propose a policy for the whole of `source` from its structure and a sample of `rows` rows of each table.

    No value of the source is in it. Raises SourceFailure where the source cannot be read.
    """
    schema = source.schema
    found = classify(schema, lambda table: source.sample(table, rows))
    return propose(schema, found, source.count, name=name, locale=locale)


def propose(
    schema: Schema, found: Findings, count: Mapping[str, int] | object, *, name: str | None = None, locale: str = "en_US"
) -> Policy:
    """Propose a policy from what was found of each column: the first transformer that fits, the same for all that hold one key."""
    family = families(schema, ())
    subjects = {table.name: _subject(table, found, family) for table in schema.tables}
    blank = Policy(name or schema.name, {t.name: _blank(t, found, subjects[t.name]) for t in schema.tables}, locale=locale)
    binder = Binder(schema, blank, family, read_key("ephemeral"), count, None)
    chooser = _Chooser(schema, found, family, binder)
    tables = {
        t.name: replace(
            blank.tables[t.name], columns={c.name: chooser.column(t, c, blank.tables[t.name].columns[c.name]) for c in t.stored_columns}
        )
        for t in schema.tables
    }
    return replace(blank, tables=tables)


def _blank(table: Table, found: Findings, subject: tuple[str, ...]) -> TablePolicy:
    return TablePolicy({c.name: _treatment(found[table.name, c.name], str(c.type)) for c in table.stored_columns}, subject)


def _treatment(finding: Finding, type: str | None) -> Treatment:
    paths = {path: _treatment(inner, None) for path, inner in finding.paths.items()}
    return Treatment(finding.klass, Step(KEEP), finding.entity, type, paths=paths, confidence=finding.confidence, evidence=finding.evidence)


def _subject(table: Table, found: Findings, family: Families) -> tuple[str, ...]:
    """The column that names the person of a row: the key of a table of persons, else what references one."""
    keys = [table.key] if table.key else []
    keys += [k.columns for k in table.foreign_keys]
    for columns in keys:
        if len(columns) == 1 and found[table.name, columns[0]].entity == "person_id":
            return columns
    return ()


class _Chooser:
    def __init__(self, schema: Schema, found: Findings, family: Families, binder: Binder) -> None:
        self._schema, self._found, self._family, self._binder = schema, found, family, binder

    def column(self, table: Table, column: Column, treatment: Treatment) -> Treatment:
        place = Place(table.name, column.name)
        if self._family.is_member(place) and self._family.root(place) != place:
            return replace(treatment, mask=Step(REFERENCE))
        if treatment.paths:
            return replace(
                treatment, paths={p: self._path(place, column, p, inner) for p, inner in treatment.paths.items()}, rest=Step("redact")
            )
        return replace(treatment, mask=self._first(place, table, column, treatment))

    def _path(self, place: Place, column: Column, path: str, treatment: Treatment) -> Treatment: ...

    def _first(self, place: Place, table: Table, column: Column, treatment: Treatment) -> Step:
        context = self._binder.context(table, column, place, treatment)
        steps = list(candidates(column, treatment.klass, treatment.entity, key=self._family.is_member(place)))
        return next(step for step in steps if self._binder.fits(context, step))
