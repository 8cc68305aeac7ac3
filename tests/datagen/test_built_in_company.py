"""The built-in company looks true to somebody who runs one: what belongs together fits together, in every table."""

from __future__ import annotations

import duckdb
import pytest

import datagen

SCALE = 0.05


@pytest.fixture(scope="module")
def company():
    source = datagen.source("companyos", scale=SCALE)
    with duckdb.connect() as connection:
        for table in source.schema.tables:
            connection.register(table.name, source.read(table.name).read_all())
        yield connection


NEVER = {
    "a message before the one that it answers": (
        "FROM (SELECT sent_at, lag(sent_at) OVER (PARTITION BY ticket_id ORDER BY position) AS before FROM ticket_messages) WHERE sent_at < before"
    ),
    "a ticket that opens without its first message": (
        "FROM ticket_messages m JOIN support_tickets t ON t.id = ticket_id WHERE position = 1 AND sent_at <> t.created_at"
    ),
    "an answer that nobody signed": "FROM ticket_messages WHERE body LIKE '%- , Support' OR body LIKE '%Regards, '",
    "an event that its endpoint does not want": (
        "FROM webhook_events e JOIN webhook_endpoints w ON w.id = endpoint_id WHERE NOT list_contains(w.events, e.type)"
    ),
    "an endpoint that wants an event twice": "FROM webhook_endpoints WHERE len(events) <> len(list_distinct(events))",
    "a key with a scope twice": "FROM api_keys WHERE len(scopes) <> len(list_distinct(scopes))",
    "digits of a card that paid nothing": "FROM payments WHERE (method = 'card') <> (card_last4 IS NOT NULL)",
    "an attempt to collect before the one before": (
        "FROM (SELECT created_at, lag(created_at) OVER (PARTITION BY invoice_id ORDER BY attempt) AS before FROM payments) WHERE created_at < before"
    ),
    "a session of somebody who never accepted the invitation": "FROM sessions JOIN users u ON u.id = user_id WHERE u.status = 'invited'",
    "a tenant with several tax rates": (
        "FROM (SELECT tenant_id FROM invoices GROUP BY tenant_id HAVING count(DISTINCT tax_rate) > 1)"
    ),
    "a German invoice at another rate": (
        "FROM invoices JOIN tenants t ON t.id = tenant_id WHERE country = 'DE' AND tax_rate <> 0.19"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", NEVER)
def test_there_is_never(company, what):
    assert company.execute(f"SELECT count(*) {NEVER[what]}").fetchone() == (0,)


@pytest.mark.parametrize(
    ("table", "time"),
    [
        ("sessions", "started_at"),
        ("workflow_runs", "started_at"),
        ("webhook_events", "created_at"),
        ("audit_events", "occurred_at"),
        ("support_tickets", "created_at"),
    ],
)
def test_what_is_new_has_done_less_so_far_so_that_activity_does_not_pile_up_at_the_end(company, table, time):
    """No month has more than a sixth of all that ever happened; with as many rows for young parents as for old ones, the last had 40 %."""
    query = f"SELECT max(n) / sum(n) FROM (SELECT count(*) AS n FROM {table} GROUP BY date_trunc('month', {time}))"
    assert company.execute(query).fetchone()[0] < 1 / 6
