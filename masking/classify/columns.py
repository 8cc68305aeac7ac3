"""Classifies every column of a schema from its name, type, constraints, comment and a sample of its values.

What tells by itself is decided first; then what each table is about; then what depends on that: the city of a person is a
quasi-identifier and that of a depot is not. Keys and the columns that reference them are decided together. Unsure means masked:
public is only what a rule shows to be harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from masking.classify.context import Surroundings
from masking.classify.crossing import crossed, known_values
from masking.classify.documents import classify_array, classify_documents, leaves_of
from masking.classify.finding import Finding, harmless, personal, unsure
from masking.classify.names import NameReading, lexicon, read_path
from masking.classify.numbers import classify_booleans, classify_bytes, classify_moments, classify_numbers, numbers_of
from masking.classify.passages import Find, default_find
from masking.classify.profile import Texts, texts_from, texts_of
from masking.classify.strings import classify_texts
from masking.classify.tables import Place, TableReading, read_tables
from masking.classify.text_column import Column
from schemas.check_facts import facts_of
from schemas.model import Column as SchemaColumn
from schemas.model import Schema, Table
from schemas.types import FLOATS, INTEGERS, TEXTS, SqlType

Sample = Callable[[str], pa.RecordBatch | pa.Table]

# what a comment says counts less than a name
OF_COMMENTS = 0.75
MOST_WORDS_OF_COMMENTS = 8


def classify(schema: Schema, sample: Sample, *, deep: bool = True, find: Find | None = None) -> Mapping[Place, Finding]:
    """Return a finding for every stored column of every table, by table and column, in the order of the schema.

    `sample(table)` gives some rows of a table, up to some thousand, typed as `Table.arrow`; it is called once for each table. `find`
    finds persons in texts (None for that of masking.text, where it is installed); without `deep` no text is shown to it. No value
    of the sample is in what is returned. Raises InputError where the extra `pii` is not installed.
    """
    finder = (find or default_find()) if deep else None
    read = {t.name: _Sampled(t, sample(t.name), schema.anchor) for t in schema.tables}
    nothing = TableReading(persons=False, linked=False, medical=False, things=False, companies=False)
    found = _pass(schema, read, dict.fromkeys(read, nothing), None)
    about = read_tables(schema, found)
    found = _pass(schema, read, about, None)
    about = read_tables(schema, found)
    return _with_known_values(schema, read, _pass(schema, read, about, finder))


def _with_known_values(schema: Schema, read: Mapping[str, _Sampled], found: dict[Place, Finding]) -> dict[Place, Finding]:
    """Columns of texts that seem harmless are searched for the values of those that are personal."""
    known = known_values(found, lambda p: iter(read[p[0]].values_of(p[1])), lambda p: _referenced(schema, p) is not None)
    checked = dict(found)
    for place, finding in found.items():
        kind = schema.table(place[0]).column(place[1]).type.kind
        if finding.personal or kind not in (*TEXTS, "uuid") or _referenced(schema, place) is not None:
            continue
        checked[place] = crossed(place, finding, list(read[place[0]].values_of(place[1])), known)
    return _with_references(schema, checked)


def _pass(schema: Schema, read: Mapping[str, _Sampled], about: Mapping[str, TableReading], find: Find | None) -> dict[Place, Finding]:
    found: dict[Place, Finding] = {}
    for table in schema.tables:
        for column in table.stored_columns:
            found[table.name, column.name] = read[table.name].classify(column, about[table.name], find)
    return _with_references(schema, found)


def _with_references(schema: Schema, found: dict[Place, Finding]) -> dict[Place, Finding]:
    """Columns that reference others have their findings."""
    resolved = dict(found)
    for table in schema.tables:
        for column in table.stored_columns:
            place, seen = (table.name, column.name), set[Place]()
            at = place
            while (onward := _referenced(schema, at)) and onward not in seen and onward in found:
                seen.add(at)
                at = onward
            if at != place:
                end = found[at]
                resolved[place] = replace(end, evidence=(f"it references {at[0]}.{at[1]}", *end.evidence), paths={})
    return resolved


def _referenced(schema: Schema, place: Place) -> Place | None:
    table = schema.table(place[0])
    key = table.foreign_key_of(place[1])
    if key is None or not schema.has(key.table):
        return None
    return key.table, key.target[key.columns.index(place[1])]


class _Sampled:
    """A table and its sample; profiles of columns are made once."""

    def __init__(self, table: Table, rows: pa.RecordBatch | pa.Table, today: int) -> None:
        self._table, self._rows, self._today = table, rows, today
        self._facts = facts_of([c.sql for c in table.checks], [c.name for c in table.columns])
        self._texts: dict[str, Texts] = {}
        self._decided: dict[tuple[str, TableReading, bool], Finding] = {}

    def classify(self, column: SchemaColumn, about: TableReading, find: Find | None) -> Finding:
        """The finding of one column, without regard to what it references."""
        known = (column.name, about, find is None)
        if known not in self._decided:
            self._decided[known] = self._classify(column, about, find)
        return self._decided[known]

    def _classify(self, column: SchemaColumn, about: TableReading, find: Find | None) -> Finding:
        name = self._read_name(column)
        around = self._surroundings(column, about)
        found = self._by_type(column.name, column.type, name, self._values(column), around, find)
        if around.key and about.persons and (not found.personal or found.confidence < 0.5):
            key = personal("person_id", 0.9, "it is the key of a table whose rows are persons", *found.evidence)
            return replace(key, various=found.various)
        if about.persons and not found.personal and self._numbers_rows(column, name):
            return personal("person_id", 0.7, "it numbers the rows of a table of persons", *found.evidence)
        if around.key and found.personal and found.confidence < 0.5 and not about.persons and self._has_values(column):
            return harmless(0.6, "it is the key of a table whose rows are not persons")
        return found

    def _numbers_rows(self, column: SchemaColumn, name: NameReading) -> bool:
        """Whether it is that part of a key of several columns which is called a number, and of nothing else: `id` beside `tenant_id`.

        In a table without a key, as archives are, it is an `id` of which no two rows have the same.
        """
        if not self._table.key:
            values = self._values(column)
            return (
                name.words == ("id",) and self._has_values(column) and pc.count_distinct(values).as_py() == len(values) - values.null_count
            )
        part = len(self._table.key) > 1 and column.name in self._table.key and self._table.foreign_key_of(column.name) is None
        return part and name.identifier and (len(name.words) == 1 or name.person)

    def values_of(self, name: str) -> tuple[str, ...]:
        """All different texts or identifiers of a column, () where it has neither."""
        column = self._table.column(name)
        values = self._values(column)
        if column.type.kind == "uuid":
            return tuple(str(UUID(bytes=v)) for v in pc.unique(values.drop_null()).to_pylist())
        if column.type.kind not in (*TEXTS, "enum"):
            return ()
        return texts_of(values, most=None).values

    def _has_values(self, column: SchemaColumn) -> bool:
        values = self._values(column)
        return int(values.null_count) < len(values)

    def _read_name(self, column: SchemaColumn) -> NameReading:
        name = lexicon().read(column.name)
        if not column.comment:
            return name
        said = lexicon().read(column.comment)
        if len(said.words) > MOST_WORDS_OF_COMMENTS:
            return name
        entities = dict(name.entities)
        for entity, strength in said.entities:
            if name.harmless and entity != "health":
                continue
            entities[entity] = max(entities.get(entity, 0.0), strength * OF_COMMENTS)
        return replace(name, entities=tuple(sorted(entities.items(), key=lambda p: (-p[1], p[0]))))

    def _surroundings(self, column: SchemaColumn, about: TableReading) -> Surroundings:
        allowed = column.type.values if column.type.kind == "enum" else self._facts.of(column.name).values
        return Surroundings(
            persons=about.persons,
            linked=about.linked,
            medical=about.medical,
            things=about.things,
            companies=about.companies,
            unique=self._table.is_unique(column.name),
            key=self._table.key == (column.name,),
            closed=None if not allowed else len(allowed),
        )

    def _values(self, column: SchemaColumn) -> pa.Array:
        if column.name not in self._rows.schema.names:
            return pa.nulls(0, column.type.arrow.storage_type if column.type.kind == "uuid" else column.type.arrow)
        values = self._rows.column(column.name)
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
            values = values if not isinstance(values, pa.ChunkedArray) else pa.concat_arrays(values.chunks)
        return values.storage if isinstance(values, pa.ExtensionArray) else values

    def _profile(self, name: str, values: pa.Array) -> Texts:
        if name not in self._texts:
            self._texts[name] = texts_of(values)
        return self._texts[name]

    def _by_type(self, label: str, type: SqlType, name: NameReading, values: pa.Array, around: Surroundings, find: Find | None) -> Finding:
        kind = type.kind
        if kind == "boolean":
            return classify_booleans(name, around)
        if kind in INTEGERS or kind in FLOATS or kind == "numeric":
            return classify_numbers(name, kind, numbers_of(values), around, self._today)
        if kind in ("date", "time", "timestamp", "timestamptz", "interval"):
            return classify_moments(name, kind, values, around, self._today)
        if kind == "bytes":
            return classify_bytes(name, values)
        if kind == "uuid":
            return _classify_uuids(name, len(values) - values.null_count, around)
        if kind == "array":
            assert type.item is not None
            inner = type.item
            return classify_array(values, lambda items: self._by_type(f"{label}[*]", inner, name, items, around, find))
        if kind == "json" or (kind in TEXTS and _are_documents(values)):
            return self._documents(values, around, find)
        texts = self._profile(label, values)
        return classify_texts(Column(name, texts, around, find, self._today))

    def _documents(self, values: pa.Array, around: Surroundings, find: Find | None) -> Finding:
        encoded = values.cast(pa.large_binary())
        around = replace(around, unique=False, key=False, closed=None)
        return classify_documents(leaves_of(iter(encoded.to_pylist())), lambda name, leaves: self._leaf(name, leaves, around, find))

    def _leaf(self, path: str, leaves: list[Any], around: Surroundings, find: Find | None) -> Finding:
        name = read_path(path)
        if all(isinstance(v, bool) for v in leaves):
            return replace(classify_booleans(name, around), listed=True)
        numbers = [v for v in leaves if isinstance(v, (int, float)) and not isinstance(v, bool)]
        if numbers:
            array = _numbers_of_json(numbers)
            kind = "bigint" if pa.types.is_integer(array.type) else "double"
            found = classify_numbers(name, kind, numbers_of(array), around, self._today)
            if len(numbers) == len(leaves):
                return replace(found, listed=True, numbers=True)
            if found.personal:
                return found
        return classify_texts(Column(name, texts_from([str(v) for v in leaves]), around, find, self._today))


def _numbers_of_json(numbers: list[int | float]) -> pa.Array:
    """Numbers of documents as whole ones, where all are that: 3.0 is too, since JSON has one kind of numbers."""
    if all((isinstance(v, int) or v.is_integer()) and -(2**63) <= v < 2**63 for v in numbers):
        return pa.array([int(v) for v in numbers], pa.int64())
    return pa.array([_as_float(v) for v in numbers], pa.float64())


def _as_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # whole numbers of documents have any length
        return inf if number > 0 else -inf


def _classify_uuids(name: NameReading, rows: int, around: Surroundings) -> Finding:
    for entity in ("person_id", "device_id", "secret", "password"):
        if name.strength(entity) >= 0.6:
            return personal(entity, 0.9, f"its name reads as {entity}")
    if name.digest_of_person:
        return personal("secret", 0.9, "its name reads as the digest of what tells of a person")
    if name.person or name.by:
        return personal("person_id", 0.85, "its name reads as the number of a person")
    if around.persons and not around.key and around.unique:
        return personal("person_id", 0.7, "each row is a person, and has an identifier of its own")
    if not rows and not around.key and not name.telling:
        return unsure("direct", "there are no values")
    return harmless(0.8, f"{rows} universally unique identifiers, and neither the rows nor the name are of persons")


def _are_documents(values: pa.Array) -> bool:
    """Whether texts are JSON objects or arrays, nearly all of them."""
    head = values.drop_null().slice(0, 40).cast(pa.large_binary()).to_pylist()
    if not head or sum(v.lstrip()[:1] in (b"{", b"[") for v in head) < 0.9 * len(head):
        return False
    leaves = leaves_of(iter(head))
    return leaves.broken <= 0.1 * leaves.documents
