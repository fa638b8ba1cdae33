"""What a wallet address is, and what must never be pasted as one. No message repeats what was given."""

import re

from margin.core.errors import InputError

KINDS = {
    "ethereum": re.compile(r"0x[0-9a-fA-F]{40}"),
    "dydx": re.compile(r"dydx1[02-9ac-hj-np-z]{38}"),  # bech32 of 20 bytes
}
HINT = "An address is 0x and 40 hexadecimal digits (Hyperliquid, Lighter), or dydx1 and 38 letters and digits (dYdX)."
LONGEST_LINK = 300
_IN_LINK = re.compile(r"(?<![0-9a-zA-Z])(?:0[xX][0-9a-fA-F]{40}|dydx1[02-9ac-hj-np-z]{38})(?![0-9a-zA-Z])")
_KEY_IN_LINK = re.compile(r"(?<![0-9a-zA-Z])(?:0[xX])?[0-9a-fA-F]{64}(?![0-9a-zA-Z])")
_LINK = re.compile(r"(?:https?://|www\.|[a-z0-9]{2,12}:)[^\s\[\]{}']+|[\w.-]+\.[a-z]{2,8}/\S*", re.IGNORECASE)
_NAME = re.compile(r"[\w-]+(?:\.[\w-]+)*\.(?:eth|sol|bnb|hl|arb|crypto)", re.IGNORECASE)
_OTHER = re.compile(r"(?:bc1|cosmos1|osmo1|inj1|tb1)\w{20,80}|T[1-9A-HJ-NP-Za-km-z]{33}|[1-9A-HJ-NP-Za-km-z]{43,44}")
SECRET = re.compile(r"(0x)?[0-9a-fA-F]{64}")


def looks_like_address(text: str) -> bool:
    """Whether a text is meant as an address (or as a secret, which `check_address` refuses), right or wrong.

    A link to an explorer or a profile that holds one is meant so too; so are names (ENS) and addresses of other chains.
    """
    plain = text.strip()
    if SECRET.fullmatch(plain) or _is_seed(plain):
        return True
    if len(plain) <= LONGEST_LINK and _LINK.fullmatch(plain) and (_IN_LINK.search(plain) or _KEY_IN_LINK.search(plain)):
        return True
    return bool(re.fullmatch(r"(0x|0X|dydx1)\w{0,80}", plain) or _NAME.fullmatch(plain) or _OTHER.fullmatch(plain))


def check_address(text: str) -> tuple[str, str]:
    """(kind, address as venues want it). Raises InputError, without the text in it."""
    plain = text.strip()
    if SECRET.fullmatch(plain) or _is_seed(plain) or (_LINK.fullmatch(plain) and _KEY_IN_LINK.search(plain)):
        hint = "Never paste it anywhere; move what it guards if it was yours. An address is enough."
        raise InputError("address", "not shown", "is a private key, not an address; nothing was sent or kept", hint)
    if len(plain) <= LONGEST_LINK and _LINK.fullmatch(plain):
        named = set(_IN_LINK.findall(plain))
        if len(named) > 1:
            raise InputError("address", "not shown", "is a link that holds several addresses", "Paste one of them.")
        plain = named.pop() if named else plain
    if _NAME.fullmatch(plain):
        raise InputError("address", "not shown", "is a name, and names are not looked up here", HINT)
    plain = "0x" + plain[2:] if plain.startswith("0X") else plain
    for kind, form in KINDS.items():
        candidate = plain if kind == "ethereum" else plain.lower()
        if form.fullmatch(candidate):
            return kind, candidate
    problem = f"is no wallet address ({len(plain)} characters)"
    raise InputError("address", "not shown", problem, HINT)


def _is_seed(text: str) -> bool:
    words = text.split()
    return len(words) in (12, 15, 18, 21, 24) and all(word.isalpha() and 3 <= len(word) <= 8 for word in words)
