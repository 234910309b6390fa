"""The list of critical values a consortium begins with, its clock and its ladder: rows it replaces by its own.

The lists differ by province; these limits follow one of them (Zhejiang) and common hospital lists of imaging. The
warning lines are examples. Ten seconds of ECG can neither prove nor exclude what must last 30 s: the text says so.
"""

from dataclasses import dataclass, field

from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.critical import CriticalPolicy, CriticalRule, EscalationStep, Milestone, Tier
from telemed.domain.events import Kind
from telemed.domain.people import Institution, InstitutionKind, Role


@dataclass(frozen=True)
class Line:
    code: str
    modality: str
    text_zh: str
    text_en: str
    tier: Tier = Tier.CRITICAL
    findings: tuple[str, ...] = ()
    limits: dict[str, dict[str, float]] = field(default_factory=dict)


def _most(name: str, value: float) -> dict[str, dict[str, float]]:
    return {name: {"at_most": value}}


def _least(name: str, value: float) -> dict[str, dict[str, float]]:
    return {name: {"at_least": value}}


# Bazett's correction alone calls fast hearts long: the list names no formula, so both have to reach the limit.
_QTC_550 = _least("qtc_ms", 550) | _least("qtc_fridericia_ms", 550)
_QTC_500 = _least("qtc_ms", 500) | _least("qtc_fridericia_ms", 500)

# A line without findings and limits is raised by doctors alone: no model here knows it. So it is, for the time being,
# for the infarction pattern: the rule it names is withheld, because too few recordings show how it does.
LINES = (
    Line(
        "ecg.pause", "ECG", "长 RR 间期 ≥ 3.0 秒", "RR pause ≥ 3.0 s", limits=_least("longest_pause_ms", 3000)
    ),
    Line(
        "ecg.bradycardia",
        "ECG",
        "平均心室率 ≤ 35 次/分",
        "Mean ventricular rate ≤ 35/min",
        limits=_most("heart_rate_bpm", 35),
    ),
    Line(
        "ecg.avb3",
        "ECG",
        "首次发现三度房室传导阻滞",
        "Third-degree AV block, first found",
    ),
    Line(
        "ecg.af_fast",
        "ECG",
        "心房颤动/扑动,平均心室率 ≥ 200 次/分",
        "Atrial fibrillation or flutter, mean rate ≥ 200/min",
        findings=("AFIB", "ecg.atrial_fibrillation"),
        limits=_least("heart_rate_bpm", 200),
    ),
    Line(
        "ecg.svt",
        "ECG",
        "室上性心动过速 ≥ 200 次/分",
        "Supraventricular tachycardia ≥ 200/min",
        limits=_least("heart_rate_bpm", 200),
    ),
    Line(
        "ecg.vt",
        "ECG",
        "室性心动过速 ≥ 150 次/分(持续 ≥ 30 秒需另行确认)",
        "Ventricular tachycardia ≥ 150/min (≥ 30 s to be confirmed elsewhere)",
        findings=("ecg.wide_qrs_tachycardia",),
        limits=_least("heart_rate_bpm", 150),
    ),
    Line("ecg.vf", "ECG", "尖端扭转型室速、心室颤动/扑动", "Torsades, ventricular fibrillation or flutter"),
    Line(
        "ecg.preexcited_af",
        "ECG",
        "预激伴心房颤动,最短 RR ≤ 250 ms",
        "Pre-excited atrial fibrillation, shortest RR ≤ 250 ms",
        findings=("AFIB", "ecg.atrial_fibrillation"),
        limits=_most("rr_min_ms", 250),
    ),
    Line("ecg.qtc", "ECG", "QTc ≥ 0.55 秒", "QTc ≥ 0.55 s", limits=_QTC_550),
    Line(
        "ecg.ami",
        "ECG",
        "首次出现急性心肌梗死图形",
        "Acute myocardial infarction pattern, first seen",
        findings=("ecg.st_elevation_acute",),
    ),
    Line("ecg.hyperkalaemia", "ECG", "严重高钾血症图形", "Severe hyperkalaemia pattern"),
    Line(
        "ecg.warning.af_new",
        "ECG",
        "新发现的心房颤动/扑动",
        "Newly found atrial fibrillation or flutter",
        Tier.WARNING,
        findings=("AFIB", "ecg.atrial_fibrillation"),
    ),
    Line("ecg.warning.qtc", "ECG", "QTc ≥ 0.50 秒", "QTc ≥ 0.50 s", Tier.WARNING, limits=_QTC_500),
    Line("ct.bleeding", "CT", "大量或增大的颅内出血", "Large or growing intracranial bleeding"),
    Line("ct.herniation", "CT", "脑疝", "Brain herniation"),
    Line("ct.pe", "CT", "中央型肺栓塞", "Central pulmonary embolism"),
    Line("ct.dissection", "CT", "主动脉夹层", "Aortic dissection"),
    Line("dx.tension_pneumothorax", "DX", "张力性气胸", "Tension pneumothorax"),
    Line("dx.perforation", "DX", "消化道穿孔(膈下游离气体)", "Perforation (free air under the diaphragm)"),
    Line("dx.obstruction", "DX", "急性肠梗阻", "Acute bowel obstruction"),
    Line("dx.spine", "DX", "脊柱骨折伴椎管受压", "Spinal fracture with compression"),
    Line("dx.airway", "DX", "气道异物", "Foreign body in the airway"),
    Line("dx.warning.mass", "DX", "可疑肺部肿块", "Suspicious lung mass", Tier.WARNING),
    Line("us.tamponade", "US", "心包压塞", "Cardiac tamponade"),
    Line("us.organ_bleeding", "US", "实质脏器破裂出血", "Bleeding of a solid organ"),
)


