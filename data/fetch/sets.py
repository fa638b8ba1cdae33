"""The labelled price set out of the series that count: cleaned, with what a reader is told about each."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd

from data.cleaning.clean import clean_candles, combine
from data.exchange.registry import SOURCES, YAHOO, exchanges, kept
from data.fetch.hours import Hours, finding_of, fitting, hours_of
from data.fetch.series import Found, Span, age_text, extended, is_fresh, is_short, ms, span_of
from data.model import CANDLE_COLUMNS, Finding, Interval, PriceSet, Provenance, SeriesKey
from data.store.store import Store
from data.universe import FUNDS, STABLECOINS


def price_set(
    found: dict[str, Found],
    failures: dict[str, str],
    interval: Interval,
    now: datetime,
    span: Span | None = None,
    hours: dict[str, list[Hours]] | None = None,
) -> PriceSet:
    """Cleaned closes and volumes of all assets with their provenance, within the span where one is given.

    hours : stored hourly series by asset, whose whole days fill what the daily ones lack
    """
    frames, provenance, findings, fine = {}, {}, [], {}
    for asset in dict.fromkeys([*found, *(hours or {})]):
        item = found.get(asset)
        own = None if item is None else item.key
        daily = _within(item.candles if item is not None else pd.DataFrame(columns=list(CANDLE_COLUMNS)), span)
        fits = fitting(own, daily, (hours or {}).get(asset, []))
        more = None if fits is None else _within(fits.days[~fits.days.index.isin(daily.index)], span)
        if fits is not None and more is not None and len(more):
            daily = pd.concat([daily, more]).sort_index() if len(daily) else more
            findings.append(finding_of(asset, fits.key, pd.DatetimeIndex(more.index), item is None))
        elif item is None:
            continue
        frames[asset], noticed = clean_candles(daily, asset, interval, now)
        findings += noticed
        if fits is not None and len(daily) and fits.days.index[-1] >= daily.index[-1]:
            fine[asset] = fits.closes  # as far as the daily closes, so that both tell of the same market
        if item is None and fits is not None:
            provenance[asset] = _of_hours(asset, fits, frames[asset], interval)
        elif item is not None:
            findings += [*item.findings, *_joined(asset, item, frames[asset], more)]
            known = _provenance(asset, item, frames[asset], interval, span)
            provenance[asset] = known if more is None or not len(more) else _with_hours(known, fits, more, item)
    left = {asset: reason for asset, reason in failures.items() if asset not in frames}
    return combine(frames, provenance, findings, interval, left, fine)


def _within(candles: pd.DataFrame, span: Span | None) -> pd.DataFrame:
    if span is None or not len(candles):
        return candles
    return candles.loc[pd.Timestamp(span.since, unit="ms") : pd.Timestamp(span.until, unit="ms")]


def _joined(asset: str, item: Found, frame: pd.DataFrame, more: pd.DataFrame | None) -> list[Finding]:
    """What is said of older closes of another series; `more` : days that hours gave, which are none of them."""
    if item.older is None:
        return []
    before = frame.index[~frame.index.isin(item.series.candles.index)]
    before = before if more is None else before[~before.isin(more.index)]
    if not len(before):
        return []
    other = item.older.key
    detail = f"{item.key.source} {item.key.symbol} begins later; older closes from {other.source} {other.symbol}"
    return [
        Finding(
            asset=asset,
            kind="joined",
            count=len(before),
            first=_aware(before[0]),
            last=_aware(before[-1]),
            action="put in front",
            detail=detail,
        )
    ]


def _provenance(asset: str, item: Found, frame: pd.DataFrame, interval: Interval, span: Span | None) -> Provenance:
    first, last = (_aware(frame.index[0]), _aware(frame.index[-1])) if len(frame) else (None, None)
    notes = [item.note, quote_note(item.key)]
    if item.older is not None:
        other = item.older.key
        said = f"before {item.series.candles.index[0]:%Y-%m-%d} from {other.source} {other.symbol}"
        notes += [said, quote_note(other) if quote_note(other) != quote_note(item.key) else ""]
    elif span is not None and is_short(item, span):
        notes.append(_why_short(item))
    fetched = item.series.fetched_at
    text = "; ".join(note for note in notes if note)
    key = item.key
    return Provenance(
        asset=asset,
        source=key.source,
        symbol=key.symbol,
        interval=interval,
        status=item.status,
        fetched_at=fetched,
        first=first,
        last=last,
        rows=len(frame),
        note=text,
    )


def _of_hours(asset: str, hours: Hours, frame: pd.DataFrame, interval: Interval) -> Provenance:
    """Where the closes of an asset come from that has hourly candles only."""
    first, last = (_aware(frame.index[0]), _aware(frame.index[-1])) if len(frame) else (None, None)
    notes = ["made of hourly candles", quote_note(hours.key)]
    return Provenance(
        asset=asset, source=hours.key.source, symbol=hours.key.symbol, interval=interval,
        status="stored" if hours.fresh else "stale", fetched_at=hours.fetched_at, first=first, last=last,
        rows=len(frame), note="; ".join(note for note in notes if note),
    )  # fmt: skip


def _with_hours(known: Provenance, hours: Hours | None, more: pd.DataFrame, item: Found) -> Provenance:
    """A daily series' provenance with the days that hours gave; as fresh as they are where they reach further."""
    assert hours is not None
    said = f"{len(more)} days made of hourly candles of {hours.key.source} {hours.key.symbol}"
    newer = ms(more.index[-1]) > item.last
    notes = [known.note, said]
    if known.status == "stale" and hours.fresh and newer:
        notes = [known.note.removeprefix(item.note).removeprefix("; "), said]
        known = replace(known, status="stored", fetched_at=hours.fetched_at)
    return replace(known, note="; ".join(note for note in notes if note))


