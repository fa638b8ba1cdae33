"""`python -m margin`: the contract other programs rely on, and one clear line for everything wrong."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from data.cli import parser as data_parser
from margin import Market, Portfolio, compare
from margin.cli.main import main, parser
from margin.sample.ready import LABEL, sample_market, sample_portfolio
from tests.cli import sessions
from tests.ladder.books import market_frame
from tests.support import ROOT, shared_path

EXAMPLE = """{"version": 1, "name": "ETH/BTC pair",
 "positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1.0, "entry_price": 61000, "leverage": 10},
               {"symbol": "ETH/USDT:USDT", "quantity": -30.0}],
 "collateral": [{"asset": "USDC", "quantity": 25000}]}"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "P.json").write_text(EXAMPLE)
    frame = market_frame()
    frame.rename_axis("date").to_csv(tmp_path / "C.csv")
    frame.rename_axis("date").reset_index().to_parquet(tmp_path / "C.parquet")
    (frame * 0 + 1e9).rename_axis("date").to_csv(tmp_path / "V.csv")
    return tmp_path


def run(capsys, *arguments):
    status = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_compare_json_holds_the_contract_and_equals_the_library(files, capsys):
    status, out, err = run(capsys, "compare", "--portfolio", files / "P.json", "--prices", files / "C.csv", "--json")
    assert (status, err) == (0, "")
    got = json.loads(out)
    assert {
        "as_of", "scenarios", "isolated", "netted", "portfolio", "safeguarded", "saved", "saved_pct", "attribution", "positions",
    } <= set(got)  # fmt: skip
    assert set(got["attribution"]) == {"netting", "diversification", "safeguards"}
    assert {"symbol", "standalone", "contribution"} <= set(got["positions"][0])
    direct = compare(Portfolio.from_json(EXAMPLE), pd.read_csv(files / "C.csv"), level=0.975, horizon=1, lookback=500)
    assert got == json.loads(json.dumps(direct.to_dict()))
    assert got["saved_pct"] == pytest.approx(100 * (1 - got["portfolio"] / got["isolated"]))
    assert any("USDC is taken at 1 USD" in note for note in got["notes"])


def test_every_option_changes_the_answer(files, capsys):
    base = ["compare", "--portfolio", files / "P.json", "--prices", files / "C.csv", "--json"]
    _, plain, _ = run(capsys, *base)
    options = [
        ["--level", "0.99"], ["--horizon", "5"], ["--lookback", "250"], ["--measure", "var"], ["--estimator", "student"],
        ["--as-of", "2024-06-30"], ["--volumes", files / "V.csv"], ["--prices", files / "C.parquet", "--level", ".9"],
        ["--estimator", "gaussian", "--correlation", "ledoit-wolf"],
    ]  # fmt: skip
    for extra in options:
        status, out, err = run(capsys, *base, *extra)
        assert (status, err) == (0, "")
        assert out != plain, extra


def test_the_table_is_readable(files, capsys):
    _, out, _ = run(capsys, "compare", "--portfolio", files / "P.json", "--prices", files / "C.csv")
    for word in ("isolated", "netted", "portfolio", "safeguarded", "BTC/USDT:USDT", "not computed", "is freed"):
        assert word in out


@pytest.mark.parametrize("method", ["rolling", "ewma", "ledoit-wolf"])
def test_correlation(files, capsys, method):
    arguments = [
        "correlation",
        "--prices",
        files / "C.csv",
        "--window",
        60,
        "--as-of",
        "2024-10-01",
        "--method",
        method,
    ]
    status, out, _ = run(capsys, *arguments, "--json")
    got = json.loads(out)
    assert status == 0
    assert {k: got[k] for k in ("as_of", "window", "method")} == {"as_of": "2024-10-01", "window": 60, "method": method}
    returns = market_frame().loc[:"2024-10-01"].pct_change().iloc[-60:]
    if method == "rolling":
        expected = np.corrcoef(returns.to_numpy().T)
    elif method == "ewma":
        w = 0.94 ** np.arange(60)[::-1]
        cov = (returns.to_numpy() * w[:, None]).T @ returns.to_numpy()
        expected = cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    else:
        from sklearn.covariance import LedoitWolf

        cov = LedoitWolf().fit(returns.to_numpy()).covariance_
        expected = cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    names = list(returns.columns)
    np.testing.assert_allclose([[got["matrix"][a][b] for b in names] for a in names], expected, rtol=1e-9)
    assert run(capsys, *arguments)[0] == 0


