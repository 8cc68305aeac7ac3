"""`companyos mask plan`: a policy for a live database, or what has changed since one was written."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from companyos.options import LocaleType, json_option
from companyos.output import print_json, print_table

if TYPE_CHECKING:
    from masking import Difference, Policy


def _place_of_key(context: click.Context, parameter: click.Parameter, given: str) -> str:
    """What names a key, and not a key itself, which would stand in the policy."""
    if given != "ephemeral" and not re.fullmatch("(env|file):.+", given):
        raise click.BadParameter("it is `ephemeral`, `env:NAME` or `file:PATH`; the key itself never stands in a policy or an option")
    return given


@click.command()
@click.argument("url")
@click.option(
    "-o", "--output", metavar="POLICY", type=click.Path(dir_okay=False), help="Write the policy here.  [default: standard output]"
)
@click.option("--replace", "overwrite", is_flag=True, help="Write it even where there is such a file, and lose what was changed in it.")
@click.option(
    "--diff", metavar="POLICY", type=click.Path(dir_okay=False), help="Show where the source differs from a policy; exit 1 if it does."
)
@click.option(
    "--key",
    metavar="KEY",
    default="ephemeral",
    show_default=True,
    callback=_place_of_key,
    help="The key that is meant: env:NAME or file:PATH; it is not read.",
)
@click.option("--locale", metavar="NAME", type=LocaleType(), default="en_US", show_default=True, help="The language of pseudonyms.")
@click.option("--rows", metavar="N", type=click.IntRange(min=1), default=5000, show_default=True, help="Rows to look at in each table.")
@json_option
def plan(url: str, output: str | None, overwrite: bool, diff: str | None, key: str, locale: str, rows: int, as_json: bool) -> int:
    """Propose a policy for the database at URL: what each column seems to hold, why, and how to mask it.

    No value of the database is in the policy. Read it, correct it, and give it to `companyos mask run`: what is unsure is
    masked, and a column that the policy does not know is let through by nobody.
    """
    import masking
    from companyos.files import require_absent, require_another

    require_another(output, url)
    if not overwrite and diff is None:
        require_absent(output, f"`--diff {output}` tells what is new, `--replace` writes it anew")
    with masking.open_source(url) as source:
        if diff is not None:
            return _show_differences(masking.differences(source.schema, masking.read_policy(diff)), as_json)
        proposed = replace(masking.plan(source, locale=locale, rows=rows), key=key)
        prices = masking.prices(source.schema, proposed)
    text = masking.policy_yaml(proposed, masking.review_notes(proposed, prices))
    if output is not None:
        from companyos.files import replace_file

        replace_file(output, text.encode())
    if as_json:
        print_json({"policy": output or text, "columns": _columns(proposed), "prices": [asdict(price) for price in prices]})
    elif output is None:
        click.echo(text, nl=False)
    else:
        _show_summary(proposed, output)
    return 0


def _show_differences(found: list[Difference], as_json: bool) -> int:
    if as_json:
        print_json([{"what": d.what, "table": d.table, "column": d.column, "was": d.was, "now": d.now} for d in found])
    elif found:
        for difference in found:
            click.echo(str(difference))
    else:
        click.echo("the policy speaks of just what the source has")
    return 1 if found else 0


def _columns(policy: Policy) -> list[dict[str, object]]:
    return [
        {"table": table, "column": column, "class": t.klass, "entity": t.entity, "mask": t.mask.name, "confidence": t.confidence}
        for table, treated in policy.tables.items()
        for column, t in treated.columns.items()
    ]


def _show_summary(policy: Policy, output: str) -> None:
    rows = []
    for name, table in policy.tables.items():
        classes = Counter(t.klass for t in table.columns.values())
        unsure = sum(t.confidence is not None and t.confidence < 0.5 for t in table.columns.values())
        masked = sum(t.personal and t.mask.name != "keep" for t in table.columns.values())
        rows.append([name, str(len(table.columns)), str(masked), str(unsure), ", ".join(f"{n} {k}" for k, n in sorted(classes.items()))])
    print_table(["table", "columns", "masked", "unsure", "classes"], rows, numbers=(1, 2, 3))
    click.echo(f"{output}: read it, correct it, then `companyos mask run URL --policy {output}`")
