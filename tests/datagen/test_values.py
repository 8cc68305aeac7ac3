"""Values: valid, coherent, reserved where they name somebody, unique where asked, and of the column's length."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date

import numpy as np
import phonenumbers
import pytest
from scipy import stats
from stdnum import ean, iban, luhn

from datagen.errors import RecipeError
from datagen.pools import Pools
from datagen.rows import Rows
from datagen.values.regex import parse_pattern
from schemas.errors import SchemaError
from schemas.recipes import BY_NAME
from tests.datagen.making import column_of, source_of

RESERVED = re.compile(r"@([a-z0-9-]+\.)*(example\.(com|org|net)|[a-z0-9-]+\.example|[a-z0-9-]+\.test)$")
PERSON = """schema: people
seed: 3
anchor: 2026-01-01T00:00:00Z
locale: {en_US: 4, de_DE: 3, ja_JP: 2, hu_HU: 1, ru_RU: 1}
tables:
  t:
    rows: 4000
    columns:
      id:     {type: bigint, key: true}
      first:  {type: text, generate: person.first_name}
      last:   {type: text, generate: person.last_name}
      name:   {type: text, generate: person.name}
      gender: {type: text, generate: person.gender}
      sex:    {type: char(1), generate: person.gender}
      email:  {type: text, generate: person.email}
      login:  {type: varchar(16), unique: true, generate: person.username}
      locale: {type: text, generate: geo.locale}
      code:   {type: char(2), generate: address.country_code}
      other:  {type: text, generate: {person.name: {of: friend}}}
      born:   {type: date, generate: {person.birth_date: {min_age: 30, max_age: 40}}}
      lat:    {type: double, generate: geo.latitude}
"""


@pytest.fixture(scope="module")
def people():
    return source_of(PERSON).read("t").read_all().to_pylist()


def test_all_columns_of_a_row_speak_of_one_person(people):
    for p in people:
        given, family = (p["last"], p["first"]) if p["locale"] in ("ja-JP", "hu-HU") else (p["first"], p["last"])
        assert p["name"] == f"{given} {family}"
        assert p["sex"] == p["gender"][0].upper()
        assert p["code"] == p["locale"][-2:]
        assert RESERVED.search(p["email"])
        local = p["email"].partition("@")[0]
        assert re.fullmatch(r"[a-z]+[._-]?[a-z]+\d*", local), local
    assert sum(p["other"] == p["name"] for p in people) < 20


def test_names_agree_with_the_gender(people):
    pools = Pools()
    for p in people[:500]:
        locale = p["locale"].replace("-", "_")
        assert p["first"] in pools.get(f"first_name_{p['gender']}", locale).texts


def test_ages_and_places_are_those_asked_for(people):
    ages = [(date(2026, 1, 1) - p["born"]).days / 365.2425 for p in people]
    assert min(ages) >= 30
    assert max(ages) < 41
    assert all(47 <= p["lat"] <= 55.1 for p in people if p["code"] == "DE")


def test_locales_are_mixed_by_weight(people):
    counts = Counter(p["locale"] for p in people)
    assert 1250 < counts["en-US"] < 1660
    assert set(counts) == {"en-US", "de-DE", "ja-JP", "hu-HU", "ru-RU"}


def test_rows_follow_the_locale_of_the_row_they_reference():
    text = """schema: s
seed: 3
locale: {en_US: 1, de_DE: 1, fr_FR: 1}
tables:
  tenants: {rows: 30, columns: {id: {type: bigint, key: true}, country: {type: text, generate: address.country_code}}}
  users:
    rows: {per: tenants, count: {uniform: [0, 9]}}
    locale: tenant_id
    columns:
      id: {type: bigint, key: true}
      tenant_id: {references: tenants.id}
      country: {type: text, generate: address.country_code}
      expected: {type: text, generate: {from: tenant_id.country}}
