"""The classes of columns, and the kinds of entities that personal values are."""

from __future__ import annotations

# what a column tells of a person: who it is; who it may be, with others; what nobody should know; anything, in words; nothing
CLASSES = ("direct", "quasi", "sensitive", "free_text", "public")

ENTITIES = (
    "person_name", "given_name", "family_name", "username", "email", "phone", "address", "street", "city", "postcode", "region",
    "country", "coordinates", "company", "job_title", "iban", "bank_account", "credit_card", "national_id", "tax_id", "passport",
    "driving_licence", "vehicle", "ip_address", "mac_address", "device_id", "url", "birth_date", "age", "gender", "nationality",
    "language", "marital_status", "religion", "ethnicity", "political", "sexuality", "health", "salary", "password", "secret",
    "person_id", "text", "photo", "signature", "date",
)  # fmt: skip
