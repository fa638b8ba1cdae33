"""The steps of the Learn page that use price history, against loops, and the page's own claims."""

import numpy as np
import pytest

from margin import InputError, Market, Portfolio, Position
from margin.lessons import closed_forms as lessons
from margin.lessons import history as lessons_history
from margin.protocols.paid import along_falls, textbook
from margin.sample.events import load_events
from tests.ladder.books import market_frame
from ui.learn.shared import chain
from ui.learn.steps import STEPS
from ui.learn.view import ASSUMED, VALUE, pair, sample_market

FRAME = market_frame()
MARKET = Market(FRAME)


@pytest.mark.parametrize("usd", [50_000.0, -50_000.0])
def test_one_position_is_the_tail_of_its_days(usd):
    one = lessons_history.one_position(MARKET, "BTC", usd)
    losses = -usd * FRAME["BTC"].pct_change().dropna().to_numpy()[-500:]
    worst = np.sort(losses)[::-1]
    np.testing.assert_allclose(one.losses, losses, rtol=1e-9, atol=1e-6)
    assert one.margin == pytest.approx((worst[:12].sum() + 0.5 * worst[12]) / 12.5)
    assert one.var == pytest.approx(worst[12])
    assert (one.worst, one.tail_days) == (pytest.approx(worst[0]), pytest.approx(12.5))


def test_nothing_is_no_position():
    with pytest.raises(InputError, match="other than 0"):
        lessons_history.one_position(MARKET, "BTC", 0.0)


def test_event_days_set_the_margin_the_close_before_and_meet_what_followed():
    day = FRAME.index[600]
    named = [("a day", str(day.date()), str(day.date())), ("before the record", "1999-01-01", "1999-01-02")]
    legs = {"BTC": 10_000.0, "ETH": -8_000.0}
    (found,) = lessons_history.event_days(legs, MARKET, named)
    returns = FRAME[["BTC", "ETH"]].pct_change()
    past = -(returns.iloc[100:600] @ list(legs.values())).to_numpy()
    worst = np.sort(past)[::-1]
    assert found.pooled == pytest.approx((worst[:12].sum() + 0.5 * worst[12]) / 12.5)
    assert found.loss == pytest.approx(-float(returns.iloc[600] @ list(legs.values())))
    assert found.share == pytest.approx(found.loss / found.pooled)


def test_what_comes_after_an_event_changes_nothing():
    named = [("three days", str(FRAME.index[600].date()), str(FRAME.index[602].date()))]
    changed = FRAME.copy()
    changed.iloc[603:] *= 3
    legs = {"BTC": 10_000.0, "ETH": -8_000.0}
    assert lessons_history.event_days(legs, MARKET, named) == lessons_history.event_days(legs, Market(changed), named)


def test_the_replay_counts_days():
    book = Portfolio((Position("BTC/USDC:USDC", 1), Position("ETH/USDC:USDC", -10)))
    seen = lessons_history.replay(book, MARKET)
    price = FRAME.iloc[-1]
    each = -FRAME[["BTC", "ETH"]].pct_change().dropna().to_numpy() * np.array([price["BTC"], -10 * price["ETH"]])
    c = seen.comparison
    alone = [p.standalone for p in c.positions]
    assert seen.days == len(each)
    assert seen.beyond_portfolio == sum(row.sum() > c.portfolio for row in each)
    assert seen.beyond_safeguarded == sum(row.sum() > c.safeguarded for row in each)
    assert seen.an_isolated_account_ran_out == sum(any(row > alone) for row in each)


def test_every_right_answer_is_right():
    """The choices on the page, each decided by the engine."""
    assert [step.choices[step.right] for step in STEPS] == [
        "It doubles",
        "Yes, in the isolated accounts",
        "At +1",
        "Equally often",
        "About 1 day in 8",
        "Yes: less margin, and it fails less often",
        "At 40%, before either calls",
        "$2.50M",
    ]
    falls = along_falls(textbook(500.0), "double")
    assert falls.certain
    assert (falls.nothing, falls.lender_call, falls.venue_call) == pytest.approx((-0.4, -0.518, -0.62), abs=1e-3)
    assert chain(4.0, 1.0).paid[:2].tolist() == pytest.approx([4, 7])
    assert chain(4.0, 0.5).paid[:2].tolist() == pytest.approx([2, 2.5])
    market, two = sample_market(), pair(ASSUMED)
    one = lessons_history.one_position(market, "BTC", VALUE).margin
    assert lessons_history.one_position(market, "BTC", 2 * VALUE).margin == pytest.approx(2 * one)
    long_alone, short_alone, pool = lessons.two_day_outcome(two, -0.1, -0.1)
    assert long_alone < 0 < min(short_alone, pool)
    rho, curve = lessons.pooled_by_correlation(two)
    assert rho[np.argmin(curve)] == 1.0
    assert 1 / lessons.correlation_break(two, 0.0).exceeded == pytest.approx(8, abs=0.5)


def test_safeguards_leave_a_saving_and_fail_less_often():
    from ui.learn.history import SWITCHES, _replay

    bare, full = _replay(frozenset()), _replay(frozenset(SWITCHES))
    assert full.comparison.portfolio < full.comparison.safeguarded < full.comparison.isolated
    assert full.beyond_safeguarded < bare.beyond_safeguarded == bare.beyond_portfolio
    assert full.beyond_safeguarded < full.an_isolated_account_ran_out


def test_named_events_have_margins_that_were_not_enough():
    named = [(e.name, str(e.start), str(e.end)) for e in load_events()]
    found = lessons_history.event_days({"ETH": VALUE, "BTC": -VALUE}, sample_market(), named)
    assert len(found) > 5
    assert any(day.share > 1 for day in found)
