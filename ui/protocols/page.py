"""The Protocols page: what sharing a collateral frees at equal odds of a call, who pays for it, and what spreads."""

from collections.abc import Callable

import streamlit as st

from margin.protocols.sharing import Comparison
from margin.protocols.wallet import Wallet
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
    st.subheader(dollars(headline(found.told.wallet, found.equal)), anchor=False)
    for note in found.told.notes:
        st.caption(plain(note))
    sharing.draw(wanted, found)


def headline(wallet: Wallet, equal: Comparison) -> str:
    """'Sharing this ETH frees $8,400 (32%) at equal odds of a call; counted twice it would free ...'"""
    coins = " and ".join(plain(p.asset) for p in wallet.collateral)
    apart, double = equal.of("separate"), equal.of("double")
    saved, twice = equal.saved("unified"), equal.saved("double")
    share = percent(100 * abs(saved) / apart.capital) if apart.capital > 0 else "0%"
    verb = "frees" if saved >= 0 else "costs"
    odds = percent(100 * (equal.odds or 0.0), 0 if (equal.odds or 0) >= 0.01 else 1)
    words = f"Sharing this {coins} {verb} {money(abs(saved))} ({share}) at equal odds of a call ({odds})"
    freed = f"free {money(twice)}" if twice >= 0 else f"cost {money(-twice)}"
    loss = double.expected_shortfall
    left = f"leave others {money(loss)} of expected loss" if loss >= 0.005 else "leave others no loss on these paths"
    return f"{words}; counted twice it would {freed} and {left}."
