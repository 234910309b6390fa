"""Which of our statements a set's own labels say are true of a recording."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ai_models.ecg.training.data import DEFAULT_ROOT

_READ: dict[str, dict[str, dict[str, list[str]]]] = json.loads(
    Path(__file__).with_name("truth.json").read_text("utf-8")
)
MAPPING = _READ["says"]
"""By statement and set the labels that mean it; a `*` at the end stands for any ending.

A set without an entry does not label the thing, so its recordings judge nothing there. Our own reading of the three
code tables, not a reference.
"""
ALSO = _READ["also"]
"""Labels that a statement's own words leave open ("flutter not excluded"): with one of them it is right where it is
said, and nothing is missed where it is not.
"""
SETS = ("ptbxl", "ludb", "china")
NORMAL = "ecg.normal"
WITHIN_LIMITS = "ecg.within_limits"
"""What "normal" stands on: the textbook limits and no other statement. Judged by the same labels."""
NO_P = "ecg.no_p_regular"
"""Judged by whether the set calls the rhythm a sinus rhythm: no set labels the missing P itself."""
RHYTHM_STATEMENTS = frozenset(
    {
        *("ecg.sinus_rhythm", "ecg.sinus_bradycardia", "ecg.sinus_tachycardia", "ecg.sinus_arrhythmia"),
        *("ecg.atrial_fibrillation", "ecg.af_or_flutter", "ecg.atrial_flutter"),
    }
)
AXIS_STATEMENTS = frozenset({"ecg.left_axis", "ecg.right_axis"})


@dataclass(frozen=True)
class Labels:
    """What a set says of one recording; `age` in years and `sex` ("M", "F") where it is given."""

    source: str
    names: frozenset[str]
    age: float | None
    sex: str

    def says(self, statement: str) -> bool | None:
        """Whether it is true of the recording; None where the set does not label it."""
        if statement in (NORMAL, WITHIN_LIMITS):
            return self._normal()
        if statement == NO_P:
            sinus = self.says("ecg.sinus_rhythm")
            return None if sinus is None else not sinus
        if not self._spoken_of(statement):
            return None
        wanted = MAPPING.get(statement, {}).get(self.source)
        return None if wanted is None else self._has(wanted)

    def leaves_open(self, statement: str) -> bool:
        """Whether the statement's own words allow for what the set says, though it says another thing."""
        return self._has(ALSO.get(statement, {}).get(self.source, ()))

    def _has(self, wanted: Iterable[str]) -> bool:
        return any(_is(name.lower(), want.lower()) for name in self.names for want in wanted)

    def _spoken_of(self, statement: str) -> bool:
        """The rhythm of some recordings of PTB-XL and China is left out; then nothing is said against any.

        So is the axis in PTB-XL.
        """
        if statement in RHYTHM_STATEMENTS and self.source != "ludb":
            return bool(self.names & (RHYTHMS | RHYTHMS_SNOMED))
        if statement in AXIS_STATEMENTS and self.source == "ptbxl":
            return any(name.startswith("axis:") for name in self.names)
        return True

    def _normal(self) -> bool:
        """A sinus rhythm and nothing else that a report would have to name.

        PTB-XL: NORM and no other diagnostic class, the rhythm SR or SARRH. China: sinus rhythm, bradycardia,
        tachycardia or arrhythmia and no other code. LUDB: a sinus rhythm and no entry in any column but the axis.
        """
        if self.source == "ptbxl":
            classes = {name for name in self.names if name.startswith("class:")}
            rhythm = self.names & RHYTHMS
            return classes == {"class:NORM"} and rhythm <= {"SR", "SARRH"} and not self.names & ECTOPIC
        if self.source == "china":
            return bool(self.names) and self.names <= SINUS_SNOMED
        return any(name.startswith("Rhythm: Sinus") for name in self.names) and all(
            name.startswith(("Rhythm: Sinus", "Electric axis")) for name in self.names
        )


RHYTHMS = frozenset({"SR", "SARRH", "SBRAD", "STACH", "AFIB", "AFLT", "SVARR", "PSVT", "SVTAC", "PACE"})
RHYTHMS_SNOMED = frozenset(
    {
        *(
            "426783006",
            "426177001",
            "427084000",
            "427393009",
            "164889003",
            "164890007",
            "426761007",
            "713422000",
        ),
        *(
            "425856008",
            "164895002",
            "10370003",
            "251173003",
            "251268003",
            "426995002",
            "233896004",
            "67198005",
        ),
    }
)
"""Sinus rhythms, AF, flutter, supraventricular, atrial and ventricular tachycardias, pacing, junctional rhythms."""
ECTOPIC = frozenset({"PAC", "PVC", "SVPB", "BIGU", "TRIGU", "PACE"})
SINUS_SNOMED = frozenset({"426783006", "427393009"})


def _is(name: str, want: str) -> bool:
    return name.startswith(want[:-1]) if want.endswith("*") else name == want


def ptbxl(root: Path = DEFAULT_ROOT) -> Iterator[tuple[str, Labels]]:
    with (root / "ptbxl" / "scp_statements.csv").open(encoding="utf-8", newline="") as file:
        classes = {row[""]: row["diagnostic_class"] for row in csv.DictReader(file) if row["diagnostic"]}
    with (root / "ptbxl" / "ptbxl_database.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            codes = set(ast.literal_eval(row["scp_codes"]))
            names = codes | {f"class:{classes[code]}" for code in codes if code in classes}
            if row["heart_axis"]:
                names.add(f"axis:{row['heart_axis']}")
            # 300 stands for "over 89" and is an adult all the same; the column's coding: 0 male, 1 female.
            age = float(row["age"]) if row["age"] else None
            sex = {"0": "M", "1": "F"}.get(row["sex"], "")
            yield f"ptbxl-{row['ecg_id']}", Labels("ptbxl", frozenset(names), age, sex)


def ludb(root: Path = DEFAULT_ROOT) -> Iterator[tuple[str, Labels]]:
    """Entries as they stand in the header's comments, whose words are those of `ludb.csv`."""
    with (root / "ludb" / "ludb.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            names = set()
            for column, cell in row.items():
                if column in ("ID", "Sex", "Age") or not cell:
                    continue
                prefix = "Rhythm: " if column == "Rhythms" else ""
                names |= {prefix + line.strip() for line in cell.splitlines() if line.strip()}
            digits = re.search(r"\d+", row["Age"] or "")
            age = float(digits.group()) if digits else None
            sex = (row["Sex"] or "").strip()[:1]
            yield f"ludb-{row['ID'].strip()}", Labels("ludb", frozenset(names), age, sex)


def china(root: Path = DEFAULT_ROOT) -> Iterator[tuple[str, Labels]]:
    for header in sorted((root / "china").glob("*.hea")):
        text = header.read_text("utf-8")
        fields = {
            key: match.group(1).strip()
            for key in ("Dx", "Age", "Sex")
            if (match := re.search(rf"#\s*{key}:(.*)", text))
        }
        names = frozenset(code.strip() for code in fields.get("Dx", "").split(",") if code.strip())
        age = float(fields["Age"]) if re.fullmatch(r"\d+", fields.get("Age", "")) else None
        yield f"china-{header.stem}", Labels("china", names, age, fields.get("Sex", "")[:1])


def all_labels(root: Path = DEFAULT_ROOT) -> dict[str, Labels]:
    return dict(ptbxl(root)) | dict(ludb(root)) | dict(china(root))
