"""Numbers, times and lengths as positions on a line: how DuckDB computes them, how people read them, where histograms are cut.

A position is a whole number (integers, decimals without their point, microseconds or days since 1970) or, for floats, a float.
All that is done with positions is exact or IEEE 754, so that the same data gives the same figures everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from schemas.model import Column
from schemas.times import DAY, SECOND
from schemas.types import FLOATS, INTEGERS, TEXTS

BINS = 24
Position = int | float

_MINUTE, _HOUR = 60 * SECOND, 3600 * SECOND
_MONDAY = 4 * DAY
_CLOCK = (
    *(m * 10**k for k in range(6) for m in (1, 2, 5)),
    *(n * SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
)
_MONTHS = (1, 2, 3, 6, *(12 * m * 10**k for k in range(6) for m in (1, 2, 5)))
_DIGITS = 80


@dataclass(frozen=True, slots=True)
class Value:
    """A value for machines (`plain`, JSON data) and for people (`text`)."""

    plain: int | float | str
    text: str


class Measure:
    """Whole numbers; the other measures change what differs."""

    sql_type = "HUGEINT"
    whole = True

    def sql(self, name: str) -> str:
        """The position of the value in column `name`, null where it has none."""
        return name

    def position(self, found: Any) -> Position:
        """A position that DuckDB computed, as Python's."""
        return int(found)

    def literal(self, position: Position) -> str:
        """A position as text that DuckDB casts to `sql_type`."""
        return str(position)

    def value(self, position: Position) -> Value:
        return Value(int(position), f"{position:,}")

    def mean(self, total: Any, count: int) -> Value:
        """The mean of `count` values whose positions sum to `total`."""
        mean = float(Fraction(int(total), count))
        return Value(mean, short(mean))

    def edges(self, low: Position, high: Position) -> list[Position]:
        """At most BINS + 1 rising positions at round places; the first is not above `low`, the last is above `high`."""
        return _stepped(int(low), int(high), (m * 10**k for k in range(60) for m in (1, 2, 5)))

    def below(self, edge: Position) -> Position:
        """The last position below `edge`."""
        return edge - 1

    def label(self, start: Position, end: Position) -> str:
        """What people call the positions from `start` to just below `end`."""
        last = self.below(end)
        return self.value(start).text if last == start else f"{self.value(start).text} to {self.value(last).text}"


class Length(Measure):
    """The length of texts (code points), bytes (octets) and arrays (items)."""

    sql_type = "BIGINT"

    def __init__(self, function: str) -> None:
        self._function = function

    def sql(self, name: str) -> str:
        return f"{self._function}({name})"


class Decimals(Measure):
    """Decimals of a fixed scale, by the number that their digits make."""

    def __init__(self, precision: int, scale: int) -> None:
        self.sql_type = f"DECIMAL({precision}, {scale})"
        self._scale = scale

    def position(self, found: Any) -> Position:
        return int(f"{found:f}".replace(".", ""))

    def literal(self, position: Position) -> str:
        return f"{self._decimal(position):f}"

    def value(self, position: Position) -> Value:
        return Value(self.literal(position), f"{self._decimal(position):,f}")

    def mean(self, total: Any, count: int) -> Value:
        mean = float(Fraction(int(self.position(total)), count * 10**self._scale))
        return Value(mean, short(mean))

    def label(self, start: Position, end: Position) -> str:
        return super().label(start, end) if end - start == 1 else f"{self.value(start).text} to below {self.value(end).text}"

    def _decimal(self, position: Position) -> Decimal:
        with localcontext(prec=_DIGITS):
            return Decimal(position).scaleb(-self._scale)


