"""What is known of one exchange: the form of the files in data/exchange/listed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What is known of one exchange, as ccxt calls it.

    order           : whom to ask first, ascending; None: never for prices (it is asked for margin tiers only)
    page            : candles per request; asking for more is refused or silently cut. 0: no prices are read from it
    kept            : how many of the newest candles it keeps at all; None: all of them
    end_wanted      : whether it must be told the end of a span, because it answers up to now without one
    perpetual_quote : the quote of its perpetuals where it has no spot market that we read, else ""
    spot_types, perpetual_types, market_options : ccxt's options for the market list; market_params: its parameters
    funding_page    : funding payments per request, 0 where none are read; funding_backwards: newest first
    funding_order   : whom to ask first for years of recorded funding, ascending; None: nobody asks it
    funding_cursor  : the name of the end of a page of funding where it is not `until`; it then excludes that moment
    marks_of        : the rulebooks whose contracts these are, where their mark prices are read
    marks           : ccxt's method for mark prices; one whose name ends in "s" takes several contracts
    marks_order     : whom to ask first for mark prices of what is held elsewhere, ascending
    tiers_of        : the rulebook whose tiers are asked here coin by coin; tiers_at_once: all in one answer
    tiers_in_contracts : whether their sizes count contracts
    book_depths     : the depths an order book may be asked in, ascending; () for any
    all_tickers     : whether one request gives the tickers of several pairs
    book_ticker     : whether the last price is read as the middle of the order book
    quirk           : what one must know of it, for docs/data-exchanges.md
    source          : where the figures are from
    """

    id: str
    name: str
    order: int | None
    page: int
    kept: int | None = None
    end_wanted: bool = False
    perpetual_quote: str = ""
    spot_types: tuple[str, ...] = ()
    perpetual_types: tuple[str, ...] = ()
    market_options: Mapping[str, Any] = field(default_factory=dict)
    market_params: Mapping[str, Any] = field(default_factory=dict)
    funding_page: int = 0
    funding_backwards: bool = False
    funding_order: int | None = None
    funding_cursor: str = ""
    marks_of: tuple[str, ...] = ()
    marks: str = ""
    marks_order: int = 0
    tiers_of: str = ""
    tiers_at_once: bool = False
    tiers_in_contracts: bool = False
    book_depths: tuple[int, ...] = ()
    all_tickers: bool = False
    book_ticker: bool = False
    quirk: str = ""
    source: str = "the exchange's API documentation, as in ccxt 4.5.90"
