"""Every venue's rulebook in each of its modes as a margin model: "hyperliquid:cross". docs/margin-models.md.

An isolated position of any account is judged by the venue's isolated rules, whatever the mode of the rest.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from margin import venues
from margin.core.account import Account, SubAccount, Wallet
from margin.core.position import Collateral, Position
from margin.models.base import ClosingRules, Mode, Model, States, Unsupported, checked_factors, pinned
from margin.models.marks import Marks
from margin.venues import accounts, compiled, wallets
from margin.venues.base import Lines, Rulebook, VenueMargin

ROWS = 8_192  # price sets reckoned at once: small enough to stay in the processor's cache
FIGURES = ("equity", "equity_initial", "initial", "maintenance")


def keys() -> tuple[str, ...]:
    """Keys of every rulebook in each of its modes."""
    return tuple(f"{name}:{mode}" for name in venues.names() for mode in venues.rulebook(name).modes)


def get(key: str, market: Any = None, settings: Any = None) -> "VenueModel":
    """settings : the venue's sliders by name. A rulebook needs no market."""
    name, _, mode = key.partition(":")
    return VenueModel(venues.rulebook(name), mode, settings if isinstance(settings, Mapping) else None)  # type: ignore[arg-type]


class VenueModel(Model):
    """One rulebook in one mode."""

    def __init__(self, rulebook: Rulebook, mode: Mode, settings: Mapping[str, float] | None = None):
        self.rulebook, self.mode = rulebook, mode
        self.key, self.title = f"{rulebook.name}:{mode}", f"{rulebook.title}, {mode}"
        self.settings = rulebook.settings(settings)

    @property
    def closing(self) -> ClosingRules:  # type: ignore[override]
        """How the venue closes an account."""
        return self.rulebook.closing

    @property
    def coin_settled(self) -> str:
        """Name of the rulebook of the venue's coin-settled contracts; "" where this one margins them, or none does."""
        return self.rulebook.coin_settled

    def refuses(self, account: Account | SubAccount) -> tuple[Unsupported, ...]:
        """What of the account is not reproduced here, with reasons."""
        if isinstance(account, SubAccount):
            return self._refused(account)
        found: list[Unsupported] = []
        for isolated in (False, True):
            held = tuple(p for p in account.margined if account.is_isolated(p) == isolated)
            if held:
                sub = SubAccount(name="", positions=held, collateral=(), isolated=isolated)
                found += self._no_isolated(sub) or wallets.refusals(self.rulebook, sub, self.mode_of(sub))
        return tuple(found)

    def _refused(self, sub: SubAccount) -> tuple[Unsupported, ...]:
        return self._no_isolated(sub) or self.rulebook_of(sub).supports(sub, self.mode_of(sub))

    def _no_isolated(self, sub: SubAccount) -> tuple[Unsupported, ...]:
        if not sub.isolated or "isolated" in self.rulebook.modes:
            return ()
        why = "isolated margin at this venue is not reproduced here"
        return tuple(Unsupported(symbol=p.symbol, reason=why) for p in sub.positions)

    def wallets(self, positions: tuple[Position, ...], collateral: tuple[Collateral, ...]) -> tuple[Wallet, ...]:
        """The pools that the venue keeps apart; see `margin.venues.wallets`."""
        return wallets.divided(self.rulebook, positions, collateral, self.mode)

    def adds_up(self, sub_account: SubAccount) -> bool:
        """True of perpetuals in a cross account that the venue only adds up; see `MarginModel.adds_up`."""
        return compiled.adds_up(self.rulebook_of(sub_account), sub_account, self.mode_of(sub_account))

    def rulebook_of(self, sub: SubAccount) -> Rulebook:
        """The venue's rules for this sub-account: of coin-settled contracts in a wallet apart their own."""
        return wallets.rulebook_of(self.rulebook, sub, self.mode_of(sub))

    def settings_of(self, rulebook: Rulebook) -> dict[str, float]:
        """The sliders of the rules that margin a sub-account: those given are of the model's own rulebook."""
        return self.settings if rulebook.name == self.rulebook.name else rulebook.settings(None)

    def mode_of(self, sub: SubAccount) -> Mode:
        """The mode a sub-account is margined in."""
        return "isolated" if sub.isolated else self.mode

    def _own(self, sub: SubAccount) -> SubAccount:
        """A sub-account is one thing: under isolated rules its collateral is the margin posted to what it holds."""
        self.check(sub)
        return replace(sub, isolated=True) if self.mode == "isolated" and not sub.isolated else sub

    def state(self, sub_account: SubAccount, marks: Marks) -> VenueMargin:
        """The four figures now, with lines; see `margin.models.base.MarginModel`."""
        return self._reckoned(sub_account, marks, Lines())

    def figures(self, sub_account: SubAccount, marks: Marks) -> VenueMargin:
        """The four figures now, without lines; see `margin.models.base.MarginModel`."""
        return self._reckoned(sub_account, marks, Lines(wanted=False))

    def _reckoned(self, sub_account: SubAccount, marks: Marks, lines: Lines) -> VenueMargin:
        sub = self._own(sub_account)
        rules = self.rulebook_of(sub)
        return rules.requirement(sub, marks, self.mode_of(sub), self.settings_of(rules), lines)

    def states(
        self,
        sub_account: SubAccount,
        marks: Marks,
        factors: np.ndarray,
        vols: Mapping[str, np.ndarray] | None = None,
        as_of: Any = None,
    ) -> States:
        """The four figures under (n, k) price factors; see `margin.models.base.MarginModel`."""
        sub_account = self._own(sub_account)
        factors = checked_factors(sub_account, factors)
        rules, mode = self.rulebook_of(sub_account), self.mode_of(sub_account)
        return states(rules, sub_account, marks, mode, self.settings_of(rules), factors, vols, as_of)

    def opening_margin(self, position: Position, marks: Marks | None = None) -> float:
        """USD that the venue asks to open the position at its entry price."""
        alone = SubAccount(name=position.symbol, positions=(position,), collateral=(), isolated=True)
        rules = self.rulebook_of(alone)
        return rules.opening_margin(position, marks, self.settings_of(rules))


