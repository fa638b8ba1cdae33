"""Hyperliquid's info endpoint: `clearinghouseState` and `spotClearinghouseState`.

Source: Hyperliquid docs, API, info endpoint. The mark is positionValue / |szi|. The dollars of the cross pool are its
account value less the open profit of its cross positions (= totalRawUsd + sum of szi x entry); what an isolated
position was given is marginUsed less its open profit. A market of a builder is `dex:COIN`.
"""

from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.position import Collateral, Position
from margin.formats.books import BookReader
from margin.formats.contract_names import unify
from margin.formats.found import Part
from margin.formats.plain import needed, number, optional, text, when

VENUE = "hyperliquid"
# Coins that stand for one other coin, as Unit issues them on Hyperliquid's spot market.
STANDS_FOR = {"UBTC": "BTC", "UETH": "ETH", "USOL": "SOL", "UFART": "FARTCOIN", "UPUMP": "PUMP", "USDT0": "USDT"}


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    if not isinstance(document, Mapping):
        return False
    if "assetPositions" in document and ("marginSummary" in document or "crossMarginSummary" in document):
        return True
    return _is_spot(document)


def _is_spot(document: Mapping[str, Any]) -> bool:
    rows = document.get("balances")
    return isinstance(rows, list) and all(isinstance(r, Mapping) and "coin" in r and "total" in r for r in rows)


def read(document: Any) -> list[Part]:
    """The accounts in it, row by row; what cannot be read is set aside by name."""
    return [_spot(document)] if _is_spot(document) else [_perpetuals(document)]


def _perpetuals(state: Mapping[str, Any]) -> Part:
    part = Part(venue=VENUE, mode="cross", as_of=when(state.get("time")), positions=[], name=_clearinghouse(state))
    cross_profit = 0.0
    cross_initial = 0.0

    def one(row: Mapping[str, Any], place: str) -> None:
        nonlocal cross_profit, cross_initial
        inner = row.get("position")
        item = inner if isinstance(inner, Mapping) else row
        size = needed(item, "szi")
        if not size:
            part.closed += 1
            return
        coin = text(item, "coin")
        entry = optional(item, "entryPx")
        value = optional(item, "positionValue")
        mark = value / abs(size) if value is not None else None
        how = item.get("leverage")
        how = how if isinstance(how, Mapping) else {}
        isolated = how.get("type") == "isolated"
        used, profit = number(item, "marginUsed"), number(item, "unrealizedPnl")
        if not isolated:  # the dollars of the pool hold its profit whatever becomes of the row
            cross_profit += profit or 0.0
        symbol = unify(coin, VENUE)
        margin = max(used - (profit or 0.0), 0.0) if isolated and used is not None else None
        position = Position(
            symbol,
            size,
            entry,
            optional(how, "value"),
            mode="isolated" if isolated else None,
            margin=margin,
            mark_price=mark,
            max_leverage=optional(item, "maxLeverage"),
        )
        if not isolated:
            cross_initial += used or 0.0
        part.held(
            position,
            liquidation_prices=optional(item, "liquidationPx"),
            position_initial=used if not isolated else None,
        )

    part.each(state.get("assetPositions"), "assetPositions", lambda row, place: one(row, place), ("coin",))
    summary_key = "crossMarginSummary" if isinstance(state.get("crossMarginSummary"), Mapping) else "marginSummary"
    summary = state.get(summary_key)
    if not isinstance(summary, Mapping):
        raise InputError(summary_key, summary, "is missing")
    equity = needed(summary, "accountValue")
    part.owes("USDC", equity - cross_profit)
    part.says["equity"] = equity
    part.says["initial"] = number(summary, "totalMarginUsed") if summary_key == "crossMarginSummary" else cross_initial
    for ours, theirs in (("maintenance", "crossMaintenanceMarginUsed"), ("withdrawable", "withdrawable")):
        if (found := number(state, theirs)) is not None:
            part.says[ours] = found
    return part


def _clearinghouse(state: Mapping[str, Any]) -> str:
    """ "" for the main one; a builder's markets are margined by themselves, so they are an account of their own."""
    named = state.get("dex")
    rows = state["assetPositions"] if isinstance(state["assetPositions"], list) else []
    items = [row.get("position") for row in rows if isinstance(row, Mapping)]
    coins = [str(item.get("coin", "")) for item in items if isinstance(item, Mapping)]
    dexes = {coin.partition(":")[0] if ":" in coin else "" for coin in coins}
    only = next(iter(dexes)) if len(dexes) == 1 else ""
    dex = named if isinstance(named, str) and named else only
    return f"Hyperliquid {dex}" if dex else ""


def _spot(state: Mapping[str, Any]) -> Part:
    """Coins on the spot side: an account of their own, as they back perpetuals only in a unified account."""
    part = Part(venue="", name="Hyperliquid spot", balances=[])

    def one(row: Mapping[str, Any], place: str) -> None:
        coin, total = text(row, "coin"), number(row, "total")
        if not total:
            return
        known = STANDS_FOR.get(coin.upper(), coin.upper())
        part.owes(Collateral(known, total).asset, total)
        if known != coin.upper():
            part.notes.append(f"{coin} is counted as {known}, for which it stands.")

    part.each(state["balances"], "balances", one, ("coin",))
    if part.balances:
        part.notes.append(
            "Coins on Hyperliquid's spot side are an account of their own here: they back perpetuals only where the "
            "account is unified; move them over if yours is."
        )
    return part


READER = BookReader("hyperliquid", "Hyperliquid clearinghouse and spot state", knows, read)
