"""`companyos dp budget`: who spent what on what."""

from __future__ import annotations

import math
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from companyos.options import json_option, store_option
from companyos.output import print_json, print_table
from companyos.private_target import anchor_option, ledger_option
from schemas.plurals import counted

if TYPE_CHECKING:
    from dpsql.ledger import Entry, Spending, StoredLedger


@click.command()
@click.argument("target", required=False)
@click.option("--analyst", metavar="NAME", help="The spending of one analyst alone.")
@ledger_option
@anchor_option
@store_option
@json_option
def budget(target: str | None, analyst: str | None, ledger: str | None, anchor: str | None, store: str | None, as_json: bool) -> None:
    """Show who spent what on what, and what is left, of TARGET or of all releases in the ledger.

    TARGET is a bundle's reference or digest, or a database's address.
    """
    from companyos.ledger_release import known_release, titled
    from dpsql.ledger import open_ledger

    with closing(open_ledger(ledger, anchor, create=False)) as book:
        known = book.releases() if target is None else [known_release(book, target, store)]
        if as_json:
            print_json([_document(book, book.spending(release), analyst) for release in known])
            return
        if not known:
            click.echo("the ledger is empty: nothing was asked yet")
        for release in known:
            click.echo(titled(release, store))
            _show(book, book.spending(release), analyst)


def _show(book: StoredLedger, spending: Spending, analyst: str | None) -> None:
    limit = spending.limit
    click.echo(f"epsilon {_number(limit.epsilon_of(spending.total))} of {limit.epsilon:g} spent (delta {limit.delta:g})")
    if spending.refresh_days is not None:
        ever = _number(limit.epsilon_of(spending.ever))
        click.echo(
            f"renewed every {counted(spending.refresh_days, 'day')}; ever spent: epsilon {ever}, which is what people in the data have lost"
        )
    rows = []
    for name, total in spending.analysts.items():
        if analyst in (None, name):
            own = spending.limit_of(name) or limit
            rows.append([name, _number(own.epsilon_of(total)), f"{own.epsilon:g}", _number(spending.left(name))])
    print_table(["analyst", "epsilon spent", "of", "left"], rows, numbers=(1, 2, 3))
    charges = [
        [e.at[:19], e.analyst or "", f"{e.spend.epsilon:.6g}", f"{e.spend.delta:.3g}", " ".join((e.sql or "").split())]
        for e in _charges(book, spending, analyst)
    ]
    print_table(["when (UTC)", "analyst", "epsilon", "delta", "query"], charges, numbers=(2, 3))


def _document(book: StoredLedger, spending: Spending, analyst: str | None) -> dict[str, Any]:
    limit, own = spending.limit, spending.per_analyst
    return {
        "release": spending.release,
        "epsilon": _finite(limit.epsilon_of(spending.total)),
        "left": _finite(spending.left()),
        "limit": {"epsilon": limit.epsilon, "delta": limit.delta},
        "per_analyst": None if own is None else {"epsilon": own.epsilon, "delta": own.delta},
        "refresh_days": spending.refresh_days,
        "epsilon_ever": _finite(limit.epsilon_of(spending.ever)),
        "analysts": {
            name: {
                "epsilon": _finite((of := spending.limit_of(name) or limit).epsilon_of(total)),
                "limit": {"epsilon": of.epsilon, "delta": of.delta},
                "left": _finite(spending.left(name)),
            }
            for name, total in spending.analysts.items()
            if analyst in (None, name)
        },
        "charges": [
            {"at": e.at, "analyst": e.analyst, "epsilon": e.spend.epsilon, "delta": e.spend.delta, "rho": e.spend.rho, "sql": e.sql}
            for e in _charges(book, spending, analyst)
        ],
    }


def _charges(book: StoredLedger, spending: Spending, analyst: str | None) -> list[Entry]:
    return [e for e in book.entries(spending.release, analyst) if e.kind == "charge"]


def _number(epsilon: float) -> str:
    return f"{epsilon:.6g}" if math.isfinite(epsilon) else "unbounded"


def _finite(epsilon: float) -> float | None:
    return epsilon if math.isfinite(epsilon) else None
