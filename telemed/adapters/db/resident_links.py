"""Who stands under a resident, and what reached the resident's family doctors by that."""

from collections.abc import Sequence

from sqlalchemy import exists, or_, select

from telemed.adapters.db import tables as t
from telemed.adapters.db.repositories import Repository
from telemed.domain.case import Case
from telemed.domain.critical import CriticalState, CriticalValue
from telemed.domain.delivery import Delivery, RecipientKind
from telemed.domain.resident import Patient

_C, _D, _P, _V = t.reading_case.c, t.delivery.c, t.patient.c, t.critical_value.c


class SqlResidentLinks(Repository):
    def patient(self, institution_id: int, uid: str) -> Patient | None:
        return self._one(Patient, _P.uid == uid, _P.institution_id == institution_id)

    def patients_of(self, resident_id: int) -> Sequence[Patient]:
        return self._all(Patient, _P.resident_id == resident_id, order=_P.id)

    def cases_of(self, patient_ids: Sequence[int]) -> Sequence[Case]:
        return self._all(Case, _C.patient_id.in_(patient_ids), order=_C.id)

    def doctors_copies(self, patient_id: int) -> Sequence[Delivery]:
        cases = select(_C.id).where(_C.patient_id == patient_id)
        by_contract = _D.kind == RecipientKind.FAMILY_DOCTOR
        return self._all(
            Delivery, _D.case_id.in_(cases), by_contract, _D.taken_back_at.is_(None), order=_D.id
        )

    def critical_of(self, patient_id: int) -> Sequence[CriticalValue]:
        cases = select(_C.id).where(_C.patient_id == patient_id)
        stands = _V.state != CriticalState.WITHDRAWN
        return self._all(CriticalValue, _V.case_id.in_(cases), stands, order=_V.id)

    def in_use(self, resident_id: int) -> bool:
        by_patient = exists().where(_P.resident_id == resident_id)
        by_contract = exists().where(t.contract.c.resident_id == resident_id)
        return bool(self._session.execute(select(or_(by_patient, by_contract))).scalar_one())
