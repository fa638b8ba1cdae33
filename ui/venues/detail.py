"""One venue looked into: line by line, its modes side by side, where it liquidates, its scenario grid and its tiers."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import streamlit as st

from margin.core.market import Market
from margin.core.portfolio import Portfolio, Position
from margin.venues import Marks, Rulebook, liquidation
from margin.venues.base import PositionMargin
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tiers, tier_at
from margin.venues.survey import Asked, Refused, Survey, betas
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import away, money, percent, quantity, times
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain
from ui.blocks.views import tabbed
from ui.charts import venues as charts_venues
from ui.state import view

KEPT = "venues"  # in the address: venue.slider by value


def settings(rulebook: Rulebook) -> dict[str, float]:
    """What the visitor's sliders of a venue stand at."""
    kept = view.numbers(KEPT)
    read = {s.key: kept.get(f"{rulebook.name}.{s.key}", float(s.default)) for s in rulebook.sliders}
    return {s.key: min(max(read[s.key], float(s.low)), float(s.high)) for s in rulebook.sliders}


def _keep(rulebook: Rulebook, setting: str, default: float) -> None:
    name, value = f"{rulebook.name}.{setting}", float(st.session_state[_key(rulebook, setting)])
    view.put(KEPT, {k: v for k, v in {**view.numbers(KEPT), name: value}.items() if k != name or v != default})


def _key(rulebook: Rulebook, setting: str) -> str:
    return f"venue_{rulebook.name}_{setting}"


def nearest(a: Asked) -> str:
    """The smallest move that liquidates, e.g. "BTC −36.8%"."""
    if a.nearest is None:
        return "never"
    what, move = a.nearest
    return "now" if move == 0 else f"{what.split('/')[0]} {away(move)}"


def draw(found: Survey, portfolio: Portfolio, marks: Marks, market: Market) -> None:
    """The picked venue and mode, its sliders, and the views."""
    st.markdown("**Look into one venue**")
    names = [f"{a.margin.venue}, {a.margin.mode}" for a in found.asked]
    first = _first(found, portfolio)
    picked = found.asked[
        names.index(st.selectbox("Venue and mode", names, first, key="venue_picked", bind="query-params"))
    ]
    stands = settings(picked.rulebook)
    for slider in picked.rulebook.sliders:
        st.slider(
            slider.title + (f" ({slider.unit})" if slider.unit else ""), slider.low, slider.high,
            stands[slider.key], slider.step, help=slider.help or None,
            key=_key(picked.rulebook, slider.key), format="%g", on_change=_keep,
            args=(picked.rulebook, slider.key, slider.default),
        )  # fmt: skip
    views = {
        "Line by line": lambda: _lines(picked),
        "Which mode?": lambda: _modes(found, picked, portfolio, marks, market),
        "Where it liquidates": lambda: _liquidation(picked, portfolio, marks, market),
        "Scenario grid": lambda: _grids(picked),
        "Tiers": lambda: _tiers(picked, portfolio, marks),
    }
    _known(picked)
    tabbed(views, "venue_view")


def _known(picked: Asked) -> None:
    """The rules' date and the venue's state, and behind one line what is not known or not reproduced; said once."""
    if picked.rulebook.status:
        dated = picked.rulebook.dated(picked.margin)
        rules = f"Rules {dated}" if dated.startswith("undated") else f"Rules of {dated}"
        st.caption(dollars(plain(f"{rules}. Status: {picked.rulebook.status}.")))
    notes = tuple(dict.fromkeys((*picked.margin.notes, *picked.rulebook.missing)))
    if notes:
        with st.expander(f"What to know of these rules ({len(notes)})", icon=":material/info:", key="venue_notes"):
            for note in notes:
                st.markdown(f"- {dollars(plain(note))}")


def _first(found: Survey, portfolio: Portfolio) -> int:
    """The account's own venue and mode; else the first that holds all of the book; else the first that is a venue."""
    own = {(account.venue, account.mode or "cross") for account in portfolio.accounts if account.venue}
    wishes: tuple[Callable[[Asked], bool], ...] = (
        lambda a: (a.rulebook.name, a.margin.mode) in own,
        lambda a: a.rulebook.purpose != "comparison" and not a.left_out,
        lambda a: a.rulebook.purpose != "comparison",
    )
    return next((i for wish in wishes for i, a in enumerate(found.asked) if wish(a)), 0)


