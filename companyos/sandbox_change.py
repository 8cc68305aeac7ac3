"""`companyos sandbox extend`, `reset` and `delete`."""

from __future__ import annotations

from datetime import timedelta

import click

from companyos.options import ReferenceType, as_of_option, json_option, store_option
from companyos.output import print_json, progress
from companyos.sandbox_options import DurationType, id_argument, opened, place_options, why_option
from schemas.plurals import counted


@click.command()
@id_argument
@click.option("--by", metavar="TIME", type=DurationType(), required=True, help="How much longer it lives, such as 24h.")
@why_option
@place_options
@store_option
@json_option
def extend(id: str, by: timedelta, why: str, control: str | None, environments: str | None, store: str | None, as_json: bool) -> None:
    """Let sandbox ID live longer; past what its owner may ask for alone, somebody else has to approve (`sandbox approve`)."""
    with opened(control, environments, store) as (sandboxes, actor):
        owner = sandboxes.owner(id)
        sandbox = sandboxes.extend(id, by, owner=owner, actor=actor, why=why)
    if as_json:
        print_json(sandbox.to_json())
        return
    click.echo(f"{id} lives until {sandbox.expires_at:%Y-%m-%d %H:%M UTC} ({sandbox.why_expires})")


@click.command()
@id_argument
@click.option("--seed", metavar="REF", type=ReferenceType(), help="Another bundle than its own.")
@as_of_option
@why_option
@place_options
@store_option
@json_option
def reset(
    id: str,
    seed: str | None,
    as_of: str | None,
    why: str,
    control: str | None,
    environments: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Give sandbox ID its data anew: reseed, rotate its password, purge webhooks, reset feature flags; all or nothing."""
    with opened(control, environments, store) as (sandboxes, actor), progress(quiet=as_json) as tell:
        owner = sandboxes.owner(id)
        sandbox = sandboxes.reset(id, owner=owner, seed=seed, as_of=as_of, actor=actor, why=why, on_progress=tell)
        address = sandboxes.address(id, actor=actor)
    if as_json:
        print_json({**sandbox.to_json(), "url": address})
        return
    assert sandbox.receipt is not None
    click.echo(
        f"{id} was reset to {sandbox.seed}: {counted(sum(sandbox.receipt['tables'].values()), 'row')} by {sandbox.receipt['strategy']}"
    )
    click.echo(f"connect   {address}")


@click.command()
@id_argument
@click.option("--force", is_flag=True, help="Delete it even where it is protected from deletion; takes --why.")
@why_option
@place_options
@json_option
def delete(id: str, force: bool, why: str, control: str | None, environments: str | None, as_json: bool) -> None:
    """Remove sandbox ID: database, role, password and files."""
    with opened(control, environments) as (sandboxes, actor):
        sandbox = sandboxes.delete(id, actor=actor, why=why, force=force)
    if as_json:
        print_json(sandbox.to_json())
        return
    click.echo(f"{id} is {sandbox.state}")
