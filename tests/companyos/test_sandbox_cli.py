"""`companyos sandbox`, `demo` and `audit` as somebody types them: one life of a sandbox, one of a demo tenant, and wrong words."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

import bundles
import datagen
from companyos.cli import run
from provisioning.life import creating
from provisioning.life.sandboxes import open_sandboxes
from schemas.environments_reader import VARIABLE

ALICE, BOB = "alice@company.com", "bob@company.com"
SHOP = """
schema: shop
seed: 1
anchor: 2026-01-05
tables:
  people:
    rows: 30
    columns:
      id: {type: bigint, key: true}
      name: {type: text, generate: company.name}
"""


@pytest.fixture(autouse=True, params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def home(request, tmp_path, monkeypatch):
    """An empty home, with the control database in it, or in PostgreSQL."""
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path / "home"))
    for name in ("COMPANYOS_CONTROL", "COMPANYOS_STORE", VARIABLE):
        monkeypatch.delenv(name, raising=False)
    if request.param == "postgresql":
        monkeypatch.setenv("COMPANYOS_CONTROL", request.getfixturevalue("postgres_url"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(SHOP)
    bundles.build(datagen.source("shop.yaml"), tag="synthetic:v1")
    bundles.build(datagen.source("shop.yaml"), tag="demo:v1")
    return tmp_path


def typed(capsys, *words: object, code: int = 0) -> str:
    """Run `companyos` with these words; return what it printed, or its error where a code is expected."""
    capsys.readouterr()
    ended = run([str(word) for word in words])
    out, err = capsys.readouterr()
    assert (ended, "Traceback" in err) == (code, False), err
    return out if code in (0, 4) else err


def ask(url: str, statement: str) -> list[tuple]:
    with duckdb.connect(url.removeprefix("duckdb:///")) as database:
        return database.execute(statement).fetchall()


def said(capsys, *words: object) -> dict:
    return json.loads(typed(capsys, *words, "--json"))


def create(capsys, *more: object) -> dict:
    return said(capsys, "sandbox", "create", "--owner", ALICE, "--seed", "synthetic:v1", *more)


def test_the_life_of_a_sandbox(capsys):
    text = typed(
        capsys, "sandbox", "create", "--owner", ALICE, "--template", "feature-default", "--ttl", "72h", "--seed", "synthetic:v1",
        "--feature-flags", "onboarding,async-billing",
    )  # fmt: skip
    id = re.match(r"sb-[a-z2-7]{10}", text).group()
    assert "30 rows" in text and "as asked for" in text
    shown = typed(capsys, "sandbox", "show", id)
    assert "onboarding on, async-billing on" in shown and ALICE in shown
    assert id in typed(capsys, "sandbox", "list", "--owner", ALICE)
    assert f"{id} is kept" in typed(capsys, "sandbox", "why", id)
    url = typed(capsys, "sandbox", "connect", id, "--print").strip()
    ask(url, "UPDATE people SET name = 'changed' WHERE id = 1")
    made = said(capsys, "sandbox", "snapshot", id, "--tag", "snapshot:bug-1", "--why", "bug 1")
    assert made["reference"] == "snapshot:bug-1"
    restored = said(capsys, "sandbox", "restore", "snapshot:bug-1", "--owner", BOB)
    assert ask(restored["url"], "SELECT name FROM people WHERE id = 1") == [("changed",)]
    assert "was reset to synthetic:v1: 30 rows" in typed(capsys, "sandbox", "reset", id)
    url = said(capsys, "sandbox", "connect", id, "--print")["url"]
    assert ask(url, "SELECT count(*) FROM people WHERE name = 'changed'") == [(0,)]
    assert "lives until" in typed(capsys, "sandbox", "extend", id, "--by", "24h")
    assert "extension" in typed(capsys, "sandbox", "extend", id, "--by", "9d", code=3)
    assert "their own" in typed(capsys, "sandbox", "approve", "--extend", id, "--by", ALICE, "--why", "mine", code=3)
    assert f"approved by {BOB}" in typed(capsys, "sandbox", "approve", "--extend", id, "--by", BOB, "--why", "so", "--valid", "14d")
    assert "lives until" in typed(capsys, "sandbox", "extend", id, "--by", "6d")
    assert typed(capsys, "sandbox", "sweep", "--dry-run") == "2 kept\n"
    assert typed(capsys, "sandbox", "delete", id) == f"{id} is deleted\n"
    assert [s["id"] for s in said(capsys, "sandbox", "list")["sandboxes"]] == [restored["id"]]
    log = typed(capsys, "audit", "log")
    for action in ("requested", "ready", "snapshot", "reset", "extended", "approved", "deleted"):
        assert action in log
    assert said(capsys, "audit", "verify")["problems"] == []


def test_a_sandbox_whose_file_was_lost_is_told_of_by_why_and_by_the_sweep(capsys):
    id, kept = create(capsys)["id"], create(capsys)["id"]
    shutil.rmtree(Path(said(capsys, "sandbox", "connect", id)["url"].partition(":///")[2]).parent)
    told = typed(capsys, "sandbox", "why", id)
    assert f"{id} is out of reach" in told and "has no database" in told and "requested" in told
    assert f"1 recorded without a database, failed (not yet: a dry run): {id}" in typed(capsys, "sandbox", "sweep", "--dry-run")
    assert typed(capsys, "sandbox", "sweep") == f"1 recorded without a database, failed: {id}\n1 kept\n"
    assert f"{id} is failed" in typed(capsys, "sandbox", "why", id)
    assert f"{kept} is kept" in typed(capsys, "sandbox", "why", kept)


def test_a_long_life_is_approved_before_the_sandbox_is_made(capsys):
    ask_for = ("sandbox", "create", "--owner", ALICE, "--seed", "synthetic:v1", "--ttl", "9d")
    assert "extension" in typed(capsys, *ask_for, code=3)
    approve = ("sandbox", "approve", "--long-life", "--owner", ALICE, "--why", "a pilot", "--valid", "12d", "--by")
    assert "their own" in typed(capsys, *approve, ALICE, code=3)
    assert f"approved by {BOB}" in typed(capsys, *approve, BOB)
    assert said(capsys, *ask_for)["state"] == "ready"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--load", "synthetic:v1"),
        ("--extend", "sb-aaaaaaaaaa", "--owner", ALICE),
        ("--long-life",),
        ("--long-life", "--extend", "sb-x", "--owner", ALICE),
    ],
)
def test_an_approval_is_of_one_thing(capsys, words):
    assert "say one of" in typed(capsys, "sandbox", "approve", *words, "--by", BOB, "--why", "so", code=2)


def test_the_same_key_gives_the_same_sandbox(capsys):
    first, second = create(capsys, "--idempotency-key", "k"), create(capsys, "--idempotency-key", "k")
    assert (first["id"], second["again"]) == (second["id"], True)
    assert "take a new key" in typed(
        capsys, "sandbox", "create", "--owner", ALICE, "--seed", "synthetic:v1", "--ttl", "5h", "--idempotency-key", "k", code=3
    )


ASKED_AGAIN = ("sandbox", "create", "--owner", ALICE, "--seed", "synthetic:v1", "--idempotency-key", "k")


def test_the_same_key_shows_the_sandbox_as_it_is_now(capsys, monkeypatch):
    told = []
    monkeypatch.setattr(creating, "make", before(creating.make, lambda: told.append(typed(capsys, *ASKED_AGAIN))))
    made = create(capsys, "--idempotency-key", "k")
    assert f"{made['id']}  requested (asked for before" in told[0]
    assert f"connect   companyos sandbox connect {made['id']}, once it is ready" in told[0]
    again = typed(capsys, *ASKED_AGAIN)
    assert f"{made['id']}  ready (asked for before" in again and made["url"] in again
    typed(capsys, "bundle", "recall", "synthetic:v1", "--quarantine", "--why", "so")
    again = typed(capsys, *ASKED_AGAIN)
    assert f"{made['id']}  ready, quarantined" in again and "connect " not in again
    typed(capsys, "sandbox", "delete", made["id"])
    assert f"{made['id']}, made with this idempotency key, is deleted; take a new key" in typed(capsys, *ASKED_AGAIN, code=3)


def before(work, first):
    """`work`, before which `first` is called."""

    def both(*args, **named):
        first()
        return work(*args, **named)

    return both


def test_a_sandbox_that_is_a_file_has_no_password_to_rotate(capsys):
    id = create(capsys)["id"]
    assert "has no password to rotate" in typed(capsys, "sandbox", "connect", id, "--rotate", "--print", code=2)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--template", "feature-defualt"), 2, "did you mean 'feature-default'"),
        (("--seed", "synthetic:v9"), 2, "synthetic:v9"),
        (("--owner", "mallory@elsewhere.example"), 2, "mallory@elsewhere.example"),
        (("--feature-flags", "onbording"), 2, "did you mean 'onboarding'"),
        (("--ttl", "0h"), 3, "ttl"),
        (("--ttl", "-5h"), 3, "ttl"),
        (("--ttl", "3000d"), 3, "years"),
        (("--ttl", "soon"), 2, "Invalid value for '--ttl': 'soon' is no length of time; write it like 90s, 15m, 8h, 3d, 2w, 6mo or 2y\n"),
        (("--ttl", "9999999999h"), 2, "Invalid value for '--ttl': a length of time is at most 290,000 years\n"),
    ],
)
def test_wrong_words_are_told(capsys, words, code, told):
    ask_for = {"--owner": ALICE, "--seed": "synthetic:v1"} | {words[0]: words[1]}
    error = typed(capsys, "sandbox", "create", *(word for pair in ask_for.items() for word in pair), code=code)
    assert told in error
    assert said(capsys, "sandbox", "list")["sandboxes"] == []


def test_an_empty_list_says_whether_there_are_none_at_all(capsys):
    assert typed(capsys, "sandbox", "list") == "there are no sandboxes; `companyos sandbox create` makes one\n"
    typed(capsys, "sandbox", "create", "--owner", ALICE, "--seed", "synthetic:v1")
    for asked in (("--owner", BOB), ("--state", "failed"), ("--tenant", "acme")):
        assert typed(capsys, "sandbox", "list", *asked) == "no sandboxes were found\n"


def test_what_ends_after_the_last_date_is_refused_like_any_other_time(capsys):
    made = said(capsys, "sandbox", "create", "--owner", ALICE, "--seed", "synthetic:v1")["id"]
    assert "no sandbox lives for years" in typed(capsys, "sandbox", "extend", made, "--by", "9000y", code=3)
    approve = ("sandbox", "approve", "--extend", made, "--by", BOB, "--why", "a pilot", "--valid")
    assert "366 days at most" in typed(capsys, *approve, "9000y", code=2)
    assert "366 days at most" in typed(capsys, *approve, "-9000y", code=2)


def test_a_reason_is_one_line(capsys):
    create = ("sandbox", "create", "--owner", ALICE, "--seed", "synthetic:v1")
    for why in ("a\nb", "a\x1b[2J", "a" * 501):
        assert "one line of at most 500" in typed(capsys, *create, "--why", why, code=2)
    assert said(capsys, "sandbox", "list")["sandboxes"] == []


def test_a_day_that_is_none_is_told_before_anything_is_recorded(capsys):
    create = ("sandbox", "create", "--owner", ALICE, "--seed", "synthetic:v1")
    assert "is no day" in typed(capsys, *create, "--as-of", "2026-13-45", code=2)
    assert said(capsys, "sandbox", "list")["sandboxes"] == []


def test_the_folders_of_sandboxes_are_their_accounts_alone_whatever_the_umask(capsys, home):
    before = os.umask(0)
    try:
        id = said(capsys, "demo", "create", "--tenant", "demo-acme", "--owner", ALICE, "--seed", "demo:v1")["id"]
        typed(capsys, "demo", "reset", "--tenant", "demo-acme", "--force")
        typed(capsys, "audit", "verify")
        with open_sandboxes() as opened:
            opened.platform.passwords.keep(id, "secret")
            opened.platform.media.set_aside(id)
    finally:
        os.umask(before)
    folders = {p.name: p.stat().st_mode & 0o777 for p in (home / "home").iterdir() if p.is_dir() and p.name not in ("bundles", "cache")}
    assert folders == dict.fromkeys(("audit", "media", "passwords", "sandboxes"), 0o700)


def test_a_demo_tenant_is_brought_back_and_rolled_back(capsys):
    made = said(capsys, "demo", "create", "--tenant", "demo-acme", "--owner", ALICE, "--seed", "demo:v1")
    (line,) = typed(capsys, "demo", "reset", "--tenant", "demo-*").splitlines()
    assert re.fullmatch(r"demo-acme \(sb-\w+\) skipped: nobody touched it", line)
    ask(made["url"], "DELETE FROM people WHERE id < 4")
    said(capsys, "demo", "webhooks", "--tenant", "demo-acme", "--url", "https://hooks.example.com/in")
    assert "people: 0 added, 3 removed, 0 changed" in typed(capsys, "demo", "reset", "--tenant", "demo-*", "--dry-run")
    text = typed(capsys, "demo", "reset", "--tenant", "demo-*")
    assert "1 webhook was registered" in text and re.search(r"demo-acme \(sb-\w+\) reset in", text)
    assert "has no webhooks" in typed(capsys, "demo", "webhooks", "--tenant", "demo-acme")
    Path("shop.yaml").write_text(SHOP.replace("rows: 30", "rows: 40"))
    bundles.build(datagen.source("shop.yaml"), tag="demo:v2")
    assert ") reset in" in typed(capsys, "demo", "rollback", "--tenant", "demo-acme", "--to", "demo:v2")
    assert "demo:v2" in typed(capsys, "demo", "list")
    assert typed(capsys, "demo", "list", "--tenant", "acme-*") == "no demo tenants were found\n"
    assert "did you mean 'demo-acme'" in typed(capsys, "demo", "reset", "--tenant", "demo-acne", code=2)


def test_sandboxes_are_listed_and_shown_in_a_home_that_nobody_may_write(home: Path, capsys) -> None:
    made = json.loads(typed(capsys, "sandbox", "create", "--owner", ALICE, "--seed", "synthetic:v1", "--json"))
    shown = [("sandbox", "list", "--json"), ("sandbox", "show", made["id"]), ("sandbox", "why", made["id"], "--json")]
    before = [typed(capsys, *words) for words in shown]
    folder = home / "home"
    if subprocess.run(["mount", "--bind", "-o", "ro", folder, folder], capture_output=True).returncode:
        pytest.skip("only root makes a folder one that may only be read")
    try:
        assert [typed(capsys, *words) for words in shown] == before
    finally:
        subprocess.run(["umount", folder], check=True)
