"""`python -m tests.formats.readings`: writes down what becomes of an answer of a venue when one of its fields is another.

Each field of each example is left out, turned to the other sign, to nothing, or to the other switch. A line says how the
reading then differs from that of the whole answer, so that it can be judged by eye: readings.txt.
"""

import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from margin.core.errors import InputError
from margin.formats.read import read_portfolio
from tests.formats import test_venues as venues

LISTED = Path(__file__).with_name("readings.txt")
LONG = 200  # characters of a line; of a longer one a digest stands at its end
EXAMPLES = {
    "hyperliquid": [venues.HYPERLIQUID], "hyperliquid spot": [venues.HYPERLIQUID, venues.SPOT], "bybit": [venues.BYBIT],
    "bybit wallet": [venues.BYBIT_WALLET], "okx": [venues.OKX], "okx balance": [venues.OKX_BALANCE],
    "deribit": [venues.DERIBIT, venues.DERIBIT_SUMMARY], "deribit summary": [venues.DERIBIT_SUMMARY, venues.DERIBIT],
    "kraken": [venues.KRAKEN], "kraken wallets": [venues.KRAKEN_WALLETS], "bitmex": [venues.BITMEX],
    "bitmex margin": [venues.BITMEX_MARGIN], "dydx": [venues.DYDX], "lighter": [venues.LIGHTER],
    "binance account": [venues.BINANCE_ACCOUNT], "binance coins": [venues.BINANCE_COIN], "right": [venues.RIGHT],
    "ccxt positions": [[
        {"info": {}, "symbol": "BTC/USDT:USDT", "contracts": 0.5, "contractSize": 1.0, "side": "short", "notional": 30_000.0,
         "markPrice": 60_000.0, "entryPrice": 61_000.0, "leverage": 10.0, "marginMode": "isolated", "collateral": 3_500.0,
         "unrealizedPnl": 500.0, "initialMargin": 3_000.0, "maintenanceMargin": 150.0, "liquidationPrice": 65_000.0,
         "initialMarginPercentage": 0.1, "timestamp": 1_700_000_000_000, "hedged": False, "id": None},
        {"info": {}, "symbol": "BTC/USD:BTC", "contracts": 300.0, "contractSize": 100.0, "side": "long", "notional": 0.5,
         "markPrice": 60_000.0, "entryPrice": 58_000.0, "leverage": 5.0, "marginMode": "cross"},
    ]],
    "ccxt balance": [{
        "info": {}, "USDT": {"free": 900.0, "used": 100.0, "total": 1_000.0}, "BTC": {"free": 0.5, "used": 0.0, "total": 0.5},
        "free": {"USDT": 900.0, "BTC": 0.5}, "used": {"USDT": 100.0, "BTC": 0.0}, "total": {"USDT": 1_000.0, "BTC": 0.5},
        "timestamp": 1_700_000_000_000,
    }],
}  # fmt: skip


def found() -> dict[str, str]:
    """What each change of each example does, by name; changes that do nothing stand in one line."""
    rows: dict[str, str] = {}
    for name, documents in EXAMPLES.items():
        whole = reading(documents)
        rows[name] = json.dumps(whole)
        unused = []
        for place, how, changed in changes(documents[0]):
            now = reading([changed, *documents[1:]])
            if now == whole:
                unused.append(f"{place} {how}")
            else:
                said = now["refused"] if "refused" in now else "; ".join(differences(whole, now))
                rows[f"{name}: {place} {how}"] = said if len(said) <= LONG else f"{said[:LONG]}... {_digest(said)}"
        rows[f"{name}: no difference"] = ", ".join(unused)
    return rows


def reading(documents: list[Any]) -> Any:
    """Everything that was read, with numbers to ten digits; the complaint where nothing was."""
    try:
        read = read_portfolio("\n".join(json.dumps(document) for document in documents))
    except InputError as error:
        return {"refused": str(error)}
    said = read.to_dict() | {"set_aside": [f"{row.symbol}: {row.reason}" for row in read.set_aside]}
    said["speaks_of"] = [list(each) for each in read.speaks_of]
    return short(said)


def short(value: Any) -> Any:
    """The same without empty values, and numbers to ten digits."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return float(f"{value:.10g}")
    if isinstance(value, dict):
        return {key: short(inside) for key, inside in value.items() if inside not in (None, [], {}, "")}
    return [short(inside) for inside in value] if isinstance(value, list | tuple) else value


def changes(document: Any) -> Iterator[tuple[str, str, Any]]:
    """(place, what was done, the document changed), for each field of it."""
    for path in places(document):
        name = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")
        value = inside(document, path)
        yield name, "left out", _changed(document, path, None, gone=True)
        if isinstance(value, bool):
            yield name, "switched", _changed(document, path, not value)
        elif _number(value):
            minus = f"-{value}".replace("--", "") if isinstance(value, str) else -value
            yield name, "negative", _changed(document, path, minus)
            yield name, "nothing", _changed(document, path, "0" if isinstance(value, str) else 0)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all fields that hold a plain value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        if isinstance(value[key], dict | list):
            yield from places(value[key], (*path, key))
        else:
            yield (*path, key)


def inside(document: Any, path: tuple[Any, ...]) -> Any:
    """The value at the end of a path."""
    for key in path:
        document = document[key]
    return document


def _digest(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()[:8]


def _number(value: Any) -> bool:
    try:
        return bool(float(value))
    except (TypeError, ValueError):
        return False


def _changed(document: Any, path: tuple[Any, ...], value: Any, gone: bool = False) -> Any:
    new = copy.deepcopy(document)
    holder = inside(new, path[:-1])
    if gone and isinstance(holder, dict):
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return new


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """What is another in the other of two readings."""
    if type(one) is not type(other) or not isinstance(one, dict | list):
        return [] if one == other else [f"{path} = {json.dumps(other)}"]
    keys = list(dict.fromkeys([*one, *other])) if isinstance(one, dict) else range(max(len(one), len(other)))
    out = []
    for key in keys:
        sides = [
            side.get(key) if isinstance(side, dict) else side[key] if key < len(side) else None for side in (one, other)
        ]
        out += differences(*sides, f"{path}.{key}".lstrip("."))
    return out


def listed() -> dict[str, str]:
    """The list as it was last written."""
    lines = LISTED.read_text(encoding="utf-8").splitlines()
    return {name: said for name, _, said in (line.partition(" | ") for line in lines)}


def main() -> None:
    """Write the list anew."""
    LISTED.write_text("".join(f"{name} | {said}\n" for name, said in found().items()), encoding="utf-8")


if __name__ == "__main__":
    main()
