"""The page of a certificate: all that the certificate says, for people; nothing of it is markup, and it stands alone."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from companyos.certificate_page import certificate_page
from masking.risk import Question, assess
from schemas.errors import InputError
from tests.companyos.pages import Page, stands_alone
from tests.masking.risk.tables import table

NASTY = "<script>alert(1)</script>\"'&"


def figures(*cells: str) -> dict[str, Any]:
    """The risks of people with these birth years and wages, as a certificate has them."""
    people = table(("users.born", "users.wage"), [(cell, str(i % 2)) for i, cell in enumerate(cells)])
    return assess(people, Question(("users.born",), ("users.wage",))).after.describe()


def column(name: str, **said: Any) -> dict[str, Any]:
    base = {"table": "users", "column": name, "path": None, "class": "direct", "entity": "email", "transformer": "email", "parameters": {}}
    return {**base, "when": None, "else": None, "confidence": 0.99, "evidence": [], **said}


def looked_for(place: str, **said: Any) -> dict[str, Any]:
    base = {"place": place, "class": "direct", "entity": "email", "values": 500, "inside": 480, "left_out": {"short": 20, "shared": 0}}
    return {**base, "kept": None, "survivors": 0, **said}


def found(place: str, into: str, **said: Any) -> dict[str, Any]:
    base = {
        "place": place,
        "in": into,
        "where": "cells",
        "values": 3,
        "cells": 7,
        "common_words": 2,
        "in_pools": 0,
        "shared": 0,
        "public": 0,
    }
    chance = {"kept": 0, "expected": 0.0213, "threshold": 1, "pool_expected": 0.0, "pool_threshold": 0}
    return {**base, **chance, "survivors": 0, **said}


def certificate(**said: Any) -> dict[str, Any]:
    """A certificate of two tables with something in every part."""
    return {
        "certificate": 1,
        "policy": {"name": "crm", "digest": "blake3:" + "ab" * 32},
        "unchanged": [{"place": "users.code", "transformer": "code", "cells": 7_654, "unchanged": 3, "values": 2, "limit": 9}],
        "source": {"schema": "crm_live", "digest": "blake3:" + "cd" * 32, "kind": "postgresql"},
        "output": {"digest": "blake3:" + "ef" * 32},
        "locale": "en_US",
        "key": {"origin": "ephemeral", "commitment": "12" * 32, "ended": "held in memory alone, and gone with the run"},
        "tables": [
            {"table": "users", "source_rows": 1000, "rows": 100, "subject": ["id"], "dropped": False},
            {"table": "audit_log", "source_rows": 98765, "rows": 0, "subject": [], "dropped": True},
        ],
        "columns": [
            column("email", parameters={"keep": "domain"}, evidence=["500 of 500 sampled values match the pattern of e-mail addresses"]),
            column("wage", **{"class": "sensitive"}, entity="salary", transformer="noise", parameters={"spread": 0.1}, when="country = 'DE'", **{"else": "keep"}),
            column("settings", path="$.contact.email", decided="person"),
            column("plan", **{"class": "public"}, entity=None, transformer="keep", confidence=None),
            {**column("line", **{"class": "free_text"}, entity=None, transformer="redact"), "table": "audit_log"},
        ],
        "prices": [
            {"table": "users", "column": "id", "domain": "integers of 9 digits", "size": 1e9, "with_key": "0.2 s", "without_key": "longer than the age of the universe", "warning": "a key in use for long is too weak here"},
        ],
        "risks": [{"subject": "users.id", "quasi_identifiers": ["users.born"], "before": figures("1", "2", "2", "3"), "after": figures("1", "1", "2", "2")}],
        "decisions": [{"place": "users.plan", "what": "kept", "why": "class public"}, {"place": "", "what": "left out", "why": "one check"}],
        "pools": [{"pool": "en_US/given_name", "values": 1234, "digest": "blake3:" + "34" * 32}],
        "subset": {"root": "users", "where": "country = 'DE'", "percent": None, "children": {"orders": 100}},
        "anonymity": [{"subject": "users.id", "k": 5, "reached": {"k": 6}}],
        "scan": {
            "passed": True,
            "allowed": 0,
            "survivors": 0,
            "false_alarm": 1e-06,
            "values": 12345,
            "output": {"cells": 100000, "texts": 2000, "bytes": 1234567},
            "columns": [looked_for("users.email"), looked_for("users.plan", kept="the policy keeps it")],
            "found": [found("users.email", "messages.payload", in_pools=1, pool_expected=0.9, pool_threshold=6)],
            "baseline": ["Values that stand in the output by chance are no leak."],
            "dictionaries": [{"name": "common words", "words": 4321, "digest": "blake3:" + "56" * 32}],
            "limits": ["base64 is not looked into"],
        },
        "versions": {"companyos-data": "0.4.0", "polars-hash": "0.9.3"},
        **said,
    }  # fmt: skip


def test_all_that_the_certificate_says_is_there():
    seen = Page(certificate_page(certificate()))
    words = " ".join(seen.texts)
    for text in (
        "Passed", "12,345 values of the source were looked for in 100,000 cells and 2,000 texts; none is left beyond chance",
        "an ephemeral key, made for this run", "gone with the run", "12" * 32, "ab" * 32, "cd" * 32, "ef" * 32,
        "email (keep: domain)", "noise (spread: 0.1)", "country = 'DE'", "$.contact.email", "99 %", "not masked",
        "500 of 500 sampled values match the pattern of e-mail addresses", "98,765", "dropped",
        "1,000,000,000", "a key in use for long is too weak here", "messages.payload", "2 common words, 1 in pools", "20 short",
        "≈ 0.0213, at most 1; of the pools ≈ 0.9, at most 6", "the policy keeps it", "false alarm: 1e-06 for the whole proof",
        "base64 is not looked into", "common words", "4,321", "en_US/given_name", "1,234", "class public", "the whole", "one check",
        "orders 100", "0.4.0", "quasi-identifiers: users.born", "users.wage: distinct l", "before", "after",
    ):  # fmt: skip
        assert text in words, text
    assert "Failed" not in words


def test_survivors_are_the_first_thing_that_is_seen():
    scan = {**certificate()["scan"], "passed": False, "survivors": 1, "found": [found("users.email", "messages.payload", survivors=1)]}
    html = certificate_page(certificate(scan=scan))
    assert '<p class="notice"><strong>Failed</strong>' in html and "1 is left, where 0 may be" in html
    assert '<p class="notice good"><strong>Passed</strong>' in certificate_page(certificate())


def test_the_page_stands_alone_and_is_the_same_each_time():
    html = certificate_page(certificate())
    stands_alone(Page(html))
    assert certificate_page(copy.deepcopy(certificate())) == html


def test_parts_that_do_not_apply_are_not_there():
    scan = {**certificate()["scan"], "columns": [], "found": [], "dictionaries": [], "limits": []}
    bare = certificate(
        risks=[], decisions=[], prices=[], pools=[], subset=None, anonymity=[], columns=[], tables=[], scan=scan, versions={}
    )
    html = certificate_page(bare)
    seen = Page(html)
    stands_alone(seen)
    for part in ("Risks", "Decisions", "Subset and anonymity", "Prices of a search", "Pools of pseudonyms"):
        assert part not in seen.texts
    assert "Nothing: no value of the source stands in the output." in seen.texts
    half = [{"subject": "users.id", "quasi_identifiers": ["born"], "before": None, "after": figures("*", "*")}]
    assert "users.id" in Page(certificate_page(certificate(risks=half))).texts
    stands_alone(Page(certificate_page(certificate(risks=[{**half[0], "after": None}]))))


def nasty(value: Any) -> Any:
    """The same document with markup in every text but the words that choose what is shown."""
    if isinstance(value, dict):
        return {key: nasty(item) for key, item in value.items()}
    if isinstance(value, list):
        return [nasty(item) for item in value]
    return value + NASTY if isinstance(value, str) else value


def test_everything_is_text_whatever_it_holds():
    html = certificate_page(nasty(certificate()))
    seen = Page(html)
    assert NASTY not in html and "<script" not in html and not re.search(r"<[^>]*alert\(1\)[^>]*>", html)
    assert sum(NASTY in text for text in seen.texts) > 60
    stands_alone(seen)


def test_certificates_of_another_shape_are_refused():
    with pytest.raises(InputError, match="certificates of shape 2 are not known here"):
        certificate_page(certificate(certificate=2))
