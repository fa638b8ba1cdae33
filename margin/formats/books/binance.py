"""Binance's own answers: positionRisk, account and balance of USD-M and COIN-M futures.

Source: Binance API docs, "Position Information", "Account Information". COIN-M counts contracts: 100 US dollars each of
BTC, 10 of any other coin. The wallet balance holds what isolated positions were given; crossWalletBalance does not.
Where an answer leaves out the mark or the entry price, they follow from its notional and its profit.
"""

import math
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.instruments import Instrument
from margin.core.position import Position
from margin.formats.books import BookReader
from margin.formats.contract_names import unify
from margin.formats.found import Part
from margin.formats.plain import all_have, needed, number, optional, signed, text, when

VENUE = "binance"


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    if isinstance(document, list):
        rows = [row for row in document if isinstance(row, Mapping)]
        return any("positionAmt" in row and "symbol" in row for row in rows) or all_have(rows, "crossWalletBalance")
    if not isinstance(document, Mapping):
        return False
    account = "assets" in document and any(
        k in document for k in ("totalWalletBalance", "totalMaintMargin", "positions")
    )
    pooled = "tradeGroupId" in document and "assets" in document  # the futures of a portfolio margin account
    return account or pooled or ("positionAmt" in document and "symbol" in document)


def read(document: Any) -> list[Part]:
    """The accounts in it, row by row; what cannot be read is set aside by name."""
    part = Part(venue=VENUE, mode="cross")
    if isinstance(document, Mapping) and "positionAmt" in document:
        document = [document]
    if isinstance(document, Mapping):
        _account(document, part)
    elif all_have(document, "crossWalletBalance"):
        _balances(document, part, "balance")
    else:
        part.positions = []
        part.each(document, "positions", lambda row, place: _row(row, part))
    return [part]


def _account(data: Mapping[str, Any], part: Part) -> None:
    if isinstance(data.get("positions"), list):
        part.positions = []
        part.each(data["positions"], "positions", lambda row, place: _row(row, part))
    if "tradeGroupId" in data:
        part.mode = "portfolio"  # its assets are a part of the pool, which the balance tells whole
        return
    _balances(data["assets"], part, "assets")
    part.as_of = part.as_of or when(data.get("updateTime"))
    isolated = any(p.mode == "isolated" for p in part.positions or ())
    if isolated:
        return  # the totals hold isolated positions too, ours are of the cross pool
    equity = number(data, "totalMarginBalance")
    for key, found in (
        ("equity", equity),
        ("initial", number(data, "totalInitialMargin")),
        ("maintenance", number(data, "totalMaintMargin")),
        ("free", number(data, "availableBalance")),
    ):
        if found is not None:
            part.says[key] = found


def _balances(rows: Any, part: Part, where: str) -> None:
    part.balances = []

    def one(row: Mapping[str, Any], place: str) -> None:
        quantity = number(row, "crossWalletBalance", "walletBalance", "balance")
        part.owes(text(row, "asset"), quantity)

    part.each(rows, where, one)


def _row(row: Mapping[str, Any], part: Part) -> None:
    amount = needed(row, "positionAmt")
    if not amount:
        part.closed += 1
        return
    symbol = unify(text(row, "symbol"), VENUE)
    instrument = Position(symbol, 0.0).instrument
    mark, entry = optional(row, "markPrice"), optional(row, "entryPrice")
    if row.get("positionSide") == "SHORT":
        amount = -abs(amount)
    if instrument.is_inverse:
        amount *= 100.0 if instrument.base == "BTC" else 10.0
        coins = signed(row, "notionalValue")
        if coins and mark is None:
            mark = abs(amount / coins)
        elif coins and mark and not math.isclose(abs(coins) * mark, abs(amount), rel_tol=0.03):
            raise InputError("notionalValue", coins, f"does not fit {amount:g} US dollars of face at {mark:g}")
    else:
        value = signed(row, "notional")
        if mark is None and value:
            mark = abs(value / amount)
        elif mark is not None and value and not math.isclose(abs(value), abs(amount) * mark, rel_tol=0.03):
            problem = f"{abs(amount):g} at a mark price of {mark:g} are {abs(amount) * mark:g}, not the notional"
            raise InputError("notional", value, problem, "Check positionAmt, markPrice and notional.")
        if value and (value < 0) != (amount < 0):
            raise InputError("notional", value, f"has another sign than positionAmt {amount:g}")
    entry = entry if entry is not None else _entry(row, instrument, amount, mark)
    wallet = number(row, "isolatedWallet")
    isolated = row.get("marginType") == "isolated" or row.get("isolated") is True or bool(wallet)
    if isolated and wallet is None:
        kept = number(row, "isolatedMargin")
        profit = number(row, "unRealizedProfit", "unrealizedProfit") or 0.0
        wallet = kept - profit if kept is not None else None
    posted = max(wallet, 0.0) if isolated and wallet else None
    position = Position(
        symbol,
        amount,
        entry,
        optional(row, "leverage"),
        mode="isolated" if isolated else None,
        margin=None if instrument.is_inverse else posted,
        margin_coin=posted if instrument.is_inverse else None,
        mark_price=mark,
    )
    coin = "_coin" if instrument.is_inverse else ""
    said = {
        f"position_initial{coin}": optional(row, "positionInitialMargin", "initialMargin"),
        f"position_maintenance{coin}": optional(row, "maintMargin"),
    }
    if "liquidationPrice" in row:
        said["liquidation_prices"] = optional(row, "liquidationPrice")
    part.held(position, **said)
    part.as_of = max(filter(None, (part.as_of, when(row.get("updateTime")))), default=None)


def _entry(row: Mapping[str, Any], instrument: Instrument, amount: float, mark: float | None) -> float | None:
    """The entry price that the open profit tells, where the answer has none."""
    profit = signed(row, "unRealizedProfit", "unrealizedProfit")
    if profit is None or mark is None:
        return None
    if instrument.is_inverse:  # profit in coins = face x (1 / entry - 1 / mark)
        inverse = profit / amount + 1.0 / mark
        return 1.0 / inverse if inverse > 0 else None
    entry = mark - profit / amount
    return entry if entry > 0 else None


READER = BookReader("binance", "Binance positionRisk, account and balance", knows, read)
