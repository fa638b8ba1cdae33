"""`python -m margin audit` and `protocols` as a script would call them."""

import json

import pandas as pd

from margin.cli.main import main


def printed(capsys, *arguments):
    status = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_made_up_venue_is_audited_and_its_rows_kept(capsys, tmp_path):
    assert printed(capsys, "audit", "--make", 3000, "--out", tmp_path / "book")[0] == 0
    positions = str(tmp_path / "book" / "positions-*.parquet")
    status, out, _ = printed(
        capsys, "audit", "--positions", positions, "--fund", "1e6", "--out", tmp_path / "o.parquet", "--json"
    )
    found = json.loads(out)
    assert status == 0
    assert found["accounts"] == 3000
    assert found["accounts_per_second"] > 0
    assert found["checks"]["nets_to_zero"]
    rows = pd.read_parquet(tmp_path / "o.parquet")
    assert len(rows) == 3000
    assert {"account", "equity", "gross", "es", "requirement", "health", "liquidated_at"} <= set(rows)
    assert "accounts a second" in printed(capsys, "audit", "--positions", positions)[1]


def test_own_shocks_and_what_is_wrong_with_them(capsys, tmp_path):
    printed(capsys, "audit", "--make", 200, "--out", tmp_path / "book")
    shocks = tmp_path / "s.json"
    shocks.write_text('[{"name": "crash", "moves": {"*": -0.5}}]')
    found = json.loads(printed(capsys, "audit", "--positions", tmp_path / "book", "--shocks", shocks, "--json")[1])
    assert [s["name"] for s in found["shocks"]] == ["crash"]
    shocks.write_text("{")
    status, _, err = printed(capsys, "audit", "--positions", tmp_path / "book", "--shocks", shocks)
    assert (status, err.count("\n")) == (2, 1)
    absent = printed(capsys, "audit", "--positions", tmp_path / "book", "--shocks", tmp_path / "absent.json")[2]
    assert "cannot be read" in absent and "JSON" not in absent
    assert printed(capsys, "audit")[0] == 2
    assert printed(capsys, "audit", "--make", 200)[0] == 2
    assert "holds" in printed(capsys, "audit", "--make", 200, "--out", tmp_path / "book")[2]


def test_events_and_networks(capsys, tmp_path):
    assert "stream-2025" in printed(capsys, "protocols")[1]
    stream = json.loads(printed(capsys, "protocols", "stream-2025", "--json")[1])
    assert round(stream["network"]["nodes"][0]["recovery"], 3) in (0.484, 1.0)
    network = tmp_path / "n.json"
    network.write_text(
        '{"nodes": [{"id": "v", "assets": {"ETH": 10}}, {"id": "l"}], "debts": [{"from": "v", "to": "l", "usd": 20000}],'
        ' "prices": {"ETH": 3000}}'
    )
    found = json.loads(printed(capsys, "protocols", "--network", network, "--shock", "ETH=-50%", "--json")[1])
    assert found["new_defaults"] == ["v"]
    assert {n["id"]: n["paid"] for n in found["nodes"]}["v"] == 15000
    for model in ("debtrank", "fire-sales"):
        assert printed(capsys, "protocols", "--network", network, "--shock", "all=-1%", "--model", model)[0] == 0
    asked = ("protocols", "--network", network, "--model", "cascade", "--shock", "all=-40%", "--traded", "1e5")
    cascade = json.loads(printed(capsys, *asked, "--json")[1])
    assert cascade["nodes"] == [{"id": "v", "sells_at": 1 / 3, "sold": 30000.0}] and cascade["total"] > 0.4
    assert "sells at a fall of" in printed(capsys, *asked)[1]
    for wrong in (
        ["--model", "cascade"],
        ["--names", "none.csv"],
        ["--date", "2025"],
        ["--shock", "ETH"],
        ["--shock", "ETH=much"],
        ["--model", "guess"],
        ["--shock", "BTC=-1%"],
    ):
        status, _, err = printed(capsys, "protocols", "--network", network, *wrong)
        assert status == 2 and err.startswith("error: ")


