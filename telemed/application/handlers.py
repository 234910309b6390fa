"""Which use case a job runs, and what happens when its last attempt failed."""

from collections.abc import Callable, Mapping

from telemed.application.commit import report_commitment
from telemed.application.complete import complete_study
from telemed.application.critical_telling import escalate
from telemed.application.deliver import deliver_report
from telemed.application.file_made import file_made
from telemed.application.forward import forward_objects
from telemed.application.hold import apply_signature
from telemed.application.infer import give_up_inference, give_up_rereading, infer_case
from telemed.application.jobs import JobKind
from telemed.application.objects import place_object
from telemed.application.pictures import prepare_pictures
from telemed.application.world import World
from telemed.domain.inference import Urgency

Handler = Callable[[World, int], None]
# Told the code of what the last attempt failed with.
LastHandler = Callable[[World, int, str], None]

HANDLERS: Mapping[JobKind, Handler] = {
    JobKind.PLACE_OBJECT: lambda world, key: place_object(world, object_id=key),
    JobKind.COMPLETE_STUDY: lambda world, key: complete_study(world, study_id=key),
    JobKind.INFER_CASE: lambda world, key: infer_case(world, case_id=key),
    JobKind.REINFER_CASE: lambda world, key: infer_case(world, case_id=key, urgency=Urgency.BACKFILL),
    JobKind.APPLY_SIGNATURE: lambda world, key: apply_signature(world, report_id=key),
    JobKind.FILE_MADE: lambda world, key: file_made(world, case_id=key),
    JobKind.PREPARE_PICTURES: lambda world, key: prepare_pictures(world, study_id=key),
    JobKind.DELIVER_REPORT: lambda world, key: deliver_report(world, report_id=key),
    JobKind.ESCALATE_CRITICAL: lambda world, key: escalate(world, value_id=key),
    JobKind.REPORT_COMMITMENT: lambda world, key: report_commitment(world, request_id=key),
    JobKind.FORWARD_OBJECTS: lambda world, key: forward_objects(world, node_id=key),
}

AFTER_LAST_ATTEMPT: Mapping[JobKind, LastHandler] = {
    JobKind.INFER_CASE: lambda world, key, error: give_up_inference(world, case_id=key, error=error),
    JobKind.REINFER_CASE: lambda world, key, error: give_up_rereading(world, case_id=key, error=error),
}
