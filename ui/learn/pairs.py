"""Steps 2 to 4 of the Learn page: two positions in isolated accounts and in one pool, in closed form."""

import streamlit as st

from margin.lessons import closed_forms as lessons
from ui.blocks.formats import money, percent, signed_money
from ui.charts import learn as learn_charts
from ui.learn.view import ASSUMED, LONG, LONG_VOL, SHORT, SHORT_VOL, VALUE, View, pair


def two_positions() -> View:
    first = st.slider(f"{LONG} moves, %", -12, 12, -4, key="learn_first_move", bind="query-params") / 100
    second = st.slider(f"{SHORT} moves, %", -12, 12, -4, key="learn_second_move", bind="query-params") / 100
    two = pair(ASSUMED)
    held = (lessons.margin_of(VALUE, LONG_VOL), lessons.margin_of(VALUE, SHORT_VOL), lessons.pooled(two))
    left = lessons.two_day_outcome(two, first, second)
    fallen = lessons.two_day_outcome(two, -0.1, -0.1)
    names = (f"Isolated: long {LONG}", f"Isolated: short {SHORT}", "One pool: both")
    made = VALUE * first - VALUE * second
    state = [f"{n} {money(v)} {'liquidated' if v < 0 else 'left'}" for n, v in zip(names, left, strict=True)]
    return View(
        numbers=(
            ("The book made", signed_money(made) if made else "$0", ""),
            ("Margin, isolated", money(held[0] + held[1]), ""),
            ("Margin in one pool", money(held[2]), ""),
        ),
        figure=learn_charts.accounts([n.replace(": ", "<br>") for n in names], held, left),
        alt=f"After the move: {'; '.join(state)}.",
        answer=f"The long loses {money(0.1 * VALUE)}, more than the {money(held[0])} in its isolated account, and is "
        "liquidated although "
        f"the short has just earned as much. The pool still has all of its {money(fallen[2])}: a gain pays for a loss.",
        formula=r"M_\text{isolated}=k\,(\lvert a\rvert+\lvert b\rvert)",
        words=f"with k = {lessons.margin_of(1.0, 1.0):.3f}, a and b the ordinary day of each in dollars "
        f"({money(VALUE * LONG_VOL)}, {money(VALUE * SHORT_VOL)}); the pool's is in step 3, at correlation {ASSUMED}.",
    )


def correlation() -> View:
    rho = st.slider(f"Correlation of {LONG} and {SHORT}", -1.0, 1.0, 0.0, 0.05, key="learn_rho", bind="query-params")
    side = st.segmented_control(
        "Positions",
        ["Long and short", "Both long"],
        default="Long and short",
        required=True,
        key="learn_side",
        bind="query-params",
    )
    both = side == "Both long"
    two = pair(rho, both)
    alone, pool = lessons.isolated(two), lessons.pooled(two)
    saved = percent(100 * (alone - pool) / alone)
    least = lessons.pooled(pair(1.0))
    return View(
        numbers=(
            ("Two isolated accounts", money(alone), ""),
            ("One pool", money(pool), ""),
            ("Saved", saved, ""),
        ),
        figure=learn_charts.by_correlation(*lessons.pooled_by_correlation(two), alone, (rho, pool)),
        alt=f"Pooled margin against correlation, {'both long' if both else 'long and short'}. At {rho:+.2f} it is "
        f"{money(pool)} against {money(alone)} in two isolated accounts: {saved} saved.",
        answer="When both move in step the short gains what the long loses; only the difference in size is left, "
        f"{money(least)}. Two longs are the mirror image (try it): at +1 they are one larger position, and pooling "
        "saves nothing. Cross-margining pays for hedges, not for more of the same.",
        formula=r"M=k\sqrt{a^2+b^2+2\rho\,ab}",
        words="with the sign of a short below zero. Our own model: no venue takes a correlation from its customers.",
    )


CHANCES = [0.1, 0.5, 1.0, 2.5, 5.0, 10.0]


def isolated_to_cross() -> View:
    chance = st.select_slider(
        "Runs out on this share of days",
        CHANCES,
        1.0,
        format_func=lambda p: f"{p:g}%",
        key="learn_chance",
        bind="query-params",
    )
    rho = st.slider("Correlation", -0.95, 0.95, ASSUMED, 0.05, key="learn_rho_risk", bind="query-params")
    two = pair(rho)
    alone, pool = lessons.capital_for(two, chance / 100)
    same, _ = lessons.exhaustion(two, pool)
    return View(
        numbers=(
            ("Isolated accounts need", money(alone), ""),
            ("One pool needs", money(pool), ""),
            ("Less by", percent(100 * (alone - pool) / alone), ""),
        ),
        figure=learn_charts.two_curves(*lessons.exhaustion_curve(two), (pool, alone, chance / 100)),
        alt=f"Probability of running out against capital held. At {chance:g}% of days: two isolated accounts "
        f"{money(alone)}, one pool "
        f"{money(pool)}.",
        answer=f"That is how they were compared: both run out on {chance:g}% of days, and the pool gets there with "
        f"{money(alone - pool)} less. With the pool's {money(pool)} split over two isolated accounts, one of them "
        "would run out on "
        f"{percent(100 * same, 1)} of days.",
        formula=r"P(L>C)",
        words="of a normal day; isolated accounts split the capital by their risk and count as run out when either "
        "does.",
    )
