"""No room: the sender is told so and keeps its object; nothing stays here; with room again it works.

The disk is not really filled: the spool is started with a reserve larger than all that is free.
"""

import shutil
from dataclasses import replace

from telemed.drill.invariants import RECEIVED, Promised, faults, leftovers, rows
from telemed.drill.objects import dataset_sha256, ecg, film
from telemed.drill.row import Outcome
from telemed.drill.site import site

_REFUSED = "0xA700 0xA700"


def full_disk(*, quick: bool = False) -> Outcome:  # noqa: ARG001 - it has no shorter form
    objects = (ecg("full disk"), film("full disk film", 1))
    sent = {(str(ds.SOPInstanceUID), dataset_sha256(ds)) for ds in objects}
    found = []
    with site() as here:
        folder = here.settings.data_dir
        beyond = (shutil.disk_usage(folder).free >> 20) + (1 << 20)
        with here.processes("dicom", settings=replace(here.settings, spool_reserve_mib=beyond)):
            refused = here.send(*objects)
        if str(refused) != _REFUSED or not refused.alive:
            found.append(f"the sender saw {refused}, the association lived: {refused.alive}")
        stayed = [path.name for path in (folder / "spool").glob("??/*")] + leftovers(folder)
        if stayed or rows(here.application, "SELECT id FROM study"):
            found.append(f"something stayed: {stayed}")
        with here.processes("dicom"):
            again = here.send(*objects)
        if not again.success:
            found.append(f"with room again the sender saw {again}")
        here.settle()
        found += faults(here.application, Promised(sent))
        kept = len(rows(here.application, RECEIVED))
    return Outcome(found, {"refused": str(refused), "again": str(again), "objects": kept})
