"""`companyos sandbox connect`."""

from __future__ import annotations

import os
import shutil
import sys

import click

from companyos.options import json_option
from companyos.output import print_json
from companyos.sandbox_options import id_argument, opened, place_options

_SHELLS = {"postgresql": "psql", "duckdb": "duckdb", "sqlite": "sqlite3"}


@click.command()
@id_argument
@click.option("--print", "print_only", is_flag=True, help="Print the URL, password included, and open nothing.")
@click.option("--rotate", is_flag=True, help="Make a new password first; a sandbox that is a file has none.")
@place_options
@json_option
def connect(id: str, print_only: bool, rotate: bool, control: str | None, environments: str | None, as_json: bool) -> None:
    """Open psql (or duckdb, sqlite3) on sandbox ID; print the URL where there is no such shell, or no terminal."""
    with opened(control, environments) as (sandboxes, actor):
        address = sandboxes.address(id, actor=actor, rotate=rotate)
    if as_json:
        print_json({"id": id, "url": address})
        return
    kind, _, rest = address.partition("://")
    shell = shutil.which(_SHELLS.get(kind, kind))
    if print_only or shell is None or not sys.stdin.isatty():
        click.echo(address)
        return
    sys.stdout.flush()
    if kind == "postgresql":
        from urllib.parse import unquote, urlsplit, urlunsplit

        parts = urlsplit(address)
        # other accounts see a program's arguments, but not its environment
        bare = parts._replace(netloc=f"{parts.username}@{parts.netloc.rpartition('@')[2]}")
        os.execve(shell, [shell, urlunsplit(bare)], {**os.environ, "PGPASSWORD": unquote(parts.password or "")})
    os.execv(shell, [shell, rest.removeprefix("/")])
