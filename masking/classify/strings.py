"""What columns of texts are: one rule after another, from what values say by themselves to what only nothing speaks against."""

from __future__ import annotations

from dataclasses import replace

from masking.classify import patterns
from masking.classify.finding import Finding, unsure
from masking.classify.lists import is_listed, is_prose
from masking.classify.profile import texts_from
from masking.classify.rules_of_form import (
    by_address_of_page,
    by_check_digit,
    by_digest,
    by_harmless_pattern,
    by_moment,
    by_number,
    by_pattern,
    by_phone,
    by_postcode,
    by_random_identifier,
    by_randomness,
    by_social_security_form,
    by_sure_form,
)
from masking.classify.rules_of_name import (
    by_name,
    by_name_of_companies,
    by_number_of_person,
    by_shortened_name,
    by_title_of_persons,
    by_weak_name,
    without_values,
)
from masking.classify.rules_of_things import by_code, by_phrases, by_prose, by_route
from masking.classify.rules_of_words import by_company, by_few_values, by_job, by_names_of_persons, by_place, by_street_form, by_user_name
from masking.classify.text_column import HALF, MOST, Column, Rule


def classify_texts(column: Column) -> Finding:
    """Ask the rules in their order; the first that knows decides. A name may say health or religion of what are sentences."""
    for rule in RULES:
        found = rule(column)
        if found is not None:
            return _unspaced(column, replace(_looked_into(column, found), various=column.texts.various))
    return _unspaced(column, unsure("free_text", f"{column.texts.distinct} different texts in {column.texts.rows} rows"))


def by_hexadecimal_text(column: Column) -> Finding | None:
    """Words in hexadecimal digits are what they say, where that is personal; they are masked as the codes that they look like."""
    plain = [text for v in column.texts.values if (text := patterns.text_of_hex(v)) is not None]
    if not plain or len(plain) < MOST * len(column.texts.values):
        return None
    found = classify_texts(replace(column, texts=texts_from(plain)))
    if not found.personal:
        return None
    said = f"{len(plain)} of {len(column.texts.values)} different values are texts in hexadecimal digits"
    return Finding("direct", None, found.confidence, (said, *found.evidence))


def _looked_into(column: Column, found: Finding) -> Finding:
    if found.klass not in ("quasi", "sensitive"):
        return found
    if is_prose(column, found.entity or ""):
        return replace(found, klass="free_text", evidence=(*found.evidence, "its values are no closed list, but sentences"))
    return replace(found, listed=is_listed(column))


def _unspaced(column: Column, found: Finding) -> Finding:
    share = column.texts.unspaced
    if found.klass != "free_text" or not share:
        return found
    said = column.counted(share, "hold Chinese or Japanese sentences, in which `redact` finds only some of the names")
    return replace(found, evidence=(*found.evidence, said), unspaced=share >= HALF)


RULES: tuple[Rule, ...] = (
    without_values,
    by_hexadecimal_text,
    by_pattern,
    by_address_of_page,
    by_check_digit,
    by_random_identifier,
    by_digest,
    by_social_security_form,
    by_sure_form,
    by_shortened_name,
    by_name,
    by_title_of_persons,
    by_few_values,
    by_phone,
    by_postcode,
    by_moment,
    by_number,
    by_harmless_pattern,
    by_company,
    by_names_of_persons,
    by_place,
    by_street_form,
    by_job,
    by_randomness,
    by_route,
    by_user_name,
    by_name_of_companies,
    by_weak_name,
    by_number_of_person,
    by_prose,
    by_code,
    by_phrases,
)
