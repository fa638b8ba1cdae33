"""What sharing collateral frees at the same risk: capital, odds of a call and expected shortfall, rule by rule.

Every rule opens the same positions and owes the same debt. The opening test leaves a buffer B: the lender's limit holds
with B times the debt, the venue's initial margin with B times itself. Equal risk: B is chosen for each rule so that the
odds of a call are the same; then capital is compared. Definitions: docs/protocols.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from margin.core.errors import InputError
from margin.protocols.seizure import Outcome, follow
from margin.protocols.wallet import RULES, Rule, Sides, Wallet, check_rule, sides, stale

LEAST_BUFFER, MOST_BUFFER = 1.0, 20.0
CLOSE = 1e-9  # of a buffer: so much more than the last call's


@dataclass(frozen=True, kw_only=True)
class Shared:
    """One rule. USD but for the odds; `capital` is the wallet's own money: collateral and own cash.

    buffer      : B of its opening test; least: the rule is below the odds asked for at B = 1 already
    odds        : of a call within the paths; odds_lender, odds_venue of each side
    expected_lender, expected_venue : average shortfall; worst_lender, worst_venue: its 99% quantile
    """

    rule: Rule
    capital: float
    buffer: float
    least: bool
    odds: float
    odds_lender: float
    odds_venue: float
    expected_lender: float
    expected_venue: float
    worst_lender: float
    worst_venue: float

    @property
    def expected_shortfall(self) -> float:
        """USD that others lose on average."""
        return self.expected_lender + self.expected_venue


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """rules in the order asked for; odds is None where every rule was opened with the same buffer."""

    rules: tuple[Shared, ...]
    odds: float | None
    paths: int
    steps: int

    def of(self, rule: str) -> Shared:
        """One rule's line. Raises InputError where it was not asked for."""
        for line in self.rules:
            if line.rule == rule:
                return line
        raise InputError("rule", rule, "was not compared", f"Compared: {', '.join(s.rule for s in self.rules)}.")

    def saved(self, rule: str) -> float:
        """USD of capital that a rule frees beside separate accounts."""
        return self.of("separate").capital - self.of(rule).capital


def opened(shape: Wallet, rule: Rule, buffer: float, theta: float = 0.8) -> Wallet:
    """The wallet as a rule opens it: the same coins in the same proportions, debt and positions, sized by the buffer.

    Raises InputError where the coins lend nothing, or the rule gives no credit and needs some.
    """
    check_rule(rule)
    if not buffer >= LEAST_BUFFER:
        raise InputError("buffer", buffer, "must be 1 or more")
    worth = shape.value
    ltv = sum(p.value * p.ltv for p in shape.collateral) / worth
    counted = sum(p.value * p.threshold for p in shape.collateral) / worth
    weight = sum(p.value * p.weight for p in shape.collateral) / worth
    margin = buffer * sum(abs(q.notional) * q.initial for q in shape.perps)
    needs_weight, needs_ltv = rule == "double" and margin > 0, shape.debt > 0 or rule == "unified"
    if (needs_ltv and not ltv > 0) or (needs_weight and not weight > 0):
        raise InputError("collateral", ltv, "lends nothing, so nothing can be opened on it", "Choose other coins.")
    lent = buffer * shape.debt / ltv if shape.debt else 0.0
    cash = 0.0
    if rule in ("separate", "borrowed"):
        cash = margin
        size = lent if rule == "separate" else buffer * (shape.debt + margin) / ltv
    elif rule == "unified":
        size = (buffer * shape.debt + margin) / ltv
    elif rule == "double":
        size = max(lent, margin / weight if margin else 0.0)
    else:
        if margin and not theta > 0:
            raise InputError("theta", theta, "must be above 0 for a lien to give credit")
        size = max(lent, (margin / theta + shape.debt) / counted if margin else lent)
    scale = size / worth
    return replace(shape, cash=cash, collateral=tuple(replace(p, value=p.value * scale) for p in shape.collateral))


def capital(wallet: Wallet, rule: Rule) -> float:
    """USD of the wallet's own money: what was borrowed as margin is not its own."""
    return wallet.value + (0.0 if rule == "borrowed" else wallet.cash)


