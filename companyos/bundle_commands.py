"""`companyos bundle`: build, list, show, verify, remove and collect."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from companyos.bundle_media import media
from companyos.bundle_recall import recall
from companyos.changes_command import changes
from companyos.options import (
    MomentType,
    json_option,
    reference_argument,
    scale_option,
    scenario_option,
    schema_argument,
    seed_option,
    state_option,
    store_option,
)
from companyos.output import human_bytes, print_json, print_table, progress, scale_text, short_digest
from schemas.plurals import counted

if TYPE_CHECKING:
    from bundles import Origin

_REASONS = 3


@click.group()
def bundle() -> None:
    """Build, list, show, verify and remove seed bundles."""


@bundle.command()
@schema_argument
@seed_option
@scale_option
@scenario_option
@state_option
@click.option("--tag", metavar="NAME:VERSION", help="What to call it.  [default: synthetic:latest]")
@click.option("--jobs", metavar="N", type=click.IntRange(min=1), help="How many threads.  [default: the number of cores]")
@click.option("--chunk-rows", metavar="N", type=int, default=262_144, show_default=True, help="Rows in a file; a multiple of 65536.")
@click.option(
    "--expires",
    metavar="DATE",
    type=MomentType(),
    help="When it is to be used no more (UTC): no sandbox holds it longer, and `companyos load` refuses it.",
)
@click.option("--reuse/--no-reuse", default=True, show_default=True, help="Take over unchanged tables from bundles of the store.")
@click.option("--explain", is_flag=True, help="Say of each table whether it was reused or made, and why.")
@store_option
@json_option
def build(
    schema: str,
    seed: int | None,
    scale: float,
    scenarios: dict[str, float | None],
    moment: str | None,
    tag: str | None,
    jobs: int | None,
    chunk_rows: int,
    expires: datetime | None,
    reuse: bool,
    explain: bool,
    store: str | None,
    as_json: bool,
) -> None:
    """Build the bundle of a SCHEMA: a file, or the name of a built-in schema (companyos, demo, tpch).

    The same schema, seed, scale and scenarios give the same bytes on any machine, whether tables are reused or not.
    """
    import bundles
    import datagen

    started = time.monotonic()
    if expires is not None and expires <= datetime.now(UTC):
        raise click.BadParameter(f"{expires:%Y-%m-%d %H:%M UTC} is past, so that nobody could use the bundle", param_hint="--expires")
    source = datagen.source(schema, seed=seed, scale=scale, scenarios=scenarios, as_of=moment)
    with progress(quiet=as_json) as tell:
        made = bundles.build(source, store=store, tag=tag, jobs=jobs, chunk_rows=chunk_rows, reuse=reuse, expires=expires, on_progress=tell)
    seconds = time.monotonic() - started
    description = made.describe()
    if as_json:
        taken = {name: origin.reference for name, origin in made.origins.items() if origin.reference}
        why = {name: {"beside": o.beside, "reasons": o.reasons} for name, o in made.origins.items() if not o.reference}
        print_json({**description, "seconds": round(seconds, 3), "reused": taken, **({"made": why} if explain else {})})
        return
    if explain:
        lines = [[name, f"{made.tables[name].rows:,}", *_explained(origin)] for name, origin in made.origins.items()]
        print_table(["table", "rows", "", "why"], lines, numbers=(1,))
    rows = sum(t.rows for t in made.tables.values())
    reused = sum(origin.reference is not None for origin in made.origins.values())
    tables = counted(len(made.tables), "table") + (f" ({reused} reused)" if reused else "")
    click.echo(f"{made.reference}  {tables}, {counted(rows, 'row')}, {human_bytes(description['bytes'])} in {seconds:.1f} s")
    _say_scenarios(source.scenarios)
    click.echo(f"content   {made.content_digest}")
    click.echo(f"manifest  {made.manifest_digest}")


def _explained(origin: Origin) -> tuple[str, str]:
    """Whether a table was reused or made, and why, as one line says it."""
    if origin.reference is not None:
        return "reused", f"as in {origin.reference}"
    shown = list(origin.reasons[:_REASONS])
    more = len(origin.reasons) - len(shown)
    why = "; ".join([*shown, f"and {more} more"] if more else shown)
    return "made", f"{why} (beside {origin.beside})" if origin.beside else why


def _say_scenarios(applied: Mapping[str, Mapping[str, Any]]) -> None:
    for name, found in applied.items():
        click.echo(
            f"scenario  {name}={found['share']:g}: {counted(found['subjects'], 'subject')} and "
            f"{counted(found['near_misses'], 'near miss', 'near misses')}, "
            f"{counted(found['rows_added'], 'row')} added and {found['rows_set']:,} set"
        )


@bundle.command("list")
@store_option
@json_option
def list_bundles(store: str | None, as_json: bool) -> None:
    """List the bundles of the store."""
    from bundles.errors import BundleDamaged
    from bundles.store import Store

    home = Store(store)
    found, damaged = home.survey()
    if as_json:
        print_json([{name: getattr(b, name) for name in b.__slots__} for b in found])
    elif not found and not damaged:
        click.echo(f"there are no bundles in {home.path}; build one with: companyos bundle build companyos")
    else:
        rows = [
            [
                b.reference,
                b.kind,
                str(b.tables),
                f"{b.rows:,}",
                human_bytes(b.bytes),
                short_digest(b.content_digest),
                short_digest(b.manifest_digest),
            ]
            for b in found
        ]
        if rows:
            print_table(["reference", "kind", "tables", "rows", "size", "content", "manifest"], rows, numbers=(2, 3, 4))
    if damaged:
        raise damaged[0] if len(damaged) == 1 else BundleDamaged("; ".join(map(str, damaged)))


@bundle.command()
@reference_argument
@store_option
@json_option
def show(reference: str, store: str | None, as_json: bool) -> None:
    """Show what bundle REF (name:version, or name@sha256:...) holds and where it comes from."""
    import bundles

    found = bundles.open(reference, store)
    described = found.describe()
    if as_json:
        print_json(described)
        return
    click.echo(f"{found.reference}  {found.kind}, {found.data_class} data, {human_bytes(described['bytes'])}")
    click.echo(f"content   {found.content_digest}")
    if found.manifest.media:
        click.echo(f"tables    {found.config.tables_digest} (what a database gives back)")
    click.echo(f"manifest  {found.manifest_digest}")
    origin = found.provenance
    if "seed" in origin:
        click.echo(
            f"made from {described['schema']}, seed {origin['seed']}, scale {scale_text(str(origin['scale']))}, "
            f"generator {origin['generator_version']}" + (f", as of {origin['as_of']}" if "as_of" in origin else "")
        )
        _say_scenarios(origin.get("scenarios", {}))
    rows = [
        [name, f"{t.rows:,}", str(len(t.columns)), human_bytes(t.bytes), short_digest(t.content_digest)] for name, t in found.tables.items()
    ]
    print_table(["table", "rows", "columns", "size", "content"], rows, numbers=(1, 2, 3))
    if found.manifest.media:
        columns = ", ".join(dict.fromkeys(f"{layer.table}.{layer.column}" for layer in found.manifest.media))
        click.echo(f"{counted(len(found.manifest.media), 'file')} of {columns}; `companyos bundle media {found.reference}` lists them")


@bundle.command()
@reference_argument
@store_option
@json_option
def verify(reference: str, store: str | None, as_json: bool) -> int:
    """Verify bundle REF: every blob, type, key, reference, check and digest."""
    import bundles

    opened = bundles.open(reference, store)
    with progress(quiet=as_json) as tell:
        report = bundles.verify(opened, on_progress=tell)
    if as_json:
        print_json(report.describe())
        return 0 if report.ok else 1
    for finding in report.not_checked:
        click.echo(f"not checked: {finding}", err=True)
    for finding in report.problems:
        click.echo(f"wrong: {finding}", err=True)
    checked = ", ".join(counted(number, what.removesuffix("s"), what) for what, number in report.checked.items())
    click.echo(f"{reference}: {'sound' if report.ok else counted(len(report.problems), 'problem')} ({checked})")
    return 0 if report.ok else 1


bundle.add_command(changes)
bundle.add_command(media)
bundle.add_command(recall)


@bundle.command()
@reference_argument
@click.argument("new", metavar="NAME:VERSION")
@store_option
@json_option
def tag(reference: str, new: str, store: str | None, as_json: bool) -> None:
    """Let the tag NAME:VERSION stand for bundle REF; a tag that is there already is moved, which is how one goes back to a version."""
    from bundles.store import Store

    home = Store(store)
    made = str(home.tag(reference, new))
    digest = home.resolve(made).manifest.digest
    if as_json:
        print_json({"reference": made, "manifest_digest": digest})
    else:
        click.echo(f"{made} is {digest}")


@bundle.command()
@reference_argument
@store_option
@json_option
def rm(reference: str, store: str | None, as_json: bool) -> None:
    """Remove reference REF. Its data stays until `companyos bundle gc`."""
    from bundles.store import Store

    removed = Store(store).remove(reference)
    if as_json:
        print_json({"removed": removed})
    else:
        click.echo(f"removed {', '.join(removed)}; `companyos bundle gc` frees what nothing needs any more")


@bundle.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@store_option
@json_option
def gc(dry_run: bool, store: str | None, as_json: bool) -> None:
    """Collect garbage: remove the data that no reference needs, and what killed builds left.

    Exit code 4 where you may not remove something, such as what a killed build of another user left; all else is removed.
    """
    from bundles.store import Store

    found = Store(store).collect_garbage(dry_run=dry_run)
    if as_json:
        print_json({"blobs": found.blobs, "bytes": found.bytes, "dry_run": dry_run})
    else:
        click.echo(f"{'would remove' if dry_run else 'removed'} {counted(found.blobs, 'blob')}, {human_bytes(found.bytes)}")
