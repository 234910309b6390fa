"""Institutions and the people who work in them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class InstitutionKind(StrEnum):
    CITY = "city"
    CONSORTIUM = "consortium"
    HOSPITAL = "hospital"
    TOWNSHIP = "township"
    COMMUNITY = "community"
    STATION = "station"


class MadeObjects(StrEnum):
    """Which DICOM objects a site wants made of what its models say."""

    NONE = "none"
    REPORTS = "reports"
    # Besides the reports: the picture of a heat map, and a copy of the recording with annotations.
    ALL = "all"


class Role(StrEnum):
    TECHNICIAN = "technician"
    REPORTING_DOCTOR = "reporting_doctor"
    REVIEWING_DOCTOR = "reviewing_doctor"
    FAMILY_DOCTOR = "family_doctor"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


@dataclass(eq=False, kw_only=True)
class Institution:
    uid: str
    kind: InstitutionKind
    code: str
    name: str
    name_en: str = ""
    parent_id: int | None = None
    consortium_id: int | None = None
    time_zone: str = "Asia/Shanghai"
    # Images count as whole after this much silence; ECG never waits.
    quiet_seconds: int = 30
    # 报告医师 + 审核医师: a second doctor signs before release.
    second_signature: bool = True
    # An own opinion of how long one authentication may be used for signing.
    signing_minutes: int = 15
    # How long a given signature can be taken back before it is applied; 0: at once.
    hold_seconds: int = 10
    # Who signs the certificates of this site's machines (PEM); a machine's own certificate may stand here too.
    certificate_authority: str = ""
    # Machines of this site are admitted over TLS alone, with a certificate of theirs or of the authority.
    certificate_demanded: bool = False
    # Reports as objects are what an archive expects of models that were approved; pictures that point at a place
    # and second copies of recordings are a site's own choice.
    made_objects: MadeObjects = MadeObjects.REPORTS
    # Further names, one a line, under which machines and systems here name the institution as the issuer of its
    # patient numbers.
    issuer_names: str = ""
    # Who has not come within these days is sought by name or number, and no longer stands in everybody's way.
    worklist_days: int = 7
    # A machine that says nothing for so long after it began a step will not end it any more.
    step_hours: int = 12
    # How long a device that cannot be reached is tried with its commitment report before a person is told.
    commitment_days: int = 7
    id: int = field(init=False)
    version: int = field(init=False)

    @property
    def own_issuers(self) -> tuple[str, ...]:
        """Its code is what worklist answers name, and comes back from machines that keep it."""
        return (self.code, self.name, *filter(None, self.issuer_names.splitlines()))


@dataclass(eq=False, kw_only=True)
class User:
    uid: str
    username: str
    display_name: str
    role: Role
    institution_id: int
    consortium_id: int
    password_hash: str
    license_number: str = ""
    language: str = "zh-CN"
    active: bool = True
    failed_sign_ins: int = 0
    locked_until: datetime | None = None
    id: int = field(init=False)
    version: int = field(init=False)


@dataclass(eq=False, kw_only=True)
class Session:
    """A server-side session: a browser's cookie or a bearer token; only the token's digest is kept."""

    token_digest: str
    kind: str  # "cookie" | "bearer" | "viewer": reads DICOMweb, and nothing else
    user_id: int
    csrf_token: str
    created_at: datetime
    expires_at: datetime
    authenticated_at: datetime
    id: int = field(init=False)


@dataclass(eq=False, kw_only=True)
class Device:
    """A sending machine is (AE title, network, certificate or none); AE titles repeat in the field."""

    uid: str
    institution_id: int
    consortium_id: int
    ae_title: str
    network: str  # CIDR, such as 10.20.0.0/16
    certificate_sha256: str | None = None
    # Character set assumed when the machine gives none, or a wrong one.
    default_charset: str | None = None
    description: str = ""
    active: bool = True
    id: int = field(init=False)
    version: int = field(init=False)
