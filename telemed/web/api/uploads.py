"""DICOM files from a browser: the same `receive` as from a machine, and an answer for each file."""

import hashlib
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import UploadFile

from telemed.application.receive import receive
from telemed.application.world import World
from telemed.domain.access import Action, Actor
from telemed.domain.errors import DomainError, InvalidInput
from telemed.web.api.shapes import UploadedOut, UploadsOut
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.intake import Taken, take
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
    answers: list[UploadedOut] = []
    for start in range(0, len(files), _BATCH):
        answers += _receive(world, actor, files[start : start + _BATCH])
    refused = sum(answer.status == "refused" for answer in answers)
    return UploadsOut(objects=answers, accepted=len(answers) - refused, refused=refused)


def _receive(world: World, actor: Actor, files: Sequence[UploadFile]) -> list[UploadedOut]:
    answers: dict[int, UploadedOut] = {}
    taken: dict[int, Taken] = {}
    for index, file in enumerate(files):
        try:
            taken[index] = take(world, actor, file.file, file.filename or "")
        except DomainError as fault:
            answers[index] = _refused(file, fault, actor)
    try:
        received = receive(world, [one.incoming for one in taken.values()])
    except DomainError as fault:
        return [answers.get(index) or _refused(file, fault, actor) for index, file in enumerate(files)]
    for (index, one), outcome in zip(taken.items(), received, strict=True):
        answers[index] = UploadedOut(
            file=files[index].filename or "",
            status=outcome.reception.value,
            sop_instance_uid=outcome.sop_instance_uid,
            study_instance_uid=outcome.study_instance_uid,
            sha256=one.sha256,
            size=one.size,
        )
    return [answers[index] for index in range(len(files))]


def _refused(file: UploadFile, fault: DomainError, actor: Actor) -> UploadedOut:
    file.file.seek(0)
    return UploadedOut(
        file=file.filename or "",
        status="refused",
        sha256=hashlib.file_digest(file.file, "sha256").hexdigest(),  # type: ignore[arg-type]
        size=file.size or 0,
        problem=explain(fault, actor.language),
        code=fault.code,
    )
