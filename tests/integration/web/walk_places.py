"""Real rows of one township, for the parameters of every path that the walk takes."""

from __future__ import annotations

from dataclasses import dataclass

from telemed.application.usual_critical_values import seed_critical_values
from telemed.domain.critical import EscalationStep
from telemed.domain.exchange import ForwardRule, RemoteNode
from telemed.domain.hanging import HangingRule
from telemed.domain.notice import Notice
from telemed.domain.people import Role
from telemed.domain.writing import Demanded, Part, ReportText, RequiredPart, TextKind
from tests.cast import HOSPITAL_A, TOWNSHIP_A1, Cast
from tests.integration.web.conftest import Way
from tests.integration.web.walked import JOB_NOTICE, WALKED, add_walked


@dataclass
class Places:
    """Real ids of township A1's data, for the parameters of every path."""

    way: Way
    report_id: str
    notice_id: str
    series_uid: str
    delivery_ids: dict[str, str]
    critical_id: str
    institution_id: str
    patient_uid: str

    def fill(self, template: str, username: str) -> str:
        values = {
            "case_id": self.way.case_id,
            "report_id": self.report_id,
            "study_instance_uid": self.way.study_uid,
            "study": self.way.study_uid,
            "series": self.series_uid,
            "sop": self.way.sop_uid,
            "sop_instance_uid": self.way.sop_uid,
            "frame": "1",
            "frames": "1",
            "address": "54000100/0/54001010",
            "name": "fictional-ecg",
            "notice_id": JOB_NOTICE if "/jobs/" in template else self.notice_id,
            # A doubt about whose it is: the notice is the entry of the correction list.
            "correction_id": self.notice_id,
            "critical_id": self.critical_id,
            "institution_id": self.institution_id,
            "patient_uid": self.patient_uid,
            "node_id": "walk-node",
            "failure_id": "walk-failure",
            "part_id": "walk-part",
            "mark_id": "walk-mark",
            "text_id": "walk-text",
            "hanging_id": "walk-hanging",
            "rule_id": "walk-rule",
            "step_id": "walk-step",
            **WALKED,
            "delivery_id": self.delivery_ids.get(username, self.delivery_ids["technician"]),
        }
        # A parameter that takes slashes says so behind its name.
        return template.replace(":path}", "}").format(**values)


def walked_failure(cast: Cast) -> Notice:
    """Of a job that is gone: starting it again settles the notice."""
    house = cast.sites[HOSPITAL_A]
    assert house.consortium_id is not None
    return Notice(
        uid="walk-failure",
        institution_id=house.id,
        consortium_id=house.consortium_id,
        code="notice.job_failed",
        cause_key="walk-failure",
        created_at=cast.clock.now(),
        facts={"job": 0, "kind": "deliver_report", "error": "error.worker_lost", "attempts": 8},
    )


def walked_node(cast: Cast) -> None:
    """A node of township A1 and a rule to it."""
    site = cast.sites[TOWNSHIP_A1]
    assert site.consortium_id is not None
    node = RemoteNode(
        uid="walk-node", institution_id=site.id, consortium_id=site.consortium_id,
        ae_title="WALK", host="127.0.0.1", port=1,
    )  # fmt: skip
    part = RequiredPart(
        uid="walk-part", consortium_id=site.consortium_id, part=Part.FINDINGS, demanded=Demanded.ALWAYS
    )
    text = ReportText(
        uid="walk-text",
        consortium_id=site.consortium_id,
        kind=TextKind.MACRO,
        code="w",
        title="虚构",
        findings="虚构",
    )
    hanging = HangingRule(
        uid="walk-hanging",
        consortium_id=site.consortium_id,
        institution_id=site.id,
        modality="MG",
        prior=True,
        window=1,
    )
    with cast.world.unit_of_work() as uow:
        uow.notices.raise_once(walked_failure(cast))
        uow.writing.ensure_required(part)
        uow.writing.ensure_text(text)
        uow.writing.ensure_hanging(hanging)
        uow.remote_nodes.add(node)
        uow.flush()
        rule = ForwardRule(
            uid="walk-rule", institution_id=site.id, consortium_id=site.consortium_id, remote_node_id=node.id
        )
        uow.remote_nodes.add_rule(rule)
        step = EscalationStep(
            uid="walk-step",
            consortium_id=site.consortium_id,
            rank=9,
            code="walk",
            minutes=99,
            role=Role.TECHNICIAN,
        )
        uow.critical.add(step)
        uow.commit()
    add_walked(cast, site)


def told_critical(cast: Cast, way: Way) -> str:
    """A critical value that its recipients were told."""
    hospital = cast.sites[HOSPITAL_A]
    assert hospital.consortium_id is not None
    with cast.world.unit_of_work() as uow:
        seed_critical_values(cast.world, uow, consortium_id=hospital.consortium_id, hospital_id=hospital.id)
        uow.commit()
    raised = way.program("reporting").post(f"{way.path}/critical", {"code": "ecg.avb3"})
    way.program("reviewing").post(f"/api/v1/critical/{raised['id']}/confirm")
    return str(raised["id"])
