"""What is proposed for a column is a transformer that exists, and lets no prose and no bytes through."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from masking import MaskedSource
from masking.binding import Binder
from masking.classes import ENTITIES
from masking.errors import TransformerInvalid
from masking.keys import read_key
from masking.planning import plan
from masking.policy.model import Policy, Step, TablePolicy, Treatment
from masking.policy.reader import parse_policy
from masking.policy.writer import policy_yaml
from masking.proposals import BY_ENTITY
from masking.references import Place, families
from masking.review import review_notes
from masking.transformers.registry import transformer
from schemas import parse_schema
from tests.masking.memory_source import MemorySource

PEOPLE = """
schema: s
tables:
  people:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      given_name: {type: text, generate: person.first_name}
      family_name: {type: text, generate: person.last_name}
"""


def test_every_proposal_of_the_table_is_a_transformer_with_its_parameters() -> None:
    assert set(BY_ENTITY) <= set(ENTITIES)
    for entity, steps in BY_ENTITY.items():
        assert steps
        for step in steps:
            assert transformer(step.name, step.parameters, entity).name == step.name


def test_a_misspelt_proposal_is_no_misfit_that_another_makes_up_for() -> None:
    schema = parse_schema(PEOPLE)
    people = schema.table("people")
    policy = Policy("p", {"people": TablePolicy({c.name: Treatment("direct", Step("name")) for c in people.columns})})
    binder = Binder(schema, policy, families(schema, ()), read_key("ephemeral"), lambda table: 10)
    context = binder.context(people, people.column("given_name"), Place("people", "given_name"), Treatment("direct", Step("name")))
    assert binder.fits(context, Step("name", {"parts": "given"}))
    assert not binder.fits(context, Step("noise", {"spread": 0.1}))
    with pytest.raises(TransformerInvalid, match="'part'"):
        binder.fits(context, Step("name", {"part": "given"}))


def test_parts_of_names_are_masked_by_such_parts() -> None:
    rows = [{"id": i, "given_name": GIVEN[i % 8], "family_name": FAMILY[i % 7]} for i in range(60)]
    columns = plan(MemorySource.of(PEOPLE, people=rows)).tables["people"].columns
    assert columns["given_name"].mask == Step("name", {"parts": "given"})
    assert columns["family_name"].mask == Step("name", {"parts": "family"})


GIVEN = ["Anna", "Bernd", "Carla", "David", "Emma", "Felix", "Greta", "Hugo"]
FAMILY = ["Kowalski", "Schneider", "Moreau", "Rossi", "Novak", "Garcia", "Jansen"]


PATIENTS = """
schema: s
tables:
  patients:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      full_name: {type: text, generate: person.name}
      email: {type: text, generate: person.email}
      diagnosis: {type: text, null: 0.1, generate: words}
      religion: {type: text, null: 0.1, generate: words}
      disability: {type: text, null: 0.1, generate: words}
      salary: {type: text, null: 0.1, generate: words}
      country: {type: text, null: 0.1, generate: words}
      scan: {type: bytes, null: 0.1, generate: {constant: null}}
      letter: {type: bytes, generate: bytes}
      illnesses: {type: "text[]", null: 0.1, generate: {array: words, count: 1}}
      notes: {type: json, null: 0.1, generate: {json: {diagnosis: words}}}