def test_an_audit_under_a_venues_rule_with_its_own_figures_beside(capsys, tmp_path):
    printed(capsys, "audit", "--make", 3000, "--out", tmp_path / "book")
    asked = ("audit", "--positions", tmp_path / "book", "--model", "hyperliquid:cross", "--shocks", "wide", "--json")
    found = json.loads(printed(capsys, *asked, "--tvl", "1e7")[1])
    assert found["model"] == "hyperliquid:cross"
    assert found["checks"]["equity_to_tvl"] == found["equity"] / 1e7 - 1
    assert any(shock["name"] == "BTC -30%" for shock in found["shocks"])
    assert all(line["reproduction"] is not None for line in found["concentration"]["assets"])
    assert set(found["expected_calls"]) == {"1d", "3d", "7d"}
    assert len(found["concentration"]["overlap"]["shares"]) == len(found["concentration"]["overlap"]["assets"])
    for wrong in (("--tvl", "0"), ("--model", "bitmex:cross"), ("--model", "nobody"), ("--fund", "-1")):
        status, _, err = printed(capsys, "audit", "--positions", tmp_path / "book", *wrong)
        assert (status, err.count("\n")) == (2, 1) and err.startswith("error: "), wrong


def test_a_shared_wallet(capsys, tmp_path):
    """Equal odds for every rule: what one frees is separate's capital less its own; the third word may be the file."""
    book = tmp_path / "wallet.json"
    book.write_text(
        '{"version": 2, "accounts": [{"positions": [{"symbol": "ETH/USDC:USDC", "quantity": 10}],'
        ' "collateral": [{"asset": "ETH", "quantity": 15}, {"asset": "USD", "quantity": -10000}]}]}'
    )
    found = json.loads(printed(capsys, "protocols", "wallet", book, "--sample", "--json")[1])
    rules = found["rules"]
    assert set(rules) == {"separate", "borrowed", "lien", "unified", "double", "wrong-way"}
    assert rules["wrong-way"]["capital"] > rules["lien"]["capital"]
    assert found["debt"] == 10000 and found["notes"] == []
    for line in rules.values():
        assert line["saved"] == rules["separate"]["capital"] - line["capital"]
        assert line["least"] or abs(line["odds"] - 0.05) <= 1 / 4000
    assert rules["double"]["expected_shortfall"] > rules["unified"]["expected_shortfall"]
    again = printed(capsys, "protocols", "wallet", "--portfolio", book, "--sample", "--odds", "1%", "--rule", "unified",
                    "--lender", "aave", "--perps", "hyperliquid")  # fmt: skip
    assert again[0] == 0 and "unified" in again[1] and "double" not in again[1]
    for wrong in (["--rule", "unifed"], ["--lender", "aawe"], ["--days", "0"], ["--odds", "200%"], ["--odds", "much"],
                  ["--backing", "0"], ["--own-beta", "-1"]):  # fmt: skip
        status, _, err = printed(capsys, "protocols", "wallet", book, "--sample", *wrong)
        assert (status, err.count("\n")) == (2, 1) and err.startswith("error: "), wrong
    assert printed(capsys, "protocols", "wallet", book)[0] == 2


def test_a_weekly_table_of_claims(capsys, tmp_path):
    table = tmp_path / "week.csv"
    table.write_text("date,source,target,value\n2025-06-30,Aave,Lido,100\n2025-06-23,Aave,Lido,900\n")
    found = json.loads(printed(capsys, "protocols", "network", table, "--shock", "lido=-100%", "--json")[1])
    assert {n["id"]: n["loss"] for n in found["nodes"]}["Aave"] == 100
    assert any("2025-06-30" in note for note in found["notes"])
    earlier = printed(capsys, "protocols", "network", table, "--date", "2025-06-23", "--shock", "Lido=-100%", "--json")[
        1
    ]
    assert {n["id"]: n["loss"] for n in json.loads(earlier)["nodes"]}["Aave"] == 900
    assert printed(capsys, "protocols", "event", "kelp-2026")[0] == 0
    assert printed(capsys, "protocols", "event")[0] == 2
    assert printed(capsys, "protocols", "network")[0] == 2


def test_a_file_without_end_is_refused_by_every_command(capsys):
    """A device states no size and never ends: it is read up to the bound, and the line names it."""
    for command in (
        ["portfolio", "/dev/zero"],
        ["protocols", "--network", "/dev/zero"],
        ["compare", "--portfolio", "/dev/zero", "--sample"],
    ):
        status, _, err = printed(capsys, *command)
        assert (status, err.count("\n")) == (2, 1)
        assert "/dev/zero" in err and "too large" in err
