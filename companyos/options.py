"""Options and arguments that several commands share, and how a shell completes them."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem


class ReferenceType(click.ParamType[str]):
    """A reference to a bundle; completed from the store."""

    name = "ref"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from bundles.store import Store

        known = Store(ctx.params.get("store")).references()
        return [CompletionItem(reference) for reference in known if reference.startswith(incomplete)]


class SchemaType(click.ParamType[str]):
    """A schema file, or the name of a built-in schema; completed with both."""

    name = "schema"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from schemas.reader import builtin_names

        names = [CompletionItem(name, help="built in") for name in builtin_names() if name.startswith(incomplete)]
        return [*names, CompletionItem(incomplete, type="file")]


class TableType(click.ParamType[str]):
    """A table of the schema named before it; completed from that schema."""

    name = "table"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from schemas import read_schema
        from schemas.errors import CompanyOSError

        try:
            tables = read_schema(ctx.params["schema"]).tables
        except (CompanyOSError, KeyError):
            return []
        return [CompletionItem(t.name) for t in tables if t.name.startswith(incomplete)]


def reference_argument(function: Any) -> Any:
    """REF."""
    return click.argument("reference", metavar="REF", type=ReferenceType())(function)


def schema_argument(function: Any) -> Any:
    """SCHEMA."""
    return click.argument("schema", metavar="SCHEMA", type=SchemaType())(function)


def store_option(function: Any) -> Any:
    """--store."""
    text = "The folder of bundles.  [default: $COMPANYOS_HOME/bundles, else your data folder]"
    return click.option("--store", metavar="DIR", type=click.Path(file_okay=False), is_eager=True, help=text)(function)


def json_option(function: Any) -> Any:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(function)


def seed_option(function: Any) -> Any:
    """--seed."""
    return click.option("--seed", metavar="N", type=int, help="Another seed than the schema's.")(function)


def state_option(function: Any) -> Any:
    """--as-of-state."""
    text = "The data as it was at MOMENT, a date or time stamp up to the schema's anchor: only what existed, and as it was."
    return click.option("--as-of-state", "moment", metavar="MOMENT", help=text)(function)


def scale_option(function: Any) -> Any:
    """--scale."""
    return click.option("--scale", metavar="X", type=float, default=1.0, show_default=True, help="Times as many rows.")(function)