class Floats(Measure):
    """Floating point numbers; what is not finite has no position."""

    sql_type = "DOUBLE"
    whole = False

    def __init__(self, digits: int) -> None:
        self._digits = digits

    def sql(self, name: str) -> str:
        return f"CASE WHEN isfinite({name}) THEN CAST({name} AS DOUBLE) + 0 END"  # no negative zero, whose place among zeros is chance

    def position(self, found: Any) -> Position:
        return float(found)

    def literal(self, position: Position) -> str:
        return repr(float(position))

    def value(self, position: Position) -> Value:
        return Value(float(f"{position:.{self._digits}g}"), short(float(position)))

    def edges(self, low: Position, high: Position) -> list[Position]:
        if low == high:
            return [low, math.nextafter(high, math.inf)]
        with localcontext(prec=_DIGITS, Emax=9999, Emin=-9999):
            first, last = Decimal(low), Decimal(high)
            exponent = ((last - first) / BINS).adjusted()
            for step in (Decimal(m).scaleb(exponent + k) for k in range(3) for m in (1, 2, 5)):
                start = int((first / step).to_integral_value(ROUND_FLOOR))
                end = int((last / step).to_integral_value(ROUND_CEILING))
                end += end * step == last
                if end - start <= BINS:
                    return _rising([float(i * step) for i in range(start, end + 1)], float(low), float(high))
        raise AssertionError("a step of a tenth of the range leaves at most twelve bins")

    def below(self, edge: Position) -> Position:
        return math.nextafter(edge, -math.inf)

    def label(self, start: Position, end: Position) -> str:
        first, last = short(float(start)), short(float(end))
        return first if first == last else f"{first} to below {last}"


