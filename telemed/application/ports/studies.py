"""Studies as they were received, and as a township sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from telemed.application.ports.worklist import WorklistRow as WorklistRow
from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.order import Order
from telemed.domain.report import Report
from telemed.domain.resident import Patient
from telemed.domain.study import Series, StoredObject, Study


@dataclass(frozen=True, kw_only=True)
class StudyOverview:
    """One line of the township page and of `GET /api/v1/studies/{uid}`."""

    study: Study
    patient: Patient
    objects: int
    placed: int
    conflicts: int
    case: Case | None
    reader_name: str
    # The latest released version, whichever case of the study it belongs to.
    report: Report | None
    quality: tuple[str, ...]
    # None until the study found its order, or made one of its own.
    order: Order | None = None
    # The latest case of it that went back to be made again, and the study that came since.
    repeat: Case | None = None
    answer: Study | None = None
    exam: str = ""
    id_last4: str = ""


class Studies(Protocol):
    def get(self, study_id: int) -> Study: ...
    def by_instance_uid(self, institution_id: int, study_instance_uid: str) -> Study | None: ...
    def by_instance_uids(
        self, institution_id: int, study_instance_uids: Sequence[str]
    ) -> Sequence[Study]: ...
    def ensure(self, study: Study) -> Study: ...
    def ensure_all(self, studies: Sequence[Study]) -> Sequence[Study]:
        """The rows that now hold these UIDs, in no certain order."""

    def ensure_series(self, series: Series) -> Series: ...
    def ensure_series_all(self, series: Sequence[Series]) -> Sequence[Series]: ...
    def series(self, study_id: int) -> Sequence[Series]: ...
    def series_among(
        self, study_ids: Sequence[int], series_instance_uids: Sequence[str]
    ) -> Sequence[Series]: ...
    def objects(self, study_id: int, *, made: bool = False) -> Sequence[StoredObject]:
        """Primary objects in series and instance order; with `made` what models said of them too."""

    def made_of(self, study_id: int, sop_instance_uids: Sequence[str]) -> Sequence[StoredObject]:
        """What was made here of these objects of the study."""

    def held_under(self, institution_id: int, sop_instance_uid: str) -> Sequence[StoredObject]: ...
    def held_under_any(
        self, institution_id: int, sop_instance_uids: Sequence[str]
    ) -> Sequence[StoredObject]: ...
    def object(self, object_id: int) -> StoredObject: ...
    def add_object(self, stored: StoredObject) -> None: ...
    def all_objects(self, after_id: int, limit: int) -> Sequence[StoredObject]: ...
    def unplaced(self) -> int:
        """How many objects are not yet in their final place."""

    def visible_object(
        self, actor: Actor, sop_instance_uid: str, study_id: int | None = None
    ) -> StoredObject | None:
        """Of this study where one is named. Raises Conflict where several visible institutions use the UID."""

    def visible_study(self, actor: Actor, study_instance_uid: str) -> Study | None:
        """Raises Conflict where several visible institutions use the UID."""

    def exams(self, actor: Actor, since: datetime, limit: int) -> Sequence[StudyOverview]:
        """Own institution's studies by last arrival, newest first."""

    def repeats(self, actor: Actor, since: datetime, limit: int) -> Sequence[StudyOverview]:
        """Own institution's studies that are to be made again, whatever their age, or were settled since: the open
        ones first, of these the oldest request first."""

    def overview(self, actor: Actor, study_instance_uid: str) -> StudyOverview | None: ...
