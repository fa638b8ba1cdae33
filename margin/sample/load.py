"""The bundled sample: prices that are there with no network and the same on every machine; partly simulated.

Month-end closes and named crash days are recorded figures, the days in between are simulated: docs/sample-data.md.
"""

import hashlib
import io
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pandas as pd

from margin.sample.types import Finding, PriceSet, Provenance

FOLDER = Path(__file__).resolve().parent
NOTE = "sample, partly simulated"
SOURCE = "bundled sample"
WHAT_IS_WHAT = (
    "month ends and named crash days as recorded",
    "days in between and volumes are simulated, and so count the month ends since May 2026 of an approximate source",
)


def load_sample() -> PriceSet:
    """Daily closes and volumes in USD, 2020-09-30 to 2026-08-31, of 15 coins, SPY, QQQ, GLD, USDC and USDT.

    A fresh copy of the frames each call, so that a caller may change them; the files are read once.
    """
    kept = _read()
    return PriceSet(
        closes=kept.closes.copy(),
        volumes=kept.volumes.copy(),
        provenance=dict(kept.provenance),
        findings=kept.findings,
        version=kept.version,
    )


@cache
def _read() -> PriceSet:
    closes_text, volumes_text = ((FOLDER / name).read_bytes() for name in ("closes.csv", "volumes.csv"))
    closes, volumes = _frame(closes_text), _frame(volumes_text)
    findings = [_about(closes)]
    provenance = {}
    for asset in closes.columns:
        days = closes.index[closes[asset].notna()]
        first, last = (_utc(day) for day in (days[0], days[-1]))
        provenance[asset] = Provenance(
            asset=asset,
            source=SOURCE,
            symbol=asset,
            interval="1d",
            status="sample",
            fetched_at=None,
            first=first,
            last=last,
            rows=len(days),
            note=NOTE,
        )
        findings += _lifetime(asset, closes[asset], first, last)
    version = "sample-" + hashlib.sha256(closes_text + volumes_text).hexdigest()[:12]
    return PriceSet(closes=closes, volumes=volumes, provenance=provenance, findings=tuple(findings), version=version)


def _frame(text: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(text), index_col="date", parse_dates=["date"]).astype(float)


def _about(closes: pd.DataFrame) -> Finding:
    detail = "; ".join((NOTE, *WHAT_IS_WHAT))
    first, last = _utc(closes.index[0]), _utc(closes.index[-1])
    return Finding(
        asset="all", kind="simulated", count=len(closes), first=first, last=last, action="kept", detail=detail
    )


def _lifetime(asset: str, closes: pd.Series, first: datetime, last: datetime) -> list[Finding]:
    """Findings about where the series starts, ends and pauses."""
    found = []
    before, after = closes.index < pd.Timestamp(first.date()), closes.index > pd.Timestamp(last.date())
    if before.any():
        found.append(_gap(asset, "late listing", closes.index[before], f"no close before {first:%Y-%m-%d}"))
    if after.any():
        found.append(_gap(asset, "ended", closes.index[after], f"no data after {last:%Y-%m-%d}"))
    pause = closes.index[closes.isna().to_numpy() & ~before & ~after]
    if len(pause):
        found.append(_gap(asset, "calendar", pause, "no closes on weekends and US market holidays"))
    return found


def _gap(asset: str, kind: str, days: pd.Index, detail: str) -> Finding:
    return Finding(
        asset=asset,
        kind=kind,
        count=len(days),
        first=_utc(days[0]),
        last=_utc(days[-1]),
        action="left empty",
        detail=detail,
    )


def _utc(day: pd.Timestamp) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
