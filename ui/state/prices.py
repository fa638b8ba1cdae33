"""Which prices the pages compute on: fetched ones where there are any, the bundled sample, or the visitor's file.

A page asks `active()` and passes what it gets to `ui.state.compute`; results are cached on its short `version`. The
choice belongs to the visit: prices that arrive later are offered, and taken by themselves only while the book is
untouched.
"""

import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any, Literal

import streamlit as st

from data.cleaning.clean import only
from data.fetch.service import PriceService
from data.model import PriceSet
from data.sample import load_sample
from data.universe import common_assets, is_offline
from margin.core.market import Market
from ui.state import book, leaving
from ui.state.kept import Shelf
from ui.state.visit import things

Origin = Literal["fetched", "sample", "upload"]
ORIGIN_NAMES: dict[Origin, str] = {"fetched": "Fetched", "sample": "Sample", "upload": "Your file"}
UNIVERSE = (
    "BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOGE", "AVAX", "LINK", "LTC", "DOT", "UNI", "AAVE", "ATOM",
    "USDC", "USDT", "SPY", "QQQ", "GLD", "TLT",
)  # fmt: skip
ESSENTIAL = ("BTC", "ETH")  # without these the fetched set is not worth opening a visit with
REFRESH_AFTER = 6 * 3600.0  # seconds; daily closes change once a day
_MY_RUN, _NAMED, _MINE = "refresh_run", "price_names", "fetched_with_own"
_CHOICE, _CHOSEN, _UPLOAD, _LOOKED = "price_origin", "price_chosen", "price_upload", "price_looked_at"
_asked_at: list[float] = []


@dataclass(frozen=True, eq=False)
class ActivePrices:
    """One price set with its `market`; equal and hashed by version, so it can key a cache.

    results : what was computed on it (ui/state/compute.py), gone when the set is
    """

    priceset: PriceSet
    market: Market
    origin: Origin
    results: Shelf = field(default_factory=Shelf, repr=False)

    @property
    def version(self) -> str:
        return f"{self.origin}:{self.priceset.version}"

    @property
    def assets(self) -> tuple[str, ...]:
        return self.market.assets

    @property
    def last_day(self) -> date:
        found: date = self.market.dates[-1].astype("datetime64[D]").item()
        return found

    @property
    def first_day(self) -> date:
        found: date = self.market.dates[0].astype("datetime64[D]").item()
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActivePrices) and other.version == self.version

    def __hash__(self) -> int:
        return hash(self.version)


@st.cache_resource(show_spinner=False)
def service() -> PriceService:
    """The one price service of this process; all visitors share it."""
    return PriceService()


def activate(priceset: PriceSet, origin: Origin) -> ActivePrices:
    """A price set ready to compute on. Raises InputError for prices the engine refuses."""
    return ActivePrices(priceset, priceset.market(), origin)


@lru_cache(maxsize=1)
def sample() -> ActivePrices:
    """The bundled prices, the same for every visit."""
    return activate(load_sample(), "sample")


_Kept = tuple[Hashable, PriceSet, ActivePrices | None]  # version and assets, the whole set, what is seen of it
_newest: list[_Kept] = []


def fetched() -> ActivePrices | None:
    """What of the store this visit sees, or None when that is nothing. The market is built once per version.

    That is the common set and the assets that this visit named: what others had fetched is not shown to it.
    """
    whole = service().snapshot()
    if whole.closes.empty or whole.is_sample:
        return None
    common = _common(whole.assets)
    extra = frozenset(named().intersection(whole.assets) - common)
    if not extra:
        return _kept_or_made(_newest, whole, common)
    mine: list[_Kept] = things().setdefault(_MINE, [])
    return _kept_or_made(mine, whole, common | extra)


def _common(stored: Iterable[str]) -> frozenset[str]:
    more = common_assets()
    return frozenset(stored) if more is None else more.union(UNIVERSE)


def named() -> set[str]:
    """Assets that this visit asked for, or had in its book at some time: its own beside the common set."""
    found: set[str] = st.session_state.setdefault(_NAMED, set())
    if book.started():
        portfolio = book.current().portfolio
        found.update(portfolio.assets, portfolio.collateral_assets)
    return found


def also(assets: Iterable[str]) -> bool:
    """This visit names these too (in a file of its own); whether the fetched set shows more of them than before."""
    stored = service().snapshot()
    more = set() if stored.is_sample else set(assets).intersection(stored.assets) - named() - _common(stored.assets)
    named().update(more)
    return bool(more) and st.session_state.get(_CHOICE) == "fetched"


