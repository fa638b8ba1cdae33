"""What a wallet address is, and what must never be pasted as one. No message repeats what was given."""

import re

from margin.core.errors import InputError

KINDS = {
    "ethereum": re.compile(r"0x[0-9a-fA-F]{40}"),
    "dydx": re.compile(r"dydx1[02-9ac-hj-np-z]{38}"),  # bech32 of 20 bytes
}
HINT = "An address is 0x and 40 hexadecimal digits (Hyperliquid, Lighter), or dydx1 and 38 letters and digits (dYdX)."
SECRET = re.compile(r"(0x)?[0-9a-fA-F]{64}")


def looks_like_address(text: str) -> bool:
    """Whether a text is meant as an address (or as a secret, which `check_address` refuses), right or wrong."""
    plain = text.strip()
    if SECRET.fullmatch(plain) or _is_seed(plain):
        return True
    return bool(re.fullmatch(r"(0x|0X|dydx1)\w{0,80}", plain))


def check_address(text: str) -> tuple[str, str]:
    """(kind, address as venues want it). Raises InputError, without the text in it."""
    plain = text.strip()
    if SECRET.fullmatch(plain) or _is_seed(plain):
        hint = "Never paste it anywhere; move what it guards if it was yours. An address is enough."
        raise InputError("address", "not shown", "is a private key, not an address; nothing was sent or kept", hint)
    for kind, form in KINDS.items():
        candidate = plain if kind == "ethereum" else plain.lower()
        if form.fullmatch(candidate):
            return kind, candidate
    problem = f"is no wallet address ({len(plain)} characters)"
    raise InputError("address", "not shown", problem, HINT)


def _is_seed(text: str) -> bool:
    words = text.split()
    return len(words) in (12, 15, 18, 21, 24) and all(word.isalpha() and 3 <= len(word) <= 8 for word in words)
