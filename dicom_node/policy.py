"""Who may open an association: a known device, from its network, with the certificate that is asked of it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Lock

from dicom_node.tls import chain_of
from telemed.application.record import record
from telemed.application.refused_certificates import notify_of_device
from telemed.application.world import World
from telemed.dimse.tls import TlsReason, digests
from telemed.domain.errors import DomainError
from telemed.domain.events import Kind
from telemed.domain.people import Device, Institution

log = logging.getLogger(__name__)

# A machine with a wrong title tries again every few seconds: one event a minute tells as much as a thousand.
_QUIET = timedelta(minutes=1)
_MOST_REMEMBERED = 1000


class Rejection(Enum):
    """Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 table 9-21)."""

    CALLING_AE_NOT_RECOGNISED = (1, 1, 3)
    CALLED_AE_NOT_RECOGNISED = (1, 1, 7)
    NOT_ANSWERING_NOW = (2, 3, 1)
    LOCAL_LIMIT_EXCEEDED = (2, 3, 2)


@dataclass(frozen=True, kw_only=True)
class Caller:
    calling_ae_title: str
    called_ae_title: str
    address: str
    certificate_sha256: str | None = None


class Policy:
    def __init__(self, world: World, ae_title: str) -> None:
        self._world, self._ae_title = world, ae_title
        self._told: dict[tuple[str, str, str], datetime] = {}
        self._lock = Lock()

    def admit(self, caller: Caller) -> Device | Rejection:
        try:
            with self._world.unit_of_work(write=False) as uow:
                titled = uow.devices.by_ae_title(caller.calling_ae_title)
                sites = {id_: uow.institutions.get(id_) for id_ in {one.institution_id for one in titled}}
        except DomainError as error:
            log.error("no association is admitted: %s", error)
            return Rejection.NOT_ANSWERING_NOW
        device = recognise(titled, caller, sites)
        if device is None:
            unproven = [one for one in titled if _distance(one, caller) is not None]
            return self._reject(
                caller, Rejection.CALLING_AE_NOT_RECOGNISED, unproven or titled, bool(unproven)
            )
        if caller.called_ae_title != self._ae_title:
            return self._reject(caller, Rejection.CALLED_AE_NOT_RECOGNISED, [device])
        return device

    def over_limit(self, caller: Caller, device: Device) -> Rejection:
        return self._reject(caller, Rejection.LOCAL_LIMIT_EXCEEDED, [device])

    def _reject(
        self, caller: Caller, reason: Rejection, titled: Sequence[Device], unproven: bool = False
    ) -> Rejection:
        key = (caller.calling_ae_title, caller.address, reason.name)
        now = self._world.clock.now()
        with self._lock:
            last = self._told.get(key)
            if last is not None and now - last < _QUIET:
                return reason
            if len(self._told) >= _MOST_REMEMBERED:
                self._told.clear()
            self._told[key] = now
        log.warning(
            "association rejected: %s, calling %r, called %r, from %s",
            reason.name.lower(),
            caller.calling_ae_title,
            caller.called_ae_title,
            caller.address,
        )
        self._record(caller, reason, titled[0] if titled else None, unproven)
        return reason

    def _record(self, caller: Caller, reason: Rejection, device: Device | None, unproven: bool) -> None:
        try:
            with self._world.unit_of_work() as uow:
                record(
                    self._world,
                    uow,
                    Kind.ASSOCIATION_REJECTED,
                    device_id=device.id if device else None,
                    institution_id=device.institution_id if device else None,
                    consortium_id=device.consortium_id if device else None,
                    reason=reason.name.lower(),
                    calling_ae_title=caller.calling_ae_title,
                    called_ae_title=caller.called_ae_title,
                    address=caller.address,
                    certificate=caller.certificate_sha256,
                )
                if device is not None and unproven:
                    absent = caller.certificate_sha256 is None
                    why = TlsReason.CERTIFICATE_ABSENT if absent else TlsReason.OTHER_CERTIFICATE
                    notify_of_device(self._world, uow, device, address=caller.address, reason=why)
                uow.commit()
        except DomainError as error:
            # The rejection itself stands; the log above has told of it.
            log.error("the rejection could not be recorded: %s", error)


def recognise(
    titled: Sequence[Device], caller: Caller, sites: Mapping[int, Institution] | None = None
) -> Device | None:
    """The device among those of the caller's AE title; AE titles repeat in the field.

    A certificate that is recorded, or that the site demands, must be shown. A match by the machine's own certificate
    goes before one by its site's authority, that before one by network alone, and a narrow network before a wide
    one. Where two institutions fit equally well, neither is guessed.
    """
    found: list[tuple[tuple[int, int], Device]] = []
    for device in titled:
        distance = _distance(device, caller)
        proof = _proof(device, caller, (sites or {}).get(device.institution_id))
        if distance is not None and proof is not None:
            found.append(((proof, distance), device))
    if not found:
        return None
    best = max(rank for rank, _ in found)
    fitting = [device for rank, device in found if rank == best]
    return fitting[0] if len({device.institution_id for device in fitting}) == 1 else None


def _proof(device: Device, caller: Caller, site: Institution | None) -> int | None:
    """How well the caller proves to be this device; None where it is not enough."""
    shown = caller.certificate_sha256
    if device.certificate_sha256:
        return 2 if device.certificate_sha256 == shown else None
    if (
        site is not None
        and site.certificate_authority
        and chain_of(shown) & digests(site.certificate_authority)
    ):
        return 1
    return None if site is not None and site.certificate_demanded else 0


def _distance(device: Device, caller: Caller) -> int | None:
    """The length of the network's prefix that the caller's address lies in."""
    network = ip_network(device.network, strict=False)
    return network.prefixlen if _address(caller.address) in network else None


def _address(address: str) -> IPv4Address | IPv6Address:
    parsed = ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
