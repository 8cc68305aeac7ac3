"""The keys of `environments.yaml`: one tuple for each kind of mapping in it.

The reader, the published JSON Schema and the page `docs/environments.md` are made from these.
"""

from __future__ import annotations

from schemas.grammar import Key

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEBHOOKS = ("stub", "send")

FILE = (
    Key("environments", "mapping from names to environments", "The environments, and what may happen in each.",
        "environments: {dev: {classes: {synthetic: 0, sanitized: 1}}, production: {loads: false}}", True),
    Key("hosts", "mapping from names to hosts", "Where sandboxes live.", "hosts: {files: {kind: duckdb}}", True),
    Key("templates", "mapping from names to templates", "What sandboxes are made after.",
        "templates: {feature-default: {environment: dev, host: files, approved: {infrastructure: platform, data: privacy}}}", True),
    Key("owners", "mapping from owners to lists of groups", "Who may own sandboxes, and in which groups they are: an address, or `*@domain` for all others of a domain. "
        "Who has an entry of their own is in its groups alone.", 'owners: {"*@company.com": [engineering], maria@company.com: [engineering, release]}', True),
    Key("rules", "mapping from names to rules", "Rules of your own that hold in every environment.",
        'rules: {short-names: {require: "size(owner) < 40", message: owners have names of fewer than 40 characters}}'),
    Key("webhook", "mapping with `url`", "A service of your own that is asked, too, before anything happens.",
        "webhook: {url: \"https://policy.company.com/sandboxes\", token_from: POLICY_TOKEN, timeout: 3s}"),
    Key("idle", "length of time", "After how long without use the sweep removes a sandbox; 24h where it is left out.", "idle: 24h"),
)  # fmt: skip

ENVIRONMENT = (
    Key("classes", "mapping from kinds of bundles to whole numbers", "Which kinds of bundles (`synthetic`, `sanitized`, `mirrored`) may be loaded, and how many "
        "approvals each needs; a kind that is left out is forbidden.", "classes: {synthetic: 0, sanitized: 1}"),
    Key("loads", "true or false", "`false`: nothing is ever loaded here. Production says so, always.", "loads: false"),
    Key("owner_groups", "list of groups", "Who may own sandboxes here; `\"*\"` for anybody, as where it is left out.", "owner_groups: [engineering, release]"),
    Key("approver_groups", "list of groups", "Who may give approvals here; `\"*\"` for anybody, as where it is left out. Never the owner, and never who asks.",
        "approver_groups: [privacy]"),
    Key("quota", "whole number", "The most live sandboxes of one owner; 5 where it is left out.", "quota: 3"),
    Key("ttl", "mapping with `default` and `most`", "How long sandboxes live.", "ttl: {default: 72h, most: 14d}"),
    Key("extend_alone", "length of time", "The longest whole life that an owner may ask for alone; beyond it somebody else approves. 7d where it is left out.",
        "extend_alone: 7d"),
    Key("egress", "deny, allow, or mapping with `exceptions`", "What sandboxes may reach outside: nothing, where it is left out.",
        'egress: {exceptions: ["mail.company.com:587"]}'),
    Key("collectors", "list of names", "What must observe sandboxes here; templates say what does.", "collectors: [audit, metrics]"),
    Key("change_window", "mapping with `days`, `from` and `to`", "The only times at which sandboxes are made and reset here.",
        'change_window: {days: [mon-thu], from: "09:00", to: "16:00", zone: Europe/Berlin}'),
    Key("rules", "mapping from names to rules", "Rules of your own that hold here.",
        'rules: {no-weeks: {require: "ttl_hours <= 168", message: a week is the most here}}'),
)  # fmt: skip

TTL = (
    Key("default", "length of time", "Where none is asked for; 72h where it is left out.", "ttl: {default: 24h}"),
    Key("most", "length of time", "The longest whole life, extensions included; 30d where it is left out.", "ttl: {most: 14d}"),
)

EGRESS = (
    Key("default", "deny or allow", "What is not an exception; deny where it is left out.", "egress: {default: deny}"),
    Key(
        "exceptions",
        "list of `host:port` or `network:port`",
        "What may be reached all the same.",
        'egress: {exceptions: ["10.1.0.0/16:443"]}',
    ),
)

