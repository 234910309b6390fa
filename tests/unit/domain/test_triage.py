"""What an AI finding may do to a case: raise it."""

from hypothesis import given
from hypothesis import strategies as st

from telemed.domain.order import Priority
from telemed.domain.triage import TriageRule, raised_priority
from tests.unit.domain.builders import case

FINDINGS = ["AFIB", "MI", "STTC", "NORM"]


def triage(finding: str, priority: Priority, *, modality: str = "ECG", active: bool = True) -> TriageRule:
    return TriageRule(
        uid=f"triage {finding}",
        consortium_id=9,
        modality=modality,
        finding=finding,
        priority=priority,
        active=active,
    )


rule_lists = st.lists(
    st.builds(
        lambda finding, priority, modality, active: triage(
            finding, priority, modality=modality, active=active
        ),
        st.sampled_from(FINDINGS),
        st.sampled_from(Priority),
        st.sampled_from(["ECG", "DX"]),
        st.booleans(),
    )
)
flags = st.lists(st.sampled_from(FINDINGS))


@given(st.sampled_from(Priority), flags, rule_lists)
def test_no_rule_and_no_finding_ever_lowers_a_case(
    current: Priority, flagged: list[str], rules: list[TriageRule]
) -> None:
    priority, because = raised_priority(current, "ECG", flagged, rules)
    assert priority <= current
    assert (because == "") == (priority == current)
    assert because in ("", *flagged)


@given(st.sampled_from(Priority), flags, rule_lists)
def test_a_case_keeps_the_most_urgent_it_ever_was(
    current: Priority, flagged: list[str], rules: list[TriageRule]
) -> None:
    found = case(effective_priority=current)
    found.raise_to(*raised_priority(current, "ECG", flagged, rules))
    once = found.effective_priority
    found.raise_to(*raised_priority(once, "ECG", flagged, rules))
    assert current >= once == found.effective_priority


def test_the_most_urgent_rule_gives_the_priority_and_the_reason() -> None:
    rules = [triage("AFIB", Priority.URGENT), triage("MI", Priority.STAT)]
    assert raised_priority(Priority.ROUTINE, "ECG", ["AFIB", "MI"], rules) == (Priority.STAT, "MI")


def test_a_rule_of_another_modality_or_one_switched_off_raises_nothing() -> None:
    rules = [triage("MI", Priority.STAT, modality="DX"), triage("MI", Priority.STAT, active=False)]
    assert raised_priority(Priority.ROUTINE, "ECG", ["MI"], rules) == (Priority.ROUTINE, "")


def test_a_finding_without_a_rule_raises_nothing() -> None:
    assert raised_priority(Priority.ROUTINE, "ECG", ["NORM"], [triage("MI", Priority.STAT)]) == (
        Priority.ROUTINE,
        "",
    )
