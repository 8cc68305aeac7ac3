"""Profiles: what a bundle holds, in figures, by DuckDB over its Parquet files and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from bundles.errors import BundleDamaged, StoreFailure
from bundles.opened import Bundle, must_be_opened
from bundles.profile_columns import Columns
from bundles.profile_relations import profile_relation
from bundles.profile_states import profile_machine
from bundles.profiled import BundleProfile, TableProfile
from bundles.progress import OnProgress, Progress, unseen
from bundles.scanning import Session, session
from schemas.model import OPEN_CLASSES, Column, Table


def profile(bundle: Bundle, on_progress: OnProgress | None = None, *, jobs: int | None = None) -> BundleProfile:
    """Return the figures of every table, column, relation and state machine of `bundle`.

    Of personal and sensitive columns of a bundle that is not synthetic, only nulls and distinct values are counted; how many rows
    refer to each other row is counted everywhere. The same bundle has the same figures on any machine, with any number of jobs.
    Raises BundleDamaged where files are missing or cannot be read, StoreFailure where memory or the disk for its work is full.
    """
    must_be_opened(bundle)
    tell = on_progress or unseen
    rows = 0
    tables = []
    with session(bundle.store.layout.blobs, bundle.schema, jobs) as duck:
        for table in bundle.schema.tables:
            tell(Progress("profile", table.name, rows, bundle.config.rows))
            with _told(bundle, table):
                tables.append(_profile(bundle, duck, table))
            rows += bundle.tables[table.name].rows
            tell(Progress("profile", table.name, rows, bundle.config.rows))
    return BundleProfile(
        bundle.reference,
        bundle.manifest_digest,
        bundle.content_digest,
        bundle.kind,
        bundle.data_class,
        bundle.schema.name,
        bundle.schema.comment,
        bundle.provenance,
        bundle.config.rows,
        sum(t.bytes for t in bundle.tables.values()),
        tuple(tables),
    )


def hidden_class(bundle: Bundle, column: Column) -> str | None:
    """The data class for whose sake the values of `column` may not be shown; None where they may."""
    return None if bundle.kind == "synthetic" or column.data_class in OPEN_CLASSES else column.data_class


def _profile(bundle: Bundle, duck: Session, table: Table) -> TableProfile:
    info = bundle.tables[table.name]
    paths = {name: bundle.table(name).sound_paths() for name in {table.name, *(key.table for key in table.foreign_keys)}}
    mine = paths[table.name]
    columns = Columns(duck, table, mine, info.rows)
    relations = (profile_relation(duck, key, table, mine, bundle.schema.table(key.table), paths[key.table]) for key in table.foreign_keys)
    machines = (profile_machine(duck, table, mine, c, hidden_class(bundle, c)) for c in table.stored_columns)
    return TableProfile(
        table.name,
        table.comment,
        info.rows,
        info.bytes,
        tuple(columns.profile(i, hidden_class(bundle, c) is not None) for i, c in enumerate(table.stored_columns)),
        tuple(r for r in relations if r is not None),
        tuple(m for m in machines if m is not None),
    )


@contextmanager
def _told(bundle: Bundle, table: Table) -> Iterator[None]:
    """Turn DuckDB's errors over the files of `table`, whose messages may quote values, into our own."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise StoreFailure(f"table '{table.name}' needs more memory or disk space than there is; free some and try again") from None
    except duckdb.Error as error:
        raise BundleDamaged(
            f"table '{table.name}' of {bundle.reference} cannot be read ({type(error).__name__}); `companyos bundle verify` says more"
        ) from None
