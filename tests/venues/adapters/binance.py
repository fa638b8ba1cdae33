"""Published Binance USD-M cases as accounts."""

from margin.core.portfolio import Position
from margin.venues.families.tiers import tier_at, tiers_of
from tests.venues.door import Account, isolated, with_facts

# Brackets of freqtrade's test fixture (commit c9ae5e1e), older than the table carried with the project: floor, rate.
_OLDER = {
    "BTC": [
        (0, 0.004), (50e3, 0.005), (250e3, 0.01), (1e6, 0.025), (7.5e6, 0.05), (40e6, 0.1), (100e6, 0.125),
        (200e6, 0.15), (400e6, 0.25), (600e6, 0.5),
    ],
    "BNB": [
        (0, 0.0065), (10e3, 0.01), (50e3, 0.02), (250e3, 0.05), (1e6, 0.1), (2e6, 0.125), (5e6, 0.15), (10e6, 0.25),
        (20e6, 0.5),
    ],
    "XRP": [(0, 0.025), (100e3, 0.05), (500e3, 0.1), (1e6, 0.125), (2e6, 0.25), (5e6, 0.5)],
}  # fmt: skip
FIXTURE = {
    asset: [(floor, rows[i + 1][0] if i + 1 < len(rows) else None, rate, 1.0) for i, (floor, rate) in enumerate(rows)]
    for asset, rows in _OLDER.items()
}
SIGN = {"long": 1.0, "short": -1.0}


def run(case):
    x, expected = case["inputs"], case["expected"]
    if "deficit" in x:
        return _auto_exchange(x)
    if "positions" in x:
        return _cross(x)
    if "liq_price" in expected:
        held = Position(
            "X/USDT:USDT", SIGN[x["side"]] * x["qty"], x["entry"], x.get("leverage"), margin=x.get("wallet_balance"),
            maintenance_rate=x["mmr"], maintenance_deduction=x["cum"],
        )  # fmt: skip
        return {"liq_price": isolated("binance", held).liquidation_price()}
    if "brackets_no_cum" in x:
        return {"cum": [round(t.deduction, 6) for t in tiers_of(x["brackets_no_cum"])]}
    if "mmr_prev" in x:
        tiers = tiers_of([(0.0, x["floor"], x["mmr_prev"], 1.0), (x["floor"], None, x["mmr"], 1.0)])
        cum = x["cum_prev"] + tiers[-1].deduction
        return {"cum": cum, "mmr_at_264000": tiers[-1].rate, "cum_at_500000": cum}
    if "notional" in x:
        tier = tier_at(tiers_of(FIXTURE[x["symbol"].split("/")[0]]), x["notional"])
        return {"mmr": tier.rate, "cum": tier.deduction}
    return None


def _auto_exchange(x):
    """An account in multi-assets mode whose USDC is owed, with bitcoin enough to cover it: the line it shows."""
    rules = with_facts("binance", auto_exchange={"least": -x["deficit"], "cut": {"BTC": x["cut"]}})
    held = {"USDC": -x["deficit"], "BTC": 1.0}
    state = Account(rules, "cross", [], held, {"BTC": 60_000.0}, multi_assets=1.0).state
    return {"converted": next(line.amount for line in state.lines if line.label == "BTC sold for USDC")}


def _cross(x):
    """Several contracts with what the venue printed of each one's bracket, on one wallet."""
    rows = [
        Position(
            f"{p['symbol'].removesuffix('USDT')}/USDT:USDT", SIGN[p["side"]] * p["qty"], p["entry"],
            maintenance_rate=p["mmr"], maintenance_deduction=p["cum"],
        )
        for p in x["positions"]
    ]  # fmt: skip
    prices = {row.underlying: p["mark"] for row, p in zip(rows, x["positions"], strict=True)}
    account = Account("binance", "cross", rows, {"USDT": x["wallet_balance"]}, prices)
    target = next(r for r, p in zip(rows, x["positions"], strict=True) if p["symbol"] == x["target"])
    others = [r for r in rows if r is not target]
    state = account.state
    return {
        "liq_price": account.liquidation_price(target.underlying),
        "TMM_other": sum(r.maintenance for r in state.positions if r.symbol != target.symbol),
        "UPNL_other": sum(account.marks.unrealised(r) for r in others),
    }
