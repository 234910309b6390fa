"""Where objects go from here: registered nodes, rules of forwarding, and what a device asked us to vouch for."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

# A destination that is away is asked again after 5, 10, 20 ... seconds, at most a quarter of an hour.
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=15)
# One object that is not taken, while others are: after 5, 20, 80 ... seconds, at most an hour.
_LONGEST_OF_ONE = timedelta(hours=1)


def pause_after(failures: int) -> timedelta:
    return min(_FIRST_PAUSE * (1 << min(max(failures - 1, 0), 16)), _LONGEST_PAUSE)


@dataclass(eq=False, kw_only=True)
class RemoteNode:
    """An application entity that we may call: a C-MOVE destination, a forwarding target, a device's own address.

    It belongs to an institution: only that institution's devices may name it.
    """

    uid: str
    institution_id: int
    consortium_id: int
    ae_title: str
    host: str
    port: int
    description: str = ""
    active: bool = True
    # Called over TLS: who signed its certificate (PEM; empty: whom this installation trusts), and the name in it
    # where that is not the host's.
    tls: bool = False
    certificate_authority: str = ""
    server_name: str = ""
    # How often in a row it did not answer, and since when: the pause before the next attempt grows with it.
    failures: int = 0
    failing_since: datetime | None = None
    id: int = field(init=False)
    version: int = field(init=False)

    def answered(self) -> None:
        self.failures, self.failing_since = 0, None

    def failed(self, now: datetime) -> datetime:
        """Returns when to try again."""
        self.failures += 1
        self.failing_since = self.failing_since or now
        return now + pause_after(self.failures)


@dataclass(eq=False, kw_only=True)
class ForwardRule:
    """Whole studies of an institution go to a node of the same consortium. An empty modality fits all."""

    uid: str
    institution_id: int
    consortium_id: int
    remote_node_id: int
    modality: str = ""
    # What our models said of these studies goes too: an archive is asked first whether it wants it.
    with_made: bool = False
    active: bool = True
    id: int = field(init=False)
    version: int = field(init=False)


class ForwardState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    # The other side will not take it: a person decides whether it is sent again.
    REFUSED = "refused"


@dataclass(eq=False, kw_only=True)
class ForwardItem:
    """One object in the queue of one destination."""

    remote_node_id: int
    object_id: int
    study_id: int
    institution_id: int
    consortium_id: int
    created_at: datetime
    state: ForwardState = ForwardState.WAITING
    attempts: int = 0
    last_status: int | None = None
    # None: it was never put off, and goes before those that were.
    due_at: datetime | None = None
    sent_at: datetime | None = None
    id: int = field(init=False)

    def put_off(self, now: datetime, status: int | None) -> None:
        """It was tried in vain. `status` of the other side; None where the line broke over it."""
        self.attempts, self.last_status = self.attempts + 1, status
        self.due_at = now + min(_FIRST_PAUSE * (1 << min(2 * (self.attempts - 1), 16)), _LONGEST_OF_ONE)


class CommitmentState(StrEnum):
    ASKED = "asked"
    REPORTED = "reported"
    GIVEN_UP = "given_up"


@dataclass(eq=False, kw_only=True)
class CommitmentRequest:
    """A device asks whether it may delete: the answer goes to it on an association of its own."""

    uid: str
    institution_id: int
    consortium_id: int
    device_id: int
    transaction_uid: str
    # (SOP Class UID, SOP Instance UID) pairs.
    objects: list[list[str]]
    created_at: datetime
    state: CommitmentState = CommitmentState.ASKED
    failures: int = 0
    reported_at: datetime | None = None
    id: int = field(init=False)
    version: int = field(init=False)

    def failed(self, now: datetime, kept: timedelta) -> datetime | None:
        """Returns when to try again, or None where it is given up: `kept` is how long a device is tried."""
        self.failures += 1
        if now - self.created_at > kept:
            self.state = CommitmentState.GIVEN_UP
            return None
        return now + pause_after(self.failures)
