"""Anonymity of persons whose attributes lie over several tables: one record a person, however many rows.

`specification` reads what the policy asks, `records` gathers what is known of each person, `grouping` parts those who cannot be alike,
`recoding` finds the classes and `cells` what is written for them; `checking` holds the finished output against the models, by what is
written there alone.
"""

from masking.people.checking import PeopleCheck, require_covered
from masking.people.outcome import outcome_of, risks_of
from masking.people.recoding import Recoded, recode, require_room
from masking.people.records import gather
from masking.people.specification import PeopleSpec, read_people

__all__ = [
    "PeopleCheck",
    "PeopleSpec",
    "Recoded",
    "gather",
    "outcome_of",
    "read_people",
    "recode",
    "require_covered",
    "require_room",
    "risks_of",
]
