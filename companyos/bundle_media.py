"""`companyos bundle media`."""

from __future__ import annotations

from pathlib import Path

import click

from companyos.options import json_option, reference_argument, store_option
from companyos.output import human_bytes, print_json, print_table, short_digest
from schemas.plurals import counted


@click.command()
@reference_argument
@click.option(
    "-o", "--output", metavar="DIR", type=click.Path(file_okay=False), help="Write the files there; the folder must be new or empty."
)
@store_option
@json_option
def media(reference: str, output: str | None, store: str | None, as_json: bool) -> None:
    """List the files of rows (logos, pictures, documents) of bundle REF, or write them out."""
    import bundles
    from bundles.media import extract
    from bundles.opened import describe_media

    opened = bundles.open(reference, store)
    files = opened.manifest.media
    if output is not None:
        extract(opened, Path(output))
    if as_json:
        where = {} if output is None else {"output": output}
        print_json({"reference": opened.reference, **where, "media": [describe_media(layer) for layer in files]})
    elif output is not None:
        click.echo(f"{counted(len(files), 'file')}, {human_bytes(sum(f.blob.size for f in files))}, in {output}")
    elif not files:
        click.echo(f"{opened.reference} holds no files; columns made by media.logo, media.avatar or media.document have some")
    else:
        lines = [[f.path, f"{f.table}.{f.column}", f.media_type, human_bytes(f.blob.size), short_digest(f.blob.digest)] for f in files]
        print_table(["path", "column", "type", "size", "digest"], lines, numbers=(3,))
