"""Values of any type as text that loses nothing, for templates and JSON documents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.arrays import SECOND, to_units
from datagen.casting import uuid_texts
from datagen.values.texts import decimal, digits, join
from schemas.types import TEXTS, SqlType


def text_of(values: pa.Array, type: SqlType, moment: str = "%Y-%m-%d %H:%M:%S") -> pa.Array:
    """Return each value as text: decimals with all of their digits, times and lengths of time (ISO 8601, in seconds) to the
    microsecond where they have parts of a second, time stamps by the strftime format `moment`, uuids in 36 characters."""
    match type.kind:
        case "enum" | "json":
            return values
        case kind if kind in TEXTS:
            return values
        case "uuid":
            return uuid_texts(values)
        case "numeric":
            return _decimals(*to_units(type, values), type.decimals)
        case "interval":
            units, absent = to_units(type, values)
            return join("PT", _unpadded(_decimals(units, absent, 6)), "S")
        case "time":
            return _unpadded(pc.cast(values, pa.string()))
        case "timestamp" | "timestamptz":
            return _moments(values, type, moment)
    return pc.cast(values, pa.string())


def _moments(values: pa.Array, type: SqlType, form: str) -> pa.Array:
    units, absent = to_units(type, values)
    whole = pa.array(units // SECOND, mask=absent).cast(pa.timestamp("s"))
    parts = units % SECOND
    text = pc.strftime(whole, form)
    if not parts.any():
        return text
    fractions = _unpadded(join(".", digits(parts, 6)))
    zone = form.endswith("Z")
    return join(pc.utf8_rtrim(text, "Z") if zone else text, fractions, "Z" if zone else "")


def _decimals(units: np.ndarray, absent: np.ndarray | None, places: int) -> pa.Array:
    whole, part = np.divmod(np.abs(units), 10**places)
    sign = pa.array(["", "-"], pa.string()).take(pa.array((units < 0).astype(np.int64), mask=absent))
    return join(sign, decimal(whole), *((".", digits(part, places)) if places else ()))


def _unpadded(text: pa.Array) -> pa.Array:
    """Texts that end in a decimal fraction, without the zeros at its end."""
    return pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")
