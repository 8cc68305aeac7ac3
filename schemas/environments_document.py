"""Environments as plain data, for machines: in the words of the file, with everything that it leaves out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from schemas.environments import ChangeWindow, Egress, Environment, Environments, Host, Rule, SandboxTemplate
from schemas.environments_grammar import DAYS


def to_document(environments: Environments) -> dict[str, Any]:
    """Return the document; lengths of time are whole seconds, sizes bytes."""
    webhook = environments.webhook
    return {
        "environments": {name: _environment(environment) for name, environment in environments.environments.items()},
        "hosts": {name: _host(host) for name, host in environments.hosts.items()},
        "templates": {name: _template(template) for name, template in environments.templates.items()},
        "owners": {owner: list(groups) for owner, groups in environments.owners.items()},
        "webhook": None if webhook is None else {"url": webhook.url, "token_from": webhook.token_from, "timeout": webhook.seconds},
        "idle": _seconds(environments.idle),
    }


def _environment(environment: Environment) -> dict[str, Any]:
    window = environment.change_window
    return {
        "classes": dict(environment.classes),
        "loads": environment.loads,
        "owner_groups": list(environment.owner_groups),
        "approver_groups": list(environment.approver_groups),
        "quota": environment.quota,
        "ttl": {"default": _seconds(environment.ttl_default), "most": _seconds(environment.ttl_most)},
        "extend_alone": _seconds(environment.extend_alone),
        "egress": _egress(environment.egress),
        "collectors": list(environment.collectors),
        "change_window": None if window is None else _window(window),
        "rules": {rule.name: _rule(rule) for rule in environment.rules},
    }


def _window(window: ChangeWindow) -> dict[str, Any]:
    clock = [f"{minute // 60:02}:{minute % 60:02}" for minute in (window.begins, window.ends)]
    return {"days": [DAYS[day] for day in window.days], "from": clock[0], "to": clock[1], "zone": window.zone}


def _egress(egress: Egress) -> dict[str, Any]:
    return {"default": egress.default, "exceptions": list(egress.exceptions)}


def _rule(rule: Rule) -> dict[str, str]:
    return {"require": rule.expression, "message": rule.message}


def _host(host: Host) -> dict[str, str | None]:
    return {"kind": host.kind, "folder": host.folder, "url_from": host.url_from}


def _template(template: SandboxTemplate) -> dict[str, Any]:
    limits = template.limits
    return {
        "environment": template.environment,
        "host": template.host,
        "seeds": list(template.seeds),
        "limits": {"connections": limits.connections, "size": limits.bytes, "statement": limits.statement_seconds},
        "flags": dict(template.flags),
        "guardrails": dict(template.guardrails),
        "collectors": list(template.collectors),
        "egress": None if template.egress is None else _egress(template.egress),
        "approved": {"infrastructure": template.approved_infrastructure, "data": template.approved_data},
        "demo": template.demo,
    }


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
