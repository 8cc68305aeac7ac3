"""What columns of texts are: one rule after another, from what values say by themselves to what only nothing speaks against."""

from __future__ import annotations

from masking.classify.finding import Finding, unsure
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
    by_title_of_persons,
    by_weak_name,
    without_values,
)
from masking.classify.rules_of_things import by_code, by_phrases, by_prose, by_route
from masking.classify.rules_of_words import by_company, by_few_values, by_job, by_names_of_persons, by_place, by_street_form, by_user_name
from masking.classify.text_column import Column, Rule


def classify_texts(column: Column) -> Finding:
    """Ask the rules in their order; the first that knows decides."""
    for rule in RULES:
        found = rule(column)
        if found is not None:
            return found
    return unsure("free_text", f"{column.texts.distinct} different texts in {column.texts.rows} rows")


RULES: tuple[Rule, ...] = (
    without_values,
    by_pattern,
    by_address_of_page,
    by_check_digit,
    by_random_identifier,
    by_digest,
    by_social_security_form,
    by_sure_form,
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
