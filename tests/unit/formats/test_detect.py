from __future__ import annotations

import pytest

from telemed.imaging.formats import FormatError, Kind, detect, read_recording
from tests.factories.dicom import ecg_bytes
from tests.unit.formats import samples

HEADER, SIGNALS = samples.wfdb(matlab=True)
KNOWN = {
    "scp": (samples.scp(), Kind.SCP),
    "aecg": (samples.aecg().encode(), Kind.AECG),
    "aecg behind comments": (
        b"<?xml version='1.0'?><!-- a <b> -->\n<!-- c -->" + b"<AnnotatedECG/>",
        Kind.AECG,
    ),
    "aecg with a prefix": (b'<h:AnnotatedECG xmlns:h="urn:hl7-org:v3"/>', Kind.AECG),
    "sierra in utf-16": (samples.sierra(), Kind.SIERRA),
    "sierra in utf-8": (samples.sierra(utf16=False), Kind.SIERRA),
    "wfdb header": (HEADER, Kind.WFDB),
    "wfdb in matlab": (SIGNALS["r.mat"], Kind.WFDB),
    "dicom": (ecg_bytes(), Kind.DICOM),
    "dicom without preamble": (ecg_bytes()[132:], Kind.DICOM),
    "pdf": (samples.PDF, Kind.PDF),
    "jpeg": (samples.picture(), Kind.JPEG),
    "png": (samples.picture("PNG"), Kind.PNG),
    "another xml": (b"<html><body/></html>", Kind.UNKNOWN),
    "text": (b"Dear colleague,\nplease find attached\n", Kind.UNKNOWN),
    "nothing": (b"", Kind.UNKNOWN),
    "zeros": (bytes(4096), Kind.UNKNOWN),
}


@pytest.mark.parametrize("what", KNOWN)
def test_the_bytes_say_what_a_file_is_whatever_its_name(what: str) -> None:
    data, kind = KNOWN[what]
    assert detect(data) is kind
    assert detect(data, "misnamed.pdf") is kind


def test_the_name_helps_only_where_the_bytes_are_bare_numbers() -> None:
    ((_, data),) = samples.wfdb()[1].items()
    assert detect(data) is Kind.UNKNOWN
    assert detect(data, "R.DAT") is Kind.WFDB


def test_an_scp_record_without_its_mark_is_known_by_its_head_and_checksum() -> None:
    from binascii import crc_hqx

    record = bytearray(samples.scp())
    record[16:22] = bytes(6)
    assert detect(bytes(record)) is Kind.UNKNOWN
    record[:2] = crc_hqx(bytes(record[2:]), 0xFFFF).to_bytes(2, "little")
    assert detect(bytes(record)) is Kind.SCP


def test_what_is_unknown_is_refused_with_what_is_known() -> None:
    with pytest.raises(FormatError, match=r"format\.unknown"):
        read_recording(b"Dear colleague,\n")