def states(
    rulebook: Rulebook,
    sub: SubAccount,
    marks: Marks,
    mode: Mode,
    settings: Mapping[str, float],
    factors: np.ndarray,
    vols: Mapping[str, np.ndarray] | None = None,
    as_of: Any = None,
) -> States:
    """A supported book at n sets of price factors (n, k), columns in the order of `sub.assets`."""
    fixed, assets = pinned(sub, marks), sub.assets
    start = marks if as_of is None else accounts.at(marks, as_of)
    if len(factors) >= compiled.LEAST_ROWS:
        made = compiled.plan(rulebook, fixed, start, mode, settings)
        if made is not None and made.covers(factors):
            return States(**dict(zip(FIGURES, compiled.states(made, factors), strict=True)))
    out = np.empty((len(FIGURES), len(factors)))
    if len(factors) == 1 and not vols:  # numbers are quicker than arrays of one
        moved = start.moved(dict(zip(assets, factors[0].tolist(), strict=True)))
        found = rulebook.reckon(fixed, moved, mode, settings, Lines(wanted=False))
        out[:, 0] = [getattr(found, name) for name in FIGURES]
        return States(equity=out[0], equity_initial=out[1], initial=out[2], maintenance=out[3])
    for begin in range(0, len(factors), ROWS):
        rows = slice(begin, begin + ROWS)
        moved = accounts.moved(start, assets, factors[rows], {a: v[rows] for a, v in (vols or {}).items()})
        found = rulebook.reckon(fixed, moved, mode, settings, Lines(wanted=False))
        for i, name in enumerate(FIGURES):
            out[i, rows] = getattr(found, name)
    return States(equity=out[0], equity_initial=out[1], initial=out[2], maintenance=out[3])
