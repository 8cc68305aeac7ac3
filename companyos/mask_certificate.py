"""`companyos mask certificate`: the certificate of a sanitized bundle, for people or for machines."""

from __future__ import annotations

import click

from companyos.options import json_option, reference_argument, store_option
from companyos.output import print_json, print_table
from schemas.plurals import counted


@click.command()
@reference_argument
@click.option("-o", "--output", metavar="PAGE", type=click.Path(dir_okay=False), help="Write it as an HTML page.")
@store_option
@json_option
def certificate(reference: str, output: str | None, store: str | None, as_json: bool) -> None:
    """Show the certificate of bundle REF: what was masked and how, with which kind of key, and what the proof found.

    It stands in the bundle, and holds counts and digests, and no value of the source.
    """
    import bundles
    from schemas.errors import InputError

    opened = bundles.open(reference, store)
    document = opened.provenance.get("certificate")
    if document is None:
        raise InputError(f"'{opened.reference}' is a {opened.kind} bundle; only sanitized ones have a certificate")
    if output is not None:
        from companyos.certificate_page import certificate_page
        from companyos.files import replace_file

        replace_file(output, certificate_page(document).encode())
    if as_json:
        print_json(document)
        return
    columns = [
        [f"{c['table']}.{c['column']}{c['path'] or ''}", c["class"], c["entity"] or "", c["transformer"]]
        for c in document["columns"]
        if c["class"] != "public"
    ]
    print_table(["column", "class", "entity", "masked by"], columns)
    scan, key = document["scan"], document["key"]
    click.echo(
        f"proof   {counted(scan['values'], 'value')} looked for in {counted(scan['output']['cells'], 'cell')}: "
        f"{scan['survivors']:,} survived"
    )
    click.echo(f"key     {key['origin']}: {key['ended']}; commitment {key['commitment'][:16]}")
    click.echo(f"policy  {document['policy']['name']} {document['policy']['digest']}")
