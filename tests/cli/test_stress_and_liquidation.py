"""`python -m margin stress` and `liquidation` as a script would call them: any model, own moves, paths, one-line errors."""

import json

import pandas as pd
import pytest

from margin.cli.main import main
from tests.ladder.books import market_frame

FRAME = market_frame()


@pytest.fixture
def files(tmp_path):
    FRAME.to_csv(tmp_path / "prices.csv", index_label="date")
    held = {
        "version": 2,
        "accounts": [
            {
                "venue": "hyperliquid",
                "positions": [{"symbol": "BTC/USDC:USDC", "quantity": 1.0, "entry_price": 60000.0}],
                "collateral": [{"asset": "USDC", "quantity": 6000.0}],
            }
        ],
    }
    (tmp_path / "p.json").write_text(json.dumps(held))
    return ["--portfolio", str(tmp_path / "p.json"), "--prices", str(tmp_path / "prices.csv")]


def printed(capsys, *arguments):
    status = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def answer(capsys, *arguments):
    status, out, err = printed(capsys, *arguments, "--json")
    assert status == 0, err
    return json.loads(out)


def test_the_accounts_own_venue_judges_unless_a_model_is_named(capsys, files):
    own = answer(capsys, "stress", *files, "--move", "BTC=-5%")
    assert own["models"] == ["hyperliquid:cross"]
    assert own["equity"] == pytest.approx(6000.0)
    assert own["maintenance"] == pytest.approx(750.0)
    assert own["shock"]["change"] == pytest.approx(-3000.0)
    assert own["shock"]["health"] == pytest.approx(3000 / (0.0125 * 57_000))
    assert not own["shock"]["liquidated"]
    ours = answer(capsys, "stress", *files, "--move", "BTC=-0.05", "--model", "portfolio")
    assert ours["models"] == ["portfolio"]
    assert ours["shock"]["change"] == own["shock"]["change"]
    assert ours["maintenance"] > own["maintenance"]


def test_liquidation_prices_are_the_venues_closed_form(capsys, files):
    """6000 + q (P - E) = 1.25% of P: at 40x, 54,683.54."""
    found = answer(capsys, "liquidation", *files)
    (price,) = [row for row in found["liquidation_prices"] if row["asset"] == "BTC" and not row["alone"]]
    assert price["below"] == pytest.approx(54_000 / 0.9875, rel=1e-9)
    assert price["above"] is None
    assert found["path"] is None, "the prices end at the as-of"


def test_would_it_have_been_liquidated_and_on_which_day(capsys, files):
    table = FRAME["BTC"]
    start = 300
    path = table.iloc[start - 1 : start + 30] / table.iloc[start - 1]
    equity, need = 6000 + 60_000 * (path - 1), 0.0125 * 60_000 * path
    hit = (equity < need).to_numpy()
    found = answer(capsys, "liquidation", *files, "--start", str(table.index[start])[:10], "--days", 30)
    closed = found["path"]["held"][0]["closed"]
    assert hit.any()
    assert closed == {"day": str(path.index[int(hit.argmax())])[:10], "when": "at the close"}
    assert found["closing"]["held"]["liquidated"]
    assert found["closing"]["held"]["log"][0]["kind"] == "margin call"


def test_recorded_funding_is_paid_along_the_followed_days(capsys, files, tmp_path):
    start = FRAME.index[300]
    times = pd.date_range(start, periods=9, freq="8h") + pd.Timedelta(hours=8)  # three days of three payments
    pd.DataFrame({"BTC": 0.0001}, index=times).to_csv(tmp_path / "paid.csv", index_label="date")
    asked = ("liquidation", *files, "--start", str(start)[:10], "--days", 3)
    closes = FRAME["BTC"].iloc[299:302] / FRAME["BTC"].iloc[299] * 60_000
    found, without = answer(capsys, *asked, "--funding", tmp_path / "paid.csv"), answer(capsys, *asked)
    assert found["path"]["funding"] == pytest.approx(0.0003 * closes.sum(), rel=1e-9)
    (account,) = found["closing"]["held"]["accounts"]
    assert account["funding"] == pytest.approx(found["path"]["funding"], rel=1e-9)
    assert without["closing"]["held"]["final"] - found["closing"]["held"]["final"] == pytest.approx(account["funding"])
    assert main(["liquidation", *map(str, files), "--funding", "0.001"]) == 2
    assert "is paid along a path" in capsys.readouterr().err


