"""C-FIND in the patient and study root models (PS3.4 annex C): keys to criteria, rows to answers."""

from collections.abc import Iterator, Mapping, Sequence

from dicom_node.find import Matches
from dicom_node.identifiers import CHARACTER_SET, Known, Request, answer, person_name, tag_of
from telemed.application.ports.dicom import IndexRow, Level, ObjectQuery
from telemed.application.query import find_objects
from telemed.application.world import World
from telemed.dimse.identifier import Elements
from telemed.domain.errors import InvalidInput
from telemed.domain.matching import (
    Criterion,
    date_criterion,
    name_criterion,
    text_criterion,
    time_criterion,
    uid_criterion,
)
from telemed.domain.people import Device

_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "IssuerOfPatientID")
_STUDY = (
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "StudyDescription",
    "ModalitiesInStudy",
)
_SERIES = ("SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription", "BodyPartExamined")
_IMAGE = ("SOPInstanceUID", "SOPClassUID", "InstanceNumber")
# Keys that are matched, by level; those of the levels above match as well.
MATCHED: Mapping[Level, tuple[str, ...]] = {
    Level.PATIENT: _PATIENT,
    Level.STUDY: (*_PATIENT, *_STUDY),
    Level.SERIES: (*_PATIENT, *_STUDY, *_SERIES),
    Level.IMAGE: (*_PATIENT, *_STUDY, *_SERIES, *_IMAGE),
}
# Keys that are answered beside them.
RETURNED: Mapping[Level, tuple[str, ...]] = {
    Level.PATIENT: (
        "NumberOfPatientRelatedStudies",
        "NumberOfPatientRelatedSeries",
        "NumberOfPatientRelatedInstances",
    ),
    Level.STUDY: (
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
        "NumberOfPatientRelatedStudies",
        "SOPClassesInStudy",
        "InstitutionName",
    ),
    Level.SERIES: ("NumberOfSeriesRelatedInstances", "InstitutionName"),
    Level.IMAGE: ("Rows", "Columns", "NumberOfFrames", "AvailableTransferSyntaxUID", "InstitutionName"),
}
_DATES, _TIMES = {"StudyDate", "PatientBirthDate"}, {"StudyTime"}
_UIDS = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"}
_NUMBERS = {"SeriesNumber", "InstanceNumber"}
# They steer the query and are no keys.
_STEERING = {CHARACTER_SET, tag_of("QueryRetrieveLevel")}


def find_rows(world: World, ae_title: str, device: Device, asked: Request, *, patient_root: bool) -> Matches:
    """Raises InvalidInput where the identifier does not fit the model."""
    level = level_of(asked, patient_root=patient_root)
    rows, limited = find_objects(world, device=device, query=object_query(asked, level))
    matched = {tag_of(name) for name in MATCHED[level]}
    ignored = {path for path in asked.matching() if path[0] not in matched | _STEERING}
    return Matches(
        _answers(world, ae_title, asked, level, rows), some_keys_ignored=bool(ignored), limited=limited
    )


def level_of(asked: Request, *, patient_root: bool) -> Level:
    try:
        level = Level(asked.value("QueryRetrieveLevel"))
    except ValueError as fault:
        raise InvalidInput("error.query_level_invalid") from fault
    if level is Level.PATIENT and not patient_root:
        raise InvalidInput("error.query_level_invalid")
    return level


def object_query(asked: Request, level: Level) -> ObjectQuery:
    keys: dict[str, Criterion] = {}
    for name in MATCHED[level]:
        if name == "PatientName":
            continue
        criterion = _criterion(asked, name)
        if criterion is not None:
            keys[name] = criterion
    wanted = frozenset(name for name in (*MATCHED[level], *RETURNED[level]) if tag_of(name) in asked.by_tag)
    return ObjectQuery(level=level, name=name_criterion(asked.value("PatientName")), keys=keys, wanted=wanted)


def _criterion(asked: Request, name: str) -> Criterion | None:
    if name in _DATES:
        return date_criterion(asked.value(name))
    if name in _TIMES:
        return time_criterion(asked.value(name))
    values = asked.values(name)
    if name in _UIDS:
        return uid_criterion(values)
    if name in _NUMBERS and not all(_is_number(value) for value in values if value):
        raise InvalidInput("error.query_number_invalid")
    return text_criterion(values)


def _is_number(value: str) -> bool:
    return value.removeprefix("-").removeprefix("+").isdecimal()


def _answers(
    world: World, ae_title: str, asked: Request, level: Level, rows: Sequence[IndexRow]
) -> Iterator[Elements]:
    always: Known = {
        "QueryRetrieveLevel": level.value,
        "RetrieveAETitle": ae_title,
        "InstanceAvailability": "ONLINE",
    }
    for row in rows:
        known: dict[str, str] = dict(row)
        if "PatientName" in known:
            name = known["PatientName"]
            known["PatientName"] = person_name(name, world.names.alphabetic(name))
        yield answer(asked, known, always, latin=world.names.latin)
