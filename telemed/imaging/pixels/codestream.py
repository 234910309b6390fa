"""The size that a compressed frame claims for itself, before a decoder is let at it."""

from __future__ import annotations

# SOF markers of JPEG and JPEG-LS (ITU-T T.81 table B.1, T.87): C4, C8 and CC are other segments.
_SOF = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_J2K_START = b"\xff\x4f\xff\x51"


def claimed_size(frame: bytes) -> tuple[int, int] | None:
    """(rows, columns) of a JPEG, JPEG-LS or JPEG 2000 frame; None for anything else."""
    at = frame.find(_J2K_START, 0, 4096)
    if at >= 0 and (at == 0 or frame[4:8] == b"jP  "):
        return _of_jpeg_2000(frame, at)
    if frame[:2] == b"\xff\xd8":
        return _of_jpeg(frame)
    return None


def _of_jpeg_2000(frame: bytes, at: int) -> tuple[int, int] | None:
    # SIZ (ITU-T T.800 A.5.1): Lsiz, Rsiz, then Xsiz, Ysiz, XOsiz, YOsiz of four bytes each.
    sizes = frame[at + 8 : at + 24]
    if len(sizes) < 16:
        return None
    width, height, left, top = (int.from_bytes(sizes[n : n + 4], "big") for n in range(0, 16, 4))
    return height - top, width - left


def _of_jpeg(frame: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(frame):
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker in _SOF:
            return int.from_bytes(frame[at + 5 : at + 7], "big"), int.from_bytes(
                frame[at + 7 : at + 9], "big"
            )
        else:
            at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None
