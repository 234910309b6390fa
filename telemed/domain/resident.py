"""Residents (persons), their contracts with family doctors, and the patients (local identities) they appear as."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def is_id_card_number(number: str) -> bool:
    """Checks the 18 digits of a resident identity card: GB 11643-1999, ISO 7064 MOD 11-2, with a real date."""
    if len(number) != 18 or not number[:17].isdigit() or not number.isascii():
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    remainder = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11
    return number[17].upper() == _CHECK[remainder]


def birth_of(number: str) -> date:
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def sex_of(number: str) -> str:
    """The last of the three digits of the serial number: odd for men, even for women."""
    return "M" if int(number[16]) % 2 else "F"


def card_contradictions(number: str, *, sex: str, birth_date: date | None) -> list[str]:
    """Which details speak against this person's being the one of a valid card: a relative's card was given."""
    found = []
    if birth_date is not None and birth_date != birth_of(number):
        found.append("birth_date")
    if {sex, sex_of(number)} == {"M", "F"}:
        found.append("sex")
    return found


def foreign_issuer(named: str, own: Iterable[str]) -> str:
    """Who gave out a patient number, as its bearer is told apart by; "" where that is the institution itself.

    A number without an issuer is the institution's own: most machines name none.
    """
    named = " ".join(named.split())
    return (
        "" if not named or named.casefold() in {" ".join(name.split()).casefold() for name in own} else named
    )


@dataclass(eq=False, kw_only=True)
class Resident:
    uid: str
    consortium_id: int
    name: str
    sex: str  # "M" | "F" | "O" | ""
    birth_date: date | None
    id_card_keyed_hash: str | None
    id_card_last4: str
    phone: str = ""
    id: int = field(init=False)
    version: int = field(init=False)


@dataclass(eq=False, kw_only=True)
class Contract:
    """家庭医生签约: a family doctor looks after this resident from day to day, both ends included."""

    uid: str
    resident_id: int
    family_doctor_id: int
    institution_id: int
    consortium_id: int
    valid_from: date
    valid_to: date | None
    id: int = field(init=False)

    def valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(eq=False, kw_only=True)
class Patient:
    """An identity as one institution knows it. Linked to a resident by order or card number, never by name."""

    uid: str
    institution_id: int
    consortium_id: int
    patient_id: str
    name: str
    # Searchable readings of the name: every heteronym of the family name, full pinyin and initials.
    name_pinyin: str
    name_initials: str
    sex: str
    birth_date: date | None
    resident_id: int | None = None
    # Since when it stands under this resident; None too where that was not written down yet.
    linked_at: datetime | None = None
    # Who gave out the number, where that was not the institution: one number of two issuers is two people's.
    issuer: str = ""
    id: int = field(init=False)
    version: int = field(init=False)


def age_on(birth: date, day: date) -> tuple[int, str]:
    """Age as the field writes it: days under 28 days, months under one year, else years.

    Returns the number and its unit: "day", "month" or "year".
    """
    days = (day - birth).days
    if days < 28:
        return max(days, 0), "day"
    months = (day.year - birth.year) * 12 + day.month - birth.month - (day.day < birth.day)
    if months < 12:
        return max(months, 1), "month"
    return months // 12, "year"
