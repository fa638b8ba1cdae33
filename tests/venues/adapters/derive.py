"""Published Derive cases (three margin engines) on to the rulebook's own functions."""

import json
import math
from ast import literal_eval
from dataclasses import replace
from functools import cache
from pathlib import Path

from margin.core.portfolio import Position
from margin.venues.rules.derive import portfolio as pm2
from margin.venues.rules.derive import portfolio_v1 as pm1
from margin.venues.rules.derive import standard as srm
from margin.venues.rules.derive.auction import auction_fee, insolvent_bid, insolvent_offer, most_bid
from margin.venues.rules.derive.book import Expiry, Option, forward_contingency, option_contingency
from tests.support import SHARED
from tests.venues.door import Account

PM1 = {
    "basis_up": 1.05, "basis_down": 0.95, "basis_add": 0.25, "basis_mult": 0.01,
    "peg_threshold": 0.98, "peg_factor": 2.0, "confidence_threshold": 0.6, "confidence_margin": 0.4,
    "base_percent": 0.025, "perp_percent": 0.025, "option_percent": 0.01, "initial_factor": 1.3,
    "discount": 0.95, "rate_mult": 4.0, "rate_add": 0.12, "vol_up": 0.45, "vol_down": 0.30,
    "short_power": 0.3, "long_power": 0.13, "floor_days": 1.0,
}  # fmt: skip
PM1_SCENARIOS = tuple(
    pm1.Scenario(1.0 + move, vol)
    for move in (0.15, 0.1, 0.05, 0.0, -0.05, -0.1, -0.15)
    for vol in ("Up", "None", "Down")
)
PM2_NAMES = {
    "basis_up": ("BasisContingency", "SCENARIO_SPOT_UP"),
    "basis_down": ("BasisContingency", "SCENARIO_SPOT_DOWN"),
    "basis_add": ("BasisContingency", "BASIS_CONT_ADD_FACTOR"),
    "basis_mult": ("BasisContingency", "BASIS_CONT_MULT_FACTOR"),
    "maintenance_factor": ("Margin", "MM_LOSS_FACTOR"),
    "initial_factor": ("Margin", "IM_LOSS_FACTOR"),
    "long_discount": ("Margin", "BASE_STATIC_DISCOUNT"),
    "short_discount": ("Margin", "BASE_STATIC_DISCOUNT_NEG"),
    "long_rate_mult": ("Margin", "LONG_RATE_MULTSCALE"),
    "long_rate_add": ("Margin", "LONG_RATE_ADDSCALE"),
    "short_rate_mult": ("Margin", "SHORT_RATE_MULTSCALE"),
    "short_rate_add": ("Margin", "SHORT_RATE_ADDSCALE"),
    "confidence_threshold": ("OtherContingency", "CONF_THRESHOLD"),
    "confidence_margin": ("OtherContingency", "CONF_MARGIN"),
    "peg_threshold": ("OtherContingency", "PEG_LOSS_THRESHOLD"),
    "peg_factor": ("OtherContingency", "PEG_LOSS_FACTOR"),
    "maintenance_perp": ("OtherContingency", "MM_PERP_PERCENT"),
    "initial_perp": ("OtherContingency", "IM_PERP_PERCENT"),
    "maintenance_option": ("OtherContingency", "MM_OPTION_PERCENT"),
    "initial_option": ("OtherContingency", "IM_OPTION_PERCENT"),
    "vol_up": ("VolShock", "VOLRANGEUP"),
    "vol_down": ("VolShock", "VOLRANGEDOWN"),
    "lowest_vol": ("VolShock", "MIN_VOL_EVAL_SHOCKED"),
    "short_power": ("VolShock", "SHORTTERMPOWER"),
    "long_power": ("VolShock", "LONGTERMPOWER"),
    "floor_days": ("VolShock", "DTE_FLOOR"),
    "linear_base_cap": ("SkewShock", "LINEAR_SCALE_CAP"),
    "linear_cap_slope": ("SkewShock", "LINEAR_CBASE"),
    "abs_base_cap": ("SkewShock", "ABS_SCALE_CAP"),
    "abs_cap_slope": ("SkewShock", "ABS_CBASE"),
    "least_k": ("SkewShock", "MIN_K_STAR"),
    "width": ("SkewShock", "MIN_WIDTH_SCALE"),
    "k_static": ("SkewShock", "VOL_PARAM_STATIC"),
    "k_scale": ("SkewShock", "VOL_PARAM_SCALE"),
}


