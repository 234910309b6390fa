"""A job that was given up is told to an administrator, who starts it again once its cause is mended."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from telemed.application.jobs import LAST_ATTEMPT, JobKind
from telemed.domain.errors import Unavailable
from telemed.domain.events import Kind
from tests.cast import Cast
from tests.integration.web.conftest import Program, Way


def fail(cast: Cast) -> None:
    """Until nobody tries any more."""
    for _ in range(LAST_ATTEMPT):
        cast.run_jobs()
        cast.clock.move(hours=2)


def told(admin: Program) -> list[Any]:
    rows = admin.get("/api/v1/notices")["notices"]
    return [one for one in rows if one["code"] == "notice.job_failed"]


def test_a_report_whose_delivery_was_given_up_arrives_when_it_is_started_again(
    app: FastAPI, cast: Cast, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    way.arrive()
    way.sign()
    way.approve()

    def away(*_: object) -> bytes:
        raise Unavailable("error.objects_unavailable")

    with monkeypatch.context() as outage:
        outage.setattr(cast.world.objects, "put", away)
        fail(cast)
        # The next day: who signed in before has to do so again.
        admin = Program(app, "admin")
        (first,) = told(admin)
        # Started again too early, it fails again, and somebody is told again.
        admin.post(f"/api/v1/admin/jobs/{first['id']}/run-again")
        assert told(admin) == []
        fail(cast)
    admin, technician = Program(app, "admin"), Program(app, "technician")
    (second,) = told(admin)
    assert second["id"] != first["id"]
    assert technician.get("/api/v1/inbox")["rows"] == []
    again = f"/api/v1/admin/jobs/{second['id']}/run-again"
    technician.post(again, expect=403)
    Program(app, "admin-b").post(again, expect=404)
    for _ in range(2):
        admin.post(again)
    cast.run_jobs()
    assert len(technician.get("/api/v1/inbox")["rows"]) == 1
    with cast.world.unit_of_work(write=False) as uow:
        assert (uow.jobs.failed(), uow.jobs.open_of(JobKind.DELIVER_REPORT)) == ([], 0)
        facts = [e.facts for e in uow.events.after(0, 10_000) if e.kind is Kind.JOB_STARTED_AGAIN]
    assert [one["job_kind"] for one in facts] == ["deliver_report"] * 2
    assert told(admin) == []
