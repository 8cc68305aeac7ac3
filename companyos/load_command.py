"""`companyos load`: a bundle into a database."""

from __future__ import annotations

import click

from companyos.options import as_of_option, json_option, reference_argument, store_option
from companyos.output import print_json, progress
from schemas.plurals import counted


@click.command()
@reference_argument
@click.argument("url")
@click.option("--replace", is_flag=True, help="Drop the bundle's tables first, if they are there.")
@as_of_option
@store_option
@json_option
def load(reference: str, url: str, replace: bool, as_of: str | None, store: str | None, as_json: bool) -> None:
    """Load bundle REF into the database at URL: duckdb:///FILE, sqlite:///FILE or postgresql://...

    All or nothing: tables, keys, references, checks, indexes and sequences are made, the rows streamed in, and everything
    read back and compared with the bundle's digests; if anything fails the target is as it was. A bundle whose time is over
    (`bundle build --expires`) is refused.
    """
    import bundles
    import provisioning
    from schemas.errors import without_secrets

    opened = bundles.open(reference, store)
    with progress(quiet=as_json) as tell:
        receipt = provisioning.load(opened, url, replace=replace, as_of=as_of, on_progress=tell)
    if as_json:
        print_json(receipt.to_json())
        return
    rows = sum(receipt.tables.values())
    click.echo(
        f"{opened.reference} -> {without_secrets(url)}: {counted(len(receipt.tables), 'table')}, {counted(rows, 'row')} "
        f"in {receipt.seconds:.1f} s"
    )
    click.echo(f"content   {receipt.content_digest} (read back)")
    for left_out in receipt.not_enforced:
        click.echo(f"not enforced by this database: {left_out.table}: {left_out.what} ({left_out.reason})", err=True)
