"""The keys of the schema language: one tuple for each kind of mapping in a schema file.

The reader, the published JSON Schema and the reference page are made from these, so that they cannot disagree. What may
stand under `generate:` is the catalogue of `schemas.recipes`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what its value is (in words), what it means, and an example of it in a file."""

    name: str
    form: str
    doc: str
    example: str
    required: bool = False


SCHEMA = (
    Key("schema", "name", "The name of the schema.", "schema: shop", True),
    Key("seed", "whole number", "What all randomness comes from, 0 to 2^63-1; 0 where it is left out. `--seed` overrules it.", "seed: 42"),
    Key("anchor", "date or time stamp", "The data's `now`; 2026-01-01 where it is left out.", "anchor: 2026-01-01T00:00:00Z"),
    Key("locale", "locale, or mapping from locales to weights", "Where the people and companies are from; en_US where it is left out.",
        "locale: {en_US: 70, de_DE: 20, ja_JP: 10}"),
    Key("types", "mapping from names to lists of values", "Enum types with a name of their own.", "types: {mood: [happy, sad]}"),
    Key("tables", "mapping from names to tables", "The tables. A name may be qualified by a database schema (`sales.orders`).",
        "tables: {users: {rows: 10, columns: {id: {type: bigint, key: true}}}}", True),
    Key("privacy", "mapping with `unit`", "Whose privacy the rows concern, what is public, and how far values reach: what private queries go by (`docs/privacy.md`).",
        "privacy: {unit: users.id, public: [plans], budget: {epsilon: 3, delta: 1e-6}}"),
    Key("scenarios", "mapping from names to shares, or to scenarios", "Patterns to plant: a ready one with the share of its subjects, or one of your own.",
        "scenarios: {card_testing: 0.002}"),
    Key("comment", "text", "What the schema is.", "comment: the web shop"),
)  # fmt: skip

TABLE = (
    Key("rows", "whole number, or mapping", "How many rows: a number (times `--scale`), `{fixed: N}` (whatever the scale), or so many per row of a parent table.",
        "rows: {per: tenants, count: {poisson: 24}}", True),
    Key("columns", "mapping from names to columns", "The columns, in order.", "columns: {id: {type: bigint, key: true}}", True),
    Key("key", "list of columns", "The primary key, where it has several columns; for one, `key: true` at the column.", "key: [order_id, line]"),
    Key("unique", "list of lists of columns", "Unique constraints, where they have several columns or a name.", "unique: [[tenant_id, email]]"),
    Key("foreign_keys", "list of foreign keys", "Foreign keys, where they have several columns or a name.",
        'foreign_keys: [{columns: [order_id, line], references: "order_lines(order_id, line)"}]'),
    Key("checks", "list of SQL, or mapping from names to SQL", "Check constraints: conditions over the columns of one row, in PostgreSQL's SQL.",
        "checks: {dates_in_order: starts_at < ends_at}"),
    Key("indexes", "list of lists of columns, or of indexes", "Indexes that are no constraints.", "indexes: [[tenant_id, created_at], {columns: [email], unique: true}]"),
    Key("rules", "list of SQL, or mapping from names to SQL",
        "Like checks, and over other tables too: paths along references, and sum, count, min, max and avg over rows that reference this one; "
        "`anchor()` is the data's now. Held when a bundle is built and verified; no part of the database.",
        'rules: {adds_up: total = sum(invoice_lines.amount), in_order: starts_at >= tenants.created_at}'),
    Key("correlate", "mapping with `columns` and `matrix`, or a list of such",
        "Rank correlations between columns made by distributions or `between`, each of which keeps its own distribution.",
        "correlate: {columns: [height, weight], matrix: [[1, 0.7], [0.7, 1]]}"),
    Key("comment", "text", "What the table holds; the database keeps it.", "comment: one row per order"),
    Key("locale", "locale, mapping from locales to weights, or a column that is a reference",
        "Instead of the schema's locales; a reference means the locale of the row that it references.", "locale: tenant_id"),
    Key("lives", "always, or mapping", "From when until when each row exists, for states as of a moment. Left out, from `created_at` or else the first column that is "
        "NOT NULL and made by `between` or `after`; a table without one, and any with `always`, has its rows as long as those that they must reference.",
        "lives: {from: created_at, until: deleted_at}"),
)  # fmt: skip

