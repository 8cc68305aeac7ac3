"""The command `companyos`: its groups, and what becomes of errors.

Commands live in one module each and are imported when they are called, so that `--help` answers at once.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import signal
import sys
import warnings
from importlib import import_module
from typing import Any, TextIO

import click

from companyos import __version__

INTERRUPTED = 130
FAILED = 4
_BY_DUCKDB = "Query interrupted"  # what DuckDB makes of a signal that comes while it works in the main thread
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
_COMPLETING = "_COMPANYOS_COMPLETE"
_LEAN = (["bundle", "build"], ["mask", "anonymize"], ["mask", "risk"])  # commands that would wait longest for what they do not need


class Lazy(click.Group):
    """A group whose commands are imported when they are needed: `commands` maps names to (module, attribute, short help)."""

    def __init__(self, *arguments: Any, places: dict[str, tuple[str, str, str]] | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._places = places or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._places:
            return None
        module, attribute, _ = self._places[cmd_name]
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in self._places.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self._places and not args[0].startswith("-"):
            from schemas.errors import nearest

            raise click.UsageError(f"unknown command '{args[0]}'{nearest(args[0], self._places)}", ctx)
        return super().resolve_command(ctx, args)


def _show_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from datagen.version import GENERATOR_VERSION

        click.echo(f"companyos {__version__} (generator {GENERATOR_VERSION})")
        ctx.exit()


PLACES = {
    "schema": ("companyos.schema_commands", "schema", "Check schemas; make one from a live database; profile bundles."),
    "bundle": ("companyos.bundle_commands", "bundle", "Build, list, show, verify and remove seed bundles."),
    "load": ("companyos.load_command", "load", "Load a bundle into a database."),
    "mask": ("companyos.mask_commands", "mask", "Find personal data, mask it, and prove that nothing is left."),
    "query": ("companyos.query_command", "query", "Ask a bundle or database in SQL; answers are differentially private."),
    "dp": ("companyos.dp_commands", "dp", "Look after private queries: budgets, their ledger, declarations."),
    "sandbox": ("companyos.sandbox_commands", "sandbox", "Make, look after and remove isolated databases seeded from bundles."),
    "audit": ("companyos.audit_commands", "audit", "Read, verify and sign the ledger of all that happened to sandboxes."),
    "serve": ("companyos.serve_command", "serve", "Serve sandboxes over HTTP."),
    "token": ("companyos.token_commands", "token", "Make, list and revoke the API tokens of that service."),
    "demo": ("companyos.demo_commands", "demo", "Make demo tenants, reset them to their bundles, and roll them back."),
    "rows": ("companyos.rows_command", "rows", "Print any rows of a table, without making the rest."),
    "tour": ("companyos.tour", "tour", "Build, verify and load the built-in company, and look around."),
    "completion": ("companyos.completion", "completion", "Print the completion script of a shell."),
}


@click.command(cls=Lazy, places=PLACES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show our version and that of the generator."
)
def cli() -> None:
    """Safe, production-like data for every non-production environment.

    Exit codes: 0 done; 1 a check failed; 2 bad input or usage; 3 refused by policy; 4 another system failed; 130 interrupted.
    """


def main() -> None:
    """Run the command line; every error becomes one message and its exit code."""
    if _COMPLETING in os.environ:
        import_module("companyos.completion")
        cli.main(prog_name="companyos", complete_var=_COMPLETING)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # what other programs read is UTF-8 everywhere; a terminal shows what it can
            stream.reconfigure(errors="backslashreplace", encoding=None if stream.isatty() else "utf-8")
    warnings.showwarning = _show_warning
    if sys.argv[1:3] in _LEAN:
        from companyos.lean import lean

        lean()
    for name in _ENDING[1:]:  # what ends jobs and containers, and a terminal that closes, end us as cleanly as Ctrl-C does
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    atexit.register(_pass_over_signals)
    sys.exit(run(sys.argv[1:]))


def _pass_over_signals() -> None:
    """Keep the exit code of what is done: Python takes its handlers back before it ends, and a signal would kill it then."""
    for name in _ENDING:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def run(arguments: list[str]) -> int:
    """Run the command line with `arguments` and return its exit code."""
    try:
        code = _invoke(arguments)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(arguments)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None and "--json" not in arguments:
            click.echo(error.ctx.get_usage(), err=True)
        from schemas.errors import without_secrets

        return _fail(without_secrets(error.format_message()), error.exit_code if error.exit_code != 1 else 2, arguments)
    except BrokenPipeError:
        _drop_output()
        return 0
    except Exception as error:
        return _failed(error, arguments)
    return code


def _invoke(arguments: list[str]) -> int:
    # not cli.main(), which gives a closed pipe the exit code of a failed check
    try:
        with cli.make_context("companyos", list(arguments)) as context:
            result = cli.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    return result if isinstance(result, int) else 0


def _interrupted(arguments: list[str]) -> int:
    return _fail("interrupted; nothing was left half-made", INTERRUPTED, arguments)


def _failed(error: Exception, arguments: list[str]) -> int:
    from schemas.errors import CompanyOSError, without_secrets

    if type(error) is RuntimeError and str(error) == _BY_DUCKDB:
        return _interrupted(arguments)
    if os.environ.get("COMPANYOS_DEBUG"):
        raise error
    if isinstance(error, CompanyOSError):
        return _fail(str(error), error.exit_code, arguments)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}", FAILED, arguments)
    what = without_secrets(f"{type(error).__name__}: {error}").splitlines()[0][:300]
    return _fail(f"unexpected failure ({what}); set COMPANYOS_DEBUG=1 to see where, and please report it", FAILED, arguments)


def _fail(message: str, code: int, arguments: list[str]) -> int:
    """Say what went wrong: as one JSON object on standard output where --json was asked for, else on standard error."""
    try:
        if "--json" in arguments:
            print(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
        sys.stdout.flush()
        if "--json" in arguments:
            return code
    except OSError:
        _drop_output()
    for i, line in enumerate(message.splitlines() or [""]):
        click.echo(("error: " if i == 0 else "       ") + line, err=True)
    return code


def _drop_output() -> None:
    """Let what is still to be printed go nowhere, so that Python does not fail over it once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None, line: str | None = None
) -> None:
    from schemas.errors import without_secrets

    click.echo(f"warning: {without_secrets(str(message))}", err=True)
