"""Rows of the use cases as the shapes of the API, in a person's language."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal
from zoneinfo import ZoneInfo

from telemed.application.document import exam_name
from telemed.application.ports import InboxRow, StudyOverview, WorklistRow
from telemed.application.ports.worklist import Examined, Taken
from telemed.application.read import OpenedCase
from telemed.domain.access import Actor
from telemed.domain.case import AiState, Case, CaseState
from telemed.domain.inference import AnalysisRecord
from telemed.domain.notice import Notice
from telemed.domain.order import Priority
from telemed.domain.people import Institution, User
from telemed.domain.report import IN_FORCE, Report, ReportState
from telemed.domain.resident import age_on
from telemed.domain.study import Series, StoredObject, StudyState, quality_reason
from telemed.domain.worklist import list_key, position, standing_views
from telemed.imaging.waveform import ECG_SOP_CLASSES
from telemed.web.api import shapes
from telemed.web.api.convert_repeat import repeat_mark, repeat_of
from telemed.web.words import has, say

_PRIORITIES: dict[Priority, shapes.PriorityName] = {
    Priority.STAT: "stat",
    Priority.URGENT: "urgent",
    Priority.ROUTINE: "routine",
}
_ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
_UNITS: dict[str, Literal["year", "month", "day"]] = {"year": "year", "month": "month", "day": "day"}


def priority(value: Priority) -> shapes.PriorityName:
    return _PRIORITIES[value]


def patient(row: Examined, study: Taken, last4: str = "", zone: str = "Asia/Shanghai") -> shapes.PatientOut:
    day = study.first_object_at.astimezone(ZoneInfo(zone)).date()
    return shapes.PatientOut(
        name=row.name,
        sex=row.sex,
        age=_age(row.birth_date, day),
        patient_id=row.patient_id,
        id_last4=last4,
    )


def _age(birth: date | None, day: date) -> shapes.Age | None:
    if birth is None:
        return None
    value, unit = age_on(birth, day)
    return shapes.Age(value=value, unit=_UNITS[unit])


def reasons(tokens: Sequence[str], language: str) -> list[shapes.Reason]:
    return [
        shapes.Reason(code=code, text=say(code, language, {"leads": leads}))
        for code, leads in map(quality_reason, tokens)
    ]


def row(found: WorklistRow, actor: Actor, language: str) -> shapes.Row:
    return row_for(found, actor.user_id, language)


def row_for(found: WorklistRow, user_id: int, language: str) -> shapes.Row:
    case = found.case
    return shapes.Row(
        id=case.uid,
        state=case.state,
        priority=priority(case.priority),
        effective_priority=priority(case.effective_priority),
        raised_because=case.raised_because,
        deadline=case.deadline,
        arrived_at=case.arrived_at,
        modality=case.modality,
        exam=exam_name(found.study, found.exam or found.study.description, language),
        body_part=found.study.body_part,
        site=_site(found.institution.name, found.institution.name_en, language),
        site_id=found.institution.uid,
        patient=patient(found.patient, found.study, found.id_last4, found.institution.time_zone),
        accession_number=found.order.accession_number,
        history=found.order.clinical_history,
        holder=_holder(case, found.holder_name, user_id),
        ai=shapes.Ai(state=case.ai_state, flags=list(found.flags)),
        study_instance_uid=found.study.study_instance_uid,
        order_source=found.order.source,
        critical=case.critical_tier,
        returned=case.returned_at is not None,
        priors=shapes.Priors(count=found.priors, latest=found.prior_at),
        position=position(list_key(case)),
        views=sorted(standing_views(case, user_id)),
    )


def _site(name: str, english: str, language: str) -> str:
    return english if language == "en" and english else name


def site_name(site: Institution, language: str) -> str:
    return _site(site.name, site.name_en, language)


def _holder(case: Case, name: str, user_id: int) -> shapes.Holder | None:
    if case.claimed_by is None:
        return None
    return shapes.Holder(name=name, mine=case.claimed_by == user_id)


def case(opened: OpenedCase, actor: Actor, language: str) -> shapes.CaseOut:
    versions = [report(version, opened.people) for version in opened.versions]
    found = opened.row.case
    base = row(opened.row, actor, language)
    return shapes.CaseOut(
        **dict(base),
        series=[_series(one, opened, language) for one in opened.series],
        analyses=[analysis(one, language) for one in opened.analyses],
        ai_reason=_ai_reason(opened, language),
        generation=found.generation,
        report=versions[-1] if versions else None,
        versions=versions,
        notices=[notice(one, language) for one in opened.notices if one.resolved_at is None],
        can=shapes.Can(**{name: name in opened.can for name in shapes.Can.model_fields}),
        lease_until=found.lease_until,
        read_again=opened.read_again,
        demanded=dict(opened.demanded),
        asked_by=opened.asked_by,
        repeat=repeat_of(found, opened.answer),
        repeats=[one for one in (repeat_of(before, None) for before in opened.repeats) if one],
    )


def analysis(record: AnalysisRecord, language: str) -> dict[str, Any]:
    """As `telemed ai read` prints it, and beside a reason's code its text; what is drawn comes when asked for."""
    answer = {"id": record.uid, "sop_instance_uid": record.sop_instance_uid, **record.answer}
    answer["has_heat_map"] = bool(answer.pop("heat_map", None))
    answer["has_median_beat"] = bool(answer.pop("median_beat", None))
    answer.pop("wave_marks", None)
    reason = answer.get("reason")
    return {**answer, "reason_text": say(reason, language, answer.get("reason_params")) if reason else None}


