"""From SQL to the bound tree, or to a refusal that says why and what would be accepted.

`parsing` reads one statement, `scopes` resolves names, `expressions` binds scalars, `sources` and `joins` the rows and whose they are,
`queries` tells unit-keeping rows from releases and splits off what is done with noisy tables. Refusals follow from the schema, its
declaration and the SQL alone.
"""

from dpsql.binding.queries import bind

__all__ = ["bind"]
