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
    st.subheader(dollars(headline(found)), anchor=False)
    if found.split is not None:
        one = found.equal.of("separate")
        st.caption(
            dollars(
                f"Beside separate accounts at their best, {money(found.apart)}: buffers of {found.split.lender:.2f} at "
                f"the lender and {found.split.venue:.2f} at the venue. With one buffer for both they need "
                f"{money(one.capital)}, and sharing would seem to free {money(found.equal.saved('unified'))}."
            )
        )
    for note in found.told.notes:
        st.caption(plain(note))
    sharing.draw(wanted, found)


def headline(found: Compared) -> str:
    """'Sharing this ETH frees $8,400 (32%) at equal odds of a call; counted twice it would free ...'"""
    coins = " and ".join(plain(p.asset) for p in found.told.wallet.collateral)
    equal, apart = found.equal, found.apart
    double = equal.of("double")
    saved, twice = apart - equal.of("unified").capital, apart - double.capital
    share = percent(100 * abs(saved) / apart) if apart > 0 else "0%"
    verb = "frees" if saved >= 0 else "costs"
    odds = percent(100 * (equal.odds or 0.0), 0 if (equal.odds or 0) >= 0.01 else 1)
    words = f"Sharing this {coins} {verb} {money(round(abs(saved)))} ({share}) at equal odds of a call ({odds})"
    freed = f"free {money(twice)}" if twice >= 0 else f"cost {money(-twice)}"
    loss = double.expected_shortfall
    left = f"leave others {money(loss)} of expected loss" if loss >= 0.005 else "leave others no loss on these paths"
    return f"{words}; counted twice it would {freed} and {left}."
