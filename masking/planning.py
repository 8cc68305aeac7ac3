"""From a live database to a policy that people review: what every column seems to hold, why, and what is proposed for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from masking.binding import Binder
from masking.classify import Finding, classify
from masking.classify.documents import ITEMS, MEMBERS
from masking.discovery import betraying, holding_keys, virtual_references
from masking.keys import read_key
from masking.policy.model import DROP, KEEP, REFERENCE, Policy, Step, TablePolicy, Treatment, VirtualReference
from masking.proposals import CODE, COORDINATES, DIGITS, HASH, candidates
from masking.references import Families, Place, families
from masking.sampling import readable_sample
from masking.source.base import Source
from masking.word_indexes import word_indexes
from schemas.model import Column, Schema, Table
from schemas.types import SqlType

SAMPLE_ROWS = 5000
_ARCHIVE = re.compile(r"(?i)(?P<live>.+?)_(?:archived?|archives|old|bak|backup|deleted|(?:19|20)\d\d(?:_?\d\d){0,2})")
Findings = Mapping[tuple[str, str], Finding]


def plan(source: Source, *, locale: str = "en_US", rows: int = SAMPLE_ROWS) -> Policy:
    """Propose a policy for the whole of `source` from its structure and a sample of `rows` rows of each table.

    No value of the source is in it. A column with a value that cannot be read is dropped, and its evidence says so. Raises
    SourceFailure where the source cannot be read otherwise, InputError where the extra `pii` is missing.
    """
    schema = source.schema
    unreadable: dict[tuple[str, str], Finding] = {}
    samples = {table.name: readable_sample(source, table.name, rows, unreadable) for table in schema.tables}
    found = dict(classify(schema, samples.__getitem__)) | unreadable
    found |= betraying(found, samples, schema, source)
    found |= holding_keys(source, found, samples)
    references = virtual_references(source, found, samples, families(schema, ()))
    return _without(unreadable, propose(schema, found, source.count, references, locale=locale))


def _without(unreadable: Collection[tuple[str, str]], policy: Policy) -> Policy:
    """The policy with the columns dropped that cannot be read."""
    tables = dict(policy.tables)
    for name, column in unreadable:
        columns = tables[name].columns
        tables[name] = replace(tables[name], columns={**columns, column: replace(columns[column], mask=Step(DROP))})
    return replace(policy, tables=tables)


def propose(
    schema: Schema,
    found: Findings,
    count: Callable[[str], int],
    references: Sequence[VirtualReference] = (),
    *,
    locale: str = "en_US",
) -> Policy:
    """Propose a policy from what was found: for each column the first transformer that fits, the same for all that hold one key.

    Indexes of full-text searches are dropped.
    """
    family = families(schema, references)
    found = _of_keys(found, references)
    tables = {
        table.name: TablePolicy(
            {c.name: _treatment(found[table.name, c.name], str(c.type)) for c in table.stored_columns}, _subject(table, found)
        )
        for table in schema.tables
    }
    tables = {name: _as_the_live_one(schema, schema.table(name), tables, family) for name in tables}
    blank = Policy(schema.name, tables, locale=locale, references=tuple(references))
    chooser = _Chooser(family, found, Binder(schema, blank, family, read_key("ephemeral"), count))
    chosen = {
        table.name: replace(
            tables[table.name],
            columns={c.name: chooser.column(table, c, tables[table.name].columns[c.name]) for c in table.stored_columns},
        )
        for table in schema.tables
    }
    left_out = dict.fromkeys(word_indexes(schema), TablePolicy(drop=True))
    return replace(blank, tables={name: left_out.get(name, table) for name, table in chosen.items()})


def _as_the_live_one(schema: Schema, table: Table, tables: Mapping[str, TablePolicy], family: Families) -> TablePolicy:
    """The rules of an archive (`users_2023` beside `users`), whose key of a person has the domain of that of the live table."""
    rules, named = tables[table.name], _ARCHIVE.fullmatch(table.name)
    live = named["live"] if named is not None else ""
    if not schema.has(live) or len(table.key) != 1 or schema.table(live).key != table.key:
        return rules
    key = table.key[0]
    mine, place = rules.columns[key], Place(live, key)
    theirs, home = tables[live].columns[key], family.root(place)
    if family.root(Place(table.name, key)) not in (Place(table.name, key), home) or mine.type != theirs.type:
        return rules
    if mine.entity != "person_id" or theirs.entity != "person_id" or home.path:
        return rules
    return replace(rules, columns={**rules.columns, key: replace(mine, domain=str(home))})


def _of_keys(found: Findings, references: Sequence[VirtualReference]) -> Findings:
    """What is found of columns and paths that hold the key of a person: a person's number, wherever it stands."""
    changed = dict(found)
    for r in references:
        place = (r.table, r.columns[0])
        why = f"its values are keys of {r.target_table}" + (f" where {r.when}" if r.when else "")
        key = Finding("direct", "person_id", 0.8, (why,))
        whole = changed[place]
        if r.path is None:
            changed[place] = replace(key, evidence=(why, *whole.evidence))
        else:
            changed[place] = replace(whole, klass=whole.klass if whole.personal else "free_text", paths={**whole.paths, r.path: key})
    return changed


