"""The reference page of transformers: current, complete, and its example works."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from masking.transformers import TRANSFORMERS
from masking.transformers.conditions import Conditional
from masking.transformers.json_paths import ByPath
from masking.transformers.parameters import parameters_of
from masking.transformers.reference import PAGE, page
from masking.transformers.registry import read
from schemas.model import Column
from schemas.types import SqlType

from .columns import context, rows_of


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make docs`"


def test_every_transformer_and_parameter_is_told() -> None:
    text = page()
    for kind in TRANSFORMERS:
        assert f"## `{kind.name}`" in text
        section = text.split(f"## `{kind.name}`\n")[1].split("\n## ")[0]
        for parameter in parameters_of(kind):
            [row] = [line for line in section.split("\n") if line.startswith(f"| `{parameter.name}` |")]
            prose = section.split("| parameter |")[0]
            assert not row.endswith("|  |") or f"`{parameter.name}`" in prose or f"`{parameter.name}:" in prose


def test_the_transformers_of_the_introduction_can_be_read() -> None:
    for written in re.findall(r"^    mask: (.*?)(?:  +#.*)?$", page(), re.MULTILINE):
        assert read(yaml.safe_load(written), "t.c")


def test_the_policies_of_json_and_of_conditions_mask() -> None:
    text = page()
    [settings] = yaml.safe_load(_indented(text, "settings:")).values()
    by_path = ByPath({path: read(rule["mask"], path) for path, rule in settings["paths"].items()}, read(settings["rest"], "rest"))
    documents = pa.array(['{"contact":{"email":"ann.lee@acme.com"},"tags":["new"],"note":"x"}'])
    masked = json.loads(by_path.bind(context("json")).apply(documents, rows_of(documents)).to_pylist()[0])
    assert (masked["tags"], masked["note"]) == (["new"], "***")
    assert re.fullmatch(r"(?!ann\.lee)[\w.]+@example\.\w+", masked["contact"]["email"])

    [said] = yaml.safe_load(_indented(text, "salary:")).values()
    where = Conditional(read(said["mask"], "salary"), said["when"], read(said["else"], "salary"))
    salaries, countries = pa.array([51_400, 51_400, 51_400], pa.int32()), pa.array(["DE", "FR", None])
    at = context("integer", others=[Column("country", SqlType("text"), 0.0)])
    german, *others = where.bind(at).apply(salaries, rows_of(salaries, country=countries)).to_pylist()
    assert german % 1000 and german != 51_400 and others == [51_000, 51_000]


def _indented(text: str, first: str) -> str:
    """The block of the page that begins with `first`."""
    rest = text.split(f"\n    {first}")[1].split("\n\n")[0]
    return textwrap.dedent(f"    {first}{rest}")


def test_the_plug_in_of_the_page_masks() -> None:
    code = page().split("    @dataclass(frozen=True)\n")[1].split("\nOne that has to")[0]
    names: dict[str, Any] = {"dataclass": dataclass, "ClassVar": ClassVar, "pc": pc}
    exec("@dataclass(frozen=True)\n" + re.sub("^    ", "", code, flags=re.MULTILINE), names)
    assert names["Initials"]().bind(None).apply(pa.array(["Ann Lee"]), None).to_pylist() == ["A. L."]