def begin_critical_values(world: World, uow: UnitOfWork, site: Institution) -> None:
    """With a new consortium come list, clock and first step; with its first hospital the steps of the centre."""
    hospital = site.kind is InstitutionKind.HOSPITAL
    if site.consortium_id is not None and (hospital or site.parent_id is None):
        centre = site.id if hospital else None
        seed_critical_values(world, uow, consortium_id=site.consortium_id, hospital_id=centre)


def take_usual_list(world: World, *, actor: Actor) -> int:
    """Adds the lines the consortium has never had, and a clock and a first step where there is none.

    Returns how many lines are new.
    """
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        added = seed_critical_values(world, uow, consortium_id=actor.consortium_id, hospital_id=None)
        record(world, uow, Kind.CRITICAL_RULE_CHANGED, actor=actor, what="usual_list", added=added)
        uow.commit()
    return added


def seed_critical_values(
    world: World,
    uow: UnitOfWork,
    *,
    consortium_id: int,
    hospital_id: int | None,
    city_duty_id: int | None = None,
) -> int:
    """Lists, policy and ladder: team after 10 min, the centre's reviewing doctors after 15, the city after 20.

    What is there already stays as it is, lines that were ended too. Returns how many lines are new.
    """
    new = world.identifiers.uid
    added = _seed_lines(world, uow, consortium_id)
    if not uow.critical.policies(consortium_id):
        uow.critical.add(CriticalPolicy(uid=new(), consortium_id=consortium_id, same_doctor_at_night=True))
    steps = uow.critical.steps(consortium_id)
    if not steps:
        uow.critical.add(
            EscalationStep(
                uid=new(),
                consortium_id=consortium_id,
                rank=1,
                code="team",
                minutes=10,
                role=Role.FAMILY_DOCTOR,
            )
        )
    # A ladder with further steps is the consortium's own.
    if hospital_id is None or any(step.rank > 1 for step in steps):
        return added
    uow.critical.add(
        EscalationStep(
            uid=new(),
            consortium_id=consortium_id,
            rank=2,
            code="centre_head",
            minutes=15,
            role=Role.REVIEWING_DOCTOR,
            institution_id=hospital_id,
            before_check=True,
        )
    )
    uow.critical.add(
        EscalationStep(
            uid=new(),
            consortium_id=consortium_id,
            rank=3,
            code="city_duty",
            minutes=20,
            waits_for=Milestone.ACTED,
            user_id=city_duty_id,
            role=None if city_duty_id is not None else Role.REVIEWING_DOCTOR,
            institution_id=hospital_id,
            before_check=True,
        )
    )
    return added


def _seed_lines(world: World, uow: UnitOfWork, consortium_id: int) -> int:
    now = world.clock.now()
    known = {rule.code for rule in uow.critical.rules(consortium_id, ended=True)}
    missing = [line for line in LINES if line.code not in known]
    for line in missing:
        uow.critical.add(
            CriticalRule(
                uid=world.identifiers.uid(),
                consortium_id=consortium_id,
                code=line.code,
                edition=1,
                modality=line.modality,
                tier=line.tier,
                text_zh=line.text_zh,
                text_en=line.text_en,
                created_at=now,
                findings=list(line.findings),
                limits=dict(line.limits),
            )
        )
    return len(missing)
