"""What one column name, cell or file name of a price file says: a role, an asset, a currency. Nothing is guessed.

`meaning` reads a column's name, `asset_name` the name of an asset or pair, `asset_of_file` a file's name.
"""

import re
from dataclasses import dataclass
from pathlib import PurePath

from margin.formats.price_words import (
    ALIASES,
    COIN_QUOTES,
    COINS,
    CONTRACT_WORDS,
    DOLLAR_COINS,
    DOLLARS,
    EXCHANGE_WORDS,
    FILLER_WORDS,
    FOREIGN_LISTINGS,
    JOINED_COINS,
    JOINED_FIAT,
    KEPT_WHOLE,
    KNOWN,
    MONEY_WORDS,
    NO_VOLUME,
    OTHER_MONEY,
    ROLES,
    SHARES,
    currency,
    fold,
)

ASSET = re.compile(r"[A-Z0-9][A-Z0-9.]{0,19}")
YAHOO_COIN = re.compile(r"([A-Z0-9]*[A-Z])[0-9]{3,6}")  # UNI7083-USD: Yahoo numbers coins whose ticker was taken
KRAKEN_PAIR = re.compile(r"X([A-Z]{3})Z(USD|EUR|GBP|CAD|JPY|AUD)")  # XXBTZUSD: X before a coin, Z before money
MONEY_SIGNS = re.compile("[€£¥₩₹₽₺]")
INDICATOR = re.compile(
    "(?:rsi|sma|ema|wma|hma|vwma|ma|macd|atr|adx|cci|mfi|bb|stoch|vol|std|var|ret|roc|mom|lag|lead)[0-9]{1,3}"
)
SPLIT = re.compile(r"[/_\s,()\[\]|-]+")
BITFINEX = re.compile(r"t([A-Z0-9]{2,6}):?(USD|UST)")  # tBTCUSD: t for a market that trades; UST is its tether
KRAKEN_FUTURES = ("PF", "PI", "FI", "FF", "PV")  # PF_XBTUSD: perpetuals and futures, linear and inverse
SCALED = re.compile(r"\b(?:thousands?|millions?|billions?|tausend|mio|mrd|mln|mn|bn)\b|\(\W*000s?\)", re.IGNORECASE)
SATOSHIS = re.compile(r"[(\[]\s*sat(?:oshi)?s?\s*[)\]]$", re.IGNORECASE)
DATE_OR_NUMBER = re.compile(r"[0-9]+(?:[.:][0-9]+)*|[0-9]{1,4}(?:D|H|M|W|MIN|MO|Y|YR|S|MN|HR|DAY|DAYS)|V[0-9]+")


@dataclass(frozen=True)
class Meaning:
    """What a column is. `role` is one of price_words.ROLE_WORDS or ''; `asset` a code or ''; `quote` a currency or ''.

    why : why it is no dollar price, '' when it may be one
    """

    role: str = ""
    asset: str = ""
    quote: str = ""
    why: str = ""


