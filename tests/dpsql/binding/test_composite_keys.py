"""A key of several columns tells of one unit only where all of them are of one row."""

from __future__ import annotations

import pytest

from dpsql.binding import bind
from dpsql.declaration import declare
from dpsql.errors import QueryRefused
from schemas import parse_schema
from schemas.privacy import Privacy

HALL = """
schema: hall
seed: 1
tables:
  users:
    rows: 5
    columns:
      id: {type: bigint, key: true}
  seats:
    rows: {per: users, count: {poisson: 5}}
    columns:
      room:    {type: integer, generate: {uniform: [1, 5]}}
      place:   {type: integer, generate: {uniform: [1, 5]}}
      user_id: {references: users.id}
      fine:    {type: boolean, generate: {choice: {true: 1, false: 1}}}
    key: [room, place]
  guests:
    rows: {per: seats, count: {poisson: 2}}
    columns:
      id:    {type: bigint, key: true}
      room:  {type: integer, generate: {uniform: [1, 5]}}
      place: {type: integer, generate: {uniform: [1, 5]}}
    foreign_keys: [{columns: [room, place], references: "seats(room, place)"}]
privacy: {unit: users.id}
"""
DECLARED = declare(parse_schema(HALL, "hall.yaml"), Privacy("users.id"))
TWO = "SELECT a.user_id, a.room, b.place FROM seats a JOIN seats b ON a.user_id = b.user_id"
GROUPED = "SELECT a.user_id, a.room, b.place FROM seats a JOIN seats b ON a.user_id = b.user_id GROUP BY a.user_id, a.room, b.place"


@pytest.mark.parametrize(
    "rows",
    [
        f"({TWO}) x JOIN seats c ON c.room = x.room AND c.place = x.place",
        f"({GROUPED}) x JOIN seats c ON c.room = x.room AND c.place = x.place",
        f"({TWO}) x JOIN guests g ON g.room = x.room AND g.place = x.place",
        f"({GROUPED}) x JOIN guests g ON g.room = x.room AND g.place = x.place",
        "(seats a FULL JOIN seats b ON a.user_id = b.user_id AND a.fine) JOIN seats c ON c.room = a.room AND c.place = b.place",
        "(seats a FULL JOIN seats b ON a.user_id = b.user_id AND a.fine) JOIN guests g ON g.room = a.room AND g.place = b.place",
        "seats a JOIN seats b ON a.user_id = b.user_id WHERE EXISTS (SELECT 1 FROM seats c WHERE c.room = a.room AND c.place = b.place)",
    ],
)
def test_the_columns_of_two_rows_may_be_the_key_of_another_units_row(rows: str) -> None:
    with pytest.raises(QueryRefused, match=r"unit|whose"):
        bind(f"SELECT COUNT(*) FROM {rows}", DECLARED)


@pytest.mark.parametrize(
    "rows",
    [
        "seats a JOIN seats c ON c.room = a.room AND c.place = a.place",
        "(SELECT room, place FROM seats WHERE fine) x JOIN seats c ON c.room = x.room AND c.place = x.place",
        "(SELECT user_id, room, place FROM seats GROUP BY user_id, room, place) x JOIN seats c USING (room, place)",
        "seats a JOIN guests g ON g.room = a.room AND g.place = a.place",
        "(seats a FULL JOIN seats b ON a.user_id = b.user_id AND a.fine) JOIN guests g ON g.room = b.room AND g.place = b.place",
    ],
)
def test_a_key_of_one_row_tells_of_its_unit(rows: str) -> None:
    assert bind(f"SELECT COUNT(*) FROM {rows}", DECLARED)
