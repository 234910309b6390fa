"""What is already held about a batch of arriving objects: asked for in a handful of questions, kept up while it is
filed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeVar

from telemed.application.arrival import Incoming
from telemed.application.patients import issuer_of, local_id
from telemed.application.ports import UnitOfWork
from telemed.domain.resident import Patient
from telemed.domain.scheduling import PerformedStep
from telemed.domain.study import Series, StoredObject, Study

T = TypeVar("T")
# (institution or study, UID or number that is unique within it)
_Key = tuple[int, str]
# (institution, issuer, patient number)
_Number = tuple[int, str, str]


@dataclass
class Known:
    # Of each institution: how long a study of images is quiet before it is whole.
    quiet_seconds: dict[int, int] = field(default_factory=dict)
    # Under which names it gives out its own patient numbers; asked for only where an object names an issuer.
    own_issuers: dict[int, tuple[str, ...]] = field(default_factory=dict)
    held: dict[_Key, list[StoredObject]] = field(default_factory=lambda: defaultdict(list))
    studies: dict[_Key, Study] = field(default_factory=dict)
    patients: dict[int, Patient] = field(default_factory=dict)
    patients_by_number: dict[_Number, Patient] = field(default_factory=dict)
    series: dict[_Key, Series] = field(default_factory=dict)
    performed: dict[_Key, list[PerformedStep]] = field(default_factory=lambda: defaultdict(list))
    # The objects with which a study was opened just now: it has them in its count already.
    counted: set[_Key] = field(default_factory=set)

    def number_of(self, item: Incoming) -> _Number:
        own = self.own_issuers.get(item.institution_id, ())
        return (item.institution_id, issuer_of(item.header, own), local_id(item.header))

    def study_of(self, stored: StoredObject, uow: UnitOfWork) -> Study:
        """Of an object already held; it may belong to another study than the arriving one says."""
        found = next((study for study in self.studies.values() if study.id == stored.study_id), None)
        return found or uow.studies.get(stored.study_id)

    def performed_of(self, study: Study) -> Sequence[PerformedStep]:
        return self.performed.get((study.institution_id, study.study_instance_uid), [])

    def add_object(self, stored: StoredObject) -> None:
        self.held[stored.institution_id, stored.sop_instance_uid].append(stored)

    def add_patient(self, patient: Patient) -> None:
        self.patients[patient.id] = patient
        self.patients_by_number[patient.institution_id, patient.issuer, patient.patient_id] = patient


def look_up(uow: UnitOfWork, batch: Sequence[Incoming]) -> Known:
    known = Known()
    for institution_id, items in _by_institution(batch):
        known.quiet_seconds[institution_id] = uow.institutions.quiet_seconds(institution_id)
        sops, studies = (
            _different(item.header.sop_instance_uid for item in items),
            _different(item.header.study_instance_uid for item in items),
        )
        if any(item.header.issuer for item in items):
            known.own_issuers[institution_id] = uow.institutions.get(institution_id).own_issuers
        for stored in uow.studies.held_under_any(institution_id, sops):
            known.held[institution_id, stored.sop_instance_uid].append(stored)
        for study in uow.studies.by_instance_uids(institution_id, studies):
            known.studies[institution_id, study.study_instance_uid] = study
        for step in uow.steps.performed_of_studies(institution_id, studies):
            known.performed[institution_id, step.study_instance_uid].append(step)
        _people(uow, known, institution_id, items)
    _series(uow, known, batch)
    return known


def _people(uow: UnitOfWork, known: Known, institution_id: int, items: Sequence[Incoming]) -> None:
    filed = [
        study.patient_id
        for item in items
        if (study := known.studies.get((institution_id, item.header.study_instance_uid)))
    ]
    if filed:
        for patient in uow.patients.among(_different(filed)):
            known.add_patient(patient)
    fresh = defaultdict(list)
    for item in items:
        if (institution_id, item.header.study_instance_uid) not in known.studies:
            _, issuer, number = known.number_of(item)
            fresh[issuer].append(number)
    for issuer, numbers in fresh.items():
        for patient in uow.patients.by_local_ids(institution_id, _different(numbers), issuer):
            known.add_patient(patient)


def _series(uow: UnitOfWork, known: Known, batch: Sequence[Incoming]) -> None:
    if known.studies:
        ids = [study.id for study in known.studies.values()]
        for series in uow.studies.series_among(ids, _different(i.header.series_instance_uid for i in batch)):
            known.series[series.study_id, series.series_instance_uid] = series


def _by_institution(batch: Sequence[Incoming]) -> Iterator[tuple[int, list[Incoming]]]:
    for institution_id, items in groupby(
        sorted(batch, key=lambda item: item.institution_id), lambda item: item.institution_id
    ):
        yield institution_id, list(items)


def _different(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))