def test_followed_from_its_own_day_it_is_the_account_of_that_day(capsys, files):
    found = answer(capsys, "liquidation", *files, "--as-of", str(FRAME.index[400])[:10], "--days", 10)
    assert found["path"]["first_day"] == str(FRAME.index[400])[:10]
    assert found["path"]["days"] == 10


def test_highs_and_lows_of_a_file_are_looked_at_and_named(capsys, files, tmp_path):
    frame = FRAME[["BTC"]].assign(BTC_high=FRAME["BTC"] * 1.01, BTC_low=FRAME["BTC"] * 0.85)
    frame.to_csv(tmp_path / "fine.csv", index_label="date")
    named = [*files[:2], "--prices", tmp_path / "fine.csv"]
    found = answer(capsys, "liquidation", *named, "--start", str(FRAME.index[300])[:10], "--days", 5)
    assert found["path"]["intraday"] == ["BTC"]
    assert found["path"]["held"][0]["closed"]["when"] == "within the day"
    assert "adverse high or low of BTC" in printed(capsys, "stress", *named, "--start", str(FRAME.index[300])[:10])[1]


def test_events_say_what_was_not_recorded(capsys):
    text = printed(capsys, "stress", "--sample")[1]
    assert "SOL by beta" in text
    off = answer(capsys, "stress", "--sample", "--no-beta")
    early = next(e for e in off["events"] if e["name"] == "Black Thursday")
    assert (early["not_recorded"], early["by_beta"]) == (["SOL"], {})
    assert off["prices"].startswith("bundled sample")


def test_a_dead_account_is_said_to_be_dead(capsys, tmp_path):
    FRAME.to_csv(tmp_path / "prices.csv", index_label="date")
    dead = {"version": 1, "positions": [{"symbol": "BTC/USDT:USDT", "quantity": 10, "entry_price": 130000}]}
    (tmp_path / "p.json").write_text(json.dumps(dead | {"collateral": [{"asset": "USD", "quantity": 10000}]}))
    named = ["--portfolio", tmp_path / "p.json", "--prices", tmp_path / "prices.csv"]
    found = answer(capsys, "stress", *named)
    assert found["equity"] == pytest.approx(10_000 - 10 * 70_000)
    assert found["dead"] == ["the pool"]
    assert not found["assumed_deposit"]
    assert "liquidated before anything moves" in printed(capsys, "liquidation", *named)[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("stress", "--sample", "--model", "hyperlquid:cross"), "hyperliquid:cross"),
        (("stress", "--sample", "--move", "BTC"), "ASSET=MOVE"),
        (("stress", "--sample", "--move", "BTC=lots"), "lots"),
        (("stress", "--sample", "--move", "BTC=-150%"), "BTC"),
        (("stress", "--sample", "--start", "1999-01-01"), "start"),
        (("liquidation", "--sample", "--start", "2022-05-01", "--days", "0"), "days"),
        (("liquidation",), "--portfolio"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, said):
    status, _, err = printed(capsys, *arguments)
    assert status == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err


def test_the_json_has_no_nan_whatever_the_model(capsys):
    for key in ("portfolio", "okx:cross", "deribit:portfolio"):
        for command in ("stress", "liquidation"):
            out = printed(capsys, command, "--sample", "--model", key, "--json")[1]
            assert "NaN" not in out
            assert "Infinity" not in out
