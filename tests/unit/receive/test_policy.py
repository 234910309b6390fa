"""Who may open an association, and what the others are told."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dicom_node.policy import Caller, Policy, Rejection, recognise
from telemed.domain.errors import Unavailable
from telemed.domain.people import Device

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receiving import Site

_uids = map(str, itertools.count())


def device(network: str, *, institution: int = 1, certificate: str | None = None) -> Device:
    return Device(
        uid=next(_uids),
        institution_id=institution,
        consortium_id=9,
        ae_title="CART",
        network=network,
        certificate_sha256=certificate,
    )


def caller(address: str = "10.20.1.7", certificate: str | None = None, called: str = "TELEMED") -> Caller:
    return Caller(
        calling_ae_title="TOWN_DR", called_ae_title=called, address=address, certificate_sha256=certificate
    )


def test_a_device_is_known_from_its_own_network_alone() -> None:
    cart = device("10.20.0.0/16")
    assert recognise([cart], caller()) is cart
    assert recognise([cart], caller("10.21.1.7")) is None
    assert recognise([cart], caller("::ffff:10.20.1.7")) is cart
    assert recognise([cart], caller("fe80::1%eth0")) is None
    assert recognise([], caller()) is None


def test_a_recorded_certificate_must_be_shown() -> None:
    cart = device("10.20.0.0/16", certificate="aa")
    assert recognise([cart], caller()) is None
    assert recognise([cart], caller(certificate="bb")) is None
    assert recognise([cart], caller(certificate="aa")) is cart


def test_the_same_title_at_two_institutions_is_told_apart_by_network_and_certificate() -> None:
    wide, narrow = device("10.0.0.0/8", institution=1), device("10.20.0.0/16", institution=2)
    proven = device("10.0.0.0/8", institution=3, certificate="aa")
    assert recognise([wide, narrow, proven], caller()) is narrow
    assert recognise([wide, narrow, proven], caller("10.99.0.1")) is wide
    assert recognise([wide, narrow, proven], caller(certificate="aa")) is proven


def test_between_two_institutions_that_fit_equally_nobody_guesses() -> None:
    assert recognise([device("10.0.0.0/8", institution=n) for n in (1, 2)], caller()) is None
    same = [device("10.0.0.0/8", institution=1) for _ in range(2)]
    assert recognise(same, caller()) is same[0]


def test_the_reasons_are_the_standards(town: Site) -> None:
    policy = Policy(town.world, "TELEMED")
    admitted = policy.admit(caller("127.0.0.1"))
    assert isinstance(admitted, Device)
    assert admitted.id == town.device_id
    assert policy.admit(caller("192.0.2.1")) is Rejection.CALLING_AE_NOT_RECOGNISED
    assert policy.admit(caller("127.0.0.1", called="OTHER")) is Rejection.CALLED_AE_NOT_RECOGNISED
    assert Rejection.CALLING_AE_NOT_RECOGNISED.value == (1, 1, 3)
    assert Rejection.CALLED_AE_NOT_RECOGNISED.value == (1, 1, 7)
    assert Rejection.LOCAL_LIMIT_EXCEEDED.value == (2, 3, 2)
    assert town.column("event", "kind") == ["association.rejected"] * 2


def test_a_device_that_was_switched_off_is_unknown(town: Site) -> None:
    with town.world.unit_of_work() as uow:
        uow.devices.get(town.device_id).active = False
        uow.commit()
    assert Policy(town.world, "TELEMED").admit(caller("127.0.0.1")) is Rejection.CALLING_AE_NOT_RECOGNISED


def test_a_machine_that_tries_again_and_again_fills_no_table(town: Site) -> None:
    policy = Policy(town.world, "TELEMED")
    for _ in range(50):
        policy.admit(caller("192.0.2.1"))
    assert town.count("event") == 1
    town.clock.instant += timedelta(minutes=2)
    policy.admit(caller("192.0.2.1"))
    assert town.count("event") == 2


def test_without_the_database_the_rejection_is_a_passing_one(town: Site) -> None:
    @contextmanager
    def gone(*, write: bool = True) -> Iterator[Any]:
        raise Unavailable("error.database_unavailable")
        yield

    policy = Policy(replace(town.world, unit_of_work=gone), "TELEMED")
    assert policy.admit(caller("127.0.0.1")) is Rejection.NOT_ANSWERING_NOW
    assert Rejection.NOT_ANSWERING_NOW.value[0] == 2


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10"])
def test_any_address_of_the_network_will_do(town: Site, address: str) -> None:
    assert isinstance(Policy(town.world, "TELEMED").admit(caller(address)), Device)
