"""Kraken: open positions and accounts of Kraken Futures, open margin positions of Kraken Spot.

Source: Kraken API docs, "Get open positions", "Get wallets" (futures), "Get Open Positions", "Get Account Balance".
PF_ and FF_ count coins and settle in dollars, PI_ and FI_ count US dollars and settle in the coin.
"""

from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.position import Position
from margin.formats.books import BookReader
from margin.formats.contract_names import unify
from margin.formats.found import Part
from margin.formats.plain import needed, number, optional, text, when

VENUE = "kraken"
_OLD = {"XXBT": "BTC", "XBT": "BTC", "XETH": "ETH", "XXRP": "XRP", "XLTC": "LTC", "XXDG": "DOGE", "XDG": "DOGE"}
_OLD |= {"ZUSD": "USD", "XXLM": "XLM", "XETC": "ETC", "XXMR": "XMR", "XZEC": "ZEC"}


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    if not isinstance(document, Mapping):
        return False
    accounts = document.get("accounts")
    if "openPositions" in document or (isinstance(accounts, Mapping) and isinstance(accounts.get("flex"), Mapping)):
        return True
    result = document.get("result")
    if _is_balance(document):
        return True
    rows = list(result.values()) if isinstance(result, Mapping) else []
    return bool(rows) and all(isinstance(r, Mapping) and {"pair", "vol", "type"} <= set(r) for r in rows)


def _is_balance(document: Mapping[str, Any]) -> bool:
    """Whether it is "Get Account Balance": {"error": [], "result": {"ZUSD": "1.5"}}."""
    result = document.get("result")
    if not isinstance(result, Mapping) or not result or document.get("error") != []:
        return False
    return all(isinstance(value, str) and value.replace(".", "", 1).isdigit() for value in result.values())


def read(document: Any) -> list[Part]:
    """The accounts in it, row by row; what cannot be read is set aside by name."""
    part = Part(venue=VENUE, mode="cross", as_of=when(document.get("serverTime")))
    if "openPositions" in document:
        part.positions = []
        part.each(document["openPositions"], "openPositions", lambda row, place: _row(row, part))
    elif "result" in document and _is_balance(document):
        part.balances = []
        rows = [{"asset": key, "quantity": value} for key, value in document["result"].items()]
        part.each(rows, "result", lambda row, place: _coin(row, part), ("asset",))
    elif "accounts" in document:
        _flex(document["accounts"]["flex"], part)
    else:
        part.positions = []
        part.each(list(document["result"].values()), "result", lambda row, place: _margin(row, part), ("pair",))
    return [part]


def _row(row: Mapping[str, Any], part: Part) -> None:
    size = needed(row, "size")
    if not size:
        part.closed += 1
        return
    side = row.get("side")
    if side not in ("long", "short"):
        raise InputError("side", side, "must be long or short")
    symbol = unify(text(row, "symbol"), VENUE)
    leverage = optional(row, "maxFixedLeverage")
    position = Position(
        symbol,
        abs(size) if side == "long" else -abs(size),
        optional(row, "price"),
        leverage,
        mode="isolated" if leverage else None,  # Kraken fixes a leverage for isolated positions only
        mark_price=optional(row, "markPrice"),
    )
    part.held(position)


def _flex(flex: Mapping[str, Any], part: Part) -> None:
    part.balances = []
    held = flex.get("currencies")
    rows = [{"asset": k, **v} for k, v in held.items() if isinstance(v, Mapping)] if isinstance(held, Mapping) else []

    def one(row: Mapping[str, Any], place: str) -> None:
        name = text(row, "asset").upper()
        quantity = number(row, "quantity")
        part.owes(_OLD.get(name, name), quantity, worth=(number(row, "value"), quantity))

    part.each(rows, "currencies", one, ("asset",))
    for key, name in (
        ("equity", "marginEquity"),
        ("initial", "initialMarginWithOrders"),
        ("initial", "initialMargin"),
        ("maintenance", "maintenanceMargin"),
        ("free", "availableMargin"),
    ):
        if (figure := number(flex, name)) is not None:
            part.says[key] = figure


def _coin(row: Mapping[str, Any], part: Part) -> None:
    name, quantity = text(row, "asset").upper(), needed(row, "quantity")
    plain, dot, kind = name.partition(".")
    if dot and quantity:
        raise InputError("asset", name, f"is {plain} that is staked or held ({kind}), and backs no position")
    fiat = plain.removeprefix("Z") if plain.startswith("Z") and len(plain) == 4 else plain
    part.owes(_OLD.get(plain, fiat), quantity)


def _margin(row: Mapping[str, Any], part: Part) -> None:
    open_volume = needed(row, "vol") - (number(row, "vol_closed") or 0.0)
    if open_volume <= 0:
        part.closed += 1
        return
    side = row.get("type")
    if side not in ("buy", "sell"):
        raise InputError("type", side, "must be buy or sell")
    cost, volume, margin = number(row, "cost"), needed(row, "vol"), optional(row, "margin")
    position = Position(
        _pair(text(row, "pair")),
        open_volume if side == "buy" else -open_volume,
        cost / volume if cost and volume else None,
        cost / margin if cost and margin else None,
        mark_price=value / open_volume if (value := optional(row, "value")) else None,
        paid=side == "sell",
    )
    part.positions = [*(part.positions or []), position]


def _pair(name: str) -> str:
    plain = name.upper()
    for quote in ("ZUSD", "USDT", "USDC", "USD"):
        if plain.endswith(quote) and len(plain) > len(quote):
            base = plain.removesuffix(quote).rstrip("/")
            return f"{_OLD.get(base, base)}/{_OLD.get(quote, quote)}"
    raise InputError("pair", name, "is not quoted in US dollars")


READER = BookReader("kraken", "Kraken open positions and futures wallets", knows, read)
