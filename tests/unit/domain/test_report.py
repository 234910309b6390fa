"""Signatures: every transition that is allowed, every one that is not."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed.domain.errors import Conflict, DomainError, InvalidInput
from telemed.domain.report import Report, ReportState
from tests.unit.domain.builders import DR_REPORTING, DR_REVIEWING, MINUTE, NOON, report

LATER = NOON + MINUTE
SIGNED: dict[str, Any] = {"signed_by": DR_REPORTING, "signed_at": NOON}


def write(found: Report) -> None:
    found.write(
        findings="另一所见",
        impression="另一意见",
        recommendation="复查",
        critical=True,
        abnormal=True,
        now=LATER,
    )


def sign(found: Report) -> None:
    found.sign(DR_REPORTING, found.revision, LATER, needs_review=True)


def sign_alone(found: Report) -> None:
    found.sign(DR_REPORTING, found.revision, LATER, needs_review=False)


def review(found: Report) -> None:
    found.review(DR_REVIEWING, found.revision, LATER)


def send_back(found: Report) -> None:
    found.send_back(DR_REVIEWING, "请补充ST段描述", LATER)


DRAFT, AWAITING, FINAL = ReportState.DRAFT, ReportState.AWAITING_REVIEW, ReportState.FINAL
ALLOWED: dict[tuple[ReportState, Callable[[Report], None]], ReportState] = {
    (DRAFT, write): DRAFT,
    (DRAFT, sign): AWAITING,
    (DRAFT, sign_alone): FINAL,
    (AWAITING, review): FINAL,
    (AWAITING, send_back): DRAFT,
}


@pytest.mark.parametrize("act", [write, sign, sign_alone, review, send_back])
@pytest.mark.parametrize("state", ReportState)
def test_every_act_in_every_state_is_either_the_listed_transition_or_refused(
    state: ReportState, act: Callable[[Report], None]
) -> None:
    found = report(state=state, **({} if state is DRAFT else SIGNED))
    before = dict(vars(found))
    expected = ALLOWED.get((state, act))
    if expected is None:
        with pytest.raises(Conflict):
            act(found)
        assert vars(found) == before
    else:
        act(found)
        assert found.state is expected


def test_a_first_signature_that_needs_a_second_releases_nothing() -> None:
    found = report()
    sign(found)
    assert (found.signed_by, found.signed_at) == (DR_REPORTING, LATER)
    assert (found.released_at, found.content_sha256) == (None, "")


def test_the_second_signature_releases_and_seals() -> None:
    found = report()
    sign(found)
    review(found)
    assert (found.reviewed_by, found.reviewed_at, found.released_at) == (DR_REVIEWING, LATER, LATER)
    assert found.content_sha256 == found.digest()


@pytest.mark.parametrize("act", ["review", "send_back"])
def test_the_reviewer_is_another_person_than_the_signer(act: str) -> None:
    found = report(state=AWAITING, **SIGNED)
    with pytest.raises(Conflict, match=r"^error.reviewer_is_author$"):
        if act == "review":
            found.review(DR_REPORTING, 0, LATER)
        else:
            found.send_back(DR_REPORTING, "comment", LATER)
    assert found.state is AWAITING


def test_who_saw_an_earlier_revision_cannot_sign_the_present_one() -> None:
    found = report()
    write(found)
    with pytest.raises(Conflict, match=r"^error.report_changed_since_shown$"):
        found.sign(DR_REPORTING, 0, LATER, needs_review=True)
    assert (found.state, found.signed_by) == (DRAFT, None)


def test_who_saw_an_earlier_revision_cannot_approve_the_present_one() -> None:
    found = report()
    write(found)
    sign(found)
    with pytest.raises(Conflict, match=r"^error.report_changed_since_shown$"):
        found.review(DR_REVIEWING, 0, LATER)
    assert (found.state, found.reviewed_by) == (AWAITING, None)


def test_the_text_under_a_first_signature_is_changed_by_nobody_until_it_goes_back() -> None:
    """Else the second signature would release words that the first signer never saw."""
    found = report()
    sign(found)
    with pytest.raises(Conflict, match=r"^error.report_is_signed$"):
        write(found)
    send_back(found)
    write(found)
    assert (found.state, found.signed_by) == (DRAFT, None)


def test_every_save_is_a_revision_of_its_own() -> None:
    found = report()
    for expected in (1, 2, 3):
        write(found)
        assert found.revision == expected
    assert found.updated_at == LATER


@pytest.mark.parametrize("field", ["findings", "impression"])
@pytest.mark.parametrize("content", ["", "  \n\t", "\u3000"])
def test_nothing_is_signed_without_findings_and_impression(field: str, content: str) -> None:
    found = report(**{field: content})
    with pytest.raises(InvalidInput, match=r"^error.report_field_empty") as refusal:
        sign(found)
    assert refusal.value.field == field
    assert found.state is DRAFT


def test_a_report_goes_back_with_a_comment_and_without_its_signature() -> None:
    found = report(state=AWAITING, **SIGNED)
    found.send_back(DR_REVIEWING, "  请补充ST段描述 ", LATER)
    assert (found.state, found.review_comment) == (DRAFT, "请补充ST段描述")
    assert (found.signed_by, found.signed_at) == (None, None)


def test_no_report_goes_back_without_a_comment() -> None:
    found = report(state=AWAITING, **SIGNED)
    with pytest.raises(InvalidInput, match=r"^error.comment_required$"):
        found.send_back(DR_REVIEWING, " ", LATER)
    assert found.state is AWAITING


WORDS: dict[str, Any] = {
    "findings": "审核医师的所见",
    "impression": "审核医师的意见",
    "recommendation": "",
    "critical": False,
    "abnormal": True,
}


def test_what_the_reviewing_doctor_changes_stands_beside_what_was_signed_first() -> None:
    found = report()
    sign(found)
    first = {name: getattr(found, name) for name in WORDS}
    assert found.revise(DR_REVIEWING, found.revision, WORDS, LATER) is True
    assert found.submitted == first
    assert found.revise(DR_REVIEWING, found.revision, WORDS, LATER) is False
    found.revise(DR_REVIEWING, found.revision, {**WORDS, "impression": "再改"}, LATER)
    assert found.submitted == first
    review(found)
    assert (found.impression, found.signed_by) == ("再改", DR_REPORTING)
    sealed = found.content_sha256
    found.submitted = {**first, "impression": "别的"}
    assert found.digest() != sealed


def test_nobody_changes_words_in_review_but_another_doctor_who_saw_them() -> None:
    found = report()
    with pytest.raises(Conflict, match=r"^error.report_not_awaiting_review$"):
        found.revise(DR_REVIEWING, found.revision, WORDS, LATER)
    sign(found)
    with pytest.raises(Conflict, match=r"^error.reviewer_is_author$"):
        found.revise(DR_REPORTING, found.revision, WORDS, LATER)
    with pytest.raises(Conflict, match=r"^error.report_changed_since_shown$"):
        found.revise(DR_REVIEWING, found.revision + 1, WORDS, LATER)
    assert found.submitted is None


CHANGES: dict[str, Any] = {
    "uid": "another report",
    "case_id": 99,
    "number": 2,
    "findings": "窦性心律",
    "impression": "异常心电图。",
    "recommendation": "复查",
    "critical": True,
    "abnormal": False,
    "signed_by": 99,
    "signed_at": LATER,
    "reviewed_by": 98,
    "reviewed_at": NOON,
}


@pytest.mark.parametrize("field", CHANGES)
def test_the_seal_shows_any_later_change(field: str) -> None:
    found = report()
    sign(found)
    found.review(DR_REVIEWING, 0, LATER + MINUTE)
    assert found.digest() == found.content_sha256
    setattr(found, field, CHANGES[field] if field != "signed_at" else NOON)
    assert found.digest() != found.content_sha256


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_two_contents_have_one_seal_only_if_they_are_the_same(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    def sealed(texts: tuple[str, str, str]) -> str:
        findings, impression, recommendation = texts
        return report(findings=findings, impression=impression, recommendation=recommendation).digest()

    assert (sealed(one) == sealed(other)) == (one == other)


acts = st.lists(st.sampled_from([write, sign, sign_alone, review, send_back]), max_size=12)


@given(acts)
def test_after_the_release_no_sequence_of_acts_changes_what_was_signed(
    sequence: list[Callable[[Report], None]],
) -> None:
    found = report()
    sealed: Report | None = None
    for act in sequence:
        with contextlib.suppress(DomainError):
            act(found)
        if sealed is not None:
            assert vars(found) == vars(sealed)
        elif found.state is FINAL:
            sealed = report()
            vars(sealed).update(vars(found))
