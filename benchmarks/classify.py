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
from collections.abc import Iterable, Iterator
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
from schemas.source import TableSource

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
    source: TableSource


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
            self.errors.append(f"{kind:6} {'.'.join(place)}: is {truth[0]} {truth[1]}, found {found.klass} {found.entity} {found.confidence}: {said}")

    def plus(self, other: Score) -> Score:
        """The sum of two scores."""
        return Score(*(getattr(self, f) + getattr(other, f) for f in ("columns", "right", "wrong", "missed", "classes", "entities", "seconds", "errors")))

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


def databases(groups: Iterable[str]) -> Iterator[Database]:
    """The databases of the sets, and the built-in company in the set for development."""
    for group in groups:
        for file in sorted((DATABASES / group).glob("*.yaml")):
            text, _, answers = file.read_text("utf-8").partition("\n---\n")
            yield _database(file.stem, group, text, answers)
        if group == "development":
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
    return Database(name, group, _as_reflected(schema), known, datagen.source(schema, scale=scale))


def _as_reflected(schema: Schema) -> Schema:
    """The schema as a live database shows it: no recipes, no hidden columns, no classes."""
    return replace(schema, tables=tuple(_table_as_reflected(t) for t in schema.tables), privacy_unit=None, scenarios={})


def _table_as_reflected(table: Table) -> Table:
    columns = tuple(replace(c, generate=None, data_class="internal", semantic=None) for c in table.columns if not c.hidden)
    return replace(table, columns=columns, rules=(), correlate=(), lives=None)


def score(database: Database, *, deep: bool) -> Score:
    """Classify a database and compare."""
    samples = {t.name: _head(database.source.read(t.name)) for t in database.schema.tables}
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
    parser.add_argument("--deep", action="store_true", help="ask the finder of masking.text too")
    options = parser.parse_args(arguments)
    groups = (options.set,) if options.set else ("development", "held_out")
    report: dict[str, Any] = {"rows": ROWS, "databases": {}, "sets": {}}
    for group in groups:
        total = Score()
        for database in databases((group,)):
            if options.database not in (None, database.name):
                continue
            result = score(database, deep=options.deep)
            total = total.plus(result)
            report["databases"][database.name] = {"set": group, **result.report()}
            if options.explain and (group == "development" or options.set):
                print(f"== {database.name}", *result.errors, sep="\n", file=sys.stderr)
        report["sets"][group] = total.report()
    print(json.dumps(report))
    failed = [g for g, r in report["sets"].items() if r["precision"] < PRECISION or r["recall"] < RECALL]
    sys.exit(1 if failed else 0)
