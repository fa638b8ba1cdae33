"""What the command line says to an option it does not have or a value that is none: the option, the value, what to do."""

import pytest

from data.cli import main as data_main
from margin.cli.main import main


def said(capsys, run, *arguments):
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1
    return err.removeprefix("error: ").strip()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["hedge", "--max-trade5", "9"], ["--max-trade5: is no option of hedge", "Did you mean '--max-trades'"]),
        (["hedge", "--qqq=9"], ["--qqq: is no option of hedge", "hedge --help"]),
        (["forecast", "--sample", "extra"], ["extra: was not expected", "forecast --help"]),
        (["hedge", "--budget", "much"], ["--budget: must be a number (got 'much')"]),
        (["hedge", "--max-trades", "1.5"], ["--max-trades: must be a whole number (got '1.5')"]),
        (["hedge", "--trades", "x"], ["--max-trades: must be a whole number"]),
        (["hedge", "--budget"], ["--budget: needs a value"]),
        (["hedg"], ["command: is not known (got 'hedg'). Did you mean 'hedge'?"]),
        ([], ["command"]),
        (["forecast", "--sample", "--days", "0"], ["--days: must each be above 0", "got '0'"]),
        (["forecast", "--sample", "--as-of", "1999-01-01"], ["no close by 1999-01-01: its first is of", "'BTC'"]),
        (["hedge", "--sample", "--backtest", "--funding", "/nowhere.csv"], ["/nowhere.csv: cannot be read", "path"]),
        (["protocols", "wallet", "--sample", "--lender", "aav"], ["--lender: is no venue or lender", "'aave'"]),
        (["protocols", "wallet", "--sample", "--perps", "zzzz"], ["--perps: is no venue", "hyperliquid"]),
        (["audit", "--make", "0", "--out", "nowhere"], ["make: must be 2 to", "got 0"]),
        (["audit", "--make", "-3", "--out", "nowhere"], ["make: must be 2 to", "got -3"]),
    ],
)
def test_a_complaint_names_the_option_the_value_and_a_way_out(capsys, arguments, words):
    err = said(capsys, main, *arguments)
    assert all(word in err for word in words), err


def test_the_data_command_complains_alike(capsys):
    assert "--every2: is no option of watch" in said(capsys, data_main, "watch", "--sample", "--every2", "5")
    assert "--days: must be a number (got 'x')" in said(capsys, data_main, "watch", "--days", "x")
