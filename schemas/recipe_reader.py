"""Recipes as the schema language writes them, read against the catalogue of generators."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from schemas.errors import Mark, nearest
from schemas.model import Recipe
from schemas.recipes import BY_NAME, COUNTS, DISTRIBUTIONS, PARAMETER_KINDS, SEASON_NAMES, Generator, Parameter
from schemas.times import canonical_limit, canonical_moment, parse_duration, resolve_time_of_day
from schemas.types import SqlType
from schemas.value_reader import read_value
from schemas.yaml_nodes import Node, Parts, Reading, as_number, is_nothing, is_null, kind_of, mark_of, plain

_DISTRIBUTION_NAMES = tuple(d.name for d in DISTRIBUTIONS)
_COUNT_NAMES = tuple(g.name for g in COUNTS)
_LOCALE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?\Z")
_SPANS = tuple(name for name in _DISTRIBUTION_NAMES if name not in ("poisson", "zipf"))
_INTERVAL = SqlType("interval")
_RHYTHMS = ("office", "evening", "always")
_TEXT = SqlType("text")
_JSON = SqlType("json")
_BIGINT = SqlType("bigint")
_ELSEWHERE = {
    "random": "uniform", "range": "uniform", "int": "uniform", "integer": "uniform", "float": "uniform", "number": "uniform",
    "string": "words", "lorem": "words", "regex": "pattern", "enum": "choice", "date": "between", "datetime": "between",
    "timestamp": "between", "autoincrement": "sequence", "serial": "sequence", "uuid": "uuid4",
}  # fmt: skip
_MAPPINGS = ("weights", "states", "grammar", "recipes", "cases")


class RecipeReader:
    """Reads recipes for columns of one type; with `counts` those that say how many rows a parent has."""

    def __init__(self, reading: Reading, type: SqlType, counts: bool = False) -> None:
        self._reading = reading
        self._type = type
        self._counts = counts

    def read(self, node: Node, known: tuple[str, ...] = tuple(BY_NAME)) -> Recipe | None:
        """Return the recipe that a node writes: a name, or a mapping from one name to its parameters."""
        if isinstance(node, yaml.ScalarNode):
            spec = self._spec(node, node.value, known)
            return None if spec is None else self._finish(node, spec, {})
        if not isinstance(node, yaml.MappingNode):
            self._reading.say(node, f"a generator must be a name or a mapping, not {kind_of(node)}{_of_list(node, known)}")
            return None
        entries = self._reading.mapping(node, "a generator")
        names = [key for key in entries if key in known]
        chosen = self._chosen(node, entries, names, known)
        if chosen is None:
            return None
        spec = BY_NAME[chosen]
        arguments: Parts = {k: v for k, v in entries.items() if k != chosen}
        return self._finish(node, spec, arguments) if self._main(spec, entries[chosen], arguments) else None

    def _chosen(self, node: Node, entries: Parts, names: list[str], known: tuple[str, ...]) -> str | None:
        """The name of the generator among the keys; a parameter of another may be spelled like a generator."""
        able = [n for n in names if all(k == n or BY_NAME[n].parameter(k) for k in entries)]
        if len(able) == 1:
            return able[0]
        if len(names) == 1:
            return names[0]
        if names:
            self._reading.say(node, f"one generator is expected, not {' and '.join(names)}")
        elif entries:
            first = next(iter(entries))
            self._spec(entries[first][0], first, known)
        elif isinstance(node, yaml.MappingNode) and not node.value:
            self._reading.say(node, "a generator is expected, not an empty mapping")
        return None

    def _spec(self, node: Node, name: str, known: tuple[str, ...]) -> Generator | None:
        if name in known:
            return BY_NAME[name]
        hint = _near_generator(name, known)
        if not hint and len(known) < 12:
            hint = f"; known are {', '.join(known)}"
        what = {_DISTRIBUTION_NAMES: "distribution", _SPANS: "distribution", _COUNT_NAMES: "number of rows"}.get(known, "generator")
        self._reading.say(node, f"unknown {what} '{name[:60]}'{hint}")
        return None

    def _main(self, spec: Generator, entry: tuple[Node, Node], arguments: Parts) -> bool:
        """Lay the value beside the generator's name out over its parameters; False (and a problem) where it fits none."""
        key, value = entry
        if is_nothing(value):
            return True
        if isinstance(value, yaml.MappingNode) and not self._is_main(spec, value):
            for name, pair in self._reading.mapping(value, spec.name).items():
                if name in arguments:
                    self._reading.say(pair[0], f"{name} of {spec.name} is given twice")
                arguments[name] = pair
        elif spec.main is not None:
            if spec.main in arguments:
                self._reading.say(arguments[spec.main][0], f"{spec.main} of {spec.name} is given twice")
            arguments[spec.main] = (key, value)
        else:
            wanted = ", ".join(p.name for p in spec.parameters)
            takes = f"takes a mapping of its parameters ({wanted}), not {kind_of(value)}" if wanted else "takes no parameters"
            self._reading.say(value, f"{spec.name} {takes}")
            return False
        return True

    def _is_main(self, spec: Generator, value: Node) -> bool:
        """Whether a mapping is the main parameter's value, not a mapping of parameters."""
        parameter = None if spec.main is None else spec.parameter(spec.main)
        if parameter is None or not isinstance(value, yaml.MappingNode):
            return False
        if parameter.kind in ("recipe", "distribution"):
            keys = [key.value for key, _ in value.value]
            return parameter.name not in keys or any(spec.parameter(str(key)) is None for key in keys)
        return parameter.kind in _MAPPINGS or (parameter.kind == "scalar" and self._type.kind == "json")

    def _finish(self, node: Node, spec: Generator, arguments: Parts) -> Recipe | None:
        values: dict[str, Any] = {}
        places: dict[str, Mark] = {}
        sound = True
        for name, (key, value) in arguments.items():
            parameter = spec.parameter(name)
            if parameter is None:
                able = [p.name for p in spec.parameters]
                hint = nearest(name, able) or (f"; it has {', '.join(able)}" if able else "; it has none")
                self._reading.say(key, f"{spec.name} has no parameter '{name[:60]}'{hint}")
                sound = False
                continue
            if parameter.kind == "scalar" and is_null(value):
                values[name], places[name] = None, mark_of(value)
                continue
            before = len(self._reading.problems)
            found = self._value(value, parameter, spec)
            if found is not None:
                values[name] = found
                places[name] = mark_of(value)
                if parameter.kind == "cases":
                    places |= {f"{name} {case}": mark_of(key) for case, (key, _) in self._reading.mapping(value, name).items()}
                continue
            sound = False
            if len(self._reading.problems) == before:
                self._reading.say(value, f"{name} of {spec.name} must be {PARAMETER_KINDS[parameter.kind]}, not {kind_of(value)}")
        for parameter in spec.parameters:
            if parameter.required and parameter.name not in arguments and arguments.keys() <= {p.name for p in spec.parameters}:
                self._reading.say(node, f"{spec.name} needs {parameter.name}: {parameter.doc}; for example {spec.example}")
                sound = False
        return Recipe(spec.name, values, mark_of(node), places) if sound else None

    def _value(self, node: Node, parameter: Parameter, spec: Generator) -> Any:
        what = f"{parameter.name} of {spec.name}"
        reading = self._reading
        match parameter.kind:
            case "integer":
                return reading.integer(node, what)
            case "number":
                return reading.number(node, what)
            case "share":
                return reading.share(node, what)
            case "boolean":
                return reading.boolean(node, what)
            case "text" | "path" | "child" | "table" | "zone":
                return reading.text(node, what)
            case "duration":
                return self._parsed(node, what, parse_duration)
            case "moment":
                return self._parsed(node, what, canonical_moment)
            case "limit":
                return self._parsed(node, what, canonical_limit)
            case "measure":
                return self._measure(node, what)
            case "range":
                return self._pair(node, what, lambda item: self._measure(item, f"a bound of {what}"))
            case "period":
                return self._pair(node, what, self._period_end(what))
            case "distribution":
                return self.distribution(node, what)
            case "recipe":
                return self._nested(node)
            case "span":
                return self._span(node, what)
            case "recipes":
                return self._recipes(node, what)
            case "case":
                return self._case(node, what)
            case "cases":
                return self._cases(node, what)
            case "weights":
                return self._weights(node, spec.name)
            case "scalars":
                type = _TEXT if spec.room != "general" else self._type
                values = [read_value(reading, type, item, f"a value of {spec.name}") for item in reading.items(node, what)]
                return tuple(values) if self._holds(node, what) and all(v is not None for v in values) else None
            case "scalar":
                return read_value(reading, self._type, node, what)
            case "numbers" | "measures":
                read = self._measure if parameter.kind == "measures" else reading.number
                numbers = [read(item, f"an item of {what}") for item in reading.items(node, what)]
                return tuple(numbers) if self._holds(node, what) and all(n is not None for n in numbers) else None
            case "states":
                return self._states(node, what)
            case "dwell":
                return self._dwell(node, what)
            case "rhythm":
                return self._rhythm(node, what)
            case "season":
                return self._season(node, what)
            case "grammar":
                return self._grammar(node, what)
            case "locale":
                return read_locale(reading, node, what)
            case "arguments":
                return plain(node) if isinstance(node, yaml.MappingNode) else None
        raise AssertionError(f"{parameter.kind} is not among {list(PARAMETER_KINDS)}")

    def _parsed(self, node: Node, what: str, parse: Callable[[str], Any]) -> Any:
        text = self._reading.text(node, what)
        if text is None:
            return None
        try:
            return parse(text)
        except (ValueError, OverflowError) as error:
            self._reading.say(node, f"{what}: {error}")
            return None

    def _measure(self, node: Node, what: str) -> Any:
        if self._type.kind != "interval":
            return self._reading.number(node, what)
        return self._parsed(node, what, lambda text: parse_duration(text, negative=True))

    def _pair(self, node: Node, what: str, read: Callable[[Node], Any]) -> tuple[Any, Any] | None:
        if not isinstance(node, yaml.SequenceNode) or len(node.value) != 2:
            self._reading.say(node, f"{what} must be a list of two, [lowest, highest], not {kind_of(node)}")
            return None
        low, high = (read(item) for item in node.value)
        if low is None or high is None:
            return None
        if not isinstance(low, str) and low > high:
            self._reading.say(node, f"{what} must rise; {low} is greater than {high}")
            return None
        return low, high

    def _period_end(self, what: str) -> Callable[[Node], Any]:
        if self._type.kind == "time":
            return lambda node: self._parsed(node, what, _time_of_day)
        return lambda node: self._parsed(node, what, canonical_moment)

    def distribution(self, node: Node, what: str) -> Recipe | int | float | None:
        """Return a distribution over whole numbers, or a plain number."""
        return self._counted(node, what, RecipeReader(self._reading, _BIGINT), _DISTRIBUTION_NAMES)

    def count(self, node: Node, what: str) -> Recipe | int | float | None:
        """Return how many rows a parent has: a distribution, a plain number, or a recipe over the parent's columns."""
        return self._counted(node, what, RecipeReader(self._reading, _BIGINT, counts=True), _COUNT_NAMES)

    def _counted(self, node: Node, what: str, reader: RecipeReader, known: tuple[str, ...]) -> Recipe | int | float | None:
        if isinstance(node, yaml.ScalarNode):
            if node.value in known:
                return reader._finish(node, BY_NAME[node.value], {})
            value = as_number(node)
            if value is None:
                self._reading.say(node, f"{what} must be a number, or a distribution such as {{uniform: [1, 5]}}, not {kind_of(node)}")
            if value is not None and value < 0:
                self._reading.say(node, f"{what} must be 0 or more, not {value}")
                return None
            if value is not None and value != int(value):
                self._reading.say(node, f"{what} must be a whole number, not {value}; for a mean write {{poisson: {value}}}")
                return None
            return value
        return reader.read(node, known)

    def _span(self, node: Node, what: str) -> Recipe | int | None:
        if isinstance(node, yaml.ScalarNode):
            found: int | None = self._parsed(node, what, parse_duration)
            return found
        return RecipeReader(self._reading, _INTERVAL).read(node, _SPANS)

    def _case(self, node: Node, what: str) -> Recipe | int | float | None:
        return self.count(node, what) if self._counts else RecipeReader(self._reading, self._type).read(node)

    def _cases(self, node: Node, what: str) -> dict[str, Recipe | int | float] | None:
        found = {case: self._case(value, f"the case '{case}'") for case, (_, value) in self._reading.mapping(node, what).items()}
        cases = {case: recipe for case, recipe in found.items() if recipe is not None}
        return cases if len(cases) == len(found) and self._holds(node, what) else None

    def _nested(self, node: Node) -> Recipe | None:
        return RecipeReader(self._reading, self._type.item or _JSON).read(node)

    def _recipes(self, node: Node, what: str) -> dict[str, Recipe] | None:
        entries = self._reading.mapping(node, what)
        found = {name: RecipeReader(self._reading, _JSON).read(value) for name, (_, value) in entries.items()}
        return {n: r for n, r in found.items() if r is not None} if all(found.values()) and self._holds(node, what) else None

    def _holds(self, node: Node, what: str) -> bool:
        """Whether a mapping or list holds anything; a problem where it is empty."""
        if isinstance(node, yaml.CollectionNode) and not node.value:
            self._reading.say(node, f"{what} must not be empty")
        return isinstance(node, yaml.CollectionNode) and bool(node.value)

    def _weights(self, node: Node, what: str) -> tuple[tuple[Any, float], ...] | None:
        if isinstance(node, yaml.SequenceNode):
            values = [read_value(self._reading, self._type, item, f"a value of {what}") for item in node.value]
            return tuple((v, 1) for v in values) if self._holds(node, what) and all(v is not None for v in values) else None
        if not isinstance(node, yaml.MappingNode):
            self._reading.say(node, f"{what} must be {PARAMETER_KINDS['weights']}, not {kind_of(node)}")
            return None
        pairs = []
        for key, value in self._reading.mapping(node, what).values():
            weight = self._reading.number(value, f"the weight of {kind_of(key)}")
            if weight is not None and weight < 0:
                self._reading.say(value, f"the weight of {kind_of(key)} must be 0 or more, not {weight}")
                weight = None
            pairs.append((read_value(self._reading, self._type, key, f"a value of {what}"), weight))
        if not self._holds(node, what) or any(v is None or w is None for v, w in pairs):
            return None
        if not any(w for _, w in pairs):
            self._reading.say(node, f"{what} needs a weight above 0")
            return None
        return tuple((v, w) for v, w in pairs if w is not None)

    def _states(self, node: Node, what: str) -> dict[str, dict[str, float]] | None:
        machine: dict[str, dict[str, float]] = {}
        sound = True
        for state, (_, value) in self._reading.mapping(node, what).items():
            machine[state] = {}
            if is_nothing(value):
                continue
            sound = sound and isinstance(value, yaml.MappingNode)
            for target, (_, place) in self._reading.mapping(value, f"what follows '{state}'").items():
                chance = self._reading.share(place, f"the chance of '{target}' after '{state}'")
                sound = sound and chance is not None
                machine[state][target] = chance or 0.0
            total = sum(machine[state].values())
            if total > 1 + 1e-9:
                self._reading.say(value, f"the chances of what follows '{state}' sum to {total:g}, more than 1")
                sound = False
        return machine if self._holds(node, what) and sound else None

    def _dwell(self, node: Node, what: str) -> int | dict[str, int] | None:
        if isinstance(node, yaml.ScalarNode):
            return self._positive(node, what)
        found = {s: self._positive(v, f"the time in '{s}'") for s, (_, v) in self._reading.mapping(node, what).items()}
        times = {state: time for state, time in found.items() if time is not None}
        return times if self._holds(node, what) and len(times) == len(found) else None

    def _positive(self, node: Node, what: str) -> int | None:
        length: int | None = self._parsed(node, what, parse_duration)
        if length is not None and length <= 0:
            self._reading.say(node, f"{what} must be above 0")
            return None
        return length

    def _rhythm(self, node: Node, what: str) -> str | dict[str, tuple[float, ...]] | None:
        if isinstance(node, yaml.ScalarNode):
            if node.value in _RHYTHMS:
                return str(node.value)
            self._reading.say(node, f"{what} must be one of {', '.join(_RHYTHMS)}, or a mapping{nearest(node.value, _RHYTHMS)}")
            return None
        rhythm: dict[str, tuple[float, ...]] = {}
        for name, (_, value) in self._reading.mapping(node, what, ("days", "hours")).items():
            count = 7 if name == "days" else 24
            weights = [self._reading.number(item, f"a weight of {name}") for item in self._reading.items(value, name)]
            if len(weights) != count or any(w is None or w < 0 for w in weights) or not any(weights):
                self._reading.say(value, f"{name} needs {count} weights of 0 or more, not all 0")
                return None
            rhythm[name] = tuple(float(w) for w in weights if w is not None)
        return rhythm or None

    def _season(self, node: Node, what: str) -> str | tuple[float, ...] | None:
        if isinstance(node, yaml.ScalarNode):
            if node.value in SEASON_NAMES:
                return str(node.value)
            hint = nearest(node.value, SEASON_NAMES)
            self._reading.say(node, f"{what} must be one of {', '.join(SEASON_NAMES)}, or a list of 12 weights{hint}")
            return None
        weights = [self._reading.number(item, f"a weight of {what}") for item in self._reading.items(node, what)]
        if len(weights) != 12 or any(w is None or w < 0 for w in weights) or not any(weights):
            self._reading.say(node, f"{what} needs 12 weights of 0 or more, January first, not all 0")
            return None
        return tuple(float(w) for w in weights if w is not None)

    def _grammar(self, node: Node, what: str) -> dict[str, tuple[str, ...]] | None:
        found = {s: self._reading.names(v, f"the phrases of '{s}'") for s, (_, v) in self._reading.mapping(node, what).items()}
        rules = {symbol: phrases for symbol, phrases in found.items() if phrases is not None}
        if isinstance(node, yaml.MappingNode) and "start" not in found:
            self._reading.say(node, f"{what} needs a symbol `start`, which is what is expanded")
        return rules if rules and len(rules) == len(found) and "start" in rules else None


