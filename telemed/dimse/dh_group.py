"""The finite-field group ffdhe3072 (RFC 7919 A.2), made from its definition and written as DH PARAMETERS."""

import base64

_BITS, _X = 3072, 2_625_351


def _e_scaled(bits: int) -> int:
    """floor(2^bits * e), by its series in integers with room to spare."""
    guard = 64
    term = total = 1 << (bits + guard)
    number = 1
    while term:
        term //= number
        total += term
        number += 1
    return total >> guard


def prime() -> int:
    """p = 2^b - 2^(b-64) + (floor(2^(b-130) e) + X) 2^64 - 1"""
    return (1 << _BITS) - (1 << (_BITS - 64)) + ((_e_scaled(_BITS - 130) + _X) << 64) - 1


def _integer(value: int) -> bytes:
    body = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return b"\x02" + _length(len(body)) + body


def _length(count: int) -> bytes:
    """DER: short form beneath 128, else the number of its bytes first."""
    if count < 128:
        return bytes([count])
    body = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(body)]) + body


def _pem() -> str:
    content = _integer(prime()) + _integer(2)
    der = base64.encodebytes(b"\x30" + _length(len(content)) + content).decode()
    return f"-----BEGIN DH PARAMETERS-----\n{der}-----END DH PARAMETERS-----\n"


FFDHE3072 = _pem()
