"""Reads `environments.yaml`: YAML in, checked Environments out, or every problem of the file at once, each with its place."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import yaml

from schemas import environments_grammar as grammar
from schemas.environments import (
    HOST_KINDS,
    KINDS,
    Egress,
    Environment,
    Environments,
    Host,
    Limits,
    Rule,
    SandboxTemplate,
    Webhook,
)
from schemas.environments_values import EnvironmentValues
from schemas.errors import InputError, SchemaError, nearest
from schemas.grammar import Key, names
from schemas.production import is_production
from schemas.yaml_nodes import Node, Parts, Reading, is_nothing

VARIABLE = "COMPANYOS_ENVIRONMENTS"
BUILT_IN = "environments.yaml"
MOST_APPROVALS = 10
LONGEST = timedelta(days=366)
_MAX_BYTES = 2_000_000

T = TypeVar("T")


def read_environments(path: str | os.PathLike[str] | None = None) -> Environments:
    """Read a file of environments: `path`, else that of $COMPANYOS_ENVIRONMENTS, else the built-in one.

    Raises SchemaError with every problem, InputError where the file cannot be read.
    """
    return parse_environments(*environments_text(path))


def environments_text(path: str | os.PathLike[str] | None = None) -> tuple[str, str]:
    """Return the text that `read_environments` reads, and the name of its file; raises InputError."""
    named = os.fspath(path) if path is not None else os.environ.get(VARIABLE)
    if not named:
        return built_in_text(), BUILT_IN
    try:
        if Path(named).stat().st_size > _MAX_BYTES:
            raise InputError(f"{named}: environments of more than {_MAX_BYTES // 1_000_000} MB are not read")
        return Path(named).read_text("utf-8-sig"), named
    except UnicodeDecodeError:
        raise InputError(f"{named}: this is not UTF-8 text; save the file as UTF-8") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        hint = "" if path is not None else f"; ${VARIABLE} names it"
        raise InputError(f"{named}: the environments cannot be read: {reason}{hint}") from None


def built_in_text() -> str:
    """Return the file that comes with the project."""
    return (resources.files("schemas") / BUILT_IN).read_text("utf-8")


def parse_environments(text: str, file: str = BUILT_IN) -> Environments:
    """Read environments from YAML text; raises SchemaError with every problem."""
    reading = Reading(kind="a file of environments", begins="environments:")
    root = reading.compose(text)
    found = None if root is None else _EnvironmentsReader(reading).read(root)
    if found is None or reading.problems:
        raise SchemaError(file, dict.fromkeys(reading.problems))
    return found


class _EnvironmentsReader(EnvironmentValues):
    """Reads the mappings of the file; what a value may be is in `EnvironmentValues`."""

    def read(self, root: Node) -> Environments | None:
        reading = self.reading
        top = reading.mapping(root, reading.kind, names(grammar.FILE))
        if not isinstance(root, yaml.MappingNode):
            return None
        self._needs(root, top, reading.kind, grammar.FILE)
        shared = self._each(top, "rules", self._rule)
        environments = {
            name: replace(environment, rules=(*shared.values(), *environment.rules))
            for name, environment in self._each(top, "environments", self._environment).items()
        }
        for environment in environments.values():
            self._different_rules(top, environment, shared)
        hosts = self._each(top, "hosts", self._host)
        known = {key: self._names_of(top, key) for key in ("environments", "hosts")}
        templates = self._each(top, "templates", lambda name, node: self._template(name, node, known))
        owners = self._each(top, "owners", self._groups)
        webhook = self._webhook(top["webhook"][1]) if "webhook" in top else None
        idle = self.duration(top, "idle", timedelta(hours=24), least=timedelta(minutes=1), most=LONGEST)
        return Environments(environments, templates, hosts, owners, webhook, idle)

    def _each(self, parts: Parts, key: str, read: Callable[[str, Node], T | None]) -> dict[str, T]:
        """Read each entry of the mapping under `key`; those with problems are left out."""
        if key not in parts:
            return {}
        found: dict[str, T] = {}
        entries = self.reading.mapping(parts[key][1], key)
        self.reading.different_names([node for node, _ in entries.values()], key)
        for name, (key_node, node) in entries.items():
            if self.reading.name(key_node, f"a name under `{key}`") is None or not self.is_name(key, key_node):
                continue
            if (value := read(name, node)) is not None:
                found[name] = value
        if not entries and isinstance(parts[key][1], yaml.MappingNode) and key in ("environments", "hosts", "templates", "owners"):
            self.reading.say(parts[key][0], f"`{key}:` must not be empty")
        return found

    def _names_of(self, top: Parts, key: str) -> tuple[str, ...]:
        node = top[key][1] if key in top else None
        return tuple(k.value for k, _ in node.value if isinstance(k, yaml.ScalarNode)) if isinstance(node, yaml.MappingNode) else ()

    def _needs(self, node: Node, parts: Parts, what: str, keys: tuple[Key, ...]) -> bool:
        missing = [key for key in keys if key.required and key.name not in parts] if isinstance(node, yaml.MappingNode) else []
        for key in missing:
            self.reading.say(node, f"{what} needs `{key.name}:`, for example `{key.example}`")
        return not missing

    # Environments

    def _environment(self, name: str, node: Node) -> Environment | None:
        reading, what = self.reading, f"environment '{name}'"
        parts = reading.mapping(node, what, names(grammar.ENVIRONMENT))
        loads = reading.boolean(parts["loads"][1], f"loads of {what}") is not False if "loads" in parts else True
        classes = self._classes(parts["classes"][1], what) if "classes" in parts else {}
        at = parts["loads"][0] if "loads" in parts else node
        if is_production(name):
            if loads and isinstance(node, yaml.MappingNode):
                reading.say(at, f"nothing is ever loaded into {what}: write `loads: false`")
            if "classes" in parts:
                reading.say(parts["classes"][0], f"nothing is ever loaded into {what}: leave `classes:` out")
        elif not loads and classes:
            reading.say(parts["classes"][0], f"{what} has `loads: false`, so that `classes:` has no place")
        elif loads and "classes" not in parts and isinstance(node, yaml.MappingNode):
            reading.say(node, f"{what} needs `classes:`, for example `classes: {{synthetic: 0}}`, or `loads: false`")
        ttl = reading.mapping(parts["ttl"][1], f"ttl of {what}", names(grammar.TTL)) if "ttl" in parts else {}
        most = self.duration(ttl, "most", timedelta(days=30), least=timedelta(minutes=1), most=LONGEST)
        default = self.duration(ttl, "default", min(timedelta(hours=72), most), least=timedelta(minutes=1), most=LONGEST)
        if default > most and "default" in ttl:
            reading.say(ttl["default"][1], f"the ttl of {what} where none is asked for must not be above `most`")
        alone = self.duration(parts, "extend_alone", timedelta(days=7), most=LONGEST)
        if default > alone:
            at = ttl["default"][1] if "default" in ttl else node
            reading.say(at, f"the ttl of {what} where none is asked for is above `extend_alone`, so that all would need an approval")
        rules = self._each(parts, "rules", self._rule)
        quota = reading.integer(parts["quota"][1], f"quota of {what}", 0, 100_000) if "quota" in parts else None
        return Environment(
            name,
            classes,
            loads,
            self.words(parts, "owner_groups", ("*",)),
            self.words(parts, "approver_groups", ("*",)),
            5 if quota is None else quota,
            default,
            most,
            alone,
            self.egress(parts["egress"][1], what) if "egress" in parts else Egress(),
            self.words(parts, "collectors", ()),
            self.change_window(parts["change_window"][1], what) if "change_window" in parts else None,
            tuple(rules.values()),
        )

    def _classes(self, node: Node, what: str) -> dict[str, int]:
        found = {}
        for kind, (_, value) in self.reading.mapping(node, f"classes of {what}", KINDS).items():
            approvals = self.reading.integer(value, f"the approvals that {kind} data needs in {what}", 0, MOST_APPROVALS)
            if approvals is not None:
                found[kind] = approvals
        if isinstance(node, yaml.MappingNode) and not node.value:
            self.reading.say(node, f"classes of {what} must not be empty; where nothing may be loaded, write `loads: false`")
        return found

    def _rule(self, name: str, node: Node) -> Rule | None:
        what = f"rule '{name}'"
        parts = self.reading.mapping(node, what, names(grammar.RULE))
        if not self._needs(node, parts, what, grammar.RULE) or not isinstance(node, yaml.MappingNode):
            return None
        expression = self.expression(parts["require"][1], f"the expression of {what}")
        message = self.reading.text(parts["message"][1], f"the message of {what}")
        return None if expression is None or message is None else Rule(name, expression, message)

    def _different_rules(self, top: Parts, environment: Environment, shared: Collection[str]) -> None:
        for name in shared:
            if sum(rule.name == name for rule in environment.rules) > 1:
                key = next(key for key, _ in top["rules"][1].value if key.value == name)
                self.reading.say(key, f"rule '{name}' stands in environment '{environment.name}' too; give one another name")

    # Hosts, templates, owners, the webhook

    def _host(self, name: str, node: Node) -> Host | None:
        reading, what = self.reading, f"host '{name}'"
        parts = reading.mapping(node, what, names(grammar.HOST))
        if not self._needs(node, parts, what, grammar.HOST) or not isinstance(node, yaml.MappingNode):
            return None
        kind = reading.word(parts["kind"][1], "kind of host", HOST_KINDS)
        if kind is None:
            return None
        other = "folder" if kind == "postgresql" else "url_from"
        if other in parts:
            reading.say(parts[other][0], f"{what} is of kind {kind}, which has no `{other}:`")
        if kind == "postgresql" and "url_from" not in parts:
            reading.say(node, f"{what} needs `url_from:`, the environment variable that holds the server's URL")
        folder = None
        if "folder" in parts and not is_nothing(parts["folder"][1]) and not self.is_null(parts["folder"][1]):
            folder = reading.text(parts["folder"][1], f"folder of {what}")
        url_from = self.variable(parts["url_from"][1], f"url_from of {what}") if "url_from" in parts else None
        return Host(name, cast(Literal["duckdb", "sqlite", "postgresql"], kind), folder, url_from)

    def _template(self, name: str, node: Node, known: Mapping[str, Collection[str]]) -> SandboxTemplate | None:
        reading, what = self.reading, f"template '{name}'"
        parts = reading.mapping(node, what, names(grammar.TEMPLATE))
        if not self._needs(node, parts, what, grammar.TEMPLATE) or not isinstance(node, yaml.MappingNode):
            return None
        environment = self._known(parts, "environment", what, known["environments"])
        host = self._known(parts, "host", what, known["hosts"])
        if environment is not None and is_production(environment):
            reading.say(parts["environment"][1], f"{what} is in '{environment}', where nothing is ever loaded")
        if environment is None or host is None:
            return None
        given: dict[str, Any] = {}
        if "seeds" in parts:
            given["seeds"] = self.seeds(parts["seeds"][1], what)
        if "approved" in parts:
            approved = reading.mapping(parts["approved"][1], f"approved of {what}", names(grammar.APPROVED))
            given |= {f"approved_{key}": reading.text(value, f"who approved the {key} of {what}") for key, (_, value) in approved.items()}
        if "flags" in parts:
            flags = reading.mapping(parts["flags"][1], f"flags of {what}")
            given["flags"] = {flag: reading.boolean(value, f"flag '{flag}' of {what}") for flag, (_, value) in flags.items()}
        return SandboxTemplate(
            name,
            environment,
            host,
            limits=self._limits(parts["limits"][1], what) if "limits" in parts else Limits(),
            guardrails=self._guardrails(parts["guardrails"][1], what) if "guardrails" in parts else {},
            collectors=self.words(parts, "collectors", ()),
            egress=self.egress(parts["egress"][1], what) if "egress" in parts else None,
            demo=bool(reading.boolean(parts["demo"][1], f"demo of {what}")) if "demo" in parts else False,
            **given,
        )

    def _known(self, parts: Parts, key: str, what: str, known: Collection[str]) -> str | None:
        node = parts[key][1]
        text = self.reading.text(node, f"{key} of {what}")
        if text is not None and text not in known:
            hint = nearest(text, known) or (f"; there are {', '.join(known)}" if known else "")
            self.reading.say(node, f"{what} names the {key} '{text[:60]}', and there is none of that name{hint}")
            return None
        return text

    def _limits(self, node: Node, what: str) -> Limits:
        parts = self.reading.mapping(node, f"limits of {what}", names(grammar.LIMITS))
        limits = Limits()
        if "connections" in parts:
            connections = self.reading.integer(parts["connections"][1], f"connections of {what}", 1, 10_000)
            limits = replace(limits, connections=connections or limits.connections)
        if "size" in parts:
            limits = replace(limits, bytes=self.size(parts["size"][1], f"size of {what}") or limits.bytes)
        statement = timedelta(seconds=limits.statement_seconds)
        seconds = self.duration(parts, "statement", statement, least=timedelta(seconds=1), most=timedelta(days=7)).total_seconds()
        return replace(limits, statement_seconds=int(seconds))

    def _guardrails(self, node: Node, what: str) -> dict[str, Any]:
        reading = self.reading
        found: dict[str, Any] = {}
        for key, (_, value) in reading.mapping(node, f"guardrails of {what}", names(grammar.GUARDRAILS)).items():
            if key == "requests_a_minute":
                found[key] = reading.integer(value, f"{key} of {what}", 1, 1_000_000)
            elif key == "webhooks":
                found[key] = reading.word(value, f"webhooks of {what}", grammar.WEBHOOKS)
            else:
                found[key] = reading.boolean(value, f"{key} of {what}")
        return found

    def _groups(self, name: str, node: Node) -> tuple[str, ...] | None:
        return self.groups(node, f"the groups of owner '{name}'")

    def _webhook(self, node: Node) -> Webhook | None:
        parts = self.reading.mapping(node, "webhook", names(grammar.WEBHOOK))
        if not self._needs(node, parts, "webhook", grammar.WEBHOOK) or not isinstance(node, yaml.MappingNode):
            return None
        url = self.webhook_url(parts["url"][1])
        token = self.variable(parts["token_from"][1], "token_from of webhook") if "token_from" in parts else None
        timeout = self.duration(parts, "timeout", timedelta(seconds=5), least=timedelta(milliseconds=100), most=timedelta(seconds=60))
        return None if url is None else Webhook(url, token, timeout.total_seconds())
