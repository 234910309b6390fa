"""A report that is withdrawn in the moment in which its document is made is handed out to nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from telemed.application.deliver import deliver_report
from tests.cast import Cast
from tests.integration.web.conftest import Way
from tests.integration.web.test_reassign import correct, order_for_right


@dataclass
class Slow:
    """Somebody corrects the study while the printer is at work."""

    printer: Any
    way: Way

    def render(self, *given: Any) -> bytes:
        correct(self.way)
        return self.printer.render(*given)  # type: ignore[no-any-return]


def test_a_report_withdrawn_while_it_is_printed_reaches_nobody(cast: Cast, way: Way) -> None:
    way.arrive()
    order_for_right(way)
    way.sign()
    way.approve()
    with cast.world.unit_of_work(write=False) as uow:
        (report,) = uow.reports.of_case(1)
    world = replace(cast.world, renderer=Slow(cast.world.renderer, way))
    deliver_report(world, report_id=report.id)
    with cast.world.unit_of_work(write=False) as uow:
        assert uow.reports.get(report.id).withdrawn_at is not None
        assert list(uow.deliveries.of_report(report.id)) == []
