"""`companyos demo`: tenants that customers are shown, brought back to their bundles again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from companyos.options import ReferenceType, json_option, store_option
from companyos.output import print_json, print_table, progress
from companyos.sandbox_options import DurationType, TemplateType, opened, place_options, why_option

if TYPE_CHECKING:
    from provisioning.demo.resetting import Outcome, Visited
    from provisioning.demo.tenants import Tenant

_FAILED = 4
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def demo() -> None:
    """Make demo tenants, reset them to their bundles, and roll them back."""


as_of_option = click.option(
    "--as-of", metavar="DATE", default="now", show_default=True,
    help="Move all times by whole weeks so that the bundle's now is in the week of DATE (or `now`).",
)  # fmt: skip


def tenant_option(text: str) -> Callable[[Command], Command]:
    """--tenant."""
    return click.option("--tenant", "pattern", metavar="NAME", required=True, help=text)


@demo.command()
@click.option("--tenant", "name", metavar="NAME", required=True, help="What to call it, such as demo-acme.")
@click.option("--owner", metavar="ADDRESS", required=True, help="Whose it is.")
@click.option("--seed", metavar="REF", type=ReferenceType(), required=True, help="The bundle to pin it to.")
@click.option("--template", metavar="NAME", type=TemplateType(), default="demo", show_default=True, help="What to make it after.")
@click.option("--ttl", metavar="TIME", type=DurationType(), help="How long it lives.  [default: the environment's]")
@as_of_option
@why_option
@place_options
@store_option
@json_option
def create(
    name: str,
    owner: str,
    seed: str,
    template: str,
    ttl: timedelta | None,
    as_of: str,
    why: str,
    control: str | None,
    environments: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Make a demo tenant, its times moved to today, pinned to a bundle."""
    from provisioning.demo.tenants import create_tenant

    with opened(control, environments, store) as (sandboxes, actor), progress(quiet=as_json) as tell:
        made = create_tenant(
            sandboxes.platform,
            name,
            owner=sandboxes.who(owner),
            template=template,
            seed=seed,
            ttl=ttl,
            as_of=as_of,
            actor=actor,
            why=why,
            on_progress=tell,
        )
    if as_json:
        print_json({**made.sandbox.to_json(), "url": made.address})
        return
    click.echo(f"{name}  {made.sandbox.id}, pinned to {seed}, until {made.sandbox.expires_at:%Y-%m-%d %H:%M UTC}")
    click.echo(f"connect   {made.address}")


@demo.command("list")
@click.option("--tenant", "pattern", metavar="NAME", default="*", help="Those whose names match, such as 'demo-*'.")
@place_options
@json_option
def list_tenants(pattern: str, control: str | None, environments: str | None, as_json: bool) -> None:
    """List demo tenants."""
    from provisioning.demo.tenants import tenants

    with opened(control, environments) as (sandboxes, _):
        found = tenants(sandboxes.platform, pattern)
    if as_json:
        print_json([t.to_json() for t in found])
        return
    if not found:
        click.echo("there are no demo tenants; `companyos demo create` makes one" if pattern == "*" else "no demo tenants were found")
        return
    print_table(
        ["tenant", "sandbox", "state", "pinned to", "holds", "until"],
        [[t.name, t.sandbox.id, t.sandbox.state, t.seed, t.sandbox.seed, f"{t.sandbox.expires_at:%Y-%m-%d %H:%M}"] for t in found],
    )


@demo.command()
@tenant_option("Which tenants; 'demo-*' means all whose names begin so.")
@as_of_option
@click.option("--force", is_flag=True, help="Reset those too that nobody has touched.")
@click.option("--dry-run", is_flag=True, help="Show what was changed; change nothing.")
@why_option
@place_options
@store_option
@json_option
def reset(
    pattern: str,
    as_of: str,
    force: bool,
    dry_run: bool,
    why: str,
    control: str | None,
    environments: str | None,
    store: str | None,
    as_json: bool,
) -> int:
    """Bring demo tenants back: data of the pinned bundle, new credentials, no webhooks, flags as they were; all or nothing.

    What visitors changed is counted and shown first. A tenant that nobody touched is skipped, unless its times have become stale.
    """
    from provisioning.demo.resetting import reset_tenants
    from provisioning.demo.tenants import tenants_named

    with opened(control, environments, store) as (sandboxes, actor):
        outcomes = reset_tenants(
            sandboxes.platform,
            tenants_named(sandboxes.platform, pattern),
            as_of=as_of,
            force=force,
            dry_run=dry_run,
            actor=actor,
            why=why,
            on_found=None if as_json else _show_found,
        )
    return _told(outcomes, as_json)


@demo.command()
@tenant_option("Which tenants.")
@click.option("--to", metavar="REF", type=ReferenceType(), required=True, help="The version to go to, such as demo:v1.")
@as_of_option
@why_option
@place_options
@store_option
@json_option
def rollback(
    pattern: str, to: str, as_of: str, why: str, control: str | None, environments: str | None, store: str | None, as_json: bool
) -> int:
    """Pin demo tenants to another version of their bundle, and bring them there."""
    from provisioning.demo.resetting import roll_back
    from provisioning.demo.tenants import tenants_named

    with opened(control, environments, store) as (sandboxes, actor):
        found = tenants_named(sandboxes.platform, pattern)
        outcomes = roll_back(sandboxes.platform, found, to, as_of=as_of, actor=actor, why=why, on_found=None if as_json else _show_found)
    return _told(outcomes, as_json)


@demo.command()
@tenant_option("Which tenant.")
@click.option("--url", metavar="URL", help="Register this address; without it, list what is registered.")
@click.option("--event", metavar="NAME", default="*", show_default=True, help="The event that it is for.")
@place_options
@json_option
def webhooks(pattern: str, url: str | None, event: str, control: str | None, environments: str | None, as_json: bool) -> None:
    """List the webhooks of a demo tenant, or register one; nothing is ever sent there, and a reset purges it."""
    from provisioning.demo.tenants import tenants_named
    from provisioning.demo.webhooks import register, registered

    with opened(control, environments) as (sandboxes, actor):
        [tenant, *more] = tenants_named(sandboxes.platform, pattern)
        if more:
            raise click.UsageError(f"'{pattern}' means {len(more) + 1} tenants; name one")
        if url is not None:
            register(sandboxes.platform, tenant.sandbox, url, event, actor=actor)
        found = registered(sandboxes.platform, tenant.sandbox)
    if as_json:
        print_json([w.to_json() for w in found])
    elif found:
        print_table(["id", "event", "url"], [[w.id, w.event, w.url] for w in found])
    else:
        click.echo(f"{tenant.name} has no webhooks")


def _show_found(tenant: Tenant, visited: Visited) -> None:
    if visited.reasons:
        click.echo(f"{tenant.name}: {'; '.join(visited.reasons)}")
    for name, found in visited.rows.items():
        if found.added or found.removed or found.changed:
            click.echo(f"   {name}: {found.added:,} added, {found.removed:,} removed, {found.changed:,} changed")


def _told(outcomes: Sequence[Outcome], as_json: bool) -> int:
    if as_json:
        print_json([o.to_json() for o in outcomes])
    else:
        for outcome in outcomes:
            more = {"reset": f" in {outcome.seconds:.1f} s", "skipped": ": nobody touched it"}.get(outcome.done, "")
            click.echo(f"{outcome.tenant} ({outcome.sandbox}) {outcome.done}{more}")
            if outcome.error is not None:
                click.echo(f"error: {outcome.tenant}: {outcome.error}", err=True)
    return _FAILED if any(o.error is not None for o in outcomes) else 0
