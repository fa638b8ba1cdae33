"""Auto-deleveraging: published examples, a linear programme as oracle, and conservation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from margin.core.errors import InputError
from margin.liquidation.adl import POLICIES, Candidates, binance_score, bitmex_score, deleverage, hyperliquid_score


def candidates(size, entry, wallet, mark, side, maintenance=None):
    size, entry, wallet = (np.asarray(a, dtype=float) for a in (size, entry, wallet))
    maintenance = np.zeros_like(size) if maintenance is None else np.asarray(maintenance, dtype=float)
    return Candidates(size=size, entry=entry, wallet=wallet, maintenance=maintenance, mark=mark, side=side)


@st.composite
def books(draw):
    n = draw(st.integers(1, 12))
    amounts = st.floats(0.01, 100)
    size = [draw(amounts) for _ in range(n)]
    entry = [draw(st.floats(50, 200)) for _ in range(n)]
    wallet = [draw(st.floats(1, 5000)) for _ in range(n)]
    side = draw(st.sampled_from([1, -1]))
    return candidates(size, entry, wallet, 100.0, side, list(size))


@pytest.mark.parametrize("policy", POLICIES)
@given(books(), st.floats(0, 2000), st.floats(60, 140))
def test_units_add_up_and_nobody_gives_more_than_they_hold(policy, book, needed, price):
    done = deleverage(policy, book, needed, price)
    assert (done.closed >= 0).all()
    assert (done.closed <= book.size * (1 + 1e-12)).all()
    assert done.closed.sum() + done.unfilled == pytest.approx(needed, rel=1e-9, abs=1e-9)
    bankrupt_gain = -book.side * (price - 100.0) * done.closed.sum()
    assert done.forgone.sum() == pytest.approx(bankrupt_gain, rel=1e-9, abs=1e-9)


@given(books(), st.floats(0.01, 1.0))
def test_least_harm_equals_the_linear_programme(book, share):
    """Minimise t with closed_i <= t profit_i over the winners, by an independent solver."""
    winners = book.unrealised > 1e-6
    if not winners.any():
        return
    needed = share * book.size[winners].sum()
    kept = candidates(book.size[winners], book.entry[winners], book.wallet[winners], 100.0, book.side)
    profit = kept.unrealised
    n = len(profit)
    best = linprog(
        np.r_[np.zeros(n), 1.0],
        A_ub=np.c_[np.eye(n), -profit],
        b_ub=np.zeros(n),
        A_eq=np.r_[np.ones(n), 0.0][None, :],
        b_eq=[needed],
        bounds=[(0, s) for s in kept.size] + [(0, None)],
    )
    ours = (deleverage("least harm", kept, needed, 100.0).closed / profit).max()
    assert ours == pytest.approx(best.fun, rel=1e-6)


@given(books(), st.floats(0.01, 1.0))
def test_least_harm_takes_no_larger_share_of_profit_than_any_queue(book, share):
    """Among winners: a queue may ask somebody in loss first, which is another harm than the one minimised."""
    won = book.unrealised > 1e-6
    if not won.any():
        return
    kept = candidates(book.size[won], book.entry[won], book.wallet[won], 100.0, book.side)
    needed = share * kept.size.sum()
    worst = {n: (deleverage(n, kept, needed, 100.0).closed / kept.unrealised).max() for n in POLICIES}
    assert worst["least harm"] <= min(worst.values()) * (1 + 1e-9)


def test_bitmex_ranks_by_profit_times_leverage():
    book = candidates([1, 1, 1], [650, 600, 700], [100, 100, 100], 500.0, -1)
    score = bitmex_score(book)
    profit_share = (650 - 500) / 650
    assert score[0] == pytest.approx(profit_share * 500 / (100 + 150))
    assert np.argmax(score) == 2


def test_bitmex_divides_by_leverage_in_loss():
    book = candidates([1, 1], [90, 90], [50, 20], 100.0, -1)
    score = bitmex_score(book)
    assert (score < 0).all()
    assert score[1] > score[0]


@pytest.mark.parametrize(("ratio", "expected"), [(0.1342, 1.26)])
def test_binance_published_example(ratio, expected):
    """Unrealised 40.2 on a wallet of 4.27: PnL% 9.41; margin ratio 13.42% gives 1.26."""
    equity = 4.27 + 40.2
    book = candidates([1], [100 - 40.2], [4.27], 100.0, 1, [ratio * equity])
    assert pytest.approx(9.41, abs=0.005) == 40.2 / 4.27
    assert binance_score(book)[0] == pytest.approx(expected, abs=0.005)


def test_hyperliquid_ranks_gains_on_both_sides():
    for side, entries in ((1, [50, 90]), (-1, [200, 110])):
        score = hyperliquid_score(candidates([1, 1], entries, [100, 100 + 40 * 1.0], 100.0, side))
        assert score[0] > 0
    short = hyperliquid_score(candidates([1, 1], [200, 110], [100, 190], 100.0, -1))
    assert short[0] > short[1]


def test_queue_closes_the_first_wholly_before_the_second():
    book = candidates([10, 10, 20], [900, 700, 650], [50, 50, 500], 600.0, -1)
    done = deleverage("BitMEX queue", book, 15, 620.0)
    order = np.argsort(-bitmex_score(book))
    assert list(done.closed[order]) == [10, 5, 0]


def test_what_cannot_be_is_refused():
    book = candidates([1], [1], [1], 1.0, 1)
    with pytest.raises(InputError, match="not an ADL policy"):
        deleverage("lottery", book, 1, 1.0)
    with pytest.raises(InputError, match="negative"):
        deleverage("pro rata", book, -1, 1.0)
