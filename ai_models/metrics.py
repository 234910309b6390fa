"""What an engine counts, in Prometheus' text format: by model, version and class, never by request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from telemed.domain.analysis import ModelIdentity
from telemed.domain.inference import Urgency

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
IN_SERVICE = "telemed_inference_model"
ROWS = (1, 2, 4, 8, 16, 32)


class Metrics:
    """One registry per engine, so that two in one process do not count for each other."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._queued = self._histogram(
            "telemed_inference_queue_seconds", "Wait for a slot", ("model", "urgency"), SECONDS
        )
        self._run = self._histogram("telemed_inference_run_seconds", "One run", ("model",), SECONDS)
        self._rows = self._histogram("telemed_inference_batch_rows", "Rows of one run", ("model",), ROWS)
        self._refused = self._counter(
            "telemed_inference_refused", "Requests refused at once", ("model", "urgency", "reason")
        )
        self._failed = self._counter("telemed_inference_failed", "Runs that failed", ("model",))
        self._waiting = self._gauge("telemed_inference_waiting", "Requests in line", ("urgency",))
        self._running = self._gauge("telemed_inference_running", "Runs at this moment", ())
        self._info = self._gauge(
            IN_SERVICE,
            "1 for a model in service, 0 for one taken out",
            ("model", "version", "sha256", "precision", "provider", "runtime"),
        )

    def ran(self, model: str, rows: int, seconds: float) -> None:
        self._run.labels(model).observe(seconds)
        self._rows.labels(model).observe(rows)

    def queued(self, model: str, urgency: Urgency, seconds: float) -> None:
        self._queued.labels(model, urgency.value).observe(seconds)

    def refused(self, model: str, urgency: Urgency, reason: str) -> None:
        self._refused.labels(model, urgency.value, reason).inc()

    def failed(self, model: str) -> None:
        self._failed.labels(model).inc()

    def in_service(self, identity: ModelIdentity, well: bool) -> None:
        self._info.labels(*_labels(identity)).set(int(well))

    def gone(self, identity: ModelIdentity) -> None:
        """Its folder is no longer there: a monitor neither sees nor misses it."""
        self._info.remove(*_labels(identity))

    def watch(self, waiting: Callable[[], Mapping[Urgency, int]], running: Callable[[], int]) -> None:
        """Ask the scheduler whenever the numbers are read, instead of being told of every change."""
        for urgency in Urgency:
            self._waiting.labels(urgency.value).set_function(partial(_of, waiting, urgency))
        self._running.set_function(running)

    def text(self) -> bytes:
        """The page that a monitor reads."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)


# Of the gauges these add up over several engines; of any other state the least is the worst.
_ADDED = ("telemed_inference_waiting", "telemed_inference_running")


def joined(pages: Iterable[bytes]) -> bytes:
    """The pages of several engines as that of one: what was counted is added, of a state the worst is told."""
    families: dict[str, Metric] = {}
    values: dict[tuple[str, str, tuple[tuple[str, str], ...]], float] = {}
    for page in pages:
        for family in text_string_to_metric_families(page.decode()):
            families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            added = family.type != "gauge" or family.name in _ADDED
            for sample in family.samples:
                key = (family.name, sample.name, tuple(sample.labels.items()))
                known = values.get(key)
                both = sum if added else min
                values[key] = sample.value if known is None else both((known, sample.value))
    for (family_name, name, labels), value in values.items():
        families[family_name].add_sample(name, dict(labels), value)
    whole = CollectorRegistry()
    whole.register(_Collected(families.values()))
    return generate_latest(whole)


def states(page: bytes) -> dict[tuple[str, str], bool]:
    """Of each model by (name, version): is it in service wherever `page` was written."""
    # The few lines that tell it: a balancer asks every second.
    lines = (line for line in page.decode().splitlines() if line.startswith(f"{IN_SERVICE}{{"))
    found: dict[tuple[str, str], bool] = {}
    for family in text_string_to_metric_families("\n".join(lines) + "\n"):
        for sample in family.samples:
            key = (sample.labels["model"], sample.labels["version"])
            found[key] = found.get(key, True) and sample.value == 1
    return found


class _Collected(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _labels(identity: ModelIdentity) -> tuple[str, ...]:
    """In the order of the gauge's names."""
    return (
        identity.name,
        identity.version,
        identity.sha256,
        identity.precision,
        identity.provider,
        identity.runtime,
    )


def _of(waiting: Callable[[], Mapping[Urgency, int]], urgency: Urgency) -> float:
    return waiting()[urgency]
