"""`companyos audit`: the ledger of all that happened to sandboxes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from companyos.cli import Lazy
from companyos.options import json_option
from companyos.output import print_json, visible
from companyos.sandbox_options import control_option
from schemas.plurals import counted

if TYPE_CHECKING:
    from provisioning.audit import Event, Report


class SinceType(click.ParamType["datetime | timedelta"]):
    """A date or time stamp, or a length of time before now."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | timedelta:
        from schemas.times import EPOCH, MICROSECOND, parse_duration, parse_moment

        if isinstance(value, datetime | timedelta):
            return value
        try:
            if "-" in value:
                return EPOCH + parse_moment(value) * MICROSECOND
            return timedelta(microseconds=parse_duration(value))
        except (ValueError, OverflowError):
            self.fail(f"'{value[:60]}' is neither a length of time such as 24h or 7d nor a moment such as 2026-01-31T09:00Z", param, ctx)


PLACES: dict[str, tuple[str, str, str]] = {
    "log": (__name__, "log", "Print who did what, when, why and with which outcome."),
    "verify": (__name__, "verify", "Recompute the ledger, and say what was touched and where."),
    "checkpoint": (__name__, "checkpoint", "Sign how far the ledger has come."),
    "key": (__name__, "key", "Make a key to sign with."),
    "grants": (__name__, "grants", "Print the SQL by which a role may only add to the ledger."),
}

audit = Lazy("audit", places=PLACES, help="Read, verify and sign the ledger of all that happened to sandboxes.")


