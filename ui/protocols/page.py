"""The Protocols page: what sharing a collateral frees at equal odds of a call, who pays for it, and what spreads."""

from collections.abc import Callable

import streamlit as st

from ui.blocks.formats import money, percent
from ui.blocks.text import dollars, plain
from ui.blocks.views import tabbed
from ui.protocols import contagion, double_count, events, fund, sharing, wallets
from ui.protocols.wallets import Asked, Compared
from ui.shell.page import Seen


def page(seen: Seen) -> None:
    """The whole page below its heading."""

    def compared() -> tuple[Asked, Compared]:
        wanted = wallets.asked(seen)
        return wanted, wallets.compared(wanted, seen.active, seen.settings.as_of)

    views: dict[str, Callable[[], None]] = {
        "Sharing": lambda: _sharing(*compared()),
        "Counted twice": lambda: double_count.draw(compared),
        "Contagion": lambda: contagion.draw(seen),
        "Events": events.draw,
        "Fund": lambda: fund.draw(seen),
    }
    tabbed(views, "protocols_view")


def _sharing(wanted: Asked, found: Compared) -> None:
    st.header(dollars(headline(found)), anchor=False)
    if found.split is not None:
        least = found.split.capital - found.equal.of("unified").capital
        st.caption(
            dollars(
                f"Every rule has one buffer, the same at both sides; separate accounts then need "
                f"{money(found.equal.of('separate').capital)}. With a buffer for each side, at their best "
                f"({found.split.lender:.2f} at the lender, {found.split.venue:.2f} at the venue), they need "
                f"{money(found.split.capital)}: compared with that, sharing {'frees' if least >= 0 else 'costs'} "
                f"{money(round(abs(least)))}."
            )
        )
    for note in found.told.notes:
        st.caption(plain(note))
    sharing.draw(wanted, found)


def headline(found: Compared) -> str:
    """'Sharing this ETH frees $8,400 (32%) at equal odds of a call; counted twice it would free ...'"""
    coins = " and ".join(plain(p.asset) for p in found.told.wallet.collateral)
    equal = found.equal
    apart, double = equal.of("separate").capital, equal.of("double")
    saved, twice = equal.saved("unified"), equal.saved("double")
    share = percent(100 * abs(saved) / apart) if apart > 0 else "0%"
    verb = "frees" if saved >= 0 else "costs"
    odds = percent(100 * (equal.odds or 0.0), 0 if (equal.odds or 0) >= 0.01 else 1)
    words = f"Sharing this {coins} {verb} {money(round(abs(saved)))} ({share}) at equal odds of a call ({odds})"
    freed = f"free {money(twice)}" if twice >= 0 else f"cost {money(-twice)}"
    loss = double.expected_shortfall
    left = f"leave others {money(loss)} of expected loss" if loss >= 0.005 else "leave others no loss on these paths"
    return f"{words}; counted twice it would {freed} and {left}."