"""
    rows = source_of(text).read("users").read_all().to_pylist()
    assert all(r["country"] == r["expected"] for r in rows)
    assert len({r["country"] for r in rows}) == 3


def test_cards_ibans_and_eans_have_valid_check_digits_and_no_real_holder():
    cards = column_of("finance.card", "text", 3000, ", unique: true").to_pylist()
    assert len(set(cards)) == 3000
    assert all(luhn.is_valid(c) and len(c) == 16 for c in cards)
    assert {c[:6] for c in cards} <= {"424242", "411111", "400005", "401288", "555555", "510510", "222300", "601111", "353011"}
    for locale in ("de_DE", "en_GB", "nl_NL", "sv_SE", "de_AT", "de_CH", "fr_FR", "pt_BR", "en_US"):
        ibans = column_of(f"{{finance.iban: {{locale: {locale}}}}}", "text", 300, ", unique: true").to_pylist()
        assert len(set(ibans)) == 300
        assert all(iban.is_valid(i, check_country=False) for i in ibans), (locale, ibans[0])
        assert all(i.startswith(locale[3:]) or locale == "en_US" for i in ibans)
        if locale == "fr_FR":  # bank, branch, account and key, by their weights (Banque de France)
            assert all((89 * int(i[4:9]) + 15 * int(i[9:14]) + 3 * int(i[14:25]) + int(i[25:])) % 97 == 0 for i in ibans)
    assert all(ean.is_valid(e) and e.startswith("2") for e in column_of("product.ean", "text", 500).to_pylist())


def test_phone_numbers_are_only_those_kept_free_for_fiction():
    allowed = {
        "en_US": r"\+1 \d{3}-555-01\d\d", "ja_JP": r"\+1 \d{3}-555-01\d\d", "en_GB": r"\+44 (20 7946 0|1\d\d 496 0|1632 960|7700 900)\d{3}",
        "de_DE": r"\+49 (30 23125|69 90009|40 66969|221 4710|89 99998) \d{3}", "fr_FR": r"\+33 \d (99 00|61 91|53 01|65 71|36 49|39 98) \d{4}",
        "en_AU": r"\+61 [2378] (5550|7010) \d{4}", "sv_SE": r"\+46 (31 390 06|40 628 04|8 465 004) \d\d",
    }  # fmt: skip
    for locale, form in allowed.items():
        found = column_of(f"{{phone.number: {{locale: {locale}}}}}", "text", 400).to_pylist()
        assert all(re.fullmatch(form, n) for n in found), found[:3]
        assert all(phonenumbers.is_possible_number(phonenumbers.parse(n)) for n in found)
    unique = column_of("phone.number", "text", 20_000, ", unique: true").to_pylist()
    assert len(set(unique)) == 20_000


def test_addresses_of_machines_are_only_those_for_documentation():
    assert all(
        re.fullmatch(r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}", a) for a in column_of("internet.ipv4", "text", 500).to_pylist()
    )
    assert all(a.startswith("2001:0db8:") for a in column_of("internet.ipv6", "text", 50).to_pylist())
    for name in ("internet.domain", "company.domain", "internet.hostname", "internet.url"):
        hosts = [re.sub(r"^https://|/.*$", "", v) for v in column_of(name, "text", 200).to_pylist()]
        assert all(re.search(r"(\.example|\.test|\.example\.net)$", h) for h in hosts), hosts[:3]
    assert all(RESERVED.search(e) for e in column_of("internet.email", "text", 200).to_pylist())
    assert all(e.endswith("@corp.internal") for e in column_of("{person.email: {domains: [corp.internal]}}", "text", 50).to_pylist())


UNIQUE_TEXTS = [g.name for g in BY_NAME.values() if g.unique and g.semantic and "text" in g.fits]


@pytest.mark.parametrize("name", UNIQUE_TEXTS)
def test_unique_texts_never_repeat_and_keep_to_the_length(name):
    rows = 9_000
    values = column_of(name, "varchar(60)", rows, ", unique: true").to_pylist()
    assert len(set(values)) == rows
    assert max(map(len, values)) <= 60


@pytest.mark.parametrize(
    "name",
    [
        g.name
        for g in BY_NAME.values()
        if g.semantic and "varchar" in g.fits and not g.name.startswith(("finance.card", "finance.iban", "internet.ipv6", "internet.mac"))
    ],
)
def test_short_columns_cut_texts_and_never_overflow(name):
    try:
        values = column_of(name, "varchar(11)", 300).to_pylist()
    except SchemaError as error:
        if "varchar(11)" not in str(error):
            raise
        return
    assert max(map(len, values)) <= 11
    assert not [v for v in values if v != v.rstrip()]


def test_every_semantic_generator_makes_its_types():
    for spec in BY_NAME.values():
        if spec.semantic:
            for kind in spec.fits:
                type = {"numeric": "numeric(12,6)", "char": "char(40)", "varchar": "varchar(60)"}.get(kind, kind)
                if kind == "enum":
                    continue
                assert len(column_of(spec.name, type, 20)) == 20, (spec.name, kind)


SCATTERED = [
    ("{words: {uniform: [1, 6]}}", "text"), ("{sentences: 2}", "text"), ("{array: {uniform: [1, 9]}, count: {poisson: 2}}", "bigint[]"),
    ("{json: {a: {uniform: [1, 9]}, b: {array: internet.ipv4, count: 2}, c: person.name}}", "json"),
    ("{grammar: {start: ['{a} {b}', '{row}: {a}'], a: [x, y, '{b}!'], b: [1, 2]}}", "text"),
    ("{pattern: '([A-Z]{2}|\\d{3})-[a-f]?x+'}", "text"), ("person.email", "text"), ("company.name", "text"), ("finance.price", "numeric(10,2)"),
    ("{internet.token: 20}", "text"), ("{bytes: {uniform: [0, 20]}}", "bytes"), ("{template: '{id:05}-{person.first_name}'}", "text"), ("uuid4", "uuid"),
    ("{choice: {a: 1, b: 2}}", "text"), ("{faker: catch_phrase}", "text"), ("{mimesis: food.fruit}", "text"), ("phone.number", "text"),
    ("{between: [-1y, now], rhythm: office}", "timestamptz"), ("{expression: 'id * 2 + 1'}", "bigint"), ("{states: {a: {b: 0.5}, b: {c: 1}}}", "text"),
]  # fmt: skip


@pytest.mark.parametrize(("recipe", "type"), SCATTERED)
def test_values_of_scattered_rows_are_those_of_the_whole(recipe, type):
    text = f"""schema: s
