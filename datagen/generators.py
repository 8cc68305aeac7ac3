"""Where the meaning of each generator of the catalogue stands; a module is loaded when a schema names a generator of it."""

from __future__ import annotations

import importlib

_NAMES = {
    "datagen.keys": "sequence ordinal uuid4 uuid7 bytes",
    "datagen.numbers": "uniform normal lognormal exponential beta poisson zipf histogram",
    "datagen.times": "between after before",
    "datagen.states": "states entered",
    "datagen.slots": "slot slot_end",
    "datagen.derived": "from expression sum count earliest latest",
    "datagen.cases": "cases",
    "datagen.values.choices": "choice list constant boolean",
    "datagen.values.people": "person.first_name person.last_name person.name person.gender person.prefix person.email person.username "
    "person.birth_date person.job person.ssn",
    "datagen.values.companies": "company.name company.domain company.catch_phrase company.department company.industry",
    "datagen.values.addresses": "address.street address.city address.state address.postcode address.full",
    "datagen.values.internet": "internet.email internet.domain internet.hostname internet.url internet.slug internet.ipv4 internet.ipv6 "
    "internet.mac internet.user_agent internet.token internet.hash",
    "datagen.values.phones": "phone.number",
    "datagen.values.finance": "finance.card finance.iban finance.bic finance.currency finance.account finance.price",
    "datagen.values.products": "product.name product.sku product.category product.ean",
    "datagen.values.geo": "address.country address.country_code geo.locale geo.timezone geo.latitude geo.longitude",
    "datagen.values.lorem": "words sentences",
    "datagen.values.template": "template",
    "datagen.values.pattern": "pattern",
    "datagen.values.grammar": "grammar",
    "datagen.values.excerpts": "excerpt",
    "datagen.values.documents": "json array",
    "datagen.values.providers": "faker mimesis",
    "datagen.media.columns": "media.logo media.avatar media.document",
}
MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}


def register(name: str) -> None:
    """Import the module that registers the generator `name`; a name that the catalogue does not have is left alone."""
    if name in MODULES:
        importlib.import_module(MODULES[name])
