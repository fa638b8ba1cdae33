"""Collateral, equity, health and leverage; equal risk and freed capital; by hand and by definition."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import Collateral, InputError, Market, Portfolio, Position, Settings, compare
from margin.haircut.model import describe, haircut
from margin.ladder.equal_risk import equal_risk
from margin.ladder.freed_capital import freed_capital
from tests.ladder.books import ESTIMATORS, books, market_frame

FRAME = market_frame()
MARKET = Market(FRAME)


def book(positions, *collateral):
    return Portfolio(tuple(positions), tuple(Collateral(a, q) for a, q in collateral))


def test_equity_health_and_leverage_by_hand():
    chosen = Settings(haircuts=(("BTC", 0.1),), collateral_treatment="haircut")
    c = compare(
        book([Position("ETH/USDT:USDT", -10, entry_price=3100)], ("BTC", 1), ("USD", 500)), MARKET, settings=chosen
    )
    account = c.account
    assert account.market_value == pytest.approx(60_500)
    assert account.collateral_value == pytest.approx(54_500)
    assert account.unrealised_pnl == pytest.approx(1_000)
    assert account.equity == pytest.approx(55_500)
    assert account.maintenance == pytest.approx(0.5 * c.portfolio)
    assert account.health == pytest.approx(55_500 / (0.5 * c.portfolio))
    assert account.health_isolated == pytest.approx(55_500 / (0.5 * c.isolated))
    assert account.effective_leverage == pytest.approx(30_000 / 55_500)
    assert account.free_equity == pytest.approx(55_500 - c.portfolio)


def test_inverse_profit_is_paid_in_coins():
    """60,000 dollars of face bought at 50,000 cost 1.2 coins and are 1 coin now: 0.2 coins x 60,000."""
    c = compare(book([Position("BTC/USD:BTC", 60_000, entry_price=50_000)]), MARKET)
    contracts = 60_000
    assert c.account.unrealised_pnl == pytest.approx(contracts * (1 / 50_000 - 1 / 60_000) * 60_000)


def test_debts_count_in_full_and_loans_at_market():
    c = compare(
        book([Position("BTC", -0.5)], ("ETH", 20), ("USD", -1000)),
        MARKET,
        settings=Settings(haircuts=(("ETH", 0.2),), collateral_treatment="haircut"),
    )
    assert c.account.equity == pytest.approx(20 * 3000 * 0.8 - 1000 - 30_000)


def test_the_default_haircut_is_the_dynamic_one_of_that_size():
    worst = np.sort(MARKET.returns(["BTC"], None, 2, 500).values[:, 0])[:5]
    c = compare(book([Position("ETH/USDC:USDC", 1)], ("BTC", 2)), MARKET)
    line = c.account.collateral[0]
    expected = haircut(MARKET, "BTC", 120_000.0)
    assert line.haircut == expected.total
    assert expected.tail == pytest.approx(-worst.mean())
    assert line.source == describe(expected)


def test_collateral_with_too_little_history_counts_for_nothing_and_says_so():
    young = FRAME.assign(NEW=FRAME["BTC"].where(np.arange(len(FRAME)) >= len(FRAME) - 20))
    c = compare(book([Position("ETH/USDC:USDC", 1)], ("NEW", 1)), young)
    assert c.account.collateral_value == 0.0
    assert "nothing counts" in c.account.collateral[0].source
    assert "are needed" in c.account.collateral[0].source
    assert c.account.equity == 0.0, "jointly neither"
    assert c.account.requirement == c.portfolio and c.scenarios == 500


def test_a_debt_has_no_haircut():
    c = compare(book([Position("ETH/USDC:USDC", 1)], ("BTC", -1)), MARKET)
    assert (c.account.collateral[0].haircut, c.account.collateral_value) == (0.0, -60_000.0)


def test_joint_treatment_lets_coins_hedge_a_short_in_the_same_coin():
    held = book([Position("BTC/USDT:USDT", -1)], ("BTC", 1))
    haircut = compare(held, MARKET, settings=Settings(collateral_treatment="haircut"))
    joint = compare(held, MARKET)  # the default where coins are held
    assert joint.account.collateral_hedges == pytest.approx(joint.portfolio)
    assert haircut.account.requirement == haircut.portfolio > 0
    assert joint.account.requirement == pytest.approx(0, abs=1e-6)
    assert joint.account.equity == pytest.approx(60_000)


def test_joint_treatment_shows_wrong_way_collateral():
    right = compare(
        book([Position("BTC/USDT:USDT", -1)], ("BTC", 0.5)), MARKET, settings=Settings(collateral_treatment="joint")
    )
    wrong = compare(
        book([Position("BTC/USDT:USDT", 1)], ("BTC", 0.5)), MARKET, settings=Settings(collateral_treatment="joint")
    )
    assert right.account.requirement < right.portfolio
    assert wrong.account.requirement > wrong.portfolio


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_joint_margin_is_the_margin_of_a_book_that_holds_the_collateral(estimator):
    """Collateral under the same scenarios is a spot position; by the estimator chosen, not always history."""
    chosen = Settings(collateral_treatment="joint", estimator=estimator)
    held = book([Position("ETH/USDT:USDT", -10)], ("BTC", 0.5), ("USD", 1000))
    as_positions = book([Position("ETH/USDT:USDT", -10), Position("BTC/USDC:USDC", 0.5)])
    joint = compare(held, MARKET, settings=chosen).account.requirement
    assert joint == pytest.approx(compare(as_positions, MARKET, settings=chosen).portfolio, rel=1e-12)


@pytest.mark.parametrize("estimator", ["historical", "gaussian"])
def test_a_hedge_of_three_legs_needs_nothing_and_has_no_health(estimator):
    """0.1 + 0.2 - 0.3 is 5e-17 in floating point; a health of 1e15 would be nonsense."""
    legs = [
        Position("BTC/USD", 0.1, paid=False),
        Position("BTC/USDT:USDT", 0.2),
        Position("BTC/USD:BTC", -18_000),
    ]
    c = compare(book(legs, ("USD", 1000)), MARKET, estimator=estimator)
    assert c.portfolio == c.netted == 0.0
    assert c.account.health is None
    assert [p.share for p in c.positions] == [None] * 3
    assert sum(p.contribution for p in c.positions) == 0.0


def test_collateral_without_a_price_is_an_error():
    with pytest.raises(InputError, match="DOGE"):
        compare(book([Position("BTC/USDC:USDC", 1)], ("DOGE", 5)), MARKET)


def test_a_bankrupt_account_has_no_leverage():
    c = compare(book([Position("BTC/USDT:USDT", 1, entry_price=90_000)], ("USD", 100)), MARKET)
    assert c.account.equity < 0
    assert c.account.effective_leverage is None
    assert any("bankrupt" in note for note in c.notes)


@settings(max_examples=40, deadline=None)
@given(books(), st.floats(0.005, 0.5))
def test_equal_risk_curves_are_the_empirical_exhaustion_probabilities(positions, probability):
    c = compare(positions, MARKET)
    curve = equal_risk(c)
    isolated, pooled = curve.capital(probability)
    shares = np.array([p.standalone for p in c.positions]) / c.isolated
    alone = np.mean((c.losses > isolated * shares * (1 + 1e-12)).any(axis=1))
    pool = np.mean(c.losses.sum(axis=1) > pooled * (1 + 1e-12))
    assert alone <= probability + 1e-12
    assert pool <= probability + 1e-12
    assert isolated >= pooled * (1 - 1e-9)
    if isolated > 0:
        tighter = np.mean((c.losses > isolated * (1 - 1e-6) * shares).any(axis=1))
        assert tighter > probability - 1e-9


def test_equal_risk_probability_inverts_capital():
    curve = equal_risk(compare(book([Position("BTC/USDC:USDC", 1), Position("ETH/USDC:USDC", -15)]), MARKET))
    for p in (0.01, 0.05, 0.2):
        isolated, pooled = curve.capital(p)
        assert curve.probability(isolated)[0] == pytest.approx(p, abs=1 / 500)
        assert curve.probability(pooled)[1] == pytest.approx(p, abs=1 / 500)
    with pytest.raises(InputError):
        curve.capital(0.0)


def test_freed_capital_earns_five_percent_a_year_unless_told():
    c = compare(Portfolio((Position("BTC/USDT:USDT", 1), Position("ETH/USDT:USDT", -20))), Market(market_frame()))
    assert freed_capital(c).yearly_yield == pytest.approx(0.05 * (c.isolated - c.portfolio))


def test_freed_capital_by_hand():
    c = compare(book([Position("BTC/USDC:USDC", 1), Position("ETH/USDC:USDC", -15)]), MARKET)
    uses = freed_capital(c, 0.05, 0.2, 2.0)
    assert uses.freed == c.saved
    assert uses.yearly_yield == pytest.approx(0.05 * c.saved)
    scaled = compare(
        Portfolio(
            tuple(
                p
                for p in book(
                    [Position("BTC/USDC:USDC", uses.scale), Position("ETH/USDC:USDC", -15 * uses.scale)]
                ).positions
            )
        ),
        MARKET,
    )
    assert scaled.portfolio == pytest.approx(c.isolated)
    assert uses.extra_exposure == pytest.approx(105_000 * (uses.scale - 1))
    assert uses.spread_pooled_bps == pytest.approx(1e4 * c.portfolio * 0.2 / (105_000 * 2 * 365))
    with pytest.raises(InputError):
        freed_capital(c, daily_turnover=0)


def test_a_book_without_margin_has_no_size_limit():
    c = compare(book([Position("BTC/USDC:USDC", 1), Position("BTC/USDT:USDT", -1)]), MARKET)
    assert freed_capital(c).scale is None


@pytest.mark.parametrize("estimator", ["historical", "gaussian"])
def test_owned_spot_is_collateral_wherever_it_is_entered(estimator):
    """1.2 BTC among the positions and 1.2 BTC as collateral: the same equity, requirement and health."""
    short = Position("BTC/USDT:USDT", -1, 61_000)
    among = compare(book([short, Position("BTC/USD", 1.2, 50_000)]), MARKET, estimator=estimator)
    beside = compare(book([short], ("BTC", 1.2)), MARKET, estimator=estimator)
    assert among.to_dict() == beside.to_dict()
    assert among.account.equity == pytest.approx(1.2 * 60_000 + 1_000)
    assert [p.symbol for p in among.positions] == ["BTC/USDT:USDT"]


def test_spot_owned_alone_needs_no_margin_and_borrowed_spot_owes_its_cost():
    own = compare(book([Position("BTC/USD", 1.2)]), MARKET)
    assert (own.isolated, own.netted, own.portfolio, own.safeguarded) == (0, 0, 0, 0)
    assert own.positions == ()
    assert own.account.equity == pytest.approx(72_000)
    owed = compare(book([Position("BTC/USD", 1.2, 50_000, paid=False)], ("USD", 100)), MARKET)
    assert owed.portfolio > 0
    assert owed.account.equity == pytest.approx(100 + 12_000, rel=0.01)


def test_inverse_needs_the_margin_of_its_face():
    """100,000 dollars of face, entered where the price is, move like 100,000 dollars of coins."""
    face = compare(book([Position("BTC/USD:BTC", 60_000)]), MARKET)
    coin = compare(book([Position("BTC/USDT:USDT", 1)]), MARKET)
    assert face.portfolio == pytest.approx(coin.portfolio)
    from_half = compare(book([Position("BTC/USD:BTC", 60_000, 30_000)]), MARKET)
    assert from_half.portfolio == pytest.approx(2 * coin.portfolio)  # N (P / E) R
    assert from_half.account.unrealised_pnl == pytest.approx(60_000)


def test_the_safeguarded_scale_is_the_book_that_asks_what_isolated_margin_asks_today():
    frame = market_frame()
    market = Market(frame, 0 * frame + 2e8)
    rows = (Position("BTC/USDT:USDT", 1), Position("ETH/USDT:USDT", -20))
    c = compare(Portfolio(rows), market)
    scale = freed_capital(c, safeguarded=True).scale
    larger = compare(Portfolio(tuple(replace(p, quantity=scale * p.quantity) for p in rows)), market)
    assert scale > 1 and larger.safeguarded == pytest.approx(c.isolated, rel=1e-6)
