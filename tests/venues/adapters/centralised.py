"""Published cases of centralised venues and of the engines that imitate them, on to the rulebooks' own functions."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from margin.core.options import implied_vol, years_to_expiry
from margin.core.portfolio import Position
from margin.liquidation import adl
from margin.venues import rulebook
from margin.venues.families.clearing import (
    buffered,
    floored,
    net_array,
    offset_cap,
    scan_risk,
    stress_weighted,
    worst_scenario,
)
from margin.venues.families.tiers import tiers_of
from margin.venues.rules.bybit import bankruptcy_price, coin_bankruptcy_price
from margin.venues.rules.kraken import maintenance_of, netted
from margin.venues.rules.okx import borrow_margin, unit_margin
from tests.support import SHARED
from tests.venues.door import Account, isolated, with_facts

SIGN = {"long": 1.0, "short": -1.0}


def gate_okx(case):
    x = case["inputs"]
    if isinstance(x, list):
        rows = {
            "ETH": [(2_000.0, 0.01), (4_000.0, 0.015), (None, 0.02)],  # the same test's fixture, October 2024
            "ADA": [(500.0, 0.02), (1000.0, 0.025), (None, 0.03)],  # the same test's fixture
        }
        tables = {
            asset: [(row[i - 1][0] if i else 0.0, cap, rate, 1.0) for i, (cap, rate) in enumerate(row)]
            for asset, row in rows.items()
        }
        okx = rulebook("okx").with_tiers(tables, "freqtrade's fixture")
        out = []
        for i in x:
            asset = i["sym"].split("/")[0]
            account = Account(okx, "cross", [(f"{asset}/USDT:USDT", i["n"], 1.0)], {"USDT": 1e6}, {asset: 1.0})
            out.append({"mmr": account.state.positions[0].maintenance_rate})
        return out
    held = Position(
        "X/USDT:USDT", SIGN[x["side"]] * x["qty"], x["entry"], x["leverage"], maintenance_rate=x["mmr"],
        margin=x["qty"] * x["entry"] / x["leverage"],
    )  # fmt: skip
    return {"liq_price": isolated("okx", held, taker_fee=x["taker_fee"]).liquidation_price()}


def bybit(case):
    x = case["inputs"]
    if isinstance(x, list):
        return [_bybit_maintenance(i) for i in x]
    if "file" in x:
        data = json.loads((SHARED / "venues" / x["file"]).read_text())
        return {"max_abs_error_usdt": max(_tier_error(rows) for name, rows in data.items() if name[0] != "_")}
    if "contracts_usd" in x:
        return _bybit_inverse(x)
    sign = SIGN[x["side"]]
    if "bankruptcy_price" in case["expected"]:
        return {"bankruptcy_price": bankruptcy_price(sign, x["entry"], x["leverage"])}
    held = Position(
        "X/USDT:USDT", sign * x["qty"], x["entry"], x["leverage"], maintenance_rate=x["mmr"],
        maintenance_deduction=x.get("mm_deduction"),
    )  # fmt: skip
    if "taker_fee" not in x:  # the classic account: maintenance margin of the value at entry
        return {"liq_price": isolated("bybit", held, when="2024-06-04").liquidation_price()}
    fee = x["taker_fee"]
    own = isolated("bybit", held, taker_fee=fee).sub.collateral[0].quantity
    held = replace(held, margin=own + x.get("extra_margin", 0.0))
    return {"liq_price": isolated("bybit", held, taker_fee=fee).liquidation_price()}


def bybit_option(case):
    """The mark the case prints is the premium at some volatility; what was received for it is in the balance."""
    x = case["inputs"]
    rule = {"most": 0.15, "least": 0.10, "maintenance": x["mm_factor"], "liquidation_fee": x["liquidation_fee"]}
    held = Position("BTC/USDC:USDC-240126-31000-C", x["size"])  # the strike is in its description
    when = pd.Timestamp("2023-12-04")
    years = years_to_expiry(held.instrument, when)
    vol = implied_vol(x["mark"], x["index"], held.instrument.strike, years, "C")
    cash = {"USDC": x["balance"] + x["size"] * x["mark"]}
    rules = with_facts("bybit", options={"BTC": rule})
    state = Account(rules, "cross", [held], cash, {"BTC": x["index"]}, when=when, vols={"BTC": vol}).state
    return {"maintenance": state.maintenance, "account_mm_rate": state.maintenance / state.equity}


def _bybit_inverse(x):
    """A coin-settled contract backed by a whole balance; the venue's rules of 2019 charged its value at entry."""
    face, entry, coins = x["contracts_usd"] * SIGN[x["side"]], x["entry"], x["balance_btc"]
    held = Position("BTC/USD:BTC", face, entry, maintenance_rate=x["mmr"], margin_coin=coins)
    account = Account(
        "bybit_inverse", "isolated", [held], {"BTC": coins}, {"BTC": entry}, "2019-06-01", True,
        taker_fee=x["taker_fee"],
    )  # fmt: skip
    broke = coin_bankruptcy_price(face, entry, 1.0, coins, x["taker_fee"])
    return {"liq_price": account.liquidation_price(), "bankruptcy_price": broke}


