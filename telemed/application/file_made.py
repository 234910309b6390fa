"""What models said of a case becomes DICOM objects of its study: stored, found and fetched like acquired ones.

They are nobody's acquisition: they never make a study whole or grow it, open no case, wake no model, and a reader is
not shown them as pictures. Made again they are the same objects, for their UIDs come from the result's key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from telemed.application.arrival import Incoming
from telemed.application.filing import add_row
from telemed.application.forward import queue_made
from telemed.application.jobs import JobKind
from telemed.application.known import Known
from telemed.application.objects import into_spool
from telemed.application.ports import UnitOfWork
from telemed.application.presented import presented
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.analysis import Analysis
from telemed.domain.case import Case
from telemed.domain.errors import Conflict
from telemed.domain.events import Kind
from telemed.domain.inference import AnalysisRecord
from telemed.domain.people import Institution, MadeObjects
from telemed.domain.study import ObjectRole, Series, StoredObject, Study
from telemed.imaging.header import read_header
from telemed.imaging.machine_objects.subject import SERIES_NUMBERS, MadeKind, Subject, instance_uid
from telemed.imaging.waveform import ECG_SOP_CLASSES

_BIG_ENDIAN = "1.2.840.10008.1.2.2"


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """One object to be made, of one answer about one stored object."""

    kind: MadeKind
    row: AnalysisRecord
    source: StoredObject
    uid: str


@dataclass(frozen=True, kw_only=True)
class _Made:
    wanted: _Wanted
    item: Incoming


def ask_for_made(world: World, uow: UnitOfWork, case: Case) -> None:
    """Behind everything that somebody waits for; part of the transaction that stores an answer."""
    if uow.institutions.get(case.institution_id).made_objects is not MadeObjects.NONE:
        now = world.clock.now()
        uow.jobs.ask(JobKind.FILE_MADE, case.id, now, now)


def file_made(world: World, *, case_id: int) -> None:
    """Makes what the site wants of every answer in its domain; what is there already is left as it is."""
    with world.unit_of_work(write=False) as uow:
        case = uow.cases.get(case_id)
        study, site = uow.studies.get(case.study_id), uow.institutions.get(case.institution_id)
        objects = {one.sop_instance_uid: one for one in uow.studies.objects(study.id)}
        wanted = list(_wanted(site, uow.analyses.of_case(case.id), objects))
        held = {one.sop_instance_uid for one in _held(uow, site, wanted)}
        charsets = {one.source.id: _charset(uow, one.source) for one in wanted}
    missing = [one for one in wanted if one.uid not in held]
    if not missing:
        return
    made = [_spooled(world, site, one, charsets[one.source.id]) for one in missing]
    try:
        world.spool.make_durable([one.item.part for one in made])
        _commit(world, case, study, site, made)
    except Exception:
        for one in made:
            one.item.part.discard()
        raise
    world.waker.wake()


def _wanted(
    site: Institution, rows: Sequence[AnalysisRecord], objects: dict[str, StoredObject]
) -> Iterator[_Wanted]:
    """Out of domain nothing is said, so nothing is made; nor of an object that is no longer in the study."""
    for row in rows:
        source = objects.get(row.sop_instance_uid)
        if source is None or not row.in_domain or site.made_objects is MadeObjects.NONE:
            continue
        kinds = [MadeKind.REPORT]
        if site.made_objects is MadeObjects.ALL:
            kinds += _beyond_reports(row, source)
        for kind in kinds:
            uid = str(instance_uid(kind, site.uid, row.result_key))
            yield _Wanted(kind=kind, row=row, source=source, uid=uid)


def _beyond_reports(row: AnalysisRecord, source: StoredObject) -> Iterator[MadeKind]:
    if row.answer.get("heat_map"):
        yield MadeKind.ATTENTION
    measured = row.answer.get("measurements") or row.answer.get("statements")
    # Big-endian samples are not copied: their bytes would have to be turned.
    if measured and source.sop_class_uid in ECG_SOP_CLASSES and source.transfer_syntax_uid != _BIG_ENDIAN:
        yield MadeKind.ANNOTATED


def _held(uow: UnitOfWork, site: Institution, wanted: list[_Wanted]) -> list[StoredObject]:
    return list(uow.studies.held_under_any(site.id, [one.uid for one in wanted])) if wanted else []


def _charset(uow: UnitOfWork, stored: StoredObject) -> str | None:
    return uow.devices.get(stored.device_id).default_charset if stored.device_id else None


def _spooled(world: World, site: Institution, wanted: _Wanted, charset: str | None) -> _Made:
    """Made and written to the spool, not yet durable. The source is read as it leaves the house: under its person."""
    source = presented(world, wanted.source)
    subject = Subject(
        header=read_header(source, default_charset=charset),
        analysis=Analysis.from_json(wanted.row.answer),
        site=site.uid,
        result_key=wanted.row.result_key,
        made_at=_local(wanted.row.created_at, site),
    )
    content = _build(wanted.kind, subject, source)
    header = read_header(content)
    item = Incoming(
        part=into_spool(world, content),
        transfer_syntax_uid=header.transfer_syntax_uid,
        header=header,
        institution_id=site.id,
        consortium_id=wanted.source.consortium_id,
    )
    return _Made(wanted=wanted, item=item)


def _build(kind: MadeKind, subject: Subject, source: bytes) -> bytes:
    # Imported here: highdicom takes a second or two, which no process should wait for that builds nothing.
    match kind:
        case MadeKind.REPORT:
            from telemed.imaging.machine_objects.report import findings_report

            return findings_report(subject)
        case MadeKind.ATTENTION:
            from telemed.imaging.machine_objects.attention import attention_picture

            return attention_picture(subject, source)
        case MadeKind.ANNOTATED:
            from telemed.imaging.machine_objects.annotated import annotated_recording

            return annotated_recording(subject, source)


def _local(at: datetime, site: Institution) -> datetime:
    return at.astimezone(ZoneInfo(site.time_zone))


def _commit(world: World, case: Case, study: Study, site: Institution, made: list[_Made]) -> None:
    """Raises Conflict where a rival filed one first, or a correction moved a source: the next attempt sees it."""
    with world.unit_of_work() as uow:
        if _held(uow, site, [one.wanted for one in made]):
            raise Conflict("error.changed_meanwhile")
        now, filed = world.clock.now(), []
        for one in made:
            source = uow.studies.object(one.wanted.source.id)
            if source.study_id != study.id or source.role is not ObjectRole.PRIMARY:
                raise Conflict("error.changed_meanwhile")
            series = uow.studies.ensure_series(_series(world, study, one))
            role = ObjectRole.DERIVED
            stored = add_row(world, uow, one.item, Known(), study=study, series_id=series.id, role=role)
            stored.source_uid = source.sop_instance_uid
            filed.append(stored)
            record(
                world,
                uow,
                Kind.OBJECT_MADE,
                study=study,
                case=case,
                what=one.wanted.kind.value,
                sop_instance_uid=stored.sop_instance_uid,
                source=source.sop_instance_uid,
                model=one.wanted.row.model_name,
                version=one.wanted.row.model_version,
                result_key=one.wanted.row.result_key,
            )
        uow.flush()
        uow.jobs.ask_all(JobKind.PLACE_OBJECT, [(stored.id, now) for stored in filed], now)
        queue_made(world, uow, study, filed)
        uow.commit()


def _series(world: World, study: Study, made: _Made) -> Series:
    header = made.item.header
    return Series(
        uid=world.identifiers.uid(),
        study_id=study.id,
        institution_id=study.institution_id,
        consortium_id=study.consortium_id,
        series_instance_uid=header.series_instance_uid,
        modality=header.modality,
        number=SERIES_NUMBERS[made.wanted.kind],
        description=header.series_description[:200],
    )
