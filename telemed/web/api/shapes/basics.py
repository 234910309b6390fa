"""What every body and every answer of the API is made of."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, field_validator

T = TypeVar("T")


def _utc(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[datetime, PlainSerializer(_utc, return_type=str)]
# A form sends a field nobody filled in as an empty text.
EmptyIsNone = Annotated[T | None, BeforeValidator(lambda given: None if given == "" else given)]
PriorityName = Literal["stat", "urgent", "routine"]


class Body(BaseModel):
    model_config = ConfigDict(extra="ignore")

    @field_validator("*", mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        """JSON can spell half a surrogate pair and NUL; no database and no page takes them for text."""
        if isinstance(value, str):
            value.encode()  # UnicodeEncodeError is a ValueError
            if "\0" in value:
                raise ValueError("NUL")
        return value


class InstitutionRef(BaseModel):
    id: str
    name: str


class Age(BaseModel):
    value: int
    unit: Literal["year", "month", "day"]


class PatientOut(BaseModel):
    name: str
    sex: str
    age: Age | None
    patient_id: str
    id_last4: str


class Reason(BaseModel):
    code: str
    text: str
