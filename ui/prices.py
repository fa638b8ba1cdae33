"""Which prices the pages compute on: fetched ones where there are any, the bundled sample, or the visitor's file.

A page asks `active()` and passes what it gets to `ui.compute`; results are cached on its short `version`.
"""

import os
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

import streamlit as st
from data.service import PriceService

from data.model import PriceSet
from data.sample import load_sample
from margin.market import Market

Origin = Literal["fetched", "sample", "upload"]
_CHOICE, _UPLOAD = "price_origin", "price_upload"


@dataclass(frozen=True, eq=False)
class ActivePrices:
    """One price set with its `market`; equal and hashed by version, so it can key a cache."""

    priceset: PriceSet
    market: Market
    origin: Origin

    @property
    def version(self) -> str:
        return f"{self.origin}:{self.priceset.version}"

    @property
    def assets(self) -> tuple[str, ...]:
        return self.market.assets

    @property
    def last_day(self) -> date:
        return self.market.dates[-1].astype("datetime64[D]").item()

    @property
    def first_day(self) -> date:
        return self.market.dates[0].astype("datetime64[D]").item()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActivePrices) and other.version == self.version

    def __hash__(self) -> int:
        return hash(self.version)


def offline() -> bool:
    return os.environ.get("MARGIN_OFFLINE", "").strip().lower() in ("1", "true", "yes", "on")


@st.cache_resource(show_spinner=False)
def service() -> PriceService:
    """The one price service of this process; pages of all visitors share it."""
    return PriceService()


@lru_cache(maxsize=1)
def _sample() -> ActivePrices:
    return _activate(load_sample(), "sample")


def _activate(priceset: PriceSet, origin: Origin) -> ActivePrices:
    return ActivePrices(priceset, Market(priceset.closes, priceset.volumes), origin)


_fetched_last: list[ActivePrices] = []


def _fetched() -> ActivePrices | None:
    """What the store holds, or None when it holds nothing. The market is rebuilt only for a new version."""
    priceset = service().snapshot()
    if priceset.closes.empty or priceset.is_sample:
        return None
    if not _fetched_last or _fetched_last[0].priceset.version != priceset.version:
        _fetched_last[:] = [_activate(priceset, "fetched")]
    return _fetched_last[0]


def origins() -> list[Origin]:
    """The price sets this visitor can choose from, best first."""
    found: list[Origin] = ["fetched"] if _fetched() is not None else []
    return [*found, "sample", *(["upload"] if _UPLOAD in st.session_state else [])]


def active() -> ActivePrices:
    """The price set the visitor chose, else fetched prices, else the sample."""
    choice = st.session_state.get(_CHOICE)
    if choice == "upload" and _UPLOAD in st.session_state:
        return st.session_state[_UPLOAD]
    if choice == "sample":
        return _sample()
    return _fetched() or _sample()


def choose(origin: Origin) -> None:
    st.session_state[_CHOICE] = origin


def use_upload(priceset: PriceSet) -> None:
    """Make the visitor's file the active price set of this session. Raises InputError when it cannot be used."""
    st.session_state[_UPLOAD] = _activate(priceset, "upload")
    choose("upload")