def _bybit_maintenance(i):
    held = Position(
        "X/USDT:USDT", i["value"], 1.0, 10.0, maintenance_rate=i.get("mmr", 0.0),
        maintenance_deduction=i.get("deduction", 0.0),
    )  # fmt: skip
    return Account("bybit", "cross", [held], {"USDT": 1e9}, {"X": 1.0}, taker_fee=0.0).state.maintenance


def _tier_error(rows):
    floor, brackets = 0.0, []
    for row in rows:
        brackets.append((floor, row["riskLimitValue"], row["maintenanceMargin"], row["maxLeverage"]))
        floor = row["riskLimitValue"]
    found = tiers_of(brackets)
    return max(abs(t.deduction - row["mmDeduction"]) for t, row in zip(found, rows, strict=True))


def coin_m(case):
    x, expected = case["inputs"], case["expected"]
    if "contracts" in x:
        face = x["contracts"] * x["multiplier_usd"]
        held = Position("X/USD:X", face, x["mark"], maintenance_rate=x["mmr"], maintenance_deduction=x["cum_btc"])
        row = Account("binance_coinm", "cross", [held], {"X": 10.0}, {"X": x["mark"]}).state.positions[0]
        return {"notional_btc": row.notional / x["mark"], "mm_btc": row.maintenance / x["mark"]}
    # Two levels up, as quoted on the page: 100 BTC at 10%, 200 BTC at 12.5%.
    rates = [(0.0, x["mmr_prev"]), (x["floor_btc"], x["mmr"]), (100.0, 0.10), (200.0, 0.125)]
    caps = [floor for floor, _ in rates[1:]] + [None]
    tiers = tiers_of([(floor, cap, rate, 1.0) for (floor, rate), cap in zip(rates, caps, strict=True)])
    found = {"cum_btc": x["cum_prev_btc"] + tiers[1].deduction}
    if "mmr_at_300btc" in expected:
        found["mmr_at_300btc"] = tiers[-1].rate
        found["cum_at_300btc"] = x["cum_prev_btc"] + tiers[-1].deduction
    return found


def nautilus(case):
    """That engine's two models are a rate of the notional, divided by leverage in one: put in as what was printed."""
    inverse, by_leverage = "inverse" in case["venue"], "Leveraged" in case["venue"]
    out = []
    for i in case["inputs"]:
        kept, divisor = i.get("kind", "init") == "maint", i.get("lev", 1.0) if inverse or by_leverage else 1.0
        rate = ((0.0035 if kept else 0.01) if inverse else 0.03) / divisor
        size = i.get("contracts", i.get("qty"))
        price = 1.0 if i.get("kind") == "init_in_quote" else i["px"]
        held = Position("X/USD:X" if inverse else "X/USDT:USDT", size, price, maintenance_rate=rate)
        row = Account("okx", "cross", [held], {"USDT": 1e9}, {"X": price}).state.positions[0]
        out.append(round(row.maintenance / price, 8) if inverse else row.maintenance)
    return out


