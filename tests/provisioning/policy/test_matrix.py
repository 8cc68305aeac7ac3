"""The matrix of environments by data classes, as it stands in the issue of the policy: every forbidden pair is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from asking import DAY, DIGEST, HOUR, NOW, approved, asked
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.policy import Who, judge
from schemas.environments import KINDS, Egress, Environment, Environments, Host, SandboxTemplate
from schemas.environments_reader import built_in_text, parse_environments

OURS = parse_environments(built_in_text())

# a number: so many approvals are needed, and not one fewer will do; "never": no number of approvals is enough
MATRIX = """
environment   synthetic   sanitized   mirrored
local         0           never       never
ci            0           never       never
dev           0           1           never
staging       0           1           2
pre-prod      0           1           2
demo          0           1           never
production    never       never       never
"""
ROWS = [line.split() for line in MATRIX.strip().splitlines()]
PAIRS = [(row[0], kind, cell) for row in ROWS[1:] for kind, cell in zip(ROWS[0][1:], row[1:], strict=True)]


def in_environment(name: str) -> Environments:
    """Our environments, with a template in this one that nothing else can be said against."""
    environment = OURS.environments[name]
    template = SandboxTemplate(
        "place",
        name,
        "files",
        seeds=tuple(f"{kind}:*" for kind in KINDS),
        collectors=environment.collectors,
        approved_infrastructure="platform",
        approved_data="privacy",
    )
    return replace(OURS, templates={"place": template}, owners={"*@company.com": ("engineering", "release")})


def broken_rules(environment: str, kind: str, approvals: int, **otherwise: Any) -> set[str]:
    given_by = tuple(approved(f"approver{i}@company.com") for i in range(approvals))
    what = asked(template="place", bundle_kind=kind, seed=f"{kind}:v1", ttl=HOUR, approvals=given_by, **otherwise)
    return {violation.rule for violation in judge(in_environment(environment), what).violations}


def test_the_matrix_is_of_all_environments_and_all_kinds():
    assert [row[0] for row in ROWS[1:]] == list(OURS.environments)
    assert tuple(ROWS[0][1:]) == KINDS


@pytest.mark.parametrize("action", ["create", "reset"])
@pytest.mark.parametrize(("environment", "kind", "cell"), PAIRS, ids=[f"{e}-{k}-{c}" for e, k, c in PAIRS])
def test_a_pair_is_loaded_as_the_matrix_says(environment, kind, cell, action):
    if cell == "never":
        for approvals in range(11):
            assert "data-class" in broken_rules(environment, kind, approvals, action=action)
        return
    needed = int(cell)
    assert broken_rules(environment, kind, needed, action=action) == set()
    for fewer in range(needed):
        assert broken_rules(environment, kind, fewer, action=action) == {"approval"}


@pytest.mark.parametrize(("environment", "kind", "cell"), PAIRS, ids=[f"{e}-{k}-{c}" for e, k, c in PAIRS])
def test_what_may_not_be_loaded_may_not_be_kept_longer_either(environment, kind, cell):
    rules = broken_rules(environment, kind, 0, action="extend", sandbox="sb-aaaaaaaaaa", age=HOUR, expires_at=NOW)
    assert ("data-class" in rules) == (cell == "never")


NAMES = st.sampled_from(["production", "Production", "PROD", "prd", "eu-production", "production_eu", "prod.eu", "acme prod"])
GROUPS = st.lists(st.sampled_from(["*", "engineering", "release"]), max_size=3).map(tuple)
TIMES = st.timedeltas(timedelta(hours=1), timedelta(days=300))


@settings(deadline=None)
@given(
    name=NAMES,
    classes=st.dictionaries(st.sampled_from(KINDS), st.integers(0, 3)),
    loads=st.booleans(),
    groups=GROUPS,
    quota=st.integers(1, 100),
    most=TIMES,
    alone=TIMES,
    egress=st.sampled_from([Egress(), Egress("allow")]),
    action=st.sampled_from(["create", "extend", "reset"]),
    kind=st.sampled_from([*KINDS, "other"]),
    ttl=st.none() | TIMES,
    approvals=st.integers(0, 4),
    actor=st.none() | st.just(Who("root@company.com", ("*", "release"))),
    live=st.integers(0, 3),
    recorded=st.booleans(),
)
def test_no_combination_with_production_passes(
    name, classes, loads, groups, quota, most, alone, egress, action, kind, ttl, approvals, actor, live, recorded
):
    """Not even with an environment that no file could say, made by a program."""
    environment = Environment(name, classes, loads, groups, ("*",), quota, min(most, 72 * HOUR), most, alone, egress)
    other = Environment("dev", {"synthetic": 0})
    template = SandboxTemplate("place", "dev" if recorded else name, "files", ("*:*",), approved_infrastructure="x", approved_data="x")
    environments = Environments(
        {name: environment, "dev": other}, {"place": template}, {"files": Host("files", "duckdb")}, {"*@company.com": ("engineering",)}
    )
    given_by = tuple(approved(f"a{i}@company.com", what=what) for i in range(approvals) for what in ("load", "extend"))
    what = asked(
        action=action,
        template="place",
        environment=name if recorded else None,
        bundle_kind=kind,
        seed=f"{kind}:v1",
        ttl=ttl,
        approvals=given_by,
        actor=actor,
        live=live,
        sandbox=None if action == "create" else "sb-aaaaaaaaaa",
        bundle_digest=DIGEST,
        bundle_expires=NOW + DAY,
    )
    assert "production" in {violation.rule for violation in judge(environments, what).violations}
