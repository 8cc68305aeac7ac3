"""`companyos sandbox manifests`: YAML for kubectl, and one List for machines."""

from __future__ import annotations

import json

import yaml

from companyos.cli import run


def test_the_nightly_sweep_is_printed(capsys):
    assert run(["sandbox", "manifests", "--sweep", "--image", "example.com/companyos:1"]) == 0
    kinds = [document["kind"] for document in yaml.safe_load_all(capsys.readouterr().out)]
    assert kinds == ["Namespace", "ServiceAccount", "CronJob"]
    assert run(["sandbox", "manifests", "--sweep", "--image", "example.com/companyos:1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "List"


def test_either_a_sandbox_or_the_sweep_is_named(capsys):
    for arguments in ([], ["sb-abcdefghij", "--sweep"], ["--sweep"]):
        assert run(["sandbox", "manifests", *arguments]) == 2
    assert "--image" in capsys.readouterr().err
