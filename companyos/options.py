"""Options and arguments that several commands share, and how a shell completes them."""

from __future__ import annotations

from datetime import datetime
from math import isfinite
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


class NumberRange(click.FloatRange):
    """A number in a range, which NaN and infinities are not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not isfinite(found):
            self.fail(f"{found} is not in the range {self._describe_range()}.", param, ctx)
        return found


class MomentType(click.ParamType[datetime]):
    """A date or time stamp, in UTC where it names no zone."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        from schemas.times import EPOCH, MICROSECOND, parse_moment

        if isinstance(value, datetime):
            return value
        try:
            return EPOCH + parse_moment(value) * MICROSECOND
        except (ValueError, OverflowError) as error:
            self.fail(str(error), param, ctx)


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


class LocaleType(click.ParamType[str]):
    """A locale of pseudonyms."""

    name = "locale"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from masking.pools import locales

        return [CompletionItem(locale) for locale in locales() if locale.startswith(incomplete)]


class ColumnsType(click.ParamType["tuple[str, ...]"]):
    """Names of columns, separated by commas; those that hold a comma in double quotes."""

    name = "columns"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        import csv

        names = tuple(name.strip() for name in next(csv.reader([str(value)], skipinitialspace=True), []))
        if not all(names) or not names:
            self.fail(f"column names are separated by commas, as in age,sex,zip, not '{value}'", param, ctx)
        if twice := [name for i, name in enumerate(names) if name in names[:i]]:
            self.fail(f"column '{twice[0]}' is named twice", param, ctx)
        return names


class ScenarioType(click.ParamType[tuple[str, "float | None"]]):
    """A scenario, and the share of its subjects; completed from the schema named before it."""

    name = "scenario"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float | None]:
        if isinstance(value, tuple):
            return value
        name, given, share = str(value).partition("=")
        if not given:
            return name, None
        try:
            return name, float(share)
        except ValueError:
            self.fail(f"the share of '{name}' must be a number from 0 to 1, as in {name}=0.01, not '{share}'", param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from schemas import read_schema
        from schemas.errors import CompanyOSError
        from schemas.ready_scenarios import known_scenarios

        # behind an option that waits for its value click leaves the arguments before it where they are
        schema = ctx.params.get("schema") or next(iter(ctx.args), None)
        if schema is None:
            return []
        try:
            known = known_scenarios(read_schema(schema))
        except CompanyOSError:
            return []
        return [CompletionItem(name) for name in known if name.startswith(incomplete)]


def _by_name(ctx: click.Context, param: click.Parameter, given: tuple[tuple[str, float | None], ...]) -> dict[str, float | None]:
    """Scenarios as a mapping from names to shares, None for the scenario's own."""
    found: dict[str, float | None] = {}
    for name, share in given:
        if name in found:
            raise click.BadParameter(f"'{name}' is given twice", ctx, param)
        found[name] = share
    return found


reference_argument = click.argument("reference", metavar="REF", type=ReferenceType())
schema_argument = click.argument("schema", metavar="SCHEMA", type=SchemaType())
store_option = click.option(
    "--store", metavar="DIR", type=click.Path(file_okay=False), is_eager=True,
    help="The folder of bundles.  [default: $COMPANYOS_HOME/bundles, else your data folder]",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
seed_option = click.option("--seed", metavar="N", type=int, help="Another seed than the schema's.")
state_option = click.option(
    "--as-of-state", "moment", metavar="MOMENT",
    help="The data as it was at MOMENT, a date or time stamp up to the schema's anchor: only what existed, and as it was.",
)  # fmt: skip
as_of_option = click.option(
    "--as-of", metavar="DATE", help="Move all times by whole weeks so that the bundle's now is in the week of DATE (or `now`)."
)
scale_option = click.option("--scale", metavar="X", type=float, default=1.0, show_default=True, help="Times as many rows.")
scenario_option = click.option(
    "--scenario", "scenarios", metavar="NAME[=SHARE]", type=ScenarioType(), multiple=True, callback=_by_name,
    help="Plant a scenario, for a share of its subjects (its own, unless given; 0 for none). May be given more than once.",
)  # fmt: skip
