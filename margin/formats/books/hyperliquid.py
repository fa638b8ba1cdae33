"""Hyperliquid's info endpoint: `clearinghouseState`, `spotClearinghouseState`, and both with `userAbstraction`.

Source: Hyperliquid docs, API, info endpoint. The mark is positionValue / |szi|. The dollars of the cross pool are its
account value less the open profit of its cross positions (= totalRawUsd + sum of szi x entry); what an isolated
position was given is marginUsed less its open profit. A market of a builder is `dex:COIN`. In a unified account and
under portfolio margin one balance a token backs every cross position: the spot state holds it, and the clearinghouses'
own dollars say nothing (docs, account abstraction modes, August 2026).
"""

from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.position import Collateral, Position
from margin.formats.books import BookReader
from margin.formats.contract_names import unify
from margin.formats.found import Balance, Part
from margin.formats.plain import needed, number, optional, text, when

VENUE = "hyperliquid"
# Coins that stand for one other coin, as Unit issues them on Hyperliquid's spot market.
APART = (
    "Coins on Hyperliquid's spot side are an account of their own here: they back perpetuals only where the account is "
    "unified; move them over if yours is."
)
UNIFIED = {"unifiedAccount": "cross", "portfolioMargin": "portfolio"}
STANDS_FOR = {"UBTC": "BTC", "UETH": "ETH", "USOL": "SOL", "UFART": "FARTCOIN", "UPUMP": "PUMP", "USDT0": "USDT"}


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    if not isinstance(document, Mapping):
        return False
    if "assetPositions" in document and ("marginSummary" in document or "crossMarginSummary" in document):
        return True
    if isinstance(document.get("userAbstraction"), str) and "clearinghouseState" in document:
        return True
    return _is_spot(document)


def _is_spot(document: Mapping[str, Any]) -> bool:
    rows = document.get("balances")
    return isinstance(rows, list) and all(isinstance(r, Mapping) and "coin" in r and "total" in r for r in rows)


def read(document: Any) -> list[Part]:
    """The accounts in it, row by row; what cannot be read is set aside by name."""
    if "userAbstraction" in document:
        return _with_mode(document)
    return [_spot(document)] if _is_spot(document) else [_perpetuals(document)]


def _with_mode(document: Mapping[str, Any]) -> list[Part]:
    """The states of one address with its mode: one account where it is unified, else one each."""
    held = document["clearinghouseState"]
    if isinstance(held, Mapping):  # one state, or one by dex
        named = [{"dex": dex, **s} if dex else s for dex, s in held.items() if isinstance(s, Mapping) and knows(s)]
        states: list[Any] = [held] if knows(held) else named
    else:
        states = list(held) if isinstance(held, list) else []
    unknown = [s for s in states if not isinstance(s, Mapping) or "assetPositions" not in s]
    if unknown or not states:
        raise InputError("clearinghouseState", unknown[:1] or held, "is no state of a clearinghouse")
    parts = [_perpetuals(state) for state in states]
    spot = document.get("spotClearinghouseState")
    coins = _spot(spot) if isinstance(spot, Mapping) and _is_spot(spot) else None
    mode = UNIFIED.get(str(document["userAbstraction"]))
    if mode is None or coins is None or not parts:
        if mode is not None and parts:
            parts[0].notes.append("The account is unified and its spot balances are missing: what backs it is unknown.")
        return [*parts[:1], *([coins] if coins is not None else []), *parts[1:]]
    return [_unified(parts, coins, mode)]


def _unified(parts: list[Part], coins: Part, mode: str) -> Part:
    """Every dex's positions behind the spot balances, less what isolated positions were given."""
    whole = Part(venue=VENUE, mode=mode, as_of=max((p.as_of for p in parts if p.as_of), default=None), positions=[])
    for part in parts:
        whole.positions = [*(whole.positions or ()), *(part.positions or ())]
        whole.notes += part.notes
        whole.aside += part.aside
        whole.first_error = whole.first_error or part.first_error
        whole.closed += part.closed
        for key, said in part.says.items():
            if isinstance(said, dict):  # totals are of one clearinghouse alone, and mean nothing here
                whole.says.setdefault(key, {}).update(said)
    given = sum(p.margin or 0.0 for p in whole.positions or ())
    whole.balances = [
        Balance(b.asset, b.quantity - given if b.asset == "USDC" else b.quantity) for b in coins.balances or ()
    ]
    whole.aside += coins.aside
    whole.first_error = whole.first_error or coins.first_error
    whole.notes += [note for note in coins.notes if note != APART]
    whole.notes.append(
        "Unified account: its spot balances back every cross position; a clearinghouse's totals say nothing."
    )
    return whole


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
        part.notes.append(APART)
    return part


READER = BookReader("hyperliquid", "Hyperliquid clearinghouse and spot state", knows, read)
