"""`companyos sandbox policy`: what the environments allow, whether a file of them can be read, and what would be said of a sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from companyos.options import ReferenceType, json_option, store_option
from companyos.output import print_json, print_table
from companyos.sandbox_options import DurationType, FlagsType, TemplateType, control_option, opened
from schemas.environments import KINDS

if TYPE_CHECKING:
    from provisioning.policy import Verdict
    from schemas.environments import Environment, Environments

REFUSED = 3


@click.command()
@click.argument("file", required=False, metavar="[FILE]", type=click.Path(dir_okay=False))
@click.option("--check", is_flag=True, help="Only say whether the file can be read, and which templates nothing can be made after.")
@click.option("--print", "show_text", is_flag=True, help="Print the file itself, to begin one of your own with.")
@click.option(
    "--explain",
    "template",
    metavar="TEMPLATE",
    type=TemplateType(),
    help="Say what the policy says of a sandbox after TEMPLATE, and make none.",
)
@click.option("--owner", metavar="ADDRESS", help="With --explain: whose it would be.")
@click.option(
    "--seed",
    metavar="REF",
    type=ReferenceType(),
    default="synthetic:v1",
    show_default=True,
    help="With --explain: the bundle that it would hold.",
)
@click.option("--kind", type=click.Choice(KINDS), help="With --explain: as if REF were of this kind, and not approved.")
@click.option("--ttl", metavar="TIME", type=DurationType(), help="With --explain: how long it would live, such as 72h.")
@click.option("--feature-flags", "flags", metavar="NAME,...", type=FlagsType(), default=(), help="With --explain: flags to turn on.")
@control_option
@store_option
@json_option
def policy(
    file: str | None,
    check: bool,
    show_text: bool,
    template: str | None,
    owner: str | None,
    seed: str,
    kind: str | None,
    ttl: timedelta | None,
    flags: tuple[str, ...],
    control: str | None,
    store: str | None,
    as_json: bool,
) -> int:
    """Show what the environments allow, their templates and hosts; check a file of them; explain what would be said of a sandbox.

    FILE is that of $COMPANYOS_ENVIRONMENTS unless given, or else the one that comes with the project. With --explain the exit code is 3
    where the sandbox would be refused.
    """
    from schemas.environments_reader import environments_text, parse_environments

    if template is not None:
        if owner is None:
            raise click.UsageError("--explain needs --owner")
        return _explain(file, control, store, as_json, owner, template=template, seed=seed, kind=kind, ttl=ttl, flags=flags)
    text, name = environments_text(file)
    environments = parse_environments(text, name)
    if show_text:
        click.echo(text, nl=False)
    elif check:
        _check(environments, name, as_json)
    elif as_json:
        from schemas.environments_document import to_document

        print_json({"file": name, **to_document(environments)})
    else:
        _show(environments)
    return 0


def _explain(file: str | None, control: str | None, store: str | None, as_json: bool, owner: str, **asked: Any) -> int:
    from provisioning.life.explaining import explain
    from provisioning.policy import Who

    with opened(control, file, store) as (sandboxes, actor):
        verdict = explain(sandboxes.platform, Who(owner), actor=actor, **asked)
    if as_json:
        print_json(verdict.to_json())
    else:
        _tell(verdict)
    return 0 if verdict.allowed else REFUSED


def _tell(verdict: Verdict) -> None:
    from provisioning.policy.lifetime import spoken

    if verdict.allowed:
        click.echo(f"allowed; it would live for {spoken(verdict.ttl)} ({verdict.why_ttl})")
    for violation in verdict.violations:
        click.echo(f"refused by {violation.rule}: {violation.message}")
    click.echo(f"checked: {', '.join(verdict.checked)}")


def _check(environments: Environments, name: str, as_json: bool) -> None:
    from importlib.util import find_spec

    from provisioning.policy import faults

    broken = {template: faults(environments, template) for template in environments.templates}
    own = sum(len(environment.rules) for environment in environments.environments.values())
    unread = own > 0 and find_spec("celpy") is None
    if as_json:
        told = {template: [{"rule": f.rule, "message": f.message} for f in found] for template, found in broken.items() if found}
        print_json({"file": name, "valid": True, "unusable_templates": told, "rules_read": not unread})
        return
    click.echo(
        f"{name}: {len(environments.environments)} environments, {len(environments.templates)} templates, {len(environments.hosts)} hosts, "
        f"{len(environments.owners)} owners: nothing is wrong"
    )
    if unread:
        click.echo("note: the rules in CEL were not read; install what reads them with: pip install 'companyos-data[policy]'")
    for template, found in broken.items():
        for fault in found:
            click.echo(f"note: nothing can be made after template {template}: {fault.rule}: {fault.message}")


def _show(environments: Environments) -> None:
    headings = ("environment", "data (approvals)", "owners", "quota", "ttl", "most", "alone", "egress", "collectors", "changes", "rules")
    print_table(headings, [_row(environment) for environment in environments.environments.values()], numbers=(3,))
    rows = [
        (
            t.name,
            t.environment,
            f"{t.host} ({environments.hosts[t.host].kind})",
            ", ".join(t.seeds),
            ", ".join(t.flags),
            "yes" if t.approved_infrastructure and t.approved_data else "no",
        )
        for t in environments.templates.values()
    ]
    print_table(("template", "environment", "host", "seeds", "feature flags", "approved"), rows)


def _row(environment: Environment) -> list[str]:
    from provisioning.policy.change_windows import in_words
    from provisioning.policy.lifetime import spoken

    if not environment.loads:
        return [environment.name, "none, ever", *("" for _ in range(9))]
    kinds = ", ".join(f"{kind} ({approvals})" if approvals else kind for kind, approvals in environment.classes.items())
    lives = [spoken(length) for length in (environment.ttl_default, environment.ttl_most, environment.extend_alone)]
    window = environment.change_window
    return [
        environment.name,
        kinds,
        "anybody" if "*" in environment.owner_groups else ", ".join(environment.owner_groups),
        str(environment.quota),
        *lives,
        environment.egress.default + (f" ({len(environment.egress.exceptions)} exceptions)" if environment.egress.exceptions else ""),
        ", ".join(environment.collectors),
        "any time" if window is None else in_words(window),
        ", ".join(rule.name for rule in environment.rules),
    ]
