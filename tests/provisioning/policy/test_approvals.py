"""Approvals: given by others, kept in the control database, and gone when they end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from asking import DAY, DIGEST, HOUR, NOW, asked, place

from provisioning.control.tables import metadata
from provisioning.policy import Who, approvals_for, give_approval, judge
from schemas.environments import Environment
from schemas.errors import InputError, Refused

DEV = Environment("dev", {"synthetic": 0, "sanitized": 1}, approver_groups=("privacy",))
BOB = Who("Bob@company.com", ("engineering", "privacy"))


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    if request.param == "sqlite":
        url = "sqlite://"
    else:
        url = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+psycopg://")
    engine = sa.create_engine(url)
    metadata.create_all(engine)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def load(connection: sa.Connection, **otherwise: object):
    given = {
        "what": "load",
        "owner": "Alice@company.com",
        "by": BOB,
        "why": "a ticket",
        "now": NOW,
        "until": NOW + DAY,
        "template": "place",
    }
    return give_approval(connection, otherwise.pop("environment", DEV), **{**given, "bundle_digest": DIGEST} | otherwise)


def test_an_approval_that_is_given_counts_for_the_policy_until_it_ends(connection):
    environments = place(DEV)
    refused = judge(environments, asked(template="place", bundle_kind="sanitized"))
    assert [v.rule for v in refused.violations] == ["approval"]
    given = load(connection)
    found = approvals_for(connection, owner="ALICE@company.com", now=NOW)
    assert found == (given,)
    assert judge(environments, asked(template="place", bundle_kind="sanitized", approvals=found)).allowed
    later = NOW + DAY
    assert approvals_for(connection, owner="alice@company.com", now=later) == ()
    assert not judge(environments, asked(template="place", bundle_kind="sanitized", approvals=found, now=later)).allowed


def test_approvals_are_those_of_one_owner_that_are_in_force_oldest_first(connection):
    first = load(connection)
    second = load(connection, what="extend", bundle_digest=None, sandbox="sb-aaaaaaaaaa", now=NOW + HOUR, until=NOW + 9 * DAY)
    third = load(connection, owner="carol@company.com", now=NOW + 2 * HOUR)
    assert approvals_for(connection, owner="alice@company.com", now=NOW) == (first,)
    assert approvals_for(connection, owner="alice@company.com", now=NOW + HOUR) == (first, second)
    assert approvals_for(connection, owner="alice@company.com", now=NOW + 2 * DAY) == (second,)
    assert approvals_for(connection, owner="carol@company.com", now=NOW + 2 * HOUR) == (third,)
    assert len({approval.id for approval in (first, second, third)}) == 3


def test_an_approval_is_a_document(connection):
    given = load(connection)
    assert given.to_json() == {
        "id": given.id,
        "what": "load",
        "owner": "alice@company.com",
        "template": "place",
        "bundle_digest": DIGEST,
        "sandbox": None,
        "by": "bob@company.com",
        "why": "a ticket",
        "given_at": "2026-03-02T12:00:00.000000Z",
        "until": "2026-03-03T12:00:00.000000Z",
    }


@pytest.mark.parametrize("by", ["alice@company.com", " ALICE@Company.com "])
def test_nobody_approves_their_own(connection, by):
    with pytest.raises(Refused, match="nobody approves what is their own"):
        load(connection, by=Who(by, ("privacy",)))
    assert approvals_for(connection, owner="alice@company.com", now=NOW) == ()


def test_approvers_are_in_a_group_of_the_environment(connection):
    with pytest.raises(Refused, match="approvals in dev are given by members of privacy, and eve@company.com is none"):
        load(connection, by=Who("eve@company.com", ("engineering",)))
    assert load(connection, by=Who("eve@company.com"), environment=replace(DEV, approver_groups=("*",)))


@pytest.mark.parametrize(
    ("otherwise", "said"),
    [
        ({"why": " "}, "says why"),
        ({"until": NOW}, "ends after it is given"),
        ({"until": NOW + timedelta(days=400)}, "366 days at most"),
        ({"bundle_digest": None}, "is for a bundle"),
        ({"sandbox": "sb-aaaaaaaaaa"}, "is for a bundle"),
        ({"what": "extend"}, "is for a sandbox"),
    ],
)
def test_what_makes_no_sense_is_not_kept(connection, otherwise, said):
    with pytest.raises(InputError, match=said):
        load(connection, **otherwise)
    assert approvals_for(connection, owner="alice@company.com", now=NOW) == ()
