"""`python -m bench.worklist_writer URL A_SECOND SECONDS`: new cases at a steady pace, an older one finished for each.

A process of its own, as the receiving door and the workers are. A line for each case once it is committed:
its uid and the instant.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import text

from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.uow import SqlUnitOfWorkFactory
from telemed.adapters.identity.here import PinyinReadings, RandomIdentifiers, SystemClock
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.residents import new_patient
from telemed.application.world import World
from telemed.domain.case import Case, CaseState
from telemed.domain.events import Kind
from telemed.domain.order import Order, OrderSource, Priority, Procedure
from telemed.domain.study import Study

_PLACE = {"institution_id": 10, "consortium_id": 1}
_KEPT_OPEN = 50


def main() -> int:
    url, pace, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    engine = make_engine(url)
    nothing = cast("Any", None)
    world = World(
        unit_of_work=SqlUnitOfWorkFactory(engine), clock=SystemClock(), identifiers=RandomIdentifiers(),
        spool=nothing, objects=nothing, analyser=nothing, renderer=nothing, passwords=nothing,
        names=PinyinReadings(), waker=nothing, secret_key=b"",
    )  # fmt: skip
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT count(*) FROM patient WHERE patient_id LIKE 'W%'"))
        first = int(rows.scalar_one()) + 1
    open_: deque[int] = deque()
    started = time.monotonic()
    for number in itertools.count():
        due = started + number / pace
        if due - started > seconds:
            break
        time.sleep(max(0.0, due - time.monotonic()))
        with world.unit_of_work() as uow:
            case = _arrive(world, uow, first + number)
            if len(open_) >= _KEPT_OPEN:
                _finish(world, uow, uow.cases.get(open_.popleft()))
            uow.commit()
        print(case.uid, time.time(), flush=True)
        open_.append(case.id)
    engine.dispose()
    return 0


def _arrive(world: World, uow: UnitOfWork, number: int) -> Case:
    now = datetime.now(UTC)
    uid = world.identifiers.uid
    patient = uow.patients.ensure(
        new_patient(world, **_PLACE, patient_id=f"W{number:08}", name="虚构新", sex="F", birth_date=None)
    )
    order = Order(
        uid=uid(), **_PLACE, accession_number=f"W{number:08}", patient_id=patient.id, source=OrderSource.API,
        priority=Priority.ROUTINE, clinical_history="头晕", created_at=now,
    )  # fmt: skip
    uow.orders.add(order)
    uow.flush()
    procedure = Procedure(
        uid=uid(), order_id=order.id, **_PLACE, modality="ECG", description="十二导联心电图"
    )
    uow.orders.add_procedure(procedure)
    uow.flush()
    study = uow.studies.ensure(
        Study(
            uid=uid(), **_PLACE, study_instance_uid=f"2.25.9{number:012}", patient_id=patient.id, modality="ECG",
            first_object_at=now, last_object_at=now, whole_at=now, procedure_id=procedure.id,
        )
    )  # fmt: skip
    case = Case(
        uid=uid(), **_PLACE, reporting_institution_id=2, reading_group_id=None, study_id=study.id,
        procedure_id=procedure.id, patient_id=patient.id, modality="ECG", priority=Priority.ROUTINE,
        effective_priority=Priority(number % 3), deadline=now + timedelta(minutes=30), arrived_at=now,
    )  # fmt: skip
    uow.cases.add(case)
    uow.flush()
    record(world, uow, Kind.CASE_ROUTED, case=case)
    return case


def _finish(world: World, uow: UnitOfWork, case: Case) -> None:
    case.state = CaseState.FINAL
    record(world, uow, Kind.REPORT_FINAL, case=case)


if __name__ == "__main__":
    sys.exit(main())