def _ai_reason(opened: OpenedCase, language: str) -> str:
    """Why there is no score: what the models say of the recording, or what they failed with."""
    if fault := opened.ai_fault:
        return say(fault.code, language, fault.params)
    if opened.row.case.ai_state is not AiState.OUT_OF_DOMAIN:
        return ""
    texts = [
        say(one.reason, language, one.answer.get("reason_params"))
        for one in opened.analyses
        if not one.in_domain and one.reason
    ]
    return " ".join(dict.fromkeys(texts))


def _series(series: Series, opened: OpenedCase, language: str) -> shapes.SeriesOut:
    study = opened.row.study.study_instance_uid
    return shapes.SeriesOut(
        series_instance_uid=series.series_instance_uid,
        number=series.number,
        modality=series.modality,
        description=series.description,
        instances=[
            instance(stored, study, series.series_instance_uid, opened.row.case.uid, language)
            for stored in opened.objects
            if stored.series_id == series.id
        ],
    )


def instance(
    stored: StoredObject, study: str, series: str, case_uid: str, language: str
) -> shapes.InstanceOut:
    sop, kind = stored.sop_instance_uid, kind_of(stored)
    place = f"/dicom-web/studies/{study}/series/{series}/instances/{sop}"
    return shapes.InstanceOut(
        sop_instance_uid=sop,
        sop_class_uid=stored.sop_class_uid,
        kind=kind,
        frames=stored.frames,
        rows=stored.rows,
        columns=stored.columns,
        # With the case: a UID is unique within an institution only, and a reader serves several.
        waveform_url=f"/api/v1/objects/{sop}/waveform?case={case_uid}" if kind == "ecg" else None,
        rendered_url=f"{place}/rendered?case={case_uid}" if kind == "image" else None,
        quality=reasons(stored.quality.split(), language),
    )


def kind_of(stored: StoredObject) -> Literal["ecg", "image", "document", "other"]:
    if stored.sop_class_uid in ECG_SOP_CLASSES:
        return "ecg"
    if stored.sop_class_uid.startswith(_ENCAPSULATED):
        return "document"
    return "image" if stored.rows and stored.columns else "other"


def report(found: Report, people: Mapping[int, User]) -> shapes.ReportOut:
    def name(user_id: int | None) -> str | None:
        return people[user_id].display_name if user_id is not None and user_id in people else None

    return shapes.ReportOut(
        id=found.uid,
        number=found.number,
        state=found.state,
        findings=found.findings,
        impression=found.impression,
        recommendation=found.recommendation,
        critical=found.critical,
        abnormal=found.abnormal,
        revision=found.revision,
        author=name(found.author_id),
        signed_by=name(found.signed_by),
        signed_at=found.signed_at,
        reviewed_by=name(found.reviewed_by),
        reviewed_at=found.reviewed_at,
        released_at=found.released_at,
        review_comment=found.review_comment,
        verification_code=found.verification_code,
        pdf_url=pdf_url(found),
        updated_at=found.updated_at,
        withdrawn_at=found.withdrawn_at,
        withdrawal_reason=found.withdrawal_reason,
        hold_until=found.hold_until,
        submitted=found.submitted,
    )


