"""`companyos rows`: any rows of a table, without making the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import click

from companyos.options import TableType, json_option, scale_option, scenario_option, schema_argument, seed_option, state_option
from companyos.output import print_json
from companyos.records import records

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
@state_option
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
    moment: str | None,
    form: str,
    as_json: bool,
) -> None:
    """Print rows of TABLE of a SCHEMA: the same rows that a bundle of it holds.

    In CSV nulls are empty and empty texts are quoted; in JSON Lines numerics are text, so that none of their digits is lost.
    """
    import datagen

    source = datagen.source(schema, seed=seed, scale=scale, scenarios=scenarios, as_of=moment)
    count = source.row_count(table)
    end = stop if stop is not None else start + 10 if start > count else min(start + 10, count)
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
    found = source.schema.table(table)
    names = [c.name for c in found.stored_columns]
    for first in range(start, stop, _BATCH):
        yield from records(found, source.read_rows(table, first, min(first + _BATCH, stop)), names)


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
