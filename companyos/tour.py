"""`companyos tour`: the main job from end to end on embedded defaults, and what it looks like."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import click

from companyos.output import human_bytes, print_table, progress
from companyos.person import person
from schemas.plurals import counted

_SAMPLES = (
    ("A tenant and what it pays", "SELECT t.name, t.country, p.name AS plan, s.seats, s.status, s.started_on FROM tenants t "
     "JOIN subscriptions s ON s.tenant_id = t.id JOIN plans p ON p.id = s.plan_id ORDER BY t.created_at LIMIT 4"),
    ("Its people", "SELECT name, email, phone, job_title FROM users ORDER BY id LIMIT 4"),
    ("Invoices by status", "SELECT status::TEXT AS status, count(*) AS n, sum(total) AS total FROM invoices GROUP BY 1 ORDER BY 2 DESC"),
    ("A support ticket", "SELECT m.author, m.body FROM ticket_messages m WHERE m.ticket_id = 3 ORDER BY m.position LIMIT 3"),
)  # fmt: skip

_OWNER = "alice@company.com"
_PRIVATE = "SELECT status, COUNT(*) AS people FROM users GROUP BY status"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("companyos-tour"))
@click.option("--scale", metavar="X", type=float, default=1.0, show_default=True, help="Times as many rows.")
def tour(folder: Path, scale: float) -> int:
    """Build the built-in company, verify it, load it into a DuckDB file in FOLDER, look around, and make and remove a sandbox."""
    import bundles
    import datagen
    import provisioning

    store, database = folder / "bundles", folder / "companyos.duckdb"
    source = datagen.source("companyos", scale=scale)
    folder.mkdir(parents=True, exist_ok=True)

    _say("1. Build", f"companyos bundle build companyos --store {store} --tag synthetic:v1")
    started = time.monotonic()
    with progress(quiet=False) as tell:
        made = bundles.build(source, store=store, tag="synthetic:v1", on_progress=tell)
    rows = sum(t.rows for t in made.tables.values())
    size = human_bytes(sum(t.bytes for t in made.tables.values()))
    click.echo(f"   {counted(len(made.tables), 'table')}, {counted(rows, 'row')}, {size} in {time.monotonic() - started:.1f} s")
    click.echo(f"   content {made.content_digest}: the same on every machine")

    _say("2. Verify", f"companyos bundle verify synthetic:v1 --store {store}")
    started = time.monotonic()
    with progress(quiet=False) as tell:
        report = bundles.verify(made, on_progress=tell)
    report.require()
    checked = ", ".join(counted(number, what.removesuffix("s"), what) for what, number in report.checked.items())
    click.echo(f"   sound in {time.monotonic() - started:.1f} s: {checked}")

    _say("3. Load", f"companyos load synthetic:v1 duckdb:///{database} --replace --store {store}")
    with progress(quiet=False) as tell:
        receipt = provisioning.load(made, f"duckdb:///{database}", replace=True, on_progress=tell)
    click.echo(f"   loaded and read back in {receipt.seconds:.1f} s: the digests are the same")

    _say("4. Look around", f"duckdb {database}")
    print_table(
        ["table", "rows", "what it is"],
        [[t.name, f"{made.tables[t.name].rows:,}", t.comment or ""] for t in made.schema.tables],
        numbers=(1,),
    )
    _show_samples(database)

    _use_a_sandbox(folder, store)

    click.echo("\nWhere things are")
    click.echo(f"   the bundle     {store}  (an OCI image layout)")
    click.echo(f"   the database   {database}")
    click.echo(f"   the sandboxes  {folder / 'control.db'}  (who had what, when and why: companyos audit log)")
    click.echo("\nWhat to try next")
    click.echo(f"   export COMPANYOS_HOME={folder}                  # and the commands above need no --store")
    click.echo("   companyos schema show companyos > shop.yaml     # start a schema of your own")
    click.echo("   companyos schema reflect sqlite:///your.db      # or take that of your database")
    click.echo("   companyos rows companyos users --from 1000 --to 1005 --format jsonl")
    click.echo(f"   companyos load synthetic:v1 sqlite:///{folder}/companyos.sqlite --as-of now --store {store}")
    return 0


def _use_a_sandbox(folder: Path, store: Path) -> None:
    """Make a sandbox, ask it something, and remove it."""
    from provisioning.life.sandboxes import open_sandboxes

    with open_sandboxes(None, None, store, home=folder) as sandboxes:
        flags = ("onboarding", "async-billing")
        asked = f"--owner {_OWNER} --template feature-default --ttl 72h --seed synthetic:v1 --feature-flags {','.join(flags)}"
        _say("5. A sandbox", f"companyos sandbox create {asked}")
        with progress(quiet=False) as tell:
            created = sandboxes.create(
                sandboxes.who(_OWNER),
                template="feature-default",
                ttl=timedelta(hours=72),
                seed="synthetic:v1",
                flags=flags,
                actor=person(),
                why="a tour",
                on_progress=tell,
            )
        sandbox, address = created.sandbox, created.address
        assert sandbox.receipt is not None and address is not None
        click.echo(f"   {sandbox.id} is {sandbox.state} until {sandbox.expires_at:%Y-%m-%d %H:%M UTC}, by {sandbox.receipt['strategy']}")
        click.echo(f"   in {sandbox.receipt['seconds']} s: {address}")

        _say("6. Ask it, and learn of nobody", f'companyos query {address} --schema companyos "{_PRIVATE}"')
        _ask_privately(address, folder)

        _say("7. Delete it", f"companyos sandbox delete {sandbox.id}")
        click.echo(
            f"   {sandbox.id} is {sandboxes.delete(sandbox.id, actor=person(), why='the tour is over').state}: database and files are gone"
        )


def _ask_privately(address: str, folder: Path) -> None:
    from companyos.private_target import open_service
    from companyos.query_command import show
    from dpsql.planning.model import Settings
    from schemas.errors import InputError

    try:
        service = open_service(address, schema_file="companyos", ledger=str(folder / "ledger.db"))
        show(service.ask(_PRIVATE, analyst=person(), settings=Settings(epsilon=0.5)))
    except InputError as error:  # the extra that brings the noise is not installed
        click.echo(f"   {error}")


def _say(title: str, command: str) -> None:
    click.echo(f"\n{click.style(title, bold=True)}   $ {command}")


def _show_samples(database: Path) -> None:
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        for title, query in _SAMPLES:
            found = connection.execute(query)
            names = [d[0] for d in found.description or []]
            rows = found.fetchall()
            numbers = [i for i, value in enumerate(rows[0] if rows else ()) if isinstance(value, (int, Decimal))]
            click.echo(f"\n{title}")
            print_table(
                names, [["" if v is None else f"{v:,}" if i in numbers else str(v) for i, v in enumerate(r)] for r in rows], numbers=numbers
            )
