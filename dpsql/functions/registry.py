"""The table of functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dpsql.tree import Call, Expression, Facts

Writer = Callable[..., str]


def never(call: Call) -> bool:
    """For functions that no value makes fail."""
    return False


@dataclass(frozen=True)
class Function:
    """A function or operator.

    `facts` says what is known of its values from its arguments. `duckdb` and `postgres` write it from the SQL of the arguments and the
    call itself. A call for which `risky` holds can fail in DuckDB, where it is then wrapped in TRY.
    """

    name: str
    facts: Callable[[Sequence[Expression]], Facts]
    duckdb: Writer
    postgres: Writer
    risky: Callable[[Call], bool] = never


def _all() -> Mapping[str, Function]:
    from dpsql.functions import arithmetic, casts, comparison, conditional, dates, powers, text

    found: dict[str, Function] = {}
    for module in (arithmetic, powers, comparison, conditional, text, dates, casts):
        for function in module.FUNCTIONS:
            found[function.name] = function
    return found


class _Table(Mapping[str, Function]):
    """All functions, loaded when they are first asked for."""

    def __init__(self) -> None:
        self._found: Mapping[str, Function] | None = None

    def _loaded(self) -> Mapping[str, Function]:
        if self._found is None:
            self._found = _all()
        return self._found

    def __getitem__(self, name: str) -> Function:
        return self._loaded()[name]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._loaded())

    def __len__(self) -> int:
        return len(self._loaded())


FUNCTIONS: Mapping[str, Function] = _Table()


# functions from whose outcome an id of the privacy unit could be told
TELLING = frozenset((
    "add", "subtract", "multiply", "negate", "abs", "round", "trunc", "floor", "ceil", "coalesce", "nullif", "least", "greatest", "concat",
    "cast_integer", "cast_decimal", "cast_double", "cast_text", "upper", "lower", "trim", "ltrim", "rtrim", "replace",
    "left", "right", "substring", "divide", "divide_whole", "power", "reverse", "md5", "translate", "overlay", "ascii", "lpad", "rpad",
))  # fmt: skip


def call(name: str, *arguments: Expression) -> Call:
    """Return the call of a function, with its facts."""
    facts = FUNCTIONS[name].facts(arguments)
    if name in TELLING and any(a.facts.identifies for a in arguments):
        facts = replace(facts, identifies=True, values=None)
    return Call(name, arguments, facts)
