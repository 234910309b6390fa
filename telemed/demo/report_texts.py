"""Templates and short codes of one centre's ECG room, here as everywhere rows."""

from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.writing import ReportText, TextKind

_MACROS = {
    "sb": ("窦性心动过缓", "窦性心动过缓"),
    "st": ("窦性心动过速", "窦性心动过速"),
    "af": ("心房颤动", "心房颤动"),
    "pvc": ("室性早搏", "室性早搏"),
    "pac": ("房性早搏", "房性早搏"),
    "rbbb": ("完全性右束支阻滞", "完全性右束支阻滞"),
    "lbbb": ("完全性左束支阻滞", "完全性左束支阻滞"),
    "stt": ("ST-T 改变", "ST-T 改变，请结合临床"),
    "qj": ("请结合临床", "请结合临床，必要时复查"),
}
_TEMPLATES = {
    "taf": (
        "心房颤动",
        "P 波消失，代之以大小、形态、间距不等的 f 波，R-R 间期绝对不等。",
        "心房颤动",
        "请结合临床，评估卒中风险。",
    ),
    "tsb": (
        "窦性心动过缓",
        "窦性 P 波，P-R 间期恒定，心室率减慢。",
        "窦性心动过缓",
        "请结合临床，必要时动态心电图。",
    ),
}


def seed_report_texts(world: World, uow: UnitOfWork, *, consortium_id: int) -> None:
    for code, (title, words) in _MACROS.items():
        _keep(world, uow, consortium_id, TextKind.MACRO, code, title, words)
    for code, (title, findings, impression, recommendation) in _TEMPLATES.items():
        _keep(world, uow, consortium_id, TextKind.TEMPLATE, code, title, findings, impression, recommendation)


def _keep(
    world: World,
    uow: UnitOfWork,
    consortium_id: int,
    kind: TextKind,
    code: str,
    title: str,
    findings: str,
    impression: str = "",
    recommendation: str = "",
) -> None:
    uow.writing.ensure_text(
        ReportText(
            uid=world.identifiers.uid(),
            consortium_id=consortium_id,
            kind=kind,
            code=code,
            title=title,
            modality="ECG",
            findings=findings,
            impression=impression,
            recommendation=recommendation,
        )
    )
