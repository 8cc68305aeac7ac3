"""The published JSON Schema (draft 2020-12) of `environments.yaml`, for completion and hints in editors.

Made from `schemas.environments_grammar`; `python -m schemas.environments_json_schema` writes it beside this module. It accepts every
file that `schemas.environments_reader` accepts, and refuses what can be told without looking from one part of the file to another.
"""

from __future__ import annotations

import json
from pathlib import Path

from schemas import environments_grammar as grammar
from schemas.environments import HOST_KINDS, KINDS
from schemas.environments_values import ENVIRONMENT_NAME
from schemas.json_schema_parts import BOOLEAN, DURATION, NAME, TEXT, Json, any_of, keyed, list_of, map_of, number

PUBLISHED = Path(__file__).with_name("environments.schema.json")

_WORDS = any_of(NAME, list_of(NAME, 0))
_SIZE: Json = {"type": "string", "pattern": r"^[0-9.]+ ?([KMGT]i?B|B)$"}
_VARIABLE: Json = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}
_SOME = {"minProperties": 1}


def _count(least: int = 0) -> Json:
    return number(least, kind="integer")


def json_schema() -> Json:
    """Return the JSON Schema of files of environments."""
    egress = any_of({"enum": ["deny", "allow"]}, keyed(grammar.EGRESS, {"default": {"enum": ["deny", "allow"]}, "exceptions": _WORDS}))
    rules = map_of(keyed(grammar.RULE, {"require": TEXT, "message": TEXT}), 0)
    classes = {"type": "object", "properties": {kind: _count() for kind in KINDS}, "additionalProperties": False, **_SOME}
    window = {"days": _WORDS, "from": {"type": "string"}, "to": {"type": "string"}, "zone": NAME}
    environment = {
        **keyed(
            grammar.ENVIRONMENT,
            {
                "classes": classes,
                "loads": BOOLEAN,
                "owner_groups": _WORDS,
                "approver_groups": _WORDS,
                "quota": _count(),
                "ttl": keyed(grammar.TTL, {"default": DURATION, "most": DURATION}),
                "extend_alone": DURATION,
                "egress": egress,
                "collectors": _WORDS,
                "change_window": keyed(grammar.CHANGE_WINDOW, window),
                "rules": rules,
            },
        ),
        **any_of({"required": ["classes"]}, {"required": ["loads"]}),
    }
    never = {"properties": {"production": {"properties": {"loads": {"enum": [False, "false"]}, "classes": False}, "required": ["loads"]}}}
    folder = any_of(TEXT, {"type": "null"})
    host = keyed(grammar.HOST, {"kind": {"enum": list(HOST_KINDS)}, "folder": folder, "url_from": _VARIABLE})
    guardrails = {"delete_protection": BOOLEAN, "requests_a_minute": _count(1), "webhooks": {"enum": list(grammar.WEBHOOKS)}}
    template = keyed(
        grammar.TEMPLATE,
        {
            "environment": NAME,
            "host": NAME,
            "seeds": _WORDS,
            "limits": keyed(grammar.LIMITS, {"connections": _count(1), "size": _SIZE, "statement": DURATION}),
            "flags": map_of(BOOLEAN, 0),
            "guardrails": keyed(grammar.GUARDRAILS, guardrails),
            "collectors": _WORDS,
            "egress": egress,
            "approved": keyed(grammar.APPROVED, {"infrastructure": TEXT, "data": TEXT}),
            "demo": BOOLEAN,
        },
    )
    url: Json = {"type": "string", "pattern": "^https?://"}
    top = keyed(
        grammar.FILE,
        {
            "environments": {**map_of(environment), "propertyNames": {"pattern": f"^{ENVIRONMENT_NAME}$"}, "allOf": [never]},
            "hosts": map_of(host),
            "templates": map_of(template),
            "owners": map_of(_WORDS),
            "rules": rules,
            "webhook": keyed(grammar.WEBHOOK, {"url": url, "token_from": _VARIABLE, "timeout": DURATION}),
            "idle": DURATION,
        },
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The environments of a company's sandboxes",
        "description": "What may happen in each environment, the templates of sandboxes, where they live, and who may own them.",
        **top,
    }


def published_text() -> str:
    """Return the text of the published file."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PUBLISHED.write_text(published_text(), "utf-8")
