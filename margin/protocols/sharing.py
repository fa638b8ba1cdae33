"""What sharing collateral frees at the same risk: capital, odds of a call and expected shortfall, rule by rule.

Every rule opens the same positions and owes the same debt. The opening test leaves a buffer B: the lender's limit holds
with B times the debt, the venue's initial margin with B times itself. Equal risk: B is chosen for each rule so that the
odds of a call are the same; then capital is compared. Definitions: docs/protocols.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from margin.core.errors import InputError
from margin.protocols.seizure import Outcome, follow
from margin.protocols.wallet import RULES, Rule, Sides, Wallet, check_rule, sides

LEAST_BUFFER, MOST_BUFFER = 1.0, 20.0
PRECISION = 1e-5  # of a buffer


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
    rules: Sequence[Rule] = RULES[:5],
    theta: float = 0.8,
    delay: int = 1,
) -> Comparison:
    """Every rule over the same paths, at equal odds of a call, or at the same buffer where `odds` is None.

    shape : coins (their proportions count), debt, positions; paths (n, t, k) returns since the start of `shape.assets`
    Raises InputError where no buffer up to 20 brings a rule to the odds.
    """
    if odds is not None and not 0.0 < odds < 1.0:
        raise InputError("odds", odds, "must be between 0 and 1")
    paths = np.asarray(paths, dtype=float)
    at, lines = sides(shape, paths), []
    for rule in rules:
        size, least = (buffer, False) if odds is None else _buffer(shape, rule, at, odds, theta)
        wallet = opened(shape, rule, size, theta)
        scale = wallet.value / shape.value  # the coins grow alike, the positions stay
        coins = {name: scale * getattr(at, name) for name in ("pledged", "counted", "weighted")}
        end = follow(wallet, rule, replace(at, **coins), theta, delay)
        lines.append(_line(rule, wallet, size, least, end))
    return Comparison(rules=tuple(lines), odds=odds, paths=len(paths), steps=paths.shape[1])


def _line(rule: Rule, wallet: Wallet, size: float, least: bool, end: Outcome) -> Shared:
    worst = [float(np.quantile(side, 0.99, method="inverted_cdf")) for side in (end.lender_short, end.venue_short)]
    return Shared(
        rule=rule,
        capital=capital(wallet, rule),
        buffer=size,
        least=least,
        odds=float(end.called.mean()),
        odds_lender=float(end.lender_called.mean()),
        odds_venue=float(end.venue_called.mean()),
        expected_lender=float(end.lender_short.mean()),
        expected_venue=float(end.venue_short.mean()),
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
    return _buffer(shape, rule, sides(shape, np.asarray(paths, dtype=float)), odds, theta)


def _buffer(shape: Wallet, rule: Rule, at: Sides, odds: float, theta: float) -> tuple[float, bool]:
    called, paths = _first_calls(shape, rule, at, theta), len(at.result)
    undecided = called(LEAST_BUFFER, np.arange(paths))
    if len(undecided) <= odds * paths:
        return LEAST_BUFFER, True
    always = called(MOST_BUFFER, undecided)
    if len(always) > odds * paths:
        hint = "Ask for higher odds, fewer days, or a smaller position."
        raise InputError("odds", odds, f"no buffer up to {MOST_BUFFER:g} brings {rule} there", hint)
    # Bisection: a path that calls at some B calls at every smaller one, so each step looks only at those in between.
    low, high, sure = LEAST_BUFFER, MOST_BUFFER, len(always)
    undecided = np.setdiff1d(undecided, always, assume_unique=True)
    while high - low > PRECISION:
        middle = 0.5 * (low + high)
        now = called(middle, undecided)
        if sure + len(now) > odds * paths:
            low, undecided = middle, now
        else:
            high, sure = middle, sure + len(now)
            undecided = np.setdiff1d(undecided, now, assume_unique=True)
    return high, False


def _first_calls(shape: Wallet, rule: Rule, at: Sides, theta: float) -> Callable[[float, np.ndarray], np.ndarray]:
    """(B, numbers of paths) -> those of them on which either side calls."""
    worth = shape.value
    counted, weighted, free = at.counted / worth, at.weighted / worth, at.result - at.required
    least_counted, least_free = counted.min(axis=1), free.min(axis=1)

    def those(buffer: float, which: np.ndarray) -> np.ndarray:
        wallet = opened(shape, rule, buffer, theta).under(rule)
        size, debt, cash = wallet.value, wallet.debt, wallet.cash
        lender = (size * least_counted[which] <= debt) & (debt > 0)
        if rule in ("separate", "borrowed"):
            venue = (cash + least_free[which] <= 0) & bool(shape.perps)
        elif rule == "unified":
            out: np.ndarray = which[(size * counted[which] + free[which]).min(axis=1) <= debt]
            return out
        else:
            lent = size * weighted[which] if rule == "double" else theta * np.maximum(size * counted[which] - debt, 0.0)
            venue = ((cash + lent + free[which]).min(axis=1) <= 0) & bool(shape.perps)
        found: np.ndarray = which[lender | venue]
        return found

    return those


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
