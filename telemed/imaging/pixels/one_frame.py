"""One frame of a large object, without the others: its pixels stay in the file, and what is read is bounded."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian

from telemed.imaging.errors import PixelError
from telemed.imaging.pixels.decode import LARGEST_FRAME, frame_count

_PIXEL_DATA = (0x7FE0, 0x0010)
_GROUPS = "PerFrameFunctionalGroupsSequence"
_OFFSETS = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")


class FrameFile:
    """A Part 10 file with its header parsed; `file` stays open, and is the caller's to close."""

    def __init__(self, file: BinaryIO, *, largest: int = LARGEST_FRAME) -> None:
        """`largest` is what one frame may have, in bytes, as stored.

        Raises PixelError: `pixel.unreadable`, `pixel.no_pixels`, `pixel.too_large` (megabytes, limit).
        """
        self._file, self._largest = file, largest
        size = file.seek(0, 2)
        file.seek(0)
        try:
            self._header = dcmread(_Bounded(file, largest), stop_before_pixels=True)
            self._syntax = self._header.file_meta.TransferSyntaxUID
        except _TooMuch as error:
            raise self._too_large(error.size) from error
        except Exception as error:
            raise PixelError("pixel.unreadable") from error
        if self._syntax == DeflatedExplicitVRLittleEndian:
            # It has no places: everything before a frame would have to be unfolded.
            raise self._too_large(size)
        self.frames = frame_count(self._header)
        self._vr = self._to_pixels()
        self._start = file.tell()

    def alone(self, frame: int) -> Dataset:
        """The data set as if frame number `frame` (from 1) were its only one.

        Pixels and the frame's own functional groups are its; the rest stands for all frames. Raises PixelError:
        `pixel.no_such_frame` (frame, frames), `pixel.truncated`, `pixel.too_large` (megabytes, limit).
        """
        if not 1 <= frame <= self.frames:
            raise PixelError("pixel.no_such_frame", frame=frame, frames=self.frames)
        self._file.seek(self._start)
        try:
            pixels = self._compressed(frame) if self._syntax.is_encapsulated else self._plain(frame)
        except PixelError:
            raise
        except _TooMuch as error:
            raise self._too_large(error.size) from error
        except Exception as error:
            raise PixelError("pixel.truncated") from error
        return self._with(frame, pixels)

    def _with(self, frame: int, pixels: bytes) -> Dataset:
        header = self._header
        tags = header.keys()
        found = Dataset({tag: header.get_item(tag) for tag in tags})
        found.file_meta = header.file_meta
        implicit, little = header.original_encoding
        found.set_original_encoding(implicit, little, header.original_character_set)
        for keyword in _OFFSETS:
            if keyword in found:
                delattr(found, keyword)
        if self.frames > 1:
            found.NumberOfFrames = 1
        groups = header.get(_GROUPS)
        if groups and frame <= len(groups):
            found.PerFrameFunctionalGroupsSequence = Sequence([groups[frame - 1]])
        found.add_new(_PIXEL_DATA, self._vr, pixels)
        found["PixelData"].is_undefined_length = bool(self._syntax.is_encapsulated)
        return found

    def _to_pixels(self) -> str:
        """Leaves the file at the first byte of the pixels' value; their VR."""
        order = "<" if self._syntax.is_little_endian else ">"
        head = self._file.read(8)
        if len(head) < 8 or struct.unpack(f"{order}HH", head[:4]) != _PIXEL_DATA:
            raise PixelError("pixel.no_pixels")
        if self._syntax.is_implicit_VR:
            return "OW"
        self._file.seek(4, 1)
        return head[4:6].decode("latin-1")

    def _compressed(self, frame: int) -> bytes:
        found = [self._header.get(keyword) for keyword in _OFFSETS]
        offsets = (bytes(found[0]), bytes(found[1])) if found[0] and found[1] else None
        stream = get_frame(
            _Bounded(self._file, self._largest),
            frame - 1,
            number_of_frames=self.frames,
            extended_offsets=offsets,
        )
        return encapsulate([stream], has_bot=False)

    def _plain(self, frame: int) -> bytes:
        bits = 1
        for keyword in ("Rows", "Columns", "BitsAllocated", "SamplesPerPixel"):
            bits *= int(self._header.get(keyword) or 1)
        if str(self._header.get("PhotometricInterpretation", "")).endswith("_422"):
            bits = bits * 2 // 3
        first, end = bits * (frame - 1), bits * frame
        length = (end + 7) // 8 - first // 8
        self._file.seek(first // 8, 1)
        data = _Bounded(self._file, self._largest).read(length)
        if len(data) < length:
            raise PixelError("pixel.truncated")
        if first % 8 or end % 8:
            # Frames of single bits follow each other without a gap (PS3.5 8.1.1).
            whole = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
            data = np.packbits(whole[first % 8 :][:bits], bitorder="little").tobytes()
        return data + bytes(len(data) % 2)

    def _too_large(self, size: int) -> PixelError:
        return PixelError("pixel.too_large", megabytes=size >> 20, limit=self._largest >> 20)


class _TooMuch(Exception):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class _Bounded:
    """A file of which no more than so much is read at once."""

    def __init__(self, file: BinaryIO, largest: int) -> None:
        self._file, self._largest = file, largest
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._largest:
            raise _TooMuch(size)
        return self._file.read(size)
