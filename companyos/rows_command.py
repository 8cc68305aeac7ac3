"""`companyos rows`: any rows of a table, without making the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from companyos.options import TableType, json_option, scale_option, scenario_option, schema_argument, seed_option
from companyos.output import print_json

if TYPE_CHECKING:
    from schemas.types import SqlType

_BATCH = 16_384
_QUOTE = '"'
_SPECIAL = re.compile(r'[",\r\n]')


@click.command()
@schema_argument
@click.argument("table", metavar="TABLE", type=TableType())
@click.option(
    "--from", "start", metavar="N", type=click.IntRange(min=0), default=0, show_default=True, help="The first row; rows count from 0."
)
@click.option("--to", "stop", metavar="M", type=click.IntRange(min=0), help="The row after the last.  [default: 10 rows]")
@seed_option
@scale_option
@scenario_option
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@json_option
def rows(
    schema: str,
    table: str,
    start: int,
    stop: int | None,
    seed: int | None,
    scale: float,
    scenarios: dict[str, float | None],
    form: str,
    as_json: bool,
) -> None:
    """Print rows of TABLE of a SCHEMA: the same rows that a bundle of it holds.

    In CSV nulls are empty and empty texts are quoted; in JSON Lines numerics are text, so that none of their digits is lost.
    """
    import datagen

    source = datagen.source(schema, seed=seed, scale=scale, scenarios=scenarios)
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
    shown = [_shown(column.type) for column in columns]
    for first in range(start, stop, _BATCH):
        batch = source.read_rows(table, first, min(first + _BATCH, stop))
        values = [batch.column(c.name).to_pylist() for c in columns]
        for row in zip(*values, strict=True):
            yield {c.name: None if v is None else show(v) for c, v, show in zip(columns, row, shown, strict=True)}


def _shown(sql_type: SqlType) -> Callable[[Any], Any]:
    """How a value of a type is written: ISO times, exact decimals, hexadecimal bytes, JSON as it is."""
    kind = sql_type.kind
    if sql_type.item is not None:
        item = _shown(sql_type.item)
        return lambda values: [None if v is None else item(v) for v in values]
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
    print(",".join(map(_cell, names)))
    for record in records:
        print(",".join(map(_cell, record.values())))


def _cell(value: Any) -> str:
    """A field as RFC 4180 has it; the csv module writes a null and an empty text alike before Python 3.12."""
    if value is None:
        return ""
    if isinstance(value, (bool, dict, list)):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = str(value)
    return f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if not text or _SPECIAL.search(text) else text