seed: 9
locale: {{en_US: 2, ja_JP: 1, de_DE: 1}}
tables:
  t:
    rows: 3000
    columns:
      id: {{type: bigint, key: true}}
      x: {{type: "{type}", generate: {recipe}}}
"""
    made = source_of(text)
    whole = made.read("t").read_all().column("x").to_pylist()
    index = np.array([2999, 0, 17, 17, 1200, 5])
    assert Rows(made.plan.tables, "t", index).column("x").to_pylist() == [whole[i] for i in index]


@pytest.mark.parametrize("regex", ["[^ -~]|z", "(", "[z-a]", "a{3", "\\bx", "(a{64}){65}", "(((){99}){99}){99}", "x{5000}"])
def test_patterns_refuse_what_they_do_not_know(regex):
    with pytest.raises(ValueError, match=r".+"):
        parse_pattern(regex)


@pytest.mark.parametrize(
    "regex",
    [
        "[A-Z]{2}-\\d{4}",
        "a|bc|[xy]",
        "(ab?){1,2}",
        "x*",
        "\\w{8,40}",
        "((a|b){0,3}-){2,4}",
        "",
        "[\u00e4x]{1,3}\u6f22?",
        "([a-z]|\\d\\d)+",
        "a\\$",
        "a\\\\$",
    ],
)
def test_patterns_write_words_of_the_regular_expression(regex):
    found = column_of("{pattern: " + json.dumps(regex, ensure_ascii=False) + "}", "text", 3000).to_pylist()
    assert all(re.fullmatch(regex, w) for w in found)


def test_options_counts_and_letters_of_a_pattern_are_equally_likely():
    found = column_of("{pattern: '(x|[a-c]{1,3}|(yz?){0,2})'}", "text", 60_000).to_pylist()
    shares = Counter("y" if "y" in w or not w else w if w == "x" else len(w) for w in found)
    shares.update(w[0] for w in found if w[:1] in ("a", "b", "c"))
    expected = {"x": 3, "y": 3, 1: 1, 2: 1, 3: 1, "a": 1, "b": 1, "c": 1}
    for what, ninths in expected.items():
        assert abs(shares[what] - 60_000 * ninths / 9) < 6 * (60_000 * ninths / 9) ** 0.5


def test_unique_patterns_count_through_their_words():
    found = column_of("{pattern: '[ab]{3}(x|yy)'}", "text", 16, ", unique: true").to_pylist()
    assert len(set(found)) == 16
    assert all(re.fullmatch("[ab]{3}(x|yy)", w) for w in found)
    with pytest.raises(Exception, match="17 unique words"):
        column_of("{pattern: '[ab]{3}(x|yy)'}", "text", 17, ", unique: true")


def test_json_documents_are_canonical():
    recipe = """{json: {z: {uniform: [1, 5]}, "ä\\"": {constant: "q\\"\\\\"}, a: {boolean: 0.5}, l: {array: {choice: [1, x]}, count: {uniform: [0, 3]}}, t: {between: [-1d, now]}, d: {normal: {mean: 1, sd: 1}}}}"""
    for text in column_of(recipe, "json", 300).to_pylist():
        value = json.loads(text)
        assert list(value) == sorted(value, key=lambda k: k.encode("utf-16-be"))
        assert json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text


@pytest.mark.parametrize(
    ("generate", "type", "words"),
    [
        ("{faker: catchphrase}", "text", "catch_phrase"),
        ("{mimesis: food.fruits}", "text", "food.fruit"),
        ("{faker: {provider: pyint, args: {nonsense: 1}}}", "bigint", "nonsense"),
        ("{faker: profile}", "text", "not a single value"),
        ("{faker: catch_phrase}", "bigint", "type bigint"),
        ("{internet.email: {domains: ['a b', '']}}", "text", "'a b' is no domain"),
        ("{internet.token: 5000}", "text", "1 to 4096 characters"),
        ("{template: '{nmae}'}", "text", "nmae"),
        ("{template: 'a } b'}", "text", "lone"),
        ("{grammar: {start: ['{a}'], a: ['{start}']}}", "text", "contains itself"),
        ("{person.name: {locale: xx_XX}}", "text", "xx_XX"),
        ("{choice: [a, b]}", "bigint", "whole number"),
        ("finance.card", "varchar(10)", "16 characters"),
        ("{expression: 'random() * id'}", "double", "RAND"),
        ("{expression: 'now()'}", "timestamptz", "not allowed"),
        ("{expression: 'nothing + 1'}", "bigint", "nothing"),
        ("{expression: 'id ||'}", "text", "expression"),
    ],
)
def test_recipes_that_cannot_be_carried_out_are_refused_with_the_reason(generate, type, words):
    with pytest.raises(Exception, match=re.escape(words)):
        column_of(generate, type)


@pytest.mark.parametrize(
    ("schema", "table", "column", "place"),
    [
        ("xx_YY", "", "", (2, 9)),
        ("{de_DE: 1, xx_YY: 2}", "", "", (2, 9)),
        ("de_DE", "locale: xx_YY, ", "", (4, 15)),
        ("de_DE", "locale: fr_FR, ", "locale: xx_YY", None),
    ],
)
def test_a_locale_that_nobody_knows_is_told_once_and_where_it_stands(schema, table, column, place):
    name = f"{{person.name: {{{column}}}}}" if column else "person.name"
    text = f"""schema: s