def _lines(picked: Asked) -> None:
    """Where the number comes from: every step with the rule's source."""
    m = picked.margin
    equity, maintenance = money(m.equity, cents=True), money(m.maintenance, cents=True)
    line = (
        f"liquidates when equity, now {equity}, falls below {maintenance}"
        if m.equity >= m.maintenance
        else f"has liquidated: equity {equity} is below {maintenance}"
    )
    opening = (
        f"To open this book it asks {money(m.initial, cents=True)}, and "
        f"{money(m.equity_initial, cents=True)} counts for that."
    )
    st.markdown(dollars(f"{plain(m.venue)} {line}. {opening}"))
    lines = pd.DataFrame(
        [
            {
                "Step": line.label,
                "Reckoning": line.formula.replace(" x ", " × "),
                "USD": "–" if line.amount is None else money(line.amount, cents=True),
                "Source": line.source,
            }
            for line in m.lines
        ]
    )
    data_table(lines, key="venue_lines", alt=f"Every line of {m.venue}, {m.mode}")
    if m.collateral:
        held = pd.DataFrame(
            [
                {
                    "Collateral": c.asset,
                    "Units": f"{c.quantity:,.6g}",
                    "At market": money(c.market_value),
                    "Counts to open": money(c.counted_initial),
                    "Counts against liquidation": money(c.counted_maintenance),
                }
                for c in m.collateral
            ]
        )
        data_table(held, key="venue_collateral", alt="What each balance counts")
    csv_button("These lines", lambda: lines, "venue_lines")


def _modes(found: Survey, picked: Asked, portfolio: Portfolio, marks: Marks, market: Market) -> None:
    """The venue's modes side by side, and what to make of them."""
    same = [a for a in found.asked if a.rulebook.name == picked.rulebook.name]
    refused = [r for r in found.refused if r.rulebook.name == picked.rulebook.name and r.mode]
    farthest = max(same, key=room)
    least = min(same, key=lambda a: a.margin.initial)
    if len(same) == 1:
        st.markdown(f"{plain(picked.margin.venue)} has one mode for this book: {same[0].margin.mode}.")
    elif len({round(a.margin.initial, 2) for a in same}) == 1:
        st.markdown(
            f"Every mode asks the same to open; **{farthest.margin.mode}** is farthest from liquidation: "
            f"{nearest(farthest)}."
        )
    elif farthest is least:
        st.markdown(f"**{least.margin.mode.title()}** asks least and is farthest from liquidation.")
    else:
        st.markdown(
            dollars(
                f"**{least.margin.mode.title()}** asks least ({money(least.margin.initial)}); "
                f"**{farthest.margin.mode}** is farthest from liquidation: {nearest(farthest)}, not {nearest(least)}."
            )
        )
    rows = [
        {
            "Mode": a.margin.mode,
            "Initial": money(a.margin.initial),
            "Maintenance": money(a.margin.maintenance),
            "Free to open more": money(a.margin.free),
            "Health": times(a.margin.health),
            "Nearest liquidation": nearest(a),
            "A loss in one position": "only its own margin" if a.margin.mode == "isolated" else "the whole account",
        }
        for a in same
    ]
    table = pd.DataFrame(rows)
    data_table(table, key="venue_modes", alt="Modes side by side")
    if len(same) == 1:
        _why_not(refused)
        return
    chart(
        charts_venues.modes([a.margin for a in same]),
        "venue_modes_chart",
        "; ".join(
            f"{a.margin.mode}: {money(a.margin.initial)} to open, {money(a.margin.maintenance)} to stay" for a in same
        ),
    )
    _why_not(refused)


def _why_not(refused: list[Refused]) -> None:
    for r in refused:
        st.caption(f"{plain((r.mode or '').title())} mode cannot hold it: {plain('; '.join(r.reasons))}.")


def room(a: Asked) -> float:
    """The smallest move that liquidates, as a fraction; infinite where none does."""
    return float("inf") if a.nearest is None else abs(a.nearest[1])


def _liquidation(picked: Asked, portfolio: Portfolio, marks: Marks, market: Market) -> None:
    """Prices of each underlying alone; for a pooled account also all together, and two at once."""
    rows = [
        {
            "As it moves alone": name,
            "Now": money(marks.price(name.split("/")[0]), cents=True),
            "Liquidated at, falling": "never" if e.down is None else money(e.down, cents=True),
            "Liquidated at, rising": "never" if e.up is None else money(e.up, cents=True),
        }
        for name, e in picked.edges.items()
    ]
    table = pd.DataFrame(rows)
    data_table(table, key="venue_edges", alt="Liquidation prices")
    csv_button("These prices", lambda: table, "venue_liquidation")
    if picked.margin.mode == "isolated":
        st.caption("Isolated positions are liquidated one by one, each with its own margin.")
        return
    left_out = {u.symbol for u in picked.left_out}
    held = portfolio.settled.with_positions(p for p in portfolio.margined if p.symbol not in left_out)
    assets = liquidation.moving(held)
    if not assets:
        return
    reference = "BTC" if "BTC" in assets else assets[0]
    slopes = betas(market, assets, reference, marks.as_of)
    chosen = settings(picked.rulebook)
    both = liquidation.together(picked.rulebook, held, marks, picked.margin.mode, slopes, chosen)
    said = ", ".join(f"{asset} {slope:.2f}" for asset, slope in slopes.items())
    ways = [
        f"{word} of {percent(100 * abs(move), 1)}"
        for word, move in (("a fall", both.down), ("a rise", both.up))
        if move is not None
    ]
    if both.down == 0.0 or both.up == 0.0:
        ways, end = [], "it is liquidated already."
    else:
        end = "no common move liquidates it."
    end = f"{reference} liquidates the account by {' or '.join(ways)}." if ways else end
    st.markdown(f"**All together by their betas to {reference}** ({said}; daily, of the last year): {end}")
    if len(assets) < 2:
        return
    left, right = st.columns(2)
    first = left.selectbox("One underlying", assets, key="venue_first", bind="query-params")
    others = [asset for asset in assets if asset != first]
    second = right.selectbox("against another", others, key="venue_second", bind="query-params")
    seen = liquidation.surface(picked.rulebook, held, marks, picked.margin.mode, first, second, chosen)
    share = 100 * float((seen.gap < 0).mean())
    chart(
        charts_venues.surface(seen),
        "venue_surface",
        f"Money left before liquidation as {first} and {second} move from -60% to +60%; {share:.0f}% of the field is "
        f"liquidated.",
    )
    st.caption(
        dollars(
            f"Blue: money left before liquidation, up to {money(float(seen.gap.max()))}; orange: what is missing. The "
            f"line is where liquidation begins, {share:.0f}% of the field is beyond it; the cross is today."
        )
    )


