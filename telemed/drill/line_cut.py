"""The line is cut in the middle of an object: nothing stays of it, and sending it again succeeds."""

from contextlib import suppress

from telemed.domain.errors import Unavailable
from telemed.drill.invariants import RECEIVED, Promised, faults, leftovers, rows
from telemed.drill.line import BadLine
from telemed.drill.objects import dataset_sha256, film, to_file
from telemed.drill.row import Outcome
from telemed.drill.sender import NO_ANSWER
from telemed.drill.site import Site, site, wait_for

_PLACES = (0.2, 0.5, 0.95)
# Many PDUs of the largest size, so that every place lies well inside the object.
_SIDE = 1024
# The sender does not hear of the cut, and waits this long for an answer.
_PATIENCE = 3.0


def line_cut(*, quick: bool = False) -> Outcome:
    sent = film("line cut", 1, side=_SIDE)
    size = len(to_file(sent))
    found = []
    places = _PLACES[1:2] if quick else _PLACES
    with site() as here, here.processes("dicom"):
        for share in places:
            begun = _Begun(here)
            with BadLine(here.settings.dicom_port, int(size * share), begun.wait) as line:
                saw = here.send(sent, port=line.port, patience=_PATIENCE)
            if saw.statuses != (NO_ANSWER,) or not line.was_cut or not begun.seen:
                found.append(f"cut at {share}: the sender saw {saw}, begun {begun.seen}")
            wait_for("an empty spool", lambda: None if leftovers(here.settings.data_dir) else True)
            if rows(here.application, "SELECT id FROM stored_object"):
                found.append(f"cut at {share}: a row stayed")
        again = here.send(sent)
        here.settle()
        found += faults(here.application, Promised({(str(sent.SOPInstanceUID), dataset_sha256(sent))}))
        kept = len(rows(here.application, RECEIVED))
    return Outcome(found, {"cuts": len(places), "again": str(again), "objects": kept})


class _Begun:
    """The line holds still until the object's first bytes lie on the disk: else nothing would be cut in two."""

    def __init__(self, here: Site) -> None:
        self._folder, self.seen = here.settings.data_dir, False

    def wait(self) -> None:
        with suppress(Unavailable):
            self.seen = wait_for("the first bytes", lambda: True if leftovers(self._folder) else None, 20)
