"""Signing in, the own account, the signing period."""

from typing import Literal

from pydantic import BaseModel, Field

from telemed.domain.people import Role
from telemed.web.api.shapes.basics import Body, Instant, InstitutionRef


class UserOut(BaseModel):
    id: str
    username: str
    display_name: str
    role: Role
    language: str
    licensed: bool


class SessionOut(BaseModel):
    user: UserOut
    institution: InstitutionRef
    csrf_token: str
    signing_until: Instant


class PasswordIn(Body):
    password: str = Field(max_length=256)


class OwnPasswordIn(PasswordIn):
    """`password` is the present one; the new one twice, since nobody sees what they type."""

    new_password: str = Field(max_length=256)
    repeated: str = Field(max_length=256)


class SigningOut(BaseModel):
    signing_until: Instant


class LanguageIn(Body):
    language: Literal["zh-CN", "en"]