locale: {schema}
tables:
  t: {{{table}rows: 3, columns: {{id: {{type: bigint, key: true}}, n: {{type: text, generate: {name}}}, e: {{type: text, generate: person.email}}}}}}
"""
    with pytest.raises(SchemaError, match="unknown locale 'xx_YY'") as error:
        source_of(text)
    [problem] = error.value.problems
    line = text.splitlines()[3]
    assert (problem.at.line, problem.at.column) == (place or (4, line.index("locale: xx_YY") + len("locale: ") + 1))


@pytest.mark.parametrize(
    ("locale", "titles"),
    [
        ("fr_FR", {"Mme", "Mlle", "M.", "Dr"}),
        ("es_ES", {"Sra.", "Srta.", "Dra.", "Sr.", "Dr."}),
        ("pt_PT", {"Sra.", "Dra.", "Sr.", "Dr."}),
        ("nl_NL", {"mevr.", "dhr.", "dr."}),
        ("sv_SE", {"Fru", "Herr", "Dr"}),
    ],
)
def test_a_form_of_address_is_one_and_no_particle_of_a_family_name(locale, titles):
    assert set(column_of(f"{{person.prefix: {{locale: {locale}}}}}", "text", 400).to_pylist()) == titles


@pytest.mark.parametrize("locale", ["pl_PL", "is_IS"])
def test_family_names_are_those_of_the_locale_where_the_library_has_no_list_of_them(locale):
    names = column_of(f"{{person.last_name: {{locale: {locale}}}}}", "text", 400).to_pylist()
    assert "Doe" not in names
    assert len(set(names)) > 100


def test_items_of_distinct_arrays_do_not_depend_on_how_many_are_drawn_at_a_time(monkeypatch):
    recipe = "{array: {choice: {a: 6, b: 3, c: 1}}, count: {uniform: [0, 3]}, distinct: true}"
    together = column_of(recipe, "text[]", 500)
    monkeypatch.setattr("datagen.values.distinct._CELLS", 7)
    assert column_of(recipe, "text[]", 500).equals(together)


def test_items_of_a_distinct_array_differ_and_follow_the_weights():
    found = column_of("{array: {choice: {a: 6, b: 3, c: 1, d: 0}}, count: {uniform: [0, 3]}, distinct: true}", "text[]", 6000).to_pylist()
    assert all(len(set(items)) == len(items) for items in found)
    assert {"".join(sorted(i)) for i in found} == {"", "a", "b", "c", "ab", "ac", "bc", "abc"}
    first = [i[0] for i in found if i]
    expected = [len(first) * share for share in (0.6, 0.3, 0.1)]
    assert stats.chisquare([first.count(c) for c in "abc"], expected).pvalue > 1e-6
    second = [i[1] for i in found if len(i) > 1 and i[0] == "a"]  # of b and c, as 3 to 1
    assert stats.binomtest(second.count("b"), len(second), 0.75).pvalue > 1e-6
    for type, recipe, size in (
        ("bigint[]", "{uniform: [1, 4]}", 4),
        ("date[]", "{between: [-2d, now]}", 3),
        ("json", "{uniform: [1, 4]}", 4),
    ):
        made = column_of(f"{{array: {recipe}, count: {size}, distinct: true}}", type, 500).to_pylist()
        items = [json.loads(i) if type == "json" else i for i in made]
        assert all(len(set(i)) == size for i in items) and len({tuple(i) for i in items}) > 5


@pytest.mark.parametrize(
    ("type", "recipe", "message"),
    [
        ("text[]", "{array: {choice: [a, b]}, count: {uniform: [1, 3]}, distinct: true}", "here up to 3 are asked for of 2 different ones"),
        ("text[]", "{array: {choice: [a, b, a]}, distinct: true}", "values that must not repeat have to differ"),
        ("bigint[]", "{array: {uniform: [1, 2]}, distinct: true}", "here up to 3 are asked for of 2 different ones"),
        (
            "text[]",
            "{array: {choice: [a, b]}, count: {poisson: 1}, distinct: true}",
            "here the count is poisson without an end, and there are 2 different ones; give it one, such as `max: 2`",
        ),
        (
            "text[]",
            "{array: {choice: [a, b]}, count: {poisson: 1, max: 3}, distinct: true}",
            "here up to 3 are asked for of 2 different ones",
        ),
        ("bigint[]", "{array: {uniform: [1, 200]}, count: 51, distinct: true}", "at most 50 in an array"),
        ("text[]", "{array: person.name, distinct: true}", "distinct items are made by choice, uniform, between"),
        ("double[]", "{array: {uniform: [1, 9]}, distinct: true}", "distinct items are made by choice, uniform, between"),
    ],
)
def test_distinct_items_of_which_there_are_too_few_are_refused_before_anything_is_made(type, recipe, message):
    with pytest.raises(RecipeError, match=message) as found:
        column_of(recipe, type)
    assert "test.yaml:9:" in str(found.value)


@pytest.mark.parametrize("type", ["text", "bigint", "uuid", "json", "timestamptz", "numeric(5,2)", "text[]"])
def test_a_constant_null_is_no_text(type):
    assert column_of("{constant: null}", type, 5, ", null: 0").null_count == 5
    assert column_of('{constant: "null"}', "text", 2, ", null: 0").to_pylist() == ["null", "null"]
    with pytest.raises(SchemaError, match=r"test.yaml:9:\d+: constant: 'x' is NOT NULL; give it `null: 0`"):
        column_of("{constant: null}", type, 5)


def test_a_null_may_be_a_case_and_a_member_of_a_document_but_no_item():
    cases = column_of("{by: id, cases: {1: {constant: null}}, else: {constant: x}}", "text", 3, ", null: 0").to_pylist()
    assert cases == [None, "x", "x"]
    assert column_of("{json: {a: {constant: null}}}", "json", 1).to_pylist() == ['{"a":null}']
    with pytest.raises(SchemaError, match="an item of an array cannot be null"):
        column_of("{array: {constant: null}}", "text[]", 1)


COMPANIES = """schema: test
locale: {en_US: 5, en_GB: 2, de_DE: 2, fr_FR: 2, ja_JP: 1, pt_BR: 1, ka_GE: 1}
tables:
  t:
    rows: 3000
    columns:
      id:       {type: bigint, key: true}
      name:     {type: text, unique: true, generate: company.name}
      domain:   {type: text, unique: true, generate: {company.domain: name}}
      industry: {type: text, generate: {company.industry: name}}
      other:    {type: text, generate: company.name}
      site:     {type: text, unique: true, generate: {company.domain: other}}
      plain:    {type: text, generate: {company.domain: other}}
      country:  {type: text, generate: address.country_code}
      email:    {type: text, unique: true, generate: {person.email: {domain: domain}}}
