"""A folder that ECG machines drop their files into.

A file is taken when nothing about it changed for a while, so that one still being copied is left alone. After
the import it moves to `done/`, or to `refused/` beside a text that says why. The move comes last: cut at any
point, the next run finds the file again, and importing it twice is a repeat.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from telemed.application.import_ecg import Imported, ImportFile
from telemed.domain.errors import DomainError
from telemed.imaging.formats import LARGEST_FILE, FormatError, Kind, detect, signal_files

DONE, REFUSED = "done", "refused"
# What copying programs and browsers call a file that is not whole yet.
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".swp")
_SIGNALS = (".dat", ".mat")
# A file of nothing, and a recording whose other half is missing, get more time before they are refused.
_PATIENCE = 20


@dataclass
class _Seen:
    size: int
    changed_ns: int
    since: float


class WatchedFolder:
    """`take` imports files and answers for each recording; `explain` puts a fault into words for a person."""

    def __init__(
        self,
        folder: Path,
        take: Callable[[Sequence[ImportFile]], Sequence[Imported]],
        explain: Callable[[DomainError], str],
        *,
        settle_s: float = 3.0,
    ) -> None:
        self.folder, self._take, self._explain, self._settle_s = folder, take, explain, settle_s
        self._seen: dict[str, _Seen] = {}
        for name in (DONE, REFUSED):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def sweep(self, now: float) -> list[Imported]:
        """Look once, at a monotonic time in seconds; import what is whole. Raises nothing about a single file."""
        files = self._whole(now)
        if not files:
            return []
        answers = list(self._take(files))
        for answer in answers:
            if not answer.again_later:
                self._file_away(answer)
        return answers

    def _whole(self, now: float) -> list[ImportFile]:
        """The files that stood still long enough, with all that belongs to them."""
        present: dict[str, float] = {}
        for entry in sorted(os.scandir(self.folder), key=lambda entry: entry.name):
            if entry.is_file(follow_symlinks=False) and not _is_unfinished(entry.name):
                stood = self._stood_still(entry, now)
                if stood >= self._settle_s:
                    present[entry.name] = stood
        self._seen = {name: seen for name, seen in self._seen.items() if (self.folder / name).exists()}
        files = {name: file for name in present if (file := self._read(name)) is not None}
        patience = self._settle_s * _PATIENCE
        waiting = _incomplete(files)
        return [file for name, file in files.items() if name not in waiting or present[name] >= patience]

    def _stood_still(self, entry: os.DirEntry[str], now: float) -> float:
        status = entry.stat(follow_symlinks=False)
        seen = self._seen.get(entry.name)
        if seen is None or (seen.size, seen.changed_ns) != (status.st_size, status.st_mtime_ns):
            self._seen[entry.name] = seen = _Seen(status.st_size, status.st_mtime_ns, now)
        return now - seen.since

    def _read(self, name: str) -> ImportFile | None:
        path = self.folder / name
        try:
            with path.open("rb") as handle:
                # One byte more than is taken: the reader then says that it is too large.
                return ImportFile(name, handle.read(LARGEST_FILE + 1))
        except OSError:
            # Gone again, or held by the program that writes it; the next look decides.
            self._seen.pop(name, None)
            return None

    def _file_away(self, answer: Imported) -> None:
        target = self.folder / (DONE if answer.fault is None else REFUSED)
        for name in answer.names:
            path = self.folder / name
            try:
                free = _free_name(target, name, path)
                if answer.fault is not None:
                    _write_whole(
                        target / f"{free}.txt", f"{self._explain(answer.fault)}\n{answer.fault.code}\n"
                    )
                path.rename(target / free)
            except FileNotFoundError:
                # Another watcher of the same folder, or a person, was first.
                continue
            finally:
                self._seen.pop(name, None)
        for folder in (target, self.folder):
            _sync(folder)


def _is_unfinished(name: str) -> bool:
    return name.startswith((".", "~")) or name.lower().endswith(_UNFINISHED)


def _incomplete(files: dict[str, ImportFile]) -> set[str]:
    """Empty files, WFDB headers whose signals are not there, and signals whose header is not."""
    waiting, claimed = set(), set()
    for name, file in files.items():
        if not file.data:
            waiting.add(name)
        elif detect(file.data) is Kind.WFDB and not name.lower().endswith(_SIGNALS):
            try:
                named = signal_files(file.data)
            except FormatError:
                # Damaged: importing it says so.
                continue
            if all(one in files for one in named):
                claimed |= set(named)
            else:
                waiting.add(name)
    return waiting | {name for name in files if name.lower().endswith(_SIGNALS) and name not in claimed}


def _free_name(folder: Path, name: str, path: Path) -> str:
    if not (folder / name).exists():
        return name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{path.stem}-{digest}{path.suffix}"


def _write_whole(path: Path, text: str) -> None:
    """Whole or not at all, so that a cut leaves no half of a reason."""
    draft = path.with_name(path.name + ".tmp")
    with draft.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(path)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
