"""Errors of the generator room.

schemas.errors.InputError
└── schemas.errors.SchemaError       recipes that cannot be carried out, with their places, all at once
    └── RecipeError                  the same, found by the generator rather than by the reader
schemas.errors.CompanyOSError
└── GenerationFailed      (1)        a row cannot be made although the plan was sound
"""

from __future__ import annotations

from schemas.errors import CheckFailed, Mark, SchemaError


class RecipeError(SchemaError):
    """Recipes that read well but cannot be carried out: an impossible constraint, a missing column, a cycle."""


class GenerationFailed(CheckFailed):
    """A row cannot be made although the plan was sound."""


class Unusable(Exception):
    """Raised while one column is compiled; the planner turns it into a `Problem` at the column's place."""

    def __init__(self, message: str, at: Mark | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
