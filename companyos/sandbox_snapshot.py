"""`companyos sandbox snapshot`."""

from __future__ import annotations

import click

from companyos.options import json_option, store_option
from companyos.output import print_json, progress
from companyos.sandbox_options import id_argument, opened, place_options, why_option
from schemas.plurals import counted


@click.command()
@id_argument
@click.option("--tag", metavar="NAME:VERSION", help="What to call it.  [default: KIND:ID, such as synthetic:sb-...]")
@why_option
@place_options
@store_option
@json_option
def snapshot(id: str, tag: str | None, why: str, control: str | None, environments: str | None, store: str | None, as_json: bool) -> None:
    """Make a bundle of the present data of sandbox ID, which somebody else can restore."""
    with opened(control, environments, store) as (sandboxes, actor), progress(quiet=as_json) as tell:
        made = sandboxes.snapshot(id, tag=tag, actor=actor, why=why, on_progress=tell)
    if as_json:
        print_json(made.describe())
        return
    click.echo(f"{made.reference}  {counted(len(made.tables), 'table')}, {counted(made.config.rows, 'row')} ({made.kind})")
    click.echo(f"content   {made.content_digest}")
    click.echo(f"restore   companyos sandbox restore {made.reference} --owner ...")
