"""Whether an object that arrives under a known UID is the one that is held: asked where their digests differ."""

import hashlib

from telemed.application.arrival import Incoming
from telemed.application.objects import opened, read_object
from telemed.application.world import World
from telemed.domain.errors import DomainError, Unavailable
from telemed.domain.study import StoredObject
from telemed.imaging.header import dataset_offset
from telemed.imaging.sameness import same_content

# Two forms of one object are compared in memory; larger ones are a person's to compare.
_LARGEST_COMPARED = 1 << 28
# The head before a data set ends long before this.
_HEAD = 1 << 16
_PIECE = 1 << 20


def same_object(world: World, item: Incoming, held: StoredObject) -> bool:
    """The same data set byte for byte; of another transfer syntax, the same when it is decoded.

    False where that cannot be told: the newcomer is then kept beside the other, and a person looks at them. Raises
    Unavailable where the one that is held cannot be read now.
    """
    compare = _same_bytes if held.transfer_syntax_uid == item.transfer_syntax_uid else _same_decoded
    try:
        return compare(world, item, held)
    except Unavailable as error:
        if error.code != "error.object_missing":
            raise
        return False


def _same_bytes(world: World, item: Incoming, held: StoredObject) -> bool:
    with item.part.mapped() as new:
        start = dataset_offset(new[:_HEAD])
        with memoryview(new) as whole, whole[start:] as data_set:
            if hashlib.sha256(data_set).hexdigest() == held.dataset_sha256:
                # Whether or not the other's bytes are still there: these may take their place.
                return True
        with opened(world, held) as old:
            behind = dataset_offset(old.read(_HEAD))
            if len(new) - start != held.size - behind:
                return False
            old.seek(behind)
            return all(old.read(_PIECE) == new[at : at + _PIECE] for at in range(start, len(new), _PIECE))


def _same_decoded(world: World, item: Incoming, held: StoredObject) -> bool:
    if max(held.size, item.part.size) > _LARGEST_COMPARED:
        return False
    content = read_object(world, held)
    try:
        return same_content(content, item.part.content())
    except DomainError:
        return False
