"""How well a shallow decision tree tells labelled rows from the others by their identifiers."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from datagen import SyntheticSource
from schemas.model import Table
from schemas.scenarios import leading_to

Floats = npt.NDArray[np.float64]
_CUTS = 64


def area_under_curve(scores: Floats, labels: npt.NDArray[np.bool_]) -> float:
    """The chance that a positive scores above a negative, ties counting half."""
    order = np.argsort(scores, kind="stable")
    _, start, count = np.unique(scores[order], return_index=True, return_counts=True)
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(start + (count + 1) / 2, count)
    positive = int(labels.sum())
    return float((ranks[labels].sum() - positive * (positive + 1) / 2) / (positive * (len(labels) - positive)))


def tree_scores(train: Floats, labels: npt.NDArray[np.bool_], test: Floats, depth: int = 2) -> Floats:
    """The share of positives in the leaf of each of `test`, in a tree grown greedily by Gini impurity; classes weigh the same."""
    weight = np.where(labels, 0.5 / max(labels.sum(), 1), 0.5 / max((~labels).sum(), 1))
    return _grow(train, labels, weight, test, depth)


def _grow(train: Floats, labels: npt.NDArray[np.bool_], weight: Floats, test: Floats, depth: int) -> Floats:
    positive, whole = float(weight[labels].sum()), float(weight.sum())
    if depth == 0 or whole == 0 or positive in (0.0, whole):
        return np.full(len(test), positive / whole if whole else 0.5)
    best = (np.inf, 0, 0.0)
    for feature in range(train.shape[1]):
        values = train[:, feature]
        for cut in np.unique(np.quantile(values, np.linspace(0, 1, _CUTS + 1)[1:-1])):
            left = values <= cut
            parts = ((weight[side & labels].sum(), weight[side].sum()) for side in (left, ~left))
            impurity = sum(p * (w - p) / w if w else 0.0 for p, w in parts)
            if impurity < best[0] - 1e-12:
                best = (impurity, feature, float(cut))
    _, feature, cut = best
    left, there = train[:, feature] <= cut, test[:, feature] <= cut
    scores = np.empty(len(test))
    for side, of_test in ((left, there), (~left, ~there)):
        scores[of_test] = _grow(train[side], labels[side], weight[side], test[of_test], depth - 1)
    return scores


def identifiers(source: SyntheticSource, table: Table, subjects: Collection[str]) -> Floats:
    """What tells rows apart and should say nothing else: the place of a row, its keys and unique values, references that do not
    name a subject; and what can be made of them: remainders, digits, for keys the distances to the rows before and behind.

    References have no distances, for those only count the rows of a parent, and ordinals are left out for the same reason. The time in a version 7 uuid is left out: it is that of a column of the row.
    """
    rows = source.read(table.name).read_all()
    features = {"place": np.arange(rows.num_rows, dtype=np.float64)}
    columns = {c for columns in table.unique_sets() for c in columns}
    columns |= {c for f in table.foreign_keys if f.table not in subjects for c in f.columns}
    for name in sorted(columns):
        column = table.column(name)
        if column.generate is not None and column.generate.name in ("ordinal", "between", "after"):
            continue
        found = _numbers(rows.column(name).combine_chunks())
        if table.foreign_key_of(name) is not None:
            found = {what: values for what, values in found.items() if what not in ("before", "behind")}
        features.update({f"{name} {what}": values for what, values in found.items()})
    return np.column_stack(list(features.values()))


def _numbers(values: pa.Array) -> dict[str, Floats]:
    if pa.types.is_integer(values.type):
        whole = np.asarray(values.fill_null(-1)).astype(np.int64)
        step = np.diff(whole, prepend=whole[:1])
        found = {"value": whole, "before": step, "behind": np.append(step[1:], 0), **{f"mod {m}": whole % m for m in (2, 8, 256, 2048)}}
        return {what: numbers.astype(np.float64) for what, numbers in found.items()}
    if isinstance(values, pa.ExtensionArray):
        raw = np.frombuffer(values.storage.fill_null(b"\0" * 16).buffers()[1], np.uint8)[: 16 * len(values)].reshape(-1, 16)
        return {f"octet {i}": raw[:, i].astype(np.float64) for i in (6, 7, 8, 9, 15)}
    texts = [value or "" for value in values.cast(pa.string()).to_pylist()]
    digits = [float("".join(c for c in text if c.isdigit())[:15] or 0) for text in texts]
    ends = {f"letter {i}": [float(ord(text[i])) if len(text) > abs(i) else 0.0 for text in texts] for i in (0, 1, 5, -1)}
    return {
        "length": np.array([len(t) for t in texts], np.float64),
        "digits": np.array(digits),
        **{k: np.array(v) for k, v in ends.items()},
    }


def leak(source: SyntheticSource, scenario: str, table_name: str) -> tuple[float, int]:
    """The AUC of a tree of depth 2 for the added rows of a table, and how many they are.

    It is grown on the rows of every other episode and on half of the others, and asked about the rest.
    """
    table = source.schema.table(table_name)
    label_table = source.schema.table(f"{scenario}_labels")
    subject = label_table.foreign_keys[0].table
    # a subject, and what it belongs to itself: a tenant with many users has many that are befallen
    subjects = {t.name for t in source.schema.tables if leading_to(source.schema, subject, t.name) is not None}
    key = next(f for f in label_table.foreign_keys[1:] if f.table == table_name)
    rows, labels = source.read(table_name).read_all(), source.read(label_table.name).read_all()
    episode_of = {}
    columns = [labels.column(c).to_pylist() for c in key.columns]
    for episode, change, *values in zip(labels.column("episode").to_pylist(), labels.column("change").to_pylist(), *columns, strict=True):
        if change == "added" and values[0] is not None:
            episode_of[tuple(values)] = episode
    episodes = np.array([episode_of.get(k, 0) for k in zip(*(rows.column(c).to_pylist() for c in key.target), strict=True)])
    added = episodes > 0
    group = np.where(added, np.cumsum(np.isin(np.arange(episodes.max() + 1), episodes[added]))[episodes], np.arange(len(episodes)))
    train = group % 2 == 0
    features = identifiers(source, table, subjects)
    scores = tree_scores(features[train], added[train], features[~train])
    return area_under_curve(scores, added[~train]), int(added.sum())