def compare_rules(
    shape: Wallet,
    paths: np.ndarray,
    odds: float | None = 0.05,
    buffer: float = 1.25,
    rules: Sequence[Rule] = RULES,
    theta: float = 0.8,
    delay: int = 1,
    oracle_lag: int = 0,
) -> Comparison:
    """Every rule over the same paths, at equal odds of a call, or at the same buffer where `odds` is None.

    shape : coins (their proportions count), debt, positions; paths (n, t, k) returns since the start of `shape.assets`
    oracle_lag : steps by which the lender's price is late; the venue's, and a unified account's, is of now
    Raises InputError where no buffer up to 20 brings a rule to the odds.
    """
    if odds is not None and not 0.0 < odds < 1.0:
        raise InputError("odds", odds, "must be between 0 and 1")
    paths = np.asarray(paths, dtype=float)
    at, lines = sides(shape, paths), []
    for rule in rules:
        start = sum(p.value * p.threshold for p in shape.collateral)
        lag = 0 if rule == "unified" else oracle_lag  # one account, one price
        seen = stale(_seen(shape, rule, paths, at), start, lag)
        needed = _needed(shape, rule, seen, theta)
        size, least = (buffer, False) if odds is None else _buffer(rule, needed, odds)
        wallet = opened(shape, rule, size, theta)
        which = np.flatnonzero(needed >= size * (1.0 - 2.0 * CLOSE))
        scale = wallet.value / shape.value  # the coins grow alike, the positions stay
        rows = {name: getattr(seen, name)[which] for name in Sides.__dataclass_fields__}
        rows |= {name: scale * rows[name] for name in ("pledged", "counted", "weighted")}
        end = follow(wallet, rule, Sides(**rows), theta, delay) if len(which) else None
        lines.append(_line(rule, wallet, size, least, end, len(paths)))
    return Comparison(rules=tuple(lines), odds=odds, paths=len(paths), steps=paths.shape[1])


def _seen(shape: Wallet, rule: Rule, paths: np.ndarray, at: Sides) -> Sides:
    """`at`, but where the rule moves the coin's price: there no cash stands behind the positions."""
    return sides(replace(shape, cash=0.0), paths, rule) if rule == "wrong-way" else at


def _line(rule: Rule, wallet: Wallet, size: float, least: bool, end: Outcome | None, paths: int) -> Shared:
    """end: of the paths on which somebody may call; on the others nobody does, and nobody loses."""
    short = np.zeros((2, paths))
    odds = [0.0, 0.0, 0.0]
    if end is not None:
        short[:, : len(end.called)] = end.lender_short, end.venue_short
        odds = [float(side.sum()) / paths for side in (end.called, end.lender_called, end.venue_called)]
    worst = [float(np.quantile(side, 0.99, method="inverted_cdf")) for side in short]
    return Shared(
        rule=rule,
        capital=capital(wallet, rule),
        buffer=size,
        least=least,
        odds=odds[0],
        odds_lender=odds[1],
        odds_venue=odds[2],
        expected_lender=float(short[0].mean()),
        expected_venue=float(short[1].mean()),
        worst_lender=worst[0],
        worst_venue=worst[1],
    )


def equal_risk_buffer(
    shape: Wallet, rule: Rule, paths: np.ndarray, odds: float, theta: float = 0.8
) -> tuple[float, bool]:
    """(B at which the odds of a call are `odds`, whether B is 1 because the odds are lower still).

    Only the first call counts, so nothing needs to be sold on the way; odds fall as B rises.
    Raises InputError where no buffer up to 20 is enough.
    """
    paths = np.asarray(paths, dtype=float)
    seen = _seen(shape, rule, paths, sides(shape, paths))
    return _buffer(rule, _needed(shape, rule, seen, theta), odds)


def _buffer(rule: Rule, needed: np.ndarray, odds: float) -> tuple[float, bool]:
    """needed (n,): B at and below which each path calls. The smallest B at which no more than the odds call."""
    allowed = int(odds * len(needed) + 1e-9)
    if (needed >= LEAST_BUFFER).sum() <= allowed:
        return LEAST_BUFFER, True
    size = float(-np.partition(-needed, allowed)[allowed]) * (1.0 + CLOSE)
    if not size <= MOST_BUFFER:
        hint = "Ask for higher odds, fewer days, or a smaller position."
        raise InputError("odds", odds, f"no buffer up to {MOST_BUFFER:g} brings {rule} there", hint)
    return size, False