def _kept_or_made(place: list[_Kept], whole: PriceSet, assets: frozenset[str]) -> ActivePrices | None:
    key = whole.version, assets
    if not place or place[0][0] != key:
        superseded = bool(place)
        part = only(whole, assets)
        place[:] = [(key, whole, None if part.closes.empty else activate(part, "fetched"))]
        if superseded:
            leaving.give_back_soon()
    elif place[0][1] is not whole:  # the same prices, grown old or confirmed: results on them stay
        known = place[0][2]
        place[:] = [(key, whole, known and replace(known, priceset=only(whole, assets)))]
    return place[0][2]


def sees(asset: str) -> bool:
    """Whether a line about this asset may be shown to this visit; lines about no asset may."""
    return not asset or asset in named() or asset in _common((asset,))


def usable(assets: Iterable[str]) -> bool:
    """Whether fetched prices cover these assets."""
    there = fetched()
    return there is not None and all(asset in there.market for asset in assets)


def origins() -> list[Origin]:
    """The price sets this visitor can choose from, best first."""
    found: list[Origin] = []
    if fetched() is not None:
        found.append("fetched")
    found.append("sample")
    if _UPLOAD in things():
        found.append("upload")
    return found


def active() -> ActivePrices:
    """The price set of this visit."""
    choice = st.session_state.get(_CHOICE)
    if choice == "upload" and _UPLOAD in things():
        found: ActivePrices = things()[_UPLOAD]
        return found
    if choice == "fetched" and (there := fetched()) is not None:
        return there
    return sample()


def choose(origin: Origin) -> None:
    """The visitor's choice; nothing changes it by itself any more."""
    st.session_state[_CHOICE] = origin
    st.session_state[_CHOSEN] = True


def choose_first() -> None:
    """The origin a visit opens with: fetched prices when they hold the essentials, else the sample."""
    st.session_state[_CHOICE] = "fetched" if usable(ESSENTIAL) else "sample"


def take_fetched() -> None:
    """Go over to fetched prices without making it the visitor's choice."""
    st.session_state[_CHOICE] = "fetched"


def chosen() -> bool:
    """Whether the visitor chose the prices (or opened a link that did)."""
    return _CHOSEN in st.session_state


def look_at(file: Hashable, read: Callable[[], PriceSet]) -> ActivePrices:
    """The visitor's file as price set, read once in a visit; it lies among the visit's things and goes with them.

    file : what tells it from another file. Raises InputError when it cannot be used.
    """
    kept = things().get(_LOOKED)
    if kept is None or kept[0] != file:
        forget_looked()
        kept = file, activate(read(), "upload")
        things()[_LOOKED] = kept
    found: ActivePrices = kept[1]
    return found


def forget_looked() -> None:
    """The file is chosen no more; where its prices are in use they stay."""
    things().pop(_LOOKED, None)


def use_upload() -> None:
    """Make the file that was looked at the price set of this visit."""
    if _LOOKED in things():
        things()[_UPLOAD] = things()[_LOOKED][1]
        choose("upload")


def keep_fresh() -> None:
    """Start a refresh behind the pages when none was asked for lately; never waits, never when offline."""
    if is_offline() or (_asked_at and time.monotonic() - _asked_at[0] < REFRESH_AFTER):
        return
    _asked_at[:] = [time.monotonic()]
    stored = service().snapshot()
    service().refresh(dict.fromkeys((*UNIVERSE, *(() if stored.is_sample else stored.assets))))


def fetch_also(assets: Iterable[str]) -> bool:
    """Fetch these besides what the pages work with, so that one set holds the whole book. False while one runs."""
    there = fetched()
    return refresh(dict.fromkeys((*assets, *UNIVERSE, *(there.assets if there else ()))))


def refresh(assets: Iterable[str], *more: Any) -> bool:
    """Start this visitor's refresh; False while one is running. Raises InputError."""
    wanted = list(assets)
    started = service().refresh(wanted, *more)
    if started:
        st.session_state.setdefault(_NAMED, set()).update(asset.strip().upper() for asset in wanted)
        st.session_state[_MY_RUN] = service().run
    return started


def refresh_is_mine() -> bool:
    """Whether the refresh that was started last is this visitor's: nobody else sees its names, or stops it."""
    return bool(st.session_state.get(_MY_RUN) == service().run)


def stop_refresh() -> None:
    """Stop this visitor's own refresh; what came is kept."""
    if refresh_is_mine():
        service().cancel()
