"""`companyos dp limit`: a budget set anew, in the open."""

from __future__ import annotations

import getpass

import click

from companyos.private_target import anchor_option, ledger_option


@click.command()
@click.argument("release")
@click.option("--epsilon", type=float, required=True, metavar="E", help="The epsilon of all queries together.")
@click.option("--delta", type=float, default=0.0, show_default=True, metavar="D", help="Their delta.")
@click.option("--analyst-epsilon", type=float, metavar="E", help="The most that each analyst may spend of it.")
@ledger_option
@anchor_option
def limit(release: str, epsilon: float, delta: float, analyst_epsilon: float | None, ledger: str | None, anchor: str | None) -> None:
    """Set the budget of RELEASE, higher or lower than before. The ledger keeps who did it and when.

    A higher budget means less privacy for everybody in the data: what was spent stays spent, and more may follow.
    """
    from dpsql.accounting import Limit
    from dpsql.ledger import open_ledger

    own = None if analyst_epsilon is None else Limit(analyst_epsilon, delta)
    open_ledger(ledger, anchor).set_limit(release, Limit(epsilon, delta), own, getpass.getuser())
    click.echo(f"{release}: epsilon {epsilon:g}, delta {delta:g}")
