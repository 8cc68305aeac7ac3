"""`companyos bundle recall`."""

from __future__ import annotations

import click

from companyos.options import ReferenceType, json_option, reference_argument, store_option
from companyos.output import print_json, print_table
from companyos.sandbox_options import opened, place_options, why_option

_FAILED = 4


@click.command()
@reference_argument
@click.option("--quarantine", is_flag=True, help="Let nobody into the sandboxes any more; their data stays.")
@click.option("--reset", "to", metavar="REF", type=ReferenceType(), help="Give the sandboxes the data of another bundle.")
@why_option
@place_options
@store_option
@json_option
def recall(
    reference: str,
    quarantine: bool,
    to: str | None,
    why: str,
    control: str | None,
    environments: str | None,
    store: str | None,
    as_json: bool,
) -> int:
    """List every sandbox that holds bundle REF; --quarantine or --reset recalls it, and no sandbox is made of it any more."""
    if quarantine and to is not None:
        raise click.UsageError("say either --quarantine or --reset REF")
    with opened(control, environments, store) as (sandboxes, actor):
        recalled = sandboxes.recall(reference, "quarantine" if quarantine else "reset" if to else "list", to=to, actor=actor, why=why)
    if as_json:
        print_json(
            {
                "reference": recalled.reference,
                "bundle_digest": recalled.bundle_digest,
                "sandboxes": [{**s.to_json(), "done": recalled.done.get(s.id)} for s in recalled.sandboxes],
                "errors": recalled.errors,
            }
        )
    elif recalled.sandboxes:
        print_table(
            ["id", "owner", "state", "environment", "done"],
            [[s.id, s.owner, s.state, s.environment, recalled.done.get(s.id, "")] for s in recalled.sandboxes],
        )
    else:
        click.echo(f"no sandbox holds {recalled.reference}")
    if not as_json:
        for error in recalled.errors:
            click.echo(f"error: {error}", err=True)
    return _FAILED if recalled.errors else 0
