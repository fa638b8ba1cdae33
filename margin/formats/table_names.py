"""The instrument's name in a cell of a table, and what else pages write beside it: Perp, 20x, Cross, Long."""

import re
from typing import Any

from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.formats.contract_names import QUOTES, unify
from margin.formats.price_words import COINS, fold
from margin.formats.table_words import CROSS, ISOLATED, VENUES, column_of, side_of

TIMES = re.compile(r"(\d{1,4}(?:[.,]\d+)?)\s*[xX\u00d7]|[xX\u00d7](\d{1,4}(?:\.\d+)?)")
_CONTRACT = re.compile(r"(?:[a-z]{1,8}:|k)?[A-Z0-9][A-Z0-9._:/-]{1,39}")
_BARE = re.compile(r"(?:[a-z]{1,8}:|k)?(?=[0-9]*[A-Z])[A-Z0-9]{2,12}")
_CODE = re.compile(r"(?=[0-9]*[A-Z])[A-Z0-9][A-Z0-9._:/-]{1,39}")
_FILLING = ("linear", "inverse", "usdsm", "usdm", "coinm", "unified", "quarterly", "biquarterly", "futures", "options")


def name_in(cell: str) -> tuple[str, dict[str, Any]]:
    """(name, what is said with it: `leverage`, `perpetual`, `mode`, `side`) of a cell."""
    said: dict[str, Any] = {}
    kept: list[str] = []
    for word in re.sub(r"[\u00b7\u2022()|]", " ", cell).split():
        plain = fold(word)
        if times := TIMES.fullmatch(word):
            said["leverage"] = float((times[1] or times[2]).replace(",", "."))
        elif plain in ("perp", "perpetual", "perps", "swap", "\u6c38\u7eed", "\u6c38\u7e8c"):
            said["perpetual"] = True
        elif mode := mode_of(plain):
            said["mode"] = mode
        elif (len(plain) > 2 or not plain.isascii()) and plain not in ("bid", "ask") and side_of(word):
            said["side"] = side_of(word)
        elif plain in _FILLING and kept:
            continue
        else:
            kept.append(word)
    if len(kept) == 2 and fold(kept[0]) == fold(kept[1]):
        kept = kept[:1]
    return coin_in(" ".join(kept)), said


def coin_in(name: str) -> str:
    """The code in a name that may have the coin's full name beside it: USDT TetherUS, Bitcoin BTC; of Bitcoin alone."""
    words = name.split()
    if (whole := "".join(words).upper()) in COINS:
        return COINS[whole]
    codes = [word for word in words if _CODE.fullmatch(word)]
    others = [word for word in words if word not in codes]
    plain = all(not any(c.isdigit() for c in word) and (word == "/" or word != word.upper()) for word in others)
    return codes[0] if len(words) > 1 and len(codes) == 1 and plain else name


def mode_of(word: str) -> str | None:
    """ "isolated" or "cross" where a folded word says so, else None."""
    for known, mode in ((ISOLATED, "isolated"), (CROSS, "cross")):
        if word in known or any(word.endswith(k) and not word.isalpha() for k in known):
            return mode
    return None


def venue_named(word: str) -> str:
    """The venue that a cell names: Binance Futures gives "binance"; "" for none that is known here."""
    plain = fold(word)
    return next((venue for venue in VENUES if plain == venue or (plain.startswith(venue) and len(venue) > 3)), "")


def names_contract(cell: str) -> bool:
    """Whether a cell can only be a contract's or a pair's name, as pages write it: BTCUSDT Perp 20x."""
    name = name_in(cell)[0]
    if not _CONTRACT.fullmatch(name) or column_of(name)[0]:
        return False
    if "/" in name and not name.partition(":")[0].endswith(tuple(f"/{quote}" for quote in QUOTES)):
        return False
    if ":" in name and "/" not in name:
        return name[0].islower()
    try:
        unify(name, "", True)
    except InputError:
        return False
    return True


def may_be_coin(cell: str) -> bool:
    """Whether a cell may be a coin that a page of perpetuals names alone: BTC, kPEPE; a unit looks the same."""
    name = name_in(cell)[0]
    return bool(_BARE.fullmatch(name)) and name.upper() not in USD_LIKE and not column_of(name)[0]
