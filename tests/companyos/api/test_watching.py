"""Health and figures."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from serving import Served, wanted
from yard import ALICE, BEGIN, BOB


def figures(served: Served) -> dict[tuple[str, ...], float]:
    text = served.client().get("/metrics").text
    return {
        (s.name, *(v for _, v in sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def test_a_service_is_alive_and_ready(served: Served) -> None:
    assert served.client().get("/healthz").json() == {"status": "alive"}
    assert served.client().get("/readyz").json() == {"status": "ready", "failing": []}


def test_a_service_without_its_control_database_is_alive_and_not_ready(served: Served) -> None:
    with served.yard.control.write() as connection:
        connection.exec_driver_sql("DROP TABLE sandboxes" + (" CASCADE" if connection.dialect.name == "postgresql" else ""))
    assert served.client().get("/healthz").status_code == 200
    answer = served.client().get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "failing": ["control"]})
    found = figures(served)
    assert found[("companyos_control_up",)] == 0
    assert ("companyos_sandboxes", "ready") not in found
    assert served.as_().get("/sandboxes").status_code == 503


def test_a_service_whose_host_fails_is_not_ready(served: Served, monkeypatch) -> None:
    from provisioning.errors import TargetFailure

    def fail(place):
        raise TargetFailure("gone")

    monkeypatch.setattr(served.yard.host, "marker", fail)
    assert served.client().get("/readyz").json()["failing"] == ["here"]


def test_figures_count_sandboxes_creates_requests_and_sweeps(served: Served) -> None:
    client = served.as_()
    id = client.post("/sandboxes", json=wanted()).json()["id"]
    client.post("/sandboxes", json=wanted(ttl_hours=80_000))
    client.post("/sandboxes", json=wanted(template="none"))
    client.get(f"/sandboxes/{id}")
    client.get("/made/up")
    before = figures(served)
    assert before[("companyos_sandboxes", "ready")] == 1
    assert before[("companyos_sandboxes", "failed")] == 0
    assert before[("companyos_sweep_ended_timestamp_seconds",)] == 0
    served.as_(BOB, "admin").post("/sweep", json={})
    found = figures(served)
    assert found[("companyos_sweep_ended_timestamp_seconds",)] == BEGIN.timestamp()
    assert found[("companyos_sweep_errors",)] == 0
    assert [found[("companyos_creates_total", o)] for o in ("made", "refused", "invalid")] == [1, 1, 1]
    assert found[("companyos_create_seconds_count",)] == 1
    assert found[("companyos_http_requests_total", "GET", "/sandboxes/{id}", "200")] == 1
    assert found[("companyos_http_requests_total", "GET", "other", "404")] == 1
    assert found[("companyos_http_requests_total", "POST", "/sandboxes", "201")] == 1


def test_no_figure_names_a_person_or_a_sandbox(served: Served) -> None:
    id = served.as_().post("/sandboxes", json=wanted()).json()["id"]
    served.as_().get(f"/sandboxes/{id}")
    text = served.client().get("/metrics").text
    assert ALICE not in text and "@" not in text and id not in text
