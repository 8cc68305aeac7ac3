"""`companyos mask scan`: the proof of a bundle against a live database, made anew."""

from __future__ import annotations

import click

from companyos.options import json_option, reference_argument, store_option
from companyos.output import print_json, print_table, progress
from schemas.plurals import counted


@click.command()
@reference_argument
@click.option("--against", "url", metavar="URL", required=True, help="The database whose personal values are looked for.")
@click.option(
    "--policy", metavar="POLICY", type=click.Path(dir_okay=False), help="Which columns are personal, in place of the certificate."
)
@store_option
@json_option
def scan(reference: str, url: str, policy: str | None, store: str | None, as_json: bool) -> int:
    """Look for every personal value of the database at URL in all of bundle REF: whole cells, and inside texts.

    Exit code 1 where more are found than the policy allows, beyond common words and what chance explains. Which columns are personal
    is read from the bundle's certificate, or from a POLICY. Counts are printed, never values.
    """
    import bundles
    import masking

    opened = bundles.open(reference, store)
    with progress(quiet=as_json) as tell, masking.open_source(url) as source:
        examination = masking.examination(opened.provenance, source, None if policy is None else masking.read_policy(policy))
        report = masking.scan(
            opened,
            source,
            examination.columns,
            pools=examination.pools,
            allowed=examination.allowed,
            picked=examination.picked,
            common_words=examination.common_words,
            certificate=opened.provenance.get("certificate"),
            on_progress=tell or masking.unseen,
        )
    if as_json:
        print_json(report.document())
        return 0 if report.passed else 1
    found = [[f.place, f.output, f.where, f"{f.values:,}", f"{f.explained:,}", f"{f.survivors:,}"] for f in report.found]
    if found:
        print_table(["values of", "in", "where", "found", "explained", "survivors"], found, numbers=(3, 4, 5))
    for column in report.columns:
        if column.kept is not None:
            click.echo(f"kept: {column.place} ({column.kept})")
    left_out = sum(sum(column.left_out.values()) for column in report.columns)
    click.echo(
        f"{opened.reference}: {counted(report.values, 'value')} looked for in {counted(report.cells, 'cell')} and "
        f"{counted(report.texts, 'text')}, "
        f"{left_out:,} of them in whole cells alone"
    )
    report.require()
    click.echo(f"{counted(report.survivors, 'survivor')}, {report.allowed:,} allowed")
    return 0
