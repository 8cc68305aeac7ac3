"""What a build holds its rows against before anything is tagged: checks, rules, and keys and references that nobody vouches for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bundles.errors import ContentInvalid
from bundles.progress import OnProgress, Progress
from schemas.model import Schema
from schemas.plurals import counted

if TYPE_CHECKING:
    from bundles.checks import Result


def reads(schema: Schema, *, constraints: bool) -> bool:
    """Whether `hold` may have to read rows of `schema`."""
    return constraints or any(t.checks or t.rules for t in schema.tables)


def hold(
    schema: Schema,
    files: Mapping[str, Sequence[Path]],
    unknown: Collection[str],
    folder: Path,
    threads: int,
    on_progress: OnProgress,
    *,
    constraints: bool,
) -> None:
    """Raise ContentInvalid where the rows in the Parquet `files` of each table break a promise of `schema`.

    Checks are evaluated for the tables in `unknown`, rules for all that have some. Keys, unique constraints and references are held
    only with `constraints`: a generator makes them by construction, a masked or copied database does not.
    """
    asked = [t for t in schema.tables if (t.checks and t.name in unknown) or t.rules]
    if not asked and not constraints:
        return
    from bundles.checks import run_checks
    from bundles.rules import run_rules
    from bundles.scanning import session

    broken: list[str] = []
    with session(folder, schema, threads) as duckdb:
        if constraints:
            from bundles.constraints import Constraints
            from bundles.report import Findings

            found = Findings()
            held = Constraints(duckdb, dict(files), found)
            for table in schema.tables:
                on_progress(Progress("keys", table.name, 0, None))
                held.check_unique(table)
            for table in schema.tables:
                on_progress(Progress("references", table.name, 0, None))
                for key in table.foreign_keys:
                    held.check_references(table, schema.table(key.table), key)
            broken += map(str, found.problems)
        for table in asked:
            on_progress(Progress("check", table.name, 0, None))
            if table.name in unknown:
                broken += [_said(result) for result in run_checks(duckdb, table, files[table.name]) if result.rows]
            broken += [_said(result) for result in run_rules(duckdb, schema, table, files, table.rules) if result.rows]
    if broken:
        raise ContentInvalid("\n".join(broken))


def _said(result: Result) -> str:
    rows = counted(max(result.rows, 1), "row")
    return f"table '{result.table}': {result.title} does not hold for {rows}, first for row {result.first_row}"
