"""Values of several places, taken in by threads at once: what is known is the same as of one after another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from masking.known.index import KnownPlace, KnownValues

SECRET = b"s" * 32
ROWS = 20_000
PLACES = [KnownPlace(f"people.{name}", entity) for name, entity in (("email", "email"), ("phone", "phone"), ("name", None), ("note", None))]


def batches() -> list[list[tuple[KnownPlace, pa.Array]]]:
    found = []
    for start in range(0, 3 * ROWS, ROWS):
        numbers = range(start, start + ROWS)
        columns = (
            [f"person.{n}+news@mail.test" for n in numbers],
            [f"+4915{n:09d}" for n in numbers],
            [f"Anna Meyerson {n % 5_000}" for n in numbers],
            [f"{n}: " + "a long note about nobody in particular " * 3 for n in numbers],
        )
        found.append([(place, pa.array(column)) for place, column in zip(PLACES, columns, strict=True)])
    return found


def learned(known: KnownValues) -> KnownValues:
    known.seal()
    return known


def test_what_threads_take_in_at_once_is_what_one_takes_in() -> None:
    one, several = KnownValues(SECRET), KnownValues(SECRET)
    with ThreadPoolExecutor(4) as threads:
        for batch in batches():
            one.add_all(batch)
            several.add_all(batch, threads.map)
    assert learned(one).places == learned(several).places == PLACES
    for mine, theirs in zip(one.columns, several.columns, strict=True):
        assert (mine.values.hashes == theirs.values.hashes).all() and (mine.spellings.hashes == theirs.spellings.hashes).all()
        assert (mine.cells, mine.left_out, len(mine.values)) == (theirs.cells, theirs.left_out, len(theirs.values))
        assert (mine.looks.cells == theirs.looks.cells).all()
    assert (one.heads.hashes == several.heads.hashes).all() and one.lengths == several.lengths
    texts = [f"write to person.{n}@mail.test or call +4915{n:09d}" for n in range(0, 3 * ROWS, 999)]
    assert several.find(texts) == one.find(texts)
    assert all(len(spans) == 2 for spans in several.find(texts))


def test_values_of_one_place_that_come_in_parts_are_all_known() -> None:
    known = KnownValues(SECRET)
    parts = [pa.array(["anna@x.org", "ben@x.org"]), pa.array(["carla@x.org"])]
    with ThreadPoolExecutor(2) as threads:
        known.add_all([(PLACES[0], part) for part in parts], threads.map)
    assert known.columns[0].cells == 3
    assert np.array_equal(learned(known).cells(pa.array(["carla@x.org", "nobody@x.org", "ben@x.org"])), [True, False, True])