LIVES = (
    Key("from", "column", "The date or time at which a row begins to exist.", "lives: {from: signed_at}"),
    Key(
        "until",
        "column",
        "The date or time at which it is deleted, null for never. A bundle holds no row that is deleted before the anchor.",
        "lives: {from: created_at, until: deleted_at}",
    ),
)

ROWS = (
    Key("fixed", "whole number", "This many rows, whatever the scale.", "rows: {fixed: 5}"),
    Key("per", "table", "The parent table; this table should reference it.", "rows: {per: tenants, count: 3}"),
    Key("count", "distribution, or `cases`, `from` or `expression` over the parent row",
        "How many rows each row of the parent table has: drawn, or as columns of the parent row say (`{from: seats}`, `{by: plan, cases: ..., else: ...}`).",
        "rows: {per: tenants, count: {by: plan, cases: {free: {zipf: 1.3, max: 20}, pro: {uniform: [20, 50]}}, else: {from: seats}}}"),
    Key("total", "whole number", "What the counts sum to (times `--scale`), in proportion to `count`.", "rows: {per: tenants, count: {poisson: 24}, total: 5000}"),
    Key("mean", "number", "What the counts are on average, exactly: they sum to this times the number of parents, rounded.",
        "rows: {per: tenants, count: {zipf: 1.3, max: 90}, mean: 7.5}"),
)  # fmt: skip

CORRELATION = (
    Key("columns", "list of columns", "Columns of this table, and paths to columns of rows that it references, which stay as they are.", "columns: [seats, tenant_id.size]", True),
    Key("matrix", "list of rows of numbers from -1 to 1", "Spearman's rank correlation of each pair: symmetric, with ones on the diagonal, positive semi-definite.",
        "matrix: [[1, 0.6], [0.6, 1]]", True),
)  # fmt: skip

REFERENCE_OPTIONS = (
    Key("within", "column", "The referenced row shares a parent with this row: a column of this table that is part of another reference.",
        "assignee_id: {references: users.id, within: tenant_id}"),
    Key("acyclic", "true or false", "For references of a table to itself: no row is its own ancestor.", "manager_id: {references: users.id, acyclic: true, null: 0}"),
    Key("depth", "whole number above 0", "With `acyclic`: the most rows that any row has above it.", "manager_id: {references: users.id, acyclic: true, depth: 4, null: 0}"),
    Key("skew", "number above 0", "Some rows are referenced far more than others: the exponent of a zipf distribution.", "product_id: {references: products.id, skew: 1.1}"),
    Key("weight", "column", "Each row is referenced in proportion to a column of its own: whole numbers or numerics, 0 or above.",
        "product_id: {references: products.id, weight: stock}"),
    Key("present", "mapping with `at`", "The referenced row is one that is there at a time of this row, such as a person who had joined and not left.",
        "assignee_id: {references: users.id, within: tenant_id, present: {at: created_at, from: joined_at, until: left_at}}"),
    Key("other_than", "column", "The referenced row is another one than that of a column of this row, or of one that it references, which references the same key.",
        "followed_id: {references: users.id, other_than: follower_id}"),
    Key("greater_than", "column", "The referenced key is greater than that of a column of this table, which references the same key: each pair has one order.",
        "second_id: {references: users.id, greater_than: first_id}"),
)  # fmt: skip

PRESENT = (
    Key("at", "column", "The date or time of this row; where it is null, so is the reference.", "present: {at: created_at, from: joined_at, until: left_at}", True),
    Key("from", "column", "The date or time of the referenced row from which it is there; where it is null, it never is. Left out: always.",
        "present: {at: created_at, from: joined_at}"),
    Key("until", "column", "The date or time of the referenced row until which it is there; where it is null, for good.", "present: {at: created_at, until: left_at}"),
)  # fmt: skip

