"""What Prometheus scrapes: sandboxes by state, sweeps, creates, requests. No label names a person or a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from provisioning.life.health import Figures
from provisioning.life.scheduling import Scheduler
from schemas.errors import CompanyOSError

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The figures of one service; `figures` reads those that the control database holds."""

    def __init__(self, figures: Callable[[], Figures], scheduler: Scheduler | None = None) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(_Recorded(figures, scheduler))
        self.creates = Counter("companyos_creates", "Sandboxes asked for, by what became of it.", ["outcome"], registry=self.registry)
        self.create_seconds = Histogram(
            "companyos_create_seconds", "How long making a sandbox took.", buckets=_SECONDS, registry=self.registry
        )
        self.requests = Counter(
            "companyos_http_requests", "Requests, by method, route and status.", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "companyos_http_request_seconds", "How long requests took.", ["route"], buckets=_SECONDS, registry=self.registry
        )

    def exposition(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)


class _Recorded(Collector):
    """What is read at each scrape."""

    def __init__(self, figures: Callable[[], Figures], scheduler: Scheduler | None) -> None:
        self._figures = figures
        self._scheduler = scheduler

    def collect(self) -> Iterator[Metric]:
        try:
            found = self._figures()
        except CompanyOSError:
            found = None
        yield GaugeMetricFamily("companyos_control_up", "Whether the control database answers.", value=float(found is not None))
        if found is not None:
            states = GaugeMetricFamily("companyos_sandboxes", "Sandboxes by state.", labels=["state"])
            for state, count in found.by_state.items():
                states.add_metric([state], count)
            yield states
            yield _moment("companyos_sweep_began_timestamp_seconds", "When the last sweep began; 0: never.", found.sweep_began)
            yield _moment("companyos_sweep_ended_timestamp_seconds", "When the last sweep that ended did so; 0: never.", found.sweep_ended)
            yield GaugeMetricFamily("companyos_sweep_errors", "Errors of the last sweep that ended.", value=found.sweep_errors)
        if self._scheduler is not None:
            yield _moment(
                "companyos_scheduler_beat_timestamp_seconds", "When the scheduler last looked at the clock.", self._scheduler.beat_at
            )
            yield GaugeMetricFamily("companyos_scheduler_up", "Whether the scheduler runs.", value=float(not self._scheduler.died))
            yield CounterMetricFamily("companyos_scheduler_sweeps", "Sweeps of this scheduler.", value=self._scheduler.runs)
            yield CounterMetricFamily("companyos_scheduler_errors", "Errors of this scheduler.", value=self._scheduler.errors)


def _moment(name: str, text: str, when: datetime | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=0.0 if when is None else when.timestamp())
