"""What a machine is asked to do (the scheduled step of a procedure), and what it says it did (MPPS)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from telemed.domain.errors import Conflict

# How an ordered step is named: its id, and the study UID given with it.
StepKey = tuple[str, str]


class StepState(StrEnum):
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    DISCONTINUED = "discontinued"


@dataclass(eq=False, kw_only=True)
class ScheduledStep:
    """One line of a modality worklist. Its study UID is given with the order: the study comes back under it."""

    uid: str
    procedure_id: int
    institution_id: int
    consortium_id: int
    study_instance_uid: str
    # SH: at most 16 characters, unique within the institution.
    step_id: str
    modality: str
    scheduled_at: datetime
    # Empty: any station of the institution.
    station_ae_title: str = ""
    code_value: str = ""
    code_scheme: str = ""
    code_meaning: str = ""
    state: StepState = StepState.SCHEDULED
    # When a machine last said that it began.
    begun_at: datetime | None = None
    id: int = field(init=False)
    version: int = field(init=False)

    def move(self, performed: "PerformedState", at: datetime) -> None:
        """Follows the machine; what is completed stays completed (a second attempt may be discontinued)."""
        if self.state is StepState.COMPLETED:
            return
        if performed is PerformedState.IN_PROGRESS and self.state is not StepState.IN_PROGRESS:
            self.begun_at = at
        self.state = {
            PerformedState.IN_PROGRESS: StepState.IN_PROGRESS,
            PerformedState.COMPLETED: StepState.COMPLETED,
            PerformedState.DISCONTINUED: StepState.DISCONTINUED,
        }[performed]

    def reopen(self, study_instance_uid: str) -> None:
        """What was recorded under this step was somebody else's: its own patient is still to be examined.

        Under a new study UID, since the one given before names the other person's recordings.
        """
        self.study_instance_uid = study_instance_uid
        self.state = StepState.SCHEDULED


class PerformedState(StrEnum):
    """Performed Procedure Step Status (0040,0252), as it is written in DICOM."""

    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"


@dataclass(eq=False, kw_only=True)
class PerformedStep:
    """A Modality Performed Procedure Step, and the objects it says it made."""

    uid: str
    institution_id: int
    consortium_id: int
    device_id: int
    sop_instance_uid: str
    study_instance_uid: str
    state: PerformedState
    created_at: datetime
    ended_at: datetime | None = None
    step_id: int | None = None
    # SOP Instance UIDs of everything performed; what is promised is known only when the step has ended.
    promised: list[str] = field(default_factory=list)
    # Of what it said: times, station, modality; nothing of the patient.
    attributes: dict[str, Any] = field(default_factory=dict)
    id: int = field(init=False)
    version: int = field(init=False)

    def demand_open(self) -> None:
        if self.state is not PerformedState.IN_PROGRESS:
            raise Conflict("error.performed_step_ended")

    def end(self, state: PerformedState, at: datetime) -> None:
        self.demand_open()
        self.state, self.ended_at = state, at
