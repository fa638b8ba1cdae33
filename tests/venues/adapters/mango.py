"""Published Mango v4 health cases on to the rulebook's own functions."""

from margin.venues.rules.mango_arithmetic import Account, Orders, Perpetual, Token, borrow_scale, deposit_scale, health


def run(case):
    x = case["inputs"]
    names = list(x["token_balances"])
    scaling = x["weight_scaling"] or [{} for _ in names]
    tokens = tuple(
        Token(x["token_balances"][n], price, asset, liability, scale=_scale(s, price))
        for n, price, asset, liability, s in zip(
            names, x["prices"], x["asset_weights"], x["liab_weights"], scaling, strict=True
        )
    )
    p = x["perp"]
    perpetuals = ()
    if p:
        perpetuals = (
            Perpetual(
                p["base_lots"], p["quote"], p["bids"], p["asks"], p["lot_size"], p["base_price"], *p["base_weights"],
                p["overall_asset_weight"],
            ),
        )  # fmt: skip
    limits = x["order_price_limits_lowest_ask_highest_bid"]
    orders = tuple(
        Orders(names.index(n), 0, base, quote, *limits.get(str(names.index(n)), (None, None)))
        for n, (quote, base) in x["open_orders_quote_base"].items()
    )
    return {"init_health": health(Account(tokens, perpetuals, orders))}


def _scale(s, price):
    """Factors of the limits: deposits (with what open orders may add) and borrows in tokens, their starts in USD."""
    starts = {k[0]: v for k, v in s.items() if "start" in k}
    total = {first: sum(v for k, v in s.items() if k[0] == first and "start" not in k) for first in "dpb"}
    assert set(s) == {k for k in s if k[0] in "dpb"}, f"weight scaling not understood: {sorted(s)}"
    deposits = deposit_scale((total["d"] + total["p"]) * price, starts["d"]) if starts.get("d") else 1.0
    borrows = borrow_scale(total["b"] * price, starts["b"]) if starts.get("b") else 1.0
    return deposits, borrows
