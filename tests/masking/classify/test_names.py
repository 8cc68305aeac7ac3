"""What names of columns say."""

import json
from hashlib import md5, sha256

import pytest

from masking.classify.names import lexicon
from masking.classify.words import split
from tests.masking.classify.tables_of_values import findings, one, table


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("custFirstNm2", ("cust", "first", "nm", "2")),
        ("E-MAIL_ADR", ("e", "mail", "adr")),
        ("IPAddress", ("ip", "address")),
        ("addr1", ("addr", "1")),
        ("straße", ("strasse",)),
        ("Größe", ("groesse",)),
        ("icd10", ("icd10",)),
        ("дата", ("data",)),
        ("", ()),
        ("___", ()),
    ],
)
def test_names_are_parted_by_case_digits_and_punctuation(name: str, words: tuple[str, ...]) -> None:
    assert split(name) == words


@pytest.mark.parametrize(
    ("name", "entity"),
    [
        ("email", "email"), ("EMailAddress", "email"), ("emailadresse", "email"), ("correo_electronico", "email"), ("courriel", "email"),
        ("first_name", "given_name"), ("firstname", "given_name"), ("vorname", "given_name"), ("prenom", "given_name"), ("voornaam", "given_name"), ("imie", "given_name"), ("imię", "given_name"),
        ("nachname", "family_name"), ("apellido1", "family_name"), ("cognome", "family_name"), ("sobrenome", "family_name"), ("nazwisko", "family_name"),
        ("dob", "birth_date"), ("geburtsdatum", "birth_date"), ("data_nascita", "birth_date"), ("fechaNacimiento", "birth_date"), ("data_urodzenia", "birth_date"), ("date_of_birth", "birth_date"),
        ("tel_no", "phone"), ("handynummer", "phone"), ("telefone", "phone"), ("numero_de_telephone", "phone"), ("homePhone", "phone"),
        ("plz", "postcode"), ("kod_pocztowy", "postcode"), ("zipCode", "postcode"), ("codigo_postal", "postcode"),
        ("jahreseinkommen", "salary"), ("brutoSalaris", "salary"), ("annual_income", "salary"),
        ("kirchensteuer", "religion"), ("estado_civil", "marital_status"), ("nationalité", "nationality"),
        ("client_ip", "ip_address"), ("last_login_ip", "ip_address"), ("mac_addr", "mac_address"),
        ("codice_fiscale", "national_id"), ("bsn", "national_id"), ("social_security_number", "national_id"),
        ("kundennummer", "person_id"), ("employee_no", "person_id"), ("mot_de_passe", "password"), ("apiKey", "secret"), ("uwagi", "text"), ("observaciones", "text"),
    ],
)  # fmt: skip
def test_names_in_many_languages_say_what_they_are(name: str, entity: str) -> None:
    assert lexicon().read(name).entities[0][0] == entity
    assert lexicon().read(name).strength(entity) >= 0.6


@pytest.mark.parametrize(
    "name", ["email_verified", "phone_type", "password_changed_at", "address_id", "name_count", "birth_date_format", "iban_status"]
)
def test_what_tells_about_a_thing_is_not_the_thing(name: str) -> None:
    assert all(strength < 0.6 for _, strength in lexicon().read(name).entities)


def test_written_together_words_are_taken_apart() -> None:
    assert lexicon().words("kundentelefonnummer") == ("kunden", "telefonnummer")
    assert lexicon().words("customerphone") == ("customer", "phone")


@pytest.mark.parametrize("name", ["email_sha256", "phone_hash", "user_digest", "hashed_email", "email_md5"])
def test_the_digest_of_what_tells_of_a_person_is_none_of_a_thing(name: str) -> None:
    for digest in (md5, sha256):
        values = [digest(str(i).encode()).hexdigest() for i in range(60)]
        assert one(name, values, table_name="imports").entity == "secret"
        assert one(name, [bytes.fromhex(v) for v in values], type="bytes", table_name="imports").entity == "secret"
        if digest is md5:
            assert one(name, [bytes.fromhex(v) for v in values], type="uuid", table_name="imports").entity == "secret"
        assert one("gravatar", values, table_name="imports").entity == "secret"
        assert one("file_" + digest().name, values, table_name="imports").klass == "public"


def test_an_address_of_a_machine_is_no_address_of_a_person() -> None:
    assert lexicon().read("ip_address").strength("address") == 0
    assert lexicon().read("mac_address").strength("address") == 0


def test_a_uid_is_the_number_of_a_user_where_it_does_not_number_the_rows() -> None:
    for name in ("uid", "user_uid", "customer_uid"):
        assert one(name, [1 + i % 50 for i in range(200)], type="bigint", table_name="clicks").entity == "person_id"
    pages = table("pages", {"uid": "bigint", "hits": "bigint"}, key=("uid",))
    assert findings((pages, {"uid": range(200), "hits": range(200)}))["pages", "uid"].klass == "public"
    found = one("doc", [json.dumps({"uid": 1 + i % 50}) for i in range(200)], type="json", table_name="clicks")
    assert found.paths["$.uid"].entity == "person_id"
