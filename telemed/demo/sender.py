"""Sends objects as a machine of a township centre would: one association, C-STORE after C-STORE."""

from collections.abc import Sequence

from pydicom import Dataset
from pynetdicom import AE

from telemed.domain.errors import Unavailable

# As devices wait for an answer; pynetdicom's half a minute is soon over on a machine that has much else to do.
PATIENCE_S = 120


def send(host: str, port: int, *, calling: str, called: str, datasets: Sequence[Dataset]) -> None:
    """Raises Unavailable unless every object was answered with success."""
    node = AE(ae_title=calling)
    node.dimse_timeout = PATIENCE_S
    wanted = {(str(ds.SOPClassUID), str(ds.file_meta.TransferSyntaxUID)) for ds in datasets}
    for sop_class, syntax in sorted(wanted):
        node.add_requested_context(sop_class, syntax)
    association = node.associate(host, port, ae_title=called)
    if not association.is_established:
        raise Unavailable("error.association_refused", host=host, port=port)
    try:
        for dataset in datasets:
            status = association.send_c_store(dataset)
            code = status.get("Status", 0x0110) if status else 0x0110
            if code != 0:
                raise Unavailable("error.object_not_taken", status=f"0x{code:04X}")
    finally:
        association.release()
