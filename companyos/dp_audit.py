"""`companyos dp audit`: the log of all that was asked."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from companyos.options import json_option, store_option
from companyos.output import print_json, visible
from companyos.private_target import anchor_option, ledger_option
from schemas.plurals import counted

if TYPE_CHECKING:
    from dpsql.ledger import Entry


@click.command()
@click.argument("target", required=False)
@click.option("--analyst", metavar="NAME", help="The entries of one analyst alone.")
@click.option("--verify", is_flag=True, help="Recompute the chain of all entries; exit code 1 where one was touched or is missing.")
@click.option(
    "--new-anchor",
    is_flag=True,
    help="Accept the ledger as it is, where its anchor is lost or knows of lost entries; this is an entry, too.",
)
@ledger_option
@anchor_option
@store_option
@json_option
def audit(
    target: str | None, analyst: str | None, verify: bool, new_anchor: bool, ledger: str | None, anchor: str | None, store: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Print every limit, charge, outcome and refusal in the ledger, in order, of TARGET or of all; never an answer."""
    from companyos.ledger_release import known_release
    from companyos.person import person
    from dpsql.ledger import open_ledger
    from schemas.errors import InputError

    if (verify or new_anchor) and (target is not None or analyst is not None):
        raise InputError("the chain is verified as a whole, without TARGET and --analyst")
    with closing(open_ledger(ledger, anchor, create=False, hold=not new_anchor)) as book:
        if new_anchor:
            book.renew_anchor(person())
        if verify or new_anchor:
            count = book.verify()
            print_json({"entries": count, "verified": True}) if as_json else click.echo(
                f"{counted(count, 'entry', 'entries')}, none touched"
            )
            return
        release = None if target is None else known_release(book, target, store)
        for entry in book.entries(release, analyst):
            _print(entry, as_json)


def _print(entry: Entry, as_json: bool) -> None:
    if as_json:
        said = {"number": entry.number, "at": entry.at, "kind": entry.kind, "release": entry.release, "analyst": entry.analyst}
        costs = {"epsilon": entry.spend.epsilon, "delta": entry.spend.delta, "rho": entry.spend.rho}
        print_json({**said, **costs, "sql": entry.sql, "detail": entry.detail})
    else:
        cost = f"epsilon {entry.spend.epsilon:.6g}" if entry.kind == "charge" else ""
        parts = (str(entry.number), entry.at, entry.kind, entry.analyst or "-", cost, entry.sql, entry.detail)
        click.echo(visible(" ".join(" ".join(filter(None, parts)).split())))
