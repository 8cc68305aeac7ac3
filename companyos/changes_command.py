"""`companyos bundle changes`: what happened between two moments of the history behind a bundle."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from companyos.files import written_folder
from companyos.options import json_option, reference_argument, store_option
from companyos.output import print_json, progress
from companyos.records import records
from schemas.errors import InputError
from schemas.whole_files import written

if TYPE_CHECKING:
    from datagen.changes import Change, Changes

_ODD = re.compile(r"[^\w.-]")
_DIALECTS = ("postgresql", "sqlite", "duckdb")


@click.command()
@reference_argument
@click.option("--from", "first", metavar="MOMENT", required=True, help="The state to begin with: a date, a time stamp, or such as -90d.")
@click.option("--to", "last", metavar="MOMENT", default="now", show_default=True, help="The state to end with; now is the anchor.")
@click.option("--format", "form", type=click.Choice(["jsonl", "parquet", "sql"]), default="jsonl", show_default=True)
@click.option("--dialect", type=click.Choice(_DIALECTS), default="postgresql", show_default=True, help="Of the SQL.")
@click.option("-o", "--output", metavar="PATH", help="A file; with parquet a new folder.  [default: standard output]")
@store_option
@json_option
def changes(reference: str, first: str, last: str, form: str, dialect: str, output: str | None, store: str | None, as_json: bool) -> None:
    """Tell what changes between two moments in the data of synthetic bundle REF: inserts, updates and deletes.

    Replayed in their order on the state as of the first moment they give the state as of the second. They are made again from what
    the bundle says of itself. With --json, only their numbers are printed.
    """
    import bundles
    from datagen.changes import Changes
    from datagen.remaking import moment_in, remade

    if form == "parquet" and output is None and not as_json:
        raise InputError("parquet needs a folder to write to; give it with -o DIR")
    opened = bundles.open(reference, store)
    name, origin = opened.reference, opened.provenance
    source = remade(opened.kind, opened.schema, origin, name)
    found = Changes(source, *(moment_in(opened.schema, origin, moment, name) for moment in (first, last)))
    counts: Counter[tuple[str, str]] = Counter()
    told = _counted(found, counts)
    if output is None and as_json:
        for _ in told:
            pass
    elif output is None:
        for text in _texts(told, form, dialect):
            sys.stdout.write(text)
    elif form == "parquet":
        with written_folder(output) as folder:
            _write_parquet(folder, found, told)
    else:
        with written(output, text=True) as file:
            for text in _texts(told, form, dialect):
                file.write(text)
    if as_json:
        tables = {t.name: {o: counts[o, t.name] for o in ("insert", "update", "delete")} for t in opened.schema.tables}
        print_json({"reference": name, "from": first, "to": last, "output": output, "tables": tables})
    elif output is not None:
        numbers = ", ".join(f"{sum(n for (o, _), n in counts.items() if o == what):,} {what}s" for what in ("insert", "update", "delete"))
        click.echo(f"{output}: {numbers}")


def _counted(found: Changes, counts: Counter[tuple[str, str]]) -> Iterator[Change]:
    with progress(quiet=not sys.stderr.isatty()):
        for change in found:
            counts[change.operation, change.table.name] += change.rows.num_rows
            yield change


def _texts(found: Iterator[Change], form: str, dialect: str) -> Iterator[str]:
    return _json_lines(found) if form == "jsonl" else _sql(found, dialect)


def _json_lines(found: Iterator[Change]) -> Iterator[str]:
    for change in found:
        for line in _lines(change):
            yield json.dumps({"op": change.operation, "table": change.table.name, **line}, ensure_ascii=False) + "\n"


def _lines(change: Change) -> Iterator[dict[str, Any]]:
    table, rows = change.table, change.rows
    if change.operation == "insert":
        yield from ({"row": row} for row in records(table, rows, rows.schema.names))
        return
    keys = records(table, rows, change.identity)
    if change.operation == "delete":
        yield from ({"key": key} for key in keys)
        return
    names = list(change.changed)
    for place, (key, row) in enumerate(zip(keys, records(table, rows, names), strict=True)):
        yield {"key": key, "set": {name: row[name] for name in names if change.changed[name][place]}}


def _sql(found: Iterator[Change], dialect: Any) -> Iterator[str]:
    from schemas.dml import Transaction

    script = Transaction(dialect)
    yield script.begin()
    for change in found:
        rows = change.rows.to_pylist()
        if change.operation == "insert":
            yield from script.insert(change.table, rows)
        elif change.operation == "delete":
            yield from script.delete(change.table, change.identity, rows)
        else:
            masks = change.changed.items()
            values = [{name: row[name] for name, mask in masks if mask[place]} for place, row in enumerate(rows)]
            yield from script.update(change.table, change.identity, rows, values)
    yield from script.commit()


def _write_parquet(folder: Path, found: Changes, told: Iterator[Change]) -> None:
    """One file for each table and operation, and `changes.json` with the files in the order in which they can be replayed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    files: dict[tuple[str, str], tuple[str, pq.ParquetWriter]] = {}
    rows: Counter[tuple[str, str]] = Counter()
    try:
        for change in told:
            what = change.operation, change.table.name
            batch = change.rows if change.operation != "update" else _wide(found, change)
            if what not in files:
                name = f"{len(files):04}-{change.operation}-{_ODD.sub('_', change.table.name)}.parquet"
                files[what] = name, pq.ParquetWriter(folder / name, batch.schema, compression="zstd")
            files[what][1].write_table(pa.Table.from_batches([batch]))
            rows[what] += batch.num_rows
    finally:
        for _, writer in files.values():
            writer.close()
    steps = [
        {"op": what[0], "table": what[1], "file": file, "rows": rows[what], "key": list(found.identity(what[1]))}
        for what, (file, _) in files.items()
    ]
    (folder / "changes.json").write_text(json.dumps(steps, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _wide(found: Changes, change: Change) -> Any:
    """An update as rows of one form for all updates of its table: `$changed` lists the columns that have a new value."""
    import pyarrow as pa

    table, rows, names = change.table, change.rows, list(change.changed)
    columns = [*change.identity, *found.updated_columns(table.name)]
    count = rows.num_rows
    arrays = [rows.column(c) if c in rows.schema.names else pa.nulls(count, table.column(c).type.arrow) for c in columns]
    lists = [[n for n in names if change.changed[n][place]] for place in range(count)]
    fields = [pa.field(c, table.column(c).type.arrow) for c in columns]
    schema = pa.schema([*fields, pa.field("$changed", pa.list_(pa.string()))])
    return pa.RecordBatch.from_arrays([*arrays, pa.array(lists, pa.list_(pa.string()))], schema=schema)
