"""What the node offers besides storage: SOP classes, and who answers which kind of request."""

from collections.abc import Mapping
from typing import Any

from pynetdicom.dimse_primitives import C_FIND, C_GET, C_MOVE

from dicom_node.association import Services
from dicom_node.find import Finder, Matches, Query, serve_find
from dicom_node.identifiers import Request
from dicom_node.line import AssociationLine
from dicom_node.query import find_rows
from dicom_node.retrieve import serve_get, serve_move
from dicom_node.worklist import find_steps
from telemed.application.modality_worklist import WorklistDesk
from telemed.application.world import World
from telemed.domain.people import Device

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
VERIFICATION = "1.2.840.10008.1.1"
MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"

MPPS, STORAGE_COMMITMENT = "1.2.840.10008.3.1.2.3.3", "1.2.840.10008.1.20.1"
PATIENT_ROOT_FIND, PATIENT_ROOT_MOVE, PATIENT_ROOT_GET = (f"1.2.840.10008.5.1.4.1.2.1.{n}" for n in (1, 2, 3))
STUDY_ROOT_FIND, STUDY_ROOT_MOVE, STUDY_ROOT_GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
_PATIENT_ROOT = frozenset({PATIENT_ROOT_FIND, PATIENT_ROOT_MOVE, PATIENT_ROOT_GET})

# SOP class -> transfer syntaxes, the preferred one first. Every storage class is taken beside these, in whatever
# transfer syntax comes first; a longer table would cost each association its time.
CONTEXTS = {
    VERIFICATION: (IMPLICIT, EXPLICIT),
    MODALITY_WORKLIST: (EXPLICIT, IMPLICIT),
    MPPS: (EXPLICIT, IMPLICIT),
    STORAGE_COMMITMENT: (EXPLICIT, IMPLICIT),
    PATIENT_ROOT_FIND: (EXPLICIT, IMPLICIT),
    PATIENT_ROOT_MOVE: (EXPLICIT, IMPLICIT),
    PATIENT_ROOT_GET: (EXPLICIT, IMPLICIT),
    STUDY_ROOT_FIND: (EXPLICIT, IMPLICIT),
    STUDY_ROOT_MOVE: (EXPLICIT, IMPLICIT),
    STUDY_ROOT_GET: (EXPLICIT, IMPLICIT),
}


def finders(world: World, ae_title: str) -> Mapping[str, Finder]:
    """SOP class of a query -> who answers it."""
    desk = WorklistDesk(world)

    def worklist(device: Device, asked: Request) -> Matches:
        return find_steps(world, desk, device, asked)

    def rows(patient_root: bool) -> Finder:
        def find(device: Device, asked: Request) -> Matches:
            return find_rows(world, ae_title, device, asked, patient_root=patient_root)

        return find

    return {
        MODALITY_WORKLIST: worklist,
        PATIENT_ROOT_FIND: rows(True),
        STUDY_ROOT_FIND: rows(False),
    }


def services(world: World, finders: Mapping[str, Finder]) -> Services:
    """Those that pynetdicom's associations have."""

    def on_find(assoc: Any, request: Any, context: Any) -> None:
        query = Query(
            context_id=context.context_id,
            sop_class_uid=str(request.AffectedSOPClassUID),
            message_id=int(request.MessageID),
            identifier=request.Identifier.getvalue(),
            implicit=bool(context.transfer_syntax[0].is_implicit_VR),
        )
        serve_find(AssociationLine(assoc), finders[str(context.abstract_syntax)], query)

    def on_get(assoc: Any, request: Any, context: Any) -> None:
        serve_get(assoc, world, str(context.abstract_syntax) in _PATIENT_ROOT, request, context)

    def on_move(assoc: Any, request: Any, context: Any) -> None:
        serve_move(assoc, world, str(context.abstract_syntax) in _PATIENT_ROOT, request, context)

    return {C_FIND: on_find, C_GET: on_get, C_MOVE: on_move}
