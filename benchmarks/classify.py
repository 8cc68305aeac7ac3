"""How well columns are classified: precision and recall of `is personal` per column, over databases with known answers.

`python -m benchmarks classify` makes the databases of `benchmarks/databases` (two sets: one to develop on, one that was written
before and is held out) and the built-in company, hides all that tells of recipes, classifies every column and compares. It prints
one JSON line: for each database and each set how many columns were taken for personal rightly and wrongly and which were missed,
the shares of classes and of entities that are right, and the seconds. `--explain` shows every column that went wrong, with the
evidence; it leaves the held-out set aside unless it is asked for by `--set held_out`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

import datagen
from masking.classify import Finding, classify
from schemas.model import Schema, Table
from schemas.reader import parse_schema
from schemas.types import TEXTS

DATABASES = Path(__file__).parent / "databases"
ROWS = 5000
PRECISION, RECALL = 0.98, 0.95

Answers = dict[tuple[str, str], tuple[str, str | None]]


@dataclass(frozen=True)
class Database:
    """A database whose answers are known: the class and entity of every column that is not public."""

    name: str
    group: str
    schema: Schema
    answers: Answers
    samples: Mapping[str, pa.Table]


@dataclass
class Score:
    """Columns that were taken for personal and are, that are not, and that were missed; and what of them had the right class and entity."""

    columns: int = 0
    right: int = 0
    wrong: int = 0
    missed: int = 0
    classes: int = 0
    entities: int = 0
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list)

    def add(self, place: tuple[str, str], found: Finding, truth: tuple[str, str | None]) -> None:
        """Compare one column."""
        personal = truth[0] != "public"
        self.columns += 1
        self.right += personal and found.personal
        self.wrong += found.personal and not personal
        self.missed += personal and not found.personal
        if personal and found.personal:
            self.classes += found.klass == truth[0]
            self.entities += found.entity == truth[1]
        if personal != found.personal or (personal and found.entity != truth[1]):
            kind = "MISSED" if personal and not found.personal else "WRONG" if not personal else "entity"
            said = "; ".join(found.evidence)
            self.errors.append(
                f"{kind:6} {'.'.join(place)}: is {truth[0]} {truth[1]}, found {found.klass} {found.entity} {found.confidence}: {said}"
            )

    def plus(self, other: Score) -> Score:
        """The sum of two scores."""
        return Score(
            *(
                getattr(self, f) + getattr(other, f)
                for f in ("columns", "right", "wrong", "missed", "classes", "entities", "seconds", "errors")
            )
        )

    def report(self) -> dict[str, Any]:
        """The score as figures."""
        return {
            "columns": self.columns,
            "personal": self.right + self.missed,
            "precision": _share(self.right, self.right + self.wrong),
            "recall": _share(self.right, self.right + self.missed),
            "class_accuracy": _share(self.classes, self.right),
            "entity_accuracy": _share(self.entities, self.right),
            "seconds": round(self.seconds, 2),
        }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0


def databases(groups: Iterable[str], only: str | None = None) -> Iterator[Database]:
    """The databases of the sets, and the built-in company in the set for development; or `only` one of them."""
    for group in groups:
        for file in sorted((DATABASES / group).glob("*.yaml")):
            if only not in (None, file.stem):
                continue
            text, _, answers = file.read_text("utf-8").partition("\n---\n")
            yield _database(file.stem, group, text, answers)
        if group == "development" and only in (None, "companyos"):
            text = files("schemas").joinpath("builtin/companyos.yaml").read_text("utf-8")
            yield _database("companyos", group, text, (DATABASES / "companyos.answers.yaml").read_text("utf-8"), scale=0.05)


def _database(name: str, group: str, text: str, answers: str, scale: float = 1.0) -> Database:
    schema = parse_schema(text, f"{name}.yaml")
    known: Answers = {}
    for table, columns in yaml.safe_load(answers).items():
        for column, said in columns.items():
            schema.table(table).column(column)
            klass, entity = said.split()
            known[table, column] = klass, entity
    made = datagen.source(schema, scale=scale)
    return Database(name, group, _as_reflected(schema), known, {t.name: _head(made.read(t.name)) for t in schema.tables})


def _as_reflected(schema: Schema) -> Schema:
    """The schema as a live database shows it: no recipes, no hidden columns, no classes."""
    return replace(schema, tables=tuple(_table_as_reflected(t) for t in schema.tables), privacy=None, scenarios={})


def _table_as_reflected(table: Table) -> Table:
    columns = tuple(replace(c, generate=None, data_class="internal", semantic=None) for c in table.columns if not c.hidden)
    return replace(table, columns=columns, rules=(), correlate=(), lives=None)


def renamed(database: Database, way: str) -> Database:
    """The database with other names: `numbered` has none that tells anything, `shuffled` those of other columns of the same type."""
    names: dict[tuple[str, str], str] = {}
    tables = {t.name: f"t{i}" if way == "numbered" else t.name for i, t in enumerate(database.schema.tables)}
    for table in database.schema.tables:
        kinds: dict[str, list[str]] = {}
        for column in table.columns:
            kinds.setdefault("text" if column.type.kind in TEXTS else column.type.kind, []).append(column.name)
        for i, column in enumerate(table.columns):
            alike = kinds["text" if column.type.kind in TEXTS else column.type.kind]
            shuffled = alike[(alike.index(column.name) + len(alike) // 2) % len(alike)]
            names[table.name, column.name] = f"c{i:02}" if way == "numbered" else shuffled

    def changed(table: Table) -> Table:
        own = {c.name: names[table.name, c.name] for c in table.columns}
        keys = tuple(
            replace(k, columns=tuple(own[c] for c in k.columns), table=tables[k.table], target=tuple(names[k.table, c] for c in k.target))
            for k in table.foreign_keys
        )
        return replace(
            table,
            name=tables[table.name],
            columns=tuple(replace(c, name=own[c.name], comment=None) for c in table.columns),
            key=tuple(own[c] for c in table.key),
            foreign_keys=keys,
            unique=tuple(replace(u, columns=tuple(own[c] for c in u.columns)) for u in table.unique),
            checks=(),
            indexes=(),
            comment=None,
        )

    schema = replace(database.schema, tables=tuple(changed(t) for t in database.schema.tables))
    samples = {tables[t]: rows.rename_columns([names[t, c] for c in rows.column_names]) for t, rows in database.samples.items()}
    answers = {(tables[t], names[t, c]): truth for (t, c), truth in database.answers.items()}
    return Database(database.name, database.group, schema, answers, samples)


def score(database: Database, *, deep: bool) -> Score:
    """Classify a database and compare."""
    samples = database.samples
    started = time.perf_counter()
    found = classify(database.schema, samples.__getitem__, deep=deep)
    result = Score(seconds=time.perf_counter() - started)
    for place, finding in found.items():
        result.add(place, finding, database.answers.get(place, ("public", None)))
    return result


def _head(reader: pa.RecordBatchReader) -> pa.Table:
    batches, rows = [], 0
    for batch in reader:
        batches.append(batch.slice(0, ROWS - rows))
        rows += len(batches[-1])
        if rows >= ROWS:
            break
    return pa.Table.from_batches(batches, reader.schema)


def main(arguments: list[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks classify", description=__doc__)
    parser.add_argument("--set", choices=("development", "held_out"), help="only this one")
    parser.add_argument("--database", help="only this one")
    parser.add_argument("--explain", action="store_true", help="show what went wrong, and the evidence")
    parser.add_argument("--renamed", choices=("numbered", "shuffled"), help="give the columns names that say nothing, or those of others")
    parser.add_argument("--deep", action="store_true", help="ask the finder of masking.text too")
    options = parser.parse_args(arguments)
    groups = (options.set,) if options.set else ("development", "held_out")
    report: dict[str, Any] = {"rows": ROWS, "databases": {}, "sets": {}}
    for group in groups:
        total = Score()
        for database in databases((group,), options.database):
            result = score(renamed(database, options.renamed) if options.renamed else database, deep=options.deep)
            total = total.plus(result)
            report["databases"][database.name] = {"set": group, **result.report()}
            if options.explain and (group == "development" or options.set):
                print(f"== {database.name}", *result.errors, sep="\n", file=sys.stderr)
        report["sets"][group] = total.report()
    print(json.dumps(report))
    failed = [g for g, r in report["sets"].items() if r["precision"] < PRECISION or r["recall"] < RECALL]
    sys.exit(1 if failed else 0)