def test_correlation_of_assets_that_do_not_share_their_life(files, capsys):
    frame = market_frame()
    frame.loc[:"2024-11-30", "ADA"] = np.nan
    frame.loc["2024-06-01":, "SOL"] = np.nan
    frame.rename_axis("date").to_csv(files / "H.csv")
    _, out, _ = run(capsys, "correlation", "--prices", files / "H.csv", "--json")
    got = json.loads(out)
    assert got["matrix"]["BTC"]["ETH"] is not None
    assert got["matrix"]["BTC"]["SOL"] is None
    assert got["matrix"]["BTC"]["ADA"] is None
    assert got["missing"]["SOL"] == "its last close is of 2024-05-31"
    assert "fewer than 60" in got["missing"]["ADA"]


def test_haircuts(files, capsys):
    status, out, _ = run(capsys, "haircuts", "--prices", files / "C.csv", "--json")
    got = json.loads(out)["haircuts"]
    assert status == 0
    worst = np.sort(Market(market_frame()).returns(["BTC"], None, 2, 500).values[:, 0])[:5]
    assert got["BTC"]["parts"]["tail"] == pytest.approx(-worst.mean())
    assert got["BTC"]["haircut"] == pytest.approx(sum(got["BTC"]["parts"].values()))
    large = run(capsys, "haircuts", "--prices", files / "C.csv", "--volumes", files / "V.csv", "--size", "1e9")[1]
    btc = next(line.split() for line in large.splitlines() if line.startswith("BTC"))
    assert float(btc[1].rstrip("%")) / 100 > got["BTC"]["haircut"]
    ewma = run(capsys, "haircuts", "--prices", files / "C.csv", "--tail", "ewma", "--json")[1]
    assert json.loads(ewma)["haircuts"]["BTC"]["parts"]["tail"] != got["BTC"]["parts"]["tail"]


