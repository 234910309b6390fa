"""What goes wrong inside is in the log by its place; its message, which may quote a patient, is not."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ai_models.http_message import guarded
from dicom_node.commitment import on_action
from dicom_node.statuses import Status
from dicom_node.store import StoreService

SECRET = "虚构甲 19600229"
DEVICE: Any = SimpleNamespace(ae_title="A1_ECG")


class Intake:
    def receive(self, _: object) -> None:
        raise ValueError(SECRET)


class Line:
    """That of a machine whose query cannot be read for a reason nobody foresaw."""

    device = DEVICE

    def __getattr__(self, name: str) -> Any:
        return lambda *given, **more: False


def fault(*_: object) -> Any:
    raise ValueError(SECRET)


def stored() -> None:
    service = StoreService(cast("Any", Intake()))
    arriving: Any = SimpleNamespace(sop_instance_uid="2.25.1")
    assert service.store(DEVICE, arriving)[0] is Status.PROCESSING_FAILURE


def committed() -> None:
    event: Any = SimpleNamespace(assoc=SimpleNamespace(device=DEVICE), request=Refusing())
    assert on_action(event, cast("Any", None))[0].Status == Status.PROCESSING_FAILURE


class Refusing:
    @property
    def ActionTypeID(self) -> int:
        raise ValueError(SECRET)


def inferred() -> None:
    assert guarded(fault).status == 500


@pytest.mark.parametrize("failing", [stored, committed, inferred])
def test_a_fault_s_message_stays_out_of_the_log(failing: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        failing()
    assert "builtins.ValueError" in caplog.text
    assert "test_faults_in_the_log" in caplog.text
    assert SECRET not in caplog.text
