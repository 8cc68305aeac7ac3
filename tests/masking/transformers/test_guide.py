"""The guide's example of a policy: its transformers can be read and bound to columns of the types that it means."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from masking.transformers.conditions import Conditional
from masking.transformers.json_paths import ByPath
from masking.transformers.registry import read
from schemas.model import Column
from schemas.types import SqlType

from .columns import context, masker_for

GUIDE = Path(__file__).parent.parent.parent.parent / "docs" / "masking.md"
TYPES = {"born_on": "date", "zip": "text", "salary": "numeric", "last_ip": "text", "tags": "array", "settings": "json"}


def test_the_policy_of_the_guide_masks() -> None:
    section = GUIDE.read_text("utf-8").split("## What becomes of a value\n")[1]
    written = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert written is not None
    columns: dict[str, Any] = yaml.safe_load(written[1])["tables"]["users"]["columns"]
    assert set(columns) == set(TYPES)
    for name, said in columns.items():
        at = context(TYPES[name], subject=True, others=[Column("country", SqlType("text"), 0.0)])
        if "paths" in said:
            ByPath({path: read(rule["mask"], path) for path, rule in said["paths"].items()}, read(said["rest"], "rest")).bind(at)
        elif "when" in said:
            Conditional(read(said["mask"], name), said["when"], read(said["else"], name)).bind(replace(at))
        else:
            masker_for(said["mask"], at)
