"""An object that has arrived and is not yet filed."""

from dataclasses import dataclass

from telemed.application.ports import SpoolPart
from telemed.imaging.header import StudyHeader


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """One finished part in the spool, its header read, and who brought it."""

    part: SpoolPart
    transfer_syntax_uid: str
    header: StudyHeader
    institution_id: int
    consortium_id: int
    device_id: int | None = None
    uploaded_by: int | None = None
