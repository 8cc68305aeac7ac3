"""The reference page of transformers, made from their dataclasses.

`python -m masking.transformers.reference` writes `docs/transformers.md`; a test holds it current.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from masking.transformers import TRANSFORMERS, conditions, json_leaves, json_paths, path_language
from masking.transformers.parameters import Parameter, describe, parameters_of
from schemas.types import KINDS

PAGE = Path(__file__).parent.parent.parent / "docs" / "transformers.md"

# parameters that pseudonyms of people and places share
_SHARED = {
    "subject": "whether the pseudonym is picked by the row's subject instead of the value",
    "gender": "the column that tells the gender",
    "locale": "the locale of the pseudonyms, where it is not the policy's",
}

_INTRODUCTION = """\
# Transformers

A transformer says what becomes of the values of a column. It stands under `mask:` in the policy: a bare name, a name and its
parameters, or a name and the value of its first parameter.

    mask: keep
    mask: {noise: {spread: 0.1, distribution: laplace}}
    mask: {truncate: month}                # the same as {truncate: {to: month}}

Nulls stay null. Masked values have the type of the column, and are checked against its length, scale, closed list and nullability
before anything is written. The same key and the same rows give the same values, in any batch and on any machine. A transformer that
does not fit a column is refused before the first row is read.
"""

_ARRAYS = """\
## Arrays and JSON

In a column of an array type, a transformer masks each item as a column of the item's type; in a JSON column without paths, each
string, number and boolean of the document. `keep`, `null`, `constant` and `shuffle` take arrays and documents as they are.

JSON is masked by path:

    settings:
      class: free_text
      paths: {$.contact.email: {class: direct, entity: email, mask: email}, "$.tags[*]": {class: public, mask: keep}}
      rest: redact
"""

_CONDITIONS = """\
## Conditions

    salary: {class: sensitive, mask: {noise: 0.1}, when: "country = 'DE'", else: {round: 1000}}
"""

_PLUGINS = """\
## Transformers of your own

A distribution that has an entry point in the group `companyos.transformers` brings one, here under the name `initials`:

    [project.entry-points."companyos.transformers"]
    initials = "my_masks:Initials"

The entry point leads to a frozen dataclass. Its fields are the parameters (`bool`, `int`, `float`, `Decimal`, `str`, `Literal`,
`tuple[T, ...]`, `Mapping[str, T]`, `Transformer` and unions of these are checked when the policy is read; a `ValueError` of
`__post_init__` is told as a problem of the policy). `bind` looks at the column once, `apply` masks an Arrow array:

    @dataclass(frozen=True)
    class Initials:
        \"\"\"Keeps the first letter of every word.\"\"\"

        name: ClassVar[str] = "initials"
        dots: bool = True

        def bind(self, context):            # masking.transformers.base.Context: column, table, schema, key, domain ...
            return self                     # any object with apply(values, rows); raise TransformerUnfit where it does not fit

        def apply(self, values, rows):      # pyarrow.Array, masking.transformers.base.Rows -> pyarrow.Array
            return pc.replace_substring_regex(values, r"(\\pL)\\pL*", r"\\1." if self.dots else r"\\1")

One that has to see the whole column first has `learn(values, rows)` and `finish()` too. One that takes arrays and JSON documents as
they are has `whole = True`. A name that is taken is refused.
"""


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join([*_lines(), _ARRAYS, *_json(), _CONDITIONS, *_prose(conditions.Conditional), _PLUGINS]).rstrip("\n") + "\n"


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    for kind in TRANSFORMERS:
        yield f"## `{kind.name}`\n"
        yield from _prose(kind)
        fits = getattr(kind, "fits", None)
        if fits is not None:  # others say it in their own words
            yield f"Fits: {'every type' if set(fits) >= set(KINDS) else ', '.join(fits)}.\n"
        parameters = parameters_of(kind)
        if parameters:
            yield "| parameter | is | default | |"
            yield "|---|---|---|---|"
            for parameter in parameters:
                told = parameter.help or _SHARED.get(parameter.name, "")
                yield f"| `{parameter.name}` | {_kind(parameter)} | {_default(parameter)} | {told} |"
            yield ""


def _json() -> Iterator[str]:
    yield from _prose(json_paths.ByPath)
    yield from _prose(json_leaves.Leaves, first=False)
    yield from _prose(path_language, first=False)


def _prose(thing: Any, *, first: bool = True) -> Iterator[str]:
    paragraphs = (inspect.getdoc(thing) or "").split("\n\n")
    for paragraph in paragraphs if first else paragraphs[1:]:
        yield (paragraph if paragraph.startswith("    ") else _references(paragraph)) + "\n"


def _references(text: str) -> str:
    """Names of the code mean nothing to a reader of the page."""
    text = re.sub(r" \(`masking\.[\w.]+`\)", "", text)
    return text.replace(" How numbers and dates are taken is told at `Leaves`.", "").replace("\n", " ")


def _kind(parameter: Parameter) -> str:
    words = describe(parameter.type)
    if parameter.least is not None and parameter.most is not None:
        words += f", {parameter.least:g} to {parameter.most:g}"
    elif parameter.least is not None:
        words += f", at least {parameter.least:g}"
    return words


def _default(parameter: Parameter) -> str:
    value = parameter.default
    if parameter.required:
        return "needed"
    if value is None or value == ():
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else format(value, 'f') if isinstance(value, Decimal) else value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
