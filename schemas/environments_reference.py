"""The page on environments and policies, made from the grammar and the built-in file.

`python -m schemas.environments_reference` writes `docs/environments.md`; a test holds it current.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from schemas import environments_grammar as grammar
from schemas.cel import VARIABLES
from schemas.environments import KINDS
from schemas.environments_reader import built_in_text, parse_environments
from schemas.reference import key_row, table_lines
from schemas.times import MICROSECOND, format_duration

PAGE = Path(__file__).parent.parent / "docs" / "environments.md"

EXAMPLE = """\
environments:
  dev:
    classes: {synthetic: 0, sanitized: 1}     # sanitized data needs one approval
    owner_groups: [engineering]
    approver_groups: [privacy]
    quota: 3
    ttl: {default: 24h, most: 14d}
    collectors: [audit]
    rules:
      no-weeks: {require: "ttl_hours <= 168 || 'leads' in groups", message: more than a week is for leads}
  staging:
    classes: {synthetic: 0, sanitized: 1, mirrored: 2}
    owner_groups: [release]
    change_window: {days: [mon-thu], from: "09:00", to: "16:00", zone: Europe/Berlin}
  production:
    loads: false
hosts:
  files: {kind: duckdb, folder: /srv/sandboxes}
  shared: {kind: postgresql, url_from: SANDBOX_SERVER}
templates:
  feature:
    environment: dev
    host: files
    seeds: ["synthetic:*", "sanitized:*"]
    limits: {connections: 10, size: 5GB, statement: 1m}
    flags: {onboarding: false, new-checkout: true}
    collectors: [audit]
    approved: {infrastructure: ops@shop.example, data: dpo@shop.example}
  rehearsal:
    environment: staging
    host: shared
    seeds: ["mirrored:*"]
    approved: {infrastructure: ops@shop.example, data: dpo@shop.example}
owners:
  "*@shop.example": [engineering]
  maria@shop.example: [engineering, leads, release]
  dpo@shop.example: [privacy]
rules:
  not-interns: {require: "!('interns' in groups)", message: interns ask their mentor}
webhook: {url: "https://policy.shop.example/sandboxes", token_from: POLICY_TOKEN, timeout: 3s}
"""

WEBHOOK_REQUEST = """\
{"version": 1, "action": "create", "owner": "alice@company.com", "groups": ["engineering"], "actor": "alice@company.com",
 "template": "dev-postgres", "environment": "dev", "kind": "sanitized", "seed": "sanitized:v3", "bundle_digest": "sha256:...",
 "ttl_hours": 72, "flags": ["onboarding"], "age_hours": 0, "live": 1, "sandbox": null, "approved_by": ["dpo@company.com"],
 "at": "2026-03-02T12:00:00.000000Z"}
"""

_INTRODUCTION = """\
What may become a sandbox, where, of whose, for how long and with which data is said in one file. One comes with the project:

```console
$ companyos sandbox policy                        # the environments, as a table
$ companyos sandbox policy --print > environments.yaml
$ companyos sandbox policy environments.yaml --check
$ companyos sandbox policy --explain dev-postgres --owner alice@company.com --seed sanitized:v3 --kind sanitized --ttl 72h
```

A file of your own is named by `$COMPANYOS_ENVIRONMENTS` and takes the place of ours. It is read strictly: every problem is told with line
and column, an unknown key with the nearest that there is.

## What is judged

Before anything happens, each rule is held against what is asked for, and all that are broken are told at once (exit code 3).
Restoring a snapshot is creating a sandbox from it:

