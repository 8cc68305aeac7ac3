"""`companyos token`: API tokens of `companyos serve`."""

from __future__ import annotations

from datetime import timedelta

import click

from companyos.cli import Lazy
from companyos.options import json_option
from companyos.output import print_json, print_table
from companyos.sandbox_options import DurationType, ScopeType, id_argument, opened, place_options, why_option


@click.command()
@click.option("--owner", metavar="ADDRESS", required=True, help="Whose it is: whoever holds it acts in this name.")
@click.option(
    "--scope",
    "scopes",
    metavar="SCOPE",
    type=ScopeType(),
    multiple=True,
    default=("read", "write"),
    show_default=True,
    help="What it allows: read, write, approve (what others ask for), admin (everything, on everybody's). May be given more than once.",
)
@click.option(
    "--valid", metavar="TIME", type=DurationType(), default="90d", show_default=True, help="How long it is valid, at most a year."
)
@why_option
@place_options
@json_option
def create(
    owner: str, scopes: tuple[str, ...], valid: timedelta, why: str, control: str | None, environments: str | None, as_json: bool
) -> None:
    """Make a token and print it, this once: what is kept of it serves to know it again, and not to show it."""
    from provisioning.access.tokens import issue

    with opened(control, environments) as (sandboxes, actor):
        token, secret = issue(sandboxes.platform.control, sandboxes.who(owner).name, scopes, valid, actor=actor, why=why)
    if as_json:
        print_json({**token.to_json(), "token": secret})
        return
    click.echo(f"{token.id}: {', '.join(token.scopes)} as {token.owner} until {token.expires_at:%Y-%m-%d %H:%M UTC}", err=True)
    click.echo(secret)


@click.command("list")
@click.option("--owner", metavar="ADDRESS", help="Those of one owner.")
@place_options
@json_option
def list_tokens(owner: str | None, control: str | None, environments: str | None, as_json: bool) -> None:
    """List tokens by their ids, those that are revoked or expired too."""
    from provisioning.access.tokens import tokens

    with opened(control, environments) as (sandboxes, _):
        now = sandboxes.platform.now
        known = tokens(sandboxes.platform.control, owner=owner)
    if as_json:
        print_json([{**token.to_json(), "state": token.state(now)} for token in known])
        return
    if not known:
        click.echo("no tokens were found" if owner else "there are no tokens; `companyos token create` makes one")
        return
    print_table(
        ["id", "owner", "scopes", "until", "state"],
        [[t.id, t.owner, ", ".join(t.scopes), f"{t.expires_at:%Y-%m-%d %H:%M}", t.state(now)] for t in known],
    )


@click.command()
@id_argument
@why_option
@place_options
@json_option
def revoke(id: str, why: str, control: str | None, environments: str | None, as_json: bool) -> None:
    """Let token ID (tok-...) open nothing any more, from the next request on."""
    from provisioning.access.tokens import revoke as revoke_token

    with opened(control, environments) as (sandboxes, actor):
        token = revoke_token(sandboxes.platform.control, id, actor=actor, why=why)
    print_json(token.to_json()) if as_json else click.echo(f"{token.id} is revoked")


PLACES: dict[str, tuple[str, str, str]] = {
    "create": ("companyos.token_commands", "create", "Make a token and print it, this once."),
    "list": ("companyos.token_commands", "list_tokens", "List tokens, without what opens anything."),
    "revoke": ("companyos.token_commands", "revoke", "Let a token open nothing any more."),
}

token = Lazy("token", places=PLACES, help="Make, list and revoke the API tokens of `companyos serve`.")
