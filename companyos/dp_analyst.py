"""`companyos dp analyst`: who may log in to the endpoint, and how much each may spend."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TextIO

import click

from companyos.options import json_option
from companyos.output import print_json, print_table
from companyos.private_target import anchor_option, ledger_option
from schemas.errors import InputError

name_argument = click.argument("name", metavar="NAME")


@click.group()
def analyst() -> None:
    """Add, remove and list the analysts who may log in to `companyos dp serve`."""


@analyst.command()
@name_argument
@click.option(
    "--password-file",
    metavar="FILE",
    type=click.File("r", encoding="utf-8"),
    help="Read the password from here, - for standard input.  [default: ask for it]",
)
@click.option("--password-env", metavar="VARIABLE", help="Take the password from an environment variable.")
@click.option("--epsilon", type=float, metavar="E", help="What this analyst may spend of each release.  [default: as the release says]")
@click.option("--delta", type=float, default=0.0, show_default=True, metavar="D", help="The delta that goes with --epsilon.")
@ledger_option
@anchor_option
@json_option
def add(
    name: str, password_file: TextIO | None, password_env: str | None, epsilon: float | None, delta: float,
    ledger: str | None, anchor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Let analyst NAME log in, or give them another password and limit.

    Of the password the ledger's database keeps a SCRAM-SHA-256 verifier, which serves to check it and to log in nowhere.
    """
    from companyos.person import person
    from dpsql.accounting import Limit
    from dpsql.analysts import Analysts
    from dpsql.ledger import open_ledger

    limit = None if epsilon is None else Limit(epsilon, delta)
    password = _password(password_file, password_env)
    with closing(open_ledger(ledger, anchor)) as book:
        Analysts(book).add(name, password, person(), limit)
    said = {"analyst": name, "limit": None if limit is None else {"epsilon": limit.epsilon, "delta": limit.delta}}
    print_json(said) if as_json else click.echo(f"{name} may log in")


@analyst.command()
@name_argument
@ledger_option
@anchor_option
@json_option
def remove(name: str, ledger: str | None, anchor: str | None, as_json: bool) -> None:
    """Let analyst NAME log in no more. What they spent stays spent."""
    from companyos.person import person
    from dpsql.analysts import Analysts
    from dpsql.ledger import open_ledger

    with closing(open_ledger(ledger, anchor, create=False)) as book:
        Analysts(book).remove(name, person())
    print_json({"analyst": name, "removed": True}) if as_json else click.echo(f"{name} may log in no more")


@analyst.command(name="list")
@ledger_option
@anchor_option
@json_option
def list_(ledger: str | None, anchor: str | None, as_json: bool) -> None:
    """List the analysts who may log in."""
    from dpsql.analysts import Analysts
    from dpsql.ledger import open_ledger

    with closing(open_ledger(ledger, anchor, create=False)) as book:
        known = Analysts(book).list()
    if as_json:
        limits = [None if a.limit is None else {"epsilon": a.limit.epsilon, "delta": a.limit.delta} for a in known]
        print_json([{"analyst": a.name, "added": a.added, "limit": limit} for a, limit in zip(known, limits)])
        return
    if not known:
        click.echo("there are no analysts; `companyos dp analyst add` makes one")
        return
    rows = [[a.name, a.added[:19], "as the release" if a.limit is None else f"epsilon {a.limit.epsilon:g}"] for a in known]
    print_table(["analyst", "since (UTC)", "limit"], rows)


def _password(file: TextIO | None, variable: str | None) -> str:
    import os

    if file is not None and variable is not None:
        raise InputError("the password comes from --password-file or from --password-env, not from both")
    if file is not None:
        try:
            return file.read().rstrip("\r\n")
        except UnicodeDecodeError:
            raise InputError(f"{file.name}: the password is not UTF-8 text") from None
    if variable is not None:
        if variable not in os.environ:
            raise InputError(f"there is no environment variable '{variable}' with the password")
        return os.environ[variable]
    if not sys.stdin.isatty():
        raise InputError("there is no terminal to ask for the password: give --password-file or --password-env")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
