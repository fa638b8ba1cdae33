"""The haircut through time: each date's own figure, the drop that followed by hand, exceedances counted."""

import numpy as np
import pytest

from margin import InputError, Market
from margin.haircut.history import haircut_history
from margin.haircut.model import COMPONENTS, haircut
from margin.haircut.settings import HaircutSettings
from tests.correlation.worlds import frame
from tests.support import shared_path

FRAME = frame(n=1300)
VOLUMES = FRAME.notna() * 2e7
MARKET = Market(FRAME, VOLUMES)
PLAIN = HaircutSettings(buffer_share=0.0, stress_weight=0.0, floor_share=0.0, minimum=0.0, impact_factor=0.0)


def test_each_date_has_the_haircut_of_that_date_and_the_drop_that_followed():
    found = haircut_history(MARKET, "BTC", size_usd=1e6, every=13)
    closes = FRAME["BTC"]
    for i, date in enumerate(found.dates):
        single = haircut(MARKET, "BTC", 1e6, date)
        assert found.totals[i] == single.total
        assert list(found.parts[i]) == [single.parts[name] for name in COMPONENTS]
        row = closes.index.get_loc(date)
        after = closes.iloc[row + 1 : row + 1 + int(np.ceil(single.horizon_days))]
        if row + int(np.ceil(single.horizon_days)) < len(closes):
            assert found.drops[i] == pytest.approx(1 - after.iloc[-1] / closes.iloc[row])
            assert found.worst_drops[i] == pytest.approx(1 - after.min() / closes.iloc[row])
        else:
            assert np.isnan(found.drops[i])
    assert found.exceedances == sum(d > h for d, h in zip(found.drops, found.totals, strict=True))
    assert found.known == np.isfinite(found.drops).sum() < len(found.dates)


def test_an_expected_shortfall_is_exceeded_less_often_than_its_level_allows():
    found = haircut_history(MARKET, "BTC", settings=PLAIN, every=1)
    assert 0 < found.exceedances / found.known <= 1.6 * found.allowed
    assert found.largest_shortfall == pytest.approx(max(found.drops[:-2] - found.totals[:-2]))


def test_later_prices_change_no_earlier_haircut_but_the_drop():
    changed = FRAME.copy()
    changed.iloc[1001:] *= 0.2
    dates = FRAME.index[900:1001:20]
    before = haircut_history(MARKET, "BTC", dates)
    after = haircut_history(Market(changed, VOLUMES), "BTC", dates)
    np.testing.assert_array_equal(before.totals, after.totals)
    assert after.drops[-1] > 0.7
    assert after.exceeded[-1]


def test_dates_without_a_haircut_are_named():
    found = haircut_history(MARKET, "NEW", [FRAME.index[100], FRAME.index[1200]])
    assert len(found.dates) == 1
    assert list(found.missing) == [str(FRAME.index[100].date())]
    with pytest.raises(InputError, match="none can be computed"):
        haircut_history(MARKET, "NEW", [FRAME.index[100]])


def test_recorded_prices():
    import pandas as pd

    closes = pd.read_csv(shared_path("market/daily_closes.csv"))
    market = Market(closes[["date", "BTC", "ETH"]])
    for asset in ("BTC", "ETH"):
        found = haircut_history(market, asset, every=1)
        assert found.known > 1000
        assert found.exceedances / found.known < found.allowed, "buffer, stress and floor leave it below 1%"
        crash = haircut(market, asset, as_of="2020-03-11")
        assert 0.05 < crash.total < 0.6