def _time_of_day(text: str) -> str:
    resolve_time_of_day(text)
    return text.strip()


def _near_locale(word: str) -> str:
    from faker.config import AVAILABLE_LOCALES

    return nearest(word.replace("-", "_"), filter(_LOCALE.match, AVAILABLE_LOCALES))


def _near_generator(name: str, known: tuple[str, ...]) -> str:
    """A hint to the generators that end in `name`, that other tools call so, or that are spelled most like it."""
    same = [f"'{k}'" for k in known if k.rpartition(".")[2] == name]
    if same:
        return f"; did you mean {', '.join(same[:-1])}{' or ' if len(same) > 1 else ''}{same[-1]}?"
    other = _ELSEWHERE.get(name)
    return f"; did you mean '{other}'?" if other in known else nearest(name, known)


def _of_list(node: Node, known: tuple[str, ...]) -> str:
    """A hint to what a list stands for where a generator is expected: a range, or values to choose from."""
    items = node.value
    name = "uniform" if len(items) == 2 and all(as_number(item) is not None for item in items) else "choice"
    if len(items) < 2 or name not in known or not all(isinstance(item, yaml.ScalarNode) for item in items):
        return ""
    return f"; did you mean {{{name}: [{items[0].value}, {items[1].value}{', ...' if len(items) > 2 else ''}]}}?"


def read_locale(reading: Reading, node: Node, what: str) -> str | dict[str, float] | None:
    """Return a locale name, or a mapping from locale names to weights."""
    if isinstance(node, yaml.ScalarNode):
        if _LOCALE.match(node.value):
            return str(node.value)
        hint = _near_locale(node.value)
        reading.say(node, f"{what} must be a locale such as de_DE, or a mapping from locales to weights, not {kind_of(node)}{hint}")
        return None
    mix: dict[str, float] = {}
    before = len(reading.problems)
    for name, (key, value) in reading.mapping(node, what).items():
        weight = reading.number(value, f"the weight of {name}")
        if not _LOCALE.match(name):
            reading.say(key, f"'{name[:60]}' is no locale; write it like de_DE{_near_locale(name)}")
        elif weight is not None and weight < 0:
            reading.say(value, f"the weight of {name} must be 0 or more, not {weight}")
        elif weight is not None:
            mix[name] = weight
    if len(reading.problems) == before and not any(mix.values()):
        reading.say(node, f"{what} needs a locale with a weight above 0")
    return mix if any(mix.values()) else None
