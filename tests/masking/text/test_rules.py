"""Proper nouns and addresses by rules: what the dictionary and the neighbours of a word make of it."""

from __future__ import annotations

import pytest

from masking.text import dictionary
from masking.text.addresses import Addresses
from masking.text.found import settled
from masking.text.proper import ProperNouns
from masking.text.words import Reader

WORDS = dictionary.load()
READER, NOUNS, ADDRESSES = Reader(WORDS), ProperNouns(WORDS), Addresses()


def found(text: str) -> dict[str, str]:
    words = READER.read(text)
    return {text[f.start : f.end]: f.entity for f in settled(text, [*NOUNS.find(words), *ADDRESSES.find(words)])}


@pytest.mark.parametrize(
    ("text", "value", "entity"),
    [
        ("I asked Marek Nowak about it.", "Marek Nowak", "person_name"),
        ("Please ask Prof. Quindlewick again.", "Quindlewick", "person_name"),
        ("My name is Hope Young and I live here.", "Hope Young", "person_name"),
        ("Hi Beatriz, thanks!", "Beatriz", "person_name"),
        ("the house of Ludwig van der Rohe burnt", "Ludwig van der Rohe", "person_name"),
        ("it was written by Anna K. Svensson in a day", "Anna K. Svensson", "person_name"),
        ("we saw giuseppe at lunch", "giuseppe", "person_name"),
        ("BITTE AN FRAU KATARZYNA WEITERGEBEN", "KATARZYNA", "person_name"),
        ("They moved from Rotterdam last year", "Rotterdam", "city"),
        ("We ship to New Zealand as well", "New Zealand", "country"),
        ("They sued Zorblat Widgets GmbH over it", "Zorblat Widgets GmbH", "company"),
        ("She works at Open Doors since spring", "Open Doors", "company"),
        ("Ann Lee\nKnowledge Harvest\n+49 30 1234567", "Knowledge Harvest", "company"),
        ("He founded Brightwater Holdings in spring", "Brightwater Holdings", "company"),
        ("see contract_Smith_Jo.pdf", "Smith_Jo", "person_name"),
        ("invoice_Mueller_2023.pdf", "Mueller", "person_name"),
        ("by markBrown, too", "markBrown", "company"),
    ],
)
def test_names_are_found(text: str, value: str, entity: str) -> None:
    assert found(text).get(value) == entity, found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Please restart the service and clear the cache.",
        "The Release Notes mention a new Export button under Settings.",
        "Will the report be ready? May we see it? Mark it as done.",
        "WHY IS THE INVOICE WRONG AGAIN???",
        "Words such as Wisdom and Discipline are no names.",
        "In the spring we rose early and the brook was cold.",
        "customerId and UserID, orderIds, lastLogin, firstName or FirstName, and getUserName of createdAt",
        "Order 48213 contains 3 items and weighs 12 kg.",
        "Our API returns JSON with HTTP status 404.",
        "Total: 1,299.00 incl. VAT (19%)",
        "Je voudrais annuler mon abonnement à la fin du mois.",
        "El cliente quiere cambiar la fecha de entrega.",
        "Bitte an die Firma, sie hat das schon bezahlt.",
    ],
)
def test_ordinary_words_are_left(text: str) -> None:
    assert found(text) == {}


@pytest.mark.parametrize(
    "address",
    [
        "12 Elm Street, Springfield, IL 62704",
        "742 Evergreen Terrace Apt. 5",
        "Hauptstraße 5, 10115 Berlin",
        "ul. Lipowa 7/9, 00-123 Warszawa",
        "24 rue de la Paix, 75002 Paris",
        "Calle Mayor 3, 28013 Madrid",
        "Storgatan 12, 411 01 Göteborg",
        "Kossuth utca 3., 1055 Budapest",
        "the corner of Elm Street and Third Avenue",
    ],
)
def test_addresses_of_many_countries_are_found_whole(address: str) -> None:
    text = f"Please send it to {address} if you can."
    spans = settled(text, [*NOUNS.find(READER.read(text)), *ADDRESSES.find(READER.read(text))])
    covered = {i for f in spans for i in range(f.start, f.end)}
    start = text.index(address)
    missed = [text[i] for i in range(start, start + len(address)) if text[i].isalnum() and i not in covered]
    assert not missed, missed
    assert any(f.entity == "address" for f in spans)


def test_accents_and_case_do_not_hide_a_name() -> None:
    for written in ("Zoë Müller", "Zoe\u0308 Mu\u0308ller", "ZOË MÜLLER"):
        assert list(found(f"I saw {written} today").values()) == ["person_name"], written
