"""The built-in company looks true to somebody who runs one: what belongs together fits together, in every table."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

import datagen
from datagen.rows import Rows

SCALE = 0.05
LATER = 2**62


@pytest.fixture(scope="module")
def company():
    source = datagen.source("companyos", scale=SCALE)
    with duckdb.connect() as connection:
        for table in source.schema.tables:
            connection.register(table.name, source.read(table.name).read_all())
        yield connection


ANCHOR = "TIMESTAMPTZ '2026-01-01 00:00:00+00'"

# who did what, and when
DEEDS = [
    ("sessions", "user_id", "started_at"),
    ("workflows", "owner_id", "created_at"),
    ("workflow_runs", "started_by", "started_at"),
    ("approvals", "approver_id", "requested_at"),
    ("approvals", "approver_id", "decided_at"),
    ("audit_events", "actor_id", "occurred_at"),
    ("api_keys", "created_by", "created_at"),
    ("support_tickets", "requester_id", "created_at"),
]

# what ends with the subscription
OF_TENANTS = [
    *((table, time) for table, _, time in DEEDS if table != "sessions"),
    ("api_keys", "last_used_at"),
    ("users", "created_at"),
    ("tenant_feature_flags", "updated_at"),
    ("webhook_endpoints", "created_at"),
]

# whose `name` of a row is not that of a row of the same tenant
NAMED = """n WHERE NOT EXISTS (
    FROM (SELECT tenant_id, 'users/' || id AS name FROM users UNION ALL SELECT tenant_id, 'workflows/' || id FROM workflows
          UNION ALL SELECT tenant_id, 'invoices/' || id FROM invoices UNION ALL SELECT id, 'tenants/' || id FROM tenants) r
    WHERE r.name = n.name AND r.tenant_id = n.tenant_id)"""

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
    "an attempt to collect before the one that it repeats": (
        "FROM payments a JOIN payments b ON b.invoice_id = a.invoice_id AND b.attempt = a.attempt + 1 WHERE b.created_at <= a.created_at"
    ),
    "an invoice of yesterday that nobody tried to collect": (
        f"FROM invoices i WHERE issued_at < {ANCHOR} - INTERVAL '1 day' AND NOT EXISTS (FROM payments p WHERE p.invoice_id = i.id)"
    ),
    "a paid invoice that was not collected once": (
        "FROM invoices i WHERE status = 'paid' AND (SELECT count(*) FROM payments p WHERE p.invoice_id = i.id AND p.status = 'succeeded') <> 1"
    ),
    "an approval by somebody who may not approve": "FROM approvals JOIN memberships ON user_id = approver_id WHERE role_id > 3",
    "a key made by somebody who only works or looks": "FROM api_keys JOIN memberships ON user_id = created_by WHERE role_id > 3",
    "a workflow or a run of somebody who only looks": (
        "FROM (SELECT owner_id AS person FROM workflows UNION ALL SELECT started_by FROM workflow_runs) JOIN memberships ON user_id = person "
        "WHERE role_id = 5"
    ),
    "a person who acts before having a role": "FROM sessions JOIN memberships USING (user_id) WHERE started_at < granted_at",
    "an event given up before the sixth attempt": (
        "FROM webhook_events e WHERE attempts < 6 AND NOT EXISTS (FROM webhook_deliveries d WHERE d.event_id = e.id AND delivered) "
        f"AND e.created_at < {ANCHOR} - INTERVAL '9 hours'"
    ),
    "an act in the log that the role of its actor does not allow": (
        "FROM audit_events JOIN memberships ON user_id = actor_id "
        "WHERE (action IN ('role.granted', 'user.invited', 'settings.changed') AND role_id > 2) OR (action = 'api_key.created' AND role_id > 3) "
        "OR (action IN ('run.started', 'workflow.updated') AND role_id = 5)"
    ),
    "a workflow named by the clock that does not follow it, or the other way": (
        "FROM workflows WHERE regexp_matches(name, '^(Daily|Weekly|Monthly|Quarterly) ') <> (trigger = 'schedule')"
    ),
    "a quarterly workflow that runs more often": (
        "FROM workflows w WHERE name LIKE 'Quarterly %' AND (SELECT count(*) FROM workflow_runs r WHERE r.workflow_id = w.id) "
        f"> 4 * date_diff('day', created_at, {ANCHOR}) / 365.0"
    ),
    "a ticket on a fault that cannot be there": (
        "FROM support_tickets WHERE subject LIKE '% on the invoice%' AND subject NOT LIKE 'Wrong %'"
    ),
    "a workflow that runs on at a company that left": (
        "FROM workflows w JOIN subscriptions s USING (tenant_id) WHERE s.status = 'canceled' AND w.status = 'active'"
    ),
    "a seat paid that was not bought": (
        "FROM invoice_lines l JOIN invoices i ON i.id = invoice_id JOIN subscriptions s ON s.id = subscription_id "
        "WHERE line_no = 1 AND l.quantity > s.seats"
    ),
    "somebody but who owns the account without a manager, or the reverse": (
        "FROM users JOIN memberships ON user_id = users.id WHERE (manager_id IS NULL) <> (role_id = 1)"
    ),
    "a manager at another company": "FROM users u JOIN users m ON m.id = u.manager_id WHERE m.tenant_id <> u.tenant_id",
    "somebody four levels or more below the owner": (
        "FROM users u JOIN users a ON a.id = u.manager_id JOIN users b ON b.id = a.manager_id JOIN users c ON c.id = b.manager_id "
        "WHERE c.manager_id IS NOT NULL"
    ),
    "a head of another department": "FROM users WHERE job_title LIKE 'Head of %' AND job_title <> 'Head of ' || department",
    "a browser that was not out yet": (
        "FROM (SELECT started_at, CAST(regexp_extract(user_agent, 'Chrome/([0-9]+)', 1) AS INTEGER) AS version FROM sessions WHERE user_agent LIKE '%Chrome%') "
        "WHERE (version >= 100 AND started_at < TIMESTAMPTZ '2022-02-01 00:00:00+00') OR (version >= 120 AND started_at < TIMESTAMPTZ '2023-10-01 00:00:00+00')"
    ),
    "an act on a workflow of others, or before there was one": (
        "FROM audit_events e JOIN workflows w ON w.id = workflow_id WHERE w.tenant_id <> e.tenant_id OR w.created_at > occurred_at"
    ),
    "an act on a workflow that names none, or the reverse": (
        "FROM audit_events WHERE (workflow_id IS NOT NULL) <> (action IN ('run.started', 'workflow.updated'))"
    ),
    "an act on nothing that is there": f"FROM (SELECT tenant_id, target AS name FROM audit_events) {NAMED}",
    "an event of nothing that is there": (
        "FROM (SELECT tenant_id, replace(replace(replace(payload ->> 'object', 'inv_', 'invoices/'), 'usr_', 'users/'), 'wf_', 'workflows/') AS name "
        "FROM webhook_events JOIN webhook_endpoints w ON w.id = endpoint_id) " + NAMED
    ),
    "an event of a paid invoice half a year before or after it": (
        "FROM webhook_events e JOIN invoices i ON 'inv_' || i.id = payload ->> 'object' "
        "JOIN subscriptions s ON s.id = subscription_id WHERE e.created_at > s.started_on "
        "AND (s.canceled_on IS NULL OR e.created_at < s.canceled_on) AND abs(date_diff('day', issued_at, e.created_at)) > 180"
    ),
    "a question that cannot wait": "FROM support_tickets WHERE priority = 'urgent' AND subject LIKE '%?'",
    "a browser from another time": "FROM sessions WHERE user_agent SIMILAR TO '.*(MSIE|Windows NT [1-6][.]|PPC|Presto).*'",
    "an endpoint that wants an event twice": "FROM webhook_endpoints WHERE len(events) <> len(list_distinct(events))",
    "a key with a scope twice": "FROM api_keys WHERE len(scopes) <> len(list_distinct(scopes))",
    "digits of a card that paid nothing": "FROM payments WHERE (method = 'card') <> (card_last4 IS NOT NULL)",
    "an attempt to collect before the one before": (
        "FROM (SELECT created_at, lag(created_at) OVER (PARTITION BY invoice_id ORDER BY attempt) AS before FROM payments) WHERE created_at < before"
    ),
    "a run of a draft": "FROM workflow_runs JOIN workflows w ON w.id = workflow_id WHERE w.status = 'draft'",
    "a run before its workflow": "FROM workflow_runs r JOIN workflows w ON w.id = workflow_id WHERE r.started_at < w.created_at",
    "a run by hand that nobody started, or one by the clock that somebody did": (
        "FROM workflow_runs JOIN workflows w ON w.id = workflow_id WHERE (w.trigger IN ('manual', 'form')) <> (started_by IS NOT NULL)"
    ),
    "a run that ended before all was approved": (
        "FROM approvals a JOIN workflow_runs r ON r.id = run_id WHERE finished_at < decided_at OR (a.status = 'pending' AND finished_at IS NOT NULL)"
    ),
    "a run that succeeded though it was refused": (
        "FROM approvals a JOIN workflow_runs r ON r.id = run_id WHERE r.status = 'succeeded' AND a.status IN ('rejected', 'expired')"
    ),
    "a run with more or fewer approvals than steps that ask": (
        "FROM workflow_runs r WHERE (SELECT count(*) FROM approvals WHERE run_id = r.id) "
        "<> (SELECT count(*) FROM workflow_steps s WHERE s.workflow_id = r.workflow_id AND kind = 'approval')"
    ),
    "a remark on what is not decided": "FROM approvals WHERE comment IS NOT NULL AND status NOT IN ('approved', 'rejected')",
    "a domain that does not follow the name": (
        "FROM tenants WHERE domain <> lower(split_part(name, ' ', 1) || '-' || split_part(name, ' ', 2)) || '.example'"
    ),
    "an address in another domain than the company's": (
        "FROM users JOIN tenants t ON t.id = tenant_id WHERE split_part(users.email, '@', 2) <> t.domain"
    ),
    "a legal form of another country": (
        "FROM tenants WHERE (country <> 'DE' AND regexp_matches(name, ' (GmbH|AG|KG)$')) OR (country <> 'GB' AND regexp_matches(name, ' (Ltd|PLC|LLP)$')) "
        "OR (country <> 'US' AND regexp_matches(name, ' (Inc\\.|LLC|Corp\\.|Co\\.)$'))"
    ),
    "a tenant with no owner, or several": (
        "FROM (SELECT count(*) FILTER (role_id = 1) AS owners FROM memberships JOIN users u ON u.id = user_id GROUP BY u.tenant_id) WHERE owners <> 1"
    ),
    "a password before the invitation is accepted": "FROM users WHERE status = 'invited' AND password_hash IS NOT NULL",
    "somebody active at a company that canceled": (
        "FROM users u JOIN subscriptions s ON s.tenant_id = u.tenant_id WHERE s.status = 'canceled' AND u.status <> 'deactivated'"
    ),
    "more active people than seats": (
        "FROM subscriptions s WHERE seats < (SELECT count(*) FROM users u WHERE u.tenant_id = s.tenant_id AND u.status = 'active')"
    ),
    "a session that never ends": f"FROM sessions WHERE ended_at IS NULL AND started_at < {ANCHOR} - INTERVAL 12 HOURS",
    "a key used after it was revoked": "FROM api_keys WHERE last_used_at > revoked_at",
    "a flag of a tenant before there was the flag": (
        "FROM tenant_feature_flags t JOIN feature_flags f ON f.id = flag_id WHERE t.updated_at < f.created_at"
    ),
    "a direct debit where there is none": (
        "FROM payments JOIN invoices i ON i.id = invoice_id JOIN tenants t ON t.id = i.tenant_id WHERE method = 'sepa_debit' AND country NOT IN ('DE', 'FR')"
    ),
    "the same thing twice on an invoice": "FROM (SELECT 1 FROM invoice_lines GROUP BY invoice_id, description HAVING count(*) > 1)",
    "a paid invoice that the payments do not pay": (
        "FROM invoices i WHERE status = 'paid' AND total <> (SELECT sum(amount) FROM payments p WHERE p.invoice_id = i.id AND p.status = 'succeeded')"
    ),
    "a solved ticket that nobody answered": (
        "FROM support_tickets t WHERE solved_at IS NOT NULL "
        "AND NOT EXISTS (FROM ticket_messages m WHERE m.ticket_id = t.id AND author = 'agent' AND m.sent_at <= t.solved_at)"
    ),
    "a message after the ticket was solved": "FROM ticket_messages JOIN support_tickets t ON t.id = ticket_id WHERE sent_at > solved_at",
    "an answer to a ticket that is still new": "FROM ticket_messages JOIN support_tickets t ON t.id = ticket_id WHERE status = 'new' AND author = 'agent'",
    "a number to call that is none": "FROM ticket_messages WHERE body LIKE '% on .%'",
    "a login of the system": "FROM audit_events WHERE actor_id IS NULL AND (action LIKE '%login%' OR ip IS NOT NULL)",
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


def test_seats_are_taken_over_time(company):
    grown = """SELECT avg((last > first)::INT) FROM (
        SELECT min(quantity) AS first, max(quantity) AS last FROM invoice_lines JOIN invoices ON invoices.id = invoice_id
        WHERE line_no = 1 GROUP BY subscription_id HAVING count(*) > 3)"""
    assert company.execute(grown).fetchall()[0][0] > 0.8


@pytest.mark.parametrize("table", ["audit_events", "support_tickets", "workflows"])
def test_companies_with_more_people_do_more(company, table):
    together = f"""SELECT corr(ln(user_count), ln(1 + (SELECT count(*) FROM {table} d WHERE d.tenant_id = t.id))) FROM tenants t"""
    assert company.execute(together).fetchone()[0] > 0.5


def test_urgent_tickets_are_answered_and_solved_sooner_and_waiting_makes_unhappy(company):
    first = "(SELECT min(sent_at) FROM ticket_messages m WHERE m.ticket_id = t.id AND author = 'agent')"
    for until in (first, "solved_at"):
        query = f"SELECT priority, median({until} - created_at) FROM support_tickets t GROUP BY priority"
        waited = dict(company.execute(query).fetchall())
        assert waited["urgent"] < waited["high"] < min(waited["normal"], waited["low"])
    late = "SELECT corr(satisfaction, epoch(solved_at - created_at)), avg(satisfaction) FROM support_tickets"
    together, mean = company.execute(late).fetchone()
    assert together < -0.2
    assert 3.5 < mean < 4.5


def test_most_people_are_managed_within_their_department(company):
    query = "SELECT avg((u.department = m.department)::INT) FROM users u JOIN users m ON m.id = u.manager_id"
    assert company.execute(query).fetchone()[0] > 0.8


def test_most_tickets_have_a_subject_of_their_own(company):
    count, different = company.execute("SELECT count(*), count(DISTINCT subject) FROM support_tickets").fetchone()
    assert different > 0.75 * count


@pytest.mark.parametrize(("table", "at", "tenant"), [
    ("ticket_messages m JOIN support_tickets t ON t.id = ticket_id WHERE author = 'agent'", "sent_at", "t.tenant_id"),
    ("support_tickets t WHERE solved_at IS NOT NULL", "solved_at", "t.tenant_id"),
])  # fmt: skip
def test_tickets_are_answered_and_solved_by_day(company, table, at, tenant):
    zone = f"(SELECT timezone FROM tenants WHERE tenants.id = {tenant})"
    query = (
        f"SELECT avg((hour(l) BETWEEN 6 AND 20)::INT), avg((isodow(l) > 5)::INT) FROM (SELECT {at} AT TIME ZONE {zone} AS l FROM {table})"
    )
    by_day, at_weekends = company.execute(query).fetchone()
    assert by_day > 0.9
    assert at_weekends < 0.1


def test_browsers_become_newer(company):
    version = "CAST(regexp_extract(user_agent, 'Chrome/([0-9]+)', 1) AS INTEGER)"
    found = company.execute(f"SELECT corr(epoch(started_at), {version}) FROM sessions WHERE user_agent LIKE '%Chrome/%'").fetchone()
    assert found[0] > 0.95


def test_people_have_few_browsers(company):
    each = "SELECT count(DISTINCT regexp_replace(user_agent, '[0-9]+', '', 'g')) AS n FROM sessions GROUP BY user_id HAVING count(*) BETWEEN 20 AND 60"
    assert company.execute(f"SELECT quantile_disc(n, 0.9) FROM ({each})").fetchone()[0] <= 5


def test_departments_are_of_different_sizes(company):
    counts = dict(company.execute("SELECT department, count(*) FROM users GROUP BY ALL").fetchall())
    assert len(counts) == 16
    assert counts["Engineering"] > 4 * counts["Legal"]


def test_most_requests_in_the_log_are_quick_and_a_few_are_slow(company):
    of = "FROM (SELECT CAST(metadata ->> 'ms' AS INTEGER) AS ms FROM audit_events)"
    middle, late = company.execute(f"SELECT quantile_disc(ms, 0.5), quantile_disc(ms, 0.99) {of}").fetchone()
    assert late > 5 * middle


@pytest.mark.parametrize(("table", "person", "time"), DEEDS)
def test_nobody_does_anything_before_they_came_or_after_they_left(company, table, person, time):
    query = f"FROM {table} d JOIN users u ON u.id = d.{person} WHERE u.status = 'invited' OR d.{time} < u.created_at OR d.{time} > u.deactivated_at"
    assert company.execute(f"SELECT count(*) {query}").fetchone() == (0,)


@pytest.mark.parametrize(("table", "time"), OF_TENANTS)
def test_nothing_happens_at_a_company_that_canceled(company, table, time):
    query = f"FROM {table} d JOIN subscriptions s ON s.tenant_id = d.tenant_id WHERE d.{time} > s.canceled_on"
    assert company.execute(f"SELECT count(*) {query}").fetchone() == (0,)


@pytest.mark.parametrize(("table", "person"), sorted({(t, p) for t, p, _ in DEEDS if t != "sessions"}))
def test_people_act_at_their_own_company(company, table, person):
    query = f"FROM {table} d JOIN users u ON u.id = d.{person} WHERE u.tenant_id <> d.tenant_id"
    assert company.execute(f"SELECT count(*) {query}").fetchone() == (0,)


def test_nothing_lies_in_the_future(company):
    columns = company.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE data_type LIKE 'TIMESTAMP%' AND NOT internal"
    ).fetchall()
    assert len(columns) > 20
    later = [c for c in columns if company.execute(f"SELECT count(*) FROM {c[0]} WHERE {c[1]} > {ANCHOR}").fetchone() != (0,)]
    assert later == []


def test_runs_lie_where_their_workflow_was_active():
    """By the hidden columns of when workflows were published, stopped and resumed."""
    plan = datagen.source("companyos", scale=4 * SCALE).plan
    flows = Rows(plan.tables, "workflows", range(plan.row_count("workflows")))
    runs = Rows(plan.tables, "workflow_runs", range(plan.row_count("workflow_runs")))
    span = {
        name: np.array(flows.column(name).cast("int64").fill_null(LATER).to_numpy())
        for name in ("published_at", "stopped_at", "resumed_at")
    }
    flow, at = runs.links(("workflow_id",)), runs.column("started_at").cast("int64").to_numpy()
    first = (span["published_at"][flow] <= at) & (at <= span["stopped_at"][flow])
    assert (first | (span["resumed_at"][flow] <= at)).all()
    assert 0 < (~first).sum() < len(at) / 10


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
