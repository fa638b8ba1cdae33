"""A comparison in words and formulas, with the visitor's own numbers put in."""

from dataclasses import dataclass

from margin.core.words import usd
from margin.ladder.compare import Comparison
from margin.risk.estimators import estimator

HALF_A_DOLLAR = 0.5
LITTLE = 5.0  # percent saved below which the page says that there is almost nothing to save


@dataclass(frozen=True)
class Step:
    """One step of 'How this is computed': a title, a LaTeX formula, the numbers in it and a sentence."""

    title: str
    formula: str
    numbers: str
    words: str


def headline(comparison: Comparison) -> str:
    """One sentence that answers: how much does cross-margining free for this book?"""
    c = comparison
    if c.isolated <= 0:
        return "None of these positions loses anything in the scenarios used; what a venue asks is its own rule."
    asked, coins = c.asked, c.account.treatment == "joint"
    if c.account.requirement < c.basis:
        saved = c.isolated - asked
        freed = f"{usd(saved)} ({100 * saved / c.isolated:.0f}%) is freed." if saved > 0 else "nothing is freed."
        if coins:
            return f"The positions alone ask {usd(c.portfolio)}; with the coins behind them {usd(asked)}."
        return f"Pooled in one account, with safeguards, this book needs {usd(asked)}, not {usd(c.isolated)}: {freed}"
    if c.saved <= 0 and not (coins and asked < c.portfolio):
        return f"Pooling frees nothing here: {usd(c.isolated)} isolated, {usd(c.portfolio)} pooled."
    if coins and c.saved <= 0:
        return f"The positions alone ask {usd(c.portfolio)}; with the coins behind them {usd(asked)}."
    return (
        f"Pooled in one account this book needs {usd(c.portfolio)} instead of {usd(c.isolated)}: "
        f"{usd(c.saved)} ({c.saved_pct:.0f}%) is freed."
    )


def held_headline(comparison: Comparison) -> str:
    """The same for accounts as they are held, each by its own rules; "" where there is one without a venue."""
    held = comparison.as_held
    if held is None:
        return ""
    count = len(held.accounts)
    who = "this account" if count == 1 else f"these {count} accounts"
    if held.initial is not None and held.saved is None:
        names = ", ".join(held.left_out[:3]) + (f" and {len(held.left_out) - 3} more" if len(held.left_out) > 3 else "")
        need = "needs" if count == 1 else "need"
        return (
            f"As held {who} {need} {usd(held.initial)} without {names}, not reproduced here; "
            f"one pool of everything needs {usd(held.pooled)}."
        )
    if held.initial is None or held.saved is None:
        missing = [row.name or row.venue or "an account" for row in held.accounts if row.error]
        return f"In one pool this book needs {usd(held.pooled)}; as held it is not computed: see {missing[0]}."
    if held.saved <= 0:
        asks = f"{who[0].upper()}{who[1:]} {'asks' if count == 1 else 'ask'} {usd(held.initial)} as held"
        return f"{asks}; one pool with safeguards would ask {usd(held.pooled)}: nothing is freed."
    share = f" ({100 * held.saved / held.initial:.0f}%)" if held.initial > 0 else ""
    need = "needs" if count == 1 else "need"
    freed = f"{usd(held.saved)}{share} is freed"
    return f"As held {who} {need} {usd(held.initial)}, in one pool {usd(held.pooled)}: {freed}."


def why(comparison: Comparison) -> str:
    """Why the saving is as large, or as small, as it is; plain words."""
    c = comparison
    if c.isolated <= 0:
        return ""
    if c.account.requirement < c.basis:
        return (
            "The offset is between different instruments of one underlying. Their prices are taken as one here, but "
            f"they part by a basis: {usd(c.basis)} is kept for that."
        )
    longs = sum(u.delta_usd for u in c.underlyings if u.delta_usd > 0)
    shorts = -sum(u.delta_usd for u in c.underlyings if u.delta_usd < 0)
    one_way = min(longs, shorts) < 0.02 * max(longs, shorts)
    one_sided = "everything is " + ("long" if longs > shorts else "short")
    if c.saved_pct is not None and c.saved_pct < LITTLE and len(c.positions) > 1 and one_way:
        return (
            f"Almost nothing is saved because {one_sided} and these assets fall together: on the worst days no gain "
            "in one pays for the loss in another. Cross-margining pays for hedges, not for more of the same."
        )
    if len(c.positions) == 1:
        return "One position has nothing to offset. Add a second one, above all in the other direction."
    parts = []
    if c.attribution.netting > 0.01 * c.isolated:
        parts.append(f"{usd(c.attribution.netting)} because positions in the same underlying offset (netting)")
    if c.attribution.diversification > 0.01 * c.isolated:
        what = (
            "different assets do not have their worst days together"
            if one_way
            else "one asset's loss is another's gain"
        )
        parts.append(f"{usd(c.attribution.diversification)} because {what} (diversification and hedging)")
    if not parts:
        return "The positions have their worst days together, so there is little to offset."
    return "Saved: " + ", and ".join(parts) + "."


