"""The words beside a comparison turn where they say they turn: each threshold from both sides, on stand-ins."""

from types import SimpleNamespace as Of

import pandas as pd
import pytest

from margin.core.settings import Settings
from margin.core.words import by_reason, usd
from margin.ladder import explain


def comparison(**changed):
    """A stand-in with the figures that the words look at: a long and a short in two coins, half of it saved."""
    account = Of(requirement=500.0, treatment="fixed")
    legs = [Of(symbol="BTC", standalone=600.0), Of(symbol="ETH", standalone=400.0)]
    coins = [Of(underlying="BTC", delta_usd=1000.0, netted=600.0), Of(underlying="ETH", delta_usd=-900.0, netted=400.0)]
    given = {
        "isolated": 1000.0, "netted": 900.0, "portfolio": 500.0, "safeguarded": 550.0, "asked": 550.0, "saved": 500.0,
        "saved_pct": 50.0, "basis": 0.0, "account": account, "positions": legs, "underlyings": coins,
        "attribution": Of(netting=100.0, diversification=400.0, safeguards=50.0), "settings": Settings(),
        "scenarios": 500, "as_of": pd.Timestamp("2025-01-31"), "book": Of(has_options=False),
        "safeguard_lines": [Of(amount=60.0, label="Floor"), Of(amount=0.0, label="None"), Of(amount=-10.0, label="Credit")],
    }  # fmt: skip
    return Of(**given | changed)


def attribution(netting, diversification):
    return Of(netting=netting, diversification=diversification, safeguards=0.0)


def deltas(*usd):
    return [Of(underlying=str(i), delta_usd=each, netted=1.0) for i, each in enumerate(usd)]


def test_dollars():
    said = [usd(x) for x in (0, 0.004, -0.004, 1, 1.5, -1.5, 99.99, 100, 100.4, -1234.6)]
    assert said == ["$0", "$0", "$0", "$1", "$1.50", "-$1.50", "$99.99", "$100", "$100", "-$1,235"]


def test_the_headline_says_what_is_freed_and_when_nothing_is():
    assert explain.headline(comparison()).endswith("needs $500 instead of $1,000: $500 (50%) is freed.")
    assert explain.headline(comparison(isolated=0.0)).startswith("None of these positions loses anything")
    assert explain.headline(comparison(saved=0.0)) == "Pooling frees nothing here: $1,000 isolated, $500 pooled."
    joint = Of(requirement=500.0, treatment="joint")
    alone = "The positions alone ask $500; with the coins behind them $550."
    assert explain.headline(comparison(saved=0.0, account=joint, asked=499.0)) == alone.replace("$550", "$499")
    assert explain.headline(comparison(saved=0.0, account=joint, asked=500.0)).startswith("Pooling frees nothing")
    below = Of(requirement=400.0, treatment="fixed")
    said = explain.headline(comparison(basis=550.0, account=below))
    assert said == "Pooled in one account, with safeguards, this book needs $550, not $1,000: $450 (45%) is freed."
    assert explain.headline(comparison(basis=550.0, account=below, asked=1000.0)).endswith(": nothing is freed.")
    assert explain.headline(comparison(basis=550.0, account=Of(requirement=400.0, treatment="joint"))) == alone
    assert "instead of" in explain.headline(comparison(basis=400.0, account=below)), "as much is no more than the basis"


def test_why_turns_at_its_thresholds():
    one_way = comparison(underlyings=deltas(1000.0, -19.0), saved_pct=4.9)
    assert explain.why(one_way).startswith("Almost nothing is saved because everything is long")
    short = comparison(underlyings=deltas(-1000.0, 19.0), saved_pct=4.9)
    assert "everything is short" in explain.why(short)
    for other in ({"saved_pct": 5.0}, {"underlyings": deltas(1000.0, -20.0)}, {"saved_pct": None}):
        assert explain.why(comparison(**{"underlyings": deltas(1000.0, -19.0), "saved_pct": 4.9} | other)).startswith(
            "Saved"
        )
    alone = comparison(positions=[Of(symbol="BTC", standalone=1.0)], saved_pct=0.0, underlyings=deltas(1000.0))
    assert explain.why(alone).startswith("One position has nothing to offset")
    assert explain.why(comparison(isolated=0.0)) == ""
    basis = comparison(basis=501.0)
    assert "$501 is kept for that" in explain.why(basis) and "basis" not in explain.why(comparison(basis=500.0))


