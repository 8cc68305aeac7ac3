"""`companyos dp audit`: the log of all that was asked."""

from __future__ import annotations

import click

from companyos.options import json_option
from companyos.output import print_json
from companyos.private_target import anchor_option, ledger_option


@click.command()
@click.option("--verify", is_flag=True, help="Recompute the chain of all entries; exit code 1 where one was touched.")
@click.option("--release", metavar="RELEASE", help="The entries of one release alone.")
@ledger_option
@anchor_option
@json_option
def audit(verify: bool, release: str | None, ledger: str | None, anchor: str | None, as_json: bool) -> None:
    """Print every limit, charge, outcome and refusal in the ledger, in order; never an answer."""
    from dpsql.ledger import open_ledger

    book = open_ledger(ledger, anchor)
    if verify:
        count = book.verify()
        print_json({"entries": count, "verified": True}) if as_json else click.echo(f"{count:,} entries, none touched")
        return
    for entry in book.entries(release):
        if as_json:
            said = {"number": entry.number, "at": entry.at, "kind": entry.kind, "release": entry.release, "analyst": entry.analyst}
            print_json({**said, "epsilon": entry.spend.epsilon, "delta": entry.spend.delta, "sql": entry.sql, "detail": entry.detail})
        else:
            what = " ".join(" ".join(filter(None, (entry.sql, entry.detail))).split())
            click.echo(f"{entry.number} {entry.at} {entry.kind} {entry.analyst or '-'} epsilon {entry.spend.epsilon:.6g} {what}")
