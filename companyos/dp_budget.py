"""`companyos dp budget`: who spent what on what."""

from __future__ import annotations

from typing import Any

import click

from companyos.options import json_option
from companyos.output import print_json, print_table
from companyos.private_target import anchor_option, ledger_option


@click.command()
@click.argument("release", required=False)
@click.option("--analyst", metavar="NAME", help="The spending of one analyst alone.")
@ledger_option
@anchor_option
@json_option
def budget(release: str | None, analyst: str | None, ledger: str | None, anchor: str | None, as_json: bool) -> None:
    """Show the privacy budget of RELEASE, a bundle's digest or a database's address, or of all in the ledger."""
    from dpsql.ledger import open_ledger

    book = open_ledger(ledger, anchor)
    known = [release] if release is not None else list(book.releases())
    spendings = [book.spending(one) for one in known]
    if as_json:
        print_json([_document(s, book.entries(s.release), analyst) for s in spendings])
        return
    if not spendings:
        click.echo("the ledger is empty: nothing was asked yet")
    for spending in spendings:
        limit = spending.limit
        used = limit.epsilon_of(spending.total)
        click.echo(f"{spending.release}\nepsilon {used:.6g} of {limit.epsilon:g} spent (delta {limit.delta:g})")
        rows = []
        for name, total in spending.analysts.items():
            if analyst in (None, name):
                own = spending.per_analyst or limit
                rows.append([name, f"{own.epsilon_of(total):.6g}", f"{own.epsilon:g}"])
        print_table(["analyst", "epsilon spent", "of"], rows, numbers=(1, 2))
        charges = [e for e in book.entries(spending.release) if e.kind == "charge" and analyst in (None, e.analyst)]
        print_table(
            ["when", "analyst", "epsilon", "delta", "query"],
            [
                [e.at[:19], e.analyst or "", f"{e.spend.epsilon:.6g}", f"{e.spend.delta:.3g}", " ".join((e.sql or "").split())]
                for e in charges
            ],
            numbers=(2, 3),
        )


def _document(spending: Any, entries: Any, analyst: str | None) -> dict[str, Any]:
    own = spending.per_analyst
    return {
        "release": spending.release,
        "epsilon": spending.limit.epsilon_of(spending.total),
        "limit": {"epsilon": spending.limit.epsilon, "delta": spending.limit.delta},
        "per_analyst": None if own is None else {"epsilon": own.epsilon, "delta": own.delta},
        "analysts": {n: (own or spending.limit).epsilon_of(t) for n, t in spending.analysts.items() if analyst in (None, n)},
        "charges": [
            {"at": e.at, "analyst": e.analyst, "epsilon": e.spend.epsilon, "delta": e.spend.delta, "rho": e.spend.rho, "sql": e.sql}
            for e in entries
            if e.kind == "charge" and analyst in (None, e.analyst)
        ],
    }
