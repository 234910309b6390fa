"""What a frame is decoded from: of a large object no more is read than the frame that is asked for."""

from types import TracebackType
from typing import BinaryIO, Self

from pydicom.dataset import Dataset

from telemed.application.objects import open_file, read_object
from telemed.application.world import World
from telemed.domain.study import StoredObject
from telemed.imaging.pixels.decode import parsed
from telemed.imaging.pixels.one_frame import FrameFile

# Read whole, as nearly every object is: a film has thirty megabytes. pydicom holds a second copy of it.
LARGEST_WHOLE = 64 << 20


class Frames:
    """Of one object, for as long as somebody asks for them; a context manager."""

    def __init__(self, world: World, stored: StoredObject) -> None:
        self._world, self._stored = world, stored
        self._whole: Dataset | None = None
        self._file: BinaryIO | None = None
        self._large: FrameFile | None = None

    def source(self, frame: int) -> tuple[Dataset, int]:
        """A data set, and the number (from 1) under which it holds frame number `frame`.

        Raises PixelError, and Unavailable where the bytes lie nowhere.
        """
        if self._stored.size > LARGEST_WHOLE:
            return self._from_file().alone(frame), 1
        if self._whole is None:
            self._whole = parsed(read_object(self._world, self._stored))
        return self._whole, frame

    def close(self) -> None:
        self._large = self._whole = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _from_file(self) -> FrameFile:
        if self._large is None:
            self._file = open_file(self._world, self._stored)
            self._large = FrameFile(self._file)
        return self._large
