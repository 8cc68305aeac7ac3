"""What is proposed for a column is a transformer that exists, and lets no prose and no bytes through."""

from __future__ import annotations

import pytest

from masking.binding import Binder
from masking.classes import ENTITIES
from masking.errors import TransformerInvalid
from masking.keys import read_key
from masking.planning import plan
from masking.policy.model import Policy, Step, TablePolicy, Treatment
from masking.proposals import BY_ENTITY
from masking.references import Place, families
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
