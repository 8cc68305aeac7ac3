"""Each rule alone, and all at once: what breaks it, what does not, and what is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from asking import DAY, DIGEST, HOUR, NOW, approved, asked, broken, place, verdict

from provisioning.errors import PolicyRefused
from provisioning.policy import RULES, Who, faults, judge
from provisioning.policy.owners import find_owner
from schemas.environments import ChangeWindow, Egress, Environment, SandboxTemplate
from schemas.environments_reader import built_in_text, parse_environments
from schemas.environments_values import RESERVED_RULES
from schemas.errors import InputError

DEV = Environment("dev", {"synthetic": 0, "sanitized": 1, "mirrored": 2})
HELD = ["production", "data-class", "approval", "template-approved", "seed", "owner-group", "quota", "ttl", "bundle-expiry", "extension", "collectors", "egress", "change-window"]  # fmt: skip


def template(**otherwise: object) -> SandboxTemplate:
    return replace(place().templates["place"], **otherwise)


def test_the_first_command_of_the_product_is_allowed_with_nothing_set_up():
    ours = parse_environments(built_in_text())
    found = judge(ours, asked(owner=Who("alice@company.com"), flags=("onboarding", "async-billing"))).require()
    assert (found.ttl, found.why_ttl, list(found.checked)) == (72 * HOUR, "as asked for", HELD)


def test_the_rules_are_held_in_their_order():
    assert [rule.name for rule in RULES] == HELD


def test_no_rule_of_a_company_can_have_the_name_of_one_that_holds_for_everybody():
    assert set(RESERVED_RULES) == {*HELD, "webhook"}


# Words that mean nothing


def test_unknown_words_are_input_errors_with_the_nearest_and_all_at_once():
    with pytest.raises(InputError) as caught:
        verdict(place(template=template(flags={"onboarding": False})), owner=Who("bob@compny.com"), flags=("onbording", "onboarding"))
    assert not isinstance(caught.value, PolicyRefused)
    assert str(caught.value).splitlines() == [
        "unknown owner 'bob@compny.com'; did you mean 'bob@company.com'?",
        "unknown feature flag 'onbording'; did you mean 'onboarding'?",
    ]


def test_an_unknown_owner_is_told_where_owners_stand():
    with pytest.raises(
        InputError, match=r"unknown owner 'eve@other\.example'; known are .*; more go under `owners:` in the environments' file"
    ):
        verdict(place(), owner=Who("eve@other.example"))


def test_an_unknown_template_and_an_unknown_environment_are_input_errors():
    with pytest.raises(InputError, match=r"unknown template 'plaice'; did you mean 'place'\?"):
        verdict(place(), template="plaice")
    with pytest.raises(InputError, match="unknown environment 'lab'; there are dev"):
        verdict(place(), environment="lab")


def test_an_address_has_an_end():
    name = "a" * (320 - len("@company.com")) + "@company.com"
    assert find_owner(place(), name).name == name
    with pytest.raises(InputError, match="at most 320 characters; 'aaaaa"):
        find_owner(place(), "a" + name)


def test_who_is_unknown_to_the_file_may_come_with_groups_of_a_token():
    environments = place(replace(DEV, owner_groups=("partners",)))
    assert broken(environments, owner=Who("eve@other.example", ("partners",))) == {}
    with pytest.raises(InputError, match="unknown owner"):
        verdict(environments, owner=Who("eve@other.example"))


def test_the_owner_of_a_sandbox_that_is_there_may_be_unknown_to_the_file_and_is_in_no_group_then():
    there = {"action": "reset", "sandbox": "sb-aaaaaaaaaa", "ttl": None, "owner": Who("gone@other.example")}
    assert broken(place(), **there) == {}
    assert list(broken(place(replace(DEV, owner_groups=("engineering",))), **there)) == ["owner-group"]


@pytest.mark.parametrize("name", ["", "*", "*@company.com", "@company.com", "a b@company.com", "a@b@company.com", "company.com"])
def test_what_is_no_person_is_an_unknown_owner_and_no_pattern_is_offered(name):
    with pytest.raises(InputError, match=r"unknown owner '[^']*'(?!; did you mean)"):
        verdict(place(), owner=Who(name))


# Loading


def test_a_kind_that_the_environment_does_not_name_is_refused():
    found = broken(place(Environment("dev", {"synthetic": 0})), bundle_kind="mirrored")
    assert found == {"data-class": ["mirrored data may not be in dev; allowed there is synthetic"]}


def test_nothing_is_loaded_where_loads_is_false():
    assert broken(place(Environment("museum", {}, loads=False)))["production"] == ["nothing is ever loaded into museum"]


@pytest.mark.parametrize(
    ("otherwise", "counts"),
    [
        ({}, True),
        ({"by": "alice@company.com"}, False),
        ({"by": "Alice@Company.com"}, False),
        ({"by": "carol@company.com"}, False),
        ({"owner": "dave@company.com"}, False),
        ({"owner": "ALICE@company.com"}, True),
        ({"template": "elsewhere"}, False),
        ({"bundle_digest": "sha256:" + "b" * 64}, False),
        ({"what": "extend"}, False),
        ({"until": NOW}, False),
        ({"until": NOW + timedelta(microseconds=1)}, True),
        ({"given_at": NOW + HOUR}, False),
    ],
)
def test_an_approval_counts_that_is_anothers_in_force_and_for_just_this(otherwise, counts):
    given = approved(**{"by": "bob@company.com"} | otherwise)
    found = broken(place(), bundle_kind="sanitized", approvals=(given,), actor=Who("carol@company.com"))
    assert (found == {}) == counts
    if not counts:
        assert found == {"approval": ["sanitized data in dev needs 1 approval by others than the owner and who asks; there is none"]}


def test_one_person_approves_once():
    twice = (approved("bob@company.com"), approved("BOB@company.com", id="ap-2"))
    found = broken(place(), bundle_kind="mirrored", approvals=twice)
    assert found["approval"] == [
        "mirrored data in dev needs 2 approvals by others than the owner and who asks; there is 1 (bob@company.com)"
    ]
    assert broken(place(), bundle_kind="mirrored", approvals=(*twice, approved("dora@company.com"))) == {}


def test_a_template_needs_both_approvals():
    found = broken(place(template=template(approved_infrastructure=None, approved_data=None)))
    assert found == {
        "template-approved": ["nobody has approved the infrastructure of template place", "nobody has approved the data of template place"]
    }
    assert list(broken(place(template=template(approved_data=None)))) == ["template-approved"]


@pytest.mark.parametrize(
    ("seeds", "seed", "may"),
    [
        (("synthetic:*",), "synthetic:v1", True),
        (("synthetic:*",), "synthetic", True),
        (("synthetic:*",), f"synthetic@{DIGEST}", True),
        (("synthetic:*",), "synthetic2:v1", False),
        (("synthetic:*",), "team/synthetic:v1", False),
        (("synthetic:v1",), "synthetic:v2", False),
        (("synthetic:v1",), f"synthetic@{DIGEST}", False),
        (("synthetic:latest",), "synthetic", True),
        (("team/*:*",), "team/synthetic:v1", True),
        (("sanitized:*", "synthetic:v1"), "synthetic:v1", True),
    ],
)
def test_a_template_holds_the_seeds_that_it_names(seeds, seed, may):
    for action in ("create", "reset"):
        found = broken(place(template=template(seeds=seeds)), seed=seed, action=action, ttl=None)
        assert found == ({} if may else {"seed": [f"template place may hold {', '.join(seeds)}, and not {seed}"]})


def test_a_bundle_at_its_end_is_not_loaded():
    assert broken(place(), bundle_expires=NOW) == {"bundle-expiry": ["the bundle expired at 2026-03-02 12:00 UTC"]}


# Owners


def test_an_owner_is_in_a_group_of_the_environment():
    environments = place(replace(DEV, owner_groups=("release",)))
    assert broken(environments) == {"owner-group": ["sandboxes in dev are for release, and alice@company.com is in engineering"]}
    assert broken(environments, owner=Who("alice@company.com", ("release",))) == {}
    assert broken(replace(environments, owners={"*@company.com": ("engineering",), "alice@company.com": ("release",)})) == {}


def test_an_entry_of_ones_own_goes_before_that_of_the_domain():
    environments = replace(
        place(replace(DEV, owner_groups=("engineering",))), owners={"*@company.com": ("engineering",), "Mal@company.com": ()}
    )
    assert broken(environments, owner=Who("mal@company.com"))["owner-group"] == [
        "sandboxes in dev are for engineering, and mal@company.com is in no group"
    ]


def test_the_quota_is_the_most_live_sandboxes():
    environments = place(replace(DEV, quota=3))
    assert broken(environments, live=2) == {}
    assert broken(environments, live=3) == {
        "quota": ["alice@company.com has 3 live sandboxes in dev, and 3 are the most; delete one first"]
    }
    for action in ("extend", "reset"):
        assert broken(environments, live=3, action=action, sandbox="sb-aaaaaaaaaa") == {}


# Time


@pytest.mark.parametrize(
    ("ttl", "said"),
    [
        (timedelta(0), "the time to live must be above zero, and 0s was asked for"),
        (-HOUR, "the time to live must be above zero, and -1h was asked for"),
        (timedelta(days=3650), "no sandbox lives for years, and 3650d was asked for; 30d in all are the most in dev"),
    ],
)
def test_no_time_less_and_years_are_refused(ttl, said):
    assert broken(place(), ttl=ttl) == {"ttl": [said]}


@pytest.mark.parametrize(
    ("otherwise", "ttl", "why"),
    [
        ({"ttl": None}, 72 * HOUR, "3d are the default in dev"),
        ({"ttl": HOUR}, HOUR, "as asked for"),
        ({"ttl": 6 * DAY, "bundle_expires": NOW + 2 * DAY}, 2 * DAY, "the bundle expires then"),
        ({"ttl": None, "bundle_expires": NOW + HOUR}, HOUR, "the bundle expires then"),
        ({"ttl": HOUR, "bundle_expires": NOW + DAY}, HOUR, "as asked for"),
        ({"ttl": 6 * DAY}, 5 * DAY, "5d in all are the most in dev"),
        ({"action": "extend", "age": 3 * DAY, "ttl": 4 * DAY, "sandbox": "sb-x"}, 2 * DAY, "5d in all are the most in dev"),
        ({"action": "reset", "ttl": None, "expires_at": NOW + HOUR, "sandbox": "sb-x"}, HOUR, "as before"),
    ],
)
def test_the_time_in_force_is_the_least_and_says_why(otherwise, ttl, why):
    environment = replace(DEV, ttl_most=30 * DAY if otherwise == {"ttl": None} else 5 * DAY)
    found = verdict(place(environment), **otherwise).require()
    assert (found.ttl, found.why_ttl) == (ttl, why)


def test_nothing_is_left_where_a_sandbox_lived_as_long_as_it_may():
    found = broken(place(replace(DEV, ttl_most=5 * DAY)), action="extend", age=5 * DAY, ttl=DAY, sandbox="sb-x", expires_at=NOW + HOUR)
    assert found["ttl"] == ["nothing is left of its time: 5d in all are the most in dev"]


def test_an_extension_that_makes_nothing_longer_is_refused():
    most = {"action": "extend", "age": 4 * DAY, "ttl": 2 * DAY, "sandbox": "sb-x", "expires_at": NOW + DAY}
    assert broken(place(replace(DEV, ttl_most=5 * DAY)), **most) == {
        "extension": ["it lives until 2026-03-03 12:00 UTC already, and can live no longer: 5d in all are the most in dev"]
    }
    assert broken(place(), **most) == {}


def test_a_life_beyond_seven_days_needs_somebody_elses_approval():
    longer = {"action": "extend", "age": 6 * DAY, "ttl": 2 * DAY, "sandbox": "sb-x", "expires_at": NOW + DAY}
    assert broken(place(), **longer | {"ttl": DAY + HOUR, "age": 6 * DAY - HOUR}) == {}
    assert broken(place(), **longer) == {
        "extension": ["a life of 8d is more than the 7d that an owner may ask for alone; somebody else has to approve it"]
    }
    word = approved("bob@company.com", what="extend", sandbox="sb-x", template=None, bundle_digest=None, until=NOW + 9 * DAY)
    assert broken(place(), **longer, approvals=(word,)) == {}
    for no in ({"by": "alice@company.com"}, {"sandbox": "sb-y"}, {"sandbox": None}, {"until": NOW}, {"what": "load"}):
        assert list(broken(place(), **longer, approvals=(replace(word, **no),))) == ["extension"]


def test_a_new_sandbox_is_not_to_live_longer_without_approval_either():
    assert list(broken(place(), ttl=8 * DAY)) == ["extension"]
    word = approved("bob@company.com", what="extend", bundle_digest=None, until=NOW + 20 * DAY)
    assert verdict(place(), ttl=8 * DAY, approvals=(word,)).require().ttl == 8 * DAY
    assert list(broken(place(), ttl=8 * DAY, approvals=(replace(word, sandbox="sb-x"),))) == ["extension"]


def test_what_is_approved_lives_no_longer_than_the_approval_and_no_shorter_than_without():
    word = approved("bob@company.com", what="extend", bundle_digest=None, until=NOW + 10 * DAY)
    found = verdict(place(), ttl=20 * DAY, approvals=(word,)).require()
    assert (found.ttl, found.why_ttl) == (10 * DAY, "the approval by bob@company.com ends then")
    found = verdict(place(), ttl=20 * DAY, approvals=(replace(word, until=NOW + DAY),)).require()
    assert (found.ttl, found.why_ttl) == (7 * DAY, "7d in all are the most without approval")


# What surrounds a sandbox


def test_an_environment_requires_collectors():
    environments = place(replace(DEV, collectors=("audit", "metrics")), template(collectors=("audit",)))
    assert broken(environments) == {"collectors": ["dev requires the collectors metrics, which template place has not"]}
    assert broken(place(replace(DEV, collectors=("audit",)), template(collectors=("metrics", "audit")))) == {}


@pytest.mark.parametrize(
    ("allowed", "wanted", "may"),
    [
        (Egress(), None, True),
        (Egress(), Egress(), True),
        (Egress(), Egress("allow"), False),
        (Egress(), Egress("deny", ("a:1",)), False),
        (Egress("deny", ("a:1", "b:2")), Egress("deny", ("b:2",)), True),
        (Egress("deny", ("a:1",)), Egress("deny", ("a:1", "b:2")), False),
        (Egress("allow"), Egress("allow"), True),
    ],
)
def test_a_template_reaches_no_more_than_its_environment_allows(allowed, wanted, may):
    assert list(broken(place(replace(DEV, egress=allowed), template(egress=wanted)))) == ([] if may else ["egress"])


@pytest.mark.parametrize(
    ("window", "moment", "opens"),
    [
        (ChangeWindow((0,), 540, 960), "2026-03-02T09:00", None),
        (ChangeWindow((0,), 540, 960), "2026-03-02T15:59", None),
        (ChangeWindow((0,), 540, 960), "2026-03-02T16:00", "Mon 2026-03-09 09:00 UTC"),
        (ChangeWindow((0,), 540, 960), "2026-03-02T08:59", "Mon 2026-03-02 09:00 UTC"),
        (ChangeWindow((0, 3), 540, 960), "2026-03-03T10:00", "Thu 2026-03-05 09:00 UTC"),
        (ChangeWindow((0,), 0, 1440), "2026-03-02T23:59", None),
        (ChangeWindow((4,), 1320, 120), "2026-03-06T23:00", None),
        (ChangeWindow((4,), 1320, 120), "2026-03-07T01:59", None),
        (ChangeWindow((4,), 1320, 120), "2026-03-07T02:00", "Fri 2026-03-13 22:00 UTC"),
        (ChangeWindow((4,), 1320, 120), "2026-03-06T01:00", "Fri 2026-03-06 22:00 UTC"),
        (ChangeWindow((0,), 540, 960, "Europe/Berlin"), "2026-03-02T08:00", None),
        (ChangeWindow((0,), 540, 960, "Europe/Berlin"), "2026-03-02T15:30", "Mon 2026-03-09 09:00 CET"),
        (ChangeWindow((6,), 0, 1440, "Pacific/Auckland"), "2026-03-07T12:00", None),
    ],
)
def test_a_change_window_opens_and_closes_by_its_own_clock(window, moment, opens):
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    environments = place(replace(DEV, change_window=window))
    found = broken(environments, now=now)
    assert found == ({} if opens is None else {"change-window": [f"dev is changed within its window, which opens at {opens}"]})
    assert broken(environments, now=now, action="extend", sandbox="sb-x", age=HOUR) == {}


# All at once


def test_everything_that_is_broken_is_told_at_once_by_its_rule():
    environment = Environment(
        "prod-eu",
        {},
        loads=False,
        owner_groups=("release",),
        quota=1,
        collectors=("audit",),
        change_window=ChangeWindow((5,), 540, 960),
    )
    worst = template(environment="prod-eu", approved_data=None, egress=Egress("allow"))
    what = {"bundle_kind": "mirrored", "seed": "x:v1", "live": 1, "ttl": timedelta(0), "bundle_expires": NOW - HOUR}
    with pytest.raises(PolicyRefused) as caught:
        verdict(place(environment, worst), **what).require()
    rules = [violation.rule for violation in caught.value.violations]
    assert rules == [name for name in HELD if name not in ("approval", "extension")]
    assert caught.value.exit_code == 3
    for rule in rules:
        assert f"{rule}: " in str(caught.value)


def test_a_verdict_is_a_document_for_the_ledger():
    found = verdict(place(replace(DEV, quota=0)), live=0)
    assert found.to_json() == {
        "allowed": False,
        "violations": [{"rule": "quota", "message": "alice@company.com has 0 live sandboxes in dev, and 0 are the most"}],
        "ttl_seconds": 259200,
        "why_ttl": "as asked for",
        "checked": HELD,
    }


def test_what_makes_a_template_useless_is_told_without_asking():
    ours = parse_environments(built_in_text())
    assert {name: faults(ours, name) for name in ours.templates} == dict.fromkeys(ours.templates, ())
    useless = place(replace(DEV, collectors=("audit",)), template(approved_data=None))
    assert [fault.rule for fault in faults(useless, "place")] == ["template-approved", "collectors"]
