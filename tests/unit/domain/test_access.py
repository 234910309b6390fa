"""Who may do what: the whole table, written out a second time."""

import pytest

from telemed.domain.access import ALLOWED, Action, Scope, case_scope, demand, may
from telemed.domain.errors import Forbidden
from telemed.domain.people import Role
from tests.unit.domain.builders import actor

TABLE = """
                technician  reporting_doctor  reviewing_doctor  family_doctor  administrator  system
see_self        yes         yes               yes               yes            yes            yes
order           yes         -                 -                 -              -              yes
upload          yes         -                 -                 -              -              yes
see_exams       yes         -                 -                 -              -              yes
see_case        yes         yes               yes               yes            -              yes
see_worklist    -           yes               yes               -              -              -
write_report    -           yes               yes               -              -              -
review_report   -           -                 yes               -              -              -
see_inbox       yes         -                 -                 yes            -              yes
see_critical    yes         yes               yes               yes            -              yes
answer_critical yes         yes               yes               yes            -              -
correct         yes         -                 -                 -              -              -
settle_repeat   yes         -                 -                 -              -              -
administer      -           -                 -                 -              yes            -
"""
HEAD, *LINES = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [
    (Action(name), Role(role), cell == "yes")
    for name, *cells in LINES
    for role, cell in zip(HEAD, cells, strict=True)
]


def test_the_table_names_every_action_and_every_role() -> None:
    assert {(action, role) for action, role, _ in CELLS} == {(a, r) for a in Action for r in Role}
    assert set(ALLOWED) == set(Role)


@pytest.mark.parametrize(("action", "role", "allowed"), CELLS)
def test_a_role_may_do_what_the_table_says_and_nothing_else(
    action: Action, role: Role, allowed: bool
) -> None:
    assert may(role, action) is allowed
    if allowed:
        demand(actor(role), action)
    else:
        with pytest.raises(Forbidden, match=r"^error.forbidden\(") as refusal:
            demand(actor(role), action)
        assert refusal.value.params == {"role": role.value}


def test_an_administrator_sees_no_patients_data() -> None:
    assert case_scope(Role.ADMINISTRATOR) is Scope.NOTHING
    reading = {
        Action.SEE_CASE,
        Action.SEE_EXAMS,
        Action.SEE_WORKLIST,
        Action.SEE_INBOX,
        Action.SEE_CRITICAL,
    }
    assert not reading & ALLOWED[Role.ADMINISTRATOR]


@pytest.mark.parametrize("role", [r for r in Role if r is not Role.ADMINISTRATOR])
def test_whoever_sees_cases_sees_them_within_a_scope(role: Role) -> None:
    assert case_scope(role) is not Scope.NOTHING


def test_who_asks_and_who_reads_see_different_cases() -> None:
    assert case_scope(Role.TECHNICIAN) is Scope.APPLIED_BY_OWN_INSTITUTION
    assert case_scope(Role.REPORTING_DOCTOR) is Scope.READ_BY_OWN_INSTITUTION
    assert case_scope(Role.REVIEWING_DOCTOR) is Scope.READ_BY_OWN_INSTITUTION
    assert case_scope(Role.FAMILY_DOCTOR) is Scope.DELIVERED_TO_ME


def test_nobody_signs_for_both_sides_of_the_house() -> None:
    """Who keeps the house writes no report, and who orders an exam does not read it."""
    for role in Role:
        assert not {Action.WRITE_REPORT, Action.ADMINISTER} <= ALLOWED[role]
        assert not {Action.WRITE_REPORT, Action.ORDER} <= ALLOWED[role]
