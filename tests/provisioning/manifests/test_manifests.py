"""Kubernetes takes every object, whatever sandboxes and owners are called, and the network is shut but for what is declared."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import kubernetes_validate
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.errors import WrongState
from provisioning.life.sandbox import Sandbox
from provisioning.manifests import render, render_sweep, render_under, to_yaml
from provisioning.manifests.names import label_value, object_name
from schemas.environments import Egress, Environment, Environments, Limits, SandboxTemplate
from schemas.errors import InputError

VERSIONS = ("1.30.0", "1.33.0", "1.37.0")
NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
SANDBOX = Sandbox(
    id="sb-abcdefghij",
    owner="alice@company.com",
    template="feature-default",
    environment="dev",
    host="files",
    tenant=None,
    seed="synthetic:v1",
    bundle_digest="sha256:" + "0" * 64,
    kind="synthetic",
    state="ready",
    doing=None,
    flags={},
    guardrails={},
    limits=Limits(),
    created_at=NOW,
    expires_at=NOW + timedelta(hours=72),
    why_expires="asked for",
    last_use=NOW,
    seen_counter=None,
    quarantined=None,
    failure=None,
    receipt=None,
    worker=None,
    beat_at=None,
)
DEV = Environment("dev", {"synthetic": 0})
TEMPLATE = SandboxTemplate("feature-default", "dev", "files")
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")


def with_egress(*exceptions: str) -> SandboxTemplate:
    return replace(TEMPLATE, egress=Egress("deny", exceptions))


def of_kind(objects, kind):
    return {o["metadata"]["name"]: o for o in objects if o["kind"] == kind}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid_for_kubernetes(version):
    exceptions = with_egress("203.0.113.0/24:443", "[2001:db8::/32]:443", "10.1.2.3:5432", "169.254.0.0/16:80")
    for thing in [*render(SANDBOX, DEV, exceptions), *render_sweep("registry.example.com/companyos:1.0")]:
        kubernetes_validate.validate(thing, version, strict=True)


def test_the_validator_refuses_what_is_wrong():
    quota = of_kind(render(SANDBOX, DEV, TEMPLATE), "ResourceQuota")["sandbox"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**quota, "spec": {"hardly": {}}}, VERSIONS[0], strict=True)


def test_nothing_comes_in_and_nothing_goes_out_by_default():
    policies = of_kind(render(SANDBOX, DEV, TEMPLATE), "NetworkPolicy")
    assert {name: policy["spec"] for name, policy in policies.items()} == {
        "default-deny-ingress": {"podSelector": {}, "policyTypes": ["Ingress"]},
        "default-deny-egress": {"podSelector": {}, "policyTypes": ["Egress"]},
    }


def test_declared_exceptions_go_out_and_names_are_looked_up_for_them():
    policies = of_kind(render(SANDBOX, DEV, with_egress("203.0.113.0/24:443", "10.1.2.3:5432")), "NetworkPolicy")
    dns, *rules = policies["declared-egress"]["spec"]["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert rules == [
        {"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}], "ports": [{"protocol": "TCP", "port": 443}]},
        {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"protocol": "TCP", "port": 5432}]},
    ]
    assert "default-deny-egress" in policies


def test_the_environments_egress_counts_where_the_template_has_none():
    environment = replace(DEV, egress=Egress("deny", ("203.0.113.0/24:443",)))
    assert "declared-egress" in of_kind(render(SANDBOX, environment, TEMPLATE), "NetworkPolicy")
    assert "declared-egress" not in of_kind(render(SANDBOX, environment, with_egress()), "NetworkPolicy")


def test_an_environment_that_lets_everything_out_still_lets_nothing_in():
    environment = replace(DEV, egress=Egress("allow"))
    assert list(of_kind(render(SANDBOX, environment, TEMPLATE), "NetworkPolicy")) == ["default-deny-ingress"]


def test_a_network_never_opens_the_address_where_clouds_hand_out_credentials():
    policies = of_kind(render(SANDBOX, DEV, with_egress("169.254.0.0/16:80")), "NetworkPolicy")
    block = policies["declared-egress"]["spec"]["egress"][1]["to"][0]["ipBlock"]
    assert block == {"cidr": "169.254.0.0/16", "except": ["169.254.169.254/32"]}


def test_all_exceptions_that_no_policy_can_express_are_refused_at_once():
    with pytest.raises(InputError) as error:
        render(SANDBOX, DEV, with_egress("api.example.com:443", "10.0.0.7/24:80", "0.0.0.0/0:443", "10.0.0.0/24", "10.0.0.0/24:99999"))
    name, inside, everything, portless, large = str(error.value).splitlines()
    assert "'api.example.com:443'" in name and "addresses, not names" in name
    assert "did you mean '10.0.0.0/24:80'" in inside
    assert "every address" in everything
    assert "no port" in portless and "no port" in large


@given(st.text(max_size=80))
def test_any_exception_is_refused_with_a_sentence_or_makes_a_valid_policy(exception):
    try:
        objects = render(SANDBOX, DEV, with_egress(exception))
    except InputError:
        return
    kubernetes_validate.validate(of_kind(objects, "NetworkPolicy")["declared-egress"], VERSIONS[-1], strict=True)


def test_pods_are_restricted_and_get_no_token_of_the_cluster():
    objects = render(SANDBOX, DEV, TEMPLATE)
    labels = next(iter(of_kind(objects, "Namespace").values()))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    accounts = of_kind(objects, "ServiceAccount")
    assert set(accounts) == {"default", "sandbox"}
    assert not any(account["automountServiceAccountToken"] for account in accounts.values())


def test_the_database_is_named_by_its_secret_and_no_secret_is_written():
    objects = render(SANDBOX, DEV, TEMPLATE)
    assert of_kind(objects, "ServiceAccount")["sandbox"]["secrets"] == [{"name": "companyos-database"}]
    assert not of_kind(objects, "Secret")


def test_objects_say_when_their_sandbox_is_over():
    metadata = render(SANDBOX, DEV, TEMPLATE)[0]["metadata"]
    assert metadata["labels"]["companyos.io/expires"] == "20261128T040000Z"
    assert metadata["annotations"]["janitor/expires"] == "2026-11-28T04:00:00Z"
    assert metadata["annotations"]["companyos.io/owner"] == "alice@company.com"


def test_storage_is_limited_to_what_the_sandbox_may_take():
    for size, written in ((2**30, "1024Mi"), (1_000_000, "1000000")):
        objects = render(replace(SANDBOX, limits=Limits(bytes=size)), DEV, TEMPLATE)
        assert of_kind(objects, "ResourceQuota")["sandbox"]["spec"]["hard"]["requests.storage"] == written


@pytest.mark.parametrize("state", ["deleting", "deleted", "failed"])
def test_a_sandbox_that_is_gone_has_no_objects(state):
    with pytest.raises(WrongState, match=state):
        render(replace(SANDBOX, state=state), DEV, TEMPLATE)


@settings(max_examples=30)  # the validator reads its schemas anew each time
@given(id=st.text(min_size=1), owner=st.text(), template=st.text(min_size=1), why=st.text())
def test_names_and_labels_are_valid_whatever_things_are_called(id, owner, template, why):
    sandbox = replace(SANDBOX, id=id, owner=owner, template=template, why_expires=why)
    objects = render(sandbox, DEV, TEMPLATE)
    for thing in objects:
        metadata = thing["metadata"]
        for name in (metadata["name"], metadata.get("namespace", metadata["name"])):
            assert len(name) <= 63 and NAME.fullmatch(name)
        for value in metadata["labels"].values():
            assert len(value) <= 63 and VALUE.fullmatch(value)
    assert list(yaml.safe_load_all(to_yaml(objects))) == objects
    kubernetes_validate.validate(objects[0], VERSIONS[-1], strict=True)


@pytest.mark.parametrize("text", ["a" * 64, "b" * 300, "-" * 70, "é" * 63, "a" * 53 + "-.-" * 9])
def test_long_names_are_shortened(text):
    assert len(object_name(text)) <= 63 and NAME.fullmatch(object_name(text))
    assert len(label_value(text)) <= 63 and VALUE.fullmatch(label_value(text))


@given(st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_two_names_never_become_one(texts):
    assert label_value(texts[0]) != label_value(texts[1])
    assert object_name(texts[0]) != object_name(texts[1])


@pytest.mark.parametrize("owner", ["1e3", "0o17", "y", "no", "12:30", "null", "~", "1_000", ".inf", "2026-01-01"])
def test_texts_stay_texts_for_every_reader_of_yaml(owner):
    written = to_yaml(render(replace(SANDBOX, owner=owner), DEV, TEMPLATE))
    assert f'companyos.io/owner: "{owner}"' in written


def test_the_sweep_runs_every_night_one_at_a_time_and_takes_its_settings_from_a_secret():
    job = of_kind(render_sweep("registry.example.com/companyos:1.0", schedule="5 2 * * *"), "CronJob")["companyos-sweep"]["spec"]
    assert (job["schedule"], job["concurrencyPolicy"]) == ("5 2 * * *", "Forbid")
    container = job["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert container["args"][:2] == ["sandbox", "sweep"]
    assert container["envFrom"] == [{"secretRef": {"name": "companyos-settings"}}]


@pytest.mark.parametrize(
    ("image", "schedule", "namespace", "message"),
    [
        ("companyos", "every night", "companyos", "no schedule"),
        ("companyos", "1 2 3 4 5; rm", "companyos", "no schedule"),
        ("", "17 3 * * *", "companyos", "no container image"),
        ("companyos", "17 3 * * *", "Company OS", "no namespace"),
    ],
)
def test_a_sweep_that_could_not_run_is_refused(image, schedule, namespace, message):
    with pytest.raises(InputError, match=message):
        render_sweep(image, schedule=schedule, namespace=namespace)


def test_a_template_that_the_file_has_no_more_is_named():
    environments = Environments({"dev": DEV}, {}, {}, {})
    with pytest.raises(InputError, match="template 'feature-default'"):
        render_under(environments, SANDBOX)