def meaning(text: str) -> Meaning:
    """What a column's name says: 'Close' a role, 'BTC' an asset, 'BTC-USD High' both, 'price (EUR)' a currency."""
    raw = str(text).strip().strip("<>*\"'#").strip()
    if match := re.fullmatch(r"\(\s*'([^']*)'\s*,\s*'([^']*)'\s*\)", raw):  # pandas' two-level columns in Parquet
        raw = f"{match[1]} {match[2]}".strip()
    key = fold(raw)
    if (sign := MONEY_SIGNS.search(raw)) and ROLES.get(key, "") in ("close", "adjusted", "open", "high", "low"):
        return Meaning(ROLES[key], quote=currency(sign[0]))  # "Close €"
    if key in ROLES:
        return Meaning(ROLES[key])
    if SATOSHIS.search(raw) and ROLES.get(fold(SATOSHIS.sub("", raw))):
        return Meaning(ROLES[fold(SATOSHIS.sub("", raw))], quote="BTC")
    if SCALED.search(raw) and any(ROLES.get(fold(word)) for word in re.split(r"[\W_]+", raw)):
        return Meaning("other", why="counts thousands or millions")
    if INDICATOR.fullmatch(key):
        return Meaning("other")
    if not key:
        signs = {"%": "change", "+/- %": "change", "+/-%": "change"}
        return Meaning(signs.get(raw, ""), why="a column without a name")
    if raw.upper().startswith("UNNAMED"):
        return Meaning("other", why="a row number")
    parts = [part for part in re.split(r"[\s_()\[\],|]+", raw) if part]
    words = [part for part in re.split(r"[/\-:]+", " ".join(parts).replace(" ", "-")) if part]
    for money, rest in _ends(words):
        code = currency(money)
        role = ROLES.get(fold("".join(rest)), "")
        if role == "volume" and code in DOLLARS:
            return Meaning("volume usd")
        if code and role and (code not in COIN_QUOTES or fold("".join(rest)) == "price"):
            return Meaning(role, quote=code)
        if role == "volume" and money.upper() in NO_VOLUME:
            return Meaning("other")
        if role == "volume" and ASSET.fullmatch(money.upper()):
            return Meaning(role, asset=ALIASES.get(money.upper(), money.upper()))  # "Volume BTC"
    if len(parts) == 2 and ROLES.get(fold(parts[1])) == "volume":  # "BTC-USD Volume": of the pair, in whatever unit
        asset, quote, why = pair(parts[0])
        if asset and quote and not why:
            return Meaning("volume", asset, quote)
    for size in (3, 2, 1):
        if len(words) <= size:
            continue
        for role_words, rest in ((words[-size:], words[:-size]), (words[:size], words[size:])):
            role = ROLES.get(fold("".join(role_words)), "")
            if role in ("close", "adjusted", "open", "high", "low", "volume", "volume usd", "cap", "change") and (
                len("".join(role_words)) > 1
            ):
                if (money_of := _of_no_asset(rest)) is not None:
                    return Meaning(role, quote=money_of)  # "Trade Close (USD)", "market-price"
                asset, quote, why = pair("-".join(rest))
                return Meaning(role, asset, quote, why)
    asset, quote, why = pair(raw)
    return Meaning("", asset, quote, why)


def _of_no_asset(rest: list[str]) -> str | None:
    """The currency among words that name no asset ('' where none); None where they may name one."""
    codes = [code for word in rest if (code := currency(word)) and code not in COIN_QUOTES]
    others = [word for word in rest if not currency(word)]
    plain = all(word.upper() in FILLER_WORDS and word not in KNOWN for word in others)
    return (codes[0] if codes else "") if others and plain else None


def _ends(words: list[str]) -> list[tuple[str, list[str]]]:
    return [(words[-1], words[:-1]), (words[0], words[1:])] if len(words) > 1 else []


def asset_name(text: str) -> tuple[str | None, str]:
    """The asset a column or cell names, and what was changed: 'btc-usd' gives 'BTC'. (None, why) when it names none.

    A pair against the dollar or a dollar stablecoin is its first part; any other pair is not a USD price.
    """
    raw = str(text).strip()
    found = meaning(raw)
    if found.role and found.role not in ("close", "adjusted") and found.asset:
        return None, "not closes"
    asset, _, why = (found.asset, "", found.why) if found.role and found.asset else pair(raw)
    if not asset or why:
        return None, why or "not the name of an asset"
    return asset, "" if asset == raw else f"{raw[:30]!r} is taken as {asset}"


