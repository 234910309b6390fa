"""`python -m bench NAME [--only ROW] [--quick] [--json]`; without a name all of them, one table."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from bench.host import Host
from bench.result import report

RESULTS = Path(__file__).parent / "results"
BENCHMARKS = ("dicom", "end_to_end", "images", "inference", "reading", "worklist")


def run(name: str, only: str | None, quick: bool) -> dict[str, Any]:
    host = Host()
    rows = importlib.import_module(f"bench.{name}").rows(only=only, quick=quick)
    found = report(name, rows)
    kept = host.kept()
    # Ratios of one run hold on a shared machine too, as long as others leave enough of it.
    found["machine"]["kept_by_host"] = None if kept is None else round(kept, 3)
    if only is None and not quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, help="one benchmark; all without it")
    parser.add_argument("--only", help="one row")
    parser.add_argument("--quick", action="store_true", help="a short form, under 50 s; nothing is written")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    names = [arguments.name] if arguments.name else [n for n in BENCHMARKS if _exists(n)]
    found = [run(name, arguments.only, arguments.quick) for name in names]
    if arguments.json:
        print(json.dumps(found[0] if arguments.name else found, ensure_ascii=False))
    else:
        _table(found)
    return 0


def _exists(name: str) -> bool:
    return (Path(__file__).parent / f"{name}.py").exists()


def _table(found: list[dict[str, Any]]) -> None:
    for one in found:
        for row in one["rows"]:
            verdict = "met   " if row["met"] else "MISSED"
            print(
                f"{verdict} {one['bench']:<11} {row['what']:<22} {row['value']:>9} {row['unit']:<12}"
                f" {row['peer']} {row['peer_value']}  x{row['ratio']}  goal {row['goal']}  {row['note']}"
            )


if __name__ == "__main__":
    sys.exit(main())
