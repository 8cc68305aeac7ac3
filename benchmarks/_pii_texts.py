"""Texts with known personal values, written for measuring: sentences of our own around values of Faker's providers in many locales.

The form is that of Presidio's research data: `full_text` and `spans` of `entity_type`, `start_position` and `end_position`.
"""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable
from typing import Any

LOCALES = (
    "en_US", "en_GB", "en_AU", "en_IN", "de_DE", "de_AT", "fr_FR", "es_ES", "es_MX", "it_IT", "nl_NL", "da_DK", "sv_SE", "fi_FI", "no_NO",
    "pl_PL", "cs_CZ", "sk_SK", "hu_HU", "pt_BR", "pt_PT", "ro_RO", "hr_HR", "sl_SI", "tr_TR", "et_EE", "lt_LT", "el_GR", "ru_RU", "uk_UA",
)  # fmt: skip

TEMPLATES = (
    "Ticket reopened by {person}: the parcel for {address} came back to us.",
    "Hi {given}, thanks for the call. Our colleague {person} will ring you on {phone} tomorrow.",
    "Please add {email} to the thread and drop {email}, who left {company} last spring.",
    "Bank details as discussed: {iban}, account holder {person}.",
    "The charge on {card} was refunded; {person} confirmed by phone ({phone}).",
    "Customer: {person}\nAddress: {address}\nTel: {phone}\nMail: {email}",
    "{person}\n{company}\n{address}\n{phone}",
    "Shipping to {city}, {country} takes four days.",
    "We opened a second office in {city} and hired {person} away from {company}.",
    "{company} sued {company} over unpaid invoices; the hearing took place in {city}.",
    "Spoke with {title} {family} about the renewal, she will decide by {date}.",
    "Born on {date} in {city}, {person} has held the policy since {year}.",
    "{given} and {given} share one login, which is why the audit flagged them.",
    "my card {card} got declined twice!!",
    "login from {ip} at 03:14, user {email}",
    "SSN on file reads {ssn}, passport still missing.",
    "User: where do you deliver?\nAgent: only within {country}.\nUser: I am in {city}",
    "Agent: may I have your surname?\nCaller: {family}",
    "Forwarding this from {person} <{email}>:",
    "As of {date}, {company} employs 250 people across {country}.",
    "The flat at {street} has been empty since {person} moved out.",
    "Pick-up is at {street}, {city} {zip}, ring twice.",
    "Zip {zip} is outside the service area.",
    "Sorry, {given}! I mixed up your order with {family}'s.",
    "Regards,\n{person}\n{company}",
    "{company} has been a customer of ours since {year}.",
    "Has anyone met the new hire from {country}? Name's {given}.",
    "Met {person} ({company}) at the fair in {city}; wants a quote for forty seats.",
    "Reset the second factor of {person}, device registered in {country}.",
    "Contact: {person}, {phone} or {email}.",
    "Delivery note for {person}, {street}, {zip} {city}",
    "It was {family} who signed, not {family}.",
    "{person} asked whether {company} could invoice in euros.",
    "I live at {address} and the courier keeps going to {street} instead.",
    "payment from {person} bounced, iban {iban}",
    "{family}, {given}: absent on {date}",
    "Interview with {person}, head of research at {company}.",
    "Call me back at {phone}.",
    "the visitor said his name was {person_lower} and that he came from {city}",
    "ATTN: {person_upper}, {address}",
    "Dear {title} {family},\nyour contract with {company} ends on {date}.",
    "Our landlord {person} wants the rent on {iban} from now on.",
    "{given} moved from {city} to {city} in {year}.",
    # nothing personal in these
    "Please restart the service and clear the cache before you try again.",
    "How do I change the colour of the chart in the monthly report?",
    "The Release Notes mention a new Export button under Settings.",
    "Error 504: Gateway Timeout after 30 seconds, retry with backoff.",
    "I would like a refund, this is the third time it breaks.",
    "Great product, will recommend! 10/10",
    "Order 48213 contains 3 items and weighs 12 kg.",
    "Thanks a lot, Problem Solved. Closing the Ticket now.",
    "WHY IS THE INVOICE WRONG AGAIN???",
    "Version 3.11.4 fixes the Memory Leak in the Scheduler.",
    "Can you send me the terms and conditions of the Premium Plan?",
)  # fmt: skip

_KINDS = {
    "person": "PERSON", "person_lower": "PERSON", "person_upper": "PERSON", "given": "PERSON", "family": "PERSON",
    "address": "STREET_ADDRESS", "street": "STREET_ADDRESS", "city": "GPE", "country": "GPE", "company": "ORGANIZATION",
    "phone": "PHONE_NUMBER", "email": "EMAIL_ADDRESS", "iban": "IBAN_CODE", "card": "CREDIT_CARD", "date": "DATE_TIME",
    "year": "DATE_TIME", "ssn": "US_SSN", "ip": "IP_ADDRESS", "zip": "ZIP_CODE", "title": "TITLE",
}  # fmt: skip
_FIELD = re.compile(r"\{(\w+)\}")
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%B %d, %Y", "%d %B %Y")


def texts(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return `count` texts with their spans; the same for the same seed and version of Faker."""
    from faker import Faker

    rng = random.Random(seed)
    fakers: dict[str, Any] = {}
    made = []
    for _ in range(count):
        locale = rng.choice(LOCALES)
        if locale not in fakers:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fakers[locale] = Faker(locale)
        fake = fakers[locale]
        fake.seed_instance(rng.getrandbits(64))
        made.append(_filled(rng.choice(TEMPLATES), _values(fake, rng)))
    return made


def _values(fake: Any, rng: random.Random) -> dict[str, Callable[[], str]]:
    def name() -> str:
        return f"{fake.first_name()} {fake.last_name()}"

    return {
        "person": name,
        "person_lower": lambda: name().lower(),
        "person_upper": lambda: name().upper(),
        "given": fake.first_name,
        "family": fake.last_name,
        "address": fake.address,
        "street": fake.street_address,
        "city": fake.city,
        "country": lambda: fake.current_country() if rng.random() < 0.5 else _country(rng),
        "company": fake.company,
        "phone": fake.phone_number,
        "email": fake.email,
        "iban": fake.iban,
        "card": fake.credit_card_number,
        "date": lambda: fake.date_object().strftime(rng.choice(_DATES)),
        "year": fake.year,
        "ssn": lambda: f"{rng.randint(1, 665):03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}",
        "ip": fake.ipv4,
        "zip": fake.postcode,
        "title": lambda: rng.choice(("Mr.", "Mrs.", "Ms.", "Dr.", "Prof.")),
    }


def _country(rng: random.Random) -> str:
    from faker import Faker

    english = Faker("en_US")
    english.seed_instance(rng.getrandbits(32))
    return str(english.country())


def _filled(template: str, values: dict[str, Callable[[], str]]) -> dict[str, Any]:
    text, spans, last = "", [], 0
    for field in _FIELD.finditer(template):
        text += template[last : field.start()]
        value = values[field[1]]().strip()
        spans.append({"entity_type": _KINDS[field[1]], "start_position": len(text), "end_position": len(text) + len(value)})
        text += value
        last = field.end()
    return {"full_text": text + template[last:], "spans": spans}