def lean(case):
    x = case["inputs"]
    if isinstance(x, dict):
        other = x["other_position"]
        margin = _at_leverage(other["qty"], other["px"], other["lev"])
        return {"other_margin": margin, "buying_power_reduction": margin}
    return [_at_leverage(i["qty"] * 100.0 / i["px"] if "100 USD" in i["sym"] else i["qty"], i["px"], 25.0) for i in x]


def _at_leverage(quantity, price, leverage):
    held = Position("X/USDT:USDT", quantity, price, leverage, maintenance_rate=0.01)
    return Account("binance", "cross", [held], {"USDT": 1e9}, {"X": price}).state.initial


def deribit(case):
    if isinstance(case["inputs"], dict):
        x = case["inputs"]
        return _linear(x) if "step" in x else _simulation(x)
    out = []
    for i in case["inputs"]:
        coin = next(k for k in i if k.startswith("size_")).removeprefix("size_").upper()
        held = (f"{coin}/USDC:USDC", i[f"size_{coin.lower()}"], i["price"])
        state = Account("deribit", "cross", [held], {"USDC": 1e9}, {coin: i["price"]}).state
        out.append({"im_usdc": state.initial, "mm_usdc": state.maintenance, "mm_usdc_derived": state.maintenance})
    return out


def _linear(x):
    """One linear perpetual at the rates the page states."""
    rules = with_facts("deribit", perpetual_rates={"X": [x["im"], x["mm"], x["step"]]})
    state = Account(rules, "cross", [("X/USDC:USDC", x["size"], x["price"])], {"USDC": 1e9}, {"X": x["price"]}).state
    return {"initial_margin": state.initial, "maintenance_margin": state.maintenance}


EXTENDED = (-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0)  # the extended moves; a future's is capped at the edge


def _simulation(x):
    """A response of the venue's own simulation: contracts of one coin, reckoned in it, as accounts in portfolio margin."""
    index = x["index"]
    facts = {
        "price_range": x["price_range"], "pnl_offset": x["pnl_offset"], "annual_move": x["annualised_move_risk"],
        "least_move": x["min_annualised_move"], "delta_threshold": x["delta_total_liq_shock_threshold"],
        "vol_down": 0.0, "vol_up": 0.0, "least_vol": 0.0, "short_power": 0.0, "long_power": 0.0,
    }  # fmt: skip
    rules = with_facts("deribit", portfolio={"BTC": facts}, maintenance_factor=x["mm_factor"])
    when = datetime.fromtimestamp(x["timestamp_ms"] / 1000.0, UTC).replace(tzinfo=None)
    held = {name: (_deribit_symbol(name), coins * index) for name, coins in x["positions_base"].items()}

    def state(rows):
        return Account(rules, "portfolio", rows, {"BTC": 100.0}, {"BTC": index}, when).state

    def by_move(found):
        (grid,) = found.grids
        moves = np.linspace(-x["price_range"], x["price_range"], len(grid.rows))
        return {f"{m:g}": v for m, v in zip(np.round(moves, 10), grid.values[:, 1] / index, strict=True)}

    alone = {name: by_move(state([row])) for name, row in held.items()}
    perpetual = next(n for n in held if n.endswith("PERPETUAL"))
    future = next((n for n in held if not n.endswith("PERPETUAL")), None)
    whole = state(list(held.values()))
    aggregated = {m: v * x["pnl_offset"] if v > 0 else v for m, v in by_move(whole).items()}
    aggregated["0..0.16"] = max(abs(v) for n, v in aggregated.items() if float(n) >= 0)
    amounts = {line.label: line.amount / index for line in whole.lines if line.amount is not None}
    initial, edge = whole.initial / index, f"{x['price_range']:g}"
    return {
        "perp_pnl_by_move": alone[perpetual],
        "future_pnl_by_move": alone[future] if future else {},
        "extended_perp": [alone[perpetual][f"-{edge}" if move < 0 else edge] for move in EXTENDED],
        "extended_moves": EXTENDED,
        "aggregated_by_move": aggregated,
        "worst_case": amounts["Worst cell, all coins"],
        "roll_shock": amounts["BTC: roll shock"],
        "delta_shock": 0.0,
        "risk_matrix_margin": initial,
        "initial_margin": initial + sum(x.get(k, 0.0) for k in ("mmp_margin", "open_orders_margin", "spot_margin")),
        "maintenance_margin": whole.maintenance / index,
    }