COLUMN = (
    Key("type", "type", "The SQL type; a column with `references` takes that of the column it references.", 'price: {type: "numeric(12,2)", generate: finance.price}'),
    Key("key", "true or false", "The column is the primary key, or part of it.", "id: {type: bigint, key: true}"),
    Key("null", "number from 0 to 1", "The column may be null, and this share of its values is. Left out, it is NOT NULL.", "phone: {type: text, null: 0.3, generate: phone.number}"),
    Key("unique", "true or false", "No two rows have the same value.", "email: {type: text, unique: true, generate: person.email}"),
    Key("check", "SQL, or a list of it", "Check constraints, as a column's own.", "age: {type: integer, check: age >= 18, generate: {uniform: [18, 90]}}"),
    Key("default", "SQL", "The default of the column in the database, which names no column; generated rows have values of their own.", "tags: {type: json, default: \"'[]'\", generate: {constant: []}}"),
    Key("identity", "true or false", "The database numbers new rows; the numbers go on after the largest generated one.", "id: {type: bigint, key: true, identity: true}"),
    Key("computed", "SQL", "The database computes the column from others; it is in no bundle.", 'gross: {type: "numeric(12,2)", computed: net * 1.19}'),
    Key("hidden", "true or false", "The column is made for other columns to use, and is in no bundle and no database.",
        "markup: {type: real, hidden: true, generate: {uniform: [0.1, 0.4]}}"),
    Key("ever", "true or false", "In a state as of a moment the column has its value of the whole history: for plans such as an expiry date, and for hidden columns from which "
        "lasting ones are made.", "expires_at: {type: timestamptz, ever: true, generate: {after: created_at, within: 1y, until: 1y}}"),
    Key("generate", "generator", "How values are made. A key needs none: integers count from 1, uuids are random.", "plan: {type: text, generate: {choice: {free: 60, pro: 30}}}"),
    Key("references", "table.column", "The column is a foreign key.", "tenant_id: {references: tenants.id}"),
    *REFERENCE_OPTIONS,
    Key("class", "public, internal, personal or sensitive", "The data class; left out, that of the generator or of the referenced column, else internal.",
        "salary: {type: integer, class: sensitive, generate: {normal: {mean: 60000, sd: 9000}}}"),
    Key("semantic", "semantic type", "What the values mean; left out, the generator's name where it is a semantic one.", "contact: {type: text, semantic: person.email, generate: internet.email}"),
    Key("comment", "text", "What the column holds; the database keeps it.", "net: {type: integer, comment: in cents, generate: {uniform: [1, 999]}}"),
)  # fmt: skip

FOREIGN_KEY = (
    Key("columns", "list of columns", "Columns of this table.", "columns: [order_id, line]", True),
    Key("references", "table(column, ...)", "The table and as many columns of it, which are its key or unique together.", 'references: "order_lines(order_id, line)"', True),
    Key("name", "name", "The name of the constraint.", "name: fk_order_lines"),
    *REFERENCE_OPTIONS,
)  # fmt: skip

TARGET = (
    Key("table", "table", "The referenced table.", "table: order_lines", True),
    Key("columns", "list of columns", "Its columns.", "columns: [order_id, line]", True),
)

UNIQUE = (
    Key("columns", "list of columns", "Columns whose values together do not repeat.", "columns: [tenant_id, email]", True),
    Key("name", "name", "The name of the constraint.", "name: one_email_per_tenant"),
)

INDEX = (
    Key("columns", "list of columns", "The columns, most significant first.", "columns: [tenant_id, created_at]", True),
    Key("name", "name", "The name of the index.", "name: by_age"),
    Key("unique", "true or false", "No two rows have the same values.", "unique: true"),
)

PRIVACY = (
    Key("unit", "table.column", "A key or unique column, such as that of the users.", "unit: users.id", True),
    Key("public", "list of tables", "Tables with nothing of anybody in them.", "public: [plans, features]"),
    Key("through", "mapping from tables to columns", "Which reference of a table leads to the unit, where several do.", "through: {messages: sender_id}"),
    Key("columns", "mapping from table.column to `bounds` or `values`", "Between which bounds values count in sums, or all the values there are.",
        "columns: {orders.total: {bounds: [0, 10000]}, users.country: {values: [DE, FR]}}"),
    Key("contributions", "mapping from tables to whole numbers", "The most rows that one unit has in a table; more do not count.", "contributions: {orders: 50}"),
    Key("groups", "whole number", "The most groups of a query that one unit counts in.", "groups: 5"),
    Key("budget", "mapping with `epsilon`", "The most that may be spent on one release of the data.", "budget: {epsilon: 3, delta: 1e-6}"),
)  # fmt: skip