def run(case):
    if "markets" in case["inputs"]:
        return standard(case["inputs"])
    if "scenarios" in case["inputs"] or "scenarios_ref" in case["inputs"]:
        return portfolio(case)
    return portfolio_v1(case["inputs"])


def standard(x):
    p = x["params"]
    totals = {"im": x["cash"], "mm": x["cash"], "mtm": x["cash"]}
    for m in x["markets"]:
        rates = srm.StandardParameters(
            perp_initial=p["imPerp"], perp_maintenance=p["mmPerp"], option_most=p["maxS"], option_least=p["minS"], call_maintenance=p["mmCall"], put_maintenance=p["mmPut"], put_maintenance_mtm=p["mmPutMtm"], unpaired_initial=p["upIM"],
            unpaired_maintenance=p["upMM"], offset=p["off"], confidence_threshold=p["thr"], confidence_factor=p["oc"], base_factor=m["mf"], base_initial_scale=m["ims"],
        )  # fmt: skip
        expiries = tuple(
            Expiry(seconds=e["t"], forward=e["f"], options=tuple(Option(*o) for o in e["o"]), confidence=e["c"])
            for e in m["exp"]
        )
        market = srm.Market(
            spot=m["spot"],
            perp=m["perp"],
            perp_price=m["pp"],
            perp_pnl=m["pnl"],
            base=m["base"],
            expiries=expiries,
            parameters=rates,
            confidence=m["conf"],
            perp_confidence=m["pconf"],
        )
        depeg = x["stable"], p["depeg_threshold"], p["depeg_factor"]
        totals["im"] += srm.market_margin(market, True, *depeg)
        totals["mm"] += srm.market_margin(market, False, *depeg)
        totals["mtm"] += srm.market_to_market(market, x["stable"])
    return _dollars(totals["im"], totals["mm"], totals["mtm"])


def standard_2(case):
    """The help pages' worked examples of the standard manager: one market, its own rates."""
    x, p = case["inputs"], case["inputs"]["parameters"]
    rates = srm.StandardParameters(
        perp_initial=p["perp_im"], perp_maintenance=p["perp_mm"], option_most=p["max_req"], option_least=p["min_req"],
        call_maintenance=p["mm_call"], put_maintenance=p["mm_put"], put_maintenance_mtm=p["mm_put_mtm"],
        unpaired_initial=p["unpaired_im"], unpaired_maintenance=p["unpaired_mm"], offset=p["mm_offset"],
        confidence_threshold=p["confidence_threshold"], confidence_factor=p["confidence_factor"],
    )  # fmt: skip
    depeg = p["peg_threshold"], p["peg_factor"]
    if "options" not in x:
        return _feeds(x, rates, depeg)
    forward = x.get("forward", x["spot"])
    # The examples state a mark, not a volatility: an expired option's value is its payoff, so the rest is cash.
    options = tuple(Option(o["strike"], o["kind"] == "call", o["size"], 0.0) for o in x["options"])
    expiry = Expiry(seconds=0.0, forward=forward, options=options)
    marked = sum(
        o["size"] * o["mark"] - Expiry(seconds=0.0, forward=forward, options=(held,)).value() for o, held in zip(x["options"], options, strict=True)
        if "mark" in o
    )  # fmt: skip
    market = srm.Market(
        spot=x["spot"], perp=x["spot"], perp_price=0.0, perp_pnl=0.0, base=0.0, expiries=(expiry,), parameters=rates
    )
    nets = [x["cash"] + srm.market_margin(market, initial) for initial in (True, False)]
    alone = [sum(srm.option_alone(o, expiry, x["spot"], rates, i) for o in options) + marked for i in (True, False)]
    loss = srm.largest_loss(expiry, rates, True)
    if loss < alone[0]:  # the options alone bind, at their marks
        nets = [net + marked for net in nets]
    return {
        "initial_margin": nets[0], "maintenance_margin": nets[1], "isolated_initial": alone[0],
        "isolated_maintenance": alone[1], "offset": loss,
    }  # fmt: skip