"""


@pytest.fixture(scope="module")
def patients():
    def row(i: int) -> dict[str, object]:
        call = f"call mother Euphemia Dunderstock{i}, +49 171 {5550000 + 731 * i}, e{i}@mother.example"
        return {
            "id": i,
            "full_name": f"{GIVEN[i % 8]} {FAMILY[i % 7]}",
            "email": f"{GIVEN[i % 8]}.{FAMILY[i % 7]}@priv.example".lower(),
            "diagnosis": f"depression; {call}",
            "religion": ["catholic", "jewish", "none", "muslim"][i % 4],
            "disability": ["blind", "deaf", "none"][i % 3] if i != 41 else f"blind, {call}",
            "salary": f"{30000 + 100 * i} EUR (Dunderstock{i})",
            "country": ["San Marino", "South Georgia and the South Sandwich Islands", "Chad", "Cuba"][i % 4] if i < 10 else None,
            "scan": f"%PDF-1.4 Euphemia Dunderstock{i}".encode("utf-16"),
            "letter": f"to Euphemia Dunderstock{i}".encode(),
            "illnesses": [f"depression; {call}"],
            "notes": json.dumps({"diagnosis": f"depression; {call}", "religion": ["catholic", "jewish"][i % 2]}),
        }

    return plan(MemorySource.of(PATIENTS, patients=[row(i) for i in range(60)])).tables["patients"].columns


def test_prose_is_redacted_whatever_its_column_is_called(patients) -> None:
    for column in ("diagnosis", "disability", "illnesses"):
        assert (patients[column].klass, patients[column].mask) == ("free_text", Step("redact")), column
    assert patients["notes"].paths["$.diagnosis"].mask == Step("redact")


def test_what_is_of_a_closed_list_is_shuffled(patients) -> None:
    assert (patients["religion"].klass, patients["religion"].mask) == ("sensitive", Step("shuffle"))
    assert (patients["country"].klass, patients["country"].mask) == ("quasi", Step("shuffle"))
    assert patients["notes"].paths["$.religion"].mask == Step("shuffle")


def test_other_texts_get_codes(patients) -> None:
    assert (patients["salary"].entity, patients["salary"].mask) == ("salary", Step("code"))


def test_bytes_become_null_or_where_there_is_no_null_a_hash(patients) -> None:
    assert (patients["scan"].klass, patients["scan"].mask) == ("sensitive", Step("null"))
    assert patients["letter"].mask == Step("hash")


SEARCH = """
schema: s
tables:
  notes:
    rows: 1
    columns: {text: {type: text, null: 0.1, generate: words}}
  notes_data:
    rows: 1
    columns: {id: {type: bigint, key: true}, block: {type: bytes, generate: bytes}}
  notes_idx:
    rows: 1
    columns: {segid: {type: text, generate: words}, term: {type: text, generate: words}, pgno: {type: text, generate: words}}
  notes_content:
    rows: 1
    columns: {id: {type: bigint, key: true}, c0: {type: text, generate: words}}
  other_data:
    rows: 1
    columns: {id: {type: bigint, key: true}, block: {type: bytes, generate: bytes}}
