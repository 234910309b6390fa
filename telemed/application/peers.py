"""A world that calls nobody: tests, and processes without a network of their own."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from telemed.application.ports.dicom import CommitmentReport, SendingLine
from telemed.domain.errors import Unavailable
from telemed.domain.exchange import RemoteNode


class NoPeers:
    def sending_line(
        self, node: RemoteNode, kinds: Sequence[tuple[str, str]]
    ) -> AbstractContextManager[SendingLine]:
        raise Unavailable("error.peer_unavailable", ae_title=node.ae_title)

    def verify(self, node: RemoteNode) -> None:
        raise Unavailable("error.peer_unavailable", ae_title=node.ae_title)

    def report_commitment(self, node: RemoteNode, report: CommitmentReport) -> int:
        raise Unavailable("error.peer_unavailable", ae_title=node.ae_title)
