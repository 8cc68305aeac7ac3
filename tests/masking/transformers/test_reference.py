"""The reference page of transformers: current, complete, and its example works."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from masking.transformers import TRANSFORMERS
from masking.transformers.parameters import parameters_of
from masking.transformers.reference import PAGE, page
from masking.transformers.registry import read


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
        import yaml

        assert read(yaml.safe_load(written), "t.c")


def test_the_plug_in_of_the_page_masks() -> None:
    code = page().split("    @dataclass(frozen=True)\n")[1].split("\nOne that has to")[0]
    names: dict[str, Any] = {"dataclass": dataclass, "ClassVar": ClassVar, "pc": pc}
    exec("@dataclass(frozen=True)\n" + re.sub("^    ", "", code, flags=re.MULTILINE), names)
    assert names["Initials"]().bind(None).apply(pa.array(["Ann Lee"]), None).to_pylist() == ["A. L."]
