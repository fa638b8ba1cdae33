"""Haircuts: a slow twin in pandas and loops, properties, tiers, bad input, no look-ahead."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from margin import InputError, Market
from margin.haircut.model import COMPONENTS, OrderBook, dynamic_haircuts, haircut, haircut_curve
from margin.haircut.settings import TAILS, HaircutSettings, described
from margin.haircut.tiers import Tier, tier_table, tiered_haircut
from tests.correlation.worlds import frame
from tests.support import shared_path

FRAME = frame(n=1300)
FRAME["USDT"] = 1 - 0.002 * np.abs(np.sin(np.arange(1300)))
FRAME.iloc[700, FRAME.columns.get_loc("USDT")] = 0.9
VOLUMES = FRAME.notna() * 2e7
MARKET = Market(FRAME, VOLUMES)
FOUR_DAYS = pd.Timedelta(days=4)
ASSETS = ["BTC", "ETH", "NEW", "GAP", "SPY", "USDC", "USDT"]


def tail_mean(losses, level):
    """Mean of the worst (1 - level) share, the last one counted in part."""
    worst = np.sort(losses)[::-1]
    mass = len(worst) * (1 - level)
    whole = int(np.floor(mass + 1e-9))
    if whole == 0:
        return worst[0]
    return (worst[:whole].sum() + (mass - whole) * (worst[whole] if whole < len(worst) else 0.0)) / mass


def slow_haircut(asset, size, as_of, s, table=FRAME):
    """From the sentences of docs/haircuts.md, with pandas and loops; 20 million dollars traded a day."""
    closes = table[asset].dropna()[:as_of]
    steps = closes.index.to_series().diff()

    def over(days):
        whole = (i for i in range(days, len(closes)) if (steps.iloc[i - days + 1 : i + 1] <= FOUR_DAYS).all())
        return pd.Series({closes.index[i]: 1 - closes.iloc[i] / closes.iloc[i - days] for i in whole})

    daily, losses = -over(1), over(s.wait)
    variance, path = (daily[:30] ** 2).mean(), []
    for r in daily:
        path.append(np.sqrt(variance))
        variance = s.ewma_lambda * variance + (1 - s.ewma_lambda) * r**2
    now = np.sqrt(variance)
    if s.tail == "filtered":
        before = pd.Series(path, index=daily.index)
        first_step = [daily.index[max(daily.index.get_loc(d) - s.wait + 1, 0)] for d in losses.index]
        known = before[first_step].to_numpy()
        scaled = losses * np.where(known > 0, now / np.where(known > 0, known, 1.0), 1.0)  # a still price stays still
        tail = tail_mean(scaled[-s.lookback :], s.level)
    elif s.tail == "ewma":
        from scipy import integrate, stats

        t = stats.t(s.degrees_of_freedom, scale=np.sqrt((s.degrees_of_freedom - 2) / s.degrees_of_freedom))
        factor = integrate.quad(lambda x: x * t.pdf(x), t.ppf(s.level), np.inf)[0] / (1 - s.level)
        tail = factor * now * np.sqrt(s.wait)
    else:
        tail = tail_mean(losses[-s.lookback :], s.level)
    windows = [losses[i : i + s.lookback] for i in range(0, len(losses) - s.lookback + 1, 5)]
    long_run = max(tail_mean(losses[-s.long_run :], s.level), 0)
    stressed = max(max(tail_mean(w, s.level), 0) for w in windows) if windows else long_run
    volume = 2e7
    selling = size / (s.participation * volume)
    stretch = np.sqrt((s.wait + selling * (1 if s.liquidation == "block" else 1 / 3)) / s.wait)
    tail = min(max(tail, 0) * stretch, 1)
    stress = max(s.stress_weight * (min(stressed * stretch, 1) - tail), 0)
    stable = asset in ("USDC", "USDT")
    depeg = 0.0
    if stable:
        below = (1 - closes).clip(lower=0)
        depeg = max(max(tail_mean(below[-s.long_run :], s.level), s.depeg_weight * below.max()) - tail - stress, 0)
    impact = min(s.impact_factor * now * np.sqrt(size / volume), 1)
    long_vol = np.sqrt((daily[-s.long_run :] ** 2).mean())
    left = 1.0 if long_vol == 0 else min(max((s.buffer_used_at - now / long_vol) / (s.buffer_used_at - 1), 0), 1)
    buffer = s.buffer_share * tail * left
    floor = max(s.stable_minimum if stable else s.minimum, min(s.floor_share * long_run * stretch, 1))
    total = min(max(floor, tail + stress + depeg + impact + buffer), 1)
    return {
        "tail": tail, "stress": stress, "depeg": depeg, "impact": impact, "buffer": buffer, "floor": floor,
        "total": total, "horizon_days": s.wait + selling,
    }  # fmt: skip


CASES = [
    HaircutSettings(),
    HaircutSettings(tail="filtered", wait=3, level=0.975),
    HaircutSettings(tail="ewma", wait=1, liquidation="block", stress_weight=1.0, buffer_share=0.0),
    HaircutSettings(lookback=2000, long_run=300, floor_share=0.0, impact_factor=3.0, participation=0.02),
]


@pytest.mark.parametrize("s", CASES, ids=range(len(CASES)))
@pytest.mark.parametrize("asset", ASSETS)
def test_every_component_equals_the_slow_twin(asset, s):
    for as_of, size in (("2024-12-30", 0.0), ("2024-09-27", 3e6)):
        got = haircut(MARKET, asset, size, as_of, s)
        for name, value in slow_haircut(asset, size, as_of, s).items():
            assert getattr(got, name) == pytest.approx(value, rel=1e-9, abs=1e-12), name
        assert got.as_of == FRAME[asset].dropna()[:as_of].index[-1]


@pytest.mark.parametrize("asset", ["BTC", "ETH", "SOL", "XRP"])
@pytest.mark.parametrize("tail", TAILS)
def test_recorded_prices_equal_the_slow_twin(asset, tail):
    table = pd.read_csv(shared_path("market/daily_closes.csv"), index_col="date", parse_dates=True)[[asset]]
    market, s = Market(table, table.notna() * 2e7), HaircutSettings(tail=tail)
    for as_of in ("2022-11-09", "2025-10-12"):
        got = haircut(market, asset, 5e6, as_of, s)
        for name, value in slow_haircut(asset, 5e6, as_of, s, table).items():
            assert getattr(got, name) == pytest.approx(value, rel=1e-9, abs=1e-12), name


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(ASSETS),
    st.floats(0, 1e10),
    st.sampled_from(TAILS),
    st.floats(0.9, 0.999),
    st.integers(1, 10),
    st.integers(800, 1299),
)
def test_a_haircut_is_a_fraction_and_its_parts_add_up(asset, size, tail, level, wait, day):
    s = HaircutSettings(tail=tail, level=level, wait=wait)
    as_of = FRAME[asset].dropna().index[-1] if asset != "NEW" and day % 3 == 0 else FRAME.index[day]
    try:
        got = haircut(MARKET, asset, size, as_of, s)
    except InputError as error:
        assert asset == "NEW"
        assert "are needed" in str(error)
        return
    assert 0 <= got.total <= 1
    assert got.total >= min(got.floor, 1)
    assert list(got.parts) == list(COMPONENTS)
    assert all(part >= 0 for part in got.parts.values())
    assert sum(got.parts.values()) == pytest.approx(got.total, abs=1e-12)
    assert got.counted_usd == pytest.approx(size * (1 - got.total))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ASSETS), st.lists(st.floats(0, 1e10), min_size=2, max_size=6), st.sampled_from(TAILS))
def test_it_rises_with_size(asset, sizes, tail):
    curve = haircut_curve(MARKET, asset, sorted(sizes), settings=HaircutSettings(tail=tail))
    assert all(b.total >= a.total - 1e-12 for a, b in pairwise(curve))
    assert [h.total for h in curve] == [
        haircut(MARKET, asset, s, settings=HaircutSettings(tail=tail)).total for s in sorted(sizes)
    ]


@pytest.mark.parametrize("tail", TAILS)
def test_it_rises_with_volatility_level_and_illiquidity(tail):
    base = HaircutSettings(tail=tail)
    calm = FRAME[["BTC"]]
    wild = calm.copy()
    wild["BTC"] = 100 * np.cumprod(np.concatenate(([1.0], 1 + 1.5 * calm["BTC"].pct_change().to_numpy()[1:])))
    totals = [haircut(Market(f, f * 0 + 2e7), "BTC", 1e6, settings=base).total for f in (calm, wild)]
    assert totals[1] > 1.2 * totals[0]
    levels = [haircut(MARKET, "BTC", 1e6, settings=replace(base, level=p)).total for p in (0.95, 0.975, 0.99, 0.997)]
    assert levels == sorted(levels)
    assert levels[0] < levels[-1]
    thin = haircut(Market(FRAME, VOLUMES / 10), "BTC", 1e6, settings=base)
    thick = haircut(MARKET, "BTC", 1e6, settings=base)
    assert thin.total > thick.total
    assert thin.horizon_days > thick.horizon_days


def test_it_rises_with_the_waiting_time():
    for s in (HaircutSettings(tail="ewma"), HaircutSettings()):
        totals = [haircut(MARKET, "BTC", settings=replace(s, wait=days)).total for days in (1, 2, 5, 10)]
        assert totals == sorted(totals)
    ewma = [haircut(MARKET, "BTC", settings=HaircutSettings(tail="ewma", wait=d)).tail for d in (1, 4)]
    assert ewma[1] == pytest.approx(2 * ewma[0])


def test_block_sales_carry_three_times_the_extra_variance_of_even_ones():
    even, block = (
        haircut(MARKET, "BTC", 6e6, settings=HaircutSettings(liquidation=way)) for way in ("linear", "block")
    )
    assert even.horizon_days == block.horizon_days == pytest.approx(2 + 3)
    assert (block.effective_days - 2) == pytest.approx(3 * (even.effective_days - 2))


def test_the_buffer_is_used_up_when_volatility_rises():
    rng = np.random.default_rng(0)
    for jump, left in ((1.0, 1.0), (1.5, 2 - 1.5 / np.sqrt((1000 + 200 * 1.5**2) / 1200)), (4.0, 0.0)):
        moves = np.where(np.arange(1200) % 2 == 0, 0.02, -0.02) * (1 + 1e-6 * rng.standard_normal(1200))
        moves[-200:] *= jump
        table = pd.DataFrame({"BTC": 100 * np.cumprod(1 + moves)}, index=pd.date_range("2020-01-01", periods=1200))
        got = haircut(Market(table), "BTC")
        long_vol = np.sqrt((table["BTC"].pct_change() ** 2).mean())
        expected = min(max(2 - got.daily_vol / long_vol, 0), 1)
        assert got.buffer == pytest.approx(0.25 * got.tail * expected, rel=1e-6)
        assert expected == pytest.approx(left, abs=1e-3)


def test_dollars_and_stablecoins_without_prices():
    assert haircut(MARKET, "USD", 1e9).total == 0
    dai = haircut(MARKET, "DAI", 1e9)
    assert (dai.total, dai.binding) == (0.01, "floor")
    assert "No price history" in dai.notes[0]
    assert [h.total for h in haircut_curve(MARKET, "USD", [0, 5])] == [0, 0]


def test_a_depeg_seen_once_is_not_forgotten():
    got = haircut(MARKET, "USDT")
    assert got.tail + got.stress + got.depeg >= 0.25 * 0.1 - 1e-12
    without = haircut(MARKET, "USDT", settings=HaircutSettings(depeg_weight=0.0))
    assert without.total <= got.total
    before = haircut(MARKET, "USDT", as_of=FRAME.index[650])
    assert before.total < got.total


def test_without_volumes_size_is_not_priced_and_it_says_so():
    got = haircut(Market(FRAME), "BTC", 1e9)
    assert got.impact is None
    assert got.impact_source == "not computed"
    assert got.daily_volume is None
    assert "No traded volume" in got.notes[0]
    assert got.horizon_days == 2


def test_an_order_book_counts_where_it_is_dearer_or_asked_for():
    price = float(FRAME["BTC"].iloc[-1])
    steep = OrderBook(np.array([[price * 0.99, 100.0], [price * 0.7, 1e9]]), price)
    flat = OrderBook(np.array([[price * 0.99999, 1e9]]), price)
    law = haircut(MARKET, "BTC", 1e6)
    assert haircut(MARKET, "BTC", 1e6, order_book=steep).impact_source == "order book"
    assert haircut(MARKET, "BTC", 1e6, order_book=steep).impact > law.impact
    assert haircut(MARKET, "BTC", 1e6, order_book=flat).impact == law.impact
    asked = haircut(MARKET, "BTC", 1e6, settings=HaircutSettings(impact="book"), order_book=flat)
    assert asked.impact == pytest.approx(1e-5)
    thin = haircut(MARKET, "BTC", 1e6, order_book=OrderBook(np.array([[price, 10.0]]), price))
    assert thin.impact == law.impact
    assert f"holds ${10 * price:,.0f} of the $1,000,000" in thin.notes[0]


def test_many_assets_at_once():
    found = dynamic_haircuts(MARKET, [*ASSETS, "OLD", "DOGE", "USD"], None, {"BTC": 1e6})
    assert found["BTC"].total == haircut(MARKET, "BTC", 1e6).total
    assert found["ETH"].size_usd == 0
    assert set(found.missing) == {"OLD", "DOGE"}
    assert "days old" in found.missing["OLD"]
    assert len(list(found)) == len(ASSETS) + 1
    with pytest.raises(InputError, match="days old"):
        found["OLD"]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["BTC", "GAP", "USDT"]), st.integers(700, 1290), st.sampled_from(TAILS))
def test_later_prices_never_change_an_earlier_haircut(asset, day, tail):
    as_of, s = FRAME.index[day], HaircutSettings(tail=tail)
    later, volumes = FRAME.copy(), VOLUMES.astype(float)
    later.iloc[day + 1 :] *= 0.3
    volumes.iloc[day + 1 :] = 1.0
    cut = Market(FRAME.iloc[: day + 1], VOLUMES.iloc[: day + 1])
    expected = haircut(MARKET, asset, 1e6, as_of, s)
    for other in (Market(later, volumes), cut):
        assert haircut(other, asset, 1e6, as_of, s) == expected  # every field, bit for bit


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ASSETS), st.lists(st.floats(1e3, 1e10), min_size=2, max_size=7, unique=True))
def test_tiers_rise_and_give_back_the_curve(asset, edges):
    edges = [0.0, *sorted(edges)]
    assume(min(b / a for a, b in pairwise(edges[1:])) > 1 + 1e-6)  # closer ones are refused
    tiers = tier_table(MARKET, asset, edges)
    rates = [t.haircut for t in tiers]
    assert rates == sorted(rates)
    assert rates[-1] == 1
    for edge, h in zip(edges[1:], haircut_curve(MARKET, asset, edges[1:]), strict=True):
        assert tiered_haircut(tiers, edge) <= h.total + 1e-9  # the same, unless a slice would count for less than 0
        if max(rates[:-1]) < 1:
            assert tiered_haircut(tiers, edge) == pytest.approx(h.total, rel=1e-9)


def test_tiers_of_a_published_table():
    """Bybit's example of 2025-09-18: 25 coins at 2%, 5%, 10% by ten are worth 10 x .98 + 10 x .95 + 5 x .90 = 23.8."""
    tiers = [Tier(0, 10, 0.02), Tier(10, 20, 0.05), Tier(20, 30, 0.1), Tier(30, None, 1.0)]
    assert 25 * (1 - tiered_haircut(tiers, 25)) == pytest.approx(23.8)
    assert tiered_haircut(tiers, 0) == 0.02
    assert tiered_haircut(tiers[:3], 60) == pytest.approx(1 - (9.8 + 9.5 + 9.0) / 60)
    with pytest.raises(InputError):
        tiered_haircut(tiers, -1)


