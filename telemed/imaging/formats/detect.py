"""What a file is, by its bytes: names lie, and machines drop files without any."""

from __future__ import annotations

import re
from enum import StrEnum

from telemed.imaging.formats.scp.container import looks_like_scp
from telemed.imaging.formats.xml import decode


class Kind(StrEnum):
    DICOM = "dicom"
    SCP = "scp"
    AECG = "aecg"
    WFDB = "wfdb"
    SIERRA = "sierra"
    MUSE = "muse"
    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"
    UNKNOWN = "unknown"


WAVEFORMS = frozenset({Kind.SCP, Kind.AECG, Kind.WFDB, Kind.SIERRA, Kind.MUSE})
PAPER = frozenset({Kind.PDF, Kind.JPEG, Kind.PNG})

_HEAD = 64 << 10
_ROOT = re.compile(r"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
_HIDDEN = re.compile(r"<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL)
_ROOTS = {"annotatedecg": Kind.AECG, "restingecgdata": Kind.SIERRA, "restingecg": Kind.MUSE}
# The record line of a .hea file, and its first signal line.
_RECORD = re.compile(rb"\A(?:#[^\n]*\n|\s)*[\w./-]+\s+\d{1,3}(?:\s+[\d.]+\S*(?:\s+\d+[^\n]*)?)?[ \t]*\r?\n")
_SIGNAL = re.compile(rb"\n[ \t]*\S+\s+\d{1,3}(?:x\d+)?(?::\d+)?(?:\+\d+)?(?:[ \t]+[^\n]*)?(?:\n|\Z)")
# MATLAB 4: type 0 to 4052, a name of four bytes, "val".
_MATLAB_NAME = b"val\x00"
_SIGNAL_SUFFIXES = (".dat", ".mat")


def detect(data: bytes, name: str = "") -> Kind:
    """The kind of a whole file, or of its first 64 KB. `name` decides only where the bytes say nothing: the
    signal file of a WFDB record is bare numbers."""
    if data[128:132] == b"DICM":
        return Kind.DICOM
    for mark, kind in ((b"\xff\xd8\xff", Kind.JPEG), (b"\x89PNG\r\n\x1a\n", Kind.PNG)):
        if data.startswith(mark):
            return kind
    if b"%PDF-" in data[:1024]:
        return Kind.PDF
    if looks_like_scp(data):
        return Kind.SCP
    head = data[:_HEAD]
    if (root := _root(head)) is not None:
        return _ROOTS.get(root.lower(), Kind.UNKNOWN)
    if _is_wfdb(head) or (name.lower().endswith(_SIGNAL_SUFFIXES) and not _is_bare_dicom(head)):
        return Kind.WFDB
    return Kind.DICOM if _is_bare_dicom(head) else Kind.UNKNOWN


def _root(head: bytes) -> str | None:
    """The name of the first element of an XML file, None where it is none."""
    if b"<" not in head.lstrip()[:8]:
        return None
    match = _ROOT.search(_HIDDEN.sub("", decode(head)))
    return match.group(1) if match else None


def _is_wfdb(head: bytes) -> bool:
    if head[20:24] == _MATLAB_NAME and head[:4] in (b"\x1e\0\0\0", b"\0\0\0\0", b"\x0a\0\0\0"):
        return True
    return is_wfdb_header(head)


def is_wfdb_header(head: bytes) -> bool:
    """Whether text begins with a record line and a signal line (WFDB header(5))."""
    record = _RECORD.match(head[:_HEAD])
    return bool(record and b"\0" not in head[:1024] and _SIGNAL.search(head, record.end() - 1))


def _is_bare_dicom(head: bytes) -> bool:
    """A data set without preamble: group 0002 or 0008 first, with a value representation or a short length."""
    if head[:2] not in (b"\x02\x00", b"\x08\x00") or head[3:4] != b"\x00":
        return False
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    return explicit or int.from_bytes(head[4:8], "little") <= 64
