"""The ladder's four methods as margin models: "isolated", "netted", "portfolio", "safeguarded". docs/margin-models.md.

    initial     = the method's requirement of the positions at the marks' prices, under the scenarios known at as-of
    maintenance = Settings.maintenance of it (half, unless said otherwise), re-measured at moved prices
    equity      = collateral (after haircuts; at market where the joint treatment applies) + profit since entry + loans

The joint treatment applies to the two pooled methods where coins are held: their collateral moves with the positions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from margin.core import options
from margin.core.account import Account, SubAccount
from margin.core.checks import date_text, parse_date
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE, Instrument, parse_symbol
from margin.core.market import Market
from margin.core.position import Collateral, Position
from margin.core.settings import Settings
from margin.ladder import names
from margin.ladder.account import UNKNOWN, default_haircut
from margin.ladder.basis import basis_charge
from margin.ladder.many import ManyRows
from margin.ladder.method import MeasuredBook
from margin.ladder.safeguards import safeguard_lines
from margin.models.base import ClosingRules, MarginState, Model, States, Unsupported, checked_factors, pinned
from margin.models.marks import Marks
from margin.risk.elliptical import Elliptical
from margin.risk.estimate import estimate
from margin.risk.estimators import estimator
from margin.risk.exposures import Book, value_book
from margin.risk.history import History, history, price_series
from margin.risk.models import EllipticalModel, RiskModel, ScenarioModel
from margin.risk.scenarios import Scenarios

POOLED = ("portfolio", "safeguarded")
keys = names.keys  # of the methods, for margin/models
CLOSING = ClosingRules(
    name="the ladder",
    step=1.0,
    least_step_usd=0.0,
    fee=0.0,
    buffer=0.0,
    keeps_rest=False,
    insurance=False,
    adl=None,
    socialised=False,
    source="our own margin model: everything is closed at once, at no cost",
)


def get(key: str, market: Any = None, settings: Any = None) -> "LadderModel":
    """Raises InputError without a market: the scenarios are its returns."""
    if not isinstance(market, Market):
        raise InputError("market", market, f"the {key} method needs prices", "Give market=Market(closes, volumes).")
    chosen = Settings.from_dict(settings) if isinstance(settings, Mapping) else settings or Settings()
    return LadderModel(key, market, chosen)


class LadderModel(Model):
    """One method on one market. Scenarios and haircuts are as of `settings.as_of`, else of the marks."""

    closing = CLOSING

    def __init__(self, key: str, market: Market, settings: Settings):
        self.key, self.title = key, names.title(key)
        self.market, self.settings = market, settings

    def refuses(self, account: Account | SubAccount) -> tuple[Unsupported, ...]:
        """Positions without prices."""
        symbols = [(p.symbol, p.underlying) for p in account.positions]
        return tuple(
            Unsupported(symbol=symbol, reason=f"no prices of {asset}")
            for symbol, asset in symbols
            if asset != "USD" and asset not in self.market
        )

    def state(self, sub_account: SubAccount, marks: Marks) -> MarginState:
        """The four figures now; see `margin.models.base.MarginModel`."""
        self.check(sub_account)
        return self._state(sub_account, marks, self._settings(marks))

    def states(
        self,
        sub_account: SubAccount,
        marks: Marks,
        factors: np.ndarray,
        vols: Mapping[str, np.ndarray] | None = None,
        as_of: Any = None,
    ) -> States:
        """The four figures under (n, k) price factors; see `margin.models.base.MarginModel`."""
        self.check(sub_account)
        factors = checked_factors(sub_account, factors)
        settings, fixed = self._settings(marks), pinned(sub_account, marks)
        linear = not any(p.instrument.is_option for p in fixed.positions)
        if linear and self.key != "safeguarded" and estimator(settings.estimator).window is None:
            return self._linear(fixed, marks, factors, settings)
        return self._many(fixed, marks, factors, settings, vols or {}, marks.as_of if as_of is None else as_of)

    def _many(
        self,
        sub: SubAccount,
        marks: Marks,
        factors: np.ndarray,
        settings: Settings,
        vols: Mapping[str, np.ndarray],
        as_of: pd.Timestamp,
    ) -> States:
        """Options, safeguards, a window chosen by the book: a block of rows at a time (margin/ladder/many.py)."""
        joint, when = self._joint(sub, settings), parse_date(as_of)
        column = {asset: i for i, asset in enumerate(sub.assets)}
        given = {asset: np.asarray(values, dtype=float) for asset, values in vols.items()}
        equity = np.zeros(len(factors))
        for asset, units in self._counted(sub, settings, joint):
            equity += units * marks.price(asset) * (factors[:, column[asset]] if asset in column else 1.0)
        for p in sub.positions:
            factor = factors[:, column[p.underlying]] if p.underlying in column else np.ones(len(factors))
            equity += _earned(p, marks, factor, given.get(p.underlying), when)
        initial = np.zeros(len(factors))
        if any(p.underlying != "USD" for p in sub.positions + joint):
            rows = self._rows(sub.positions + joint, sub, marks, factors, settings, given, when)
            apart = bool(joint) and any(p.underlying != "USD" for p in sub.positions)
            own = self._rows(sub.positions, sub, marks, factors, settings, given, when) if apart else rows
            for block in rows.blocks:
                initial[block] = self._asked(rows, own, block, len(sub.positions))
        return States(equity=equity, equity_initial=equity, initial=initial, maintenance=settings.maintenance * initial)

    def _rows(
        self,
        positions: tuple[Position, ...],
        sub: SubAccount,
        marks: Marks,
        factors: np.ndarray,
        settings: Settings,
        vols: dict[str, np.ndarray],
        as_of: pd.Timestamp,
    ) -> ManyRows:
        past = history(self.market, price_series(self.market, [p.instrument for p in positions], settings), settings)
        prices = np.array([_mark(name, marks) for name in past.assets])
        held = tuple(
            replace(p, implied_vol=marks.vols.get(p.symbol)) if p.instrument.is_option else p for p in positions
        )
        given_vols = {
            p.underlying: marks.vol(p.underlying) for p in held if p.instrument.is_option and not p.implied_vol
        }
        base = replace(settings, implied_vol=tuple(sorted(given_vols.items())))
        book = value_book(held, past.assets, prices, past.daily_vol, as_of, base)
        column = {asset: i for i, asset in enumerate(sub.assets)}
        moves = np.array([factors[:, column[asset]] for asset in book.assets]).T
        return ManyRows(
            book=book, past=past, market=self.market, settings=settings, factors=moves, vols=vols, as_of=as_of
        )

    def _asked(self, rows: ManyRows, own: ManyRows, block: slice, positions: int) -> np.ndarray:
        """(rows,) USD that the method asks of a block; `own` without the collateral that counts jointly."""
        found = rows.margins(block)
        if self.key == "isolated":
            return np.asarray(found.alone.sum(axis=1))
        if self.key == "netted":
            return np.asarray(found.netted.sum(axis=1))
        if self.key == "portfolio" or not positions:
            return found.pooled
        charges = rows.charges(found, rows.dollars(block), positions)
        alone = found if own is rows else own.margins(block)
        asked: np.ndarray = np.maximum(found.pooled + own.added(block, alone, charges), 0.0)
        return asked

    def scenario_book(
        self, sub_account: SubAccount, marks: Marks, more: Sequence[Instrument] = ()
    ) -> tuple[Book, History, Scenarios | Elliptical]:
        """What `state` measures: the margined rows (collateral after them where it is treated jointly) and the returns.

        more : further instruments whose returns are wanted beside those of the book
        """
        settings = self._settings(marks)
        positions = sub_account.positions + self._joint(sub_account, settings)
        instruments = [*(p.instrument for p in positions), *more]
        past = history(self.market, price_series(self.market, instruments, settings), settings)
        prices = np.array([_mark(name, marks) for name in past.assets])
        book = value_book(_with_vols(positions, marks), past.assets, prices, past.daily_vol, marks.as_of, settings)
        return book, past, estimate(book, past, settings)[0]

    def _settings(self, marks: Marks) -> Settings:
        """The settings as of the marks: nothing after them is looked at."""
        return self.settings if self.settings.as_of is not None else self.settings.with_(as_of=date_text(marks.as_of))

    def _state(self, sub: SubAccount, marks: Marks, settings: Settings) -> MarginState:
        joint = self._joint(sub, settings)
        initial, notes = self._requirement(sub, marks, settings, joint)
        equity = self._equity(sub, marks, settings, joint)
        return MarginState(
            equity=equity,
            equity_initial=equity,
            initial=initial,
            maintenance=settings.maintenance * initial,
            withdrawable=max(equity - initial, 0.0),
            notes=(*marks.notes, *notes),
        )

    def _joint(self, sub: SubAccount, settings: Settings) -> tuple[Position, ...]:
        """Collateral that moves with the positions: coins with prices, under the pooled methods."""
        coins = any(c.quantity and c.asset not in USD_LIKE for c in sub.collateral)
        if self.key not in POOLED or settings.collateral_treatment != "joint" or not coins:
            return ()
        return tuple(
            Position(c.asset, c.quantity)
            for c in _merged(sub.collateral)
            if c.asset in self.market
            and c.asset != "USD"
            and not self._unknown(c, settings)
            and self._moves(c, settings)
        )

    def _moves(self, held: Collateral, settings: Settings) -> bool:
        """A dollar stablecoin without a recent close is taken at par and does not move."""
        return not self.market.collateral_price(held.asset, settings.as_of)[1]

    def _unknown(self, held: Collateral, settings: Settings) -> bool:
        """Too little history to say what it may lose: it counts for nothing, jointly too."""
        if held.quantity <= 0 or held.asset in dict(settings.haircuts):
            return False
        price, _ = self.market.collateral_price(held.asset, settings.as_of)
        return default_haircut(held.asset, self.market, settings, held.quantity * price)[1].startswith(UNKNOWN)

    def _requirement(
        self, sub: SubAccount, marks: Marks, settings: Settings, joint: tuple[Position, ...]
    ) -> tuple[float, tuple[str, ...]]:
        if not any(p.underlying != "USD" for p in sub.positions + joint):
            return 0.0, ()
        book, past, model = self._model(sub.positions + joint, marks, settings)
        if self.key == "isolated":
            return float(model.standalone().sum()), ()
        if self.key == "netted":
            labels, count = _labels(sub.positions)
            return float(model.groups(labels, count).sum()), ()
        total = model.total()
        if self.key == "portfolio":
            return total, ()
        alone = total, 0.0
        if sub.positions and any(p.underlying != "USD" for p in sub.positions):
            own_book, own_past, own = (book, past, model) if not joint else self._model(sub.positions, marks, settings)
            pooled = own.total()
            basis = basis_charge(book, model, len(sub.positions), settings.safeguards)
            measured = MeasuredBook(
                isolated=float(own.standalone().sum()),
                portfolio=pooled,
                book=own_book,
                past=own_past,
                market=self.market,
                settings=settings,
                basis=basis,
            )
            alone = total, safeguard_lines(measured)[-1].requirement_after - pooled
        return max(sum(alone), 0.0), ()

    def _model(
        self, positions: tuple[Position, ...], marks: Marks, settings: Settings
    ) -> tuple[Book, History, RiskModel]:
        past = history(self.market, price_series(self.market, [p.instrument for p in positions], settings), settings)
        prices = np.array([_mark(name, marks) for name in past.assets])
        book = value_book(_with_vols(positions, marks), past.assets, prices, past.daily_vol, marks.as_of, settings)
        return book, past, estimate(book, past, settings)[1]

    def _counted(self, sub: SubAccount, settings: Settings, joint: tuple[Position, ...]) -> list[tuple[str, float]]:
        """(asset, units that count): haircuts are those of the size at the market's own close, whatever the marks."""
        out = []
        for c in _merged(sub.collateral):
            cut = 0.0
            if c.quantity > 0 and c.asset != "USD" and (not joint or self._unknown(c, settings)):
                chosen = dict(settings.haircuts).get(c.asset)
                price, _ = self.market.collateral_price(c.asset, settings.as_of)
                value = c.quantity * price
                cut = chosen if chosen is not None else default_haircut(c.asset, self.market, settings, value)[0]
            out.append((c.asset, c.quantity * (1.0 - cut)))
        return out

    def _equity(self, sub: SubAccount, marks: Marks, settings: Settings, joint: tuple[Position, ...]) -> float:
        held = sum(units * marks.price(asset) for asset, units in self._counted(sub, settings, joint))
        loans = sum(p.quantity * marks.price(p.underlying) for p in sub.positions if p.instrument.kind == "loan")
        return held + loans + sum(marks.unrealised(p) for p in sub.positions if p.instrument.kind != "loan")

    def _linear(self, sub: SubAccount, marks: Marks, factors: np.ndarray, settings: Settings) -> States:
        """All rows at once: every figure is linear in prices, and margin is homogeneous in each dollar exposure."""
        joint = self._joint(sub, settings)
        column = {asset: i for i, asset in enumerate(sub.assets)}
        equity = np.zeros(len(factors))
        for asset, units in self._counted(sub, settings, joint):
            equity += units * marks.price(asset) * (factors[:, column[asset]] if asset in column else 1.0)
        for p in sub.positions:
            factor = factors[:, column[p.underlying]] if p.underlying in column else 1.0
            if p.instrument.kind == "loan":
                equity += p.quantity * marks.price(p.underlying) * factor
                continue
            price, entry = marks.mark(p.instrument), p.entry_price
            assert entry is not None
            slope = p.quantity / entry if p.instrument.is_inverse else p.quantity
            equity += slope * (price * factor - entry)
        initial = self._linear_margin(sub, marks, factors, settings, joint)
        return States(equity=equity, equity_initial=equity, initial=initial, maintenance=settings.maintenance * initial)

    def _linear_margin(
        self,
        sub: SubAccount,
        marks: Marks,
        factors: np.ndarray,
        settings: Settings,
        joint: tuple[Position, ...],
    ) -> np.ndarray:
        if not any(p.underlying != "USD" for p in sub.positions + joint):
            return np.zeros(len(factors))
        book, past, model = self._model(sub.positions + joint, marks, settings)
        column = {asset: i for i, asset in enumerate(sub.assets)}
        moves = np.array([factors[:, column[asset]] for asset in book.assets]).T  # (n, k)
        if self.key == "isolated":
            own = np.array([0 if e.column is None else e.column for e in book.exposures])
            found: np.ndarray = moves[:, own] @ model.standalone()
            return found
        if self.key == "netted":
            labels, count = _labels(sub.positions)
            names = list(dict.fromkeys(p.underlying for p in sub.positions))
            own = np.array([book.assets.index(name) if name != "USD" else 0 for name in names])
            pooled: np.ndarray = moves[:, own] @ model.groups(labels, count)
            return pooled
        weights = book.linear_weights()
        if isinstance(model, EllipticalModel):
            moved = moves * weights.sum(axis=0)
            pooled = model.factor * np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", moved, model.covariance, moved), 0.0))
            dust = EllipticalModel.DUST
        else:
            assert isinstance(model, ScenarioModel)
            by_asset = np.zeros((len(model.losses), len(past.assets)))
            for i, exposure in enumerate(book.exposures):
                if exposure.column is not None:
                    by_asset[:, exposure.column] += model.losses[:, i]
            pooled = np.concatenate(
                [model.tail(by_asset @ part.T) for part in np.array_split(moves, -(-len(moves) // 4096) or 1)]
            )
            dust = ScenarioModel.DUST
        alone = moves @ np.array(
            [model.standalone()[[e.column == i for e in book.exposures]].sum() for i in range(len(past.assets))]
        )
        return np.where(pooled <= dust * alone, 0.0, pooled)


def _earned(p: Position, marks: Marks, factor: np.ndarray, vols: np.ndarray | None, as_of: pd.Timestamp) -> np.ndarray:
    """(n,) USD that a position has earned since its entry at each row's price; of a loan its value."""
    if p.instrument.kind == "loan":
        return p.quantity * marks.price(p.underlying) * factor
    assert p.entry_price is not None
    if not p.instrument.is_option:
        slope = p.quantity / p.entry_price if p.instrument.is_inverse else p.quantity
        earned: np.ndarray = slope * (marks.mark(p.instrument) * factor - p.entry_price)
        return earned
    assert p.instrument.strike is not None and p.instrument.option_type is not None
    own = marks.vols.get(p.symbol)
    vol = own if own is not None else vols if vols is not None else marks.vol(p.underlying)
    years = options.years_to_expiry(p.instrument, as_of)
    spot = marks.price(p.underlying) * factor
    value = options.black76(spot, p.instrument.strike, years, vol, p.instrument.option_type)
    gained: np.ndarray = p.quantity * (value - p.entry_price)
    return gained


def _mark(series: str, marks: Marks) -> float:
    """USD of a price series: an asset's, or an instrument's own."""
    return marks.contract(parse_symbol(series)) if "/" in series else marks.price(series)


def _merged(collateral: tuple[Collateral, ...]) -> tuple[Collateral, ...]:
    """One entry per asset: a haircut is that of all that is held."""
    amounts: dict[str, float] = {}
    for c in collateral:
        amounts[c.asset] = amounts.get(c.asset, 0.0) + c.quantity
    return tuple(Collateral(asset, quantity) for asset, quantity in amounts.items())


def _with_vols(positions: tuple[Position, ...], marks: Marks) -> tuple[Position, ...]:
    """Options at the volatility of the marks: their own, else their underlying's."""
    return tuple(
        replace(p, implied_vol=marks.vols.get(p.symbol) or marks.vol(p.underlying)) if p.instrument.is_option else p
        for p in positions
    )


def _labels(positions: tuple[Position, ...]) -> tuple[list[int], int]:
    names = list(dict.fromkeys(p.underlying for p in positions))
    return [names.index(p.underlying) for p in positions], len(names)
