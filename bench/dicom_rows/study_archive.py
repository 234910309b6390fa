"""The studies that both sides are asked about, and Orthanc's archive of them, filled as in the field: by C-STORE.

TELEMED_BENCH_ARCHIVES names a folder in which that archive is kept for the next run: filling it takes minutes.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from bench.dicom_rows import servers
from bench.dicom_rows.servers import CALLING, Server
from telemed.dimse import command as c
from telemed.dimse import pdu as p
from telemed.dimse.requestor import Requestor

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.9.1.1"
_IMPLICIT = "1.2.840.10008.1.2"
_FAMILY_NAMES = ("张", "李", "王", "赵", "欧阳", "单")
_SENDERS = 4
_WHOLE = "whole"


def name_of(n: int) -> str:
    return f"{_FAMILY_NAMES[n % 6]}{n % 97}"


def day_of(n: int) -> str:
    """Over a year: 300 of 100,000 on any day."""
    return (date(2026, 1, 1) + timedelta(days=n % 333)).strftime("%Y%m%d")


def study_uid(n: int) -> str:
    return f"2.25.1{n:07d}"


def series_uid(n: int) -> str:
    return f"2.25.2{n:07d}"


def object_uid(n: int) -> str:
    return f"2.25.3{n:07d}"


def archive(studies: int, *, even_if_not_kept: bool) -> Path | None:
    """A folder for `servers.orthanc(kept=...)`; None where it would be filled for this run alone, and need not."""
    folder = os.environ.get("TELEMED_BENCH_ARCHIVES")
    if folder:
        kept = Path(folder) / f"orthanc-{studies}"
        kept.mkdir(parents=True, exist_ok=True)
    elif even_if_not_kept:
        kept = Path(_for_this_run(studies).name)
    else:
        return None
    if not (kept / _WHOLE).exists():
        _fill(kept, studies)
        (kept / _WHOLE).touch()
    return kept


@cache
def _for_this_run(studies: int) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix=f"telemed-bench-orthanc-{studies}-")


def _fill(kept: Path, studies: int) -> None:
    """What an interrupted run has left is sent again: to Orthanc that is no second object."""
    parts = [range(1 + part, studies + 1, _SENDERS) for part in range(_SENDERS)]
    with servers.orthanc(kept=kept) as server, ThreadPoolExecutor(_SENDERS) as senders:
        for _ in senders.map(lambda part: _send(server, part), parts):
            pass


def _send(server: Server, numbers: range) -> None:
    with Requestor(
        host="127.0.0.1",
        port=server.port,
        calling=CALLING,
        called=server.called,
        contexts=[p.Context(SOP_CLASS, (_IMPLICIT,))],
    ) as line:
        context = line.context_for(SOP_CLASS, _IMPLICIT)
        if context is None:
            raise servers.NoPeer("Orthanc takes no such objects")
        for n in numbers:
            asked: dict[int, c.Value] = {
                c.SOP_CLASS: SOP_CLASS,
                c.FIELD: c.C_STORE_RQ,
                c.PRIORITY: c.MEDIUM_PRIORITY,
                c.SOP_INSTANCE: object_uid(n),
            }
            status = c.number_of(line.ask(context, asked, _object(n)).get(c.STATUS))
            if status:
                raise servers.NoPeer(f"Orthanc refused study {n}: {status:04X}")


def _object(n: int) -> bytes:
    """Names and numbers, and no waveform: it is only asked for."""
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = SOP_CLASS, object_uid(n)
    data.StudyDate, data.StudyTime, data.Modality = day_of(n), "120000", "ECG"
    data.AccessionNumber, data.PatientName, data.PatientID = f"A{n}", name_of(n), f"P{n:07d}"
    data.PatientBirthDate, data.PatientSex = "19600101", "F"
    data.StudyInstanceUID, data.SeriesInstanceUID = study_uid(n), series_uid(n)
    data.SeriesNumber, data.InstanceNumber = 1, 1
    return implicit(data)


def implicit(data: Dataset) -> bytes:
    """In Implicit VR little endian."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, True
    write_dataset(buffer, data)
    return bytes(buffer.getvalue())