def _treatment(finding: Finding, type: str | None) -> Treatment:
    paths = {path: _treatment(inner, None) for path, inner in finding.paths.items()}
    return Treatment(finding.klass, Step(KEEP), finding.entity, type, paths=paths, confidence=finding.confidence, evidence=finding.evidence)


def _subject(table: Table, found: Findings) -> tuple[str, ...]:
    """The column that names the person of a row: the key of a table of persons, else the first that references one."""
    keys = [table.key, *(k.columns for k in table.foreign_keys)]
    for columns in keys:
        if len(columns) == 1 and (table.name, columns[0]) in found and found[table.name, columns[0]].entity == "person_id":
            return columns
    return ()


class _Chooser:
    def __init__(self, family: Families, found: Findings, binder: Binder) -> None:
        self._family, self._found, self._binder = family, found, binder

    def column(self, table: Table, column: Column, treatment: Treatment) -> Treatment:
        """The treatment of a column with the transformer that is proposed."""
        place = Place(table.name, column.name)
        if self._family.is_member(place) and self._family.root(place) != place:
            return replace(treatment, mask=Step(REFERENCE), paths={})
        if self._finding(place).faint and not treatment.personal:
            return replace(treatment, mask=CODE, paths={})
        if not treatment.paths or not treatment.personal:
            return replace(treatment, mask=self._first(place, table, column, treatment, self._finding(place)), paths={})
        if column.type.item is not None:  # a transformer masks each item of an array
            path, items = next(iter(treatment.paths.items()))
            mask = self._first(place, table, column, items, self._finding(replace(place, path=path)))
            return replace(treatment, mask=mask, entity=items.entity, paths={})
        text = replace(column, type=SqlType("text"))
        paths = {
            path: self._path(replace(place, path=path), table, text, inner)
            for path, inner in treatment.paths.items()
            if path + MEMBERS not in treatment.paths  # what lies below names that are data has no name, and is of the rest
        }
        return replace(treatment, klass="free_text", entity="text", paths=paths, mask=Step("redact"), rest=Step("redact"))

    def _path(self, place: Place, table: Table, text: Column, treatment: Treatment) -> Treatment:
        references = self._family.is_member(place)
        if place.path.endswith(MEMBERS) and not references:
            return replace(treatment, mask=HASH)  # two members of one name would become one
        finding = self._finding(place)
        if ITEMS in place.path and finding.numbers and treatment.klass in ("quasi", "sensitive"):
            text = replace(text, type=SqlType("double"))
        mask = Step(REFERENCE) if references else self._first(place, table, text, treatment, finding)
        return replace(treatment, mask=mask, paths={})

    def _finding(self, place: Place) -> Finding:
        finding = self._found[place.table, place.column]
        return finding.paths[place.path] if place.path else finding

    def _first(self, place: Place, table: Table, column: Column, treatment: Treatment, finding: Finding) -> Step:
        context = self._binder.context(table, column, place, treatment)
        key, written = self._family.is_member(place), None if place.path else self._found[place.table, place.column].written
        steps = list(
            candidates(column, treatment.klass, treatment.entity, key=key, listed=finding.listed, written=written, few=finding.few)
        )
        if finding.unspaced:
            steps = [step for step in steps if step.name != "redact" and step != CODE]
        if ITEMS in place.path:  # values are dealt out among rows, each of which has several here
            steps = [step for step in steps if step.name != "shuffle"]
        if finding.various and CODE in steps:  # which keeps the form, and so tells which value it was
            steps = [step for step in steps if step not in (COORDINATES, DIGITS)]
            steps.insert(steps.index(CODE), HASH)
        return next((step for step in steps if self._binder.fits(context, step)), steps[-1])
