"""What is suggested while a symbol is typed: every kind of instrument, in the order people mean it."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial

from margin.core.errors import InputError
from margin.core.instruments import parse_symbol
from margin.formats.contract_names import unify
from margin.formats.price_words import COINS
from margin.formats.table_names import name_in
from ui.state.compute import remembered
from ui.state.presets import last_friday, quarterly_expiry
from ui.state.prices import ActivePrices
from ui.state.rows import Problem

Offer = tuple[str, str]  # (symbol, what it is)
DATED = ("BTC", "ETH")  # coins whose dated futures and options are traded widely
STRIKES = (0.8, 0.9, 1.0, 1.1, 1.2)  # of the price
KINDS = {
    "perpetual": "perpetual", "future": "dated future", "option": "option", "spot": "owned coins",
    "loan": "lent or borrowed",
}  # fmt: skip


@partial(remembered, size=2)
def symbol_options(active: ActivePrices) -> tuple[Offer, ...]:
    """Of every asset there are prices for the perpetual first, then coins owned; dated futures, options, loans."""
    assets = active.assets
    out = [(f"{a}/USDT:USDT", f"{a}USDT perpetual") for a in assets]
    out += [(f"{a}/USDC:USDC", f"{a}USDC perpetual") for a in assets]
    out += [(f"{a}/USD", f"{a} owned") for a in assets]
    for coin in DATED:
        if coin in active.market:
            out += _of_coin(coin, active.market.price(coin), active.last_day)
    out += [(a, f"{a} lent or borrowed") for a in assets if a.isalpha()]
    return tuple(dict(out).items())


def _of_coin(coin: str, price: float, day: date) -> list[Offer]:
    """Coin-settled perpetual, futures of two quarters, options of two months around the price."""
    quarters = [quarterly_expiry(day), quarterly_expiry(quarterly_expiry(day))]
    out = [(f"{coin}/USD:{coin}", f"{coin}USD perpetual, coin-settled")]
    for expiry in quarters:
        out += [
            (f"{coin}/USDT:USDT-{expiry:%y%m%d}", f"{coin} future {expiry:%d%b%y}"),
            (f"{coin}/USD:{coin}-{expiry:%y%m%d}", f"{coin} future {expiry:%d%b%y}, coin-settled"),
        ]
    step = 10.0 ** (len(str(int(price))) - 2)  # two digits of the price
    for expiry in (last_friday(day + timedelta(days=30)), quarters[0]):
        for part in STRIKES:
            strike = round(part * price / step) * step
            for kind, word in (("C", "call"), ("P", "put")):
                name = f"{coin}/USD:{coin}-{expiry:%y%m%d}-{strike:.0f}-{kind}"
                out.append((name, f"{coin} {word} {strike:,.0f} {expiry:%d%b%y}"))
    return out


def meant(text: str) -> tuple[Offer, ...]:
    """What a name that is no symbol here may mean, the contract before the coins: ETHUSDT, BTC-PERPETUAL, XBTUSD."""
    found: dict[str, str] = {}
    name, said = name_in(text)
    if coin := COINS.get(text.strip().upper()):
        return ((f"{coin}/USDT:USDT", "perpetual"), (f"{coin}/USD", "owned coins"), (coin, "lent or borrowed"))
    try:
        if parse_symbol(text).kind != "loan" or "." not in text:
            return ()
    except InputError:
        pass
    for derivative in (True,) if said.get("perpetual") else (True, False):
        try:
            symbol = unify(_perpetual(name) if said.get("perpetual") else name, derivative=derivative)
            found.setdefault(symbol, _kind(symbol))
        except InputError:
            continue
    return tuple((symbol, kind) for symbol, kind in found.items())


def _perpetual(name: str) -> str:
    """A name beside the word Perp: BTCUSDT is one by its form, BTC alone by the word."""
    try:
        unify(name)
        return name
    except InputError:
        return f"{name} PERP"


def _kind(symbol: str) -> str:
    return KINDS.get(parse_symbol(symbol).kind, "")


def with_offers(problems: Iterable[tuple[int, Problem]], typed: dict[int, str]) -> dict[int, Problem]:
    """The problems of rows, each that is about its symbol with what it may mean. typed: the symbol cell by row id."""
    out = {}
    for row, problem in problems:
        offers = meant(typed.get(row, "")) if problem.key == "symbol" else ()
        asked = "Which one is it?" if len(offers) > 1 else "Is it this one?"
        said = f"“{typed[row].strip()[:40]}” is not how it is written here. {asked}"
        text = said if offers else problem.text
        out[row] = Problem(problem.key, text, offers or problem.offers)
    return out
