"""Binding a transformer to any column: arrays by their items, JSON by its leaves, all else directly."""

from __future__ import annotations

from dataclasses import replace

from masking.errors import TransformerUnfit
from masking.transformers.base import Context, Masker, Transformer


def bound(transformer: Transformer, context: Context) -> Masker:
    """Return the masker of `transformer` for the column of `context`; raises TransformerUnfit.

    The items of an array are masked as columns of the item's type, the strings, numbers and booleans in a JSON document as `ByPath`
    does with `transformer` for all of them. A transformer with `whole = True` gets arrays and documents as they are.
    """
    from masking.transformers.items import bind_items
    from masking.transformers.json_paths import ByPath

    if not getattr(transformer, "whole", False):
        if context.column.type.item is not None:
            return bind_items(transformer, context)
        if context.column.type.kind == "json":
            return ByPath({}, rest=transformer).bind(context)
    return transformer.bind(context)


def bound_within(transformer: Transformer, context: Context) -> Masker:
    """The masker of values of a domain that stand within texts and documents; raises TransformerUnfit.

    They become what they do in the columns of the domain, unique ones too. Within a text nothing has to stay different, so that what
    cannot mask a unique column does mask there.
    """
    if context.domain in context.apart:
        try:
            return bound(transformer, replace(context, unique=True, distinct=context.apart[context.domain] or None))
        except TransformerUnfit:
            pass
    return bound(transformer, replace(context, unique=False, distinct=None))
