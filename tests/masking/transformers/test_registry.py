"""Transformers by name: parameters with types, problems that say what to do, plug-ins by entry point."""

from __future__ import annotations

import importlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from masking.errors import TransformerInvalid
from masking.transformers.base import Transformer
from masking.transformers.constant import Constant
from masking.transformers.keep import Keep
from masking.transformers.null import Null
from masking.transformers.parameters import Parameter, Unreadable, describe, parameters_of, read_value
from masking.transformers.registry import names, read, transformer

PLUGIN = '''
from dataclasses import dataclass
from typing import ClassVar

@dataclass(frozen=True)
class Shout:
    """Shouts."""

    name: ClassVar[str] = "shout"
    times: int = 1

    def bind(self, context):
        return Shouting(self.times)

@dataclass(frozen=True)
class Shouting:
    times: int

    def apply(self, values, rows):
        import pyarrow.compute as pc
        return pc.utf8_upper(values)
'''


def install(folder: Path, distribution: str, name: str, target: str, code: str = "") -> None:
    """Lay down what an installer would: the module and its dist-info."""
    folder.mkdir(exist_ok=True)
    module = target.split(":")[0]
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[companyos.transformers]\n{name} = {target}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("plugin_"):
            del sys.modules[name]
    importlib.invalidate_caches()


def test_a_bare_word_and_a_mapping_name_a_transformer() -> None:
    assert read("keep", "t.c") == Keep() == read({"keep": None}, "t.c") == transformer("keep", {}, "t.c")
    assert read({"constant": "x"}, "t.c") == Constant("x") == read({"constant": {"value": "x"}}, "t.c")
    assert read(None, "t.c") == Null() == read("null", "t.c")


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        ("kep", "t.c: there is no transformer 'kep'; did you mean 'keep'?"),
        ({"keep": {"a": 1}}, "t.c: 'keep' has no parameter 'a'; it takes none"),
        ({"keep": 3}, "t.c: 'keep' takes no parameters"),
        ({"constant": {"valu": 1}}, "t.c: 'constant' has no parameter 'valu'; it takes value; did you mean 'value'?\nt.c: 'constant' needs 'value'"),
        ({"keep": None, "null": None}, "t.c: must be the name of a transformer"),
        (17, "t.c: must be the name of a transformer"),
        ([], "t.c: must be the name of a transformer"),
    ],
)  # fmt: skip
def test_problems_say_what_is_wrong_and_what_to_do(mask: Any, says: str) -> None:
    with pytest.raises(TransformerInvalid) as caught:
        read(mask, "t.c")
    assert str(caught.value).startswith(says)
    assert caught.value.exit_code == 2


@dataclass(frozen=True)
class Everything:
    name: ClassVar[str] = "everything"
    flag: bool = False
    count: int = 1
    share: float = 0.5
    how: Literal["up", "down"] = "up"
    texts: tuple[str, ...] = ()
    either: int | str = 1
    inner: Transformer | None = None