def _deribit_symbol(name):
    day = name.split("-")[1]
    if day == "PERPETUAL":
        return "BTC/USD:BTC"
    return f"BTC/USD:BTC-{datetime.strptime(day.title(), '%d%b%y'):%y%m%d}"


def kucoin(case):
    """No venue of ours: its printed rate, taken at entry as Bybit's classic account does, shows the family's rule."""
    x = case["inputs"]
    if "mark" in x:
        held = Position("BTC/USDT:USDT", x["qty"], x["mark"], maintenance_rate=x["mmr"])
        return {"mm": Account("binance", "cross", [held], {"USDT": 1e9}, {"BTC": x["mark"]}).state.maintenance}
    held = Position("BTC/USDT:USDT", x["qty"] * SIGN[x["side"]], x["entry"], x["leverage"], maintenance_rate=x["mmr"])
    account = isolated("bybit", held, when="2024-06-04", taker_fee=0.0)
    state = account.state
    return {"im": state.initial, "mm": state.maintenance, "liq_price": account.liquidation_price()}


def okx_portfolio(case):
    x = case["inputs"]
    if "units_mmr" in x:
        owed = max(-x["adjusted_eq"], 0.0)
        kept, opening = borrow_margin(owed)
        derivatives = sum(x["units_mmr"])
        return {
            "deriv_mmr": derivatives, "borrow_mmr": kept, "borrow_imr": opening, "total_mmr": derivatives + kept,
            "total_imr": sum(x["units_imr"]) + opening,
        }  # fmt: skip
    group = next(g for g in rulebook("okx").parameters["risk_units"] if g["moves"] == x["shocks"])
    # the case prints no position value, and delta differs from it by 0.015%: the value is read off the grid's first cell
    move, gain = (
        next(iter(case["expected"]["mr1_grid"].items())) if "mr1_grid" in case["expected"] else (1, x["delta_usd"])
    )
    value = gain / float(move)
    found = unit_margin(value, x["delta_usd"], x["shocks"], x["extreme"], group["basis"], group["least"])
    grid = {f"{s * m:g}": value * m * s for m in x["shocks"] for s in (1.0, -1.0)}
    return {**found, "mr1_grid": grid, "mr9": 0.0}


def bitmex(case):
    """The published examples state their limits in words: "base 200 XBT, step 150, MM 0.5%+steps*0.5%, IM 1.0%+..."."""
    text = case["description"]
    base, step = (float(re.search(rf"{word} (\d+)", text)[1]) for word in ("base", "step"))
    maintenance, initial = (float(re.search(rf"{word} ([\d.]+)%", text)[1]) / 100 for word in ("MM", "IM"))
    rules = with_facts("bitmex", risk_limit=[base, step, initial, maintenance, 0.005], taker_fee=0.0)
    out = []
    for i in case["inputs"]:
        held = ("BTC/USD:BTC", i["pos_xbt"] * 50_000.0, 50_000.0, 100.0)
        state = Account(rules, "cross", [held], {"BTC": 1e3}, {"BTC": 50_000.0}).state
        row = state.positions[0]
        mm = state.maintenance / 50_000.0
        out.append({"im_rate": row.initial_rate, "mm_rate": row.maintenance_rate, "mm_xbt": mm})
    return out


