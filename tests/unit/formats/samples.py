"""Recording files of people who do not exist, in every format, written by code."""

from __future__ import annotations

import base64
import struct
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tests.factories.dicom import LEADS, beats
from tests.unit.formats import scp_writer
from tests.unit.formats.scp_writer import tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

RATE = 500


def microvolts(seconds: float = 4.0) -> dict[str, NDArray[np.int64]]:
    """Twelve leads in microvolts, multiples of 10, in which Einthoven holds."""
    block = beats(seconds, RATE).astype(np.int64) // 20 * 20
    first, second = block[:, 0], block[:, 1]
    limb = (first, second, second - first, -(first + second) // 2, first - second // 2, second - first // 2)
    columns = [*limb, *block[:, 6:].T]
    return dict(zip(LEADS, columns, strict=True))


def in_units(of_uv: int, seconds: float = 4.0) -> dict[str, NDArray[np.int64]]:
    return {lead: values // of_uv for lead, values in microvolts(seconds).items()}


# --- SCP-ECG ---------------------------------------------------------------------------------------------

PATIENT = (
    tag(0, b"Test\0")
    + tag(1, b"Nobody\0")
    + tag(2, b"SCP-1\0")
    + tag(5, struct.pack("<HBB", 1950, 2, 28))
    + tag(8, b"\x02")
    + tag(25, struct.pack("<HBB", 2026, 11, 20))
    + tag(26, bytes([8, 30, 15]))
    + tag(27, struct.pack("<H", 5))
    + tag(28, struct.pack("<H", 150))
    + tag(29, b"\x02")
)


def scp(**changes: object) -> bytes:
    made = {"leads": in_units(10), "nanovolts": 10_000, "patient": PATIENT} | changes
    return scp_writer.write(scp_writer.Recording(**made))  # type: ignore[arg-type]


# --- HL7 aECG --------------------------------------------------------------------------------------------


def aecg(
    leads: Mapping[str, Sequence[int] | NDArray[np.int64]] | None = None,
    *,
    namespace: bool = True,
    increment: str = '<increment value="0.002" unit="s"/>',
    scale: str = '<origin value="0" unit="uV"/><scale value="10" unit="uV"/>',
    declaration: str = '<?xml version="1.0" encoding="UTF-8"?>',
    name: str = "Nobody",
    digits: str | None = None,
) -> str:
    """A file of the given leads, in units of `scale`."""
    sequences = "".join(
        f'<component><sequence><code code="MDC_ECG_LEAD_{lead}"/><value>{scale}'
        f"<digits>{digits or ' '.join(map(str, values))}</digits></value></sequence></component>"
        for lead, values in (leads if leads is not None else in_units(10)).items()
    )
    return f"""{declaration}
<AnnotatedECG{' xmlns="urn:hl7-org:v3"' if namespace else ""}>
<effectiveTime><center value="20261120083015"/></effectiveTime>
<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject>
<id root="1.2.3" extension="AECG-1"/><subjectDemographicPerson><name>{name}</name>
<administrativeGenderCode code="M"/><birthTime value="19500228"/></subjectDemographicPerson>
</trialSubject></subject></subjectAssignment></componentOf></timepointEvent></componentOf>
<component><series><code code="RHYTHM"/><effectiveTime><low value="20261120083015.250"/></effectiveTime>
<author><seriesAuthor><manufacturedSeriesDevice><manufacturerModelName>Paper model</manufacturerModelName>
</manufacturedSeriesDevice></seriesAuthor></author>
<component><sequenceSet><component><sequence><code code="TIME_ABSOLUTE"/><value>
<head value="20261120083015.250"/>{increment}</value></sequence></component>{sequences}</sequenceSet></component>
</series></component></AnnotatedECG>"""


# --- WFDB ------------------------------------------------------------------------------------------------


def wfdb(
    *, matlab: bool = False, time: str = " 08:30:15 20/11/2026", gains: Sequence[str] = ("100(0)/mV",) * 12
) -> tuple[bytes, dict[str, bytes]]:
    """(header, signal files) of one record; `gains` are the fields of the leads as they stand in the header."""
    leads = in_units(10)
    block = np.stack(list(leads.values()), axis=1).astype("<i2")
    file, skip = ("r.mat", "+24") if matlab else ("r.dat", "")
    head = struct.pack("<5I", 30, 12, len(block), 0, 4) + b"val\0" if matlab else b""
    lines = [f"r 12 {RATE} {len(block)}{time}"]
    lines += [f"{file} 16{skip} {gain} 16 0 0 0 0 {lead}" for lead, gain in zip(leads, gains, strict=True)]
    lines += ["#Age: 76", "#Sex: Male"]
    return "\n".join(lines).encode() + b"\n", {file: head + block.tobytes()}


# --- Philips Sierra --------------------------------------------------------------------------------------


def sierra(
    *, document: str = "PhilipsECG", version: str = "1.04", pulse: bool = True, utf16: bool = True
) -> bytes:
    leads = in_units(5)
    if pulse:
        end = np.concatenate((np.zeros(50), np.full(100, 200), np.zeros(50))).astype(np.int64)
        leads = {lead: np.concatenate((values, end)) for lead, values in leads.items()}
    packed = base64.b64encode(b"".join(xli(values) for values in _as_stored(leads).values())).decode()
    text = f"""<?xml version="1.0" encoding="{"utf-16" if utf16 else "utf-8"}"?>
<restingecgdata xmlns="http://www3.medical.philips.com"><documentinfo><documenttype>{document}</documenttype>
<documentversion>{version}</documentversion></documentinfo>
<dataacquisition date="2026-11-20" time="08:30:15"><machine machineid="0" detaildescription="">Paper model</machine>
<signalcharacteristics><samplingrate>{RATE}</samplingrate><resolution>5</resolution></signalcharacteristics>
</dataacquisition><patient><generalpatientdata><patientid>SIERRA-1</patientid><name><lastname>Test</lastname>
<firstname>Nobody</firstname></name><age><dateofbirth>1950-02-28</dateofbirth></age><sex>Female</sex>
</generalpatientdata></patient>
<internalmeasurements><crossleadmeasurements><meanventrate>72</meanventrate><meanprint>0</meanprint>
</crossleadmeasurements></internalmeasurements>
<interpretations><interpretation><statement><leftstatement>Sinus rhythm</leftstatement>
<rightstatement>normal</rightstatement></statement></interpretation></interpretations>
<waveforms><parsedwaveforms dataencoding="Base64" compression="XLI" numberofleads="12"
leadlabels="{" ".join(leads)}" resolution="5" hipass="0.05" lowpass="150">{packed}</parsedwaveforms></waveforms>
</restingecgdata>"""
    return text.encode("utf-16") if utf16 else text.encode()


def _as_stored(leads: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    first, second, third = leads["I"], leads["II"], leads["III"]
    return {
        **leads,
        "III": second - first - third,
        "aVR": -leads["aVR"] - (first + second) // 2,
        "aVL": (first - third) // 2 - leads["aVL"],
        "aVF": (second + third) // 2 - leads["aVF"],
    }


def xli(values: NDArray[np.int64]) -> bytes:
    """One chunk: the head, then LZW in 10 bits of high bytes and low bytes."""
    steps = 2 * values[1:-1] - values[:-2] - values[2:]
    stored = np.concatenate((values[:2], steps[1:] + 64, [64])).astype(np.int16)
    octets = (stored.view(np.uint16) >> 8).astype(np.uint8).tobytes() + (stored & 0xFF).astype(
        np.uint8
    ).tobytes()
    codes = _lzw(octets)
    return struct.pack("<IHh", len(codes), 0, int(steps[0])) + codes


def _lzw(octets: bytes) -> bytes:
    table = {bytes([n]): n for n in range(256)}
    word, bits = b"", []
    for octet in octets:
        longer = word + bytes([octet])
        if longer in table:
            word = longer
            continue
        bits.append(f"{table[word]:010b}")
        if len(table) < 1023:
            table[longer] = len(table)
        word = bytes([octet])
    bits += [f"{table[word]:010b}", f"{1023:010b}"]
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


# --- paper -----------------------------------------------------------------------------------------------

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def picture(kind: str = "JPEG", mode: str = "RGB", **options: object) -> bytes:
    gray = (np.add.outer(np.arange(48), np.arange(64)) * 2).astype(np.uint8)
    image = Image.fromarray(gray).convert(mode)
    buffer = BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()
