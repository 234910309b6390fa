"""The statements as versioned data: one folder a version, `rules.json` in it, addressed by its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ai_models.ecg.interpretation.conditions import Condition, Truth, compiled
from ai_models.ecg.interpretation.names import NAMES
from ai_models.errors import ModelRefused, UnknownModel
from telemed.domain.analysis import Code, ModelIdentity, Statement

NAME = "ecg-statements"
TASK = "ecg-statements"
FACTS = "ecg-facts/4"
"""Version of how facts are made from the networks' answers; a change of any fact is a new name."""
FOLDER = Path(__file__).resolve().parent / "rules"
LEVELS = ("stated", "consider", "withheld")
"""Said; said as something to consider; evaluated and counted on the card, but said to nobody."""


@dataclass(frozen=True)
class Rule:
    """`narrower`: rules that say the same more exactly; where one of them holds, this one holds and is not said."""

    code: str
    level: str
    text: Mapping[str, str]
    coding: tuple[Code, ...]
    holds: Condition
    source: str
    narrower: tuple[str, ...] = ()

    def statement(self) -> Statement:
        return Statement(self.code, self.text, self.level, self.coding)


@dataclass(frozen=True)
class RuleSet:
    """One version of the rules; `networks` are the models (name to version) whose answers its limits are for."""

    folder: Path
    name: str
    version: str
    sha256: str
    networks: Mapping[str, str]
    rules: tuple[Rule, ...]
    domain: Mapping[str, Any]

    @property
    def task(self) -> str:
        return TASK

    def card(self, language: str) -> Path:
        """The card in "zh-CN" or "en"; any other language reads the English one."""
        return self.folder / f"card.{'zh-CN' if language == 'zh-CN' else 'en'}.md"

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.domain["modalities"])

    def identity(self, networks: Sequence[ModelIdentity]) -> ModelIdentity:
        """What answers: the rules by their digest, and in `preprocessing` the networks they stand on by theirs.

        So another version of the rules, of the facts, or of a network is another result. Runtime and precision are
        the networks'.
        """
        parts = [f"{one.name}-{one.version}@{one.sha256[:16]}" for one in networks]
        last = networks[-1]
        return ModelIdentity(
            name=self.name,
            version=self.version,
            sha256=self.sha256,
            preprocessing=" ".join([FACTS, *parts]),
            precision="+".join(dict.fromkeys(one.precision for one in networks)),
            provider=last.provider,
            runtime=last.runtime,
            device=last.device,
        )

    @property
    def release(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split("."))

    def judged(self, facts: Mapping[str, float]) -> dict[str, Truth]:
        """What every rule says, in their order: True, False, or None where a fact was missing."""
        said: dict[str, Truth] = {}
        for rule in self.rules:
            narrower = any(said[code] is True for code in rule.narrower)
            said[rule.code] = True if narrower else rule.holds(facts, said)
        return said

    def statements(self, facts: Mapping[str, float]) -> tuple[Statement, ...]:
        """The rules that hold and are to be said, in the order of the file."""
        return self.spoken(self.judged(facts))

    def spoken(self, said: Mapping[str, Truth]) -> tuple[Statement, ...]:
        """`statements` of what every rule says already."""
        return tuple(rule.statement() for rule in self.rules if self._is_said(rule, said))

    @staticmethod
    def _is_said(rule: Rule, said: Mapping[str, Truth]) -> bool:
        repeated = any(said[code] is True for code in rule.narrower)
        return said[rule.code] is True and rule.level != "withheld" and not repeated


def read_rules(folder: Path) -> RuleSet:
    """Read and check `folder`/rules.json. Raises ModelRefused("model.bad_manifest", file, detail)."""
    path = folder / "rules.json"
    try:
        content = path.read_bytes()
        data = json.loads(content)
        return RuleSet(
            folder=folder,
            name=NAME,
            version=str(data["version"]),
            sha256=hashlib.sha256(content).hexdigest(),
            networks=dict(data["networks"]),
            rules=_rules(data["rules"]),
            domain=dict(data["input_domain"]),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise ModelRefused("model.bad_manifest", file=str(path), detail=detail) from error


def _rules(rows: list[dict[str, Any]]) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    known: set[str] = set()
    for row in rows:
        code, level, text = str(row["code"]), str(row["level"]), dict(row["text"])
        if code in known:
            raise ValueError(f"{code} twice")
        if level not in LEVELS:
            raise ValueError(f"{code}: no level {level}")
        if set(text) != {"zh", "en"} or not all(text.values()):
            raise ValueError(f"{code}: text in zh and en")
        if not row["source"]:
            raise ValueError(f"{code}: where its limits come from")
        try:
            holds = compiled(row["when"], NAMES, frozenset(known))
        except ValueError as error:
            raise ValueError(f"{code}: {error}") from error
        coding = tuple(Code.from_json(item) for item in row.get("coding", ()))
        narrower = tuple(row.get("narrower", ()))
        if not set(narrower) <= known:
            raise ValueError(f"{code}: narrower rules come before it")
        rules.append(Rule(code, level, text, coding, holds, str(row["source"]), narrower))
        known.add(code)
    return tuple(rules)


@lru_cache(maxsize=1)
def rule_sets(root: Path = FOLDER) -> tuple[RuleSet, ...]:
    """Every shipped version, the newest first."""
    found = [read_rules(path.parent) for path in sorted(root.glob("*/rules.json"))]
    return tuple(sorted(found, key=lambda rules: rules.release, reverse=True))


def rule_set(version: str | None = None) -> RuleSet:
    """A version, the newest by default. Raises UnknownModel."""
    for rules in rule_sets():
        if version in (None, rules.version):
            return rules
    known = ", ".join(rules.version for rules in rule_sets()) or "-"
    raise UnknownModel("model.unknown_version", name=NAME, known=known)
