"""What a monitor watches, in Prometheus' text format. Counts and times only: nothing that names anyone."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telemed.application.monitor import Load
from telemed.web.guard import name_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STREAM = "/api/v1/worklist/stream"


class Metrics:
    """One registry per application, so that two in one process do not count for each other."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("telemed_http_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram(
            "telemed_http_request_seconds", "Time to answer", ("route",), registry=self.registry
        )
        self.streams = self._gauge("telemed_worklist_streams", "Open live lists")
        self._due = self._gauge("telemed_jobs_due", "Jobs that wait for a worker")
        self._failed = self._gauge("telemed_jobs_failed", "Jobs given up after the last attempt")
        self._oldest = self._gauge("telemed_jobs_oldest_due_seconds", "How long the oldest due job waits")
        self._spooled = self._gauge("telemed_objects_in_spool", "Objects not yet in their final place")

    def _gauge(self, name: str, help_: str) -> Gauge:
        return Gauge(name, help_, registry=self.registry)

    def text(self, load: Load) -> bytes:
        self._due.set(load.jobs_due)
        self._failed.set(load.jobs_failed)
        self._oldest.set(load.oldest_due_seconds)
        self._spooled.set(load.objects_in_spool)
        return generate_latest(self.registry)


class Counted:
    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            route = name_of(scope)
            self.metrics.requests.labels(scope["method"], route, str(status)).inc()
            if route != _STREAM:
                self.metrics.seconds.labels(route).observe(time.perf_counter() - begun)