PRIVACY_COLUMN = (
    Key("bounds", "list of two values", "Values below the first count as it, those above the second as that.", "bounds: [0, 10000]"),
    Key("values", "list of values", "All the values there are; rows with others are in no group.", "values: [DE, FR]"),
)

BUDGET = (
    Key("epsilon", "number above 0", "The epsilon of all queries together.", "epsilon: 3", True),
    Key("delta", "number from 0 to 1", "The delta of all queries together; 0 where it is left out.", "delta: 1e-6"),
    Key("analyst", "mapping with `epsilon`", "The most that each analyst may spend of it.", "analyst: {epsilon: 1}"),
)

SCENARIO_PART = (
    Key("set", "mapping from tables to changes", "Rows that are there and belong to the subject, and the columns that become another.",
        "set: {users: {columns: {status: {constant: locked}}}}"),
    Key("add", "mapping from tables to changes", "Further rows for the subject; columns that are not named are made as ever.",
        "add: {payments: {per: invoices, count: {uniform: [20, 60]}}}"),
)  # fmt: skip

SCENARIO = (
    Key("comment", "text", "What it plants.", "comment: a burst of small payments with many cards"),
    Key("subjects", "table", "The table whose rows it befalls.", "subjects: users", True),
    Key("where", "SQL", "Only rows for which this holds can be subjects.", "where: status = 'active'"),
    Key("share", "number from 0 to 1", "The share of the subjects. Left out, the scenario is there for `--scenario` to ask for.", "share: 0.002"),
    Key("near_miss", "number from 0 to 1", "The share of other subjects, which get what only looks alike.", "near_miss: 0.002"),
    Key("at", "generator", "The moment of an episode, from the subject's row; in the last 90 days where it is left out.", "at: {between: [-30d, now]}"),
    *SCENARIO_PART,
    Key("near", "mapping with `set` and `add`", "The same for near misses.", "near: {set: {users: {columns: {status: {constant: away}}}}}"),
)  # fmt: skip

SCENARIO_SET = (
    Key("where", "SQL", "Only rows for which this holds, as they are without scenarios.", "where: status = 'paid'"),
    Key("pick", "whole number above 0", "So many of them for each subject, by chance.", "pick: 1"),
    Key("phase", "text", "What the labels of these rows say.", "phase: onset"),
    Key("columns", "mapping from columns to generators", "How each is made; `was.status` is the value without scenarios.",
        "columns: {status: {constant: failed}}", True),
)  # fmt: skip

SCENARIO_ADD = (
    Key("per", "table, or `new` and a table", "The rows for which rows are added: the subject, unless given; those of a table that belong to the subject; or those that were added to it.",
        "per: new webhook_events"),
    Key("count", "distribution", "How many rows for each; one where it is left out.", "count: {uniform: [20, 60]}"),
    Key("where", "SQL", "Only those rows of `per` for which this holds.", "where: status = 'paid'"),
    Key("pick", "whole number above 0", "So many of them for each subject, by chance.", "pick: 1"),
    Key("phase", "text", "What the labels of these rows say.", "phase: onset"),
    Key("columns", "mapping from columns to generators", "How columns are made that are not as ever.", "columns: {amount: {uniform: [0.5, 2]}}"),
)  # fmt: skip

TYPE = (
    Key("enum", "list of values", "An enum type without a name.", "mood: {type: {enum: [happy, sad]}, generate: {choice: [happy, sad]}}"),
    Key("array", "type", "An array of a type that has no short name.", "moods: {type: {array: {enum: [happy, sad]}}, generate: {array: {choice: [happy, sad]}}}"),
)  # fmt: skip

MOST_ROWS = 10**12
LARGEST_SEED = 2**63 - 1


def names(keys: tuple[Key, ...]) -> tuple[str, ...]:
    """The names of keys, in the order in which files should have them."""
    return tuple(key.name for key in keys)
