"""Hints in messages: the nearest name, and what is said after it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from provisioning.errors import TargetInvalid
from provisioning.target import parse_target
from schemas.errors import followed, nearest

PROJECT = Path(__file__).parents[2]
ROOMS = ("bundles", "companyos", "datagen", "dpsql", "masking", "provisioning", "schemas")


def test_what_follows_a_question_is_a_sentence_of_its_own() -> None:
    known = ("email", "name")
    assert "no 'emial'" + followed(nearest("emial", known), "there are two") == "no 'emial'; did you mean 'email'? There are two"
    assert "no 'x'" + followed(nearest("x", known), "there are two") == "no 'x'; there are two"
    assert followed("; under that name there is v1", "`a list` shows all") == "; under that name there is v1; `a list` shows all"


def test_messages_read_so() -> None:
    with pytest.raises(TargetInvalid, match=r"did you mean 'postgres'\? Supported are postgresql://"):
        parse_target("postgrse://localhost/x")


def test_no_message_goes_on_after_a_hint_by_itself() -> None:
    goes_on = re.compile(r"\{nearest\([^\"]*\)\}[;:,.]")
    texts = [(path, path.read_text()) for room in ROOMS for path in (PROJECT / room).rglob("*.py")]
    assert len(texts) > 100
    found = [(str(path), line.strip()) for path, text in texts for line in text.splitlines() if goes_on.search(line)]
    assert found == []
