"""Units of voltage to millivolts."""

from __future__ import annotations

# UCUM codes (PS3.16 CID 3082), then spellings seen in the field; "MV", megavolts in UCUM, is never meant so.
_TO_MILLIVOLT = {
    "nv": 1e-6,
    "uv": 1e-3,
    "µv": 1e-3,
    "μv": 1e-3,
    "microvolt": 1e-3,
    "mv": 1.0,
    "millivolt": 1.0,
    "v": 1e3,
    "volt": 1e3,
}


def millivolts_per(*names: str) -> float | None:
    """The factor from the first known of `names` (code value, then code meaning) to mV, or None."""
    for name in names:
        key = name.replace("\x00", "").strip().lower()
        factor = _TO_MILLIVOLT.get(key) or _TO_MILLIVOLT.get(key.removesuffix("s"))
        if factor is not None:
            return factor
    return None
