"""What commands print of a result, on stand-ins: each branch of the words, each figure in its place."""

from types import SimpleNamespace as Of

import numpy as np
import pytest

from margin.cli import backtest, liquidation, stress


def opening(closed=None, at=None, opened="2025-01-01T00:00"):
    return Of(
        opened=opened,
        started=1_000.0,
        called=True,
        closed=closed,
        at=at,
        names=("BTC", "ETH"),
        final=10.0,
        uncovered=5.0,
    )


def judged(liquidated=0, **changed):
    gone = [opening(f"2025-01-{i + 2:02d}T00:00", "the close") for i in range(liquidated)]
    given = {
        "model": "okx cross", "title": "OKX", "money": "asked", "hold": 30, "dates": np.array(["2025-01-01", "2025-02-01"], "M8[D]"),
        "skipped": 3, "initial": np.array([100.0, 300.0]), "maintenance": np.array([50.0, 70.0]),
        "hits": np.array([True, False]), "rate": 0.5, "uncovered": np.array([7.0, 9.0]), "closed": np.array([True, True]),
        "closed_intraday": np.array([True, False]), "extremes": ("BTC",), "left_out": ("X",), "liquidated": gone,
        "openings": [*gone, opening()], "notes": ("a note",),
    }  # fmt: skip
    return Of(**given | changed)


def test_a_backtest_under_a_model_as_json():
    said = backtest.model_to_dict(judged(1))
    figures = ("first", "last", "days", "skipped", "average_initial", "average_maintenance", "exceedances", "rate")
    assert [said[key] for key in figures] == ["2025-01-01", "2025-02-01", 2, 3, 200.0, 60.0, 1, 0.5]
    figures = ("largest_uncovered", "closed_at_close", "closed_intraday", "liquidated", "hold", "money", "extremes")
    assert [said[key] for key in figures] == [9.0, 2, 1, 1, 30, "asked", ["BTC"]]
    assert backtest.model_to_dict(judged(closed_intraday=None))["closed_intraday"] is None
    first, last = said["openings"]
    assert (first["opened"], first["closed"], last["closed"]) == ("2025-01-01", "2025-01-02", None)
    assert (first["started"], first["final"], first["uncovered"], first["names"]) == (
        1_000.0,
        10.0,
        5.0,
        ["BTC", "ETH"],
    )


def test_a_backtest_under_a_model_in_words():
    said = backtest.describe_model(judged(1))
    assert "OKX: opened with exactly the initial margin" in said and "on 1 of 2 days" in said
    assert "every 30 closes" in said and "1 of 2 were closed by force, looked at by closes and each day's" in said
    assert "2025-01-02" in said and "BTC, ETH" in said and "uncovered USD" in said and said.endswith("note: a note")
    assert "earlier ones" not in said
    none = backtest.describe_model(judged(extremes=(), money="own", notes=()))
    assert "the account's own collateral" in none and "closes alone" in none
    assert "uncovered USD" not in none and none.count("\n\n") == 0
    many = backtest.describe_model(judged(backtest.SHOWN + 2))
    assert "(2 earlier ones are in --json)" in many and "2025-01-02" not in many and "2025-01-04" in many


def run(lines, mode="held"):
    log = [Of(step=i % 2, when="close", account="a", kind="cut", words=f"line {i}", amount=1.0) for i in range(lines)]
    return Of(mode=mode, final=1_234.0, log=log)


def test_a_liquidation_in_words_shows_twenty_lines():
    path = Of(labels=("day 0", "day 1"))
    first, *rest = liquidation._run_text(run(20), path).splitlines()
    assert first.startswith("As held it ends with ") and "1,234" in first
    assert len(rest) == 20 and rest[1] == "  day 1, close: a, cut: line 1"
    more = liquidation._run_text(run(23, "alone"), path).splitlines()
    assert (
        more[0].startswith("Position by position")
        and len(more) == 22
        and more[-1] == "  ... and 3 more (--json has all)"
    )


def track(name="a", closed=None, health=1.5, positions=("BTC",)):
    return Of(name=name, positions=positions, closed=closed, closed_when="within the day", lowest_health=health,
              equity=np.array([10.0, 4.0]))  # fmt: skip


def path_of(**changed):
    path = Of(labels=("d0", "d1", "d2"), intraday=("BTC",), by_beta={"X": 1.5}, still=("Y",), looked_at="closes")
    given = {"path": path, "funding": 0.5, "notes": ("a note",), "equity": np.array([10.0, 4.0]),
             "held": [track(closed=2), track("empty", positions=())], "alone": [track("b", health=None)]}  # fmt: skip
    return Of(**given | changed)


def test_a_path_as_json_and_in_words():
    said = stress.path_to_dict(path_of())
    assert (said["first_day"], said["last_day"], said["days"], said["funding"]) == ("d0", "d2", 2, 0.5)
    assert said["equity"] == [10.0, 4.0] and said["intraday"] == ["BTC"] and said["still"] == ["Y"]
    assert said["held"] == [
        {"name": "a", "closed": {"day": "d2", "when": "within the day"}, "lowest_health": 1.5, "final": 4.0}
    ]
    assert said["alone"] == [{"name": "b", "closed": None, "lowest_health": None, "final": 4.0}]
    assert stress.path_text(path_of()).splitlines() == [
        "From the close of d0 to d2:",
        "  a (as held): liquidated on d2, within the day, lowest health 1.50",
        "  b (alone): survives",
        "  closes",
        "  a note",
    ]


@pytest.mark.parametrize(("words", "field"), [("-1", "x"), ("", "x"), ("0%", "x"), ("100.1%", "x")])
def test_a_share_that_is_none_is_refused(words, field):
    from margin.cli.hedge import share_of
    from margin.core.errors import InputError

    with pytest.raises(InputError, match="share above 0 and at most 100%"):
        share_of(words, field)


def test_a_target_is_a_share_freed_or_an_amount():
    from margin.cli.hedge import target_of

    assert target_of("-30%", 1_000.0) == target_of("30%", 1_000.0) == pytest.approx(700.0)
    assert target_of(" 250 ", 1_000.0) == 250.0
