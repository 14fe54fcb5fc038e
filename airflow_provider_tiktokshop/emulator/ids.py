"""Identifiers and secrets derived from the seed: the same seed always gives the same ones."""

from __future__ import annotations

import hashlib
import string

__all__ = ["digest", "fingerprint", "mix", "number", "word"]

_ALPHABET = string.ascii_letters + string.digits
_MASK = (1 << 64) - 1


def digest(*parts: object) -> bytes:
    """Return 64 bytes that depend on every part and on their order."""
    return hashlib.blake2b("\x1f".join(str(part) for part in parts).encode()).digest()


def word(length: int, *parts: object) -> str:
    """Return ``length`` letters and digits derived from ``parts``."""
    letters: list[str] = []
    block = 0
    while len(letters) < length:
        letters.extend(_ALPHABET[byte % len(_ALPHABET)] for byte in digest(block, *parts))
        block += 1
    return "".join(letters[:length])


def number(length: int, first: str, *parts: object) -> str:
    """Return a decimal string of ``length`` digits that begins with ``first``."""
    tail = int.from_bytes(digest(*parts)[:12], "big") % 10 ** (length - len(first))
    return first + str(tail).zfill(length - len(first))


def mix(value: int) -> int:
    """Return 64 well-spread bits for an integer (splitmix64): much cheaper than a hash where 100,000 rows need one each."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def fingerprint(secret: str) -> str:
    """Return 16 hex digits that identify a secret without showing it: the first ones of its sha256."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]