def pdf_url(found: Report) -> str | None:
    """None until the document is there to be printed."""
    released = found.state in (*IN_FORCE, ReportState.AMENDED) and found.pdf_sha256
    withdrawn = found.state is ReportState.WITHDRAWN and found.released_at is not None
    return f"/api/v1/reports/{found.uid}/pdf" if released or withdrawn else None


def notice(found: Notice, language: str) -> shapes.NoticeOut:
    code = found.code if has(found.code, language) else "notice.unknown"
    return shapes.NoticeOut(
        id=found.uid,
        code=found.code,
        text=say(code, language, {"code": found.code, **found.facts}),
        created_at=found.created_at,
    )


def notice_row(found: Notice, language: str) -> shapes.NoticeRow:
    return shapes.NoticeRow(**dict(notice(found, language)), resolved_at=found.resolved_at)


ExamState = Literal["receiving", "waiting", "reading", "awaiting_review", "reported", "repeat", "repeated"]
_EXAM_STATES: dict[CaseState, ExamState] = {
    CaseState.WAITING: "waiting",
    CaseState.READING: "reading",
    CaseState.AWAITING_REVIEW: "awaiting_review",
    # Not reported before the signature is applied.
    CaseState.SIGNING: "reading",
    CaseState.FINAL: "reported",
    # Or somebody at the site said why not; while it is asked for, see `_exam_state`.
    CaseState.REPEAT_REQUESTED: "repeated",
    # Its recordings were somebody else's; what is left of the study is to be read again.
    CaseState.CLOSED: "waiting",
}


def exam(found: StudyOverview, language: str) -> shapes.ExamOut:
    study, order = found.study, found.order
    complete = study.state is StudyState.COMPLETE
    return shapes.ExamOut(
        study_instance_uid=study.study_instance_uid,
        modality=study.modality,
        exam=exam_name(study, found.exam or study.description, language),
        patient=patient(found.patient, study, found.id_last4),
        accession_number=order.accession_number if order else study.accession_number,
        arrived=found.objects,
        placed=found.placed,
        # A row is committed only after its bytes went through the durable round of the spool.
        safe=found.objects > 0,
        complete=complete,
        state=_exam_state(found),
        reader=found.reader_name or None,
        report=_report_ref(found.report),
        quality=reasons(found.quality, language),
        repeat_reason=found.repeat.repeat_reason if found.repeat else "",
        repeat_mark=repeat_mark(found),
        repeat=repeat_of(found.repeat, found.answer),
        conflicts=found.conflicts,
        received_at=study.first_object_at,
        order_source=order.source if order else None,
    )


def _exam_state(found: StudyOverview) -> ExamState:
    if found.repeat is not None and found.repeat.repeat_is_open:
        return "repeat"
    if found.case is not None:
        return _EXAM_STATES[found.case.state]
    return "waiting" if found.study.state is StudyState.COMPLETE else "receiving"


def _report_ref(found: Report | None) -> shapes.ReportRef | None:
    if found is None:
        return None
    return shapes.ReportRef(
        id=found.uid,
        pdf_url=pdf_url(found),
        abnormal=found.abnormal,
        critical=found.critical,
        preliminary=found.state is ReportState.PRELIMINARY,
        released_at=found.released_at,
    )


def inbox_row(found: InboxRow, language: str) -> shapes.InboxRowOut:
    reporting = found.reporting_institution
    applicant = found.applicant_institution
    return shapes.InboxRowOut(
        id=found.delivery.uid,
        report=report(found.report, found.people),
        patient=patient(found.patient, found.study, found.id_last4, applicant.time_zone),
        modality=found.case.modality,
        exam=exam_name(found.study, found.exam or found.study.description, language),
        study_instance_uid=found.study.study_instance_uid,
        reporting_institution=_site(reporting.name, reporting.name_en, language) if reporting else "",
        applicant_institution=_site(applicant.name, applicant.name_en, language),
        created_at=found.delivery.created_at,
        opened_at=found.delivery.opened_at,
        acknowledged_at=found.delivery.acknowledged_at,
        abnormal=found.report.abnormal,
        critical=found.report.critical,
        pdf_url=pdf_url(found.report),
    )
