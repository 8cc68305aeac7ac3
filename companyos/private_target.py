"""What private queries are asked of: a bundle, or a database with a schema file, as a service with its ledger."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from companyos.options import ReferenceType, SchemaType
from schemas.errors import InputError, without_secrets

if TYPE_CHECKING:
    from dpsql.engines import Engine
    from dpsql.service import Service
    from schemas.model import Schema

SCHEMES = ("postgresql://", "postgres://", "duckdb:///")

target_argument = click.argument("target", metavar="TARGET", type=ReferenceType())
schema_option = click.option(
    "--schema",
    "schema_file",
    metavar="FILE",
    type=SchemaType(),
    help="The schema with its privacy, for a database; for a bundle in place of its own.",
)
ledger_option = click.option(
    "--ledger", metavar="FILE|URL", help="The budget ledger.  [default: $COMPANYOS_LEDGER, or ledger.db in your data folder]"
)
anchor_option = click.option(
    "--anchor", metavar="FILE", help="The ledger's anchor, best on another disk.  [default: in your state folder, or beside the ledger]"
)
synthetic_option = click.option(
    "--synthetic",
    metavar="REF",
    type=ReferenceType(),
    help="A synthetic bundle of the same schema that answers, labelled so, when the budget is gone.",
)


def open_service(
    target: str,
    *,
    schema_file: str | os.PathLike[str] | None = None,
    ledger: str | os.PathLike[str] | None = None,
    anchor: str | os.PathLike[str] | None = None,
    store: str | os.PathLike[str] | None = None,
    synthetic: str | None = None,
    dialect: str = "postgres",
) -> Service:
    """Return the service for TARGET: a bundle's reference, postgresql://... or duckdb:///FILE. Whoever gets it closes it and its engines.

    Raises InputError where the target or its privacy is not known.
    """
    from dpsql.accounting import Limit
    from dpsql.declaration import declare
    from dpsql.ledger import open_ledger
    from dpsql.service import Service
    from schemas import read_schema

    with ExitStack() as undoing:
        if target.startswith(SCHEMES):
            if schema_file is None:
                raise InputError(
                    "a database needs a schema whose `privacy:` says whose its rows are: `--schema FILE`, in Python `schema=FILE`"
                )
            schema = read_schema(schema_file)
            engine, release = _database(target), without_secrets(target).replace(":***@", "@")
        elif "://" in target:
            raise InputError(f"queries are asked of a bundle, postgresql://... or duckdb:///FILE, not of '{target.partition('://')[0]}:'")
        else:
            engine, release, own = _bundle(target, store)
            schema = own if schema_file is None else read_schema(schema_file)
        undoing.callback(engine.close)
        declaration = declare(schema)
        budget = declaration.budget
        if budget is None:
            raise InputError(f"schema '{schema.name}' has no budget: add `budget: {{epsilon: 3, delta: 1e-6}}` under `privacy:`")
        own_limit = None if budget.analyst_epsilon is None else Limit(budget.analyst_epsilon, budget.analyst_delta or 0.0)
        made_up = None if synthetic is None else _synthetic(synthetic, store, schema)
        if made_up is not None:
            undoing.callback(made_up.close)
        book = open_ledger(ledger, anchor)
        undoing.callback(book.close)
        service = Service(declaration, engine, book, release, Limit(budget.epsilon, budget.delta), own_limit, dialect, made_up)
        undoing.pop_all()
        return service


def _database(url: str) -> Engine:
    if url.startswith("duckdb:///"):
        from dpsql.engines.duckdb import DuckDBEngine

        return DuckDBEngine(database=Path(url.removeprefix("duckdb:///")))
    from dpsql.engines.postgresql import PostgresEngine

    return PostgresEngine(url)


def _bundle(reference: str, store: str | os.PathLike[str] | None) -> tuple[Engine, str, Schema]:
    import bundles
    from dpsql.engines.duckdb import DuckDBEngine

    opened = bundles.open(reference, store)
    # keys are held when a bundle is built
    keys = [(t.name, columns) for t in opened.schema.tables for columns in t.unique_sets()]
    return DuckDBEngine({t: opened.table(t).intact_paths() for t in opened.tables}, unique=keys), opened.manifest_digest, opened.schema


def _synthetic(reference: str, store: str | os.PathLike[str] | None, schema: Schema) -> Engine:
    import bundles

    opened = bundles.open(reference, store)
    if opened.kind != "synthetic":
        raise InputError(f"{opened.reference} is a {opened.kind} bundle; only a synthetic one can answer when the budget is gone")
    missing = [t.name for t in schema.tables if t.name not in opened.tables or t.arrow.names != opened.schema.table(t.name).arrow.names]
    if missing:
        raise InputError(f"{opened.reference} has another schema: table '{missing[0]}' differs")
    return _bundle(reference, store)[0]