def _needed(shape: Wallet, rule: Rule, at: Sides, theta: float) -> np.ndarray:
    """(n,) the buffer B at and below which either side calls on each path: its size at the worst step, in closed form.

    Every rule opens with coins that grow with B (`opened`), and each side's gap grows with the coins, so a path that
    calls at some B calls at every smaller one. -inf: never calls.
    """
    worth, debt = shape.value, shape.debt
    ltv = sum(p.value * p.ltv for p in shape.collateral) / worth
    start = sum(p.value * p.threshold for p in shape.collateral) / worth
    weight = sum(p.value * p.weight for p in shape.collateral) / worth
    margin = sum(abs(q.notional) * q.initial for q in shape.perps)
    never = np.full(len(at.result), -np.inf)
    opened(shape, rule, LEAST_BUFFER, theta)  # refuses what cannot be opened
    free = at.result - at.required
    with np.errstate(divide="ignore", invalid="ignore"):
        least_counted = at.counted.min(axis=1)
        if rule in ("separate", "borrowed"):
            owes = debt > 0 or (rule == "borrowed" and margin > 0)
            lender = ltv * worth / least_counted if owes else never
            venue = -free.min(axis=1) / margin if shape.perps else never
            return _certain(np.maximum(lender, venue))
        if rule == "unified":
            return _certain(worth * ((debt - free) / at.counted).max(axis=1) * ltv / (debt + margin))
        size = worth * debt / least_counted if debt > 0 else never
        if rule == "double":
            grows = max(debt / ltv if debt else 0.0, margin / weight if margin else 0.0)
            if shape.perps:
                size = np.maximum(size, worth * (-free / at.weighted).max(axis=1))
            return _certain(size / grows)
        if shape.perps:
            size = np.maximum(
                size, worth * np.where(free <= 0, (debt - free / theta) / at.counted, -np.inf).max(axis=1)
            )
        by_debt = size * ltv / debt if debt > 0 else np.full(len(size), np.inf)
        by_margin = theta * (size * start - debt) / margin if margin > 0 else np.full(len(size), np.inf)
        return _certain(np.where(size == -np.inf, size, np.minimum(by_debt, by_margin)))


def _certain(needed: np.ndarray) -> np.ndarray:
    """0 / 0 where nothing is counted and something is owed: a call whatever B is."""
    return np.where(np.isnan(needed), np.inf, needed)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Separate accounts with a buffer each: USD of capital, B at the lender and at the venue, odds of a call."""

    capital: float
    lender: float
    venue: float
    odds: float


def separate_least(shape: Wallet, paths: np.ndarray, odds: float) -> Split | None:
    """The least capital with which separate accounts reach the odds of a call, each side with a buffer of its own.

    One B for both sides, as `compare_rules` has it, holds more at the side that never calls; whoever keeps two accounts
    can do better, so this is what sharing must beat. None without a debt or a position: then one side is empty.
    Every count of lender's calls up to the odds is tried (at most 200 of them), the venue's cash following from it.
    """
    if not shape.debt > 0 or not shape.perps:
        return None
    at = sides(shape, np.asarray(paths, dtype=float))
    worth, n = shape.value, len(at.result)
    ltv = sum(p.value * p.ltv for p in shape.collateral) / worth
    margin = sum(abs(q.notional) * q.initial for q in shape.perps)
    with np.errstate(divide="ignore"):
        lender = ltv / (at.counted / worth).min(axis=1)  # called at this B and below
    venue = np.maximum(-(at.result - at.required).min(axis=1), 0.0)  # called with this much cash and below
    allowed = int(odds * n)
    order = np.sort(lender)[::-1]
    best: Split | None = None
    for j in np.unique(np.linspace(0, allowed, min(allowed + 1, 200)).astype(int)):
        b = max(float(order[j]) * (1.0 + 1e-12), LEAST_BUFFER)
        quiet = venue[lender < b]
        left = allowed - (n - len(quiet))
        if left < 0 or not np.isfinite(b):
            continue
        at_least = 0.0 if left >= len(quiet) else float(np.partition(quiet, len(quiet) - 1 - left)[-1 - left])
        cash = max(at_least * (1.0 + 1e-12), margin * LEAST_BUFFER)
        capital_needed = b * shape.debt / ltv + cash
        if best is None or capital_needed < best.capital:
            called = (lender >= b) | (venue >= cash)
            ratio = cash / margin if margin > 0 else LEAST_BUFFER
            best = Split(capital=capital_needed, lender=b, venue=ratio, odds=float(called.mean()))
    return best


def immune_short(collateral: float, threshold: float, maintenance: float) -> float:
    """USD of a short in the collateral's own coin at which a unified account's gap does not move with the price."""
    return collateral * threshold / (1.0 + maintenance)


def lender_call(collateral: float, threshold: float, debt: float) -> float:
    """Move of the one coin at which the lender calls."""
    return debt / (collateral * threshold) - 1.0


def venue_call_counted_twice(collateral: float, weight: float, long: float, maintenance: float) -> float:
    """Move at which the venue calls a long that stands on collateral counted in full there (no cash)."""
    return (maintenance * long - collateral * weight) / (collateral * weight + long - maintenance * long)


def worth_nothing(collateral: float, debt: float, long: float) -> float:
    """Move at which collateral, a long of the same coin and the debt add up to nothing.

    Where it lies above both calls, the wallet is worth nothing before either side acts: the shortfall is certain.
    """
    return (debt - collateral) / (collateral + long)
