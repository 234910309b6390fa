"""DICOM files from a browser: the same `receive` as from a machine, and an answer for each file."""

import hashlib
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import UploadFile

from telemed.application.receive import Received, receive_each
from telemed.application.world import World
from telemed.domain.access import Action, Actor
from telemed.domain.errors import DomainError, InvalidInput
from telemed.imaging.formats import LARGEST_FILE
from telemed.web.api.shapes import UploadedOut, UploadsOut
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.intake import Taken, take, together
from telemed.web.security import CurrentActor
from telemed.web.words import explain

router = APIRouter(prefix="/uploads", tags=["uploads"])

MOST_FILES = 2000
# One durable round and one commit for so many files.
_BATCH = 32

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                }
            }
        },
    }
}


async def uploaded_files(request: Request, _: CurrentActor) -> list[UploadFile]:
    """Read only after the sender is known: nobody else fills our disk with temporary files."""
    form = await request.form(max_files=MOST_FILES, max_fields=20)
    files = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
    if not files:
        raise InvalidInput("error.no_files", field="files")
    return files


_rule = guard(Action.UPLOAD)
_rule["openapi_extra"] |= _BODY


@router.post("", **_rule)
def upload(
    world: TheWorld, actor: CurrentActor, files: Annotated[list[UploadFile], Depends(uploaded_files)]
) -> UploadsOut:
    """Every file has its own answer; a bad one stops no other. Whatever is not refused is safe now."""
    answers: dict[int, UploadedOut] = {}
    recordings = together(files)
    for start in range(0, len(recordings), _BATCH):
        answers |= _receive(world, actor, files, recordings[start : start + _BATCH])
    refused = sum(answer.status == "refused" for answer in answers.values())
    return UploadsOut(
        objects=[answers[index] for index in range(len(files))],
        accepted=len(answers) - refused,
        refused=refused,
    )


def _receive(
    world: World, actor: Actor, files: Sequence[UploadFile], recordings: Sequence[tuple[int, ...]]
) -> dict[int, UploadedOut]:
    """The answer of each file of `recordings`, by its place among `files`."""
    faults: dict[tuple[int, ...], DomainError] = {}
    taken: dict[tuple[int, ...], Taken] = {}
    for recording in recordings:
        file, *signals = (files[index] for index in recording)
        try:
            taken[recording] = take(world, actor, file.file, file.filename or "", _contents(signals))
        except DomainError as fault:
            faults[recording] = fault
    outcomes: Sequence[Received | DomainError]
    try:
        outcomes = receive_each(world, [one.incoming for one in taken.values()])
    except DomainError as fault:
        outcomes = [fault] * len(taken)
    kept = [
        (recording, one, outcome)
        for (recording, one), outcome in zip(taken.items(), outcomes, strict=True)
        if isinstance(outcome, Received)
    ]
    faults |= {
        recording: outcome
        for recording, outcome in zip(taken, outcomes, strict=True)
        if isinstance(outcome, DomainError)
    }
    answers = {
        index: _refused(files[index], fault, actor)
        for recording, fault in faults.items()
        for index in recording
    }
    for (main, *beside), one, outcome in kept:
        answers[main] = _kept(files[main], outcome, one.sha256, one.size)
        for index in beside:
            answers[index] = _kept(files[index], outcome, _digest(files[index]), files[index].size or 0)
    return answers


def _contents(signals: Sequence[UploadFile]) -> dict[str, bytes]:
    """By name. Raises InvalidInput for a file that no recording of ten seconds comes near."""
    found = {one.filename or "": one.file.read(LARGEST_FILE + 1) for one in signals}
    if any(len(content) > LARGEST_FILE for content in found.values()):
        raise InvalidInput("error.file_too_large", limit=LARGEST_FILE)
    return found


def _kept(file: UploadFile, outcome: Received, sha256: str, size: int) -> UploadedOut:
    return UploadedOut(
        file=file.filename or "",
        status=outcome.reception.value,
        sop_instance_uid=outcome.sop_instance_uid,
        study_instance_uid=outcome.study_instance_uid,
        sha256=sha256,
        size=size,
    )


def _digest(file: UploadFile) -> str:
    file.file.seek(0)
    return hashlib.file_digest(file.file, "sha256").hexdigest()  # type: ignore[arg-type]


def _refused(file: UploadFile, fault: DomainError, actor: Actor) -> UploadedOut:
    return UploadedOut(
        file=file.filename or "",
        status="refused",
        sha256=_digest(file),
        size=file.size or 0,
        problem=explain(fault, actor.language),
        code=fault.code,
    )
