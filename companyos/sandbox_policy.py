"""`companyos sandbox policy`: what the environments allow, whether a file of them can be read, and what would be said of a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from companyos.options import json_option, store_option
from companyos.output import print_json, print_table

if TYPE_CHECKING:
    from provisioning.policy import Verdict
    from schemas.environments import Environment, Environments

REFUSED = 3


@click.command()
@click.argument("file", required=False, metavar="[FILE]", type=click.Path(dir_okay=False))
@click.option("--check", is_flag=True, help="Only say whether the file can be read, and which templates nothing can be made after.")
@click.option("--print", "show_text", is_flag=True, help="Print the file itself, to begin one of your own with.")
@click.option("--explain", "template", metavar="TEMPLATE", help="Say what the policy would say of a sandbox after TEMPLATE.")
@click.option("--owner", metavar="OWNER", help="With --explain: whose it would be.")
@click.option("--seed", metavar="REF", default="synthetic:v1", show_default=True, help="With --explain: the bundle that it would hold.")
@click.option("--kind", metavar="KIND", help="With --explain: the kind of the bundle.  [default: that of REF in the store]")
@click.option("--ttl", metavar="TIME", help="With --explain: how long it would live, such as 72h.")
@click.option("--live", metavar="N", type=click.IntRange(0), default=0, help="With --explain: how many live sandboxes the owner has there.")
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
    ttl: str | None,
    live: int,
    store: str | None,
    as_json: bool,
) -> int:
    """Show what the environments allow, their templates and hosts; check a file of them.

    FILE is $COMPANYOS_ENVIRONMENTS unless given, or else the one that comes with the project. With --explain, approvals that were given
    are not looked up; the exit code is 3 where the sandbox would be refused.
    """
    from schemas.environments_reader import environments_text, parse_environments

    text, name = environments_text(file)
    environments = parse_environments(text, name)
    if show_text:
        click.echo(text, nl=False)
        return 0
    if template is not None:
        return _explain(environments, template, owner, seed, kind, ttl, live, store, as_json)
    if check:
        _check(environments, name, as_json)
    elif as_json:
        print_json(_document(environments, name))
    else:
        _show(environments)
    return 0


def _explain(
    environments: Environments,
    template: str,
    owner: str | None,
    seed: str,
    kind: str | None,
    ttl: str | None,
    live: int,
    store: str | None,
    as_json: bool,
) -> int:
    from datetime import timedelta

    import bundles
    from provisioning.control.moments import utc_now
    from provisioning.policy import Asked, Who, judge
    from schemas.environments import KINDS
    from schemas.times import MICROSECOND, parse_duration

    if owner is None:
        raise click.UsageError("--explain needs --owner")
    if kind is not None and kind not in KINDS:
        raise click.UsageError(f"--kind must be {', '.join(KINDS[:-1])} or {KINDS[-1]}, not '{kind}'")
    digest = ""
    if kind is None:
        bundle = bundles.open(seed, store=store)
        kind, digest = bundle.kind, bundle.manifest_digest
    try:
        asked_for: timedelta | None = None if ttl is None else parse_duration(ttl, negative=True) * MICROSECOND
    except (ValueError, OverflowError) as error:
        raise click.UsageError(f"--ttl: {error}") from None
    asked = Asked(
        action="create",
        owner=Who(owner),
        template=template,
        bundle_kind=kind,
        bundle_digest=digest,
        seed=seed,
        now=utc_now(),
        ttl=asked_for,
        live=live,
    )
    verdict = judge(environments, asked)
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
    click.echo(f"held: {', '.join(verdict.checked)}")


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


def _document(environments: Environments, name: str) -> dict[str, Any]:
    from schemas.environments_document import to_document

    return {"file": name, **to_document(environments)}
