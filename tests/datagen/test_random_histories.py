"""Random schemas with times: every state keeps every promise, and changes lead from any state to any later one."""

from __future__ import annotations

import re
import tempfile
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import bundles
from datagen import RecipeError, SyntheticSource
from datagen.changes import Changes
from datagen.state_source import StateSource
from schemas.errors import SchemaError
from tests.datagen.making import source_of
from tests.datagen.test_random_schemas import schemas

DAY = 86_400_000_000
STATUS = "status: {type: text, generate: {states: {new: {open: 1}, open: {done: 0.9}}, start: at, dwell: 90d}}"


@st.composite
def histories(draw) -> str:
    """A random schema whose tables have times, ends, machines, and counts and sums of what references them."""
    text = draw(schemas())
    names = re.findall(r"^  (t\d):", text, re.MULTILINE)
    for name in names:
        lines, lives = [], ""
        if draw(st.integers(0, 4)):
            per = re.search(rf"^  {name}:\n    rows: {{per: (t\d)", text, re.MULTILINE)
            after = per is not None and f"{per[1]}_at" in text and draw(st.booleans())
            recipe = f"{{after: owner.{per[1]}_at, within: 2y}}" if after else "{between: [-3y, now]}"
            lines.append(f"{name}_at: {{type: {draw(st.sampled_from(['timestamptz', 'date']))}, generate: {recipe}}}")
            lives = f"from: {name}_at"
            if draw(st.booleans()):
                lines.append(f"gone: {{type: timestamptz, null: 0.4, generate: {{after: {name}_at, within: 3y, until: 1y}}}}")
                lives += ", until: gone"
            if draw(st.booleans()):
                lines += [
                    STATUS.replace("start: at", f"start: {name}_at"),
                    "done_at: {type: timestamptz, null: 0, generate: {entered: done, of: status}}",
                ]
                lines.append("word: {type: text, generate: {expression: \"CASE status WHEN 'done' THEN 'x' ELSE status END\"}}")
        children = sorted({c for c in names if re.search(rf"references: {name}\.id", text.partition(f"  {c}:\n")[2].partition("\n  t")[0])})
        for child in children:
            if draw(st.booleans()):
                lines.append(f"n_{child}: {{type: bigint, generate: {{count: {child}}}}}")
        written = "".join(f"      {line}\n" for line in lines)
        head, middle, rest = text.partition(f"  {name}:\n")
        body = rest.replace("    columns:\n", f"    columns:\n{written}", 1)
        text = head + middle + (f"    lives: {{{lives}}}\n" if lives else "") + body
    return text


def rows_of(source: SyntheticSource) -> dict[str, dict[Any, dict[str, Any]]]:
    return {t.name: {row["id"]: row for row in source.read(t.name).read_all().to_pylist()} for t in source.schema.tables}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(histories(), st.integers(0, 2**63 - 1), st.lists(st.integers(-1500, 0), min_size=2, max_size=2))
@pytest.mark.slow
def test_states_keep_their_promises_and_changes_lead_from_one_to_the_other(text, seed, days):
    try:
        source = source_of(text, seed=seed)
    except (RecipeError, SchemaError):
        assume(False)
    history = source.history if isinstance(source, StateSource) else source
    first, last = (history.schema.anchor + d * DAY for d in sorted(days))
    try:
        before, after = StateSource(history, first), StateSource(history, last)
    except RecipeError:
        assume(False)
    with tempfile.TemporaryDirectory() as folder:
        for state in (before, after):
            report = bundles.verify(bundles.build(state, store=folder, tag="x:v1"))
            assert report.ok, (text, [str(p) for p in report.problems])
    rows = rows_of(before)
    for change in Changes(history, first, last):
        known = rows[change.table.name]
        for place, row in enumerate(change.rows.to_pylist()):
            if change.operation == "insert":
                assert row["id"] not in known
                known[row["id"]] = row
            elif change.operation == "delete":
                del known[row["id"]]
            else:
                known[row["id"]] |= {name: row[name] for name, mask in change.changed.items() if mask[place]}
    assert rows == rows_of(after), text
