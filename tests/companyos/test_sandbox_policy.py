"""`companyos sandbox policy`: what is allowed where, files of a company's own, and what would be said of a sandbox."""

from __future__ import annotations

import json

import pytest

import bundles
import datagen
from companyos.cli import run
from schemas.environments_reader import VARIABLE, built_in_text
from schemas.environments_reference import EXAMPLE

SHOP = "schema: shop\nseed: 1\ntables:\n  people:\n    rows: 3\n    columns:\n      id: {type: bigint, key: true}\n"
OWNER = ("--owner", "alice@company.com")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COMPANYOS_CONTROL", raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def called(capsys, *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["sandbox", "policy", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def said(capsys, *arguments: object) -> dict:
    _, out, _ = called(capsys, *arguments, "--json")
    return json.loads(out)


def built(home, tag: str) -> None:
    (home / "shop.yaml").write_text(SHOP)
    bundles.build(datagen.source("shop.yaml"), tag=tag)


def test_the_environments_are_shown_as_a_table(capsys):
    code, out, _ = called(capsys)
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip() and not line.startswith(" ")}
    assert "synthetic" in rows["local"] and "sanitized" not in rows["local"]
    assert "none, ever" in rows["production"]
    assert "files (duckdb)" in rows["feature-default"]
    assert "Mon Tue Wed Thu" in rows["pre-prod"]


def test_machines_are_told_all_of_it(capsys):
    document = said(capsys)
    assert document["environments"]["staging"]["classes"] == {"synthetic": 0, "sanitized": 1, "mirrored": 2}
    assert document["environments"]["production"]["loads"] is False
    assert document["hosts"]["postgres"] == {"kind": "postgresql", "folder": None, "url_from": "COMPANYOS_POSTGRES"}


def test_the_file_is_printed_to_begin_ones_own_with(capsys, home, monkeypatch):
    code, out, _ = called(capsys, "--print")
    assert (code, out) == (0, built_in_text())
    own = home / "own.yaml"
    own.write_text(EXAMPLE)
    monkeypatch.setenv(VARIABLE, str(own))
    assert called(capsys, "--print")[1] == EXAMPLE


def test_a_file_is_checked_with_the_place_of_each_problem(capsys, home):
    own = home / "own.yaml"
    own.write_text(EXAMPLE.replace("quota: 3", "quotta: 3").replace("loads: false", "classes: {synthetic: 0}"))
    code, _, err = called(capsys, own, "--check")
    assert code == 2
    assert f"{own}:6:5: unknown key 'quotta' in environment 'dev'; did you mean 'quota'?" in err
    assert f"{own}:16:5: nothing is ever loaded into environment 'production': leave `classes:` out" in err


def test_a_check_tells_of_templates_that_nothing_can_be_made_after(capsys, home):
    own = home / "own.yaml"
    own.write_text(EXAMPLE.replace("    collectors: [audit]\n    approved", "    approved"))
    code, out, _ = called(capsys, own, "--check")
    assert code == 0
    assert out.splitlines() == [
        f"{own}: 3 environments, 2 templates, 2 hosts, 3 owners: nothing is wrong",
        "note: nothing can be made after template feature: collectors: dev requires the collectors audit, which template feature has not",
    ]
    assert list(said(capsys, own, "--check")["unusable_templates"]) == ["feature"]


def test_what_would_be_allowed_is_explained_with_its_time(capsys, home):
    built(home, "synthetic:v1")
    code, out, _ = called(capsys, "--explain", "feature-default", *OWNER, "--ttl", "72h", "--feature-flags", "onboarding,async-billing")
    assert (code, out.splitlines()[0]) == (0, "allowed; it would live for 3d (as asked for)")


def test_what_would_be_refused_is_explained_by_all_its_rules(capsys):
    code, out, _ = called(capsys, "--explain", "dev-postgres", *OWNER, "--kind", "mirrored", "--seed", "mirrored:v1", "--ttl", "0h")
    assert code == 3
    assert [line.split(":")[0] for line in out.splitlines()[:-1]] == ["refused by data-class", "refused by seed", "refused by ttl"]
    assert "\nchecked: production, " in out
    document = said(capsys, "--explain", "dev-postgres", *OWNER, "--kind", "sanitized", "--seed", "sanitized:v1")
    assert [violation["rule"] for violation in document["violations"]] == ["approval"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--explain", "feature-default"), "--explain needs --owner"),
        (("--explain", "feature-defalt", *OWNER), "did you mean 'feature-default'?"),
        (("--explain", "feature-default", "--owner", "alice@compny.com", "--kind", "synthetic"), "unknown owner 'alice@compny.com'"),
        (("--explain", "feature-default", *OWNER, "--kind", "synthetic", "--feature-flags", "onbording"), "did you mean 'onboarding'?"),
        (("--explain", "feature-default", *OWNER, "--seed", "nothing:v1"), "nothing:v1"),
        (("none.yaml",), "none.yaml"),
    ],
)
def test_words_that_mean_nothing_are_wrong_input(capsys, arguments, message):
    code, _, err = called(capsys, *arguments)
    assert code == 2
    assert message in err
