"""`companyos sandbox sweep` and `reconcile`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from companyos.options import json_option
from companyos.output import print_json
from companyos.sandbox_options import opened, place_options

if TYPE_CHECKING:
    from provisioning.life.reconciling import Reconciled

_FAILED = 4


@click.command()
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would go.")
@place_options
@json_option
def sweep(dry_run: bool, control: str | None, environments: str | None, as_json: bool) -> int:
    """Remove sandboxes that are expired or idle, and templates that nobody takes; finish or undo what a crash left.

    Made for cron: `17 3 * * * companyos sandbox sweep`. The exit code is 4 where anything went wrong.
    """
    with opened(control, environments) as (sandboxes, actor):
        swept = sandboxes.sweep(actor=actor, dry_run=dry_run)
    if as_json:
        print_json(swept.to_json())
        return _FAILED if swept.errors else 0
    if swept.reconciled is not None:
        _put_right(swept.reconciled)
    would = "would be " if dry_run else ""
    _say(f"{would}removed, their time over", swept.expired)
    _say(f"{would}removed, idle", swept.idle)
    _say(f"larger than they may be, and {would}read-only", swept.oversize)
    _say(f"templates {would}removed", swept.templates)
    click.echo(f"{len(swept.kept)} kept")
    return _errors(swept.errors)


@click.command()
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would be put right.")
@place_options
@json_option
def reconcile(dry_run: bool, control: str | None, environments: str | None, as_json: bool) -> int:
    """Finish or undo what a crash left; find databases and roles without a record, and records without a database."""
    with opened(control, environments) as (sandboxes, actor):
        done = sandboxes.reconcile(actor=actor, dry_run=dry_run)
    if as_json:
        print_json(done.to_json())
        return _FAILED if done.errors else 0
    if not _put_right(done) and not done.errors:
        click.echo("records and hosts agree")
    return _errors(done.errors)


def _put_right(done: Reconciled) -> bool:
    """Say what was put right, and return whether anything was."""
    found = {
        "half-made, undone": done.undone,
        "half-removed, finished": done.finished,
        "half-reset, settled": done.settled,
        "recorded without a database, failed": done.lost,
        "without a record, removed": done.orphans,
        "passwords without a sandbox, removed": done.passwords,
    }
    for what, ids in found.items():
        _say(what + (" (not yet: a dry run)" if done.dry_run else ""), ids)
    return any(found.values())


def _say(what: str, names: Sequence[str]) -> None:
    if names:
        click.echo(f"{len(names)} {what}: {', '.join(names)}")


def _errors(errors: Sequence[str]) -> int:
    for error in errors:
        click.echo(f"error: {error}", err=True)
    return _FAILED if errors else 0
