"""`companyos sandbox list`, `show` and `why`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from companyos.options import json_option
from companyos.output import print_json, print_table, short_digest
from companyos.sandbox_options import id_argument, opened, place_options
from schemas.plurals import counted

if TYPE_CHECKING:
    from provisioning.life.sandbox import Sandbox

_STATES = ("requested", "provisioning", "ready", "expired", "deleting", "deleted", "failed")


@click.command("list")
@click.option("--owner", metavar="ADDRESS", help="Those of one owner.")
@click.option(
    "--state", "states", metavar="STATE", type=click.Choice(_STATES), multiple=True, help="Those in a state.  [default: all but deleted]"
)
@click.option("--tenant", metavar="NAME", help="That of a demo tenant.")
@click.option("--limit", metavar="N", type=click.IntRange(1, 500), default=50, show_default=True, help="The most to list at a time.")
@click.option("--after", metavar="CURSOR", help="Go on after a page that ended.")
@place_options
@json_option
def list_sandboxes(
    owner: str | None,
    states: tuple[str, ...],
    tenant: str | None,
    limit: int,
    after: str | None,
    control: str | None,
    environments: str | None,
    as_json: bool,
) -> None:
    """List sandboxes, the newest first."""
    wanted = states or tuple(s for s in _STATES if s != "deleted")
    with opened(control, environments, reads=True) as (sandboxes, _):
        page = sandboxes.list(owner=owner, states=wanted, tenant=tenant, after=after, limit=limit)  # type: ignore[arg-type]
    if as_json:
        print_json({"sandboxes": [s.to_json() for s in page.sandboxes], "next": page.next})
        return
    if not page.sandboxes:
        asked = owner or states or tenant or after
        click.echo("no sandboxes were found" if asked else "there are no sandboxes; `companyos sandbox create` makes one")
        return
    print_table(
        ["id", "owner", "state", "environment", "seed", "until"],
        [[s.id, s.owner, state_of(s), s.environment, s.seed, f"{s.expires_at:%Y-%m-%d %H:%M}"] for s in page.sandboxes],
    )
    if page.next:
        click.echo(f"more with --after {page.next}")


@click.command()
@id_argument
@place_options
@json_option
def show(id: str, control: str | None, environments: str | None, as_json: bool) -> None:
    """Show all that is recorded of sandbox ID, but its password."""
    with opened(control, environments, reads=True) as (sandboxes, _):
        sandbox, files = sandboxes.show(id), sandboxes.media(id)
    if as_json:
        print_json({**sandbox.to_json(), **({} if files is None else {"media": str(files)})})
        return
    flags = ", ".join(f"{name} {'on' if on else 'off'}" for name, on in sandbox.flags.items())
    lines = [
        ["owner", sandbox.owner],
        ["state", state_of(sandbox)],
        ["template", f"{sandbox.template} (environment {sandbox.environment}, host {sandbox.host})"],
        ["seed", f"{sandbox.seed} ({sandbox.kind}, {short_digest(sandbox.bundle_digest)})"],
        ["created", f"{sandbox.created_at:%Y-%m-%d %H:%M UTC}"],
        ["until", f"{sandbox.expires_at:%Y-%m-%d %H:%M UTC}: {sandbox.why_expires}"],
        ["flags", flags or "none"],
        ["guardrails", ", ".join(f"{name}: {value}" for name, value in sandbox.guardrails.items()) or "none"],
    ]
    if sandbox.tenant is not None:
        lines.insert(1, ["demo tenant", sandbox.tenant])
    if sandbox.receipt is not None:
        receipt = sandbox.receipt
        rows = sum(receipt["tables"].values())
        lines.append(
            [
                "data",
                f"{counted(rows, 'row')} by {receipt['strategy']} in {receipt['seconds']} s, "
                f"content {short_digest(receipt['content_digest'])}",
            ]
        )
    if files is not None:
        lines.append(["files", str(files)])
    for what, text in (("quarantined", sandbox.quarantined), ("failure", sandbox.failure)):
        if text:
            lines.append([what, text])
    click.echo(sandbox.id)
    for name, text in lines:
        click.echo(f"  {name:<12} {text}")


@click.command()
@id_argument
@place_options
@json_option
def why(id: str, control: str | None, environments: str | None, as_json: bool) -> None:
    """Say why sandbox ID is kept, idle, refused or about to go, and when."""
    with opened(control, environments, reads=True) as (sandboxes, _):
        told = sandboxes.why(id)
    if as_json:
        print_json(told.to_json())
        return
    click.echo(f"{id} is {told.verdict}")
    if told.next is not None:
        click.echo(f"  next: {told.next}" + (f" ({told.at:%Y-%m-%d %H:%M UTC})" if told.at is not None else ""))
    for reason in told.reasons:
        click.echo(f"  - {reason}")
    if told.history:
        click.echo("")
        print_table(
            ["when", "what", "by", "why"], [[h["at"][:19].replace("T", " "), h["action"], h["actor"], h["why"]] for h in told.history]
        )


def state_of(sandbox: Sandbox) -> str:
    """Return the state as people read it, with what is being done and whether nobody is let in."""
    if sandbox.quarantined:
        return f"{sandbox.state}, quarantined"
    return f"{sandbox.state}, {sandbox.doing}" if sandbox.doing else sandbox.state