def test_every_parameter_is_described():
    rows = described(HaircutSettings(level=0.975))
    assert all(row["meaning"] and row["source"] for row in rows)
    changed = [row["name"] for row in rows if not row["default"]]
    assert changed == ["level"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tail", "guess"), ("level", 1.0), ("level", "x"), ("lookback", 10), ("lookback", 500.0), ("wait", 0),
        ("participation", 0.0), ("liquidation", "slow"), ("impact", "none"), ("buffer_used_at", 1.0),
        ("minimum", -0.1), ("stress_weight", float("nan")), ("ewma_lambda", True), ("degrees_of_freedom", 2.0),
    ],
)  # fmt: skip
def test_a_parameter_outside_its_limits_is_named(name, value):
    with pytest.raises(InputError, match=f"haircut.{name}"):
        HaircutSettings(**{name: value})


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: haircut(MARKET, "BTX"), "Did you mean"),
        (lambda: haircut(MARKET, "OLD"), "days old"),
        (lambda: haircut(MARKET, "BTC", -1.0), "size_usd"),
        (lambda: haircut(MARKET, "BTC", float("nan")), "size_usd"),
        (lambda: haircut(MARKET, "BTC", as_of="1999-01-01"), "no close by then"),
        (lambda: haircut(MARKET, "BTC", as_of=FRAME.index[20]), "are needed"),
        (lambda: haircut(MARKET, "BTC", as_of="yesterday"), "is not a date"),
        (lambda: tier_table(MARKET, "BTC", [1.0, 2.0]), "rise from 0"),
        (lambda: tier_table(MARKET, "BTC", [0.0, 2.0, 2.0]), "rise from 0"),
    ],
)
def test_bad_input_is_one_line(call, said):
    with pytest.raises(InputError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_what_has_no_history_has_a_haircut_without_parts():
    found = haircut(MARKET, "USD", 1e6)
    assert [found.total, found.tail, found.stress, found.depeg, found.impact, found.buffer] == [0.0] * 6
