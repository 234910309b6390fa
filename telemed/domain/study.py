"""Studies and their objects: what a newly arrived object is, and when a study is whole."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class StudyState(StrEnum):
    RECEIVING = "receiving"
    COMPLETE = "complete"


class ObjectRole(StrEnum):
    PRIMARY = "primary"
    # The same data set in another transfer syntax: kept beside the first.
    ALTERNATE = "alternate"
    # The same UID with other content: kept, shown to nobody, a person is told.
    CONFLICT = "conflict"
    # Made here from an answer of a model: found and fetched like the others, never one of the examination's.
    DERIVED = "derived"


# What those who query and fetch are shown.
SHOWN = (ObjectRole.PRIMARY, ObjectRole.DERIVED)


class Reception(StrEnum):
    NEW = "new"
    REPEAT = "repeat"
    ALTERNATE = "alternate"
    CONFLICT = "conflict"


@dataclass(eq=False, kw_only=True)
class Study:
    uid: str
    institution_id: int
    consortium_id: int
    study_instance_uid: str
    patient_id: int
    modality: str
    # Whose its objects say they are; empty as long as none has said it.
    patient_number: str = ""
    accession_number: str = ""
    description: str = ""
    body_part: str = ""
    # DICOM's own date and time, as received: no zone is invented for them.
    study_date: str = ""
    study_time: str = ""
    state: StudyState = StudyState.RECEIVING
    generation: int = 0
    object_count: int = 0
    first_object_at: datetime
    last_object_at: datetime
    whole_at: datetime | None
    procedure_id: int | None = None
    id: int = field(init=False)
    version: int = field(init=False)

    def extend(self, now: datetime, quiet_until: datetime) -> None:
        """One more object; a study already whole becomes open again until it is quiet."""
        self.object_count += 1
        self.last_object_at = max(self.last_object_at, now)
        self.whole_at = quiet_until
        self.state = StudyState.RECEIVING

    def shed(self, count: int) -> None:
        """So many of its objects were somebody else's: it is another study than the one that was shown."""
        self.object_count -= count
        self.generation += 1

    def complete(self) -> None:
        self.state = StudyState.COMPLETE
        self.whole_at = None
        self.generation += 1


@dataclass(eq=False, kw_only=True)
class Series:
    uid: str
    study_id: int
    institution_id: int
    consortium_id: int
    series_instance_uid: str
    modality: str
    number: int | None = None
    description: str = ""
    id: int = field(init=False)


@dataclass(eq=False, kw_only=True)
class StoredObject:
    """One DICOM object, byte for byte as it was received (a Part 10 file around it)."""

    uid: str
    institution_id: int
    consortium_id: int
    study_id: int
    series_id: int
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    role: ObjectRole
    # Equal ones are of one data set, byte for byte. Of one data set that came by different ways they may differ: by
    # C-STORE it is the file's own, so that the bytes are gone through once; else it is over the data set alone.
    dataset_sha256: str
    # Over the stored bytes: the name of the object, and what `verify` checks.
    file_sha256: str
    size: int
    received_at: datetime
    instance_number: int | None = None
    frames: int = 1
    rows: int | None = None
    columns: int | None = None
    device_id: int | None = None
    uploaded_by: int | None = None
    # False while the bytes are in the spool alone.
    placed: bool = False
    # What speaks against the recording, as `quality_token`s: the technician is asked to repeat it.
    quality: str = ""
    # Of a derived object: the object it was made from, with which it goes where that one goes.
    source_uid: str = ""
    id: int = field(init=False)
    version: int = field(init=False)


@dataclass(frozen=True)
class KnownObject:
    """What is already held under a SOP Instance UID, as far as the decision needs it."""

    same_syntax: bool
    # Of the same transfer syntax: the same data set byte for byte. Of another one: the same when it is decoded.
    same: bool


def classify(known: Sequence[KnownObject]) -> Reception:
    """Same bytes: a repeat. Same data set in another transfer syntax: an alternate. Else a conflict."""
    if not known:
        return Reception.NEW
    if any(k.same and k.same_syntax for k in known):
        return Reception.REPEAT
    if any(k.same for k in known):
        return Reception.ALTERNATE
    return Reception.CONFLICT


def quiet_until(modality: str, now: datetime, quiet_seconds: int) -> datetime:
    """An ECG is one object and whole on arrival; images are whole after a quiet period."""
    return now if modality == "ECG" else now + timedelta(seconds=quiet_seconds)


def quality_token(code: str, leads: Sequence[str]) -> str:
    """A reason as it is stored: its catalogue key, and the leads it is about."""
    return f"{code}:{','.join(leads)}" if leads else code


def quality_reason(token: str) -> tuple[str, str]:
    """The catalogue key of a stored reason, and its leads as people read them."""
    code, _, leads = token.partition(":")
    return code, leads.replace(",", " ")