| rule | what it holds | when |
|---|---|---|
| `production` | nothing is ever loaded into production, whatever a file says | always |
| `data-class` | the bundle's kind is one that the environment takes | always |
| `approval` | others than the owner have approved, as many as the kind needs | create, reset |
| `template-approved` | the template's infrastructure and its data are approved | always |
| `seed` | the bundle is one that the template may hold | create, reset |
| `owner-group` | the owner is in a group of the environment's `owner_groups` | always |
| `quota` | the owner has fewer live sandboxes there than `quota` | create |
| `ttl` | the time to live is above zero, and not years | create, extend |
| `bundle-expiry` | the bundle has not come to its own end | always |
| `extension` | a whole life beyond `extend_alone` is approved by somebody else; an extension makes it longer | create, extend |
| `collectors` | the template has all collectors that the environment requires | always |
| `egress` | the template reaches nothing that the environment denies | always |
| `change-window` | it is within the environment's change window | create, reset |
| yours, by name | see [Rules of your own](#rules-of-your-own) | always |
| `webhook` | your own service allows it, too | always |

An environment is production if a word of its name is, be it written together with others: `production`, `Prod`, `eu-prod2`, `euProd`,
`prodeu`, but not `pre-prod`, `nonprod` or `products`. Names of environments have letters from a to z, digits, dots, hyphens and
underscores.

**The time in force** is the least of what was asked for (or the environment's default), the environment's most, counted from the sandbox's
making on, the end of the approval by which it lives longer, and the bundle's own expiry. `show` says which it was.

**Approvals** are given by somebody else than the owner, in one of the environment's `approver_groups`:

```console
$ companyos sandbox approve --load sanitized:v3 --owner alice@company.com --template dev-postgres --by dpo@company.com --why "ticket 812"
$ companyos sandbox approve --extend sb-... --by dpo@company.com --why "the release slips" --valid 10d
$ companyos sandbox approve --long-life --owner alice@company.com --by dpo@company.com --why "a pilot" --valid 14d
```

One to load is for an owner, a template and one bundle by its digest; one to extend is for one sandbox, which lives no longer than it.
Each ends, and counts for nothing from then on; that of the owner, or of the person who asks, never counts, and one person counts once.

**Owners** are the same person in whatever case their address is written. Unknown owners, templates, environments and feature flags are
wrong input (exit code 2), with the nearest word.
"""

_RULES = """\
## Rules of your own

A rule is an expression in [CEL](https://github.com/google/cel-spec) that must be true, and what to say where it is not. It is read
with the file, and what is wrong with it is told with its place. One that fails, is neither true nor false, or takes longer than a second
counts as broken. Rules need the extra `pip install 'companyos-data[policy]'`; without it nothing is allowed where there are any.
"""

_WEBHOOK = f"""\
## The webhook

The service is sent what the expressions are told, and more, by POST; with `token_from`, `Authorization: Bearer` holds the token.

```json
{WEBHOOK_REQUEST.rstrip()}
```

`approved_by` names who gave the approvals that count. It answers with status 200 and

```json
{{"allow": false, "reasons": ["sanitized data is for the week of the release"]}}
```

Each reason is told as one broken rule, `webhook`. Anything else than `{{"allow": true}}` is no: another status, a redirect, text that is
not JSON, more than 64 KiB, an answer that is not complete in time (`timeout`, 5 s where it is left out), a service that is not there. It
is asked where other rules are broken, too, and must change nothing by being asked. It needs the extra `policy` as well.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from ("# Environments and policies", "", "<!-- Made by `python -m schemas.environments_reference`; do not edit by hand. -->", "")
    yield from (_INTRODUCTION.rstrip(), "", "## Those that come with the project", "")
    yield from table_lines(("environment", *KINDS, "ttl", "most", "alone", "quota", "owners", "collectors"), _built_in())
    yield from ("", "A number is how many approvals are needed; — is forbidden.", "")
    yield from ("## A file of your own", "", "```yaml", EXAMPLE.rstrip(), "```")
    for title, keys in (
        ("The file", grammar.FILE),
        ("Environments", grammar.ENVIRONMENT),
        ("`ttl`", grammar.TTL),
        ("`egress`", grammar.EGRESS),
        ("`change_window`", grammar.CHANGE_WINDOW),
        ("Hosts", grammar.HOST),
        ("Templates", grammar.TEMPLATE),
        ("`limits`", grammar.LIMITS),
        ("`guardrails`", grammar.GUARDRAILS),
        ("`approved`", grammar.APPROVED),
    ):
        yield from ("", f"### {title}", "", *table_lines(("key", "value", "meaning", "example"), (key_row(key) for key in keys)))
    yield from ("", _RULES, *table_lines(("key", "value", "meaning", "example"), (key_row(key) for key in grammar.RULE)), "")
    yield from table_lines(("variable", "what it is"), ((f"`{name}`", text) for name, text in VARIABLES.items()))
    yield from ("", _WEBHOOK, *table_lines(("key", "value", "meaning", "example"), (key_row(key) for key in grammar.WEBHOOK)))


def _built_in() -> Iterator[tuple[str, ...]]:
    for environment in parse_environments(built_in_text()).environments.values():
        kinds = (str(environment.classes.get(kind, "—")) for kind in KINDS)
        lives = (_length(environment.ttl_default), _length(environment.ttl_most), _length(environment.extend_alone), str(environment.quota))
        named = (", ".join(environment.owner_groups).replace("*", "anybody"), ", ".join(environment.collectors))
        yield (environment.name, *kinds, *((*lives, *named) if environment.loads else ("",) * 6))


def _length(length: timedelta) -> str:
    return format_duration(length // MICROSECOND) if length % timedelta(days=1) else f"{length.days}d"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
