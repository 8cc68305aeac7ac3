"""Pools of values: kept in a cache that may be lost, and made by the providers of Faker and Mimesis, which know no clock but the anchor."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from datetime import date

import pytest
import time_machine

from datagen.errors import RecipeError
from datagen.pools import THIS_YEAR, Pool, Pools
from tests.datagen.making import column_of, source_of


def test_a_damaged_cache_of_pools_is_made_anew(tmp_path):
    pools = Pools(tmp_path)
    names = pools.get("last_name", "de_DE")
    (kept,) = tmp_path.rglob("*.json")
    again = Pools(tmp_path).get("last_name", "de_DE")
    assert again.digest == names.digest
    kept.write_text(kept.read_text().replace(names.texts[0], "Somebody"))
    assert Pools(tmp_path).get("last_name", "de_DE").texts == names.texts
    kept.write_text("{")
    assert Pools(tmp_path).get("last_name", "de_DE").texts == names.texts


def test_a_full_disk_leaves_no_half_of_a_pool_in_the_cache(tmp_path, monkeypatch):
    def full(content, file, **options):
        file.write("{")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(json, "dump", full)
    assert len(Pools(tmp_path).get("city", "en_US")) > 100
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").write_text("")
    assert len(Pools(tmp_path / "file").get("city", "en_US")) > 100


def test_pools_say_what_they_hold():
    assert Pool(("a", "b")).digest != Pool(("b", "a")).digest
    made = source_of("locale: ja_JP\ntables: {t: {rows: 9, columns: {x: {type: text, generate: person.first_name}}}}\n")
    assert any("first_name_female ja_JP" in name for name in made.provenance["value_pools"])


def test_providers_of_few_values_keep_their_frequencies():
    found = column_of("{faker: {provider: boolean, args: {chance_of_getting_true: 90}}}", "boolean", 5000).to_pylist()
    assert 4300 < sum(found) < 4700


def test_providers_give_an_enum_only_words_of_its_own():
    head = "tables: {t: {rows: 300, columns: {id: {type: int, key: true}, x: {type: "
    for recipe in ("{faker: {provider: random_element, args: {elements: [a, b, b, b, zz]}}}", "{faker: random_letter}"):
        made = source_of(f"{head}{{enum: [a, b]}}, generate: {recipe}}}}}}}}}")
        assert set(made.read("t").read_all()["x"].to_pylist()) == {"a", "b"}
    made = source_of(f"{head}{{array: {{enum: [a, b]}}}}, generate: {{array: {{of: {{faker: random_letter}}, count: 3}}}}}}}}}}}}")
    assert {item for items in made.read("t").read_all()["x"].to_pylist() for item in items} == {"a", "b"}
    with pytest.raises(RecipeError, match=r"4:99: no value of name in en_US fits enum\(a, b\)"):
        source_of(f"{head}{{enum: [a, b]}}, generate: {{faker: name}}}}}}}}}}")
    with pytest.raises(RecipeError, match="300 unique values of random_letter .* there are only 2"):
        source_of(f"{head}{{enum: [a, b]}}, unique: true, generate: {{faker: random_letter}}}}}}}}}}")


@pytest.mark.parametrize(
    ("generate", "type", "rows"),
    [
        ("{faker: {provider: pydecimal, args: {min_value: 1, max_value: 9}}}", "numeric(5,1)", 60),
        ("{faker: date_time}", "date", 1900),
        ("{faker: {provider: pyfloat, args: {min_value: 0, max_value: 1}}}", "real", 1900),
        ("{faker: uuid4}", "uuid", 1900),
        ("{faker: {provider: random_element, args: {elements: ['1', '01', '2']}}}", "bigint", 2),
    ],
)
def test_unique_values_of_providers_differ_as_values_of_the_type(generate, type, rows):
    assert len(set(column_of(generate, type, rows, ", unique: true").to_pylist())) == rows


def test_providers_of_one_locale_are_found_there():
    found = column_of("{faker: {provider: first_kana_name, locale: ja_JP}}", "text", 50).to_pylist()
    assert len(set(found)) > 10


@pytest.mark.parametrize("generate", ["{faker: date_this_year}", "{faker: past_date}", "{mimesis: datetime.timestamp}"])
def test_providers_that_read_the_clock_read_the_anchor(generate, tmp_path, monkeypatch):
    found = []
    for day in (date(2031, 5, 6), date(2027, 7, 8)):
        monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path / str(day)))
        with time_machine.travel(day, tick=False):
            found.append(column_of(generate, "text", 50).to_pylist())
    assert found[0] == found[1]
    if "faker" in generate:
        assert all("2025-11" < text < "2026-01-02" for text in found[0])


_YEARS_OF_MIMESIS = """
import sys
from datetime import date
from datagen.pools import Pools
for year in sys.argv[1:]:
    for name in ("datetime.year", "datetime.week_date", "datetime.date", "datetime.datetime", "datetime.formatted_date"):
        pool = Pools().provider("mimesis", name, {}, 60, "en_US", date(int(year), 1, 1))
print(year, *sorted(pool.texts))
for name in ("year", "datetime"):
    print(min(Pools().provider("mimesis", f"datetime.{name}", {}, 60, "en_US", date(int(year), 1, 1)).texts)[:4])
    print(max(Pools().provider("mimesis", f"datetime.{name}", {}, 60, "en_US", date(int(year), 1, 1)).texts)[:4])
"""


def test_the_years_of_mimesis_end_with_the_anchor_whatever_was_made_before(tmp_path):
    found = set()
    for before in ([], ["2017"], ["2035"]):
        home = tmp_path / "-".join(["home", *before])
        found.add(
            subprocess.run(
                [sys.executable, "-c", _YEARS_OF_MIMESIS, *before, "2026"], capture_output=True, text=True, check=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COMPANYOS_HOME": str(home)},
            ).stdout
        )  # fmt: skip
    (only,) = found
    assert only.splitlines()[1:] == ["1990", "2026", "2026", "2026"]


_FROZEN = """
import inspect, json
from datetime import UTC, datetime
import time_machine
with time_machine.travel(datetime(2345, 1, 1, tzinfo=UTC)):
    from mimesis import Generic
    generic = Generic()
    methods = [(t, n, getattr(getattr(generic, t), n)) for t in dir(generic) if not t.startswith("_") for n in dir(getattr(generic, t))]
frozen = {}
for topic, name, method in methods:
    if not name.startswith("_") and inspect.ismethod(method):
        parameters = [p.name for p in inspect.signature(method).parameters.values() if "2345" in str(p.default)]
        if parameters:
            frozen[f"{topic}.{name}"] = parameters
print(json.dumps(frozen))
"""


def test_all_that_mimesis_freezes_at_its_import_is_known():
    made = subprocess.run([sys.executable, "-c", _FROZEN], capture_output=True, text=True, check=True).stdout
    assert json.loads(made) == {f"datetime.{name}": list(parameters) for name, parameters in THIS_YEAR.items()}