CHANGE_WINDOW = (
    Key("days", "list of days, or of ranges of days", "The days on which the window opens.", "days: [mon-thu, sat]", True),
    Key("from", "time of day", "When it opens.", 'from: "09:00"', True),
    Key("to", "time of day", "When it closes; on the next day where this is earlier than `from`.", 'to: "16:00"', True),
    Key("zone", "time zone", "Where these are the days and times; UTC where it is left out.", "zone: Europe/Berlin"),
)

RULE = (
    Key("require", "CEL expression", "What must be true.", "require: \"!('contractors' in groups)\"", True),
    Key("message", "text", "What to say where it is not.", "message: contractors have sandboxes of their own", True),
)

HOST = (
    Key("kind", "duckdb, sqlite or postgresql", "What kind of databases.", "kind: duckdb", True),
    Key("folder", "path", "For files: where they are; a folder below `$COMPANYOS_HOME` or your data folder where it is left out.", "folder: /srv/sandboxes"),
    Key("url_from", "name of an environment variable", "For PostgreSQL: where the URL is found. It holds a password and never stands in this file.",
        "url_from: COMPANYOS_POSTGRES"),
)  # fmt: skip

TEMPLATE = (
    Key("environment", "environment", "Where its sandboxes are.", "environment: dev", True),
    Key("host", "host", "On which host.", "host: files", True),
    Key("seeds", "list of references", "Which bundles they may hold; `*` stands for any version or digest. `synthetic:*` where it is left out.", 'seeds: ["synthetic:*", "shop:v3"]'),
    Key("limits", "mapping", "What one sandbox may take.", "limits: {connections: 10, size: 5GB, statement: 1m}"),
    Key("flags", "mapping from feature flags to true or false", "The feature flags there are, and whether they are on where nobody asks for them.",
        "flags: {onboarding: false, async-billing: false}"),
    Key("guardrails", "mapping", "Settings that go with the sandbox, for the application to heed.", "guardrails: {delete_protection: true, requests_a_minute: 120, webhooks: stub}"),
    Key("collectors", "list of names", "What observes its sandboxes.", "collectors: [audit, metrics]"),
    Key("egress", "deny, allow, or mapping with `exceptions`", "What they reach outside, within what the environment allows; as the environment says where it is left out.",
        'egress: {exceptions: ["mail.company.com:587"]}'),
    Key("approved", "mapping with `infrastructure` and `data`", "Who approved it; without both, nothing is made after it.",
        "approved: {infrastructure: platform@company.com, data: privacy@company.com}"),
    Key("demo", "true or false", "Its sandboxes serve demo tenants.", "demo: true"),
)  # fmt: skip

LIMITS = (
    Key("connections", "whole number above 0", "Connections at a time; 20 where it is left out.", "limits: {connections: 10}"),
    Key("size", "size", "Bytes on the disk; 10GiB where it is left out.", "limits: {size: 5GB}"),
    Key("statement", "length of time", "The longest that one statement may take; 5m where it is left out.", "limits: {statement: 1m}"),
)

GUARDRAILS = (
    Key("delete_protection", "true or false", "Rows that a demo needs are not to be deleted.", "guardrails: {delete_protection: true}"),
    Key("requests_a_minute", "whole number above 0", "The most requests a minute.", "guardrails: {requests_a_minute: 120}"),
    Key("webhooks", "stub or send", "Whether webhooks are sent, or only noted.", "guardrails: {webhooks: stub}"),
)

APPROVED = (
    Key("infrastructure", "text", "Who approved its host, limits and network.", "approved: {infrastructure: platform@company.com}"),
    Key("data", "text", "Who approved its seeds and their class.", "approved: {data: privacy@company.com}"),
)

WEBHOOK = (
    Key("url", "URL", "Where it listens: https, or http on this machine.", 'url: "https://policy.company.com/sandboxes"', True),
    Key("token_from", "name of an environment variable", "Where its bearer token is found.", "token_from: POLICY_TOKEN"),
    Key("timeout", "length of time", "How long it may take in all, up to 60s; 5s where it is left out.", "timeout: 3s"),
)
