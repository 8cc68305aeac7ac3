"""The ready scenarios of the built-in company: each plants what someone of the trade would recognise, and its near misses differ in
the one thing that matters."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import polars as pl
import pytest

import datagen
from schemas import read_schema
from schemas.ready_scenarios import known_scenarios
from tests.datagen.scenario_shop import frame

SHARES = {"account_takeover": 0.08, "permission_denials": 0.02, "dunning": 0.03, "webhook_failures": 0.2}
DAY = timedelta(days=1)


@cache
def planted(scenario: str) -> datagen.SyntheticSource:
    return datagen.source("companyos", scale=0.1, scenarios={scenario: SHARES.get(scenario, 0.2)})


def rows(scenario: str, table: str, role: str = "positive", **wanted: str) -> pl.DataFrame:
    """The labelled rows of a table with their labels."""
    source = planted(scenario)
    labels = frame(source, f"{scenario}_labels").drop("id").rename({"phase": "label_phase"})
    key = {f"{table}_{c}": c for c in source.schema.table(table).key}
    found = labels.filter(pl.col(next(iter(key))).is_not_null(), pl.col("role") == role, *(pl.col(n) == v for n, v in wanted.items()))
    joined = found.rename(key).join(frame(source, table), on=list(key.values()), how="inner")
    assert len(joined) == len(found) > 0
    return joined


def after(times: str) -> pl.Expr:
    return pl.col(times) - pl.col("happened_at")


def test_every_ready_scenario_is_tested_here():
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    for name in known_scenarios(read_schema("companyos")):
        assert any(t.startswith(name) for t in tested), name


def test_card_testing_is_a_burst_of_tiny_declined_payments_with_many_cards_and_then_a_large_charge():
    probing, charge = (rows("card_testing", "payments", label_phase=p) for p in ("probing", "charge"))
    by_episode = probing.group_by("episode").agg(pl.len(), pl.col("card_last4").n_unique().alias("cards"), pl.col("invoice_id").n_unique())
    assert by_episode["len"].is_between(20, 60).all()
    assert (by_episode["cards"] >= by_episode["len"] - 3).all()
    assert (by_episode["invoice_id"] == 1).all()
    assert probing["amount"].max() <= 2
    assert 0.85 < (probing["status"] == "failed").mean() < 1
    assert probing.select(after("created_at").max()).item() < timedelta(minutes=13)
    assert probing.sort("episode", "attempt").group_by("episode").agg(pl.col("created_at").diff().min() > pl.duration())["created_at"].all()
    assert set(charge["episode"]) == set(probing["episode"])
    assert charge["amount"].min() >= 400
    assert (charge["status"] == "succeeded").all()
    both = probing.group_by("episode").agg(pl.col("created_at").max().alias("last")).join(charge, on="episode")
    assert (both["created_at"] > both["last"]).all()
    near = rows("card_testing", "payments", "near_miss")
    same = near.group_by("episode").agg(pl.len(), pl.col("card_last4").n_unique())
    assert (same["card_last4"] == 1).all()
    assert same["len"].is_between(20, 60).all()
    assert near["amount"].max() <= 2


def test_account_takeover_is_a_login_then_new_credentials_then_exports_from_one_address():
    events = rows("account_takeover", "audit_events").sort("occurred_at")
    assert (events["actor_id"] == events["subject_id"]).all()
    network = pl.col("ip").str.extract(r"^(.*)\.")
    usual = (
        frame(planted("account_takeover"), "sessions").group_by("user_id").agg(network.mode().first().alias("usual"), pl.len().alias("of"))
    )
    known = events.join(usual.filter(pl.col("of") > 20), left_on="actor_id", right_on="user_id")
    assert len(known) > 30
    assert known.select((network != pl.col("usual")).all()).item()
    holders = rows("account_takeover", "api_keys").join(
        frame(planted("account_takeover"), "memberships"), left_on="created_by", right_on="user_id"
    )
    assert (holders["role_id"] < 4).all()
    sessions = rows("account_takeover", "sessions")
    for _, episode in events.group_by("episode"):
        assert episode["ip"].n_unique() == 1
        assert episode["ip"][0] in sessions.filter(pl.col("episode") == episode["episode"][0])["ip"].to_list()
        actions = episode["action"].to_list()
        assert actions[:4] == ["user.login", "user.password_changed", "user.email_changed", "api_key.created"]
        assert set(actions[4:]) == {"export.created"}
        assert 5 <= len(actions[4:]) <= 15
    sessions, keys = rows("account_takeover", "sessions"), rows("account_takeover", "api_keys")
    assert (sessions["started_at"] == sessions["happened_at"]).all()
    assert (sessions["user_id"] == sessions["subject_id"]).all()
    assert (keys["created_by"] == keys["subject_id"]).all()
    assert keys.select((after("created_at") == timedelta(minutes=12)).all()).item()
    changed, bare = rows("account_takeover", "users"), frame(datagen.source("companyos", scale=0.1), "users")
    before = changed.join(bare, on="id", suffix="_before")
    assert (before["password_hash"] != before["password_hash_before"]).all()
    assert (before["email"] == before["email_before"]).all()
    near = rows("account_takeover", "audit_events", "near_miss").sort("occurred_at")
    assert {tuple(e["action"]) for _, e in near.group_by("episode", maintain_order=True)} == {("user.login", "user.password_changed")}


def test_refund_loop_is_refund_after_refund_in_full_within_minutes():
    for role in ("positive", "near_miss"):
        found = rows("refund_loop", "refunds", role).join(frame(planted("refund_loop"), "payments"), left_on="payment_id", right_on="id")
        share, wait = found["amount"].cast(float) / found["amount_right"].cast(float), found["requested_at"] - found["created_at"]
        assert (found["status"] == "refunded").all()
        assert (found["refunded"] == found["amount"]).all()
        if role == "positive":
            assert (found["amount"] == found["amount_right"]).all()
            assert wait.max() <= timedelta(minutes=20)
            assert found.group_by("episode").len()["len"].max() == 6
        else:
            assert share.is_between(0.2, 0.3).all()
            assert wait.min() >= timedelta(days=10)


@pytest.mark.parametrize(("role", "status"), [("positive", "succeeded"), ("near_miss", "failed")])
def test_double_billing_charges_a_paid_invoice_twice_and_its_near_miss_is_declined(role, status):
    source = planted("double_billing")
    second = rows("double_billing", "payments", role)
    assert (second["status"] == status).all()
    first = frame(source, "payments").filter(pl.col("status") == "succeeded", ~pl.col("id").is_in(second["id"].implode()))
    pairs = second.join(first, on="invoice_id", suffix="_first")
    assert len(pairs) == len(second)
    assert (pairs["amount"] == pairs["amount_first"]).all()
    wait = pairs["created_at"] - pairs["created_at_first"]
    assert timedelta(seconds=20) <= wait.min()
    assert wait.max() <= timedelta(minutes=4)


def test_proration_noise_is_small_lines_for_time_and_totals_follow():
    source = planted("proration_noise")
    lines, near = (rows("proration_noise", "invoice_lines", role) for role in ("positive", "near_miss"))
    assert lines["description"].str.contains("ime on (Starter|Team|Business|Enterprise)").all()
    plans = frame(source, "subscriptions").join(frame(source, "plans"), left_on="plan_id", right_on="id").select("tenant_id", "name")
    own = lines.join(plans, left_on="subject_id", right_on="tenant_id")
    assert own.select((pl.col("description").str.extract("on ([A-Za-z]+)") == pl.col("name")).all()).item()
    assert not near["description"].str.contains("ime on").any()
    for found in (lines, near):
        assert found["amount"].cast(float).is_between(0.01, 9.99).all()
        assert (found["line_no"] > 1).all()
        assert found.group_by("invoice_id").len()["len"].is_between(2, 6).all()
    totals = frame(source, "invoice_lines").group_by("invoice_id").agg(pl.col("amount").sum())
    joined = frame(source, "invoices").join(totals, left_on="id", right_on="invoice_id")
    assert (joined["subtotal"] == joined["amount"]).all()


def test_dunning_waits_longer_each_time_until_the_invoice_is_paid_or_void():
    invoices = frame(planted("dunning"), "invoices").select("id", invoice_status="status", paid="paid_at")
    gaps = {}
    for role in ("positive", "near_miss"):
        tries = rows("dunning", "payments", role).join(invoices, left_on="invoice_id", right_on="id").sort("invoice_id", "attempt")
        last = tries.group_by("invoice_id", maintain_order=True).last()
        assert ((last["status"] == "succeeded") == (last["invoice_status"] == "paid")).all()
        paid = last.filter(pl.col("invoice_status") == "paid")
        assert (paid["created_at"] == paid["paid"]).all()
        assert set(last["invoice_status"]) == ({"paid", "void"} if role == "positive" else {"paid"})
        assert (tries["status"] == "succeeded").sum() == len(paid)
        added = tries.filter(pl.col("change") == "added")
        gaps[role] = {
            tuple(times.diff().drop_nulls()) for times in added.group_by("invoice_id", maintain_order=True).agg("created_at")["created_at"]
        }
    assert gaps == {"positive": {(2 * DAY, 4 * DAY, 7 * DAY)}, "near_miss": {(timedelta(minutes=15),) * 3}}


def test_retry_storm_sends_each_event_six_times_within_seconds():
    events = frame(planted("retry_storm"), "webhook_events").select("id", created="created_at", counted="attempts")
    reach = {}
    for role in ("positive", "near_miss"):
        sent = rows("retry_storm", "webhook_deliveries", role).join(events, left_on="event_id", right_on="id")
        assert (sent["counted"] == 6).all()
        assert sent.group_by("event_id").len()["len"].unique().to_list() == [6]
        assert sent["delivered"].any() == (role == "near_miss")
        reach[role] = (sent["sent_at"] - sent["created"]).max()
        assert rows("retry_storm", "webhook_events", role).group_by("episode").len()["len"].is_between(15, 30).all()
    assert reach["positive"] == timedelta(seconds=11)
    assert reach["near_miss"] >= timedelta(hours=2)


def test_webhook_failures_let_nothing_through_from_a_moment_on():
    events = frame(planted("webhook_failures"), "webhook_events").select("id", "endpoint_id", created="created_at")
    down = rows("webhook_failures", "webhook_deliveries").join(events, left_on="event_id", right_on="id")
    assert not down["delivered"].any()
    assert set(down["status_code"]) == {404, 410, 502}
    assert (down["created"] >= down["happened_at"]).all()
    whole = frame(planted("webhook_failures"), "webhook_deliveries").join(events, left_on="event_id", right_on="id")
    later = whole.join(down.select("endpoint_id", "happened_at").unique(), on="endpoint_id").filter(
        pl.col("created") >= pl.col("happened_at")
    )
    assert len(later) == len(down)
    slow = rows("webhook_failures", "webhook_deliveries", "near_miss")
    assert slow["duration_ms"].min() >= 20_000
    assert slow["delivered"].mean() > 0.5


def test_permission_denials_come_in_half_an_hour_and_near_misses_over_months():
    spread = {}
    for role in ("positive", "near_miss"):
        found = rows("permission_denials", "audit_events", role)
        assert (found["action"] == "permission.denied").all()
        assert (found["actor_id"] == found["subject_id"]).all()
        episodes = found.group_by("episode").agg(pl.len(), after("occurred_at").max().alias("last"))
        assert episodes["len"].is_between(8, 25).all()
        spread[role] = episodes["last"]
    assert spread["positive"].max() <= timedelta(minutes=30)
    assert spread["near_miss"].min() > timedelta(days=7)


def test_churn_wave_cancels_within_days_and_near_misses_stay():
    source = planted("churn_wave")
    gone = rows("churn_wave", "subscriptions")
    assert (gone["status"] == "canceled").all()
    assert (gone["canceled_on"] == gone["happened_at"].dt.date()).all()
    assert gone["happened_at"].max() - gone["happened_at"].min() <= timedelta(days=3)
    users = frame(source, "users").filter(pl.col("tenant_id").is_in(gone["tenant_id"].implode()))
    late = pl.col("created_at") > gone["happened_at"].min()
    assert set(users.filter(~late)["status"]) <= {"deactivated", "invited"}
    assert frame(source, "api_keys").filter(pl.col("tenant_id").is_in(gone["tenant_id"].implode()), ~late)["revoked_at"].is_not_null().all()
    assert not frame(source, "webhook_endpoints").filter(pl.col("tenant_id").is_in(gone["tenant_id"].implode()), ~late)["active"].any()
    told = rows("churn_wave", "audit_events").sort("occurred_at").group_by("episode", maintain_order=True).agg("action")["action"].to_list()
    assert {tuple(a) for a in told} == {("price_change.viewed", "subscription.canceled")}
    stayed = rows("churn_wave", "audit_events", "near_miss")
    kept = frame(source, "subscriptions").filter(pl.col("tenant_id").is_in(stayed["subject_id"].implode()))
    assert kept["status"].is_in(["active", "past_due"]).all()
    assert kept["canceled_on"].is_null().all()


def test_incident_has_a_baseline_an_onset_and_a_recovery():
    errors, near = (
        rows("incident", "webhook_deliveries", role)
        .group_by("label_phase")
        .agg((~pl.col("delivered")).mean().alias("rate"), pl.col("duration_ms").median())
        for role in ("positive", "near_miss")
    )
    rate, slow = dict(errors.select("label_phase", "rate").iter_rows()), dict(errors.select("label_phase", "duration_ms").iter_rows())
    assert rate["baseline"] < 0.08 < rate["recovery"] < 0.5 < 0.7 < rate["onset"]
    assert slow["baseline"] < slow["recovery"] < slow["onset"]
    assert near["rate"].max() < 0.08
    times = (
        rows("incident", "webhook_events")
        .group_by("label_phase")
        .agg(pl.col("created_at").min().alias("first"), pl.col("created_at").max().alias("last"))
    )
    ordered = {name: (first, last) for name, first, last in times.iter_rows()}
    assert ordered["baseline"][1] <= ordered["onset"][0] < ordered["onset"][1] <= ordered["recovery"][0] < ordered["recovery"][1]
    assert rows("incident", "webhook_events")["happened_at"].n_unique() == 1


def test_data_quality_day_has_late_duplicated_and_swapped_events():
    source = planted("data_quality_day")
    events = frame(source, "webhook_events").select("id", created="created_at")
    sent = rows("data_quality_day", "webhook_deliveries").join(events, left_on="event_id", right_on="id").sort("event_id", "attempt")
    sent = sent.with_columns(lag=pl.col("sent_at") - pl.col("created"))
    late, twice, swapped = (sent.filter(pl.col("label_phase") == p) for p in ("late", "duplicated", "out_of_order"))
    assert late["lag"].min() >= timedelta(hours=6)
    assert twice.group_by("event_id").agg(pl.col("delivered").sum())["delivered"].unique().to_list() == [2]
    assert swapped.group_by("event_id", maintain_order=True).agg(pl.col("sent_at").diff().last() < pl.duration())["sent_at"].all()
    doubled = rows("data_quality_day", "audit_events").group_by("episode").agg(pl.len(), pl.col("occurred_at").n_unique())
    assert doubled.select("len", "occurred_at").unique().rows() == [(2, 1)]
    near = rows("data_quality_day", "webhook_deliveries", "near_miss").join(events, left_on="event_id", right_on="id")
    assert (near["delivered"] & (near["sent_at"] - near["created"] == timedelta(seconds=1))).all()
    assert near["event_id"].n_unique() == len(near)


def test_unicode_boundaries_hold_marks_directions_quotes_and_the_ends_of_types():
    names = "".join(rows("unicode_boundaries", "users")["name"])
    for mark in ("\u0308", "\u202e", "\u0645", "\u05d3", "\u200b", "\U0001f469", "');", '"', "=HYPERLINK", "\U00020bb7"):
        assert mark in names
    assert rows("unicode_boundaries", "support_tickets")["subject"].str.len_chars().min() > 1000
    lines = rows("unicode_boundaries", "invoice_lines")
    assert {float(p) for p in lines["unit_price"]} == {0.0, 0.01, 99999999.99}
    assert set(rows("unicode_boundaries", "webhook_deliveries")["duration_ms"]) == {1, 2**31 - 1}
    assert set(rows("unicode_boundaries", "users", "near_miss")["name"]) == {"Anne-Marie O'Brien", "José Muñoz", "Björn af Skåne"}