def _feeds(x, rates, depeg):
    """A perpetual's feed that is unsure and a dollar that is off its peg: what they add to opening."""
    perp = x["btc_perp"]
    short = Option(x["eth_spot"], True, -x["eth_short_options"], 0.0)
    eth = srm.Market(
        spot=x["eth_spot"],
        perp=0.0,
        perp_price=0.0,
        perp_pnl=0.0,
        base=0.0,
        expiries=(Expiry(seconds=0.0, forward=x["eth_spot"], options=(short,)),),
        parameters=rates,
    )
    sure = srm.Market(
        spot=perp["price"],
        perp=perp["size"],
        perp_price=perp["price"],
        perp_pnl=0.0,
        base=0.0,
        expiries=(),
        parameters=rates,
    )
    unsure = replace(sure, perp_confidence=x["perp_confidence"])
    net = {i: srm.market_margin(unsure, i, x["stable"], *depeg) for i in (True, False)}
    pegged = srm.market_margin(sure, True)
    confidence = srm.market_margin(unsure, True) - pegged
    off = [srm.market_margin(m, True, x["stable"], *depeg) - srm.market_margin(m, True) for m in (eth, unsure)]
    initial = x["cash"] + x["eth_option_margin"] + net[True] + off[0]
    maintenance = x["cash"] + x["eth_option_margin"] + net[False]
    return {
        "confidence_margin": confidence, "depeg_eth": off[0], "depeg_btc": off[1], "initial_margin": initial,
        "maintenance_margin": maintenance,
    }  # fmt: skip


def standard_3(case):
    """The manager of today through the door: one perpetual, no unsettled profit; net margins, below 0 what is asked."""
    x = case["inputs"]
    held = Position("BTC/USDC:USDC", x["size"], x["spot"])
    state = Account("derive", "cross", [held], {"USDC": 1e6}, {"BTC": x["spot"]}).state
    return {"initial": -state.positions[0].initial, "maintenance": -state.positions[0].maintenance}


def _dollars(initial, maintenance, mtm):
    """The figures under every name the cases use; whole dollars are cut off toward zero."""
    return {
        "im": initial, "mm": maintenance, "mtm": mtm, "im_recomputed": initial, "mm_recomputed": maintenance,
        "im_truncated_usd": int(initial + math.copysign(1e-6, initial)),
        "mm_truncated_usd": int(maintenance + math.copysign(1e-6, maintenance)),
    }  # fmt: skip


def portfolio_v1(x):
    over = {key: literal_eval(text) for key, text in x["overrides"].items()}
    unknown = set(over) - {"conf", "pconf", "stable", "vols", "fwd", "spot", "rate"}
    assert not unknown, f"overrides not understood: {unknown}"
    groups = {}
    for o in x["options"]:
        forward, sure = over.get("fwd", {}).get(o["expiry"], (o["forward"], 1.0))
        vol, vol_sure = over.get("vols", {}).get((o["expiry"], int(o["strike"])), (o["vol"], 1.0))
        options, confidence = groups.setdefault((o["sec_to_expiry"], forward), ([], []))
        options.append(Option(o["strike"], o["type"] == "call", o["amount"], vol))
        confidence += [sure, vol_sure]
    rate = over.get("rate", x["rate"])
    expiries = tuple(
        Expiry(seconds=t, forward=f, options=tuple(os), confidence=min(sure), rate=rate)
        for (t, f), (os, sure) in groups.items()
    )
    perp = x["perp"]
    account = pm1.Account(
        spot=over.get("spot", x["spot"]), cash=x["cash"], perp=perp["size"], perp_price=perp["price"], perp_pnl=perp["unrealised_pnl"], base=x["base"], expiries=expiries,
        stable=over.get("stable", x["stable"]), spot_confidence=over.get("conf", 1.0), perp_confidence=over.get("pconf", 1.0),
    )  # fmt: skip
    found = pm1.margin(account, PM1_SCENARIOS, pm1.Parameters(**PM1))
    return _dollars(found.initial, found.maintenance, found.mtm)


@cache
def _sets(folder):
    """Scenario and parameter sets from the file beside the cases that holds them, else from beside the project."""
    for place in (folder, SHARED / "cases"):
        for path in sorted(place.glob("*.json")) if place and place.is_dir() else ():
            data = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(data, dict) and "param_sets" in data:
                return data
    return None


def _as_the_tests_list_them(s):
    """Regular scenarios from the highest price down, volatility by name; then the tails by price; then the skews."""
    skew, tail = s.vol in ("Linear", "Abs"), s.dampening != 1
    return (skew, tail, s.spot if tail else -s.spot, s.vol if not skew else -ord(s.vol[0]))


