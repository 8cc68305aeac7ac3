"""Pools of values: what they hold, and that they depend on nothing but the libraries' versions."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from masking.pools import KINDS, locales, pool
from schemas.errors import InputError

SCRIPTS = {"ru_RU": "Ѐ-ӿ", "ja_JP": "一-龯", "ar_AA": "؀-ۿ", "el_GR": "Ͱ-Ͽ", "hi_IN": "ऀ-ॿ"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", ["en_US", "de_AT", "ja_JP", "ar_AA", "sw"])
def test_every_kind_has_tidy_texts_in_every_locale(kind: str, locale: str) -> None:
    texts = pool(kind, locale).texts
    assert len(texts) >= 3
    assert list(texts) == sorted(set(texts))
    assert all(text == " ".join(text.split()) and len(text) <= 80 for text in texts)


@pytest.mark.parametrize("locale", SCRIPTS)
@pytest.mark.parametrize("kind", ["given_name", "family_name", "city"])
def test_names_are_in_the_letters_of_their_locale(kind: str, locale: str) -> None:
    low, high = SCRIPTS[locale].split("-")
    texts = pool(kind, locale).texts
    assert sum(any(low <= c <= high for c in text) for text in texts) / len(texts) > 0.5
    assert len(texts) > 50


def test_names_by_gender_share_hardly_any() -> None:
    for locale in ("en_US", "de_DE", "ru_RU", "fr_FR"):
        female, male = (set(pool(f"given_name_{gender}", locale).texts) for gender in ("female", "male"))
        assert min(len(female), len(male)) > 200
        assert len(female & male) < 0.03 * len(female | male)


def test_pools_are_the_same_in_another_process_with_other_hashes() -> None:
    code = "from masking.pools import pools_of; print([(of.locale, of.kind, of.digest) for of in pools_of(['it_IT', 'en_US'])])"
    told = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert all(f"'{kind}'" in told[0] for kind in KINDS)


def test_slugs_are_ascii_letters_one_for_each_text() -> None:
    names = pool("given_name", "ja_JP")
    assert len(names.slugs) == len(names.texts)
    assert all(slug.isascii() and slug.isalpha() and slug.islower() for slug in names.slugs)


def test_a_language_stands_for_its_locale_and_a_misspelt_one_is_told() -> None:
    assert len(pool("city", "de").texts) > 100
    assert "ja_JP" in locales()
    with pytest.raises(InputError, match="did you mean 'de_DE'"):
        pool("city", "de_DD")
    with pytest.raises(InputError, match="did you mean 'city'"):
        pool("citys", "de_DE")
