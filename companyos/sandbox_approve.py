"""`companyos sandbox approve`."""

from __future__ import annotations

from datetime import timedelta

import click

from companyos.options import ReferenceType, json_option, store_option
from companyos.output import print_json
from companyos.sandbox_options import DurationType, ReasonType, TemplateType, opened, place_options


@click.command()
@click.option("--load", "reference", metavar="REF", type=ReferenceType(), help="That a bundle may be loaded.")
@click.option("--extend", "id", metavar="ID", help="That a sandbox may live longer than its owner may ask for alone.")
@click.option("--long-life", is_flag=True, help="That sandboxes may be made to live longer than their owner may ask for alone.")
@click.option("--owner", metavar="ADDRESS", help="For whom, with --load and --long-life.")
@click.option(
    "--template", metavar="NAME", type=TemplateType(), default="feature-default", show_default=True, help="For sandboxes made after it."
)
@click.option("--by", "by", metavar="ADDRESS", required=True, help="Who approves; never the owner.")
@click.option("--why", metavar="TEXT", type=ReasonType(), required=True, help="The reason, for the audit ledger.")
@click.option("--valid", metavar="TIME", type=DurationType(), default="7d", show_default=True, help="How long the approval holds.")
@place_options
@store_option
@json_option
def approve(
    reference: str | None,
    id: str | None,
    long_life: bool,
    owner: str | None,
    template: str,
    by: str,
    why: str,
    valid: timedelta,
    control: str | None,
    environments: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Approve, as somebody else than the owner, what they may not do alone: load a bundle, make or have a sandbox that lives longer."""
    if (reference is not None) + (id is not None) + long_life != 1 or (id is None) == (owner is None):
        raise click.UsageError("say one of --load REF --owner ADDRESS, --long-life --owner ADDRESS and --extend ID")
    with opened(control, environments, store) as (sandboxes, actor):
        approver = sandboxes.who(by)
        if owner is None:
            assert id is not None
            approval = sandboxes.approve_extension(id, by=approver, why=why, valid=valid, actor=actor)
        elif reference is None:
            approval = sandboxes.approve_long_life(
                owner=sandboxes.who(owner), template=template, by=approver, why=why, valid=valid, actor=actor
            )
        else:
            approval = sandboxes.approve_load(
                reference, owner=sandboxes.who(owner), template=template, by=approver, why=why, valid=valid, actor=actor
            )
    if as_json:
        print_json(approval.to_json())
        return
    click.echo(f"{approval.id}: approved by {approval.by} until {approval.until:%Y-%m-%d %H:%M UTC}")
