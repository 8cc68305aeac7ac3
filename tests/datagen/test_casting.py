"""What values of one type become as another type."""

from __future__ import annotations

from uuid import UUID

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from datagen.casting import uuid_texts


@given(st.lists(st.none() | st.uuids(), max_size=9), st.data())
def test_uuids_of_any_part_of_an_array_are_written_as_they_are(drawn: list[UUID | None], data: st.DataObject) -> None:
    storage = pa.array([None if one is None else one.bytes for one in drawn], pa.binary(16))
    first = data.draw(st.integers(0, len(drawn)))
    part = pa.ExtensionArray.from_storage(pa.uuid(), storage).slice(first)
    assert uuid_texts(part).to_pylist() == [None if one is None else str(one) for one in drawn[first:]]
