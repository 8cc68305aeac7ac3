"""`companyos mask run`: a live database becomes a sanitized bundle."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from companyos.options import SchemaType, json_option, store_option
from companyos.output import print_json, print_table, progress
from schemas.plurals import counted

if TYPE_CHECKING:
    from bundles.progress import Progress
    from schemas.privacy import Privacy

_CHUNK_ROWS = 65_536  # rows of real databases may be wide, and several chunks are in memory at a time


@click.command()
@click.argument("url")
@click.option("--policy", metavar="POLICY", required=True, type=click.Path(dir_okay=False), help="What is to become of every column.")
@click.option("--key", metavar="KEY", help="env:NAME, file:PATH or ephemeral, in place of the policy's.")
@click.option("--tag", metavar="NAME:VERSION", help="What to call the bundle.  [default: sanitized:latest]")
@click.option("--certificate", metavar="PAGE", type=click.Path(dir_okay=False), help="Write the certificate as an HTML page, too.")
@click.option(
    "--schema", "schema_file", metavar="FILE", type=SchemaType(), help="A schema of the database whose `privacy:` the bundle is to keep."
)
@click.option("--jobs", metavar="N", type=click.IntRange(min=1), help="How many threads.  [default: the number of cores]")
@store_option
@json_option
def run(
    url: str,
    policy: str,
    key: str | None,
    tag: str | None,
    certificate: str | None,
    schema_file: str | None,
    jobs: int | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Mask the database at URL by a POLICY, prove that nothing of it is left, and make it a bundle.

    The source is only read, as one snapshot. Where a value of a personal column is found in the output (exit code 1), or anything
    else fails, there is no bundle. The certificate stands in the bundle: `companyos mask certificate REF`.

    A database does not say whose privacy its rows concern; with --schema the bundle does, and `companyos query` can be asked of it.
    """
    import bundles
    import masking
    from bundles.references import parse_tag

    started = time.monotonic()
    if certificate is not None:
        from companyos.files import require_another, require_writable

        require_another(certificate, url, policy, schema_file)
        require_writable(certificate)
    if tag is not None:
        parse_tag(tag)  # before the source is read, which may take hours
    read = masking.read_policy(policy)
    privacy = None if schema_file is None else _privacy(schema_file)
    with progress(quiet=as_json) as tell, masking.open_source(url) as source:

        def checking(step: Progress) -> None:
            if tell is not None and step.stage != "build":
                tell(step)

        key_read = masking.read_key(key or read.key)
        masked = masking.MaskedSource(source, read, key_read, jobs=jobs, on_progress=tell, privacy=privacy)
        masked.prepare()
        made = bundles.build(masked, store=store, tag=tag, jobs=jobs, chunk_rows=_CHUNK_ROWS, on_progress=checking)
    document = made.config.provenance["certificate"]
    if certificate is not None:
        _write_page(certificate, document, made.reference)
    seconds = time.monotonic() - started
    if as_json:
        print_json({**made.describe(), "seconds": round(seconds, 3), "certificate": document})
        return
    rows = sum(t.rows for t in made.tables.values())
    print_table(
        ["table", "rows", "of"], [[t["table"], f"{t['rows']:,}", f"{t['source_rows']:,}"] for t in document["tables"]], numbers=(1, 2)
    )
    click.echo(f"{made.reference}  {counted(len(made.tables), 'table')}, {counted(rows, 'row')} in {seconds:.1f} s")
    click.echo(f"proof     {counted(document['scan']['values'], 'personal value')} looked for, {document['scan']['survivors']:,} survived")
    click.echo(f"key       {document['key']['origin']}: {document['key']['ended']}")
    click.echo(f"content   {made.content_digest}")
    click.echo(f"manifest  {made.manifest_digest}")
    for line in masked.left_out:
        click.echo(f"left out: {line}", err=True)


def _write_page(path: str, document: Mapping[str, Any], reference: str | None) -> None:
    from companyos.certificate_page import certificate_page
    from companyos.files import replace_file
    from schemas.errors import InputError, SystemFailure

    try:
        replace_file(path, certificate_page(document).encode())
    except (InputError, SystemFailure) as error:
        again = f"the bundle is made and proven: `companyos mask certificate {reference} -o PAGE` writes its page"
        raise type(error)(f"{error}; {again}") from None


def _privacy(schema_file: str) -> Privacy:
    from schemas import read_schema
    from schemas.errors import InputError

    schema = read_schema(schema_file)
    if schema.privacy is None:
        raise InputError(f"{schema_file} has no `privacy:`; `companyos dp suggest {schema_file}` proposes one")
    return schema.privacy
