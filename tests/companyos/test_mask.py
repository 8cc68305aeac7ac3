"""`companyos mask`, as machines call it from plan to proof; with a plug-in; interrupted in the middle."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

import bundles
from tests.masking.pipeline.commands import Masking, readable
from tests.masking.pipeline.conftest import KEY, masking  # noqa: F401 - the fixture
from tests.masking.pipeline.databases import people_in_sqlite, raw_values
from tests.masking.transformers.test_registry import install

REVERSED = '''
from dataclasses import dataclass
from typing import ClassVar

import pyarrow.compute as pc


@dataclass(frozen=True)
class Starred:
    """Puts stars in the place of all letters."""

    name: ClassVar[str] = "starred"
    sign: str = "*"

    def bind(self, context):
        return Starring(self.sign)


@dataclass(frozen=True)
class Starring:
    sign: str

    def apply(self, values, rows):
        return pc.replace_substring_regex(values, "[A-Za-z0-9]", self.sign)
'''


def test_every_step_from_plan_to_certificate_speaks_json(masking: Masking, tmp_path: Path) -> None:  # noqa: F811
    url = people_in_sqlite(tmp_path / "source.db")
    code, out, err = masking("mask", "plan", url, "-o", masking.policy, "--json")
    planned = json.loads(out)
    assert (code, err, planned["policy"]) == (0, "", str(masking.policy))
    classes = {(c["table"], c["column"]): c["class"] for c in planned["columns"]}
    assert classes["users", "email"] == classes["users", "full_name"] == "direct"
    assert {"table", "column", "class", "entity", "mask", "confidence"} == set(planned["columns"][0])
    code, out, err = masking("mask", "plan", url, "--diff", masking.policy, "--json")
    assert (code, json.loads(out), err) == (0, [], "")

    code, out, err = masking.run(url, "--json", "--tag", "crm:v1")
    made = json.loads(out)
    assert (code, err, made["reference"], made["kind"]) == (0, "", "crm:v1", "sanitized")
    certificate = made["certificate"]
    assert certificate["scan"]["passed"] and certificate["scan"]["survivors"] == 0

    at = ("--store", masking.store)
    code, out, err = masking("mask", "scan", "crm:v1", "--against", url, "--json", *at)
    scanned = json.loads(out)
    assert (code, err, scanned["passed"], scanned["values"]) == (0, "", True, certificate["scan"]["values"])
    code, out, err = masking("mask", "certificate", "crm:v1", "--json", *at)
    assert (code, err) == (0, "") and json.loads(out) == certificate
    assert not masking.places_of(raw_values(60))


def test_a_policy_that_people_may_have_worked_on_is_not_written_over_unless_they_say_so(masking: Masking, tmp_path: Path) -> None:  # noqa: F811
    url = people_in_sqlite(tmp_path / "source.db")
    masking.policy.write_text("policy: crm  # reviewed\n")
    code, out, err = masking("mask", "plan", url, "-o", masking.policy)
    assert (code, out) == (2, "") and "is there already" in err and "--replace" in err
    assert masking.policy.read_text() == "policy: crm  # reviewed\n"
    masking.plan(url, "--replace")
    assert "reviewed" not in masking.policy.read_text()


@pytest.mark.parametrize("key", ["hunter2-and-more-of-it", "file:", "env:"])
def test_a_key_that_is_given_itself_is_written_into_no_policy(masking: Masking, tmp_path: Path, key: str) -> None:  # noqa: F811
    code, out, err = masking("mask", "plan", people_in_sqlite(tmp_path / "source.db"), "-o", masking.policy, "--key", key)
    assert (code, out) == (2, "") and "never stands in a policy" in err and "hunter2" not in err
    assert not masking.policy.exists()


@pytest.mark.parametrize("tag", ["../crm", "crm:", f"crm@sha256:{'0' * 64}"])
def test_a_tag_that_is_none_is_refused_before_the_source_is_read(masking: Masking, tmp_path: Path, tag: str) -> None:  # noqa: F811
    url = people_in_sqlite(tmp_path / "source.db")
    masking.plan(url)
    (tmp_path / "source.db").unlink()
    code, _, err = masking.run(url, "--tag", tag)
    assert code == 2 and f"'{tag}' is no" in err


def test_a_page_that_has_no_room_does_not_hide_that_the_bundle_is_made(masking: Masking, tmp_path: Path) -> None:  # noqa: F811
    url = people_in_sqlite(tmp_path / "source.db")
    masking.plan(url)
    code, out, err = masking.run(url, "--tag", "crm:v1", "--certificate", "/dev/full")
    assert (code, out) == (4, "")
    assert "/dev/full cannot be written: No space left on device; the bundle is made and proven: `companyos mask certificate crm:v1" in err
    assert bundles.open("crm:v1", masking.store).reference == "crm:v1"


def test_a_source_that_has_changed_is_told_as_json_and_by_the_exit_code(masking: Masking, tmp_path: Path) -> None:  # noqa: F811
    url = people_in_sqlite(tmp_path / "source.db")
    masking.plan(url)
    masking.edit(lambda policy: policy["tables"]["users"]["columns"].pop("phone"))
    code, out, _ = masking("mask", "plan", url, "--diff", masking.policy, "--json")
    (difference,) = json.loads(out)
    assert code == 1 and (difference["table"], difference["column"]) == ("users", "phone")
    code, out, _ = masking.run(url, "--json")
    assert code != 0 and "phone" in json.loads(out)["error"]
    masking.assert_nothing_is_left()


def test_a_page_that_cannot_be_written_is_refused_before_the_run(masking: Masking, tmp_path: Path) -> None:  # noqa: F811
    url = people_in_sqlite(tmp_path / "source.db")
    masking.plan(url)
    page = tmp_path / "nowhere" / "page.html"
    code, _, err = masking.run(url, "--certificate", page)
    assert code == 2 and f"{page} cannot be written" in err
    assert not masking.store.exists()
    kept = tmp_path / "page.html"
    kept.write_text("an older page")
    masking.edit(lambda policy: policy["tables"]["users"]["columns"].pop("phone"))
    assert masking.run(url, "--certificate", kept)[0] != 0
    assert kept.read_text() == "an older page" and not list(tmp_path.glob(".*.tmp"))


def test_a_plug_in_masks_a_column_and_the_certificate_says_so(
    masking: Masking,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = tmp_path / "site"
    install(site, "starred-transformer", "starred", "plugin_starred:Starred", REVERSED)
    monkeypatch.syspath_prepend(str(site))
    url = people_in_sqlite(tmp_path / "source.db")
    masking.plan(url)
    masking.edit(
        lambda policy: policy["tables"]["orders"]["columns"].update(contact={"class": "direct", "mask": {"starred": {"sign": "+"}}})
    )
    made = masking.made(url)
    contacts = {cell for batch in made.read("orders") for cell in batch.column("contact").to_pylist()}
    assert contacts and all(set(cell) == {"+", " "} for cell in contacts)
    entry = [c for c in made.provenance["certificate"]["columns"] if (c["table"], c["column"]) == ("orders", "contact")]
    assert entry[0]["transformer"] == "starred" and entry[0]["parameters"] == {"sign": "+"}
    masking.edit(lambda policy: policy["tables"]["orders"]["columns"].update(contact={"class": "direct", "mask": "stared"}))
    code, _, err = masking.run(url)
    assert code == 2 and "did you mean 'starred'" in err


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_the_store_as_it_was(masking: Masking, tmp_path: Path, end: signal.Signals) -> None:  # noqa: F811
    url = people_in_sqlite(tmp_path / "source.db", people=60, events=60_000)
    masking.plan(url)
    masking.made(url)
    before = contents(masking.store)
    document = yaml.safe_load(masking.policy.read_text())
    document["tables"]["orders"]["columns"]["contact"] = {"class": "direct", "mask": "company"}  # other bytes than the first time
    masking.policy.write_text(yaml.safe_dump(document, sort_keys=False))
    command = [sys.executable, "-c", "from companyos.cli import main; main()", "mask", "run", url]
    command += ["--policy", str(masking.policy), "--store", str(masking.store), "--key", "env:MASKING_KEY"]
    environment = {**os.environ, "TMPDIR": str(masking.temporary), "MASKING_KEY": KEY, "CI": "true"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and running.poll() is None and contents(masking.store).keys() == before.keys():
            time.sleep(0.01)
        running.send_signal(end)
        said, _ = running.communicate(timeout=120)
    assert running.returncode == 130, said
    assert "Traceback" not in said
    assert contents(masking.store) == before
    assert not [p for p in masking.temporary.rglob("*") if p.is_file()]
    wanted = [value.encode() for value in raw_values(60)]
    left = [path for path in masking.store.rglob("*") if path.is_file()]
    assert not [path for path in left for data in readable(path) for value in wanted if value in data]
    assert bundles.Store(masking.store).references()


def contents(folder: Path) -> dict[str, str]:
    """The digest of each file, of those that are still there when they are read."""
    found = {}
    for path in folder.rglob("*"):
        try:
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
        except (FileNotFoundError, IsADirectoryError):
            continue
    return found


def test_a_sanitized_bundle_answers_private_questions(masking: Masking, tmp_path: Path) -> None:  # noqa: F811
    """With what the schema's file says of privacy, as far as it holds of the masked rows; the rest is told, in the certificate too."""
    pytest.importorskip("opendp")
    url = people_in_sqlite(tmp_path / "source.db")
    masking.plan(url)
    code, out, _ = masking("schema", "reflect", url)
    assert code == 0
    columns = {
        "users.salary": {"bounds": [1000, 5000]},
        "users.country": {"values": ["DE", "FR"]},
        "users.born_on": {"bounds": ["1900-01-01", "2010-01-01"]},
    }
    said = {"unit": "users.id", "public": ["plans"], "columns": columns, "contributions": {"orders": 10}, "budget": {"epsilon": 100}}
    schema = tmp_path / "schema.yaml"
    schema.write_text(yaml.safe_dump({**yaml.safe_load(out), "privacy": said}, sort_keys=False))
    masking.edit(lambda policy: policy["tables"]["users"]["columns"]["salary"].update({"mask": "keep"}))
    masking.edit(lambda policy: policy["tables"]["users"]["columns"]["country"].update({"mask": "keep"}))

    made = masking.made(url, "--schema", schema)
    privacy = made.schema.privacy
    assert privacy is not None and (privacy.unit, privacy.public, privacy.contributions) == ("users.id", ("plans",), {"orders": 10})
    assert set(privacy.columns) == {"users.salary", "users.country"}
    lost = [d["why"] for d in made.provenance["certificate"]["decisions"] if d["why"].startswith("privacy: ")]
    assert len(lost) == 1 and "the bounds of users.born_on" in lost[0]

    sql = "SELECT country, COUNT(*) AS n, AVG(salary) AS pay FROM users GROUP BY country"
    ledger = ("--ledger", tmp_path / "ledger.db", "--anchor", tmp_path / "anchor.json")
    code, out, err = masking("query", made.reference, sql, "--store", masking.store, "--epsilon", 50, "--format", "json", *ledger)
    assert code == 0, out + err
    rows = {row[0]: row for row in json.loads(out)["rows"]}
    assert abs(rows["DE"][1] - 40) < 5 and abs(rows["FR"][1] - 20) < 5  # a third of epsilon or more each: e^-80
    code, _, err = masking("mask", "run", url, "--policy", masking.policy, "--store", masking.store, "--schema", tmp_path / "none.yaml")
    assert code == 2 and "none.yaml" in err