def _why_short(item: Found) -> str:
    if (most := kept(item.key.source)) and len(item.series.candles) >= most - 2:
        return f"{item.key.source} keeps only the newest {most} candles"
    return "older candles were not fetched yet"


def quote_note(key: SeriesKey) -> str:
    """What a reader must know about the pair: a dollar stablecoin taken as a dollar, a perpetual taken as spot."""
    if key.source == YAHOO:
        ticker = "" if key.symbol in FUNDS else "no exchange lists it: Yahoo's ticker; "
        return f"{ticker}adjusted for dividends and splits"
    quote = key.symbol.partition("/")[2].partition(":")[0]
    perpetual = key.source in exchanges() and exchanges()[key.source].perpetual_quote
    notes = [f"{quote} taken as USD"] if quote != "USD" else []
    return "; ".join([*notes, *(["perpetual, not spot"] if perpetual else [])])


def stored_prices(store: Store, interval: Interval = "1d", now: datetime | None = None) -> PriceSet:
    """Everything the store holds, marked stored or stale. Of several series of an asset the one that reaches the latest
    candle counts (for a stablecoin, of those the one against the real dollar), then the longest, then the usual order
    of sources; another that reaches further back is put before it."""
    moment = now or datetime.now(UTC)
    by_asset: dict[str, list[Found]] = {}
    latest = span_of(interval, 1, moment)
    for key in store.keys():  # noqa: SIM118  a method of the store, not of a dict
        series = store.read(key) if key.interval == interval else None
        if series is None or not len(series.candles):
            continue
        found = Found(key=key, series=series, status="stored")
        if not is_fresh(found, latest):
            found = replace(found, status="stale", note=f"fetched {age_text(moment - series.fetched_at)} ago")
        by_asset.setdefault(key.symbol.partition("/")[0], []).append(found)
    chosen: dict[str, Found] = {}
    for asset, items in sorted(by_asset.items()):
        items.sort(key=lambda item: _rank(asset, item), reverse=True)
        whole = replace(latest, since=min(item.first for item in items))
        chosen[asset] = extended(items[0], items[1:], whole) if is_short(items[0], whole) else items[0]
    return price_set(chosen, {}, interval, moment, hours=stored_hours(store, moment) if interval == "1d" else None)


def stored_hours(store: Store, now: datetime, assets: Iterable[str] | None = None) -> dict[str, list[Hours]]:
    """The hourly series of the store, by asset; of `assets` alone where they are given."""
    wanted = None if assets is None else set(assets)
    found: dict[str, list[Hours]] = {}
    for key in store.keys():  # noqa: SIM118  a method of the store, not of a dict
        asset = key.symbol.partition("/")[0]
        if key.interval != "1h" or (wanted is not None and asset not in wanted):
            continue
        series = store.read(key)
        if series is not None and len(series.candles):
            day = now.replace(hour=0, minute=0, second=0, microsecond=0)
            fresh = series.fetched_at >= day  # every hour of the last whole day was asked for
            found.setdefault(asset, []).append(hours_of(key, series, asset, fresh))
    return found


def _rank(asset: str, item: Found) -> tuple[int, bool, int, int]:
    dollar = asset in STABLECOINS and item.key.symbol.endswith("/USD")
    order = -SOURCES.index(item.key.source) if item.key.source in SOURCES else -99
    return item.last, dollar, len(item.series.candles), order


def _aware(moment: pd.Timestamp) -> datetime:
    return moment.to_pydatetime().replace(tzinfo=UTC)
