"""What the node offers besides storage: SOP classes, and who answers which kind of request."""

from collections.abc import Mapping
from typing import Any

from pynetdicom.dimse_primitives import C_FIND

from dicom_node.association import Services
from dicom_node.find import Finder, Matches, serve_find
from dicom_node.identifiers import Request
from dicom_node.worklist import find_steps
from telemed.application.modality_worklist import WorklistDesk
from telemed.application.world import World
from telemed.domain.people import Device

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
VERIFICATION = "1.2.840.10008.1.1"
MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"

# SOP class -> transfer syntaxes, the preferred one first. Every storage class is taken beside these, in whatever
# transfer syntax comes first; a longer table would cost each association its time.
CONTEXTS = {
    VERIFICATION: (IMPLICIT, EXPLICIT),
    MODALITY_WORKLIST: (EXPLICIT, IMPLICIT),
}


def services(world: World) -> Services:
    desk = WorklistDesk(world)

    def worklist(device: Device, asked: Request) -> Matches:
        return find_steps(world, desk, device, asked)

    finders: Mapping[str, Finder] = {MODALITY_WORKLIST: worklist}

    def on_find(assoc: Any, request: Any, context: Any) -> None:
        serve_find(assoc, finders[str(context.abstract_syntax)], request, context)

    return {C_FIND: on_find}
