"""SIGKILL before and after every commit of the way; then two minutes later the way goes on."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from telemed.drill.boundaries import BOUNDARIES
from telemed.drill.child import targets
from telemed.drill.row import Outcome

_QUICK_EVERY = 7
_SHARES = 2


def kill(*, quick: bool = False) -> Outcome:
    every = _QUICK_EVERY if quick else 1
    answers = list(_answers(every))
    dry = [answer["dry_run"] for answer in answers if "dry_run" in answer]
    walks = [answer for answer in answers if "boundary" in answer]
    found = [fault for answer in dry for fault in answer["faults"]] if dry else ["no dry run"]
    for walk in walks:
        where = f"{walk['side']} {walk['boundary']}"
        if not walk["killed"]:
            found.append(f"{where}: was not reached")
        found += [f"{where}: {fault}" for fault in walk["faults"]]
    expected = {(str(boundary), side.value) for boundary, side in targets(every)}
    if missing := expected - {(walk["boundary"], walk["side"]) for walk in walks}:
        found.append(f"no end of the walks {sorted(missing)}")
    resent = sum(walk["again"] == "receive" for walk in walks)
    return Outcome(found, {"boundaries": len(BOUNDARIES), "kills": len(walks), "resent": resent})


def _answers(every: int) -> Iterator[dict[str, Any]]:
    """Two processes share the work; each imports once and forks for every walk."""
    # A numeric library with threads of its own does not survive a fork.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="telemed-drill-"))
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "telemed.drill.child",
                        folder,
                        str(share),
                        str(_SHARES),
                        str(every),
                    ],
                    stdout=subprocess.PIPE,
                    env=environment,
                )
            )
            for share in range(_SHARES)
        ]
        for process in processes:
            assert process.stdout is not None
            # The pipe holds what a share has to say: its lines are few and short.
            yield from (json.loads(line) for line in process.stdout)