@click.command()
@click.option("--sandbox", metavar="ID", help="The events of one sandbox.")
@click.option("--actor", metavar="NAME", help="The events of one person or service.")
@click.option("--action", metavar="NAME", help="The events of one kind, such as created.")
@click.option("--since", metavar="WHEN", type=SinceType(), help="The events since a moment, or of the last 24h, 7d and so on.")
@click.option("--limit", metavar="N", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The most to print.")
@click.option("--before", metavar="NUMBER", type=click.IntRange(1), help="Go on after a page that ended: only events before this one.")
@click.option("--all", "every", is_flag=True, help="Print all that fit, whatever --limit says.")
@control_option
@json_option
def log(
    sandbox: str | None,
    actor: str | None,
    action: str | None,
    since: datetime | timedelta | None,
    limit: int,
    before: int | None,
    every: bool,
    control: str | None,
    as_json: bool,
) -> None:
    """Print who did what, when, why and with which outcome, the newest first; with --json one object on each line."""
    from provisioning.audit import Filters, actions
    from provisioning.audit import log as read_log
    from provisioning.control.reading import open_to_read

    found = False
    with open_to_read(control) as opened:
        moment = opened.clock() - since if isinstance(since, timedelta) else since
        filters = Filters(sandbox, actor, action, moment)
        while True:
            page = read_log(opened, filters, before=before, limit=1_000 if every else limit)
            found = found or bool(page.events)
            for event in page.events:
                print(visible(json.dumps(event.to_json(), ensure_ascii=False)) if as_json else _line(event))
            before = page.next
            if before is None or not every:
                break
        known = actions(opened) if action is not None and not found else ()
    if not found and not as_json:
        unknown = f"; the actions of this ledger are {', '.join(map(visible, known))}" if known and action not in known else ""
        click.echo(f"no events were found{unknown}", err=True)
    if before is not None:
        click.echo(f"older ones with --before {before}", err=True)


@click.command()
@click.option(
    "--public-key", "public_keys", metavar="FILE", type=click.Path(path_type=Path), multiple=True,
    help="A public key that checkpoints may be signed with; give those of before as well.  [default: $COMPANYOS_AUDIT_KEY's]",
)  # fmt: skip
@click.option(
    "--checkpoint", "kept", metavar="FILE", type=click.Path(path_type=Path), multiple=True,
    help="Checkpoints that were kept elsewhere: they show that the newest events are missing. May be given more than once.",
)  # fmt: skip
@click.option(
    "--anchor", metavar="FILE",
    help="What remembers the last verification.  [default: $COMPANYOS_AUDIT_ANCHOR, or a file in your data folder]",
)  # fmt: skip
@control_option
@json_option
def verify(public_keys: tuple[Path, ...], kept: tuple[Path, ...], anchor: str | None, control: str | None, as_json: bool) -> int:
    """Recompute the ledger; exit code 1 where an event was altered, removed, reordered or cut off, and where."""
    from provisioning.audit import anchor_of, public_keys_of, read_checkpoints
    from provisioning.audit import verify as verify_ledger
    from provisioning.control.reading import open_to_read

    keys = public_keys_of(public_keys)
    checkpoints = [one for path in kept for one in read_checkpoints(path)]
    with open_to_read(control) as opened:
        remembered = anchor_of(opened, anchor)
        begun = not remembered.path.exists()
        report = verify_ledger(opened, keys, kept=checkpoints, anchor=remembered)
    if begun and not report.problems:
        click.echo(f"a new anchor was begun, {visible(str(remembered.path))}: events that are cut off are found from now on", err=True)
    if as_json:
        print_json(report.to_json())
    else:
        _tell(report, signed=bool(keys))
    return 1 if report.problems else 0


@click.command()
@click.option("--key", metavar="FILE", type=click.Path(path_type=Path), help="The private key.  [default: $COMPANYOS_AUDIT_KEY]")
@click.option(
    "--to", "path", metavar="FILE", type=click.Path(path_type=Path),
    help="Add the checkpoint to a file as a line, to keep it elsewhere; `-` prints it.",
)  # fmt: skip
@control_option
@json_option
def checkpoint(key: Path | None, path: Path | None, control: str | None, as_json: bool) -> None:
    """Sign how far the ledger has come, and keep that beside it; a broken one is not signed."""
    from provisioning.audit import anchor_of, private_key_of, write_checkpoint
    from provisioning.audit import checkpoint as sign
    from provisioning.control.database import open_control

    signer = private_key_of(key)
    with open_control(control) as opened:
        made = sign(opened, signer, anchor=anchor_of(opened))
    if path is not None and str(path) != "-":
        write_checkpoint(path, made)
    if as_json or str(path) == "-":
        print_json(made.to_json())
    else:
        click.echo(f"signed up to event {made.number:,}: {made.hash}")


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@json_option
def key(path: Path, as_json: bool) -> None:
    """Make a key for checkpoints: the private one in FILE, for its owner alone, the public one in FILE.pub."""
    from provisioning.audit import make_key

    public = make_key(path)
    if as_json:
        print_json({"private": str(path), "public": str(public)})
    else:
        click.echo(f"{path} signs (COMPANYOS_AUDIT_KEY={path}); keep {public} where checkpoints are verified")


@click.command()
@click.argument("role", metavar="ROLE")
@json_option
def grants(role: str, as_json: bool) -> None:
    """Print the SQL by which ROLE may use a control database in PostgreSQL and only add to its ledger."""
    from provisioning.audit import grants as statements

    print_json(statements(role)) if as_json else click.echo("".join(f"{text};\n" for text in statements(role)), nl=False)


def _line(event: Event) -> str:
    parts = (
        str(event.number),
        event.at,
        event.actor,
        event.action,
        event.sandbox or "-",
        event.bundle_digest or "-",
        json.dumps(event.outcome, ensure_ascii=False) if event.outcome else "",
        event.why,
        "" if event.whole else "(this event was altered)",
    )
    return visible(" ".join(filter(None, parts)))


def _tell(report: Report, *, signed: bool) -> None:
    for problem in report.problems:
        print(f"{problem.kind}: {visible(problem.message)}")
    if report.more:
        print(f"and {report.more:,} more")
    if report.problems:
        return
    if report.warnings:
        print(f"{counted(report.events, 'event')}, none touched; warning: {'; '.join(report.warnings)}")
    elif signed:
        print(f"{counted(report.events, 'event')}, none touched; signed up to event {report.signed:,}")
    else:
        print(f"{counted(report.events, 'event')}, none touched; signatures were not checked, since no public key was given (--public-key)")
