"""TLS that failed: whom the door trusts, and how a person hears of a machine that it does not."""

import logging
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

from telemed.application.notifying import notify_institution
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.dimse.tls import TlsReason
from telemed.domain.errors import DomainError
from telemed.domain.events import Kind
from telemed.domain.people import Device

log = logging.getLogger(__name__)

# A machine tries again every few seconds; once a minute is written down, once a day a person is told.
_QUIET = timedelta(minutes=1)
_MOST_REMEMBERED = 1000


def site_authorities(world: World) -> str:
    """The authorities of all sites, PEM."""
    with world.unit_of_work(write=False) as uow:
        return "\n".join(uow.institutions.certificate_authorities())


class RefusedHandshakes:
    """Called by each line whose handshake failed: nobody has said yet who is calling, the address is all there is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._told: dict[tuple[str, TlsReason], datetime] = {}
        self._lock = Lock()

    def __call__(self, address: str, reason: TlsReason) -> None:
        now = self._world.clock.now()
        with self._lock:
            last = self._told.get((address, reason))
            if last is not None and now - last < _QUIET:
                return
            if len(self._told) >= _MOST_REMEMBERED:
                self._told.clear()
            self._told[address, reason] = now
        log.warning("TLS with %s failed: %s", address, reason.value)
        try:
            self._record(address, reason)
        except DomainError as error:
            # The refusal stands; the log above has told of it.
            log.error("the failed handshake could not be recorded: %s", error)

    def _record(self, address: str, reason: TlsReason) -> None:
        with self._world.unit_of_work() as uow:
            nearest = _nearest(uow, address)
            record(
                self._world,
                uow,
                Kind.ASSOCIATION_REJECTED,
                device_id=nearest.id if nearest else None,
                institution_id=nearest.institution_id if nearest else None,
                consortium_id=nearest.consortium_id if nearest else None,
                reason=reason.value,
                address=address,
            )
            if nearest is not None:
                notify_of_device(self._world, uow, nearest, address=address, reason=reason)
            uow.commit()


def notify_of_device(
    world: World, uow: UnitOfWork, device: Device, *, address: str, reason: TlsReason
) -> None:
    """The site's administrator, once a day for each machine and reason."""
    notify_institution(
        world,
        uow,
        "notice.certificate_refused",
        f"certificate:{device.uid}:{reason.value}:{world.clock.now():%Y%m%d}",
        institution_id=device.institution_id,
        consortium_id=device.consortium_id,
        ae_title=device.ae_title,
        address=address,
        error=reason.value,
    )


def _nearest(uow: UnitOfWork, address: str) -> Device | None:
    """The device in whose network the address lies, the narrowest one: it is this machine, or one beside it."""
    parsed = ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    wanted = mapped or parsed
    consortia = {site.consortium_id or site.id for site in uow.institutions.all()}
    fitting = [
        device
        for consortium in sorted(consortia)
        for device in uow.devices.of_consortium(consortium)
        if device.active and wanted in ip_network(device.network, strict=False)
    ]
    return max(fitting, key=lambda device: ip_network(device.network, strict=False).prefixlen, default=None)
