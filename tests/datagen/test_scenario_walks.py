"""Scenarios over columns that tell others more than their values: state machines and slots."""

from __future__ import annotations

import polars as pl
import pytest

import bundles
from schemas.errors import SchemaError
from tests.datagen.scenario_shop import frame, shop

STATUS = (
    "      status:  {type: text, generate: {states: {open: {done: 0.5, lost: 0.2}, done: {}, lost: {}}, start: born, dwell: {open: 2d}}}\n"
)
DONE = "      done_at: {type: timestamptz, null: 0, generate: {entered: done, of: status}}\n"
MACHINE = f"""schema: s
seed: 1
tables:
  rooms:
    rows: 60
    columns:
      id: {{type: bigint, key: true}}
  tasks:
    rows: {{per: rooms, count: {{uniform: [2, 6]}}}}
    columns:
      id:      {{type: bigint, key: true}}
      room_id: {{references: rooms.id}}
      born:    {{type: timestamptz, generate: {{between: [-3y, -2y]}}}}
{DONE}{STATUS}scenarios:
  slow:
    subjects: rooms
    share: 0.3
    set:
      tasks:
        columns:
          done_at: {{entered: done, of: status}}
          status:  {{states: {{open: {{lost: 0.1, done: 0.9}}, done: {{}}, lost: {{}}}}, start: born, dwell: {{open: 300d}}}}
"""


@pytest.mark.parametrize("text", [MACHINE, MACHINE.replace(DONE + STATUS, STATUS + DONE)])
def test_a_state_machine_of_a_scenario_is_that_of_its_rows_alone(text):
    without, planted = frame(shop(text, slow=0.0), "tasks"), frame(shop(text), "tasks")
    befallen = frame(shop(text), "slow_labels")["tasks_id"].drop_nulls().to_list()
    assert 40 < len(befallen) < planted.height
    others = ~pl.col("id").is_in(befallen)
    assert planted.filter(others).equals(without.filter(others))
    assert not planted.filter(~others).equals(without.filter(~others))
    assert ((planted["status"] == "done") == planted["done_at"].is_not_null()).all()
    waits = (planted["done_at"] - planted["born"]).dt.total_days()
    assert waits.filter(planted["id"].is_in(befallen)).median() > 30 > waits.filter(~planted["id"].is_in(befallen)).max()


ROOMS = """schema: s
seed: 1
tables:
  rooms:
    rows: 40
    columns:
      id:    {type: bigint, key: true}
      since: {type: timestamptz, generate: {between: [-3y, -2y]}}
  stays:
    rows: {per: rooms, count: {uniform: [0, 4]}}
    columns:
      id:      {type: bigint, key: true, generate: {sequence: {gaps: 8}}}
      room_id: {references: rooms.id}
      arrives: {type: timestamptz, generate: {slot: {gap: {exponential: 3d}, length: {uniform: [1d, 9d]}, after: rooms.since}}}
      leaves:  {type: timestamptz, generate: {slot_end: arrives}}
scenarios:
  double:
    subjects: rooms
    share: 0.4
"""
ADD = "    add: {stays: {count: {uniform: [1, 3]}, columns: {arrives: {after: rooms.since, within: 9d}, leaves: {from: arrives}}}}\n"
SHIFT = """    set:
      stays:
        columns:
          arrives: {expression: "was.arrives + INTERVAL '30 days'"}
          leaves: {expression: "was.leaves + INTERVAL '30 days'"}
"""
LONG = """    set:
      stays:
        columns:
          leaves: {slot_end: arrives}
          arrives: {slot: {gap: 1d, length: 99d, after: rooms.since}}
"""


@pytest.mark.parametrize("body", [ADD, SHIFT, LONG])
def test_scenarios_over_slots_leave_the_others_and_keep_what_recipes_promise(body, tmp_path):
    without, source = frame(shop(ROOMS + body, double=0.0), "stays"), shop(ROOMS + body)
    planted, befallen = frame(source, "stays"), frame(source, "double_labels")["stays_id"].drop_nulls().to_list()
    assert befallen
    others = ~pl.col("id").is_in(befallen)
    assert planted.filter(others).equals(without.filter(others))
    assert (planted["leaves"] >= planted["arrives"]).all()
    if body == LONG:
        assert ((planted["leaves"] - planted["arrives"]).filter(planted["id"].is_in(befallen)).dt.total_days() == 99).all()
    assert bundles.verify(bundles.build(source, store=tmp_path, tag="s:1")).ok


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("set: {stays: {columns: {arrives: {from: episode.at}}}}", "column 'leaves' of 'stays' says when 'arrives' ends; set it together with 'arrives'"),
        ("add: {stays: {}}", "its column 'arrives' takes up slots of its parent one after the other, and an added row has none among them; set it"),
        ("add: {stays: {columns: {arrives: {slot: {gap: 1d, after: rooms.since}}, leaves: {from: arrives}}}}", "give 'arrives' another time"),
    ],
)  # fmt: skip
def test_slots_that_scenarios_cannot_make_are_refused(body, message):
    with pytest.raises(SchemaError, match=message) as found:
        shop(f"{ROOMS}    {body}\n")
    assert len(str(found.value).splitlines()) == 1