def _parameters(case):
    """(parameters, scenarios) of a portfolio; set 0 of each is that of the venue's own tests."""
    x = case["inputs"]
    names = [(x.get(k) or x[f"{k}_ref"]).split(".")[-1] for k in ("params", "scenarios")]
    if names == ["P0", "S0"]:
        own = json.loads(Path(__file__).with_name("derive_tests_own.json").read_text(encoding="utf-8"))
        rows = sorted((pm2.Scenario(*row) for row in own["scenarios"]), key=_as_the_tests_list_them)
        return pm2.Parameters(**own["parameters"]), tuple(rows)
    sets = _sets(case.get("folder"))
    assert sets is not None, f"{case['id']} names {names}, and no file with these sets is here"
    p = sets["param_sets"][names[0]]
    kinds = {"LINEAR": "Linear", "ABS": "Abs"}
    rows = tuple(pm2.Scenario(spot, kinds.get(vol, vol), damp) for spot, vol, damp in sets["scenario_sets"][names[1]])
    return pm2.Parameters(**{name: p[group][key] for name, (group, key) in PM2_NAMES.items()}), rows


def portfolio(case):
    x = case["inputs"]
    parameters, scenarios = _parameters(case)
    expiries = []
    for f in x["feeds"]:
        options = tuple(
            Option(o["strike"], o["type"] == "call", o["amount"], o["vol"])
            for o in x["options"]
            if o["expiry_sec"] == f["expiry_sec"]
        )
        sure = min(f["forward_conf"], f.get("vol_conf", 1.0), f.get("rate_conf", 1.0))
        fixed = f["forward"] * max(0.0, 1.0 - f["expiry_sec"] / 1800.0)
        expiries.append(
            Expiry(
                seconds=f["expiry_sec"],
                forward=f["forward"],
                options=options,
                confidence=sure,
                rate=f["rate"],
                fixed=fixed,
            )
        )
    perp = x["perp"]
    collateral = tuple(
        pm2.Held(
            name=c["name"],
            amount=c["amount"],
            price=c["price"],
            maintenance_haircut=c["mm_haircut"],
            initial_haircut=c["im_haircut"],
            risk_cancelling=c["risk_cancelling"],
            confidence=c["conf"],
        )
        for c in x["collaterals"]
    )
    account = pm2.Account(
        spot=x["spot"], cash=x["cash"], perp=perp["size"], perp_price=perp["price"], perp_pnl=perp["unrealised_pnl"] + perp["unrealised_funding"],
        collateral=collateral, expiries=tuple(expiries), stable=x["stable"], spot_confidence=x["spot_conf"], perp_confidence=perp["conf"],
    )  # fmt: skip
    found = pm2.margin(account, scenarios, parameters)
    kind = ["skew" if s.vol in ("Linear", "Abs") else "tail" if i >= 23 else "regular" for i, s in enumerate(scenarios)]
    worst = {
        f"worst_{k}": min([0.0, *(v for v, at in zip(found.pnl, kind, strict=True) if at == k)])
        for k in ("regular", "tail", "skew")
    }
    return {
        "im": found.initial, "mm": found.maintenance, "mtm": found.mtm, "forward_contingency": found.basis,
        "scenario_pnl": list(found.pnl), **worst,
    }  # fmt: skip


def contingencies(case):
    """The older text's two contingencies, by the functions that both portfolio managers run."""
    x = case["inputs"]
    if "basis_loss" in x:
        loss = forward_contingency(x["basis_loss"], x["days"] / 365, x["add_factor"], x["mult_factor"])
        return {"forward_contingency": float(loss)}
    return {"option_contingency": -option_contingency(x["spot"], x["net_short"], x["factor"])}


def auctioned(case):
    x = case["inputs"]
    if "taken" in x:
        offer = insolvent_offer(x["mtm"], x["maintenance_margin"], x["minutes"] / x["duration"])
        payout, cash = insolvent_bid(offer, x["maintenance_margin"], x["taken"])
        return {"offer": offer, "payout": payout, "cash_required": cash}
    if "fee" in x:
        share = most_bid(x["mtm"], x["buffer_margin"])
        return {"fraction": share, "fee": auction_fee(x["mtm"], x["buffer_margin"], x["fee"])}
    if "reserved" in x:
        return {"max_fraction": most_bid(x["mtm"], x["buffer_margin"], x["discount"], x["reserved"])}
    return None
