"""What leaves this house of a recording that was filed anew: a copy under the person it is of.

Everything else leaves byte for byte as it was received. What is stored never changes.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from mmap import ACCESS_READ, mmap

from telemed.application.lost_objects import tell_lost
from telemed.application.objects import is_lost, opened, read_object
from telemed.application.ports import UnitOfWork
from telemed.application.stretch import Stretch
from telemed.application.world import World
from telemed.domain.errors import Unavailable
from telemed.domain.study import StoredObject, Study
from telemed.imaging.header import dataset_offset
from telemed.imaging.right_identity import RightIdentity, corrected_head, under

Identities = dict[int, RightIdentity]  # by the id of the series


def identities_of(world: World, uow: UnitOfWork, study: Study) -> Identities:
    """Empty for a study that no person has corrected."""
    if not uow.corrections.corrected([study.id]):
        return {}
    patient = uow.patients.get(study.patient_id)
    whose = RightIdentity(
        patient_id=patient.patient_id,
        name=patient.name,
        alphabetic=world.names.alphabetic(patient.name),
        sex=patient.sex,
        birth_date=f"{patient.birth_date:%Y%m%d}" if patient.birth_date else "",
        issuer=patient.issuer or uow.institutions.get(study.institution_id).code,
        accession_number=study.accession_number[:16],
        study_instance_uid=study.study_instance_uid,
        series_instance_uid="",
    )
    return {
        series.id: replace(whose, series_instance_uid=series.series_instance_uid)
        for series in uow.studies.series(study.id)
    }


def presented(world: World, stored: StoredObject, identities: Identities | None = None) -> bytes:
    """The Part 10 file for others. `identities` are those of its study, where they are known already."""
    if identities is None:
        with world.unit_of_work(write=False) as uow:
            identities = identities_of(world, uow, uow.studies.get(stored.study_id))
    content = read_object(world, stored)
    identity = identities.get(stored.series_id)
    return under(content, identity) if identity else content


@contextmanager
def data_set_of(world: World, stored: StoredObject) -> Iterator[Stretch]:
    """The data set without its file meta, read by pieces: as stored, or under the person it was corrected to.

    Raises Unavailable, and tells the institution, where the bytes are damaged or lie nowhere.
    """
    with world.unit_of_work(write=False) as uow:
        identity = identities_of(world, uow, uow.studies.get(stored.study_id)).get(stored.series_id)
    with _sliced(world, stored, identity, with_meta=False) as found:
        yield found


@contextmanager
def file_of(world: World, stored: StoredObject, identities: Identities) -> Iterator[Stretch]:
    """As `presented`, read by pieces. Raises as `data_set_of`."""
    with _sliced(world, stored, identities.get(stored.series_id), with_meta=True) as found:
        yield found


@contextmanager
def _sliced(
    world: World, stored: StoredObject, identity: RightIdentity | None, *, with_meta: bool
) -> Iterator[Stretch]:
    try:
        with opened(world, stored) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            offset = dataset_offset(data)
            rest, head = (offset, b"") if identity is None else corrected_head(data, identity)
            yield Stretch(file, rest, data[:offset] + head if with_meta else head)
    except Unavailable as fault:
        if is_lost(fault):
            tell_lost(world, stored, fault.code)
        raise


def variant(identities: Identities, stored: StoredObject) -> str:
    """What tells the copies of one object apart, for those who keep what they fetched."""
    identity = identities.get(stored.series_id)
    if identity is None:
        return ""
    text = "\x1f".join(map(str, astuple(identity)))
    return f"-of-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
