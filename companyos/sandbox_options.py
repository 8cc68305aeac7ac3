"""Options of the commands about sandboxes, and opening what they work with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from companyos.person import person

if TYPE_CHECKING:
    from provisioning.life.sandboxes import Sandboxes


LONGEST_REASON = 500  # characters, on the command line and in the service


class DurationType(click.ParamType[timedelta]):
    """A time such as `72h`, `7d` or `90m`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        from schemas.times import parse_duration

        if isinstance(value, timedelta):
            return value
        try:
            return timedelta(microseconds=parse_duration(str(value), negative=True))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class TemplateType(click.ParamType[str]):
    """A template of sandboxes; completed from the file of environments."""

    name = "template"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from schemas.environments_reader import read_environments
        from schemas.errors import CompanyOSError

        try:
            known = read_environments(ctx.params.get("environments") or ctx.params.get("file")).templates
        except CompanyOSError:
            return []
        return [CompletionItem(name) for name in known if name.startswith(incomplete)]


class ScopeType(click.ParamType[str]):
    """What a token allows."""

    name = "scope"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from provisioning.access.scopes import SCOPES

        return [CompletionItem(scope) for scope in SCOPES if scope.startswith(incomplete)]


class FlagsType(click.ParamType["tuple[str, ...]"]):
    """Names of feature flags, separated by commas."""

    name = "flags"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(dict.fromkeys(name.strip() for name in str(value).split(",") if name.strip()))


class ReasonType(click.ParamType[str]):
    """A reason as the audit ledger takes it and as a terminal may show it: one line, without control characters."""

    name = "reason"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if len(text) > LONGEST_REASON or not all(c.isprintable() for c in text):
            self.fail(f"a reason is one line of at most {LONGEST_REASON} characters", param, ctx)
        return text


id_argument = click.argument("id", metavar="ID")
template_option = click.option(
    "--template", metavar="NAME", type=TemplateType(), default="feature-default", show_default=True, help="What to make it after."
)
ttl_option = click.option(
    "--ttl", metavar="TIME", type=DurationType(), help="How long it lives, such as 72h.  [default: the environment's]"
)
why_option = click.option("--why", metavar="TEXT", type=ReasonType(), default="", help="The reason, for the audit ledger.")
control_option = click.option(
    "--control", metavar="URL",
    help="The control database: a file or postgresql://...  [default: $COMPANYOS_CONTROL, else control.db in your data folder]",
)  # fmt: skip


def place_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--control and --environments."""
    function = control_option(function)
    return click.option(
        "--environments",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="The environments and their policies.  [default: $COMPANYOS_ENVIRONMENTS, else the built-in ones]",
    )(function)


@contextmanager
def opened(
    control: str | None, environments: str | None, store: str | None = None, *, reads: bool = False
) -> Iterator[tuple[Sandboxes, str]]:
    """Yield the sandboxes, and who acts: whoever runs this command; `reads` as of `open_sandboxes`."""
    from provisioning.life.sandboxes import open_sandboxes

    with open_sandboxes(control, environments, store, reads=reads) as sandboxes:
        yield sandboxes, person()