def pair(text: str) -> tuple[str, str, str]:
    """(asset, quote, why it is no dollar price). 'BTCEUR' gives ('BTC', 'EUR', 'is quoted in EUR, not in dollars')."""
    raw = str(text).strip()
    if (market := BITFINEX.fullmatch(raw)) and (market[1] in KNOWN or market[1] in ALIASES):
        return ALIASES.get(market[1], market[1]), market[2].replace("UST", "USDT"), ""
    name = raw.upper().lstrip("^").strip()
    if not name:
        return "", "", "a column without a name"
    if name.startswith("UNNAMED"):
        return "", "", "a row number"
    if ":" in name:
        head, _, tail = name.partition(":")
        name = head if "/" in head else tail if tail and (head in EXCHANGE_WORDS or not currency(tail)) else head
    name = name.removesuffix("=X").removesuffix(".P")
    coin = COINS.get(re.sub(r"[^A-Z0-9]", "", name))
    if coin:
        return coin, "", ""
    parts = [part for part in SPLIT.split(name) if part]
    while len(parts) > 1 and parts[0] in EXCHANGE_WORDS:
        parts.pop(0)
    if len(parts) in (2, 3) and parts[0] in KRAKEN_FUTURES and joined(parts[1])[1]:
        parts = parts[1:2]
    while len(parts) > 1 and (parts[-1] in EXCHANGE_WORDS or parts[-1] in CONTRACT_WORDS):
        parts.pop()
    if not parts:
        return "", "", "not the name of an asset"
    if len(parts) > 2 and currency(parts[1]):
        parts = parts[:2]
    if len(parts) == 2:
        base, quote = parts
        if quote == "IN" or base == "IN":
            return "", "", "not the name of an asset"
        code = currency(quote)
        if code and (code in DOLLARS or code in OTHER_MONEY):
            numbered = YAHOO_COIN.fullmatch(base)
            base = numbered[1] if numbered and "-" in raw else base
            base = COINS.get(base, ALIASES.get(base, base))
            if not ASSET.fullmatch(base):
                return "", code, "not the name of an asset"
            return _checked(base, code)
        if "/" in name:
            return base if ASSET.fullmatch(base) else "", quote, "a pair that is not quoted in USD"
        if len(quote) == 1 and quote.isalpha() and ASSET.fullmatch(base):
            return _checked(f"{base}.{quote}", "")  # a class of shares, BRK-B
        return "", "", "not the name of an asset"
    if len(parts) > 2:
        if currency(parts[-1]) and len(parts) == 3 and parts[1] in ("IN", "VS", "TO"):
            return _checked(ALIASES.get(parts[0], parts[0]), currency(parts[-1]))
        return "", "", "not the name of an asset"
    name = parts[0]
    base, quote = joined(name)
    base = ALIASES.get(base, base)
    if not ASSET.fullmatch(base) or base.replace(".", "").isdigit():
        return "", "", "not the name of an asset"
    if "." in base and not quote:
        head, _, tail = base.rpartition(".")
        if tail == "US" and head.isalpha():
            return _checked(head, "USD")  # AAPL.US
        if head and tail in FOREIGN_LISTINGS:
            return base, "", "trades on an exchange that does not quote US dollars"
    return _checked(base, quote)


def _checked(base: str, quote: str) -> tuple[str, str, str]:
    coin, _, tail = base.partition(".")
    if tail == "D" and coin in KNOWN and coin not in SHARES:
        return "", quote, "a share of the whole market, not a price"  # CRYPTOCAP:BTC.D
    if base == "USD":
        return "", quote, "the dollar is always 1 here"
    if quote and quote not in DOLLARS:
        return base, quote, f"is quoted in {quote}, not in dollars"
    return base, quote, ""


def joined(name: str) -> tuple[str, str]:
    """('BTC', 'USDT') of 'BTCUSDT'; ('TUSD', '') of 'TUSD'. Only dollars, coins and the commoner currencies."""
    if name in KEPT_WHOLE or name in KNOWN:
        return name, ""
    if (match := KRAKEN_PAIR.fullmatch(name)) and (match[1] in KNOWN or match[1] in ALIASES):
        return match[1], match[2]
    dollars = ("USDT", "USDC", "FDUSD", "PYUSD", "RLUSD", "USD", *DOLLAR_COINS)
    ends = [(name.removesuffix(quote), quote) for quote in dollars if name.endswith(quote)]
    for base, quote in ends:
        if base in KNOWN or base in ALIASES:
            return base, quote
    for base, quote in ends:  # DOTUSD is DOT in dollars, not DO in TUSD
        if quote in dollars[:6] and len(base) >= (1 if quote in ("USDT", "USDC") else 2):
            return base, quote
    for quote in (*JOINED_FIAT, *JOINED_COINS):
        base = name.removesuffix(quote)
        common = len(base) >= 3 and base.isalpha() and quote in JOINED_FIAT[:16]
        if base != name and (base in KNOWN or base in ALIASES or common):
            return base, "BTC" if quote == "XBT" else quote
        if base != name and quote in JOINED_COINS and len(base) >= 3 and base.isalnum():
            return base, "BTC" if quote == "XBT" else quote
    return name, ""