BAD = [
    (["compare", "--portfolio", "{d}/none.json", "--prices", "{d}/C.csv"], "none.json"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/none.csv"], "none.csv"),
    (["compare", "--portfolio", "{d}/C.csv", "--prices", "{d}/C.csv"], "no table of positions"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/P.json"], "date"),
    (["compare", "--portfolio", "{d}/bad.json", "--prices", "{d}/C.csv"], "positions[0].symbol"),
    (["compare", "--portfolio", "{d}/doge.json", "--prices", "{d}/C.csv"], "DOGE"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/C.csv", "--level", "1.5"], "level"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/C.csv", "--level", "x"], "--level"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/C.csv", "--horizon", "0"], "horizon"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/C.csv", "--estimator", "magic"], "estimator"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/C.csv", "--as-of", "1999-01-01"], "as_of"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/junk.csv"], "junk.csv"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/junk.parquet"], "junk.parquet"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/negative.csv"], "above zero"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/" + "x" * 300], "cannot be read"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/a\0b"], "cannot be read"),
    (["compare", "--portfolio", "{d}/" + "x" * 300, "--prices", "{d}/C.csv"], "cannot be read"),
    (["compare", "--portfolio", "{d}/a\0b", "--prices", "{d}/C.csv"], "cannot be read"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/twice.csv"], "two columns"),
    (["compare", "--portfolio", "{d}/P.json", "--prices", "{d}/words.csv"], "is not a number"),
    (["correlation", "--prices", "{d}/C.csv", "--method", "guess"], "method"),
    (["correlation", "--prices", "{d}/C.csv", "--window", "1"], "window"),
    (["haircuts", "--prices", "{d}/C.csv", "--tail", "guess"], "haircut.tail"),
    (["haircuts", "--prices", "{d}/C.csv", "--size", "-1"], "size_usd"),
    (["haircuts", "--prices", "{d}/C.csv", "--as-of", "never"], "as_of"),
    (["correlation"], "--prices: is missing"),
    (["compare", "--prices", "{d}/C.csv"], "--portfolio: is missing"),
    (["compare", "--portfolio", "{d}/P.json"], "--prices: is missing"),
    (["compare", "--sample", "--prices", "{d}/C.csv"], "--prices: cannot stand beside --sample"),
    (["haircuts", "--sample", "--volumes", "{d}/V.csv"], "--volumes: cannot stand beside --sample"),
    (["dance"], "command"),
    ([], "arguments"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_bad_input_is_one_error_line_and_exit_2(files, capsys, arguments, said):
    (files / "bad.json").write_text('{"version": 1, "positions": [{"symbol": "BTC-USDT", "quantity": 1}]}')
    (files / "doge.json").write_text('{"version": 1, "positions": [{"symbol": "DOGE/USD", "quantity": 1}]}')
    (files / "junk.csv").write_bytes(b"\x00\x01\x02,\xff\n\n\n")
    (files / "junk.parquet").write_bytes(b"PAR1" + b"\x00" * 50 + b"PAR1")
    (files / "negative.csv").write_text("date,BTC,ETH\n2024-01-01,1,1\n2024-01-02,-1,1\n2024-01-03,1,1\n")
    (files / "twice.csv").write_text("date,BTC,ETH,BTC\n2024-01-01,1,1,1\n2024-01-02,1,1,1\n2024-01-03,1,1,1\n")
    (files / "words.csv").write_text("date,BTC,ETH\n2024-01-01,True,1\n2024-01-02,False,1\n2024-01-03,True,1\n")
    status, out, err = run(capsys, *(a.format(d=files) for a in arguments))
    assert status == 2
    assert out == ""
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert said in err


def test_it_runs_as_a_module_without_a_traceback(files):
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "margin",
        "compare",
        "--portfolio",
        str(files / "P.json"),
        "--prices",
    ]
    good = subprocess.run(
        [*command, str(files / "C.csv"), "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert good.returncode == 0, good.stderr
    bad = subprocess.run([*command, "/nowhere.csv"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert bad.returncode == 2
    assert "Traceback" not in bad.stderr


def test_the_contract_example_on_recorded_prices(capsys, files):
    prices = shared_path("market/daily_closes.csv")
    status, out, _ = run(capsys, "compare", "--portfolio", files / "P.json", "--prices", prices, "--json")
    assert status == 0
    assert 40 < json.loads(out)["saved_pct"] < 80


SAMPLE_COMMANDS = [["compare"], ["correlation"], ["haircuts"], ["backtest", "--days", "200"], ["venue", "dydx"]]


@pytest.mark.parametrize("command", SAMPLE_COMMANDS, ids=lambda c: c[0])
def test_the_sample_needs_no_file_and_is_labelled(capsys, command):
    status, out, err = run(capsys, *command, "--sample")
    assert (status, err) == (0, "")
    assert out.startswith("Prices: bundled sample, partly simulated.\n")
    status, out, _ = run(capsys, *command, "--sample", "--json", "--as-of", "2025-10-31")
    data = json.loads(out)
    assert (status, data["prices"]) == (0, "bundled sample, partly simulated")
    assert data.get("as_of", data.get("last", "2025-10-31"))[:7] == "2025-10"


def test_every_command_that_takes_prices_takes_the_sample_and_a_date():
    (commands,) = [a for a in parser()._actions if a.dest == "command"]
    for name, command in commands.choices.items():
        options = set(command._option_string_actions)
        assert "--prices" not in options or {"--sample", "--as-of"} <= options, name


def test_the_ready_portfolio_saves_and_stands_behind_the_sample(capsys, files):
    ready = json.loads(run(capsys, "compare", "--sample", "--json")[1])
    assert ready["saved_pct"] > 50
    direct = compare(sample_portfolio(), sample_market())
    assert ready == {"prices": LABEL, **json.loads(json.dumps(direct.to_dict()))}
    own = json.loads(run(capsys, "compare", "--sample", "--portfolio", files / "P.json", "--json")[1])
    assert [p["symbol"] for p in own["positions"]] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]


@pytest.mark.parametrize("page", sessions.PAGES)
def test_the_sessions_of_the_documentation_print_what_stands_there(page, monkeypatch):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    text = (ROOT / page).read_text(encoding="utf-8")
    assert sessions.BLOCK.search(text), f"{page} shows no session"
    assert sessions.renewed(text) == text, "python -m tests.cli.sessions writes it anew"


def test_a_session_that_prints_something_else_is_found(monkeypatch):
    page = "```\n$ python -m margin compare --sample --level 97.5\nall fine\n```\n"
    assert "error: level: must be a number" in sessions.renewed(page)


def undocumented(text):
    """Commands of both command lines without a section of their own, and options and choices their section lacks."""
    parts = re.split(r"^## (.+)$", text, flags=re.M)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    missing = []
    for house, whole in (("margin", parser()), ("data", data_parser())):
        (commands,) = [a for a in whole._actions if a.dest == "command"]
        for name, command in commands.choices.items():
            section = sections.get(name if house == "margin" else f"{house} {name}", "")
            if f"python -m {house} {name}" not in section:
                missing.append(f"{house} {name}")
            prose = re.sub(r"^```.*?^```", "", section, flags=re.S | re.M)
            for action in command._actions:
                asked = [o for o in action.option_strings if o not in ("-h", "--help")]
                said = re.search(r"\bone of ([\w, -]+)", action.help or "")
                asked += said[1].strip().split(", ") if said else []
                missing += [f"{house} {name} {o}" for o in asked if not re.search(rf"(?<![\w-]){o}(?![\w-])", prose)]
    return missing


def test_every_command_has_its_section_and_every_option_stands_in_it():
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert undocumented(text) == []
    without = re.sub(r"^## hedge$.*?(?=^## )", "", text, flags=re.S | re.M)
    assert "margin hedge" in undocumented(without) and "margin hedge --budget" in undocumented(without)
    assert undocumented(text.replace("spearman", "")) == ["margin correlation spearman"]


def test_portfolio_prints_version_2_and_reads_it_back(tmp_path, capsys):
    old = tmp_path / "old.json"
    old.write_text('{"version": 1, "positions": [{"symbol": "BTC/USD", "quantity": 1}]}')
    assert main(["portfolio", str(old), "--json"]) == 0
    printed = capsys.readouterr().out
    data = json.loads(printed)
    assert data["version"] == 2 and data["accounts"][0]["positions"][0]["paid"] is False
    assert "borrowed" in data["notes"][0] and data["set_aside"] == []
    assert Portfolio.from_json(printed) == Portfolio.from_json(old.read_text())
    assert main(["portfolio", str(old)]) == 0
    assert "note: BTC/USD is read as bought on borrowed money" in capsys.readouterr().out


def test_portfolio_sets_aside_rows_of_a_foreign_list_by_name(tmp_path, capsys):
    rows = [{"symbol": "BTC/USDT:USDT", "contracts": 1}, {"symbol": "BTC/EUR:EUR", "contracts": 2}]
    path = tmp_path / "ccxt.json"
    path.write_text(json.dumps({"positions": rows}))
    assert main(["portfolio", str(path), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [p["symbol"] for p in data["accounts"][0]["positions"]] == ["BTC/USDT:USDT"]
    assert [(r["row"], r["symbol"]) for r in data["set_aside"]] == [("positions[1]", "BTC/EUR:EUR")]
    assert "quoted in EUR" in data["set_aside"][0]["reason"]
    assert main(["portfolio", str(path)]) == 0
    assert "set aside: positions[1] BTC/EUR:EUR" in capsys.readouterr().out
    path.write_text(json.dumps(rows[1:]))
    assert main(["portfolio", str(path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_the_volatility_used_stands_beside_each_option(tmp_path, capsys):
    """An option's own where it has one, else the recent one of its underlying; no column where there are no options."""
    symbol = "BTC/USD:BTC-271231-60000-C"
    rows = [{"symbol": symbol, "quantity": -1, "implied_vol": 0.65}, {"symbol": "ETH/USDT:USDT", "quantity": 2}]
    file = tmp_path / "options.json"
    file.write_text(json.dumps({"version": 2, "accounts": [{"positions": rows}]}))
    assert main(["compare", "--sample", "--portfolio", str(file)]) == 0
    line = next(text for text in capsys.readouterr().out.splitlines() if text.startswith(symbol))
    assert line.rstrip().endswith("65.0%")
    assert main(["compare", "--sample"]) == 0
    assert "volatility used" not in capsys.readouterr().out