@pytest.mark.parametrize(
    ("netting", "diversification", "said"),
    [(10.1, 10.1, 2), (10.0, 10.1, 1), (10.1, 10.0, 1), (10.0, 10.0, 0)],
)
def test_a_part_of_the_saving_is_named_from_a_hundredth_of_the_whole(netting, diversification, said):
    words = explain.why(comparison(attribution=attribution(netting, diversification)))
    assert ("(netting)" in words) + ("(diversification and hedging)" in words) == said
    assert words.startswith("Saved: $10.10 because") == (said > 0)
    assert (", and " in words) == (said == 2)
    assert said or words.startswith("The positions have their worst days together")


def test_the_kind_of_diversification_is_named():
    one_way = {"underlyings": deltas(1000.0, -19.0), "attribution": attribution(0.0, 500.0)}
    assert "different assets do not have their worst days together" in explain.why(comparison(**one_way))
    assert "one asset's loss is another's gain" in explain.why(comparison(attribution=attribution(0.0, 500.0)))


def test_the_steps_carry_the_books_own_figures():
    titles = [step.title for step in explain.steps(comparison())]
    assert titles == ["Scenarios", "Tail loss", "1. Isolated", "2. Netted", "3. Portfolio", "4. With safeguards"]
    scenarios, tail, isolated, netted, portfolio, last = explain.steps(comparison())
    assert scenarios.numbers == "500 returns over 1 day up to 2025-01-31" and "Options" not in scenarios.words
    level = Settings().level
    assert tail.numbers == f"α = {level:.1%}: the worst {(1 - level) * 500:.1f} of 500 scenarios"
    assert isolated.numbers == "BTC $600 + ETH $400 = $1,000" and netted.numbers == "BTC $600 + ETH $400 = $900"
    assert (
        netted.words.endswith("$100 less.") and portfolio.words.endswith("$400 less.") and portfolio.numbers == "$500"
    )
    assert last.numbers == "$500 + $60 (floor) - $10 (credit) = $550" and "$50" in last.words
    many = [Of(symbol=f"C{i}", standalone=1.0) for i in range(7)]
    assert "C5 $1 + ... = " in explain.steps(comparison(positions=many))[2].numbers
    assert "..." not in explain.steps(comparison(positions=many[:6]))[2].numbers
    assert "4 $1 + 5 $1 + ... = " in explain.steps(comparison(underlyings=deltas(*range(7))))[3].numbers
    assert "..." not in explain.steps(comparison(underlyings=deltas(*range(6))))[3].numbers
    var = explain.steps(comparison(settings=Settings(measure="var", horizon=2), book=Of(has_options=True)))
    assert "VaR" in var[1].formula and var[1].words.startswith("The loss that") and "over 2 days" in var[0].numbers
    assert tail.words == "The mean of the worst losses." and "Options are revalued" in var[0].words


def held(initial, saved, count=1, pooled=300.0):
    rows = [Of(name=f"a{i}", venue="okx", error="no rule" if initial is None and i else "") for i in range(count)]
    return comparison(as_held=Of(accounts=rows, initial=initial, saved=saved, pooled=pooled))


def test_accounts_as_held_in_words():
    assert explain.held_headline(comparison(as_held=None)) == ""
    assert explain.held_headline(held(400.0, 0.0)) == (
        "This account asks $400 as held; one pool with safeguards would ask $300: nothing is freed."
    )
    assert explain.held_headline(held(400.0, 0.0, 2)).startswith("These 2 accounts ask $400 as held")
    assert explain.held_headline(held(None, None, 2)).endswith(
        "this book needs $300; as held it is not computed: see a1."
    )
    assert "$100 (25%) is freed" in explain.held_headline(held(400.0, 100.0))
    assert "needs" in explain.held_headline(held(400.0, 100.0)) and " need " in explain.held_headline(
        held(400.0, 100.0, 2)
    )
    assert "%" not in explain.held_headline(held(0.0, 100.0))


def test_each_reason_is_said_once_and_many_names_are_counted():
    pairs = [("A", "x"), ("B", "y"), ("C", "x"), ("A", "x"), *((f"D{i}", "z") for i in range(9))]
    assert by_reason(pairs) == ("A, C: x", "B: y", "D0, D1, D2, D3, D4, D5 and 3 more: z")
    assert by_reason((f"D{i}", "z") for i in range(7)) == ("D0, D1, D2, D3, D4, D5, D6: z",)
    assert by_reason([]) == ()
