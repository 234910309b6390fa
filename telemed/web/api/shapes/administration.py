"""Models, people, machines and places."""

from typing import Literal

from pydantic import BaseModel, Field

from telemed.domain.people import InstitutionKind, MadeObjects, Role
from telemed.web.api.shapes.basics import Body, Instant, InstitutionRef


class ModelOut(BaseModel):
    name: str
    version: str
    sha256: str
    task: str
    card: str
    approved: bool
    approved_at: Instant | None


class ApproveIn(Body):
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    institution: str | None = None


class WithdrawApprovalIn(Body):
    institution: str | None = None


class AdminUserOut(BaseModel):
    id: str
    username: str
    display_name: str
    role: Role
    institution: InstitutionRef
    license_number: str
    language: str
    active: bool


class AdminUserIn(Body):
    username: str = Field(max_length=64)
    display_name: str = Field(max_length=64)
    role: Role
    password: str = Field(max_length=256)
    license_number: str = Field("", max_length=64)
    language: Literal["zh-CN", "en"] = "zh-CN"
    institution: str | None = None


class DeviceOut(BaseModel):
    id: str
    ae_title: str
    network: str
    certificate_sha256: str
    default_charset: str
    description: str
    institution: InstitutionRef
    active: bool


class ActiveIn(Body):
    active: bool


class DeviceFieldsIn(Body):
    network: str = Field(max_length=64)
    certificate_sha256: str = Field("", max_length=95)
    default_charset: str = Field("", max_length=32)
    description: str = Field("", max_length=200)


class DeviceIn(DeviceFieldsIn):
    ae_title: str = Field(max_length=16)
    institution: str | None = None


class DeviceChange(DeviceFieldsIn):
    active: bool = False


class InstitutionOut(BaseModel):
    id: str
    code: str
    name: str
    name_en: str
    kind: InstitutionKind
    parent: str | None
    time_zone: str
    quiet_seconds: int
    second_signature: bool
    signing_minutes: int
    hold_seconds: int
    made_objects: MadeObjects
    issuer_names: str
    worklist_days: int
    step_hours: int
    commitment_days: int


class MadeObjectsIn(Body):
    made_objects: MadeObjects


class MachineRulesIn(Body):
    # Further names of the site as the issuer of its patient numbers, one a line.
    issuer_names: str = Field("", max_length=2000)
    worklist_days: int = Field(7, ge=1, le=366)
    step_hours: int = Field(12, ge=1, le=720)
    commitment_days: int = Field(7, ge=1, le=366)


class InstitutionIn(Body):
    code: str = Field(max_length=64)
    name: str = Field(max_length=200)
    name_en: str = Field("", max_length=200)
    kind: InstitutionKind
    time_zone: str = "Asia/Shanghai"
    quiet_seconds: int = Field(30, ge=0, le=3600)
    second_signature: bool = True
