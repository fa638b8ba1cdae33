"""What a value from outside must be, kind by kind: what is taken, what is refused and in what words; jumps of prices."""

from datetime import date, datetime
from math import inf, nan

import numpy as np
import pandas as pd
import pytest

from margin.core import checks, daily
from margin.core.errors import InputError

WORDS = ["1", None, [], {}, b"1", object()]


def told(call, *given, **named):
    try:
        return call(*given, **named)
    except InputError as error:
        assert error.field == "x"
        return error.problem


@pytest.mark.parametrize("value", [True, False, *WORDS])
def test_neither_words_nor_switches_are_numbers(value):
    assert told(checks.number, value, "x") == "must be a number"
    assert told(checks.between, value, "x", 0, 2) == "must be a number from 0 to 2"
    assert told(checks.whole_number, value, "x", 0, 2) == "must be a whole number from 0 to 2"


def test_numbers_of_every_kind_are_taken():
    for value in (1, 1.0, np.int64(1), np.float32(1.0)):
        assert told(checks.number, value, "x") == told(checks.between, value, "x", 0, 2) == 1.0
        assert isinstance(checks.number(value, "x"), float) and isinstance(checks.between(value, "x", 0, 2), float)
    assert told(checks.whole_number, np.int64(1), "x", 0, 2) == 1 and told(checks.whole_number, 1.0, "x", 0, 2) != 1.0
    for value in (nan, inf, -inf):
        assert told(checks.number, value, "x") == "must be a finite number"
        assert told(checks.between, value, "x", 0, 2) == "must be a number from 0 to 2"
    assert told(checks.number, 10**400, "x") == "must be a number"


def test_limits_of_a_number():
    assert (
        told(checks.number, 0, "x", above=0) == "must be above 0"
        and told(checks.number, 5e-324, "x", above=0) == 5e-324
    )
    assert (
        told(checks.number, -0.1, "x", least=0) == "must be at least 0" and told(checks.number, 0, "x", least=0) == 0.0
    )
    assert told(checks.number, 2, "x", most=2) == 2.0 and told(checks.number, -2, "x", most=2) == -2.0
    assert told(checks.number, 2.1, "x", most=2) == told(checks.number, -2.1, "x", most=2) == "is beyond 2"
    assert told(checks.number, 1e15, "x") == 1e15 and told(checks.number, 1.1e15, "x") == "is beyond 1e+15"


def test_names_choices_and_lists():
    assert checks.name(None) == "" and checks.name("  a\tb\n c ") == "a b c" and checks.name("a" * 200) == "a" * 200
    assert told(checks.name, "a" * 201, "x") == "is 201 characters long" and told(checks.name, 5, "x") == "must be text"
    assert checks.one_of(None, ("a",), "x") is None and checks.one_of("a", ("a", "b"), "x") == "a"
    assert told(checks.one_of, "c", ("a",), "x") == told(checks.one_of, 1, ("a",), "x") == "is not one of the choices"
    assert told(checks.choice, None, ("a",), "x") == told(checks.choice, 1, ("a",), "x") == "is not one of the choices"
    assert told(checks.choice, "a", ("a",), "x") is None
    assert checks.listed((1, 2), 2, "x") == [1, 2] and told(checks.listed, "ab", 2, "x") == "must be a list"
    assert told(checks.listed, [1, 2, 3], 2, "x") == "has too many entries"
    assert told(checks.switch, 1, "x") == "must be true or false" and told(checks.switch, False, "x") is None


def test_dates():
    day = pd.Timestamp("2025-10-10")
    for value in ("2025-10-10", date(2025, 10, 10), datetime(2025, 10, 10), np.datetime64("2025-10-10"), day):
        assert checks.parse_date(value) == day and checks.date_text(value) == "2025-10-10"
    assert checks.parse_date("2025-10-10T02:00:00+02:00") == day
    assert checks.date_text("2025-10-10T01:02:03Z") == "2025-10-10T01:02:03"
    for value in ("soon", "1899-12-31", "2201-01-01", 20251010, True, None, pd.NaT):
        with pytest.raises(InputError, match="is not a date"):
            checks.parse_date(value)
    assert checks.parse_date("1900-01-01").year == 1900 and checks.parse_date("2200-12-31").year == 2200
    assert (
        not checks.has_time("2026-11-26") and not checks.has_time(" 2026-11-26 ") and checks.has_time("2026-11-26T00")
    )
    assert not checks.has_time(day)


CALM = [100.0 * 1.01 ** (i % 2) for i in range(30)]


def jumps(before, after, pause=1):
    first = np.datetime64("2024-01-01") + np.arange(len(before))
    dates = np.concatenate([first, first[-1] + pause + np.arange(len(after))]).astype("datetime64[ns]")
    return daily.odd_jumps("A", dates, np.array([*before, *after]))


def by(factor):
    return [factor * each for each in CALM]


def test_a_jump_that_stays_in_a_calm_market_is_said_with_its_factor_way_and_day():
    (up,), (down,) = jumps(CALM, by(10.0)), jumps(CALM, by(0.1))
    assert "9.901:1 up" in up and "2024-01-31" in up and "10.1:1 down" in down
    assert jumps(CALM, by(1.85)) == [] and len(jumps(CALM, by(1.95))) == 1
    assert jumps(CALM, by(1 / 1.85)) == [] and len(jumps(CALM, by(1 / 1.95))) == 1
    assert jumps(CALM[:1], CALM[:1]) == [] and jumps(CALM, [0.0, *by(10.0)]) == []


def test_a_jump_in_a_wild_market_is_a_move():
    wild = [100.0 * 1.5 ** (i % 2) for i in range(30)]
    assert jumps(wild, [4.0 * each for each in wild]) == []
    assert len(jumps(wild, [40.0 * each for each in wild])) == 1, "a rise of twenty times is said in any market"


def test_another_life_begins_after_a_pause_of_more_than_four_days():
    (said,) = jumps(CALM, by(12.0), 5)
    assert said.startswith("A goes on 11.88:1 up after a pause until 2024-02-04: another life of the ticker")
    (said,) = jumps(CALM, by(0.009), 5)
    assert "112.2:1 down" in said and "another life" in said
    assert "another life" not in " ".join(jumps(CALM, by(12.0), 4)), "four days are no pause"
    (said,) = jumps(CALM, by(0.05), 5)
    assert said.startswith("A goes on 20.2:1 down") and said.endswith("no return is taken across")
    assert jumps(CALM, by(5.0), 5) == []
    dates = np.array(["2024-01-01", "2024-01-02", "2024-01-07", "2024-01-08"], "datetime64[ns]")
    assert daily.life_starts(dates, np.array([1.0, 1.0, 10.0, 10.0])).tolist() == [2]
    assert daily.life_starts(dates, np.array([1.0, 1.0, 9.9, 9.9])).tolist() == []
    assert daily.life_starts(dates, np.array([1.0, 1.0, 0.0099, 0.01])).tolist() == [2]
    assert daily.life_starts(dates, np.array([1.0, 1.0, 0.0101, 0.01])).tolist() == []
