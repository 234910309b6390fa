"""The query part of a QIDO-RS address (PS3.18 8.3.4): which keys, which attributes, which page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.datadict import tag_for_keyword
from starlette.datastructures import QueryParams

from telemed.application.ports.dicom import Level, ObjectQuery
from telemed.application.search import MOST_ANSWERS
from telemed.domain.errors import InvalidInput
from telemed.domain.matching import (
    Criterion,
    NamePattern,
    date_criterion,
    name_criterion,
    text_criterion,
    time_criterion,
    uid_criterion,
)

_STUDY = (
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "StudyDescription",
    "ModalitiesInStudy",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "IssuerOfPatientID",
)
_SERIES = ("SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription", "BodyPartExamined")
_IMAGE = ("SOPInstanceUID", "SOPClassUID", "InstanceNumber")
MATCHED: Mapping[Level, tuple[str, ...]] = {
    Level.STUDY: _STUDY,
    Level.SERIES: (*_STUDY, *_SERIES),
    Level.IMAGE: (*_STUDY, *_SERIES, *_IMAGE),
}
# What each level tells beside its keys (PS3.18 tables 10.6.3-3 to 10.6.3-5).
_COUNTED: Mapping[Level, tuple[str, ...]] = {
    Level.STUDY: ("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    Level.SERIES: ("NumberOfSeriesRelatedInstances",),
    Level.IMAGE: ("Rows", "Columns", "NumberOfFrames", "AvailableTransferSyntaxUID"),
}
# Told where they are asked for.
_MORE = ("SOPClassesInStudy", "InstitutionName", "NumberOfPatientRelatedStudies")
_OWN: Mapping[Level, tuple[str, ...]] = {Level.STUDY: _STUDY, Level.SERIES: _SERIES, Level.IMAGE: _IMAGE}
_ABOVE: Mapping[Level, tuple[str, ...]] = {
    Level.STUDY: (),
    Level.SERIES: ("StudyInstanceUID",),
    Level.IMAGE: ("StudyInstanceUID", "SeriesInstanceUID"),
}
_DATES, _TIMES = {"StudyDate", "PatientBirthDate"}, {"StudyTime"}
_UIDS = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"}
_LISTS = {"ModalitiesInStudy", "Modality"}
_NUMBERS = {"SeriesNumber", "InstanceNumber"}
_CONTROL = {"limit", "offset", "includefield", "fuzzymatching"}
_TAG = re.compile(r"[0-9A-Fa-f]{8}")


@dataclass(frozen=True)
class Search:
    """`server_limited`: our own limit ends the page, not the asker's."""

    query: ObjectQuery
    offset: int
    limit: int
    server_limited: bool


def search_of(parameters: QueryParams, level: Level, *, within_study: bool) -> Search:
    """Raises InvalidInput, also for a key that is not matched here: ignoring it would widen the answer."""
    given: dict[str, list[str]] = {}
    for key, value in parameters.multi_items():
        if key.lower() in _CONTROL:
            continue
        keyword = _keyword(key, level)
        if keyword is None:
            raise InvalidInput("error.search_key", field=key[:64], allowed=", ".join(MATCHED[level]))
        given.setdefault(keyword, []).append(value)
    keys = {key: found for key, values in given.items() if (found := _criterion(key, values))}
    fuzzy = parameters.get("fuzzymatching", "false").lower() == "true"
    name = _name(given.get("PatientName", []), fuzzy=fuzzy)
    asked = _whole(parameters, "limit", MOST_ANSWERS)
    return Search(
        ObjectQuery(level=level, name=name, keys=keys, wanted=_wanted(parameters, level, within_study)),
        _whole(parameters, "offset", 0),
        min(asked, MOST_ANSWERS),
        "limit" not in parameters or asked > MOST_ANSWERS,
    )


def _keyword(name: str, level: Level) -> str | None:
    """A matched key by its keyword or by its tag."""
    if _TAG.fullmatch(name):
        return next((key for key in MATCHED[level] if tag_for_keyword(key) == int(name, 16)), None)
    return name if name in MATCHED[level] else None


def _criterion(name: str, values: list[str]) -> Criterion | None:
    if name == "PatientName":
        return None
    if name in _DATES:
        return date_criterion(values[-1])
    if name in _TIMES:
        return time_criterion(values[-1])
    # A comma is part of a text, but separates UIDs and codes.
    separator = r"[\\,]" if name in _UIDS | _LISTS else r"\\"
    each = [part.strip() for value in values for part in re.split(separator, value)]
    if name in _UIDS:
        return uid_criterion(each)
    if name in _NUMBERS and not all(re.fullmatch(r"[+-]?[0-9]{1,12}", part) for part in each if part):
        raise InvalidInput("error.query_number_invalid")
    return text_criterion(each)


def _name(values: list[str], *, fuzzy: bool) -> NamePattern | None:
    """Fuzzy is any part of the name, of its pinyin or of its initials."""
    found = name_criterion(values[-1]) if values else None
    if found is None or not fuzzy:
        return found
    return NamePattern(tuple(f"*{pattern.strip('*')}*" for pattern in found.patterns))


def _wanted(parameters: QueryParams, level: Level, within_study: bool) -> frozenset[str]:
    told = [*_ABOVE[level], *_OWN[level], *_COUNTED[level]]
    if not within_study:
        # Nothing in the address says whose these are.
        told += _STUDY
        told += _SERIES if level is Level.IMAGE else ()
    possible = {*MATCHED[level], *_COUNTED[level], *_MORE}
    for field in ",".join(parameters.getlist("includefield")).split(","):
        if field.strip().lower() == "all":
            return frozenset(possible)
        wanted = field.strip()
        if _TAG.fullmatch(wanted):
            told += [name for name in possible if tag_for_keyword(name) == int(wanted, 16)]
        elif wanted in possible:
            told.append(wanted)
    return frozenset(told)


def _whole(parameters: QueryParams, name: str, default: int) -> int:
    value = parameters.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise InvalidInput("error.search_page", field=name)
    return int(value)