"""


def test_the_words_of_a_full_text_search_are_left_out_and_told() -> None:
    policy = plan(MemorySource.of(SEARCH))
    dropped = {name for name, table in policy.tables.items() if table.drop}
    assert dropped == {"notes_data", "notes_idx", "notes_content"}
    written = policy_yaml(policy, review_notes(policy, []))
    assert written.count("# left out: the index of a full-text search") == 3
    assert {name for name, table in parse_policy(written).tables.items() if table.drop} == dropped


EPOCH = date(1970, 1, 1)
DAYS_OF_BIRTH = [date(1941, 3, 2) + timedelta(days=211 * i) for i in range(100)]
WRITTEN_DAYS: dict[str, tuple[Callable[[date], int], Callable[[int], date]]] = {
    "days": (lambda d: (d - EPOCH).days, lambda n: EPOCH + timedelta(days=n)),
    "seconds": (lambda d: (d - EPOCH).days * 86_400, lambda n: EPOCH + timedelta(seconds=n)),
    "YYYYMMDD": (lambda d: int(f"{d:%Y%m%d}"), lambda n: date(n // 10_000, n // 100 % 100, n % 100)),
    "DDMMYYYY": (lambda d: int(f"{d:%d%m%Y}"), lambda n: date(n % 10_000, n // 10_000 % 100, n // 1_000_000)),
    "years": (lambda d: d.year, lambda n: date(n, 1, 1)),
}


@pytest.mark.parametrize("way", WRITTEN_DAYS)
def test_days_of_birth_in_whole_numbers_stay_days_near_the_births(way: str) -> None:
    write, read = WRITTEN_DAYS[way]
    people = PEOPLE + "      born_on: {type: bigint, generate: sequence}\n"
    rows = [{"id": i, "given_name": GIVEN[i % 8], "family_name": FAMILY[i % 7], "born_on": write(d)} for i, d in enumerate(DAYS_OF_BIRTH)]
    source = MemorySource.of(people, people=rows)
    made = MaskedSource(source, plan(source), read_key("ephemeral"))
    made.prepare()
    masked = [read(n) for n in made.read("people").read_all().column("born_on").to_pylist()]
    assert min(masked).year >= 1935 and max(masked).year <= 2015


def test_days_of_birth_in_documents_are_dealt_to_other_documents() -> None:
    write, _ = WRITTEN_DAYS["days"]
    people = PEOPLE + "      doc: {type: json, generate: {constant: {}}}\n"
    documents = [json.dumps({"birth": {"on": write(d)}}) for d in DAYS_OF_BIRTH]
    rows = [{"id": i, "given_name": GIVEN[i % 8], "family_name": FAMILY[i % 7], "doc": d} for i, d in enumerate(documents)]
    source = MemorySource.of(people, people=rows)
    made = MaskedSource(source, plan(source), read_key("ephemeral"))
    made.prepare()
    masked = [json.loads(text)["birth"]["on"] for text in made.read("people").read_all().column("doc").to_pylist()]
    assert sorted(masked) == sorted(map(write, DAYS_OF_BIRTH)) and masked != [*map(write, DAYS_OF_BIRTH)]


NUMBERS: dict[str, tuple[str, Callable[[int], int]]] = {
    "salary": ("noise", lambda i: 20_000 + 613 * i),
    "weight_kg": ("noise", lambda i: 50 + i % 60),
    "age": ("noise", lambda i: 18 + i % 70),
    "gender": ("shuffle", lambda i: 1 + i % 3),
    "marital_status": ("shuffle", lambda i: 1 + i % 5),
    "nationality": ("shuffle", lambda i: (40, 276, 756)[i % 3]),
    "religion": ("shuffle", lambda i: 1 + i % 7),
    "phone": ("code", lambda i: 4_930_000_000 + 7919 * i),
}


def test_measures_get_noise_and_numbers_that_stand_for_words_or_persons_do_not() -> None:
    people = PEOPLE + "".join(f"      {name}: {{type: bigint, generate: sequence}}\n" for name in NUMBERS)
    rows = [
        {"id": i, "given_name": GIVEN[i % 8], "family_name": FAMILY[i % 7]} | {name: make(i) for name, (_, make) in NUMBERS.items()}
        for i in range(120)
    ]
    source = MemorySource.of(people, people=rows)
    policy = plan(source)
    columns = policy.tables["people"].columns
    assert {name: columns[name].mask.name for name in NUMBERS} == {name: step for name, (step, _) in NUMBERS.items()}
    made = MaskedSource(source, policy, read_key("ephemeral"))
    made.prepare()
    masked = made.read("people").read_all()
    assert set(masked.column("gender").to_pylist()) == {1, 2, 3}
    assert not set(masked.column("phone").to_pylist()) & {row["phone"] for row in rows}


def test_sentences_in_which_only_some_names_are_found_are_not_proposed_to_be_redacted() -> None:
    schema = "schema: s\ntables:\n  tickets: {rows: 9, columns: {id: {type: bigint, key: true}, note: {type: text, generate: {words: 1}}, doc: {type: json, generate: {json: {a: {words: 1}}}}}}"
    sentences = [f"昨天{'陈王李张刘'[i % 5]}{'甲乙丙丁戊己庚'[i % 7]}说打印机坏了，请处理第{i}号。" for i in range(60)]
    for chinese in (60, 6):
        texts = [sentences[i] if i < chinese else f"The printer of the office does not work, see number {i} again." for i in range(60)]
        rows = [{"id": i, "note": text, "doc": json.dumps({"note": text})} for i, text in enumerate(texts)]
        columns = plan(MemorySource.of(schema, tickets=rows)).tables["tickets"].columns
        for treatment in (columns["note"], columns["doc"].paths["$.note"]):
            assert (treatment.mask.name == "redact") == (chinese == 6)
            assert f"{chinese} of 60 different values hold Chinese or Japanese sentences" in treatment.evidence[-1]


def test_keys_of_persons_in_texts_of_documents_are_masked() -> None:
    rows = [{"id": 7 + 3 * i, "given_name": GIVEN[i % 8], "family_name": FAMILY[i % 7]} for i in range(60)]
    events = [{"id": i, "doc": json.dumps({"what": ("seen", "sent")[i % 2], "zt": f"people/{7 + 3 * i}"})} for i in range(60)]
    schema = PEOPLE + "  events: {rows: 9, columns: {id: {type: bigint, key: true}, doc: {type: json, generate: {json: {a: {words: 1}}}}}}"
    doc = plan(MemorySource.of(schema, people=rows, events=events)).tables["events"].columns["doc"]
    assert (doc.klass, doc.paths["$.zt"].entity, doc.paths["$.zt"].mask.name) == ("free_text", "person_id", "code")
    assert doc.paths["$.what"].mask.name == "keep"
