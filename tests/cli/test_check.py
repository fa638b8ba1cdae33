"""`python -m margin check` as a script would call it."""

import json

import pytest

from margin.cli.main import main

ACCOUNT = {
    "name": "main", "venue": "hyperliquid", "mode": "cross", "as_of": "2026-11-26T10:00:00Z",
    "positions": [
        {"symbol": "ETH/USDC:USDC", "quantity": 2.7, "entry_price": 2332.2, "leverage": 25, "mark_price": 4175.5}
    ],
    "collateral": [{"asset": "USDC", "quantity": 1890.99}],
    "venue_says": {"equity": 6867.9, "initial": 450.95, "liquidation_prices": {"ETH/USDC:USDC": 1665.14}},
}  # fmt: skip


@pytest.fixture
def run(capsys, tmp_path):
    def run(data, *more):
        path = tmp_path / "account.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        status = main(["check", str(path), *more])
        return status, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    "form",
    [ACCOUNT, {"version": 2, **ACCOUNT}, [ACCOUNT], {"version": 2, "name": "mine", "accounts": [ACCOUNT]}],
    ids=["one account", "with its version", "a list of one", "a portfolio"],
)
def test_every_form_of_one_account_gives_the_same(run, form):
    status, out, err = run(form, "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert (found["matched"], found["compared"]) == (3, 3)
    assert found["equity"]["difference"] == pytest.approx(0.0, abs=1e-6)
    assert set(found["equity"]) >= {"ours", "venue", "difference"}
    assert found["liquidation_prices"]["ETH/USDC:USDC"]["ours"] == pytest.approx(1665.1361, abs=1e-3)
    assert isinstance(found["notes"], list)


def test_several_accounts_are_judged_one_by_one(run):
    other = {**ACCOUNT, "name": "second", "venue_says": {"equity": 1.0}}
    found = json.loads(run([ACCOUNT, other], "--json")[1])
    assert [a["name"] for a in found["accounts"]] == ["main", "second"]
    assert (found["matched"], found["compared"]) == (3, 4)
    assert "second: hyperliquid:cross, 0 of 1 figures match" in run([ACCOUNT, other])[1]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"venue": "hyperlicuid"}, "hyperliquid"),
        ({"venue": None}, "venue"),
        ({"mode": "crossed"}, "mode"),
        ({"venue_says": {"equty": 1.0}}, "equity"),
        ({"venue_says": {}}, "venue_says"),
        ({"venue_says": {"liquidation_prices": {"SOL/USDC:USDC": 1.0}}}, "SOL/USDC:USDC"),
        ({"positions": [{"symbol": "ETH/USDC:USDC", "qty": 1}]}, "qty"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"positions": [{"symbol": "ETH/USDC:USDC", "quantity": 1.0}]}, "ETH"),
        ({"version": 1}, "version"),
    ],
)
def test_bad_input_is_one_line_that_names_it(run, change, named):
    status, out, err = run({**ACCOUNT, **change})
    assert (status, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1
    assert named in err


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1", '{"venue": "okx"}', '{"version": 2, "accounts": []}'])
def test_what_is_no_account_is_refused(run, text):
    status, out, err = run(text)
    assert (status, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1


def test_settings_model_and_as_of(run):
    status, out, _ = run(ACCOUNT, "--model", "binance:cross", "--as-of", "2026-11-01")
    assert status == 0 and "binance:cross" in out
    assert run(ACCOUNT, "--set", "taker_fee=0.1")[0] == 2
    assert run(ACCOUNT, "--set", "taker_fee")[0] == 2
    assert run(ACCOUNT, "--model", "portfolio")[0] == 2
    assert run(ACCOUNT, "--model", "nothing:cross")[0] == 2


def test_a_venue_s_own_answers_are_judged_as_they_are(run):
    """Source of the figures: Hyperliquid's documented clearinghouseState; dYdX as ccxt 4.5.90 documents fetchBalance."""
    hyperliquid = {
        "assetPositions": [
            {
                "type": "oneWay",
                "position": {
                    "coin": "ETH", "szi": "0.0335", "entryPx": "2986.3", "positionValue": "100.02765",
                    "leverage": {"type": "isolated", "value": 20, "rawUsd": "-95.059824"}, "maxLeverage": 50,
                    "liquidationPx": "2866.26936529", "marginUsed": "4.967826", "unrealizedPnl": "-0.0134",
                },
            }
        ],
        "crossMaintenanceMarginUsed": "0.0",
        "crossMarginSummary": {
            "accountValue": "13104.514502", "totalMarginUsed": "0.0", "totalNtlPos": "0.0", "totalRawUsd": "13104.514502"
        },
        "marginSummary": {
            "accountValue": "13109.482328", "totalMarginUsed": "4.967826", "totalNtlPos": "100.02765",
            "totalRawUsd": "13009.454678",
        },
        "time": 1708622398623,
        "withdrawable": "13104.514502",
    }  # fmt: skip
    found = json.loads(run(hyperliquid, "--json")[1])
    assert found["liquidation_prices"]["ETH/USDC:USDC"]["matched"]
    assert found["matched"] == found["compared"] >= 3
    dydx = {
        "subaccount": {
            "subaccountNumber": 0, "equity": "161451.040416029", "freeCollateral": "152508.28819133577",
            "openPerpetualPositions": {
                "ETH-USD": {"market": "ETH-USD", "status": "OPEN", "side": "LONG", "size": "0.001", "entryPrice": "3894.7",
                            "unrealizedPnl": "-0.044675155"},
                "BTC-USD": {"market": "BTC-USD", "status": "OPEN", "side": "SHORT", "size": "-4.1368",
                            "entryPrice": "112196.87848803433", "unrealizedPnl": "17002.2857196"},
            },
            "assetPositions": {"USDC": {"size": "608584.8424840", "side": "LONG", "symbol": "USDC"}},
        }
    }  # fmt: skip
    found = json.loads(run(dydx, "--json")[1])
    assert found["free"]["matched"] and found["equity"]["matched"]
