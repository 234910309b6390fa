"""What is to be made again; and how often, counted in the database: a row for each site, machine and reason."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, select, text

from telemed.adapters.db import tables as t
from telemed.adapters.db.direct import find_kept
from telemed.adapters.db.repositories import Repository
from telemed.application.ports.worklist import RepeatRate
from telemed.domain.case import Case

_C = t.reading_case.c


class SqlRepeats(Repository):
    def open_repeats(self, institution_id: int, patient_id: int, modality: str) -> Sequence[Case]:
        # Asked for every study that becomes whole.
        values = {"institution_id": institution_id, "patient_id": patient_id, "modality": modality}
        return find_kept(self._session, Case, _open_repeats(), values)

    def repeats_answered_by(self, study_id: int) -> Sequence[Case]:
        return self._all(Case, _C.repeat_answer_id == study_id, order=_C.id)

    def repeat_rates(self, consortium_id: int, since: datetime) -> Sequence[RepeatRate]:
        device = (
            select(func.max(t.stored_object.c.device_id))
            .where(t.stored_object.c.study_id == _C.study_id)
            .correlate(t.reading_case)
            .scalar_subquery()
        )
        each = (
            select(_C.institution_id, device.label("device_id"), _C.repeat_code)
            .where(_C.consortium_id == consortium_id, _C.arrived_at >= since)
            .subquery()
        )
        asked = func.sum(case((each.c.repeat_code != "", 1), else_=0))
        statement = (
            select(
                t.institution.c.name,
                func.coalesce(t.device.c.ae_title, ""),
                each.c.repeat_code,
                func.count(),
                asked,
            )
            .join(t.institution, t.institution.c.id == each.c.institution_id)
            .outerjoin(t.device, t.device.c.id == each.c.device_id)
            .group_by(t.institution.c.name, t.device.c.ae_title, each.c.repeat_code)
        )
        found: dict[tuple[str, str], RepeatRate] = {}
        for site, machine, code, exams, repeats in self._session.execute(statement):
            known = found.get((site, machine), RepeatRate(site=site, device=machine, exams=0, reasons={}))
            reasons = {**known.reasons, **({code: int(repeats)} if code else {})}
            found[site, machine] = RepeatRate(
                site=site, device=machine, exams=known.exams + int(exams), reasons=reasons
            )
        return [found[key] for key in sorted(found)]


@cache
def _open_repeats() -> Select[Any]:
    of_patient = (_C[name] == bindparam(name) for name in ("institution_id", "patient_id", "modality"))
    # Written out, so that SQLite sees that its partial index answers it.
    asked = (text(f"({t.IS_TO_REPEAT})"), _C.repeat_closed_at.is_(None))
    return select(t.reading_case).where(*asked, *of_patient).order_by(_C.id)
