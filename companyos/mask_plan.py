"""`companyos mask plan`: a policy for a live database, or what has changed since one was written."""

from __future__ import annotations

from pathlib import Path

import click

from companyos.options import json_option
from companyos.output import print_json, print_table


@click.command()
@click.argument("url")
@click.option("-o", "--output", metavar="POLICY", type=click.Path(dir_okay=False), help="Write the policy here.  [default: standard output]")
@click.option("--diff", metavar="POLICY", type=click.Path(dir_okay=False), help="Show where the source differs from this policy; exit 1 if it does.")
@click.option("--locale", metavar="NAME", default="en_US", show_default=True, help="The language of pseudonyms.")
@click.option("--rows", metavar="N", type=click.IntRange(min=1), default=5000, show_default=True, help="Rows to look at in each table.")
@json_option
def plan(url: str, output: str | None, diff: str | None, locale: str, rows: int, as_json: bool) -> int:
    """Propose a policy for the database at URL: what each column seems to hold, why, and how to mask it.

    No value of the database is in the policy. Read it, correct it, and give it to `companyos mask run`: what is unsure is
    masked, and a column that the policy does not know is let through by nobody.
    """
    import masking
    from companyos.files import write_text
    from companyos.output import counted

    with counted(quiet=as_json) as tell, masking.open_source(url, tell) as source:
        if diff is not None:
            return _differences(masking.changes(source, diff), as_json)
        proposed = masking.plan(source, locale=locale, rows=rows)
        prices = masking.prices(source, proposed)
    text = masking.policy_yaml(proposed, masking.review_notes(proposed, prices))
    if output is not None:
        write_text(Path(output), text)
    if as_json:
        print_json(masking.policy_document(proposed, prices))
    elif output is None:
        click.echo(text, nl=False)
    else:
        _summary(proposed, output)
    return 0