def looks_like_asset(text: str) -> bool:
    """Whether a column name without a role names an asset: a code in capitals, a known one, a pair, a coin's name."""
    raw = str(text).strip()
    asset, quote, why = pair(raw)
    if not asset or why:
        return False
    if quote or asset in KNOWN or re.sub(r"[^A-Z0-9]", "", raw.upper()) in COINS:
        return True
    if not any(c.isalpha() for c in raw):
        return False
    body = raw.lstrip("^")
    return (body == body.upper() and len(body) <= 12) or (body.isalnum() and len(body) <= 5)


def asset_of_file(name: str) -> tuple[str, str, str]:
    """(asset, quote, why not) of a file name: 'coinbase_BTC-USD.csv', 'Bitcoin Historical Data.csv', 'btc-eur-max.csv'.

    ('', '', why) when the name does not say which asset it is.
    """
    stem = re.sub(r"(\.(csv|txt|tsv|dat|parquet|pq))+$", "", PurePath(name).name, flags=re.IGNORECASE)
    words = [w for w in re.split(r"[^\w.^=€£¥$]+|_", re.sub(r"\(\d+\)", " ", stem)) if w]
    kept: list[str] = []
    for number, word in enumerate(words):
        upper = fold(word).upper() if not word.isascii() else word.upper()
        upper = upper.strip(".")
        if not upper or DATE_OR_NUMBER.fullmatch(upper) or (upper in CONTRACT_WORDS and kept):
            continue
        after = words[number + 1].upper() if number + 1 < len(words) else ""
        two = re.sub(r"\W", "", upper + after)
        if after and two in COINS:
            kept.append(COINS[two])
            words[number + 1] = "0"
        elif upper in COINS and not (upper in EXCHANGE_WORDS and any(w.upper() in KNOWN for w in words)):
            kept.append(COINS[upper])
        elif upper in EXCHANGE_WORDS or (upper in FILLER_WORDS and word not in KNOWN):
            continue
        else:
            kept.append(word)
    unknown = "its file name does not say which asset it holds"
    if not kept or (currency(kept[0]) in DOLLARS and kept[0].upper() not in KNOWN):
        return "", "", unknown
    if told := _told_with_dollars(kept):
        return told
    if len(kept) > 3:
        return "", "", unknown
    first, rest = kept[0], kept[1:]
    code = next((currency(w) for w in rest if currency(w)), "")
    asset, quote, why = pair(f"{first}-{code}" if code else first)
    if why and quote and (quote not in COIN_QUOTES or asset in KNOWN):
        return asset, quote, why
    if not asset or why:
        return "", "", unknown
    strangers = [w for w in rest if not currency(w)]
    sure = bool(quote or code) or asset in KNOWN
    if not sure and (strangers or not (first.upper() == first and len(first) <= 6 and any(c.isalpha() for c in first))):
        return "", "", unknown
    return asset, quote, ""


def _told_with_dollars(kept: list[str]) -> tuple[str, str, str] | None:
    """A known asset beside the dollar among words that mean nothing here: cbse, btc, usd; HistoricalPrices, BTCUSD."""
    found: dict[str, str] = {}
    for here, after in zip(kept, [*kept[1:], ""], strict=True):
        market = here if BITFINEX.fullmatch(here) else here.upper()
        known = ALIASES.get(market, market)
        if known in KNOWN and after and currency(after) and not (currency(here) and len(kept) > 2 and found):
            found[known] = currency(after)
        elif (base_quote := pair(market))[1] and (base_quote[0] in KNOWN) and not base_quote[2]:
            found[base_quote[0]] = base_quote[1]
    if len(found) != 1 or any(code not in DOLLARS for code in found.values()):
        return None
    ((asset, quote),) = found.items()
    return asset, quote, ""


def money_word(text: str) -> str:
    """The currency that a free text such as a header line names, '' when none: 'Close (EUR)', 'Preis in €'."""
    for word in re.split(r"[^\w€£¥₩₹₽₺$]+", str(text).upper()):
        if code := currency(MONEY_WORDS.get(word, word)):
            return code
    return ""
