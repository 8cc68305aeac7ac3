"""`companyos dp limit`: a budget set anew, in the open."""

from __future__ import annotations

from contextlib import closing

import click

from companyos.options import json_option, store_option
from companyos.output import print_json
from companyos.private_target import anchor_option, ledger_option
from schemas.plurals import counted


@click.command()
@click.argument("target")
@click.option("--epsilon", type=float, metavar="E", help="The epsilon of all queries together.  [default: as it is]")
@click.option("--delta", type=float, metavar="D", help="Their delta.  [default: as it is]")
@click.option("--analyst-epsilon", type=float, metavar="E", help="The most that each analyst may spend of it.  [default: as it is]")
@click.option("--analyst-delta", type=float, metavar="D", help="The delta of each analyst.  [default: as it is, else as of all]")
@click.option("--refresh", type=click.IntRange(min=0), metavar="DAYS", help="Renew the budget after so many days; 0 ends it.")
@ledger_option
@anchor_option
@store_option
@json_option
def limit(
    target: str, epsilon: float | None, delta: float | None, analyst_epsilon: float | None, analyst_delta: float | None,
    refresh: int | None, ledger: str | None, anchor: str | None, store: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Set the budget of TARGET, higher or lower than before. The ledger keeps who did it and when.

    A higher budget means less privacy for everybody in the data: what was spent stays spent, and more may follow. One that is renewed
    has no end: after n times its true epsilon is up to n times as much.
    """
    from companyos.ledger_release import known_release
    from companyos.person import person
    from dpsql.accounting import Limit
    from dpsql.ledger import open_ledger

    if all(given is None for given in (epsilon, delta, analyst_epsilon, analyst_delta, refresh)):
        raise click.UsageError("say what is to change: --epsilon, --delta, --analyst-epsilon, --analyst-delta or --refresh")
    with closing(open_ledger(ledger, anchor, create=False)) as book:
        known = book.spending(known_release(book, target, store))
        new = Limit(known.limit.epsilon if epsilon is None else epsilon, known.limit.delta if delta is None else delta)
        own = known.per_analyst
        if analyst_epsilon is not None or (own is not None and analyst_delta is not None):
            was = own or Limit(new.epsilon, new.delta)
            own = Limit(was.epsilon if analyst_epsilon is None else analyst_epsilon, was.delta if analyst_delta is None else analyst_delta)
        days = known.refresh_days if refresh is None else refresh or None
        book.set_limit(known.release, new, own, person(), days)
    if as_json:
        of_each = None if own is None else {"epsilon": own.epsilon, "delta": own.delta}
        of_all = {"epsilon": new.epsilon, "delta": new.delta}
        print_json({"release": known.release, "limit": of_all, "per_analyst": of_each, "refresh_days": days})
        return
    each = "" if own is None else f"; each analyst epsilon {own.epsilon:g}, delta {own.delta:g}"
    renewed = "" if days is None else f"; renewed every {counted(days, 'day')}"
    click.echo(f"{known.release}: epsilon {new.epsilon:g}, delta {new.delta:g}{each}{renewed}")
