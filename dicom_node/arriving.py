"""An object while its bytes arrive: straight into the spool, so that none lies in memory."""

from collections.abc import Callable

from telemed.application.ports import Spool, SpoolPart
from telemed.domain.errors import DomainError, Unavailable
from telemed.imaging.own_head import part10_prefix


class ArrivingObject:
    """After an error the rest of the object is taken and dropped, so that the association lives on."""

    def __init__(
        self, spool: Spool, *, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str
    ) -> None:
        self.sop_class_uid, self.sop_instance_uid = sop_class_uid, sop_instance_uid
        self.transfer_syntax_uid = transfer_syntax_uid
        self._prefix = part10_prefix(sop_class_uid, sop_instance_uid, transfer_syntax_uid)
        self._spool = spool
        self._part: SpoolPart | None = None
        self._error: DomainError | None = None
        self._guarded(self._open)

    @property
    def prefix_length(self) -> int:
        return len(self._prefix)

    def write(self, *pieces: bytes | memoryview) -> None:
        part = self._part
        if part is not None:
            self._guarded(lambda: part.write(*pieces))

    def take(self) -> SpoolPart:
        """The finished part, now the caller's. Raises what went wrong while bytes arrived."""
        part, self._part = self._part, None
        if self._error is not None or part is None:
            raise self._error or Unavailable("error.spool_unavailable")
        part.finish()
        return part

    def discard(self) -> None:
        part, self._part = self._part, None
        if part is not None:
            part.discard()

    def _open(self) -> None:
        self._part = self._spool.open_part()
        # The door writes the same head before the same object: `part10_prefix`.
        self._part.write_meta(self._prefix, of_the_object=True)

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except DomainError as error:
            self._give_up(error)
        except OSError as error:
            failed = Unavailable("error.spool_unavailable")
            failed.__cause__ = error
            self._give_up(failed)

    def _give_up(self, error: DomainError) -> None:
        self._error = error
        self.discard()
