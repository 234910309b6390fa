"""This machine's clock, random identifiers, password hashes and the readings of Chinese names."""

import os
import secrets
import time
from datetime import UTC, datetime
from functools import cached_property, lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from telemed.adapters.identity.latin_names import alphabetic, latin


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class RandomIdentifiers:
    def uid(self) -> str:
        """UUID version 7 (RFC 9562): its time comes first, so that new rows lie side by side in every index.

        A random one touches a page of its own in each of them, which is then written as a whole.
        """
        when, chance = f"{time.time_ns() // 1_000_000:012x}", os.urandom(10).hex()
        variant = "89ab"[int(chance[3], 16) & 3]
        return f"{when[:8]}-{when[8:]}-7{chance[:3]}-{variant}{chance[4:7]}-{chance[7:19]}"

    def token(self) -> str:
        return secrets.token_urlsafe(32)


class Argon2Passwords:
    """argon2id with the library's defaults; tests pass cheaper costs."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()

    @cached_property
    def decoy(self) -> str:
        return self.hash(secrets.token_urlsafe(32))

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


class PinyinReadings:
    """A family name may have a reading of its own (单 is Shan): every reading of the first character is kept."""

    def pinyin(self, name: str) -> str:
        return _readings(name)[0]

    def initials(self, name: str) -> str:
        return _readings(name)[1]

    def alphabetic(self, name: str) -> str:
        return alphabetic(name)

    def latin(self, text: str) -> str:
        return latin(text)


@lru_cache(maxsize=4096)
def _readings(name: str) -> tuple[str, str]:
    plain = name.replace("·", "").replace("^", "").replace(" ", "").strip()
    if not plain:
        return "", ""
    # Its dictionaries (50 MB) are read by the processes that meet a new name.
    from pypinyin import Style, lazy_pinyin, pinyin

    rest = [syllable.lower() for syllable in lazy_pinyin(plain[1:])]
    readings = pinyin(plain[0], style=Style.NORMAL, heteronym=True)
    first = dict.fromkeys(syllable.lower() for syllable in readings[0])
    full = ["".join([syllable, *rest]) for syllable in first]
    initials = dict.fromkeys("".join(part[0] for part in [syllable, *rest] if part) for syllable in first)
    return " ".join(full)[:400], " ".join(initials)[:64]