def kraken(case):
    x = case["inputs"]
    if "levels" in x:
        rates = rulebook("kraken").parameters["initial_rates"]
        caps = rulebook("kraken").parameters["inverse_btc_levels"]
        return {"im": rates, "mm": maintenance_of(rates), "btc_level_caps": caps}
    return {"required": netted(x["margin_long"], x["margin_short"])}


def span(case):
    x = case["inputs"]
    arrays = [np.array(a) * x["weights"][name] for name, a in x["arrays"].items()] if "arrays" in x else []
    array = net_array(arrays or [x["risk_array"]])
    return {"scan_risk": scan_risk(array), "worst_scenario": worst_scenario(array), "net_array": list(array)}


def emir(case):
    x = case["inputs"]
    if "sum_standalone" in x:
        return {"min_margin": offset_cap(x["sum_standalone"], x["portfolio"], x["cap"])}
    margin = next(v for v in x.values() if isinstance(v, int | float))
    found = {"margin_with_buffer": buffered(margin)}
    stressed = next((v for k, v in x.items() if "stress" in k and "weight" not in k), None)
    if stressed is not None:
        weight = next((v for k, v in x.items() if "weight" in k), 0.25)
        found |= dict.fromkeys(case["expected"], stress_weighted(margin, stressed, weight))
    long_run = next((v for k, v in x.items() if "10y" in k or "ten" in k or "floor" in k or "long" in k), None)
    if long_run is not None:
        found |= dict.fromkeys(case["expected"], floored(margin, long_run))
    return found


def _candidates(size, entry, wallet, mark, side, maintenance=0.0):
    """Accounts as the ranking takes them; lists of one length, or numbers for one account."""
    size, entry, wallet, maintenance = (
        np.atleast_1d(np.asarray(v, dtype=float)) for v in (size, entry, wallet, maintenance)
    )
    return adl.Candidates(size=size, entry=entry, wallet=wallet, maintenance=maintenance, mark=float(mark), side=side)


def bitmex_adl(case):
    x = case["inputs"]
    if "longs" in x:
        names, scores = [a["account"] for a in x["longs"]], np.array([float(a["score"]) for a in x["longs"]])
        size = [a["qty"] for a in x["longs"]]
        held = _candidates(size, np.ones(len(size)), np.zeros(len(size)), x["price"], 1, np.zeros(len(size)))
        ask = adl.queue(lambda _: scores)
        closed = ask(held, float(x["liquidated_short"]))
        reached = [next(q for q in range(1, sum(size) + 1) if ask(held, float(q))[i] > 0) for i in range(len(names))]
        taken = {str(name): q for name, q in zip(names, closed.tolist(), strict=True) if q}
        return {"deleveraged": taken, "order": [name for _, name in sorted(zip(reached, names, strict=True))]}
    sign = SIGN[x["side"]]
    one = _candidates(x["qty"], x["entry"], x["qty"] * sign * (x["entry"] - x["bankruptcy"]), x["mark"], int(sign))
    return {
        "pnl_pct": float(one.unrealised[0] / (x["qty"] * x["entry"])),
        "eff_leverage": float(one.notional[0] / one.equity[0]),
        "score": float(adl.bitmex_score(one)[0]),
    }


def binance_adl(case):
    """One long of a unit whose profit and wallet are the case's; its maintenance margin is the ratio of its equity."""
    x = case["inputs"]
    kept = x["margin_ratio"] * (x["wallet"] + x["unrealised"])
    one = _candidates(1.0, 100.0, x["wallet"], 100.0 + x["unrealised"], 1, kept)
    score = float(adl.binance_score(one)[0])
    return {"pnl_percent": score / x["margin_ratio"], "leverage_pnl": score}
