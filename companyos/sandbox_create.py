"""`companyos sandbox create` and `restore`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from companyos.options import ReferenceType, as_of_option, json_option, reference_argument, store_option
from companyos.output import print_json, progress
from companyos.sandbox_options import FlagsType, opened, place_options, template_option, ttl_option, why_option
from companyos.sandbox_show import state_of
from schemas.plurals import counted

if TYPE_CHECKING:
    from provisioning.life.creating import Created
    from provisioning.life.sandbox import Sandbox


@click.command()
@click.option("--owner", metavar="ADDRESS", required=True, help="Whose it is, such as alice@company.com.")
@template_option
@ttl_option
@click.option("--seed", metavar="REF", type=ReferenceType(), required=True, help="The bundle to fill it from, such as synthetic:v1.")
@click.option("--feature-flags", "flags", metavar="NAME,...", type=FlagsType(), default=(), help="Feature flags to turn on.")
@as_of_option
@click.option("--idempotency-key", metavar="KEY", help="The same request with the same key gives the same sandbox.")
@why_option
@place_options
@store_option
@json_option
def create(
    owner: str,
    template: str,
    ttl: timedelta | None,
    seed: str,
    flags: tuple[str, ...],
    as_of: str | None,
    idempotency_key: str | None,
    why: str,
    control: str | None,
    environments: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Make an isolated database for somebody, seeded from a bundle, by the rules of its environment, for a limited time."""
    with opened(control, environments, store) as (sandboxes, actor), progress(quiet=as_json) as tell:
        created = sandboxes.create(
            sandboxes.who(owner),
            template=template,
            seed=seed,
            ttl=ttl,
            flags=flags,
            as_of=as_of,
            actor=actor,
            why=why,
            idempotency_key=idempotency_key,
            on_progress=tell,
        )
    _require_unspent(created.sandbox)
    _print(created, as_json)


@click.command()
@reference_argument
@click.option("--owner", metavar="ADDRESS", required=True, help="Whose the new sandbox is.")
@template_option
@ttl_option
@why_option
@place_options
@store_option
@json_option
def restore(
    reference: str,
    owner: str,
    template: str,
    ttl: timedelta | None,
    why: str,
    control: str | None,
    environments: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Make a sandbox that holds what another one held when snapshot REF was made of it."""
    with opened(control, environments, store) as (sandboxes, actor), progress(quiet=as_json) as tell:
        created = sandboxes.create(
            sandboxes.who(owner), template=template, seed=reference, ttl=ttl, actor=actor, why=why or "restored", on_progress=tell
        )
    _print(created, as_json)


def _require_unspent(sandbox: Sandbox) -> None:
    """Raise WrongState where what was made with the idempotency key failed or is gone."""
    from provisioning.errors import WrongState
    from provisioning.life.states import BEING_MADE

    state = "expired" if sandbox.state == "ready" and sandbox.expires_at <= datetime.now(UTC) else sandbox.state
    if state != "ready" and state not in BEING_MADE:
        failure = f": {sandbox.failure}" if sandbox.failure else ""
        raise WrongState(f"{sandbox.id}, made with this idempotency key, is {state}{failure}; take a new key to make another one")


def _print(created: Created, as_json: bool) -> None:
    sandbox = created.sandbox
    if as_json:
        print_json({**sandbox.to_json(), "url": created.address, "again": created.again})
        return
    click.echo(f"{sandbox.id}  {state_of(sandbox)}{' (asked for before with this key)' if created.again else ''}")
    if created.address is not None:
        click.echo(f"connect   {created.address}")
    elif not sandbox.quarantined:
        click.echo(f"connect   companyos sandbox connect {sandbox.id}{', once it is ready' if sandbox.state != 'ready' else ''}")
    click.echo(f"until     {sandbox.expires_at:%Y-%m-%d %H:%M UTC} ({sandbox.why_expires})")
    if sandbox.receipt is not None:
        receipt = sandbox.receipt
        click.echo(
            f"seeded    {counted(sum(receipt['tables'].values()), 'row')} by {receipt['strategy']} in {receipt['seconds']} s: "
            f"{receipt['why']}"
        )
        click.echo(f"content   {receipt['content_digest']} (recomputed in the {receipt['digest_of']})")
