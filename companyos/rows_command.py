"""`companyos rows`: any rows of a table, without making the rest."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

from companyos.options import TableType, json_option, scale_option, schema_argument, seed_option
from companyos.output import print_json

_BATCH = 16_384


@click.command()
@schema_argument
@click.argument("table", metavar="TABLE", type=TableType())
@click.option(
    "--from", "start", metavar="N", type=click.IntRange(min=0), default=0, show_default=True, help="The first row; rows count from 0."
)
@click.option("--to", "stop", metavar="M", type=click.IntRange(min=0), help="The row after the last.  [default: 10 rows]")
@seed_option
@scale_option
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@json_option
def rows(schema: str, table: str, start: int, stop: int | None, seed: int | None, scale: float, form: str, as_json: bool) -> None:
    """Print rows of TABLE of a SCHEMA: the same rows that a bundle of it holds.

    In CSV nulls are empty and empty texts are quoted; in JSON Lines numerics are text, so that none of their digits is lost.
    """
    import datagen

    source = datagen.source(schema, seed=seed, scale=scale)
    count = source.row_count(table)
    end = min(start + 10, count) if stop is None else stop
    source.require_rows(table, start, end)
    found = _records(source, table, start, end)
    if as_json:
        print_json({"table": table, "from": start, "to": end, "of": count, "rows": list(found)})
    elif form == "jsonl":
        for record in found:
            print_json(record)
    else:
        _write_csv([c.name for c in source.schema.table(table).stored_columns], found)


def _records(source: Any, table: str, start: int, stop: int) -> Iterator[dict[str, Any]]:
    columns = source.schema.table(table).stored_columns
    shown: list[Callable[[Any], Any]] = [_shown(column.type.kind) for column in columns]
    for first in range(start, stop, _BATCH):
        batch = source.read_rows(table, first, min(first + _BATCH, stop))
        values = [batch.column(c.name).to_pylist() for c in columns]
        for row in zip(*values, strict=True):
            yield {c.name: None if v is None else show(v) for c, v, show in zip(columns, row, shown, strict=True)}


def _shown(kind: str) -> Callable[[Any], Any]:
    """How a value of a type is written: ISO times, exact decimals, hexadecimal bytes, JSON as it is."""
    if kind in ("date", "time"):
        return lambda value: value.isoformat()
    if kind in ("timestamp", "timestamptz"):
        return lambda value: value.isoformat().replace("+00:00", "Z")
    if kind == "interval":
        return lambda value: f"{value.total_seconds():.6f}s"
    if kind == "bytes":
        return lambda value: value.hex()
    if kind == "json":
        return json.loads
    if kind in ("numeric", "uuid"):
        return str
    return lambda value: value


def _write_csv(names: list[str], records: Iterator[dict[str, Any]]) -> None:
    writer = csv.writer(sys.stdout, quoting=csv.QUOTE_NOTNULL if hasattr(csv, "QUOTE_NOTNULL") else csv.QUOTE_MINIMAL, lineterminator="\n")
    writer.writerow(names)
    for record in records:
        writer.writerow([_cell(value) for value in record.values()])


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return value
