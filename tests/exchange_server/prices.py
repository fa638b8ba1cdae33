"""Generated prices: a smooth function of asset and time, so that any page of any exchange agrees with any other."""

import hashlib
import math

DAY = 86_400_000
BASE = {
    "BTC": 60_000.0, "ETH": 3_000.0, "SOL": 150.0, "BNB": 600.0, "XRP": 0.6, "ADA": 0.5, "DOGE": 0.15, "AVAX": 30.0,
    "LINK": 15.0, "LTC": 80.0, "DOT": 7.0, "UNI": 9.0, "AAVE": 120.0, "ATOM": 8.0, "ARB": 1.1, "LUNA": 80.0,
    "USDC": 1.0, "USDT": 1.0, "DAI": 1.0, "HYPE": 25.0, "SPY": 600.0, "QQQ": 500.0, "GLD": 300.0, "TLT": 90.0, "AAPL": 200.0,
}  # fmt: skip
SHARES = ("SPY", "QQQ", "GLD", "TLT", "AAPL")
COINS = [asset for asset in BASE if asset not in SHARES]
LISTED = {"ARB": 1_679_529_600_000}  # 2023-03-23
DELISTED = {"LUNA": 1_652_400_000_000}  # 2022-05-13
FIRST = 1_483_228_800_000  # 2017-01-01


def phase(asset: str) -> float:
    return int.from_bytes(hashlib.sha256(asset.encode()).digest()[:4], "big") / 2**32 * 2 * math.pi


def price(asset: str, ms: int) -> float:
    """USD at a moment."""
    base = BASE[asset]
    if base == 1.0:
        return round(1.0 + 0.0004 * math.sin(ms / (3.7 * DAY) + phase(asset)), 6)
    days, p = ms / DAY, phase(asset)
    shape = 0.30 * math.sin(days / 97 + p) + 0.06 * math.sin(days / 5.3 + 2 * p) + 0.015 * math.sin(days * 2.9 + 3 * p)
    return float(f"{base * math.exp(shape):.7g}")


def mark(asset: str, ms: int) -> float:
    """A contract's mark price: a little off the last trade, so that one is never taken for the other."""
    return float(f"{price(asset, ms) * 1.0005:.8g}")


def candle(asset: str, open_ms: int, step_ms: int) -> tuple[int, float, float, float, float, float]:
    """(open time ms, open, high, low, close, volume in coins)."""
    first, last = price(asset, open_ms), price(asset, open_ms + step_ms)
    volume = round(5e8 * step_ms / DAY / BASE[asset] * (1 + 0.5 * math.sin(open_ms / DAY + phase(asset))), 4)
    return open_ms, first, max(first, last) * 1.01, min(first, last) * 0.99, last, volume


def candles(asset: str, start_ms: int, end_ms: int, step_ms: int, now_ms: int, shift_ms: int = 0) -> list[tuple]:
    """Every candle that opens in [start, end] and not after now, within the asset's life; the newest is unfinished.

    shift_ms : how much later than midnight UTC a day begins
    """
    start = max(start_ms, LISTED.get(asset, FIRST))
    end = min(end_ms, now_ms, DELISTED.get(asset, now_ms))
    first = -(-(start - shift_ms) // step_ms) * step_ms + shift_ms
    return [candle(asset, t, step_ms) for t in range(first, end + 1, step_ms)]