"""
FORMS = {
    "US": {"Inc.", "LLC", "Corp.", "Co."}, "GB": {"Ltd", "PLC", "LLP"}, "DE": {"GmbH", "AG", "KG"}, "FR": {"SAS", "SARL", "SA"},
    "JP": {"K.K.", "G.K."}, "BR": {"Ltda.", "S.A."},
}  # fmt: skip


def test_companies_have_legal_forms_of_their_country_and_domains_of_their_name():
    rows = source_of(COMPANIES).read("t").read_all().to_pylist()
    assert {country: {r["name"].split()[-1] for r in rows if r["country"] == country} for country in FORMS} == FORMS
    for column in ("name", "domain", "site", "email"):
        assert len({r[column] for r in rows}) == len(rows)
    for row in rows:
        assert row["domain"] == "-".join(row["name"].split()[:2]).lower() + ".example" or row["name"].endswith((" Group", " Holding"))
        assert row["email"].split("@")[1] == row["domain"]
        assert re.fullmatch(r"[a-z0-9](-?[a-z0-9])*\.example", row["plain"]) and row["plain"].isascii()
        assert row["site"].startswith(row["plain"].removesuffix(".example"))
    assert {r["industry"] for r in rows if " Foods " in r["name"]} == {"Agriculture"}


def test_companies_beyond_the_coined_names_have_another_word():
    count = 564_224
    source = source_of(COMPANIES.replace("rows: 3000", "rows: 600000"))
    names = source.read_rows("t", count - 2, count + 8).column("name").to_pylist()
    assert [" International " in n for n in names] == [False] * 2 + [True] * 8


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("{company.domain: id}", "company.domain needs the column of a name, and id is bigint"),
        ("{company.industry: id}", "company.industry needs the column of a name, and id is bigint"),
        ("{person.email: {domain: id}}", "person.email needs a column with a domain, and id is bigint"),
        ("{person.email: {domain: id, domains: [a.example]}}", "one of domain"),
    ],
)
def test_names_and_domains_of_columns_are_texts(recipe, message):
    with pytest.raises(RecipeError, match=re.escape(message)):
        column_of(recipe, "text")