def _grids(picked: Asked) -> None:
    """The venue's own scenarios; the cell that sets the margin is marked."""
    if not picked.margin.grids:
        st.markdown("This mode has no scenarios: every position is margined by its size.")
    for i, grid in enumerate(picked.margin.grids):
        st.markdown(f"**{plain(grid.title)}**")
        if grid.binding is not None:
            row, column = grid.binding
            worst = f"{grid.rows[row]}, {grid.columns[column]}: {money(float(grid.values[row, column]))}"
            st.markdown(dollars(f"The cell marked ◆ sets the margin: {plain(worst)}."))
        else:
            st.markdown("No scenario loses: another rule sets the margin.")
        chart(
            charts_venues.grid(grid), f"venue_grid_{i}", f"{grid.title}, {len(grid.rows)} by {len(grid.columns)} cells"
        )


def _one_tier(rulebook: PerpetualVenue, row: PositionMargin, table: Tiers | None) -> str:
    """Why a contract has no table of tiers: one rate for every size, or one that grows without steps."""
    if not table:
        return "No tiers."
    asked = [(row.maintenance_rate, table[0].rate)]
    if not rulebook.own_leverage:
        asked.append((row.initial_rate, 1.0 / table[0].leverage))
    if any(rate is not None and rate > least * (1.0 + 1e-9) for rate, least in asked):
        return f"No tiers: the rate grows with the size, from {percent(100 * table[0].rate, 2)} maintenance."
    return "One rate, whatever the size."


def _tiers(picked: Asked, portfolio: Portfolio, marks: Marks) -> None:
    """The tiers of each position's contract, the one it is in marked, and the rates at its size."""
    rulebook = picked.rulebook
    if not isinstance(rulebook, PerpetualVenue) or picked.margin.grids:
        st.markdown("This mode has no tiers: see its lines.")
        return
    for i, row in enumerate(picked.margin.positions):  # a venue may keep several as one, or the two legs of hedge mode
        position = _behind(row, portfolio)
        if position is None:
            continue
        table, printed = rulebook.position_tiers(position, marks)
        st.markdown(
            dollars(
                f"**{plain(position.symbol)}** {quantity(row.quantity)}: {money(row.notional)} at "
                f"{percent(None if row.maintenance_rate is None else 100 * row.maintenance_rate, 2)} maintenance, "
                f"{percent(None if row.initial_rate is None else 100 * row.initial_rate, 2)} to open."
            )
        )
        if table is None or len(table) < 2:
            st.caption(_one_tier(rulebook, row, table))
            continue
        if printed:
            st.caption("The tier that the venue printed for it, not the table's.")
        value, size = rulebook.sized(position, marks, rulebook.basis(picked.margin.mode, marks)[1])
        unit = value / size if size else 0.0
        data_table(
            pd.DataFrame(
                [
                    {
                        "Here": "◆" if t is tier_at(table, size) else "",
                        "From": f"{t.floor:,.0f}",
                        "To": "no end" if t.cap is None else f"{t.cap:,.0f}",
                        "Maintenance rate": percent(100 * t.rate, 2),
                        "Deduction": f"{t.deduction:,.2f}",
                        "Highest leverage": f"{t.leverage:g}×",
                        "Of it here": f"{here:,.6g}",
                        "Its margin": "whole position" if rulebook.whole else money(here * t.rate * unit, cents=True),
                    }
                    for t in table
                    for here in [max(min(size, t.cap or size) - t.floor, 0.0)]
                ]
            ),
            key=f"venue_tiers_{i}",
            alt=f"Tiers of {position.symbol}",
        )


def _behind(row: PositionMargin, portfolio: Portfolio) -> Position | None:
    """The position that a row of the venue is about, at the row's size: of this size, else on this side, else any."""
    same = [p for p in portfolio.margined if p.symbol == row.symbol]
    side = [p for p in same if p.quantity * row.quantity > 0]
    exact = [p for p in side if p.quantity == row.quantity]
    found = next(iter([*exact, *side, *same]), None)
    return None if found is None else replace(found, quantity=row.quantity)