class Times(Measure):
    """What is counted in microseconds."""

    sql_type = "BIGINT"

    def sql(self, name: str) -> str:
        return f"epoch_us({name})"

    def mean(self, total: Any, count: int) -> Value:
        mean = int(total) // count
        # of hours or more, parts of a second say nothing
        return self.value(mean if abs(mean) < _HOUR else mean // SECOND * SECOND)

    def edges(self, low: Position, high: Position) -> list[Position]:
        return _stepped(int(low), int(high), (*_CLOCK, *(DAY * m * 10**k for k in range(12) for m in (1, 2, 5))))

    def label(self, start: Position, end: Position) -> str:
        return f"{self.value(start).text} to below {self.value(end).text}"


class Durations(Times):
    """Intervals, of any length and sign."""

    def value(self, position: Position) -> Value:
        return Value(duration_text(int(position)), duration_text(int(position), units=2))

    def label(self, start: Position, end: Position) -> str:
        return f"{self.value(start).plain} to below {self.value(end).plain}"


class Clock(Times):
    """Times of the day."""

    def value(self, position: Position) -> Value:
        seconds, micros = divmod(int(position), SECOND)
        text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
        if seconds % 60 or micros:
            text += f":{seconds % 60:02}" + (f".{micros:06}".rstrip("0") if micros else "")
        return Value(text, text)


class Moments(Times):
    """Time stamps, in microseconds since 1970; `zoned` ones are in UTC."""

    def __init__(self, zoned: bool) -> None:
        self._zoned = zoned

    def value(self, position: Position) -> Value:
        date, _, clock = str(np.datetime64(int(position), "us")).partition("T")
        clock = clock.rstrip("0").rstrip(".") if "." in clock else clock
        clock = f"{clock}:00:00"[:8] if len(clock) < 8 else clock
        plain = f"{date}T{clock}{'Z' if self._zoned else ''}"
        return Value(plain, date if clock == "00:00:00" else f"{date} {clock}")

    def edges(self, low: Position, high: Position) -> list[Position]:
        first, last = int(low), int(high)
        for step, origin in (*((s, 0) for s in (*_CLOCK, DAY, 2 * DAY)), (7 * DAY, _MONDAY), (14 * DAY, _MONDAY)):
            if (found := _steps(first, last, step, origin)) is not None:
                return found
        return [_month_start(int(m)) for m in _stepped(_month(first), _month(last), _MONTHS)]


class Dates(Moments):
    """Dates, in days since 1970."""

    def __init__(self) -> None:
        super().__init__(zoned=False)

    def sql(self, name: str) -> str:
        return f"({name} - DATE '1970-01-01')"

    def value(self, position: Position) -> Value:
        text = str(np.datetime64(int(position), "D"))
        return Value(text, text)

    def mean(self, total: Any, count: int) -> Value:
        return self.value(int(total) // count)

    def edges(self, low: Position, high: Position) -> list[Position]:
        # cut at days at the least: hours of a day would all be the same date
        first, last = int(low), int(high)
        for step, origin in ((1, 0), (2, 0), (7, 4), (14, 4)):
            if (found := _steps(first, last, step, origin)) is not None:
                return found
        return [edge // DAY for edge in super().edges(first * DAY, last * DAY)]

    def label(self, start: Position, end: Position) -> str:
        return Measure.label(self, start, end)


def measure_of(column: Column) -> Measure | None:
    """What the values of `column` measure; None where they have no place on a line."""
    type = column.type
    if type.kind in INTEGERS:
        return Measure()
    if type.kind == "numeric":
        return Decimals(*type.digits)
    if type.kind in FLOATS:
        return Floats(7 if type.kind == "real" else 15)
    moments = {
        "date": Dates(),
        "time": Clock(),
        "timestamp": Moments(zoned=False),
        "timestamptz": Moments(zoned=True),
        "interval": Durations(),
    }
    return moments.get(type.kind)


def length_of(column: Column) -> Measure | None:
    """The length of the values of `column`; None where they have none worth knowing."""
    if column.type.kind in (*TEXTS, "json"):
        return Length("length")
    return {"bytes": Length("octet_length"), "array": Length("len")}.get(column.type.kind)


def short(number: float) -> str:
    """Return a number as people like to read it: four digits, or all before the point."""
    if number == 0 or 1e-4 <= abs(number) < 1000:
        text = f"{number:.4g}"
    elif 1000 <= abs(number) < 1e15:
        text = f"{number:,.0f}"
    else:
        text = f"{number:.3e}"
    return "0" if text == "-0" else text


def duration_text(microseconds: int, units: int | None = None) -> str:
    """Return a length of time such as `3d 4h 5.5s`, in all of the units that it needs, or in the largest `units` of these."""
    if microseconds < 0:
        return "-" + duration_text(-microseconds, units)
    if microseconds == 0:
        return "0s"
    if microseconds < SECOND:
        return f"{_decimal_text(microseconds, 3)}ms"
    rest, parts = microseconds, []
    for unit, size in (("d", DAY), ("h", _HOUR), ("m", _MINUTE)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:,}{unit}")
    if rest:
        parts.append(f"{_decimal_text(rest, 6)}s")
    return " ".join(parts[:units])


def _decimal_text(digits: int, scale: int) -> str:
    whole, part = divmod(digits, 10**scale)
    return f"{whole}.{part:0{scale}}".rstrip("0").rstrip(".")


def _stepped(low: int, high: int, steps: Any) -> list[Position]:
    """The edges at multiples of the first of the rising `steps` that makes at most BINS bins."""
    for step in steps:
        if (found := _steps(low, high, step, 0)) is not None:
            return found
    raise AssertionError("the steps are too small for the range")


def _steps(low: int, high: int, step: int, origin: int) -> list[Position] | None:
    start, end = (low - origin) // step, (high - origin) // step + 1
    return [i * step + origin for i in range(start, end + 1)] if end - start <= BINS else None


def _rising(edges: list[float], low: float, high: float) -> list[Position]:
    """The edges without those that rounding made equal, around `low` and `high`, and finite."""
    inner = sorted({e for e in edges if low < e <= high})
    first = edges[0] if math.isfinite(edges[0]) and edges[0] <= low else low
    last = edges[-1] if math.isfinite(edges[-1]) and edges[-1] > high else math.nextafter(high, math.inf)
    return [first, *inner, last]


def _month(microseconds: int) -> int:
    return int(np.datetime64(microseconds, "us").astype("datetime64[M]").astype(np.int64))


def _month_start(month: int) -> int:
    return int(np.datetime64(month, "M").astype("datetime64[us]").astype(np.int64))
