"""What a machine or a person may find, by DICOM's own keys; the permission is part of every statement."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Table, and_, exists, func, or_, select

from telemed.adapters.db import tables as t
from telemed.adapters.db.accession import accession_number, studies_numbered
from telemed.adapters.db.criteria import matches, matches_name
from telemed.adapters.db.repositories import Repository
from telemed.adapters.db.scope import studies_visible_to_device, visible_studies
from telemed.application.ports.dicom import IndexRow, Level, ObjectQuery, Retrievable
from telemed.domain.access import Actor
from telemed.domain.matching import Between, Criterion, NamePattern, OneOf, parse_date
from telemed.domain.people import Device
from telemed.domain.study import SHOWN, ObjectRole, StoredObject, Study

_PATIENT, _STUDY, _SERIES, _OBJECT = t.patient.c, t.study.c, t.series.c, t.stored_object.c
_Columns = dict[str, ColumnElement[Any]]

_OF_PATIENT: _Columns = {
    "PatientID": _PATIENT.patient_id,
    "PatientName": _PATIENT.name,
    "PatientBirthDate": _PATIENT.birth_date,
    "PatientSex": _PATIENT.sex,
    "IssuerOfPatientID": func.coalesce(func.nullif(_PATIENT.issuer, ""), t.institution.c.code),
}
_OF_STUDY: _Columns = {
    "StudyInstanceUID": _STUDY.study_instance_uid,
    "StudyDate": _STUDY.study_date,
    "StudyTime": _STUDY.study_time,
    "AccessionNumber": accession_number(),
    "StudyDescription": _STUDY.description,
    "InstitutionName": t.institution.c.name,
}
_OF_SERIES: _Columns = {
    "SeriesInstanceUID": _SERIES.series_instance_uid,
    "Modality": _SERIES.modality,
    "SeriesNumber": _SERIES.number,
    "SeriesDescription": _SERIES.description,
    "BodyPartExamined": _STUDY.body_part,
}
_OF_IMAGE: _Columns = {
    "SOPInstanceUID": _OBJECT.sop_instance_uid,
    "SOPClassUID": _OBJECT.sop_class_uid,
    "InstanceNumber": _OBJECT.instance_number,
    "Rows": _OBJECT.rows,
    "Columns": _OBJECT.columns,
    "NumberOfFrames": _OBJECT.frames,
    "AvailableTransferSyntaxUID": _OBJECT.transfer_syntax_uid,
}
_COLUMNS: dict[Level, _Columns] = {
    Level.PATIENT: _OF_PATIENT,
    Level.STUDY: {**_OF_PATIENT, **_OF_STUDY},
    Level.SERIES: {**_OF_PATIENT, **_OF_STUDY, **_OF_SERIES},
    Level.IMAGE: {**_OF_PATIENT, **_OF_STUDY, **_OF_SERIES, **_OF_IMAGE},
}
# What may stand in a statement's IN at once.
_AT_ONCE = 500


class SqlObjectIndex(Repository):
    def find(self, device: Device, query: ObjectQuery, limit: int) -> Sequence[IndexRow]:
        allowed, columns = studies_visible_to_device(device), _COLUMNS[query.level]
        statement = _selected(query, columns, allowed)
        if query.name is None:
            rows = [dict(row) for row in self._session.execute(statement.limit(limit)).mappings()]
        else:
            rows = self._fitting(statement, query.name, 0, limit)
        # Not in the statement: it would make the engine walk the table in this order.
        rows.sort(key=lambda row: [row[f"_{name}"] for name in _keys(query.level)])
        return self._told(allowed, query, rows)

    def seen(self, actor: Actor, query: ObjectQuery, offset: int, limit: int) -> Sequence[IndexRow]:
        allowed = visible_studies(actor)
        columns = _COLUMNS[query.level]
        statement = _selected(query, columns, allowed).order_by(*_order(query.level))
        if query.name is None:
            found = self._session.execute(statement.offset(offset).limit(limit)).mappings()
            return self._told(allowed, query, [dict(row) for row in found])
        return self._told(allowed, query, self._fitting(statement, query.name, offset, limit))

    def _fitting(
        self, statement: Select[Any], wanted: NamePattern, offset: int, limit: int
    ) -> list[dict[str, Any]]:
        """The statement finds a few names too many: they are counted behind the last decision."""
        every = self._session.execute(statement.execution_options(yield_per=500))
        fitting = (dict(row) for row in every.mappings() if wanted.fits(row["_name"], row["_readings"]))
        page = list(islice(fitting, offset, offset + limit))
        every.close()
        return page

    def _told(
        self, allowed: ColumnElement[bool], query: ObjectQuery, rows: list[dict[str, Any]]
    ) -> Sequence[IndexRow]:
        self._count(allowed, query, rows)
        return [{name: _text(value) for name, value in row.items() if name[0] != "_"} for row in rows]

    def retrievable(self, device: Device, keys: Mapping[str, OneOf]) -> Sequence[Retrievable]:
        columns = _COLUMNS[Level.IMAGE]
        statement = (
            select(StoredObject, Study, _PATIENT.issuer)
            .select_from(_joined(Level.IMAGE))
            .where(
                studies_visible_to_device(device),
                _OBJECT.role.in_((*SHOWN, ObjectRole.ALTERNATE)),
                *(matches(columns[name], criterion) for name, criterion in keys.items()),
            )
        )
        forms: dict[tuple[int, str], list[StoredObject]] = defaultdict(list)
        studies: dict[int, tuple[Study, str]] = {}
        for stored, study, issuer in self._session.execute(statement):
            forms[stored.institution_id, stored.sop_instance_uid].append(stored)
            studies[study.id] = (study, issuer)
        held = [sorted(group, key=lambda form: (form.role not in SHOWN, form.id)) for group in forms.values()]
        shown = [group for group in held if group[0].role in SHOWN]
        shown.sort(key=lambda g: (g[0].study_id, g[0].series_id, g[0].instance_number or 0, g[0].id))
        return [
            Retrievable(study=study, forms=tuple(group), issuer=issuer)
            for group in shown
            for study, issuer in [studies[group[0].study_id]]
        ]

    def _count(self, allowed: ColumnElement[bool], query: ObjectQuery, rows: list[dict[str, Any]]) -> None:
        """What DICOM counts and collects beneath a row, if it was asked for."""
        for name, counted in _COUNTED.items():
            if name not in query.wanted or not rows or f"_{counted.key}" not in rows[0]:
                continue
            ids = {row[f"_{counted.key}"] for row in rows}
            found: dict[int, Any] = {}
            for some in _chunks(sorted(ids)):
                found |= self._counted(allowed, counted, some)
            for row in rows:
                row[name] = found.get(row[f"_{counted.key}"], counted.nothing)

    def _counted(
        self, allowed: ColumnElement[bool], counted: "_Counted", ids: Sequence[int]
    ) -> dict[int, Any]:
        column, group = counted.column, counted.group
        base = (
            select(group, func.count(column.distinct()) if counted.number else column)
            .select_from(
                t.stored_object.join(t.series, _SERIES.id == _OBJECT.series_id).join(
                    t.study, _STUDY.id == _OBJECT.study_id
                )
            )
            .where(group.in_(ids), _OBJECT.role.in_(SHOWN), allowed)
        )
        if counted.number:
            return {row[0]: row[1] for row in self._session.execute(base.group_by(group))}
        values: dict[int, list[str]] = defaultdict(list)
        for key, value in self._session.execute(base.distinct()):
            values[key].append(str(value))
        return {key: "\\".join(sorted(texts)) for key, texts in values.items()}


class _Counted:
    def __init__(
        self, key: str, group: ColumnElement[Any], column: ColumnElement[Any], *, number: bool = True
    ) -> None:
        self.key, self.group, self.column, self.number = key, group, column, number
        self.nothing: Any = 0 if number else ""


_COUNTED = {
    "NumberOfPatientRelatedStudies": _Counted("patient", _STUDY.patient_id, _STUDY.id),
    "NumberOfPatientRelatedSeries": _Counted("patient", _STUDY.patient_id, _SERIES.id),
    "NumberOfPatientRelatedInstances": _Counted("patient", _STUDY.patient_id, _OBJECT.id),
    "NumberOfStudyRelatedSeries": _Counted("study", _OBJECT.study_id, _SERIES.id),
    "NumberOfStudyRelatedInstances": _Counted("study", _OBJECT.study_id, _OBJECT.id),
    "NumberOfSeriesRelatedInstances": _Counted("series", _OBJECT.series_id, _OBJECT.id),
    "ModalitiesInStudy": _Counted("study", _OBJECT.study_id, _SERIES.modality, number=False),
    "SOPClassesInStudy": _Counted("study", _OBJECT.study_id, _OBJECT.sop_class_uid, number=False),
}


def _selected(query: ObjectQuery, columns: _Columns, allowed: ColumnElement[bool]) -> Select[Any]:
    pinyin = [_PATIENT.name.label("_name"), _PATIENT.name_pinyin.label("_readings")]
    return (
        select(
            *(column.label(name) for name, column in columns.items() if name in query.wanted),
            *(column.label(f"_{name}") for name, column in _keys(query.level).items()),
            *(pinyin if query.name else []),
        )
        .select_from(_joined(query.level))
        .where(_visible(allowed, query.level), *_conditions(query, columns))
    )


def _order(level: Level) -> Iterable[ColumnElement[Any]]:
    """Newest studies first; beneath them as they are read."""
    yield from (_STUDY.last_object_at.desc(), _STUDY.id.desc())
    if level in (Level.SERIES, Level.IMAGE):
        yield from (_SERIES.number, _SERIES.id)
    if level is Level.IMAGE:
        yield from (_OBJECT.instance_number, _OBJECT.id)


def _keys(level: Level) -> _Columns:
    keys: _Columns = {"patient": _PATIENT.id}
    if level is not Level.PATIENT:
        keys["study"] = _STUDY.id
    if level in (Level.SERIES, Level.IMAGE):
        keys["series"] = _SERIES.id
    if level is Level.IMAGE:
        keys["object"] = _OBJECT.id
    return keys


def _joined(level: Level) -> FromClause:
    institution: Callable[[Table], Any] = lambda table: t.institution.c.id == table.c.institution_id  # noqa: E731
    if level is Level.PATIENT:
        return t.patient.join(t.institution, institution(t.patient))
    joined = t.study.join(t.patient, _PATIENT.id == _STUDY.patient_id).join(
        t.institution, institution(t.study)
    )
    if level is Level.STUDY:
        return joined
    joined = joined.join(t.series, _SERIES.study_id == _STUDY.id)
    return joined if level is Level.SERIES else joined.join(t.stored_object, _OBJECT.series_id == _SERIES.id)


def _visible(allowed: ColumnElement[bool], level: Level) -> ColumnElement[bool]:
    shown = _OBJECT.role.in_(SHOWN)
    match level:
        case Level.PATIENT:
            return exists(
                select(1)
                .where(_STUDY.patient_id == _PATIENT.id, _STUDY.object_count > 0, allowed)
                .correlate(t.patient)
            )
        case Level.STUDY:
            return and_(_STUDY.object_count > 0, allowed)
        case Level.SERIES:
            return and_(allowed, exists(_beneath_series().where(shown)))
        case Level.IMAGE:
            return and_(allowed, shown)


def _beneath_series() -> Select[Any]:
    return select(1).select_from(t.stored_object).where(_OBJECT.series_id == _SERIES.id).correlate(t.series)


def _conditions(query: ObjectQuery, columns: _Columns) -> Iterable[ColumnElement[bool]]:
    for name, criterion in query.keys.items():
        if name == "ModalitiesInStudy":
            series = t.series.alias()
            yield exists(
                select(1).where(series.c.study_id == _STUDY.id, matches(series.c.modality, criterion))
            )
        elif name == "PatientBirthDate":
            yield _born(criterion)
        elif name in ("SeriesNumber", "InstanceNumber"):
            yield _numbered(columns[name], criterion)
        elif name == "AccessionNumber":
            yield matches(columns[name], criterion)
            if isinstance(criterion, OneOf):
                yield _STUDY.id.in_(studies_numbered(criterion))
        else:
            yield matches(columns[name], criterion)
    if query.name is not None:
        yield matches_name(_PATIENT.name, _PATIENT.name_pinyin, query.name)


def _born(criterion: Criterion) -> ColumnElement[bool]:
    if not isinstance(criterion, Between):
        raise TypeError(criterion)
    low, high = parse_date(criterion.low), parse_date(criterion.high)
    ends = [_PATIENT.birth_date >= low] if low else []
    ends += [_PATIENT.birth_date <= high] if high else []
    return and_(_PATIENT.birth_date.is_not(None), *ends)


def _numbered(column: ColumnElement[Any], criterion: Criterion) -> ColumnElement[bool]:
    """IS is compared as a number: "1", "01" and "+1" are the same; what is none matches nothing."""
    values = criterion.values if isinstance(criterion, OneOf) else ()
    return or_(*(column == int(value) for value in values)) if values else column.in_(())


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:%Y%m%d}" if isinstance(value, date) else str(value)


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
