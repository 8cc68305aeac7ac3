"""`coordinates`: places that are written as text, moved."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import TransformerUnfit
from masking.transformers.coordinates import Coordinates
from schemas.types import SqlType
from tests.masking.transformers.binding import context, masked

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def numbers(text: str) -> list[float]:
    return [float(n) for n in NUMBER.findall(text)]


def moved(text: str, **parameters: float) -> str:
    return str(masked(Coordinates(**parameters), [text])[0])


@pytest.mark.parametrize(
    "text",
    [
        "48.8566,2.3522",
        "(48.8566, 2.3522)",
        "151.2093; -33.8688",
        "-33.8688",
        "POINT(2.3522 48.8566)",
        "POINT(-33.8688 151.2093)",
        "(-33.8688 151.2093)",
        "SRID=4326;MULTIPOINT((2.35 48.85), (2.36 48.86))",
        "GEOMETRYCOLLECTION(POINT(1.5 2.5),LINESTRING(1.25 2.25,3.5 4.75))",
    ],
)
def test_kind_and_digits_stay_and_every_number_moves_a_little(text: str) -> None:
    result = moved(text)
    assert NUMBER.sub("n", result.replace("4326", "")) == NUMBER.sub("n", text.replace("4326", ""))
    assert [len(n.partition(".")[2]) for n in NUMBER.findall(result)] == [len(n.partition(".")[2]) for n in NUMBER.findall(text)]
    apart = [abs(a - b) for a, b in zip(numbers(text), numbers(result)) if a != 4326]
    assert all(0 < d < 4 for d in apart) and ("4326" in result) == ("4326" in text)


def test_all_places_of_a_geometry_move_alike_so_that_rings_stay_closed() -> None:
    ring = numbers(moved("POLYGON((10.00 50.00, 11.00 50.00, 11.00 51.00, 10.00 50.00))"))
    assert ring[:2] == ring[6:]
    assert [round(ring[2] - ring[0], 9), round(ring[5] - ring[1], 9)] == [1, 1]


@given(st.decimals(-90, 90, places=4), st.decimals(-180, 180, places=4), st.floats(0.0001, 90))
def test_degrees_stay_on_the_map(latitude: object, longitude: object, spread: float) -> None:
    pair, point, single = masked(Coordinates(spread), [f"{latitude},{longitude}", f"POINT({longitude} {latitude})", f"{latitude}"])
    for lat, lon in (numbers(pair), numbers(point)[::-1], [*numbers(single), 0.0]):
        assert abs(lat) <= 90 and abs(lon) <= 180
    assert numbers(pair)[0] != float(str(latitude)) and numbers(point)[0] != float(str(longitude))


def test_metres_move_by_metres_and_heights_go() -> None:
    east, north = numbers(moved("SRID=25832;POINT(389000.5 5819000.5)"))[1:]
    assert 100 < abs(east - 389000.5) < 300_000 and 100 < abs(north - 5819000.5) < 300_000
    assert numbers(moved("POINT Z (2.35 48.85 35.2)"))[2] == 0


def test_what_is_no_place_is_permuted_and_empty_geometries_stay() -> None:
    texts = ["Paris, Rue 12", "u09tvw0", "POINT(hello 1 2)", "POINT(123456789)", "POINT(12345678901234567 2.5)", "101.5, 190.5"]
    result = masked(Coordinates(), [*texts, "POINT EMPTY", None, ""])
    assert not set(texts) & set(result) and [len(t) for t in result[:6]] == [len(t) for t in texts]
    assert result[6:] == ["POINT EMPTY", None, ""]


def test_a_short_column_gets_fewer_digits_and_a_unique_one_another_step() -> None:
    texts = [f"{k % 10}.{k:04d},9.9999" for k in range(200)]
    result = masked(Coordinates(spread=9), texts, SqlType("varchar", length=13))
    assert all(len(text) <= 13 and len(numbers(text)) == 2 for text in result)
    assert any(len(numbers(text)) == 2 and text.count(".") == 2 for text in result)
    with pytest.raises(TransformerUnfit, match="unique"):
        Coordinates().bind(context(unique=True))


def test_a_place_moves_alike_however_it_is_written() -> None:
    pair, spaced, point = masked(Coordinates(), ["48.8566,2.3522", "(48.8566 2.3522)", "SRID=4326;POINT(2.3522 48.8566)"])
    assert numbers(pair) == numbers(spaced) == numbers(point)[:0:-1]
    assert numbers(masked(Coordinates(), ["48.8567,2.3522"])[0])[1] != numbers(pair)[1]


def test_less_than_a_digit_is_moved_either_way_so_that_nobody_can_move_it_back() -> None:
    texts = [f"{k / 10:.1f}" for k in range(100)]
    assert {round(numbers(text)[0] * 10) - k for k, text in enumerate(masked(Coordinates(spread=0.01), texts))} == {-1, 1}


def test_numbers_of_any_length_are_moved() -> None:
    assert len(numbers(moved("POINT(123456789012.12345678901234567890 1e99)"))) == 2
