"""What one drill has to say: what the sender saw, what is stored, who was told."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class DrillRow:
    """The three texts are sentences in the reader's language; `detail` is counts and codes, in no language."""

    name: str
    sender_saw: str
    stored: str
    told: str
    ok: bool
    detail: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """Before it is put into words. `faults` empty: every promise held."""

    faults: list[str]
    facts: dict[str, str | int]

    @property
    def detail(self) -> str:
        facts = " ".join(f"{name}={value}" for name, value in self.facts.items())
        return "; ".join([*self.faults, facts])