def steps(comparison: Comparison) -> tuple[Step, ...]:
    """The ladder method by method, formula first, then this book's figures."""
    c, s = comparison, comparison.settings
    tail = "ES" if s.measure == "es" else "VaR"
    shown = [f"{p.symbol} {usd(p.standalone)}" for p in c.positions[:6]] + (["..."] if len(c.positions) > 6 else [])
    nets = [f"{u.underlying} {usd(u.netted)}" for u in c.underlyings[:6]] + (["..."] if len(c.underlyings) > 6 else [])
    return (
        Step(
            "Scenarios",
            estimator(s.estimator).formula,
            f"{c.scenarios} returns over {s.horizon} day{'s' if s.horizon > 1 else ''} up to {c.as_of.date()}",
            _estimator_words(comparison),
        ),
        Step(
            "Tail loss",
            r"\mathrm{ES}_\alpha=\frac{1}{(1-\alpha)n}\Big(\sum_{j\le k}L_{(j)}+((1-\alpha)n-k)\,L_{(k+1)}\Big)"
            if s.measure == "es"
            else r"\mathrm{VaR}_\alpha=\min\{x:\hat F(x)\ge\alpha\}",
            f"α = {s.level:.1%}: the worst {(1 - s.level) * c.scenarios:.1f} of {c.scenarios} scenarios",
            "The mean of the worst losses." if s.measure == "es" else "The loss that the level is reached at.",
        ),
        Step(
            "1. Isolated",
            rf"M_1=\sum_i \mathrm{{{tail}}}(L_i)",
            f"{' + '.join(shown)} = {usd(c.isolated)}",
            "Every position has its own collateral; a gain in one cannot pay for a loss in another.",
        ),
        Step(
            "2. Netted",
            rf"M_2=\sum_u \mathrm{{{tail}}}\Big(\sum_{{i\in u}}L_i\Big)",
            f"{' + '.join(nets)} = {usd(c.netted)}",
            f"Long and short in one underlying offset: {usd(c.attribution.netting)} less.",
        ),
        Step(
            "3. Portfolio",
            rf"M_3=\mathrm{{{tail}}}\Big(\sum_i L_i\Big)",
            f"{usd(c.portfolio)}",
            f"Everything offsets as the scenarios allow: {usd(c.attribution.diversification)} less.",
        ),
        Step(
            "4. With safeguards",
            r"M_4=M_3+\sum_g \Delta_g",
            f"{usd(c.portfolio)} {_amounts(comparison)} = {usd(c.safeguarded)}",
            f"Given back for safety: {usd(c.attribution.safeguards)}.",
        ),
        *_with_coins(comparison),
    )


def coins_count(c: Comparison) -> bool:
    """Whether coins that are collateral are margined with the positions and change what the pool asks."""
    if c.account.treatment != "joint":
        return False
    return abs(c.account.requirement_safeguarded - c.safeguarded) >= HALF_A_DOLLAR


def _with_coins(c: Comparison) -> tuple[Step, ...]:
    """What the coins that are collateral do to the margin; none where they change nothing."""
    if not coins_count(c):
        return ()
    asked, hedges = c.account.requirement_safeguarded, c.account.collateral_hedges
    words = f"hedge {usd(hedges)} of it" if hedges > 0 else f"add {usd(-hedges)} of risk"
    return (
        Step(
            "5. With the coins behind them",
            r"M_5=M_4-M_3+\mathrm{%s}\Big(\sum_i L_i+\sum_c L_c\Big)" % ("ES" if c.settings.measure == "es" else "VaR"),
            f"{usd(c.safeguarded)} - {usd(c.portfolio)} + {usd(c.account.requirement)} = {usd(asked)}",
            f"Coins held as collateral are margined with the positions, at market value: they {words}.",
        ),
    )


def _amounts(comparison: Comparison) -> str:
    lines = [line for line in comparison.safeguard_lines if line.amount]
    return " ".join(
        f"{'+' if x.amount > 0 else '-'} {usd(abs(x.amount))} ({x.label.lower()})" for x in lines if x.amount
    )


def _estimator_words(comparison: Comparison) -> str:
    words = estimator(comparison.settings.estimator).words
    if comparison.book.has_options:
        words += " Options are revalued in full (Black-76), their volatility moving with the return."
    return words
