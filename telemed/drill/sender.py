"""Sends objects as a machine would, and says what the machine saw."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom import Dataset
from pynetdicom import AE

_PATIENCE = 20.0
NO_ANSWER = -1


@dataclass(frozen=True)
class Sent:
    """The status of each object; NO_ANSWER where the line was gone before one came."""

    statuses: tuple[int, ...]
    # The node still answered an echo on the same association afterwards.
    alive: bool

    @property
    def success(self) -> bool:
        return all(status == 0 for status in self.statuses)

    def __str__(self) -> str:
        return " ".join("-" if status == NO_ANSWER else f"0x{status:04X}" for status in self.statuses)


def send(
    port: int, *, calling: str, called: str, datasets: Sequence[Dataset], patience: float = _PATIENCE
) -> Sent:
    """One association to a node on this machine, C-STORE after C-STORE; never raises for what the line does.

    `patience` is how many seconds the sender waits for each answer.
    """
    node = AE(ae_title=calling)
    node.acse_timeout = node.dimse_timeout = node.network_timeout = node.connection_timeout = patience
    node.add_requested_context("1.2.840.10008.1.1")
    for sop_class, syntax in sorted({(ds.SOPClassUID, ds.file_meta.TransferSyntaxUID) for ds in datasets}):
        node.add_requested_context(sop_class, syntax)
    association = node.associate("127.0.0.1", port, ae_title=called)
    if not association.is_established:
        return Sent((NO_ANSWER,) * len(datasets), alive=False)
    statuses = []
    for dataset in datasets:
        answer = association.send_c_store(dataset) if association.is_established else None
        statuses.append(int(answer.Status) if answer and "Status" in answer else NO_ANSWER)
    alive = association.is_established and bool(association.send_c_echo())
    if association.is_established:
        association.release()
    return Sent(tuple(statuses), alive=alive)
