"""Reads policy files: YAML in, a Policy out, or every problem of the file at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from masking.classes import CLASSES, ENTITIES
from masking.errors import PolicyInvalid
from masking.policy.ends import End, read_end
from masking.policy.model import DROP, KEEP, UNDECIDED, Policy, Proof, Step, TablePolicy, Treatment, VirtualReference
from schemas.errors import InputError, Problem
from schemas.yaml_nodes import Node, Parts, Reading, kind_of, mark_of, plain

_KEYS = ("policy", "key", "locale", "tables", "references", "subset", "anonymity", "proof")
_TABLE = ("subject", "columns")
_TREATMENT = (
    "class", "entity", "type", "mask", "when", "else", "domain", "subject", "paths", "rest", "confidence", "evidence",
)  # fmt: skip
_REFERENCE = ("from", "to", "when")
_PROOF = ("survivors", "common_words")
_MAX_BYTES = 20_000_000


def read_policy(path: str | os.PathLike[str]) -> Policy:
    """Read a policy file; raises PolicyInvalid with every problem, InputError where the file cannot be read."""
    name = os.fspath(path)
    try:
        if Path(name).stat().st_size > _MAX_BYTES:
            raise InputError(f"{name}: a policy of more than {_MAX_BYTES // 1_000_000} MB is not read")
        text = Path(name).read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name}: this is not UTF-8 text; save the policy as UTF-8") from None
    except OSError as error:
        raise InputError(f"{name}: the policy cannot be read: {error.strerror or error}") from None
    return parse_policy(text, name)


def parse_policy(text: str, file: str = "policy.yaml") -> Policy:
    """Read a policy from YAML text; raises PolicyInvalid with every problem."""
    reading = Reading(kind="a policy", begins="policy: <name>")
    root = reading.compose(text)
    policy = None if root is None else _PolicyReader(reading, file).read(root)
    if policy is None or reading.problems:
        raise PolicyInvalid(file, dict.fromkeys(reading.problems))
    return policy


class _PolicyReader:
    def __init__(self, reading: Reading, file: str) -> None:
        self._reading, self._file = reading, file

    def read(self, root: Node) -> Policy | None:
        reading = self._reading
        parts = reading.mapping(root, "a policy", _KEYS)
        for key in ("policy", "tables"):
            if key not in parts and isinstance(root, yaml.MappingNode):
                reading.say(root, f"a policy needs `{key}:`")
        if reading.problems and not {"policy", "tables"} <= set(parts):
            return None
        tables = {}
        for name, (_, node) in reading.mapping(parts["tables"][1], "tables").items():
            if (table := self._table(name, node)) is not None:
                tables[name] = table
        references = []
        if "references" in parts:
            references = [r for node in reading.items(parts["references"][1], "references") if (r := self._reference(node)) is not None]
        return Policy(
            reading.text(parts["policy"][1], "policy") or "",
            tables,
            self._text(parts, "key", "ephemeral"),
            self._text(parts, "locale", "en_US"),
            tuple(references),
            self._mapping(parts, "subset"),
            self._anonymity(parts),
            self._proof(parts),
            self._file,
            {key: mark_of(node) for key, (_, node) in parts.items()},
        )

    def _text(self, parts: Parts, key: str, default: str) -> str:
        return (self._reading.text(parts[key][1], key) or default) if key in parts else default

    def _mapping(self, parts: Parts, key: str) -> Mapping[str, Any] | None:
        if key not in parts:
            return None
        self._reading.mapping(parts[key][1], key)
        found = plain(parts[key][1])
        return found if isinstance(found, dict) else None

    def _anonymity(self, parts: Parts) -> tuple[Mapping[str, Any], ...]:
        if "anonymity" not in parts:
            return ()
        nodes = list(self._reading.items(parts["anonymity"][1], "anonymity"))
        for node in nodes:
            self._reading.mapping(node, "an item of anonymity")
        return tuple(found for node in nodes if isinstance(found := plain(node), dict))

    def _proof(self, parts: Parts) -> Proof:
        if "proof" not in parts:
            return Proof()
        inner = self._reading.mapping(parts["proof"][1], "proof", _PROOF)
        survivors, words = 0, True
        if "survivors" in inner:
            survivors = self._reading.integer(inner["survivors"][1], "survivors", least=0) or 0
        if "common_words" in inner:
            words = self._reading.boolean(inner["common_words"][1], "common_words") is not False
        return Proof(survivors, words)

    def _table(self, name: str, node: Node) -> TablePolicy | None:
        reading, what = self._reading, f"table '{name}'"
        if isinstance(node, yaml.ScalarNode):
            if node.value == DROP:
                return TablePolicy(drop=True, at=mark_of(node))
            reading.say(node, f"{what} must be `drop` or a mapping with `columns`, not {kind_of(node)}")
            return None
        parts = reading.mapping(node, what, _TABLE)
        if "columns" not in parts:
            if isinstance(node, yaml.MappingNode):
                reading.say(node, f"{what} needs `columns:`; a column that is in no policy is not let through")
            return None
        columns = {}
        for column, (_, inner) in reading.mapping(parts["columns"][1], f"columns of {what}").items():
            if (treatment := self._treatment(inner, f"column '{name}.{column}'")) is not None:
                columns[column] = treatment
        return TablePolicy(columns, self._names(parts, "subject"), at=mark_of(node))

    def _names(self, parts: Parts, key: str) -> tuple[str, ...]:
        return (self._reading.names(parts[key][1], key) or ()) if key in parts else ()

    def _treatment(self, node: Node, what: str) -> Treatment | None:
        reading = self._reading
        if isinstance(node, yaml.ScalarNode) and node.value == DROP:
            return Treatment(UNDECIDED, Step(DROP, at=mark_of(node)), at=mark_of(node))
        before = len(reading.problems)
        parts = reading.mapping(node, what, _TREATMENT)
        if not isinstance(node, yaml.MappingNode):
            return None
        if "class" not in parts:
            reading.say(node, f"{what} needs `class:`, one of {', '.join(CLASSES)}")
        klass = reading.word(parts["class"][1], "class", CLASSES) if "class" in parts else None
        entity = reading.word(parts["entity"][1], "entity", ENTITIES) if "entity" in parts else None
        paths = {}
        if "paths" in parts:
            for path, (key_node, inner) in reading.mapping(parts["paths"][1], f"paths of {what}").items():
                if not path.startswith("$"):
                    reading.say(key_node, f"a path begins with `$`, as in `$.contact.email`, not '{path[:60]}'")
                if (treatment := self._treatment(inner, f"{what}, path {path}")) is not None:
                    paths[path] = treatment
            if "mask" in parts:
                reading.say(parts["mask"][0], f"{what} has `paths:`; `rest:` says what becomes of all else, and `mask:` has no place")
            if "rest" not in parts:
                reading.say(node, f"{what} has `paths:` and needs `rest:`, which says what becomes of all that no path names")
        elif "mask" not in parts:
            reading.say(node, f"{what} needs `mask:`; what is to stay as it is has `mask: keep`")
        if ("when" in parts) != ("else" in parts):
            reading.say(
                node, f"{what}: `when:` and `else:` go together: `else:` says what becomes of the rows that `when:` does not accept"
            )
        steps = {key: self.step(parts[key][1], f"{key} of {what}") for key in ("mask", "else", "rest") if key in parts}
        texts = {key: reading.text(parts[key][1], key) for key in ("type", "when", "domain") if key in parts}
        confidence = reading.share(parts["confidence"][1], "confidence") if "confidence" in parts else None
        if len(reading.problems) > before or klass is None:
            return None
        return Treatment(
            klass,
            steps.get("mask") or steps.get("rest") or Step(KEEP),
            entity,
            texts.get("type"),
            texts.get("when"),
            steps.get("else"),
            texts.get("domain"),
            self._names(parts, "subject"),
            paths,
            steps.get("rest"),
            confidence,
            self._names(parts, "evidence"),
            mark_of(node),
        )

    def step(self, node: Node, what: str) -> Step | None:
        """Return a transformer: a word, or a mapping from one word to its parameters."""
        reading = self._reading
        if isinstance(node, yaml.ScalarNode):
            word = reading.text(node, what)
            return None if word is None else Step(word, None, mark_of(node))
        parts = reading.mapping(node, what)
        if len(parts) != 1:
            if isinstance(node, yaml.MappingNode):
                reading.say(node, f"{what} must be one transformer, such as `email` or `{{hash: {{form: hex}}}}`")
            return None
        ((name, (_, inner)),) = parts.items()
        return Step(name, plain(inner), mark_of(node))

    def _reference(self, node: Node) -> VirtualReference | None:
        reading = self._reading
        parts = reading.mapping(node, "a reference", _REFERENCE)
        if not {"from", "to"} <= set(parts):
            if isinstance(node, yaml.MappingNode):
                reading.say(node, "a reference needs `from: table.column` and `to: table.column`")
            return None
        start, end = self._end(parts["from"][1], "from"), self._end(parts["to"][1], "to")
        if start is None or end is None:
            return None
        (table, columns, path), (target_table, target, no_path) = start, end
        if no_path is not None:
            reading.say(parts["to"][1], "a reference goes to columns, not into JSON")
            return None
        if len(columns) != len(target):
            reading.say(node, f"a reference from {len(columns)} columns to {len(target)} is none")
            return None
        when = reading.text(parts["when"][1], "when") if "when" in parts else None
        return VirtualReference(table, columns, target_table, target, path, when, mark_of(node))

    def _end(self, node: Node, what: str) -> End | None:
        text = self._reading.text(node, what)
        found = read_end(text) if text else None
        if found is None:
            if text:
                odd = 'names with other characters than letters stand in double quotes: "odd.table"."a (b)"'
                self._reading.say(node, f"{what} must read like table.column, table.(a, b) or table.column$.path; {odd}")
            return None
        if not found[0]:
            self._reading.say(node, f"{what} must name a table and a column, as in users.id, not '{text}'")
            return None
        return found


def problem(message: str, treatment: Treatment | Step | TablePolicy | VirtualReference | None) -> Problem:
    """A problem at the place of a part of the policy."""
    return Problem(message, None if treatment is None else treatment.at)
