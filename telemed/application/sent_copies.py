"""What left the house before a correction is not recalled: somebody has to ask the other side to correct it."""

from collections.abc import Collection

from telemed.application.correction import Correction
from telemed.application.notifying import notify_institution
from telemed.domain.events import Event, Kind
from telemed.domain.resident import Patient


def tell_of_sent_copies(
    made: Correction, before: Patient, sop_instance_uids: Collection[str] | None = None
) -> None:
    """A notice for each node or machine that was sent the study, or of single recordings any of these."""
    study = made.study
    for destination in dict.fromkeys(_destination(one, sop_instance_uids) for one in _events(made)):
        if not destination:
            continue
        notify_institution(
            made.world,
            made.uow,
            "notice.archive_holds_former",
            f"sent:{study.uid}:{before.uid}:{made.target.uid}:{destination}",
            institution_id=study.institution_id,
            consortium_id=study.consortium_id,
            study_id=study.id,
            ae_title=destination,
            former=before.patient_id,
            now=made.target.patient_id,
        )


def _events(made: Correction) -> Collection[Event]:
    return made.uow.events.of_study(made.study.id)


def _destination(event: Event, sop_instance_uids: Collection[str] | None) -> str:
    """Empty where nothing left by this event. A retrieval names no single objects: it may have been any."""
    facts = event.facts
    if event.kind is Kind.OBJECT_SENT:
        if sop_instance_uids is not None and facts.get("sop_instance_uid") not in sop_instance_uids:
            return ""
        return str(facts.get("to") or "")
    retrieved = event.kind is Kind.OBJECT_READ and event.device_id is not None
    return str(facts.get("to") or "") if retrieved else ""
