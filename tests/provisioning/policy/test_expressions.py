"""A company's own rules in CEL: what they know, and that nothing but a plain true lets anything pass."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from asking import DAY, HOUR, broken, place, verdict

from provisioning.policy.expressions import LARGEST, fault
from schemas.cel import VARIABLES, problem_in
from schemas.environments import Environment, Environments, Rule
from schemas.errors import InputError

DEV = Environment("dev", {"synthetic": 0})
FACTS = {"owner": "alice@company.com", "groups": ["engineering", "leads"], "ttl_hours": 72, "live": 2, "flags": []}


def ruled(*expressions: str) -> Environments:
    rules = tuple(Rule(f"own-{i}", expression, f"own rule {i}") for i, expression in enumerate(expressions))
    return place(replace(DEV, rules=rules))


def test_own_rules_are_held_beside_ours_by_their_names():
    found = verdict(ruled("ttl_hours <= 24", "owner.endsWith('@company.com')", "'leads' in groups"))
    assert [(v.rule, v.message) for v in found.violations] == [("own-0", "own rule 0"), ("own-2", "own rule 2")]
    assert found.checked[-3:] == ("own-0", "own-1", "own-2")


@pytest.mark.parametrize(
    ("name", "written", "otherwise"),
    [
        ("owner", "'alice@company.com'", {}),
        ("groups", "['engineering']", {}),
        ("actor", "'alice@company.com'", {}),
        ("template", "'place'", {}),
        ("environment", "'dev'", {}),
        ("kind", "'synthetic'", {}),
        ("seed", "'synthetic:v1'", {}),
        ("ttl_hours", "73", {"ttl": 72 * HOUR + timedelta(seconds=1)}),
        ("ttl_hours", "120", {"ttl": 9 * DAY}),
        ("flags", "[]", {}),
        ("action", "'extend'", {"action": "extend", "sandbox": "sb-x"}),
        ("age_hours", "0", {}),
        ("age_hours", "25", {"action": "extend", "sandbox": "sb-x", "age": DAY + timedelta(minutes=1), "ttl": HOUR}),
        ("live", "2", {"live": 2}),
    ],
)
def test_every_variable_is_what_the_documentation_says(name, written, otherwise):
    environments = place(replace(DEV, rules=(Rule("own", f"{name} == {written}", "no"),), ttl_most=5 * DAY))
    assert broken(environments, **otherwise) == {}
    assert name in VARIABLES


def test_all_variables_are_told():
    everything = " && ".join(f"type({name}) != null_type" for name in VARIABLES)
    assert broken(ruled(everything)) == {}


@pytest.mark.parametrize(
    "expression", ["true", "live == 2", "groups.exists(g, g == 'leads')", "flags.all(f, f == 'x')", "true || groups[9] == ''"]
)
def test_what_is_true_holds(expression):
    assert fault(expression, FACTS) is None


@pytest.mark.parametrize("expression", ["false", "live > 2", "groups.all(g, g == 'leads')", "owner.matches('^bob')"])
def test_what_is_false_does_not(expression):
    assert fault(expression, FACTS) == ""


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("owner + 1 == 2", "could not be evaluated"),
        ("groups[9] == 'leads'", "could not be evaluated"),
        ("1 / 0 == 1", "could not be evaluated"),
        ("groups.all(g, g > 1)", "could not be evaluated"),
        ("owner.getHours() == 1", "could not be evaluated"),
        ("owner.matches('(')", "could not be evaluated"),
        ("kind == 'synthetic'", "could not be evaluated"),
        ("9223372036854775807 + live > 0", "could not be evaluated"),
        ("(" * 300 + "true" + ")" * 300, "could not be evaluated"),
        ("owner", "neither true nor false"),
        ("1", "neither true nor false"),
        ("null", "neither true nor false"),
        ("'true'", "neither true nor false"),
        ("[true]", "neither true nor false"),
        ("live >", "cannot be read"),
        ("liv == 2", "cannot be read"),
    ],
)
def test_what_cannot_be_said_counts_as_broken(expression, why):
    said = fault(expression, FACTS)
    assert said is not None and why in said
    assert "Activation" not in said and "alice" not in said


def nested(depth: int) -> str:
    numbers = "[" + ",".join("1" * 40) + "]"
    return "".join(f"{numbers}.all(x{i}, " for i in range(depth)) + "true" + ")" * depth


def test_an_expression_that_takes_too_long_is_stopped():
    said = fault(nested(6), FACTS, seconds=0.2)  # 4,000,000,000 steps
    assert said == "the rule could not be evaluated: it takes too long"


def test_an_expression_that_makes_too_much_is_stopped():
    said = fault("[owner]" + ".map(x, x + x)" * 60 + " == []", FACTS)
    assert said == f"the rule could not be evaluated: it makes something of more than {LARGEST:,} parts"


def test_the_reason_stands_behind_the_message_of_a_rule_that_fails():
    assert broken(ruled("groups[9] == 'x'")) == {"own-0": ["own rule 0 (the rule could not be evaluated: invalid_argument)"]}


@pytest.mark.parametrize(
    ("expression", "message", "column"),
    [
        ("ownr == 'a'", "unknown name 'ownr'; did you mean 'owner'?", 1),
        ("live > 1 && sise(groups) > 1", "unknown function 'sise'; did you mean 'size'?", 13),
        ("owner.startWith('a')", "unknown function 'startWith'; did you mean 'startsWith'?", 7),
        ("groups.exists(g, h == 'a')", "unknown name 'h'; known are owner, groups, actor, template, environment", 18),
        ("owner = 'a'", "this is not CEL: it cannot be understood at '= 'a''", 7),
        ("owner ==", "this is not CEL: it cannot be understood at '=='", 7),
        ("x" * 4001, "an expression has at most 4,000 characters", None),
    ],
)
def test_an_expression_is_read_before_it_is_needed(expression, message, column):
    found = problem_in(expression)
    assert found is not None and found.message.startswith(message)
    assert found.column == column


def test_without_the_extra_nothing_is_allowed_where_there_are_rules(monkeypatch):
    monkeypatch.setitem(sys.modules, "celpy", None)
    assert broken(place()) == {}
    with pytest.raises(InputError, match=r"pip install 'companyos-data\[policy\]'"):
        verdict(ruled("true"))


def test_reading_an_expression_lowers_no_limit_of_recursion():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + 5000)
    try:
        assert problem_in("true") is None
        assert sys.getrecursionlimit() == before + 5000
    finally:
        sys.setrecursionlimit(before)
