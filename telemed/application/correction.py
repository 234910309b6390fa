"""One person's decision that recordings are of somebody else, and what came of it."""

from dataclasses import dataclass
from typing import Any

from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.correction import Reassignment
from telemed.domain.events import Kind
from telemed.domain.resident import Patient
from telemed.domain.study import Study


@dataclass
class Outcome:
    """Where it is now, and what followed. `changed` is False where it had been done before."""

    study: Study
    patient: Patient
    changed: bool = True
    case_uid: str = ""
    withdrawn: int = 0
    told: int = 0


@dataclass(frozen=True, kw_only=True)
class Correction:
    """Made in one transaction, by one person, for one reason: what is in `study` is of `target`."""

    world: World
    uow: UnitOfWork
    actor: Actor
    study: Study
    target: Patient
    reason: str
    # An order of the right person; without one the study makes one of its own.
    accession: str = ""

    def before(self) -> Patient:
        """Whose the study is as long as it has not been moved."""
        return self.uow.patients.get(self.study.patient_id)

    def remember(
        self,
        before: Patient,
        *,
        now_in: Study | None = None,
        object_id: int | None = None,
        received_as: str = "",
    ) -> None:
        """`now_in`: the study it is in from now on, where that is another; `object_id`: a single recording."""
        self.uow.corrections.add(
            Reassignment(
                uid=self.world.identifiers.uid(),
                institution_id=self.study.institution_id,
                consortium_id=self.study.consortium_id,
                from_study_id=self.study.id,
                study_id=(now_in or self.study).id,
                object_id=object_id,
                from_patient_id=before.id,
                to_patient_id=self.target.id,
                received_as=received_as[:64],
                reason=self.reason,
                made_by=self.actor.user_id,
                made_at=self.world.clock.now(),
            )
        )

    def record(
        self, kind: Kind, *, study: Study | None = None, case: Case | None = None, **facts: Any
    ) -> None:
        """The event names who and why, and whose it is now."""
        facts |= {"to_patient": self.target.uid, "reason": self.reason}
        record(self.world, self.uow, kind, actor=self.actor, study=study or self.study, case=case, **facts)
