"""Verification: is a bundle what it says, down to every value?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from bundles.checks import Result, run_checks
from bundles.constraints import Constraints
from bundles.hierarchies import check_hierarchies
from bundles.media import check_media
from bundles.opened import Bundle, must_be_opened
from bundles.progress import OnProgress, Progress, unseen
from bundles.report import Findings, Report
from bundles.rules import run_rules
from bundles.scanning import session
from bundles.structure import check_blobs, check_layers
from bundles.values import check_values
from schemas.implied_rules import implied_rules


def verify(bundle: Bundle, on_progress: OnProgress | None = None, *, jobs: int | None = None) -> Report:
    """Hold `bundle` against what its manifest, config and schema say, and report everything that is wrong.

    First the SHA-256 of every blob, then layers, row counts and types, then nulls, lengths, enums, ranges, JSON and content
    digests, then keys, unique constraints, references and checks, then rules: those of the schema and, of a synthetic bundle,
    those that its recipes and references imply, then the files of rows: that each is there, is the one that its config says, is named by
    a cell, and that no cell names one that is not there. A table with a missing or altered blob is not read any
    further, and what depends on it is reported as not checked. Values of personal or sensitive columns are never shown. Memory
    does not grow with the bundle.
    """
    must_be_opened(bundle)
    tell = on_progress or unseen
    threads = jobs or os.cpu_count() or 1
    found = Findings()
    damaged = check_blobs(bundle, found, threads, tell)
    broken = check_layers(bundle, found, damaged)
    rows = 0
    for table in bundle.schema.tables:
        if table.name in broken:
            found.skipped("values", "its values, keys, references and checks, for its files are not whole", table.name)
        else:
            check_values(bundle, table, found, tell, rows)
        rows += bundle.config.tables[table.name].rows
    _check_constraints(bundle, broken, found, threads, tell)
    check_media(bundle, broken, found)
    return found.report(bundle.reference)


def _check_constraints(bundle: Bundle, broken: set[str], found: Findings, threads: int, tell: OnProgress) -> None:
    tables = [table for table in bundle.schema.tables if table.name not in broken]
    paths: dict[str, Sequence[Path]] = {table.name: bundle.table(table.name).paths() for table in tables}
    total = bundle.config.rows
    with session(bundle.store.layout.blobs, bundle.schema, threads) as duckdb:
        constraints = Constraints(duckdb, paths, found)
        for table in tables:
            tell(Progress("keys", table.name, 0, total))
            constraints.check_unique(table)
        for table in tables:
            tell(Progress("references", table.name, 0, total))
            for key in table.foreign_keys:
                if key.table in paths:
                    constraints.check_references(table, bundle.schema.table(key.table), key)
                else:
                    what = f"reference ({', '.join(key.columns)}) to {key.table}: the files of that table are not whole"
                    found.skipped("reference", what, table.name)
        for table in tables:
            tell(Progress("checks", table.name, 0, total))
            _note(run_checks(duckdb, table, paths[table.name]), found)
        for table in tables:
            tell(Progress("rules", table.name, 0, total))
            results = run_rules(duckdb, bundle.schema, table, paths, table.rules)
            if bundle.config.kind == "synthetic":
                implied = implied_rules(bundle.schema, table, of_state="as_of" in bundle.config.provenance)
                results += run_rules(duckdb, bundle.schema, table, paths, implied, implied=True)
                check_hierarchies(duckdb, table, paths[table.name], found)
            _note(results, found)


def _note(results: list[Result], found: Findings) -> None:
    for result in results:
        if result.not_checked is not None:
            found.skipped(result.kind, f"{result.title}: {result.not_checked}", result.table)
            continue
        found.count(f"{result.kind}s")
        if result.rows:
            column = result.condition.name if result.implied else None
            found.wrong(result.kind, f"{result.title} does not hold", result.table, column, result.first_row, result.rows)