@pytest.mark.parametrize(
    ("field", "value", "read_as"),
    [
        ("flag", True, True),
        ("count", 3, 3),
        ("share", 1, 1.0),
        ("how", "down", "down"),
        ("texts", ["a", "b"], ("a", "b")),
        ("either", "x", "x"),
        ("either", 2, 2),
        ("inner", "keep", Keep()),
        ("inner", None, None),
    ],
)
def test_parameters_take_values_of_their_type(field: str, value: Any, read_as: Any) -> None:
    found = read_value(by_name(field), value, lambda inner: read(inner, "t.c"))
    assert found == read_as and type(found) is type(read_as)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("flag", "yes", "must be true or false"),
        ("count", True, "must be a whole number"),
        ("count", 1.5, "must be a whole number"),
        ("share", "0.5", "must be a number"),
        ("share", float("nan"), "must be a number"),
        ("how", "dwn", "must be `up` or `down`; did you mean 'down'?"),
        ("how", 1, "must be `up` or `down`"),
        ("texts", "ab", "must be a list of texts"),
        ("texts", [1], "must be text"),
        ("either", None, "must be a whole number or text"),
    ],
)
def test_parameters_refuse_values_of_another_type(field: str, value: Any, says: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_value(by_name(field), value, lambda inner: read(inner, "t.c"))
    assert says in str(caught.value)


def by_name(field: str) -> Parameter:
    return next(p for p in parameters_of(Everything) if p.name == field)


def test_types_are_described_in_words() -> None:
    assert {p.name: describe(p.type) for p in parameters_of(Everything)} == {
        "flag": "true or false", "count": "a whole number", "share": "a number", "how": "`up` or `down`", "texts": "a list of texts",
        "either": "a whole number or text", "inner": "a transformer",
    }  # fmt: skip


def test_a_plug_in_is_found_by_its_entry_point_and_takes_parameters(site: Path) -> None:
    install(site, "loud-masks", "shout", "plugin_loud:Shout", PLUGIN)
    assert "shout" in names()
    built = read({"shout": {"times": 2}}, "t.c")
    assert type(built).__name__ == "Shout" and built.times == 2  # type: ignore[attr-defined]
    with pytest.raises(TransformerInvalid, match="'times' of 'shout' must be a whole number"):
        read({"shout": "x"}, "t.c")


def test_a_plug_in_that_cannot_be_loaded_says_which_and_why_and_leaves_the_others_alone(site: Path) -> None:
    install(site, "torn-masks", "torn", "plugin_torn:Torn", "raise RuntimeError('no licence')")
    with pytest.raises(TransformerInvalid, match=r"'torn' of the plug-in 'torn-masks' cannot be loaded \(RuntimeError: no licence\)"):
        read("torn", "t.c")
    assert read("keep", "t.c") == Keep()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("class Torn: name = 'torn'", "it must be a frozen dataclass"),
        (PLUGIN.replace("Shout:", "Torn:"), "its `name` must be 'torn'"),
        ("from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Torn:\n    name = 'torn'", "it has no method `bind`"),
        ("from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Torn:\n    a: 'What'\n    name = 'torn'\n    def bind(self, c): ...", "the types of its fields cannot be read"),
    ],
)  # fmt: skip
def test_a_plug_in_that_is_no_transformer_is_refused(site: Path, code: str, says: str) -> None:
    install(site, "torn-masks", "torn", "plugin_torn:Torn", code)
    with pytest.raises(TransformerInvalid, match=f"the plug-in 'torn-masks' is not one: {says}"):
        read("torn", "t.c")


def test_a_plug_in_may_not_take_a_name_that_is_taken(site: Path) -> None:
    install(site, "sly-masks", "keep", "plugin_sly:Keep", PLUGIN)
    with pytest.raises(TransformerInvalid, match="the plug-in 'sly-masks' brings a transformer 'keep', which the project itself has too"):
        read("keep", "t.c")


def test_two_plug_ins_of_one_name_are_refused(site: Path) -> None:
    install(site, "loud-masks", "shout", "plugin_loud:Shout", PLUGIN)
    install(site, "louder-masks", "shout", "plugin_louder:Shout", PLUGIN)
    with pytest.raises(TransformerInvalid, match="which '.*' has too; uninstall one of them"):
        read("null", "t.c")


def test_policies_can_be_read_without_the_extra_and_a_key_says_what_is_missing() -> None:
    absent = ("cryptography", "polars", "polars_hash", "presidio_analyzer", "onnxruntime", "tokenizers", "stdnum", "phonenumbers")
    code = f"""
import sys
sys.modules.update(dict.fromkeys({absent!r}))
from masking.keys import MaskingKey
from masking.transformers.registry import read
print(read({{"noise": 0.1}}, "t.c").name)
try:
    MaskingKey(bytes(range(32)), "file").derive("x")
except Exception as error:
    print(type(error).__name__, error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == ["noise", "InputError masking needs cryptography; `pip install 'companyos-data[pii]'` brings it"]
