"""`python -m margin hedge` as a script would call it."""

import json

import pytest

from margin.cli.hedge import trigger_of
from margin.cli.main import main
from margin.core.errors import InputError


def printed(capsys, *arguments):
    status = main(["hedge", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_the_contract_of_its_json(capsys):
    status, out, _ = printed(capsys, "--sample", "--json", "--as-of", "2025-10-10")
    found = json.loads(out)
    assert status == 0
    assert found["as_of"] == "2025-10-10"
    assert {"before", "after", "trades", "frontier", "floor", "alternatives", "venue", "tickets", "headline"} <= set(
        found
    )
    assert set(found["alternatives"]) == {"pro_rata", "cut", "hedge", "mix"}
    assert found["after"]["margin"] <= 0.7 * found["before"]["margin"] * (1 + 1e-8)
    cost = {"fee", "spread", "impact", "unwind", "funding", "total", "receipt"}
    assert all(set(t["cost"]) == cost and t["freed_per_dollar"] > 0 for t in found["trades"])
    assert [t["order"]["symbol"] for t in found["tickets"]] == [t["symbol"] for t in found["trades"]]
    margins = [p["margin"] for p in found["frontier"]]
    assert margins[0] == found["before"]["margin"] and margins == sorted(margins, reverse=True)


@pytest.mark.parametrize("target", ["-30%", "30%"])
def test_a_share_may_be_written_with_its_sign(capsys, target):
    found = json.loads(printed(capsys, "--sample", "--json", "--target", target)[1])
    assert found["target"] == pytest.approx(0.7 * found["before"]["margin"])


def test_a_venue_is_asked_first_whether_a_hedge_counts(capsys):
    found = json.loads(printed(capsys, "--sample", "--json", "--model", "hyperliquid:cross")[1])
    assert found["model"] == "hyperliquid:cross"
    assert found["venue"]["frees"] is False
    assert not found["proven_optimal"]
    assert "no credit" in printed(capsys, "--sample", "--model", "hyperliquid:cross")[1]


def test_odds_are_met(capsys, tmp_path):
    book = tmp_path / "p.json"
    book.write_text(
        '{"version": 1, "positions": [{"symbol": "SOL/USDT:USDT", "quantity": 200}], "collateral": [{"asset": "USDC", "quantity": 2500}]}'
    )
    asked = ("--sample", "--portfolio", str(book), "--json")
    before = json.loads(printed(capsys, *asked)[1])["before"]["odds"]
    assert before > 0.05
    found = json.loads(printed(capsys, *asked, "--odds", "5%")[1])
    assert found["after"]["odds"] <= 0.05 < found["before"]["odds"]
    bought = [(p["cost"], p["odds"]) for p in found["odds_frontier"]]
    assert bought[0] == (0.0, before) and bought == sorted(bought, key=lambda p: -p[1]) == sorted(bought)
    assert "odds within 7 days" in printed(capsys, *asked[:-1], "--odds", "5%")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sample", "--target", "lots"), "--target"),
        (("--sample", "--target", "-30%", "--budget", "5"), "one of the three"),
        (("--sample", "--odds", "5%"), "met already"),
        (("--sample", "--model", "nowhere"), "margin model"),
        (("--sample", "--keep", "DOGE"), "is not held"),
        (("--sample", "--max-trades", "9"), "1, 2 or 3"),
        (("--sample", "--account", "other"), "is not one of the accounts"),
        (("--sample", "--lot", "BTC/USDT:USDT"), "--lot"),
        (("--sample", "--lot", "BTC/USDT:USDT=0"), "must be above 0"),
        (("--sample", "--with", "BTC/EUR:EUR"), "quoted in EUR"),
        ((), "--portfolio"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, said):
    status, out, err = printed(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ") and said in err


def test_a_trigger_is_a_distance_odds_or_a_health():
    assert trigger_of("2.5") == (2.5, "distance")
    assert trigger_of("10%") == (0.1, "odds")
    assert trigger_of("1.5x") == (1.5, "health")
    with pytest.raises(InputError, match="is no trigger"):
        trigger_of("soon")


def test_rules_on_past_starts(capsys, tmp_path):
    book = tmp_path / "p.json"
    book.write_text(
        '{"version": 1, "positions": [{"symbol": "SOL/USDT:USDT", "quantity": 200}], "collateral": [{"asset": "USDC", "quantity": 3500}]}'
    )
    rates = tmp_path / "f.csv"
    rates.write_text("date,SOL\n2025-01-01,0.001\n2025-01-02,0.001\n")
    asked = ("--sample", "--portfolio", str(book), "--backtest", "--trigger", "3", "--back-to", "5")
    found = json.loads(printed(capsys, *asked, "--funding", str(rates), "--json")[1])
    assert [r["rule"] for r in found["rules"]][:2] == ["do nothing", "cut below 3, back to 5"]
    assert found["funding_charged"] == ["SOL"]
    assert found["rules"][1]["liquidated"] < found["rules"][0]["liquidated"]
    assert "independent windows" in printed(capsys, *asked)[1]
    rates.write_text("date,SOL\nx,y\n")
    assert printed(capsys, *asked, "--funding", str(rates))[0] == 2
    assert printed(capsys, *asked[:-1], "2")[2].startswith("error: back_to")


def test_moves_of_collateral(capsys, tmp_path):
    book = tmp_path / "p.json"
    book.write_text(
        '{"version": 1, "positions": [{"symbol": "SOL/USDT:USDT", "quantity": 200}], "collateral": [{"asset": "USDC", "quantity": 3500}]}'
    )
    found = json.loads(printed(capsys, "--sample", "--portfolio", str(book), "--moves", "--json")[1])
    assert found["moves"][0]["odds"] <= found["wanted"] * (1 + 1e-9) < found["before"]


def test_whole_lots(capsys):
    asked = ("--sample", "--json", "--lot", "ETH/USDT:USDT=0.5", "--lot", "BTC/USDT:USDT=0.01")
    trades = json.loads(printed(capsys, *asked)[1])["trades"]
    assert trades
    for trade in trades:
        step = {"ETH/USDT:USDT": 0.5, "BTC/USDT:USDT": 0.01}[trade["symbol"]]
        assert trade["amount"] / step == pytest.approx(round(trade["amount"] / step), abs=1e-6)
