"""What a site is asked to make again, as its page shows it."""

from datetime import datetime

from telemed.application.ports import StudyOverview
from telemed.domain.case import Case
from telemed.domain.study import Study
from telemed.web.api import shapes


def repeat_of(case: Case | None, answer: Study | None) -> shapes.RepeatOut | None:
    """`answer`: the study that came since."""
    if case is None or case.repeat_asked_at is None:
        return None
    return shapes.RepeatOut(
        open=case.repeat_is_open,
        reason=case.repeat_reason,
        asked_at=case.repeat_asked_at,
        answer_at=_answer_at(case, answer),
        closed_at=case.repeat_closed_at,
        closed_because=case.repeat_closed_because,
    )


def _answer_at(case: Case, answer: Study | None) -> datetime | None:
    if answer is None:
        return None
    return answer.last_object_at if answer.id == case.study_id else answer.first_object_at


def repeat_mark(found: StudyOverview) -> shapes.RepeatMarkOut | None:
    """The place the reader marked; a box with the address of the picture it lies on."""
    case = found.repeat
    if case is None or not case.repeat_is_open or case.repeat_mark is None:
        return None
    mark = case.repeat_mark
    place = (
        f"/dicom-web/studies/{found.study.study_instance_uid}/series/{mark['series_instance_uid']}"
        f"/instances/{mark['sop_instance_uid']}/rendered?viewport=360,360"
    )
    return shapes.RepeatMarkOut(**mark, picture_url=place if mark["width"] > 0 else None)
